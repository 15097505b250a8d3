//! A mock of the token source with random outcomes, which records its exchanges and tokens.

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

/// The outcome of an exchange.
#[derive(Clone, Copy, Debug)]
pub(super) enum ScriptedOutcome {
    /// A token with this lifetime in seconds.
    Token(u64),
    /// A token of another process with a lifetime of 300 seconds and this age.
    Adopted(u64),
    Refused,
    Unavailable,
    /// The server asks for a cooldown of this many seconds.
    Cooldown(u64),
    /// Its task is dropped.
    TaskDropped,
    /// A token with a lifetime of 300 seconds after this many seconds.
    LateToken(u64),
    /// A refusal after this many seconds.
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

/// The time at which the newest exchange with a token was spawned.
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
    state: Mutex<ServerState>,
}

#[derive(Debug)]
pub(super) struct ServerState {
    pub(super) outcomes: Vec<ScriptedOutcome>,
    /// The number of exchanges that were started.
    pub(super) started: u32,
    /// The times at which the tasks of exchanges in flight were spawned.
    pub(super) in_flight: Vec<Instant>,
    /// The number of exchanges whose callers may get no result.
    pub(super) silent: u32,
    /// The time at which the newest exchange with a token was spawned.
    newest: Option<Instant>,
    /// No exchange is in flight when the next one starts, so it must have the newest history.
    pub(super) is_idle: bool,
    /// The timelines of all tokens.
    pub(super) issued: HashMap<String, Timeline>,
}

impl Server {
    pub(super) fn new(clock: &ManualClock, longest: Duration, outcomes: &[ScriptedOutcome]) -> Self {
        let state = Mutex::new(ServerState {
            outcomes: outcomes.to_vec(),
            started: 0,
            in_flight: Vec::new(),
            silent: 0,
            newest: None,
            is_idle: false,
            issued: HashMap::new(),
        });
        Self { clock: clock.clone(), longest, state }
    }

    /// Not held across a point where the scheduler may switch tasks.
    pub(super) fn state(&self) -> MutexGuard<'_, ServerState> {
        self.state.lock().unwrap()
    }

    fn begin(self: &Arc<Self>) -> InFlightGuard {
        let mut state = self.state();
        state.started += 1;
        let spawned = sync::spawned();
        for other in &state.in_flight {
            let (earlier, later) = (spawned.min(*other), spawned.max(*other));
            assert!(later - earlier >= self.longest, "two exchanges at once");
        }
        state.in_flight.push(spawned);
        InFlightGuard { server: Arc::clone(self), spawned }
    }

    fn issue(&self, timeline: Timeline) -> FetchedToken {
        let mut state = self.state();
        let token = format!("tok-{}", state.issued.len() + 1);
        state.issued.insert(token.clone(), timeline);
        FetchedToken { header: bearer(&token).unwrap(), timeline }
    }

    fn token(&self, age: u64, lifetime: u64) -> FetchedToken {
        let (age, lifetime) = (Duration::from_secs(age), Duration::from_secs(lifetime));
        self.issue(Timeline::aged(self.clock.now(), age, lifetime, None, 0.0))
    }
}

struct InFlightGuard {
    server: Arc<Server>,
    spawned: Instant,
}

impl Drop for InFlightGuard {
    fn drop(&mut self) {
        self.server.state().in_flight.retain(|spawned| *spawned != self.spawned);
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
        let in_flight = self.server.begin();
        let fate = {
            let mut state = self.server.state();
            assert!(!state.is_idle || history.0 == state.newest, "the history of the newest exchange was lost");
            let fate = state.outcomes[thread_rng().gen_range(0..state.outcomes.len())];
            let is_silent = matches!(
                fate,
                ScriptedOutcome::TaskDropped
                    | ScriptedOutcome::LateToken(_)
                    | ScriptedOutcome::LateRefusal(_)
                    | ScriptedOutcome::Adopted(_)
            );
            state.silent += u32::from(is_silent);
            fate
        };
        shuttle::future::yield_now().await;
        let result = match fate {
            ScriptedOutcome::Token(lifetime) => Ok(self.server.token(0, lifetime)),
            ScriptedOutcome::Adopted(age) if min_validity > Duration::from_secs(300 - age) => {
                Ok(self.server.token(0, 300))
            }
            ScriptedOutcome::Adopted(age) => Ok(self.server.token(age, 300)),
            ScriptedOutcome::Refused => Err(refused()),
            ScriptedOutcome::Unavailable => Err(unavailable(None)),
            ScriptedOutcome::Cooldown(cooldown) => Err(unavailable(Some(Duration::from_secs(cooldown)))),
            ScriptedOutcome::TaskDropped => sync::drop_task().await,
            ScriptedOutcome::LateToken(delay) => {
                self.exchange.clock.sleep(Duration::from_secs(delay)).await;
                Ok(self.server.token(delay, 300))
            }
            ScriptedOutcome::LateRefusal(delay) => {
                self.exchange.clock.sleep(Duration::from_secs(delay)).await;
                Err(refused())
            }
        };
        // An adopted token is in the store, and does not change the history.
        let history = if result.is_ok() && !matches!(fate, ScriptedOutcome::Adopted(_)) {
            let mut state = self.server.state();
            state.newest = state.newest.max(Some(in_flight.spawned));
            RefreshTokenHistory(Some(in_flight.spawned))
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
    Fault::Unavailable { detail: "no response".to_owned(), status: None, retry_after, lost: false, source: None }
}
