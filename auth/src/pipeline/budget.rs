//! The rate budget: how many calls may leave, with `governor` or shared over Redis; and the pause that a 429 puts on all of
//! them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use governor::{
    Quota, RateLimiter,
    clock::Clock as _,
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};

#[cfg(feature = "redis")]
use crate::pipeline::shared_budget::{SharedBudget, Take};
use crate::{
    clock::{Clock, within},
    per_runtime::PerRuntime,
    profile::Rate,
};

/// The clock of the budget, as governor wants it: time since the budget was made.
#[derive(Clone, Debug)]
struct Beat {
    clock: Arc<dyn Clock>,
    origin: Instant,
}

impl governor::clock::Clock for Beat {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.clock.monotonic().saturating_duration_since(self.origin)
    }
}

type AloneLimiter = RateLimiter<NotKeyed, InMemoryState, Beat, NoOpMiddleware<Duration>>;

/// Who counts.
enum Limiter {
    Nobody,
    Alone(Box<AloneLimiter>),
    #[cfg(feature = "redis")]
    Shared {
        budget: SharedBudget,
        rate: Rate,
        /// Known as soon as the credentials are: before that, no call can leave anyway.
        name: std::sync::OnceLock<String>,
    },
}

/// No permit came within the time that was given.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Exhausted {
    /// What is left of a pause that the server asked for, if that is why.
    pub(crate) pause: Option<Duration>,
    /// How long it was waited for.
    pub(crate) waited: Duration,
}

/// Permits for calls, handed out in the order in which they were asked for.
pub(crate) struct Budget {
    limiter: Limiter,
    beat: Beat,
    /// One queue a runtime: a caller in a runtime that nobody drives holds up no other.
    queue: PerRuntime<Arc<tokio::sync::Mutex<()>>>,
    /// Nanoseconds of the beat before which nothing leaves.
    paused_until: AtomicU64,
}

impl Budget {
    pub(crate) fn new(rate: Option<Rate>, clock: Arc<dyn Clock>) -> Self {
        let beat = Beat { origin: clock.monotonic(), clock };
        let limiter = rate.and_then(|rate| {
            let quota = Quota::with_period(rate.period / rate.calls.get())?.allow_burst(rate.burst);
            Some(Limiter::Alone(Box::new(RateLimiter::direct_with_clock(quota, beat.clone()))))
        });
        let limiter = limiter.unwrap_or(Limiter::Nobody);
        Self { limiter, beat, queue: PerRuntime::new(), paused_until: AtomicU64::new(0) }
    }

    /// A budget that others draw on as well.
    #[cfg(feature = "redis")]
    pub(crate) fn shared(rate: Option<Rate>, budget: SharedBudget, clock: Arc<dyn Clock>) -> Self {
        let mut own = Self::new(None, clock);
        if let Some(rate) = rate {
            own.limiter = Limiter::Shared { budget, rate, name: std::sync::OnceLock::new() };
        }
        own
    }

    /// Tells a shared budget who draws on it, unless it knows.
    #[cfg(feature = "redis")]
    pub(crate) fn introduce(&self, who: impl FnOnce(&SharedBudget) -> String) {
        if let Limiter::Shared { budget, name, .. } = &self.limiter {
            name.get_or_init(|| who(budget));
        }
    }

    /// Whether a shared budget does not know yet who draws on it.
    #[cfg(feature = "redis")]
    pub(crate) fn is_nameless(&self) -> bool {
        matches!(&self.limiter, Limiter::Shared { name, .. } if name.get().is_none())
    }

    /// Waits for a permit, at most for `limit`; answers how long it took.
    pub(crate) async fn permit(&self, limit: Duration) -> Result<Duration, Exhausted> {
        // One at a time, first come first served: a crowd that wakes together would trample on itself.
        let queue = self.queue.get(Arc::default);
        let queued = queue.try_lock();
        // Redis may take its time: that counts.
        if queued.is_ok() && self.is_at_hand() && self.wait().await.is_none() {
            return Ok(Duration::ZERO);
        }
        let start = self.beat.now();
        let permit = async {
            let _turn = match queued {
                Ok(turn) => turn,
                Err(_) => queue.lock().await,
            };
            while let Some(wait) = self.wait().await {
                if self.beat.now().saturating_sub(start) + wait > limit {
                    return Err(self.exhausted(start));
                }
                self.beat.clock.sleep(wait).await;
            }
            Ok(self.beat.now().saturating_sub(start))
        };
        within(self.beat.clock.as_ref(), limit, permit).await.unwrap_or_else(|| Err(self.exhausted(start)))
    }

