//! A clock that makes no test wait: pauses pass at once, and deadlines when the other side has fallen silent.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime},
};

use perenso_auth::clock::{Clock, ManualClock, Now, Sleep};
use tokio::sync::Notify;

/// The deadline of a token request: what is shorter is a pause, what is longer never ends.
pub const DEADLINE: Duration = Duration::from_secs(5);

/// Clones share their time.
#[derive(Clone, Debug, Default)]
pub struct Hasty {
    time: ManualClock,
    silence: Arc<Notify>,
    pauses: Arc<Mutex<Vec<Duration>>>,
}

impl Hasty {
    pub fn advance(&self, duration: Duration) {
        self.time.advance(duration);
    }

    /// The deadline that somebody waits for, or is about to, passes.
    pub fn deadline_passes(&self) {
        self.silence.notify_one();
    }

    /// The pauses that were made since this was last asked.
    pub fn pauses(&self) -> Vec<Duration> {
        std::mem::take(&mut self.pauses.lock().unwrap())
    }
}

impl Clock for Hasty {
    fn monotonic(&self) -> Instant {
        self.time.monotonic()
    }

    fn wall(&self) -> SystemTime {
        self.time.wall()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        let clock = self.clone();
        Box::pin(async move {
            if duration > DEADLINE {
                return std::future::pending().await;
            }
            if duration == DEADLINE {
                clock.silence.notified().await;
            } else {
                clock.pauses.lock().unwrap().push(duration);
            }
            clock.advance(duration);
        })
    }

    fn now(&self) -> Now {
        self.time.now()
    }
}
