//! Passes the header of CSV without rows from the reader to the task that polls the rows, since no row carries it.

use std::{cell::RefCell, sync::Arc};

use csv::StringRecord;

tokio::task_local! {
    static SEEN: RefCell<Option<Arc<StringRecord>>>;
}

/// Records the header for an enclosing [`recording`] future.
pub(crate) fn record(header: Option<&Arc<StringRecord>>) {
    if let Some(header) = header {
        // Fails outside of `recording`, which is the usual case.
        let _ = SEEN.try_with(|seen| seen.borrow_mut().replace(Arc::clone(header)));
    }
}

/// Runs a future that polls rows and may take their header.
#[cfg(feature = "files")]
pub(crate) async fn recording<F: std::future::Future>(future: F) -> F::Output {
    SEEN.scope(RefCell::default(), future).await
}

/// Takes the header that was recorded last.
#[cfg(feature = "files")]
pub(crate) fn take() -> Option<Arc<StringRecord>> {
    SEEN.try_with(|seen| seen.borrow_mut().take()).ok().flatten()
}
