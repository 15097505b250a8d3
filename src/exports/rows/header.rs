//! The header of CSV without rows, on its way from the reader to whoever polls the rows: no row carries it.

use std::{cell::RefCell, future::Future, sync::Arc};

use csv::StringRecord;

tokio::task_local! {
    static SEEN: RefCell<Option<Arc<StringRecord>>>;
}

/// Notes the header where somebody asked for it.
pub(crate) fn note(header: Option<&Arc<StringRecord>>) {
    if let Some(header) = header {
        // Most readers have nobody who asked.
        let _ = SEEN.try_with(|seen| seen.borrow_mut().replace(Arc::clone(header)));
    }
}

/// Runs a future that polls rows and takes their header.
pub(crate) async fn noting<F: Future>(future: F) -> F::Output {
    SEEN.scope(RefCell::default(), future).await
}

/// Returns the header that was noted last.
pub(crate) fn take() -> Option<Arc<StringRecord>> {
    SEEN.try_with(|seen| seen.borrow_mut().take()).ok().flatten()
}
