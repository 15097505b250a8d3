//! A rate budget that is shared over Redis, and the share of each process while Redis is unavailable.
//!
//! In any window of the period, at most `calls` and one `burst` are granted, also across failures of Redis:
//! - A budget that Redis does not have, or has from before a restart, starts without a burst.
//! - While Redis is unavailable, each process has its share of the rate, without a burst, from when it noticed.
//! - After Redis is back, nothing is granted until every process must have noticed.
//!
//! The limit does not hold with more processes than configured, with a clock of Redis that jumps ahead, or if only some
//! processes cannot reach Redis: they send their shares in addition.

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

/// The minimum time between two requests to Redis, and the maximum while it is unavailable.
const WAITS: (Duration, Duration) = (Duration::from_millis(1), Duration::from_secs(1));

/// The maximum cooldown that is shared.
const MAX_COOLDOWN: Duration = Duration::from_secs(86_400);

/// A rate budget shared over Redis: all processes together stay within the rate of one client.
///
/// Create one in each process and clone it, so that clients with the same key also share the process's share.
///
/// ```no_run
/// use perenso_auth::{Client, Credentials, Profile, SharedBudget, store::RedisStore};
///
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let redis = RedisStore::new("rediss://cache.example:6379")?;
/// let client = Client::builder(Profile::perenso())
///     .credentials(Credentials::new("SHOWID", "API_SECRET"))
///     .store(redis.clone())
///     .shared_budget(SharedBudget::over(&redis, 6)) // six processes
///     .build()?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct SharedBudget {
    store: RedisStore,
    replicas: u32,
    key: BudgetKey,
    rejoin_delay: Duration,
    local: Arc<Mutex<LocalShares>>,
}

/// The clients that share a budget.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BudgetKey {
    /// All clients of one API address and client id, which is one show of Perenso.
    #[default]
    Show,
    /// All clients that share tokens: also the same grant, scope, user and tenant.
    Client,
    /// All clients with this name.
    Custom(String),
}

/// The response to a request for a permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PermitResponse {
    /// One call may be sent.
    Granted,
    /// No permit is free. Ask again after this time.
    Wait(Duration),
    /// All calls wait for this cooldown, which the server asked for.
    Cooldown(Duration),
}

/// The shares of this process while Redis is unavailable.
#[derive(Debug, Default)]
struct LocalShares {
    is_redis_away: bool,
    shares: HashMap<String, Share>,
}

/// The share of one budget that this process may use by itself.
#[derive(Clone, Copy, Debug)]
struct Share {
    next: Instant,
    /// The last request for it.
    used: Instant,
}

