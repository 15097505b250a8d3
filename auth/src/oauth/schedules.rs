//! Tests of the cache under random schedules: the same file, compiled again with the scheduler of `shuttle`.
//!
//! `SCHEDULES` sets the number of schedules of each scenario. A failure prints its seed. To repeat it:
//! `SHUTTLE_RANDOM_SEED=… cargo test -p perenso-auth --lib <name>`.

use std::{
    collections::{HashMap, HashSet},
    future::Future,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use futures_util::future::{join_all, select};
use shuttle::{
    future::{block_on, spawn, yield_now},
    rand::{Rng, thread_rng},
};

use self::{
    cache::Cache,
    token_source::{ScriptedOutcome, Server, TokenSource},
};
use crate::{
    clock::{Clock, ManualClock, Now},
    oauth::{
        fault::Fault,
        token::{Timeline, Token, without_scheme},
    },
};

// Compiled twice, so that the cache itself has no code for tests.
#[allow(clippy::duplicate_mod, dead_code)]
#[path = "cache.rs"]
mod cache;
mod sync;
mod token_source;

const NO_MINIMUM: Duration = Duration::ZERO;
/// A limit for exchanges that no scenario reaches.
const VERY_LONG: Duration = Duration::from_secs(1_000_000);
/// More seconds than any scenario takes.
const NEVER: u64 = 1_000_000_000;

/// Runs the scenario under many schedules: half of them random, half by probabilistic concurrency testing.
fn under_all_schedules<F: Future<Output = ()> + 'static>(scenario: fn() -> F) {
    let schedules = std::env::var("SCHEDULES").ok().and_then(|number| number.parse().ok()).unwrap_or(1000);
    shuttle::check_random(move || block_on(scenario()), schedules / 2);
    shuttle::check_pct(move || block_on(scenario()), schedules / 2, 3);
}

/// A cache, its server, and the tokens that were seen.
struct World {
    clock: ManualClock,
    server: Arc<Server>,
    cache: Arc<Cache>,
    seen: Mutex<Seen>,
}

#[derive(Clone, Default)]
struct Seen {
    /// The tokens by generation.
    tokens: HashMap<u64, String>,
    /// The newest generation that was a hit. A token of an overdue exchange may be newer, but only its callers get it.
    newest_hit: u64,
    rejected: HashSet<String>,
}

/// The state before a token was requested.
struct Before {
    now: Now,
    seen: Seen,
}

impl World {
    fn new(longest: Duration, outcomes: &[ScriptedOutcome]) -> Arc<Self> {
        let clock = ManualClock::default();
        sync::set_clock(&clock);
        let server = Arc::new(Server::new(&clock, longest, outcomes));
        let cache = Arc::new(Cache::new(TokenSource::new(&clock, &server)));
        Arc::new(Self { clock, server, cache, seen: Mutex::default() })
    }

