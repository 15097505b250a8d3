//! A stand-in for the source: its fate is drawn, and it keeps a ledger of what it was asked and what it gave.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use http::{HeaderValue, StatusCode};
use shuttle::rand::{Rng, thread_rng};

use super::sync;
use crate::{
    clock::{Clock, ManualClock},
    oauth::{
        fault::{ErrorBody, Fault, Refusal},
        token::{Timeline, Token, bearer},
    },
    profile::Profile,
};

/// What becomes of an exchange.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fate {
    /// A token that lives for so many seconds.
    Token(u64),
    /// A token of a sibling's, so many seconds old, of 300.
    Adopted(u64),
    Refused,
    Unavailable,
    /// The server asks for a pause of so many seconds.
    PutOff(u64),
    /// Its task is dropped.
    Vanishes,
    /// After so many seconds a token that lives for 300.
    LateToken(u64),
    /// After so many seconds a refusal.
    LateRefusal(u64),
}

#[derive(Debug)]
pub(super) struct TokenSource {
    pub(super) exchange: Exchange,
    pub(super) server: Arc<Server>,
}

#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) profile: Profile,
    pub(super) label: String,
}

/// What is remembered: when the newest exchange that brought a token was spawned.
#[derive(Clone, Debug, Default)]
pub(super) struct RefreshTokenHistory(Option<Instant>);

pub(super) struct RenewalOutcome {
    pub(super) result: Result<FetchedToken, Fault>,
    pub(super) history: RefreshTokenHistory,
    pub(super) is_saved: Option<bool>,
}

pub(super) struct FetchedToken {
    pub(super) header: HeaderValue,
    pub(super) timeline: Timeline,
}

#[derive(Debug)]
pub(super) struct Server {
    clock: ManualClock,
    pub(super) longest: Duration,
    ledger: Mutex<Ledger>,
}

#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) fates: Vec<Fate>,
    /// Exchanges that began.
    pub(super) began: u32,
    /// Those under way: when their tasks were spawned.
    pub(super) under_way: Vec<Instant>,
    /// Exchanges that left those without an answer who waited.
    pub(super) silent: u32,
    /// When the newest exchange that brought a token was spawned.
    newest: Option<Instant>,
    /// Nothing was under way when the next exchange began: it has to know of the newest.
    pub(super) is_peace: bool,
    /// The lives of all tokens by their text.
    pub(super) issued: HashMap<String, Timeline>,
}

impl Server {
    pub(super) fn new(clock: &ManualClock, longest: Duration, fates: &[Fate]) -> Self {
        let ledger = Mutex::new(Ledger {
            fates: fates.to_vec(),
            began: 0,
            under_way: Vec::new(),
            silent: 0,
            newest: None,
            is_peace: false,
            issued: HashMap::new(),
        });
        Self { clock: clock.clone(), longest, ledger }
    }

    /// Never held where the task may change.
    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap()
    }

    fn begin(self: &Arc<Self>) -> UnderWay {
        let mut ledger = self.ledger();
        ledger.began += 1;
        let spawned = sync::spawned();
        for other in &ledger.under_way {
            let (earlier, later) = (spawned.min(*other), spawned.max(*other));
            assert!(later - earlier >= self.longest, "two exchanges at once");
        }
        ledger.under_way.push(spawned);
        UnderWay { server: Arc::clone(self), spawned }
    }

    fn issue(&self, timeline: Timeline) -> FetchedToken {
        let mut ledger = self.ledger();
        let text = format!("tok-{}", ledger.issued.len() + 1);
        ledger.issued.insert(text.clone(), timeline);
        FetchedToken { header: bearer(&text).unwrap(), timeline }
    }

    fn token(&self, age: u64, lifetime: u64) -> FetchedToken {
        let (age, lifetime) = (Duration::from_secs(age), Duration::from_secs(lifetime));
        self.issue(Timeline::aged(self.clock.now(), age, lifetime, None, 0.0))
    }
}

struct UnderWay {
    server: Arc<Server>,
    spawned: Instant,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.server.ledger().under_way.retain(|spawned| *spawned != self.spawned);
    }
}

impl TokenSource {
    pub(super) fn new(clock: &ManualClock, server: &Arc<Server>) -> Self {
        let exchange = Exchange { clock: Arc::new(clock.clone()), profile: Profile::perenso(), label: String::new() };
        Self { exchange, server: Arc::clone(server) }
    }

    pub(super) fn longest(&self) -> Duration {
        self.server.longest
    }

    pub(super) fn nothing_unsaved(&self) -> std::future::Ready<()> {
        std::future::ready(())
    }

    pub(super) async fn save(&self, _: &RefreshTokenHistory, _: Option<&Token>) -> bool {
        true
    }

    pub(super) async fn fetch(
        &self,
        history: RefreshTokenHistory,
        _: Option<&Token>,
        min_validity: Duration,
    ) -> RenewalOutcome {
        let under_way = self.server.begin();
        let fate = {
            let mut ledger = self.server.ledger();
            assert!(!ledger.is_peace || history.0 == ledger.newest, "what the newest exchange brought is forgotten");
            let fate = ledger.fates[thread_rng().gen_range(0..ledger.fates.len())];
            let is_silent =
                matches!(fate, Fate::Vanishes | Fate::LateToken(_) | Fate::LateRefusal(_) | Fate::Adopted(_));
            ledger.silent += u32::from(is_silent);
            fate
        };
        shuttle::future::yield_now().await;
        let result = match fate {
            Fate::Token(lifetime) => Ok(self.server.token(0, lifetime)),
            Fate::Adopted(age) if min_validity > Duration::from_secs(300 - age) => Ok(self.server.token(0, 300)),
            Fate::Adopted(age) => Ok(self.server.token(age, 300)),
            Fate::Refused => Err(refused()),
            Fate::Unavailable => Err(unavailable(None)),
            Fate::PutOff(pause) => Err(unavailable(Some(Duration::from_secs(pause)))),
            Fate::Vanishes => sync::vanish().await,
            Fate::LateToken(delay) => {
                self.exchange.clock.sleep(Duration::from_secs(delay)).await;
                Ok(self.server.token(delay, 300))
            }
            Fate::LateRefusal(delay) => {
                self.exchange.clock.sleep(Duration::from_secs(delay)).await;
                Err(refused())
            }
        };
        // What a sibling has left is in the store, and need not be remembered.
        let history = if result.is_ok() && !matches!(fate, Fate::Adopted(_)) {
            let mut ledger = self.server.ledger();
            ledger.newest = ledger.newest.max(Some(under_way.spawned));
            RefreshTokenHistory(Some(under_way.spawned))
        } else {
            history
        };
        RenewalOutcome { result, history, is_saved: None }
    }
}

fn refused() -> Fault {
    let error = Some("invalid_client".to_owned());
    Fault::Refused(Refusal { status: StatusCode::UNAUTHORIZED, error, description: None, body: ErrorBody::default() })
}

fn unavailable(retry_after: Option<Duration>) -> Fault {
    Fault::Unavailable { detail: "no answer".to_owned(), status: None, retry_after, lost: false, source: None }
}
