//! The token requests that were sent and whose outcome is not stored yet.

use std::{future::Future, sync::Arc, time::Duration};

use tokio::sync::watch;

/// Counts token requests from the moment they are sent until their tokens are stored.
#[derive(Clone, Debug)]
pub(crate) struct InFlight {
    count: Arc<watch::Sender<usize>>,
}

/// One token request. Dropped once its outcome is stored.
#[derive(Debug)]
pub(crate) struct Sent {
    count: Arc<watch::Sender<usize>>,
}

impl InFlight {
    pub(crate) fn new() -> Self {
        Self { count: Arc::new(watch::Sender::new(0)) }
    }

    /// Counts a token request.
    pub(crate) fn send(&self) -> Sent {
        self.count.send_modify(|count| *count += 1);
        Sent { count: Arc::clone(&self.count) }
    }

    /// Waits until none is left, for at most `limit` of real time: a program that exits cannot wait for an injected clock.
    pub(crate) fn none_left(&self, limit: Duration) -> impl Future<Output = ()> + Send + 'static {
        let mut count = self.count.subscribe();
        async move {
            let _ = tokio::time::timeout(limit, count.wait_for(|count| *count == 0)).await;
        }
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        self.count.send_modify(|count| *count -= 1);
    }
}