    /// Nothing leaves for this long: the server said that it has had enough.
    pub(crate) async fn pause(&self, duration: Duration) {
        self.pause_here(duration);
        #[cfg(feature = "redis")]
        if let Limiter::Shared { budget, name, .. } = &self.limiter
            && let Some(name) = name.get()
        {
            budget.pause(name, duration).await;
        }
    }

    fn pause_here(&self, duration: Duration) {
        let until = self.beat.now().saturating_add(duration).as_nanos();
        self.paused_until.fetch_max(u64::try_from(until).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// What is left of the pause.
    fn pause_left(&self) -> Option<Duration> {
        let until = self.paused_until.load(Ordering::Relaxed);
        // The clock is read only while there is, or was, a pause.
        let left = (until > 0).then(|| Duration::from_nanos(until).saturating_sub(self.beat.now()))?;
        (!left.is_zero()).then_some(left)
    }

    /// Whether the permits are counted in this process.
    fn is_at_hand(&self) -> bool {
        match self.limiter {
            Limiter::Nobody | Limiter::Alone(_) => true,
            #[cfg(feature = "redis")]
            Limiter::Shared { .. } => false,
        }
    }

    fn exhausted(&self, start: Duration) -> Exhausted {
        Exhausted { pause: self.pause_left(), waited: self.beat.now().saturating_sub(start) }
    }

    /// How long to wait before asking again; `None` when a permit was taken.
    async fn wait(&self) -> Option<Duration> {
        if let Some(left) = self.pause_left() {
            return Some(left);
        }
        match &self.limiter {
            Limiter::Nobody => None,
            Limiter::Alone(limiter) => {
                let not_until = limiter.check().err()?;
                Some(not_until.wait_time_from(self.beat.now()).max(Duration::from_millis(1)))
            }
            #[cfg(feature = "redis")]
            Limiter::Shared { budget, rate, name } => {
                match budget.take(*rate, name.get()?, self.beat.clock.as_ref()).await {
                    Take::Granted => None,
                    Take::Wait(wait) => Some(wait),
                    Take::Paused(left) => {
                        self.pause_here(left);
                        Some(left)
                    }
                }
            }
        }
    }
}

impl std::fmt::Debug for Budget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Budget").field("limited", &!matches!(self.limiter, Limiter::Nobody)).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::clock::ManualClock;

    const MINUTE: Duration = Duration::from_secs(60);

    fn budget() -> (ManualClock, Budget) {
        let clock = ManualClock::default();
        let budget = Budget::new(Some(Rate::new(250, MINUTE, 50)), Arc::new(clock.clone()));
        (clock, budget)
    }

    /// Rates whose burst overflows the nanoseconds of the limiter, and one that would be no limit at all.
    #[test]
    fn a_rate_that_cannot_be_kept_is_a_build_error() {
        for rate in [
            Rate::new(10, MINUTE, u32::MAX),
            Rate::new(1, MINUTE * 1440, 1_000_000),
            Rate::new(u32::MAX, Duration::from_millis(1), 1),
            Rate::new(1, Duration::MAX, 1),
        ] {
            let client = crate::Client::builder(crate::Profile::perenso())
                .credentials(crate::Credentials::new("SHOWID", "s3cr3t"))
                .rate(rate);
            assert!(client.build().unwrap_err().to_string().contains("cannot be kept"), "{rate:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn every_rate_that_can_be_kept_gives_a_first_permit(
            calls: u32,
            period in proptest::strategy::Strategy::prop_map(0u64..=u64::MAX, Duration::from_nanos),
            burst: u32,
        ) {
            let rate = Rate::new(calls, period, burst);
            if rate.problem().is_none() {
                let budget = Budget::new(Some(rate), Arc::new(ManualClock::default()));
                assert!(matches!(budget.limiter, Limiter::Alone(_)));
                assert_eq!(budget.wait().now_or_never(), Some(None));
                let _ = budget.wait().now_or_never();
            }
        }
    }

    #[tokio::test]
    async fn no_minute_sees_more_than_the_rate_and_a_burst() {
        let (clock, budget) = budget();
        let mut taken = Vec::new();
        // Two minutes in steps of 100 ms, taking whatever is there at once.
        for _ in 0..1200 {
            while budget.wait().await.is_none() {
                taken.push(clock.monotonic());
            }
            clock.advance(Duration::from_millis(100));
        }
        let most =
            taken.iter().map(|from| taken.iter().filter(|at| *at >= from && **at < *from + MINUTE).count()).max();
        assert!(most.is_some_and(|most| (295..=300).contains(&most)), "{most:?}");
        assert_eq!(taken.iter().filter(|at| **at == taken[0]).count(), 50);
    }

    #[tokio::test]
    async fn a_pause_holds_everybody() {
        let (clock, budget) = budget();
        budget.pause(Duration::from_secs(7)).await;
        let (waited, ()) = tokio::join!(budget.permit(MINUTE), async {
            tokio::task::yield_now().await;
            clock.advance(Duration::from_secs(6));
            tokio::task::yield_now().await;
            clock.advance(Duration::from_secs(1));
        });
        assert_eq!(waited, Ok(Duration::from_secs(7)));
    }

    #[tokio::test]
    async fn a_wait_beyond_the_limit_is_refused_at_once() {
        let (_clock, budget) = budget();
        budget.pause(Duration::from_secs(7)).await;
        let pause = Some(Duration::from_secs(7));
        assert_eq!(budget.permit(Duration::from_secs(6)).await, Err(Exhausted { pause, waited: Duration::ZERO }));
    }

    #[tokio::test]
    async fn whoever_gives_up_waiting_leaves_the_place_to_the_next() {
        let (clock, budget) = budget();
        budget.pause(Duration::from_secs(3)).await;
        assert!(Box::pin(budget.permit(MINUTE)).now_or_never().is_none());
        clock.advance(Duration::from_secs(3));
        assert_eq!(budget.permit(MINUTE).await, Ok(Duration::ZERO));
    }

    #[tokio::test]
    async fn without_a_rate_nothing_waits() {
        let budget = Budget::new(None, Arc::new(ManualClock::default()));
        for _ in 0..10_000 {
            assert_eq!(budget.permit(Duration::ZERO).await, Ok(Duration::ZERO));
        }
    }

    #[tokio::test]
    async fn a_shorter_pause_does_not_end_a_longer_one() {
        let budget = Budget::new(None, Arc::new(ManualClock::default()));
        budget.pause(Duration::from_secs(7)).await;
        budget.pause(Duration::from_secs(1)).await;
        assert_eq!(budget.wait().await, Some(Duration::from_secs(7)));
    }

    #[tokio::test]
    async fn nobody_overtakes_the_queue() {
        let clock = ManualClock::default();
        let budget = Budget::new(Some(Rate::new(1, Duration::from_secs(1), 1)), Arc::new(clock.clone()));
        assert_eq!(budget.permit(Duration::ZERO).await, Ok(Duration::ZERO));
        let mut first = Box::pin(budget.permit(MINUTE));
        assert!(first.as_mut().now_or_never().is_none());
        clock.advance(Duration::from_secs(1));
        let mut second = Box::pin(budget.permit(MINUTE));
        assert!(second.as_mut().now_or_never().is_none(), "it took what the first had waited for");
        assert_eq!(first.now_or_never(), Some(Ok(Duration::from_secs(1))));
    }

    #[tokio::test]
    async fn the_limit_holds_in_the_queue_as_well() {
        let clock = ManualClock::default();
        let budget = Budget::new(Some(Rate::new(1, Duration::from_secs(5), 1)), Arc::new(clock.clone()));
        assert_eq!(budget.permit(Duration::ZERO).await, Ok(Duration::ZERO));
        let mut first = Box::pin(budget.permit(MINUTE));
        assert!(first.as_mut().now_or_never().is_none());
        let mut second = Box::pin(budget.permit(Duration::from_secs(2)));
        assert!(second.as_mut().now_or_never().is_none());
        clock.advance(Duration::from_secs(2));
        assert!(matches!(second.now_or_never(), Some(Err(_))));
    }
}
