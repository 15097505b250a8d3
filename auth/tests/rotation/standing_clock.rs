//! A clock that moves when told, for what waits by the clock of the machine.

use std::time::{Duration, Instant, SystemTime};

use perenso_auth::clock::{Clock, ManualClock, Now, Sleep};

/// Clocks that move when told. To sleep takes as long as it takes.
#[derive(Clone, Debug, Default)]
pub struct StandingClock(pub ManualClock);

impl Clock for StandingClock {
    fn monotonic(&self) -> Instant {
        self.0.monotonic()
    }

    fn wall(&self) -> SystemTime {
        self.0.wall()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        Box::pin(tokio::time::sleep(duration))
    }

    fn now(&self) -> Now {
        self.0.now()
    }
}
