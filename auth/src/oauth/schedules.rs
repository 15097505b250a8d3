//! The cache under any order of events: the same file, compiled once more over a scheduler that draws who goes next.
//!
//! `SCHEDULES` says how many orders of each scenario are tried. A failure prints the seed to see it again:
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
    token_source::{Fate, Server, TokenSource},
};
use crate::{
    clock::{Clock, ManualClock, Now},
    oauth::{
        fault::Fault,
        token::{Timeline, Token, without_scheme},
    },
};

// That is the point: no line of the cache knows of its tests.
#[allow(clippy::duplicate_mod, dead_code)]
#[path = "cache.rs"]
mod cache;
mod sync;
mod token_source;

const NO_MINIMUM: Duration = Duration::ZERO;
/// No exchange is given up in a scenario that does not last so long.
const VERY_LONG: Duration = Duration::from_secs(1_000_000);
/// More seconds than any scenario lasts.
const NEVER: u64 = 1_000_000_000;

/// Runs the scenario in so many orders: half of them drawn at each step, half with few changes at unlikely places.
fn in_any_order<F: Future<Output = ()> + 'static>(scenario: fn() -> F) {
    let orders = std::env::var("SCHEDULES").ok().and_then(|orders| orders.parse().ok()).unwrap_or(1000);
    shuttle::check_random(move || block_on(scenario()), orders / 2);
    shuttle::check_pct(move || block_on(scenario()), orders / 2, 3);
}

/// A cache, its server, and what was seen of its tokens.
struct World {
    clock: ManualClock,
    server: Arc<Server>,
    cache: Arc<Cache>,
    seen: Mutex<Seen>,
}

#[derive(Clone, Default)]
struct Seen {
    /// The tokens by their generation.
    tokens: HashMap<u64, String>,
    /// One that came late may be newer: it is for those alone who waited for it.
    newest_in_hand: u64,
    rejected: HashSet<String>,
}

/// What was known before a token was asked for.
struct Before {
    now: Now,
    seen: Seen,
}

impl World {
    fn new(longest: Duration, fates: &[Fate]) -> Arc<Self> {
        let clock = ManualClock::default();
        sync::set_clock(&clock);
        let server = Arc::new(Server::new(&clock, longest, fates));
        let cache = Arc::new(Cache::new(TokenSource::new(&clock, &server)));
        Arc::new(Self { clock, server, cache, seen: Mutex::default() })
    }

    /// Never held where the task may change.
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap()
    }

    fn before(&self) -> Before {
        Before { now: self.clock.now(), seen: self.seen().clone() }
    }

    /// No token may come that was rejected, had ended, or was replaced before it was asked for, nor parts of two.
    fn check(&self, before: &Before, token: &Token, min_validity: Duration) {
        let text = text(token);
        let timeline = self.server.ledger().issued[&text];
        assert_eq!(token.timeline, timeline, "{text} with the times of another");
        let mut seen = self.seen();
        let known = seen.tokens.entry(token.generation).or_insert_with(|| text.clone());
        assert_eq!(*known, text, "two tokens of one generation");
        drop(seen);
        self.check_text(before, &text, min_validity);
        assert!(token.generation >= before.seen.newest_in_hand, "{text} had been replaced");
    }

    fn check_text(&self, before: &Before, text: &str, min_validity: Duration) {
        let timeline = self.server.ledger().issued[text];
        assert!(!before.seen.rejected.contains(text), "{text} had been rejected");
        // One that comes for those who wait serves them however late it is.
        if before.seen.tokens.values().any(|known| known == text) {
            assert!(lasts(timeline, before.now, min_validity), "{text} had ended");
        }
    }

    fn hit(&self) -> Option<Arc<Token>> {
        let before = self.before();
        let token = self.cache.hit()?;
        self.check(&before, &token, NO_MINIMUM);
        assert!(!token.timeline.is_due(before.now), "a hit on a token that is due");
        let mut seen = self.seen();
        seen.newest_in_hand = seen.newest_in_hand.max(token.generation);
        drop(seen);
        Some(token)
    }

    fn current_token(&self, min_validity: Duration) {
        let before = self.before();
        if let Some(token) = self.cache.current_token(min_validity) {
            self.check_text(&before, token.expose(), min_validity);
            let timeline = self.server.ledger().issued[token.expose()];
            assert!(lasts(timeline, before.now, min_validity), "{} had ended", token.expose());
        }
    }

    async fn ask(&self, min_validity: Duration) -> Result<Arc<Token>, Arc<Fault>> {
        let before = self.before();
        let result = self.cache.ask(min_validity).await;
        match &result {
            Ok(token) => {
                self.check(&before, token, min_validity);
                let is_enough = lasts(token.timeline, before.now, min_validity);
                assert!(is_enough || !token.timeline.was_adopted(), "what a sibling left is not enough");
            }
            Err(fault) if matches!(**fault, Fault::Abandoned) => {
                let waited = (self.clock.monotonic() - before.now.monotonic).as_secs() / self.server.longest.as_secs();
                assert!(waited + u64::from(self.server.ledger().silent) >= 3, "nobody vanished often enough for this");
            }
            Err(_) => {}
        }
        result
    }

    /// The API answers 401 to this token: true when another one is worth a replay.
    fn reject(&self, token: &Token) -> bool {
        let again = self.cache.rejected(token);
        if again {
            self.seen().rejected.insert(text(token));
        }
        again
    }

    /// Lets time go on, by so many seconds at most with each turn, until this is done.
    async fn while_time_passes(&self, seconds: u64, future: impl Future) {
        let time = async {
            loop {
                self.clock.advance(Duration::from_secs(thread_rng().gen_range(1..=seconds)));
                yield_now().await;
            }
        };
        select(pin!(future), pin!(time)).await;
    }

    /// When nothing is under way any more: nothing is left behind that keeps the next callers from a token.
    async fn check_the_peace(&self) {
        sync::all_tasks().await;
        assert!(self.server.ledger().under_way.is_empty());
        self.server.ledger().fates = vec![Fate::Token(300)];
        // Longer than any refusal is remembered.
        self.clock.advance(Duration::from_secs(61));
        let token = self.ask(NO_MINIMUM).await.unwrap();
        sync::all_tasks().await;
        let token =
            if token.timeline.is_due(self.clock.now()) { self.hit().expect("nobody renewed it") } else { token };
        assert!(self.hit().is_some_and(|hit| Arc::ptr_eq(&hit, &token)), "the snapshot lags behind");
        self.server.ledger().is_peace = true;
        self.clock.advance(Duration::from_secs(400));
        self.ask(NO_MINIMUM).await.unwrap();
        sync::all_tasks().await;
    }
}

