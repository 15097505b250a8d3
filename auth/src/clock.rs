//! The clock of a client: a monotonic clock, a wall clock and sleep.
//!
//! Both clocks are read. A monotonic clock may stop while a laptop sleeps, and a wall clock may be set back. A token
//! expires as soon as *either* of them says so.

use std::{
    fmt::Debug,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant, SystemTime},
};

/// The future of [`Clock::sleep`].
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// One reading of both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Now {
    /// The monotonic clock, which is never set back.
    pub monotonic: Instant,
    /// The wall clock.
    pub wall: SystemTime,
}

impl Now {
    /// Creates a reading of both clocks.
    #[must_use]
    pub const fn new(monotonic: Instant, wall: SystemTime) -> Self {
        Self { monotonic, wall }
    }

    /// Adds a duration on both clocks. A clock that would overflow is left unchanged.
    #[must_use]
    pub(crate) fn plus(self, distance: Duration) -> Self {
        Self {
            monotonic: self.monotonic.checked_add(distance).unwrap_or(self.monotonic),
            wall: self.wall.checked_add(distance).unwrap_or(self.wall),
        }
    }

    /// Returns the time since `earlier`, on the clock that shows more.
    #[must_use]
    pub(crate) fn since(self, earlier: Self) -> Duration {
        let on_the_wall = self.wall.duration_since(earlier.wall).unwrap_or_default();
        self.monotonic.saturating_duration_since(earlier.monotonic).max(on_the_wall)
    }

    /// Returns the time until `end`, on the clock that shows less. It is zero once either clock has reached `end`.
    #[must_use]
    pub(crate) fn until(self, end: Self) -> Duration {
        let on_the_wall = end.wall.duration_since(self.wall).unwrap_or_default();
        end.monotonic.saturating_duration_since(self.monotonic).min(on_the_wall)
    }

    /// Returns true if either clock has reached `mark`.
    #[must_use]
    pub(crate) fn reached(self, mark: Self) -> bool {
        self.monotonic >= mark.monotonic || self.wall >= mark.wall
    }
}

/// The source of time: [`SystemClock`], or in tests a `ManualClock` (feature `test-util`).
pub trait Clock: Debug + Send + Sync + 'static {
    /// Reads the monotonic clock, which is never set back.
    fn monotonic(&self) -> Instant;

    /// Reads the wall clock.
    fn wall(&self) -> SystemTime;

    /// Completes after `duration` on the monotonic clock.
    fn sleep(&self, duration: Duration) -> Sleep;

    /// Reads both clocks at once.
    fn now(&self) -> Now {
        Now::new(self.monotonic(), self.wall())
    }
}

/// The clocks of the operating system, and tokio's timer.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SystemClock;

impl Clock for SystemClock {
    fn monotonic(&self) -> Instant {
        Instant::now()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// Returns the output of `future`, or `None` if it takes longer than `limit`.
pub(crate) fn within<F: Future>(clock: &dyn Clock, limit: Duration, future: F) -> Within<'_, F> {
    Within { future, timer: None, clock, limit }
}

pin_project_lite::pin_project! {
    /// The future of [`within`].
    // Not an async function, which would store the future twice.
    pub(crate) struct Within<'a, F> {
        #[pin]
        future: F,
        timer: Option<Sleep>,
        clock: &'a dyn Clock,
        limit: Duration,
    }
}

impl<F: Future> Future for Within<'_, F> {
    type Output = Option<F::Output>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Poll::Ready(output) = this.future.poll(context) {
            return Poll::Ready(Some(output));
        }
        // A future that is ready at once needs no timer.
        let timer = this.timer.get_or_insert_with(|| this.clock.sleep(*this.limit));
        timer.as_mut().poll(context).map(|()| None)
    }
}

/// A duration in whole milliseconds.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(any(test, feature = "test-util"))]
pub use manual::ManualClock;

#[cfg(any(test, feature = "test-util"))]
mod manual {
    use std::sync::{Arc, Mutex, PoisonError};

    use tokio::sync::oneshot;

    use super::{Clock, Duration, Instant, Now, Sleep, SystemTime};

