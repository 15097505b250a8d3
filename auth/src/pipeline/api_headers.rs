//! The headers of every API call. Where files hold them, they are read again when the API answers 401: a rotated subscription
//! key needs no restart.

use std::sync::Arc;

use arc_swap::ArcSwap;
use http::HeaderMap;

/// Reads the headers anew; `None` when they cannot be read.
pub(crate) type HeaderSource = Arc<dyn Fn() -> Option<HeaderMap> + Send + Sync>;

pub(crate) struct ApiHeaders {
    current: ArcSwap<HeaderMap>,
    source: Option<HeaderSource>,
}

impl ApiHeaders {
    pub(crate) fn new(headers: HeaderMap, source: Option<HeaderSource>) -> Self {
        Self { current: ArcSwap::from_pointee(headers), source }
    }

    /// Adds the headers to those of a request.
    pub(crate) fn add_to(&self, headers: &mut HeaderMap) {
        for (name, value) in &**self.current.load() {
            headers.insert(name, value.clone());
        }
    }

    /// Reads the headers anew for a request that was refused. Returns whether one of them has another value now; those that
    /// the caller has set remain.
    pub(crate) async fn refresh(&self, headers: &mut HeaderMap, of_caller: Option<&HeaderMap>) -> bool {
        let Some(source) = self.source.clone() else { return false };
        // A file may be far away, or a pipe.
        let Ok(Some(read)) = tokio::task::spawn_blocking(move || source()).await else { return false };
        let mut is_new = false;
        for (name, value) in &read {
            let is_set_by_caller = of_caller.is_some_and(|own| own.contains_key(name));
            if !is_set_by_caller && headers.insert(name, value.clone()).as_ref() != Some(value) {
                is_new = true;
            }
        }
        self.current.store(Arc::new(read));
        is_new
    }
}