    /// Not held across a point where the scheduler may switch tasks.
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap()
    }

    fn before(&self) -> Before {
        Before { now: self.clock.now(), seen: self.seen().clone() }
    }

    /// Checks that a token was not rejected, expired or replaced before the request, and is not mixed from two tokens.
    fn check(&self, before: &Before, token: &Token, min_validity: Duration) {
        let secret = secret(token);
        let timeline = self.server.state().issued[&secret];
        assert_eq!(token.timeline, timeline, "{secret} has the timeline of another");
        let mut seen = self.seen();
        let known = seen.tokens.entry(token.generation).or_insert_with(|| secret.clone());
        assert_eq!(*known, secret, "two tokens of one generation");
        drop(seen);
        self.check_secret(before, &secret, min_validity);
        assert!(token.generation >= before.seen.newest_hit, "{secret} had been replaced");
    }

    fn check_secret(&self, before: &Before, secret: &str, min_validity: Duration) {
        let timeline = self.server.state().issued[secret];
        assert!(!before.seen.rejected.contains(secret), "{secret} had been rejected");
        // A token of an exchange that the caller waited for may be late.
        if before.seen.tokens.values().any(|known| known == secret) {
            assert!(lasts(timeline, before.now, min_validity), "{secret} had expired");
        }
    }

    fn hit(&self) -> Option<Arc<Token>> {
        let before = self.before();
        let token = self.cache.hit()?;
        self.check(&before, &token, NO_MINIMUM);
        assert!(!token.timeline.is_due(before.now), "a hit on a token that is due");
        let mut seen = self.seen();
        seen.newest_hit = seen.newest_hit.max(token.generation);
        drop(seen);
        Some(token)
    }

    fn current_token(&self, min_validity: Duration) {
        let before = self.before();
        if let Some(token) = self.cache.current_token(min_validity) {
            self.check_secret(&before, token.expose(), min_validity);
            let timeline = self.server.state().issued[token.expose()];
            assert!(lasts(timeline, before.now, min_validity), "{} had expired", token.expose());
        }
    }

    async fn ask(&self, min_validity: Duration) -> Result<Arc<Token>, Arc<Fault>> {
        let before = self.before();
        let result = self.cache.ask(min_validity).await;
        match &result {
            Ok(token) => {
                self.check(&before, token, min_validity);
                let is_enough = lasts(token.timeline, before.now, min_validity);
                assert!(is_enough || !token.timeline.was_adopted(), "an adopted token is not valid for long enough");
            }
            Err(fault) if matches!(**fault, Fault::Abandoned) => {
                let waited = (self.clock.monotonic() - before.now.monotonic).as_secs() / self.server.longest.as_secs();
                assert!(
                    waited + u64::from(self.server.state().silent) >= 3,
                    "not enough exchanges were abandoned for this"
                );
            }
            Err(_) => {}
        }
        result
    }

    /// Reports a 401 to this token. Returns true if the request should be replayed with another.
    fn reject(&self, token: &Token) -> bool {
        let again = self.cache.rejected(token);
        if again {
            self.seen().rejected.insert(secret(token));
        }
        again
    }

    /// Advances the clock by up to `seconds` at each step until the future completes.
    async fn while_time_passes(&self, seconds: u64, future: impl Future) {
        let time = async {
            loop {
                self.clock.advance(Duration::from_secs(thread_rng().gen_range(1..=seconds)));
                yield_now().await;
            }
        };
        select(pin!(future), pin!(time)).await;
    }

    /// Waits for all tasks and checks that later callers still get tokens.
    async fn check_recovery(&self) {
        sync::all_tasks().await;
        assert!(self.server.state().in_flight.is_empty());
        self.server.state().outcomes = vec![ScriptedOutcome::Token(300)];
        // Longer than a refusal is remembered.
        self.clock.advance(Duration::from_secs(61));
        let token = self.ask(NO_MINIMUM).await.unwrap();
        sync::all_tasks().await;
        let token =
            if token.timeline.is_due(self.clock.now()) { self.hit().expect("it was not renewed") } else { token };
        assert!(self.hit().is_some_and(|hit| Arc::ptr_eq(&hit, &token)), "the snapshot is not the newest token");
        self.server.state().is_idle = true;
        self.clock.advance(Duration::from_secs(400));
        self.ask(NO_MINIMUM).await.unwrap();
        sync::all_tasks().await;
    }
}

fn secret(token: &Token) -> String {
    without_scheme(&token.header()).unwrap().to_owned()
}

fn lasts(timeline: Timeline, now: Now, min_validity: Duration) -> bool {
    timeline.is_live(now) && now.until(timeline.expires) >= min_validity
}

/// Runs each future as a task and waits for all.
async fn run_all<F: Future<Output = ()> + Send + 'static>(tasks: impl IntoIterator<Item = F>) {
    for ended in join_all(tasks.into_iter().map(spawn)).await {
        ended.unwrap();
    }
}

