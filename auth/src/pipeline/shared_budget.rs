//! A rate budget that a fleet shares over Redis, and the share that each process has of it while Redis is away.
//!
//! In any window of the period, at most `calls` and one `burst` are granted, whatever becomes of Redis:
//! - A budget that Redis does not know, or knows from before it was started anew, begins without a burst.
//! - While Redis is away, each process has its part of the rate, without a burst, from the moment at which it noticed.
//! - When Redis is back, nothing is granted before every process must have noticed.
//!
//! What it cannot hold against: more processes than were named, a Redis whose clock jumps ahead, and a process that alone
//! cannot reach Redis; that one sends its share on top of what the others send.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::{
    clock::Clock,
    profile::Rate,
    secret::Secret,
    store::{RedisStore, StoreError, identity::Identity, redis::link::Script},
};

#[cfg(test)]
mod tests;

/// The longest wait before Redis is asked again while it is away, and the shortest between any two questions.
const WAITS: (Duration, Duration) = (Duration::from_millis(1), Duration::from_secs(1));

/// The longest pause that is shared.
const LONGEST_PAUSE: Duration = Duration::from_secs(86_400);

/// The rate of a fleet: what its processes send together stays within the rate of one client.
///
/// Make one for each process and clone it: clients with the same key then share the process's part as well.
///
/// ```no_run
/// use perenso_auth::{Client, Credentials, Profile, SharedBudget, store::RedisStore};
///
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let redis = RedisStore::new("rediss://cache.example:6379")?;
/// let client = Client::builder(Profile::perenso())
///     .credentials(Credentials::new("SHOWID", "API_SECRET"))
///     .store(redis.clone())
///     .shared_budget(SharedBudget::over(&redis, 6)) // six replicas
///     .build()?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct SharedBudget {
    store: RedisStore,
    replicas: u32,
    key: BudgetKey,
    settle: Duration,
    alone: Arc<Mutex<Alone>>,
}

/// Who shares a budget.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BudgetKey {
    /// All who call one API address with one client id: what Perenso calls a show.
    #[default]
    Show,
    /// All who also share their tokens: the same grant, scope, user and tenant.
    Client,
    /// All who name it so.
    Custom(String),
}

/// What came of asking for a permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Take {
    /// One call may leave.
    Granted,
    /// None is free: ask again after this.
    Wait(Duration),
    /// The server has had enough of the whole fleet for so long.
    Paused(Duration),
}

/// What a process does by itself.
#[derive(Debug, Default)]
struct Alone {
    is_alone: bool,
    shares: HashMap<String, Share>,
}

/// The part of one budget that a process may use by itself.
#[derive(Clone, Copy, Debug)]
struct Share {
    next: Instant,
    /// When it was last asked for.
    used: Instant,
}

/// A generic cell rate algorithm on the clock of Redis, in microseconds. What is kept is the moment at which the bucket
/// will be full, with the name that Redis gives to itself at each start.
///
/// Budget, pause, hold; time between two calls, burst, milliseconds until everybody has noticed that Redis is back, and
/// whether the caller was alone a moment ago. Answers 0 for a permit, 1 or 2 for a wait, and its length.
const TAKE: Script = Script(
    "local paused = redis.call('PTTL', KEYS[2])
     if paused > 0 then return {2, paused * 1000} end
     local server = redis.call('INFO', 'server')
     local run = string.match(server, 'run_id:(%w+)') or 'unnamed'
     local up = tonumber(string.match(server, 'uptime_in_seconds:(%d+)')) or math.huge
     local settle = tonumber(ARGV[3])
     -- Whole seconds, read from two roundings: one second may not have passed.
     local hold = ARGV[4] == '1' and settle or settle - (up - 1) * 1000
     if hold > 0 then redis.call('SET', KEYS[3], run, 'PX', hold, 'NX') end
     local held = redis.call('PTTL', KEYS[3])
     if held > 0 then return {1, held * 1000} end
     local time = redis.call('TIME')
     local now = time[1] * 1000000 + time[2]
     local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
     -- Later than that it never is, but for a clock that was set back.
     local empty = now + burst * interval
     local full = empty
     local of, at = string.match(redis.call('GET', KEYS[1]) or '', '^(%S+) (%d+)$')
     if of == run then full = math.min(tonumber(at), empty) end
     local wait = full - (burst - 1) * interval - now
     if wait <= 0 then full = math.max(full, now) + interval end
     local term = 86400000 + math.ceil((full - now) / 1000)
     redis.call('SET', KEYS[1], string.format('%s %.0f', run, full), 'PX', string.format('%.0f', term))
     if wait <= 0 then return {0, 0} end
     return {1, math.ceil(wait)}",
);

/// Pause; milliseconds. A pause is never shortened.
const PAUSE: Script = Script(
    "if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], '1', 'PX', ARGV[1]) end
     return 1",
);

