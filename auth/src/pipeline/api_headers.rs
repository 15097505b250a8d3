//! The headers of every API call. Headers from files are read again when the API responds 401, so a rotated subscription key
//! needs no restart.

use std::sync::Arc;

use arc_swap::ArcSwap;
use http::HeaderMap;

/// Reads the headers again. Returns `None` if they cannot be read.
pub(crate) type HeaderSource = Arc<dyn Fn() -> Option<HeaderMap> + Send + Sync>;

pub(crate) struct ApiHeaders {
    current: ArcSwap<HeaderMap>,
    source: Option<HeaderSource>,
}

impl ApiHeaders {
    pub(crate) fn new(headers: HeaderMap, source: Option<HeaderSource>) -> Self {
        Self { current: ArcSwap::from_pointee(headers), source }
    }

    /// Inserts the headers into those of a request.
    pub(crate) fn add_to(&self, headers: &mut HeaderMap) {
        for (name, value) in &**self.current.load() {
            headers.insert(name, value.clone());
        }
    }

    /// Reads the headers again for a request that was refused. Returns true if one of them has changed. Headers that the
    /// caller has set are kept.
    pub(crate) async fn refresh(&self, headers: &mut HeaderMap, of_caller: Option<&HeaderMap>) -> bool {
        let Some(source) = self.source.clone() else { return false };
        // The file may be a pipe or on a network.
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