/// Polls a future for some steps and drops it.
async fn drop_after(steps: usize, future: impl Future) {
    let timeout = async {
        for _ in 0..steps {
            yield_now().await;
        }
    };
    select(pin!(future), pin!(timeout)).await;
}

/// A caller with random actions.
async fn caller(world: Arc<World>, seconds: u64) {
    let mut held: Option<Arc<Token>> = None;
    for _ in 0..4 {
        let min_validity = if thread_rng().gen_ratio(1, 4) { Duration::from_secs(100) } else { NO_MINIMUM };
        match thread_rng().gen_range(0..8) {
            0 => held = world.hit().or(held),
            1 => world.current_token(min_validity),
            2 | 3 => held = world.ask(min_validity).await.ok().or(held),
            4 => drop_after(thread_rng().gen_range(0..4), world.ask(min_validity)).await,
            5 | 6 => {
                let Some(token) = held.take() else { continue };
                if thread_rng().r#gen() {
                    token.accept();
                }
                if world.reject(&token) {
                    held = world.ask(NO_MINIMUM).await.ok();
                }
            }
            _ => world.clock.advance(Duration::from_secs(thread_rng().gen_range(0..seconds))),
        }
    }
}

#[test]
fn concurrent_callers_without_a_token_share_one_exchange() {
    under_all_schedules(|| async {
        let world = World::new(VERY_LONG, &[ScriptedOutcome::Token(300)]);
        run_all((0..4).map(|_| {
            let world = Arc::clone(&world);
            async move {
                world.ask(NO_MINIMUM).await.unwrap();
            }
        }))
        .await;
        assert_eq!(world.server.state().started, 1);
        world.check_recovery().await;
    });
}

#[test]
fn several_401s_to_one_token_cause_one_exchange_and_the_token_is_not_used_again() {
    under_all_schedules(|| async {
        let world = World::new(VERY_LONG, &[ScriptedOutcome::Token(300)]);
        let revoked = world.ask(NO_MINIMUM).await.unwrap();
        if thread_rng().r#gen() {
            revoked.accept();
        }
        run_all((0..4).map(|_| {
            let (world, revoked) = (Arc::clone(&world), Arc::clone(&revoked));
            async move {
                assert!(world.reject(&revoked));
                match world.hit() {
                    Some(_) => {}
                    None => drop(world.ask(NO_MINIMUM).await.unwrap()),
                }
                assert!(world.hit().is_some(), "the new token is not cached");
            }
        }))
        .await;
        assert_eq!(world.server.state().started, 2);
        world.check_recovery().await;
    });
}

#[test]
fn concurrent_callers_with_a_due_token_share_one_exchange_and_do_not_wait() {
    under_all_schedules(|| async {
        let world = World::new(VERY_LONG, &[ScriptedOutcome::Token(300)]);
        let first = world.ask(NO_MINIMUM).await.unwrap();
        world.clock.advance(Duration::from_secs(250));
        world.server.state().outcomes = vec![ScriptedOutcome::LateToken(10)];
        run_all((0..4).map(|_| {
            let (world, first) = (Arc::clone(&world), Arc::clone(&first));
            async move {
                let token = world.ask(NO_MINIMUM).await.unwrap();
                assert!(Arc::ptr_eq(&token, &first), "a new token although the clock was not advanced");
            }
        }))
        .await;
        world.while_time_passes(10, sync::all_tasks()).await;
        assert_eq!(world.server.state().started, 2);
    });
}

#[test]
fn a_renewal_whose_task_was_dropped_is_started_again_by_the_next_caller() {
    under_all_schedules(|| async {
        let world = World::new(VERY_LONG, &[ScriptedOutcome::Token(300)]);
        world.ask(NO_MINIMUM).await.unwrap();
        world.clock.advance(Duration::from_secs(250));
        world.server.state().outcomes = vec![ScriptedOutcome::TaskDropped];
        world.ask(NO_MINIMUM).await.unwrap();
        sync::all_tasks().await;
        world.server.state().outcomes = vec![ScriptedOutcome::Token(300)];
        run_all((0..3).map(|_| {
            let world = Arc::clone(&world);
            async move {
                world.ask(NO_MINIMUM).await.unwrap();
            }
        }))
        .await;
        sync::all_tasks().await;
        assert_eq!(world.server.state().started, 3);
    });
}

