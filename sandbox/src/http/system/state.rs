//! The state of the system endpoints: the shows, and the named snapshots.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::http::api_error::ApiError;
use crate::show::Show;
use crate::show::snapshot::Snapshot;

/// The state of the system endpoints.
#[derive(Clone)]
pub(crate) struct SystemState {
    pub(super) shows: Arc<[Arc<Show>]>,
    /// Other machines are allowed.
    pub(super) remote: bool,
    snapshots: Arc<Mutex<Snapshots>>,
}

/// The named snapshots, by client id and name.
type Snapshots = BTreeMap<(String, String), Snapshot>;

impl SystemState {
    pub(crate) fn new(shows: Arc<[Arc<Show>]>, remote: bool) -> Self {
        Self { shows, remote, snapshots: Arc::default() }
    }

    /// Locks the snapshots, even after a request panicked while it held the lock.
    pub(super) fn snapshots(&self) -> MutexGuard<'_, Snapshots> {
        self.snapshots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the show with this client id, or the first one.
    pub(super) fn show(&self, client_id: Option<&str>) -> Result<&Show, ApiError> {
        let show = match client_id {
            None => self.shows.first(),
            Some(id) => self.shows.iter().find(|show| show.client_id() == id),
        };
        show.map(Arc::as_ref).ok_or_else(|| ApiError::not_found("show", client_id.unwrap_or_default()))
    }
}
