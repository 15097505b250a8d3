//! The rate budget of calls, by `governor` or shared over Redis, and the cooldown of all calls after a 429.

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
use crate::pipeline::shared_budget::{PermitResponse, SharedBudget};
use crate::{
    clock::{Clock, within},
    per_runtime::PerRuntime,
    profile::Rate,
};

/// The clock of governor: the time since the budget was created.
#[derive(Clone, Debug)]
struct BudgetClock {
    inner: Arc<dyn Clock>,
    origin: Instant,
}

impl governor::clock::Clock for BudgetClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.inner.monotonic().saturating_duration_since(self.origin)
    }
}

type LocalLimiter = RateLimiter<NotKeyed, InMemoryState, BudgetClock, NoOpMiddleware<Duration>>;

/// The limiter of a budget.
enum Limiter {
    Unlimited,
    Local(Box<LocalLimiter>),
    #[cfg(feature = "redis")]
    Shared {
        budget: SharedBudget,
        rate: Rate,
        /// Set once the credentials are known. No call is sent before that.
        name: std::sync::OnceLock<String>,
    },
}

/// There was no permit within the timeout.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Exhausted {
    /// The rest of the cooldown that the server asked for, if that is the reason.
    pub(crate) cooldown: Option<Duration>,
    /// The time waited.
    pub(crate) waited: Duration,
}

/// Grants permits for calls in the order in which they were requested.
pub(crate) struct Budget {
    limiter: Limiter,
    clock: BudgetClock,
    /// One queue for each runtime, so that a caller on a runtime that is not driven does not block the others.
    queue: PerRuntime<Arc<tokio::sync::Mutex<()>>>,
    /// The time of the clock, in nanoseconds, before which no permit is granted.
    cooldown_until: AtomicU64,
}

impl Budget {
    pub(crate) fn new(rate: Option<Rate>, clock: Arc<dyn Clock>) -> Self {
        let clock = BudgetClock { origin: clock.monotonic(), inner: clock };
        let limiter = rate.and_then(|rate| {
            let quota = Quota::with_period(rate.period / rate.calls.get())?.allow_burst(rate.burst);
            Some(Limiter::Local(Box::new(RateLimiter::direct_with_clock(quota, clock.clone()))))
        });
        let limiter = limiter.unwrap_or(Limiter::Unlimited);
        Self { limiter, clock, queue: PerRuntime::new(), cooldown_until: AtomicU64::new(0) }
    }

    /// Creates a budget that is shared over Redis.
    #[cfg(feature = "redis")]
    pub(crate) fn shared(rate: Option<Rate>, budget: SharedBudget, clock: Arc<dyn Clock>) -> Self {
        let mut own = Self::new(None, clock);
        if let Some(rate) = rate {
            own.limiter = Limiter::Shared { budget, rate, name: std::sync::OnceLock::new() };
        }
        own
    }

    /// Sets the name of a shared budget unless it is set.
    #[cfg(feature = "redis")]
    pub(crate) fn set_name(&self, who: impl FnOnce(&SharedBudget) -> String) {
        if let Limiter::Shared { budget, name, .. } = &self.limiter {
            name.get_or_init(|| who(budget));
        }
    }

    /// Returns true if the budget is shared and has no name yet.
    #[cfg(feature = "redis")]
    pub(crate) fn needs_name(&self) -> bool {
        matches!(&self.limiter, Limiter::Shared { name, .. } if name.get().is_none())
    }

    /// Takes a permit if there is one and nobody waits.
    pub(crate) fn try_permit(&self) -> bool {
        if self.cooldown_left().is_some() {
            return false;
        }
        match &self.limiter {
            Limiter::Unlimited => true,
            Limiter::Local(limiter) => {
                // Another caller that holds the queue comes first.
                let queue = self.queue.get(Arc::default);
                queue.try_lock().is_ok_and(|_turn| limiter.check().is_ok())
            }
            #[cfg(feature = "redis")]
            Limiter::Shared { .. } => false,
        }
    }

    /// Waits for a permit, for at most `limit`. Returns the time waited.
    pub(crate) async fn permit(&self, limit: Duration) -> Result<Duration, Exhausted> {
        // One caller at a time, in order: concurrent callers would wake together and compete.
        let queue = self.queue.get(Arc::default);
        let start = self.clock.now();
        let permit = async {
            let _turn = queue.lock().await;
            while let Some(wait) = self.wait().await {
                if self.clock.now().saturating_sub(start) + wait > limit {
                    return Err(self.exhausted(start));
                }
                self.clock.inner.sleep(wait).await;
            }
            Ok(self.clock.now().saturating_sub(start))
        };
        within(self.clock.inner.as_ref(), limit, permit).await.unwrap_or_else(|| Err(self.exhausted(start)))
    }