#[test]
fn a_renewal_that_hangs_is_started_again_when_it_is_overdue() {
    under_all_schedules(|| async {
        let world = World::new(Duration::from_secs(20), &[ScriptedOutcome::Token(300)]);
        world.ask(NO_MINIMUM).await.unwrap();
        world.clock.advance(Duration::from_secs(250));
        world.server.state().outcomes = vec![ScriptedOutcome::LateToken(NEVER)];
        world.ask(NO_MINIMUM).await.unwrap();
        world.clock.advance(Duration::from_secs(20));
        run_all((0..3).map(|_| {
            let world = Arc::clone(&world);
            async move {
                world.ask(NO_MINIMUM).await.unwrap();
            }
        }))
        .await;
        world.while_time_passes(NEVER, sync::all_tasks()).await;
        assert_eq!(world.server.state().started, 3);
    });
}

#[test]
fn callers_fail_when_exchanges_stay_without_a_result() {
    under_all_schedules(|| async {
        let world = World::new(Duration::from_secs(60), &[ScriptedOutcome::LateToken(NEVER)]);
        let callers = (0..3).map(|_| {
            let world = Arc::clone(&world);
            async move {
                let result = world.ask(NO_MINIMUM).await;
                assert!(result.is_err_and(|fault| matches!(*fault, Fault::Abandoned)), "a token from nowhere");
            }
        });
        world.while_time_passes(40, run_all(callers)).await;
        world.while_time_passes(NEVER, sync::all_tasks()).await;
        world.check_recovery().await;
    });
}

#[test]
fn no_caller_hangs_or_gets_an_invalid_token_whatever_the_outcomes() {
    under_all_schedules(|| async {
        let outcomes = [
            ScriptedOutcome::Token(300),
            ScriptedOutcome::Token(300),
            ScriptedOutcome::Token(0),
            ScriptedOutcome::Adopted(150),
            ScriptedOutcome::Adopted(250),
            ScriptedOutcome::Refused,
            ScriptedOutcome::Unavailable,
            ScriptedOutcome::Cooldown(40),
            ScriptedOutcome::TaskDropped,
        ];
        let world = World::new(VERY_LONG, &outcomes);
        // Only the callers advance the clock, so a caller that waits in vain never ends.
        run_all((0..4).map(|_| caller(Arc::clone(&world), 400))).await;
        world.check_recovery().await;
    });
}

#[test]
fn the_late_result_of_an_overdue_exchange_replaces_nothing() {
    under_all_schedules(|| async {
        let outcomes = [
            ScriptedOutcome::Token(300),
            ScriptedOutcome::LateToken(90),
            ScriptedOutcome::LateToken(70),
            ScriptedOutcome::LateRefusal(80),
        ];
        let world = World::new(Duration::from_secs(60), &outcomes);
        let callers = (0..4).map(|_| caller(Arc::clone(&world), 40));
        world
            .while_time_passes(40, async {
                run_all(callers).await;
                sync::all_tasks().await
            })
            .await;
        world.check_recovery().await;
    });
}

#[test]
fn t13_a_hit_takes_no_lock() {
    under_all_schedules(|| async {
        let world = World::new(VERY_LONG, &[ScriptedOutcome::Token(300)]);
        world.ask(NO_MINIMUM).await.unwrap();
        let locked = sync::locked();
        assert!(world.cache.hit().is_some());
        assert!(world.cache.current_token(NO_MINIMUM).is_some());
        assert_eq!(sync::locked(), locked);
        world.check_recovery().await;
    });
}