/// A generic cell rate algorithm on the clock of Redis, in microseconds. It stores the time at which the bucket is full, with
/// the `run_id` of Redis.
///
/// Keys: budget, cooldown, hold. Arguments: time between two calls, burst, milliseconds until every process has noticed that
/// Redis is back, and 1 if Redis was unavailable to the caller recently. Returns 0 for a permit, 1 or 2 for a wait, and its
/// length.
const TAKE: Script = Script(
    "local cooldown = redis.call('PTTL', KEYS[2])
     if cooldown > 0 then return {2, cooldown * 1000} end
     local server = redis.call('INFO', 'server')
     local run = string.match(server, 'run_id:(%w+)') or 'unnamed'
     local up = tonumber(string.match(server, 'uptime_in_seconds:(%d+)')) or math.huge
     local rejoin_delay = tonumber(ARGV[3])
     -- The uptime is in whole seconds, rounded twice, so it may be a second too high.
     local hold = ARGV[4] == '1' and rejoin_delay or rejoin_delay - (up - 1) * 1000
     if hold > 0 then redis.call('SET', KEYS[3], run, 'PX', hold, 'NX') end
     local held = redis.call('PTTL', KEYS[3])
     if held > 0 then return {1, held * 1000} end
     local time = redis.call('TIME')
     local now = time[1] * 1000000 + time[2]
     local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
     -- The stored time is later only if the clock was set back.
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

/// Key: cooldown. Argument: milliseconds. A cooldown is never shortened.
const COOL_DOWN: Script = Script(
    "if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], '1', 'PX', ARGV[1]) end
     return 1",
);

impl SharedBudget {
    /// Creates a budget over the Redis of this store, for this many processes. Zero counts as one.
    ///
    /// The number matters only while Redis is unavailable: each process then has that share of the rate. Set it to the
    /// maximum number of processes that run at once.
    #[must_use]
    pub fn over(store: &RedisStore, replicas: u32) -> Self {
        let rejoin_delay = store.link().0.delay();
        let store = store.clone();
        Self { store, replicas: replicas.max(1), key: BudgetKey::default(), rejoin_delay, local: Arc::default() }
    }

    /// Sets the clients that share it. Defaults to [`BudgetKey::Show`].
    #[must_use]
    pub fn key(mut self, key: BudgetKey) -> Self {
        self.key = key;
        self
    }

    /// The name of the budget of a client with this identity.
    pub(crate) fn name(&self, api_url: &str, identity: &Identity) -> String {
        let nothing = || Secret::from("");
        match &self.key {
            BudgetKey::Show => Identity::new(["show", api_url], identity.client_id(), nothing()).key().to_owned(),
            BudgetKey::Client => identity.key().to_owned(),
            BudgetKey::Custom(name) => Identity::new(["custom"], name.as_str(), nothing()).key().to_owned(),
        }
    }

    /// Takes a permit from the budget of this name.
    pub(crate) async fn take_permit(&self, rate: Rate, name: &str, clock: &dyn Clock) -> PermitResponse {
        let interval = interval(rate);
        let was_redis_away = self.was_redis_away(name, clock.monotonic());
        let [budget, cooldown, hold] = self.keys(name, ["budget", "pause", "hold"]);
        let arguments = [
            interval.as_micros().to_string(),
            rate.burst.to_string(),
            self.rejoin_delay.as_millis().to_string(),
            u8::from(was_redis_away).to_string(),
        ];
        let arguments = arguments.each_ref().map(|argument| argument.as_bytes());
        let (link, _) = self.store.link();
        match link.run::<(u8, u64)>(TAKE, &[&budget, &cooldown, &hold], &arguments).await {
            Ok((code, micros)) => {
                self.redis_is_back(name);
                let wait = Duration::from_micros(micros).max(WAITS.0);
                match code {
                    0 => PermitResponse::Granted,
                    1 => PermitResponse::Wait(wait),
                    _ => PermitResponse::Cooldown(wait),
                }
            }
            Err(error) => self.take_locally(interval.saturating_mul(self.replicas), name, clock.monotonic(), &error),
        }
    }

    /// Grants no permit to any process for this time, at most a day.
    pub(crate) async fn cool_down(&self, name: &str, duration: Duration) {
        let millis = duration.min(MAX_COOLDOWN).as_millis().max(1).to_string();
        let [cooldown] = self.keys(name, ["pause"]);
        if let Err(error) = self.store.link().0.run::<u8>(COOL_DOWN, &[&cooldown], &[millis.as_bytes()]).await {
            tracing::debug!(target: "perenso_auth::rate", %error, "the cooldown of the rate budget could not be shared");
        }
    }

    fn keys<const N: usize>(&self, name: &str, kinds: [&str; N]) -> [String; N] {
        let (_, prefix) = self.store.link();
        kinds.map(|kind| format!("{prefix}{{{name}}}:{kind}"))
    }

    /// Returns true if Redis was unavailable so recently that other processes may not have noticed that it is back.
    fn was_redis_away(&self, name: &str, now: Instant) -> bool {
        let used = self.local().shares.get(name).map(|share| share.used);
        used.is_some_and(|used| now.saturating_duration_since(used) < self.rejoin_delay)
    }

    fn redis_is_back(&self, name: &str) {
        let mut local = self.local();
        local.shares.remove(name);
        if std::mem::take(&mut local.is_redis_away) {
            tracing::info!(target: "perenso_auth::rate", store = %self.store.link().0, "the rate budget is shared again");
        }
    }

    fn take_locally(&self, interval: Duration, name: &str, now: Instant, error: &StoreError) -> PermitResponse {
        let mut local = self.local();
        if !std::mem::replace(&mut local.is_redis_away, true) {
            tracing::warn!(
                target: "perenso_auth::rate",
                %error,
                replicas = self.replicas,
                "the rate budget is not shared: each process continues with its share of the rate"
            );
        }
        let next = now.checked_add(interval).unwrap_or(now);
        let share = local.shares.entry(name.to_owned()).or_insert(Share { next, used: now });
        share.used = now;
        let wait = share.next.saturating_duration_since(now);
        if !wait.is_zero() {
            return PermitResponse::Wait(wait.clamp(WAITS.0, WAITS.1));
        }
        share.next = next;
        PermitResponse::Granted
    }

    fn local(&self) -> MutexGuard<'_, LocalShares> {
        // No panic leaves the shares inconsistent.
        self.local.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The time between two calls in whole microseconds, rounded up.
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