    /// A clock that a test advances. Clones share their time.
    ///
    /// ```
    /// use std::time::Duration;
    /// use perenso_auth::clock::{Clock, ManualClock};
    ///
    /// let clock = ManualClock::default();
    /// let before = clock.monotonic();
    /// clock.advance(Duration::from_secs(240));
    /// assert_eq!(clock.monotonic() - before, Duration::from_secs(240));
    /// ```
    #[derive(Clone, Debug)]
    pub struct ManualClock {
        state: Arc<Mutex<State>>,
    }

    #[derive(Debug)]
    struct State {
        now: Now,
        sleepers: Vec<(Instant, oneshot::Sender<()>)>,
    }

    impl Default for ManualClock {
        /// Creates a clock whose wall clock shows 2026-01-01T00:00:00Z.
        fn default() -> Self {
            let now = Now::new(Instant::now(), SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600));
            Self { state: Arc::new(Mutex::new(State { now, sleepers: Vec::new() })) }
        }
    }

    impl ManualClock {
        /// Advances both clocks and wakes the sleepers that are due.
        pub fn advance(&self, duration: Duration) {
            self.with(|state| {
                state.now = state.now.plus(duration);
                let now = state.now.monotonic;
                for (until, wake) in std::mem::take(&mut state.sleepers) {
                    if until > now {
                        state.sleepers.push((until, wake));
                    } else {
                        // Fails if the sleeper was dropped.
                        let _ = wake.send(());
                    }
                }
            });
        }

        /// Advances only the wall clock, as after a suspend.
        pub fn step_wall_forward(&self, duration: Duration) {
            self.with(|state| state.now.wall += duration);
        }

        /// Sets back only the wall clock, as a correction does.
        pub fn step_wall_back(&self, duration: Duration) {
            self.with(|state| state.now.wall -= duration);
        }

        /// Returns the remaining time of each sleeper that was not dropped.
        #[must_use]
        pub fn sleepers(&self) -> Vec<Duration> {
            self.with(|state| {
                state.sleepers.retain(|(_, wake)| !wake.is_closed());
                state.sleepers.iter().map(|(until, _)| until.saturating_duration_since(state.now.monotonic)).collect()
            })
        }

        fn with<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
            change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
        }
    }

    impl Clock for ManualClock {
        fn monotonic(&self) -> Instant {
            self.with(|state| state.now.monotonic)
        }

        fn wall(&self) -> SystemTime {
            self.with(|state| state.now.wall)
        }

        fn sleep(&self, duration: Duration) -> Sleep {
            let (wake, woken) = oneshot::channel();
            self.with(|state| {
                if duration.is_zero() {
                    let _ = wake.send(());
                } else {
                    state.sleepers.push((state.now.plus(duration).monotonic, wake));
                }
            });
            Box::pin(async move {
                // The clock, which owns the sender, was dropped: nobody can advance it any more.
                if woken.await.is_err() {
                    std::future::pending::<()>().await;
                }
            })
        }

        fn now(&self) -> Now {
            self.with(|state| state.now)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_that_reaches_the_end_first_decides() {
        let clock = ManualClock::default();
        let end = clock.now().plus(Duration::from_secs(300));
        clock.step_wall_forward(Duration::from_secs(299));
        assert!(!clock.now().reached(end));
        assert_eq!(clock.now().until(end), Duration::from_secs(1));
        clock.step_wall_forward(Duration::from_secs(1));
        assert!(clock.now().reached(end));
        clock.step_wall_back(Duration::from_secs(100_000));
        assert!(!clock.now().reached(end));
        clock.advance(Duration::from_secs(300));
        assert!(clock.now().reached(end));
    }

    #[tokio::test]
    async fn a_sleeper_wakes_after_its_duration() {
        let clock = ManualClock::default();
        let slept = within(&clock, Duration::from_secs(5), std::future::pending::<()>());
        let (outcome, ()) = tokio::join!(slept, async {
            assert_eq!(clock.sleepers(), [Duration::from_secs(5)]);
            clock.advance(Duration::from_secs(5));
        });
        assert!(outcome.is_none());
    }
}