    /// Grants no permit for this time, as the server asked after a 429.
    pub(crate) async fn cool_down(&self, duration: Duration) {
        self.cool_down_locally(duration);
        #[cfg(feature = "redis")]
        if let Limiter::Shared { budget, name, .. } = &self.limiter
            && let Some(name) = name.get()
        {
            budget.cool_down(name, duration).await;
        }
    }

    fn cool_down_locally(&self, duration: Duration) {
        let until = self.clock.now().saturating_add(duration).as_nanos();
        self.cooldown_until.fetch_max(u64::try_from(until).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// The rest of the cooldown.
    fn cooldown_left(&self) -> Option<Duration> {
        let until = self.cooldown_until.load(Ordering::Relaxed);
        // The clock is read only after a first cooldown.
        let left = (until > 0).then(|| Duration::from_nanos(until).saturating_sub(self.clock.now()))?;
        (!left.is_zero()).then_some(left)
    }

    fn exhausted(&self, start: Duration) -> Exhausted {
        Exhausted { cooldown: self.cooldown_left(), waited: self.clock.now().saturating_sub(start) }
    }

    /// Tries to take a permit. Returns the time to wait before the next try, or `None` if a permit was taken.
    async fn wait(&self) -> Option<Duration> {
        if let Some(left) = self.cooldown_left() {
            return Some(left);
        }
        match &self.limiter {
            Limiter::Unlimited => None,
            Limiter::Local(limiter) => {
                let not_until = limiter.check().err()?;
                Some(not_until.wait_time_from(self.clock.now()).max(Duration::from_millis(1)))
            }
            #[cfg(feature = "redis")]
            Limiter::Shared { budget, rate, name } => {
                match budget.take_permit(*rate, name.get()?, self.clock.inner.as_ref()).await {
                    PermitResponse::Granted => None,
                    PermitResponse::Wait(wait) => Some(wait),
                    PermitResponse::Cooldown(left) => {
                        self.cool_down_locally(left);
                        Some(left)
                    }
                }
            }
        }
    }
}

impl std::fmt::Debug for Budget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Budget").field("limited", &!matches!(self.limiter, Limiter::Unlimited)).finish_non_exhaustive()
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

    /// Rates whose burst overflows the nanoseconds of the limiter, and one that would not limit anything.
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
                assert!(matches!(budget.limiter, Limiter::Local(_)));
                assert_eq!(budget.wait().now_or_never(), Some(None));
                let _ = budget.wait().now_or_never();
            }
        }
    }

    #[tokio::test]
    async fn no_minute_sees_more_than_the_rate_and_a_burst() {
        let (clock, budget) = budget();
        let mut taken = Vec::new();
        // Two minutes in steps of 100 ms, taking every permit as soon as it is available.
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
    async fn a_cooldown_holds_all_callers() {
        let (clock, budget) = budget();
        budget.cool_down(Duration::from_secs(7)).await;
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
        budget.cool_down(Duration::from_secs(7)).await;
        let cooldown = Some(Duration::from_secs(7));
        assert_eq!(budget.permit(Duration::from_secs(6)).await, Err(Exhausted { cooldown, waited: Duration::ZERO }));
    }

    #[tokio::test]
    async fn a_caller_that_stops_waiting_leaves_the_queue() {
        let (clock, budget) = budget();
        budget.cool_down(Duration::from_secs(3)).await;
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
    async fn a_shorter_cooldown_does_not_end_a_longer_one() {
        let budget = Budget::new(None, Arc::new(ManualClock::default()));
        budget.cool_down(Duration::from_secs(7)).await;
        budget.cool_down(Duration::from_secs(1)).await;
        assert_eq!(budget.wait().await, Some(Duration::from_secs(7)));
    }

    #[tokio::test]
    async fn permits_are_granted_in_order() {
        let clock = ManualClock::default();
        let budget = Budget::new(Some(Rate::new(1, Duration::from_secs(1), 1)), Arc::new(clock.clone()));
        assert_eq!(budget.permit(Duration::ZERO).await, Ok(Duration::ZERO));
        let mut first = Box::pin(budget.permit(MINUTE));
        assert!(first.as_mut().now_or_never().is_none());
        clock.advance(Duration::from_secs(1));
        let mut second = Box::pin(budget.permit(MINUTE));
        assert!(second.as_mut().now_or_never().is_none(), "it took the permit that the first had waited for");
        assert_eq!(first.now_or_never(), Some(Ok(Duration::from_secs(1))));
    }

    #[tokio::test]
    async fn the_timeout_also_applies_in_the_queue() {
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