impl SharedBudget {
    /// A budget over the Redis of this store, for a fleet of so many processes; a zero counts as one.
    ///
    /// The number matters only while Redis is away: each process then has that part of the rate. Name the most that ever
    /// run at once.
    #[must_use]
    pub fn over(store: &RedisStore, replicas: u32) -> Self {
        let settle = store.link().0.delay();
        let store = store.clone();
        Self { store, replicas: replicas.max(1), key: BudgetKey::default(), settle, alone: Arc::default() }
    }

    /// Who shares it: a [show](BudgetKey::Show) unless set.
    #[must_use]
    pub fn key(mut self, key: BudgetKey) -> Self {
        self.key = key;
        self
    }

    /// The name of the budget that a client of this identity takes its permits from.
    pub(crate) fn name(&self, api_url: &str, identity: &Identity) -> String {
        let nothing = || Secret::from("");
        match &self.key {
            BudgetKey::Show => Identity::new(["show", api_url], identity.client_id(), nothing()).key().to_owned(),
            BudgetKey::Client => identity.key().to_owned(),
            BudgetKey::Custom(name) => Identity::new(["custom"], name.as_str(), nothing()).key().to_owned(),
        }
    }

    /// Asks for a permit of the budget of this name.
    pub(crate) async fn take(&self, rate: Rate, name: &str, clock: &dyn Clock) -> Take {
        let interval = interval(rate);
        let was_alone = self.was_alone(name, clock.monotonic());
        let [budget, pause, hold] = self.places(name, ["budget", "pause", "hold"]);
        let arguments = [
            interval.as_micros().to_string(),
            rate.burst.to_string(),
            self.settle.as_millis().to_string(),
            u8::from(was_alone).to_string(),
        ];
        let arguments = arguments.each_ref().map(|argument| argument.as_bytes());
        let (link, _) = self.store.link();
        match link.run::<(u8, u64)>(TAKE, &[&budget, &pause, &hold], &arguments).await {
            Ok((answer, micros)) => {
                self.found(name);
                let wait = Duration::from_micros(micros).max(WAITS.0);
                match answer {
                    0 => Take::Granted,
                    1 => Take::Wait(wait),
                    _ => Take::Paused(wait),
                }
            }
            Err(error) => self.take_alone(interval.saturating_mul(self.replicas), name, clock.monotonic(), &error),
        }
    }

    /// Nobody of the fleet sends anything for so long; a day at most.
    pub(crate) async fn pause(&self, name: &str, duration: Duration) {
        let millis = duration.min(LONGEST_PAUSE).as_millis().max(1).to_string();
        let [pause] = self.places(name, ["pause"]);
        if let Err(error) = self.store.link().0.run::<u8>(PAUSE, &[&pause], &[millis.as_bytes()]).await {
            tracing::debug!(target: "perenso_auth::rate", %error, "a pause of the rate budget is not shared");
        }
    }

    fn places<const N: usize>(&self, name: &str, kinds: [&str; N]) -> [String; N] {
        let (_, prefix) = self.store.link();
        kinds.map(|kind| format!("{prefix}{{{name}}}:{kind}"))
    }

    /// Whether others may still believe that Redis is away, as this process did.
    fn was_alone(&self, name: &str, now: Instant) -> bool {
        let used = self.alone().shares.get(name).map(|share| share.used);
        used.is_some_and(|used| now.saturating_duration_since(used) < self.settle)
    }

    fn found(&self, name: &str) {
        let mut alone = self.alone();
        alone.shares.remove(name);
        if std::mem::take(&mut alone.is_alone) {
            tracing::info!(target: "perenso_auth::rate", store = %self.store.link().0, "the rate budget is shared again");
        }
    }

    fn take_alone(&self, interval: Duration, name: &str, now: Instant, error: &StoreError) -> Take {
        let mut alone = self.alone();
        if !std::mem::replace(&mut alone.is_alone, true) {
            tracing::warn!(
                target: "perenso_auth::rate",
                %error,
                replicas = self.replicas,
                "the rate budget is not shared: each process goes on with its part of the rate"
            );
        }
        let next = now.checked_add(interval).unwrap_or(now);
        let share = alone.shares.entry(name.to_owned()).or_insert(Share { next, used: now });
        share.used = now;
        let wait = share.next.saturating_duration_since(now);
        if !wait.is_zero() {
            return Take::Wait(wait.clamp(WAITS.0, WAITS.1));
        }
        share.next = next;
        Take::Granted
    }

    fn alone(&self) -> MutexGuard<'_, Alone> {
        // Nothing in there is left half done by a panic.
        self.alone.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The time between two calls, in whole microseconds, never too short.
fn interval(rate: Rate) -> Duration {
    let micros = rate.period.as_micros().div_ceil(u128::from(rate.calls.get()));
    Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
}

impl fmt::Debug for SharedBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedBudget")
            .field("store", &self.store)
            .field("replicas", &self.replicas)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}