fn text(token: &Token) -> String {
    without_scheme(&token.header()).unwrap().to_owned()
}

fn lasts(timeline: Timeline, now: Now, min_validity: Duration) -> bool {
    timeline.is_live(now) && now.until(timeline.expires) >= min_validity
}

/// Each of them as a task, to their end.
async fn together<F: Future<Output = ()> + Send + 'static>(tasks: impl IntoIterator<Item = F>) {
    for ended in join_all(tasks.into_iter().map(spawn)).await {
        ended.unwrap();
    }
}

/// A caller who goes away after so many turns.
async fn for_turns(turns: usize, future: impl Future) {
    let patience = async {
        for _ in 0..turns {
            yield_now().await;
        }
    };
    select(pin!(future), pin!(patience)).await;
}

/// A caller who does this and that.
async fn caller(world: Arc<World>, seconds: u64) {
    let mut held: Option<Arc<Token>> = None;
    for _ in 0..4 {
        let min_validity = if thread_rng().gen_ratio(1, 4) { Duration::from_secs(100) } else { NO_MINIMUM };
        match thread_rng().gen_range(0..8) {
            0 => held = world.hit().or(held),
            1 => world.current_token(min_validity),
            2 | 3 => held = world.ask(min_validity).await.ok().or(held),
            4 => for_turns(thread_rng().gen_range(0..4), world.ask(min_validity)).await,
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
fn a_crowd_without_a_token_makes_one_exchange() {
    in_any_order(|| async {
        let world = World::new(VERY_LONG, &[Fate::Token(300)]);
        together((0..4).map(|_| {
            let world = Arc::clone(&world);
            async move {
                world.ask(NO_MINIMUM).await.unwrap();
            }
        }))
        .await;
        assert_eq!(world.server.ledger().began, 1);
        world.check_the_peace().await;
    });
}

#[test]
fn however_many_report_a_401_to_one_token_there_is_one_exchange_and_nobody_gets_it_again() {
    in_any_order(|| async {
        let world = World::new(VERY_LONG, &[Fate::Token(300)]);
        let revoked = world.ask(NO_MINIMUM).await.unwrap();
        if thread_rng().r#gen() {
            revoked.accept();
        }
        together((0..4).map(|_| {
            let (world, revoked) = (Arc::clone(&world), Arc::clone(&revoked));
            async move {
                assert!(world.reject(&revoked));
                match world.hit() {
                    Some(_) => {}
                    None => drop(world.ask(NO_MINIMUM).await.unwrap()),
                }
                assert!(world.hit().is_some(), "the new token is not in hand");
            }
        }))
        .await;
        assert_eq!(world.server.ledger().began, 2);
        world.check_the_peace().await;
    });
}

#[test]
fn a_crowd_at_a_due_token_makes_one_exchange_and_nobody_waits_for_it() {
    in_any_order(|| async {
        let world = World::new(VERY_LONG, &[Fate::Token(300)]);
        let first = world.ask(NO_MINIMUM).await.unwrap();
        world.clock.advance(Duration::from_secs(250));
        world.server.ledger().fates = vec![Fate::LateToken(10)];
        together((0..4).map(|_| {
            let (world, first) = (Arc::clone(&world), Arc::clone(&first));
            async move {
                let token = world.ask(NO_MINIMUM).await.unwrap();
                assert!(Arc::ptr_eq(&token, &first), "time stands still, and a new token is there");
            }
        }))
        .await;
        world.while_time_passes(10, sync::all_tasks()).await;
        assert_eq!(world.server.ledger().began, 2);
    });
}

#[test]
fn a_renewal_that_died_unnoticed_is_started_again_by_whoever_comes_next() {
    in_any_order(|| async {
        let world = World::new(VERY_LONG, &[Fate::Token(300)]);
        world.ask(NO_MINIMUM).await.unwrap();
        world.clock.advance(Duration::from_secs(250));
        world.server.ledger().fates = vec![Fate::Vanishes];
        world.ask(NO_MINIMUM).await.unwrap();
        sync::all_tasks().await;
        world.server.ledger().fates = vec![Fate::Token(300)];
        together((0..3).map(|_| {
            let world = Arc::clone(&world);
            async move {
                world.ask(NO_MINIMUM).await.unwrap();
            }
        }))
        .await;
        sync::all_tasks().await;
        assert_eq!(world.server.ledger().began, 3);
    });
}

#[test]
fn a_renewal_that_hangs_unnoticed_is_started_again_when_its_time_is_over() {
    in_any_order(|| async {
        let world = World::new(Duration::from_secs(20), &[Fate::Token(300)]);
        world.ask(NO_MINIMUM).await.unwrap();
        world.clock.advance(Duration::from_secs(250));
        world.server.ledger().fates = vec![Fate::LateToken(NEVER)];
        world.ask(NO_MINIMUM).await.unwrap();
        world.clock.advance(Duration::from_secs(20));
        together((0..3).map(|_| {
            let world = Arc::clone(&world);
            async move {
                world.ask(NO_MINIMUM).await.unwrap();
            }
        }))
        .await;
        world.while_time_passes(NEVER, sync::all_tasks()).await;
        assert_eq!(world.server.ledger().began, 3);
    });
}

#[test]
fn nobody_waits_for_exchanges_that_say_nothing_longer_than_they_may_take() {
    in_any_order(|| async {
        let world = World::new(Duration::from_secs(60), &[Fate::LateToken(NEVER)]);
        let callers = (0..3).map(|_| {
            let world = Arc::clone(&world);
            async move {
                let result = world.ask(NO_MINIMUM).await;
                assert!(result.is_err_and(|fault| matches!(*fault, Fault::Abandoned)), "a token from nowhere");
            }
        });
        world.while_time_passes(40, together(callers)).await;
        world.while_time_passes(NEVER, sync::all_tasks()).await;
        world.check_the_peace().await;
    });
}

#[test]
fn nobody_waits_for_ever_or_gets_a_bad_token_whatever_becomes_of_the_exchanges() {
    in_any_order(|| async {
        let fates = [
            Fate::Token(300),
            Fate::Token(300),
            Fate::Token(0),
            Fate::Adopted(150),
            Fate::Adopted(250),
            Fate::Refused,
            Fate::Unavailable,
            Fate::PutOff(40),
            Fate::Vanishes,
        ];
        let world = World::new(VERY_LONG, &fates);
        // The clock moves in their hands alone: who waits in vain waits for ever.
        together((0..4).map(|_| caller(Arc::clone(&world), 400))).await;
        world.check_the_peace().await;
    });
}

#[test]
fn what_comes_late_from_an_exchange_that_was_given_up_replaces_nothing() {
    in_any_order(|| async {
        let fates = [Fate::Token(300), Fate::LateToken(90), Fate::LateToken(70), Fate::LateRefusal(80)];
        let world = World::new(Duration::from_secs(60), &fates);
        let callers = (0..4).map(|_| caller(Arc::clone(&world), 40));
        world
            .while_time_passes(40, async {
                together(callers).await;
                sync::all_tasks().await
            })
            .await;
        world.check_the_peace().await;
    });
}

#[test]
fn t13_a_hit_takes_no_lock() {
    in_any_order(|| async {
        let world = World::new(VERY_LONG, &[Fate::Token(300)]);
        world.ask(NO_MINIMUM).await.unwrap();
        let locked = sync::locked();
        assert!(world.cache.hit().is_some());
        assert!(world.cache.current_token(NO_MINIMUM).is_some());
        assert_eq!(sync::locked(), locked);
        world.check_the_peace().await;
    });
}
