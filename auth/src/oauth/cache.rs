//! The token cache. A hit takes no lock; all other callers share one exchange.

use std::{
    sync::{
        Arc, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::watch;
use tracing::Instrument;

// Not through `crate`: the module `schedules` compiles this file again, with its own `sync` and `token_source`.
use super::{
    sync::{ArcSwapOption, Mutex, MutexGuard, can_spawn, spawn},
    token_source::{RefreshTokenHistory, RenewalOutcome, TokenSource},
};
use crate::{
    clock::{Now, within},
    oauth::{
        fault::Fault,
        renewal::{Decision, Renewal, Verdict},
        token::{AccessToken, Token},
    },
};

/// The number of abandoned exchanges after which a caller fails.
const MAX_ABANDONED: u32 = 3;
/// The minimum time between two attempts to store tokens that could not be stored.
const SAVE_INTERVAL: Duration = Duration::from_secs(5);

type RenewalResult = Option<Result<Arc<Token>, Arc<Fault>>>;

/// The tokens of one identity.
#[derive(Debug)]
pub(crate) struct Cache {
    snapshot: ArcSwapOption<Token>,
    state: Mutex<State>,
    /// True while there are tokens that could not be stored. A hit reads it, and takes the lock only if it is true.
    has_unsaved: AtomicBool,
    pub(crate) source: TokenSource,
}

#[derive(Debug, Default)]
struct State {
    renewal: Renewal,
    token: Option<Arc<Token>>,
    history: RefreshTokenHistory,
    /// The last exchange that returned a token. `history` is the one it returned.
    history_from: u64,
    in_flight: Option<(u64, watch::Receiver<RenewalResult>)>,
    refusal: Option<Arc<Fault>>,
    unsaved: Option<Unsaved>,
}

/// Tokens that could not be stored.
#[derive(Debug)]
struct Unsaved {
    tried: Instant,
    /// The save in flight.
    save: Option<watch::Receiver<bool>>,
}

impl Cache {
    pub(crate) fn new(source: TokenSource) -> Self {
        let renewal = Renewal::new(source.longest());
        let state = Mutex::new(State { renewal, ..State::default() });
        Self { snapshot: ArcSwapOption::empty(), state, has_unsaved: AtomicBool::new(false), source }
    }

    /// Returns the current token unless it is due for renewal.
    pub(crate) fn hit(self: &Arc<Self>) -> Option<Arc<Token>> {
        let now = self.source.exchange.clock.now();
        let token = self.snapshot.load().as_ref().filter(|token| !token.timeline.is_due(now)).cloned();
        self.save_if_due(token.is_some());
        token
    }

    /// Returns the current token for use outside the crate, if it is valid for `min_validity` and not due for renewal.
    #[inline]
    pub(crate) fn current_token(self: &Arc<Self>, min_validity: Duration) -> Option<AccessToken> {
        let now = self.source.exchange.clock.now();
        let token = self.snapshot.load();
        let is_good = token.as_ref().is_some_and(|token| {
            let timeline = &token.timeline;
            !timeline.is_due(now) && (min_validity.is_zero() || now.until(timeline.expires) >= min_validity)
        });
        self.save_if_due(is_good);
        is_good.then(|| AccessToken::borrowed(token, now))
    }

    /// Returns a token that is valid for at least `min_validity`.
    pub(crate) async fn ask(self: &Arc<Self>, min_validity: Duration) -> Result<Arc<Token>, Arc<Fault>> {
        self.ask_other(min_validity, None).await
    }

    /// Returns a token of another generation than `refused`.
    pub(crate) async fn ask_other(
        self: &Arc<Self>,
        min_validity: Duration,
        refused: Option<u64>,
    ) -> Result<Arc<Token>, Arc<Fault>> {
        for _ in 0..MAX_ABANDONED {
            let (exchange_id, mut receiver) = match self.decide(min_validity, refused)? {
                Lookup::Ready(token) => return Ok(token),
                Lookup::InFlight(exchange_id, receiver) => (exchange_id, receiver),
            };
            // The sender is dropped if its task panics or its runtime ends. It sends nothing while its runtime is not
            // driven.
            let clock = self.source.exchange.clock.as_ref();
            let completed = within(clock, self.source.longest(), receiver.wait_for(Option::is_some)).await;
            match completed.and_then(Result::ok).and_then(|completed| completed.clone()) {
                // An adopted token may satisfy the caller who started the exchange, and not this one.
                Some(Ok(token)) if token.timeline.was_adopted() && !self.lasts(&token, min_validity) => {}
                Some(result) => return result.and_then(|token| long_enough(token, min_validity)),
                None => self.lock().0.abandoned(exchange_id),
            }
        }
        Err(Arc::new(Fault::Abandoned))
    }

    /// Handles a 401 to this token. Returns true if the request should be replayed with another one. `may_renew` is asked only
    /// if no renewal is in flight. Other calls keep using a token that the API has accepted.
    pub(crate) fn refused(self: &Arc<Self>, token: &Token, may_renew: impl FnOnce(Instant) -> bool) -> bool {
        let (mut state, now) = self.lock();
        state.clear_abandoned();
        let is_in_hand = state.token.as_ref().is_some_and(|held| held.generation == token.generation);
        if !is_in_hand || state.in_flight.is_some() || state.renewal.is_rejected() {
            return true;
        }
        let was_accepted = token.was_accepted();
        if (!was_accepted && state.renewal.distrusts(now)) || !may_renew(now.monotonic) {
            return false;
        }
        if !token.is_trusted() {
            drop(state);
            return self.rejected(token);
        }
        if !was_accepted {
            state.renewal.distrust(now);
        }
        if let Decision::Renew(exchange_id) = state.renewal.replace(now, token.generation) {
            self.start(&mut state, exchange_id, Duration::ZERO);
        }
        true
    }

    /// Handles a 401 to a token that the API has never accepted. Returns true if the request should be replayed with another.
    pub(crate) fn rejected(&self, token: &Token) -> bool {
        let (mut state, now) = self.lock();
        let verdict = state.renewal.rejected(now, token.generation, token.was_accepted());
        if verdict == Verdict::AskAgain && state.token.as_ref().is_some_and(|held| held.generation == token.generation)
        {
            self.snapshot.store(None);
        }
        verdict == Verdict::AskAgain
    }

    fn decide(self: &Arc<Self>, min_validity: Duration, refused: Option<u64>) -> Result<Lookup, Arc<Fault>> {
        let (mut state, now) = self.lock();
        state.clear_abandoned();
        let decision = match refused {
            Some(generation) => state.renewal.replace(now, generation),
            None => state.renewal.ask(now, min_validity),
        };
        let token = match decision {
            Decision::Serve => state.token.clone(),
            Decision::ServeAndRenew(exchange_id) => {
                self.start(&mut state, exchange_id, Duration::ZERO);
                state.token.clone()
            }
            Decision::Renew(exchange_id) => {
                return Ok(Lookup::InFlight(exchange_id, self.start(&mut state, exchange_id, min_validity)));
            }
            Decision::Join(exchange_id) => {
                let receiver = state.in_flight.as_ref().map(|(_, receiver)| receiver.clone());
                return receiver
                    .map(|receiver| Lookup::InFlight(exchange_id, receiver))
                    .ok_or_else(|| Arc::new(Fault::Abandoned));
            }
            Decision::Refused => return Err(state.refusal.clone().unwrap_or_else(|| Arc::new(Fault::Abandoned))),
            Decision::TooShort(lifetime) => return Err(Arc::new(Fault::TooShort { lifetime, asked: min_validity })),
        };
        token.map(Lookup::Ready).ok_or_else(|| Arc::new(Fault::Abandoned))
    }

    fn lasts(&self, token: &Token, min_validity: Duration) -> bool {
        let now = self.source.exchange.clock.now();
        token.timeline.is_live(now) && now.until(token.timeline.expires) >= min_validity
    }

    /// Spawns an exchange, so that a caller who is dropped does not cancel it for the others.
    fn start(
        self: &Arc<Self>,
        state: &mut State,
        exchange_id: u64,
        min_validity: Duration,
    ) -> watch::Receiver<RenewalResult> {
        let (sender, receiver) = watch::channel(None);
        state.in_flight = Some((exchange_id, receiver.clone()));
        let (history, in_hand, known) = (state.history.clone(), state.token.clone(), state.history_from);
        let save = state.unsaved.as_mut().and_then(|unsaved| unsaved.save.take());
        let cache = Arc::clone(self);
        let task = async move {
            // The save holds the lock of the store.
            if let Some(mut save) = save {
                let _ = save.changed().await;
            }
            let outcome = cache.source.fetch(history, in_hand.as_deref(), min_validity).await;
            let result = cache.complete(exchange_id, known, outcome);
            // No caller may be waiting. The token is cached all the same.
            let _ = sender.send(Some(result));
        };
        let task = task.instrument(self.span());
        spawn(task, self.source.nothing_unsaved());
        receiver
    }

    /// Waits until the renewal in flight has ended, and stores tokens that could not be stored before.
    pub(crate) async fn close(self: &Arc<Self>) {
        let in_flight = self.lock().0.in_flight.as_ref().map(|(_, receiver)| receiver.clone());
        let clock = self.source.exchange.clock.as_ref();
        if let Some(mut receiver) = in_flight {
            let _ = within(clock, self.source.longest(), receiver.wait_for(Option::is_some)).await;
        }
        if let Some(mut save) = self.save(Duration::ZERO) {
            let _ = within(clock, self.source.longest(), save.changed()).await;
        }
    }

    /// Stores unsaved tokens after a hit. Without a hit, the renewal stores its own.
    #[inline]
    fn save_if_due(self: &Arc<Self>, is_hit: bool) {
        if is_hit && self.has_unsaved.load(Ordering::Relaxed) {
            self.save(SAVE_INTERVAL);
        }
    }

    /// Starts to store unsaved tokens, unless that was tried less than `interval` ago. Returns the save in flight.
    #[cold]
    fn save(self: &Arc<Self>, interval: Duration) -> Option<watch::Receiver<bool>> {
        let (mut state, now) = self.lock();
        // A renewal stores its own tokens, and a caller without a runtime cannot spawn.
        if state.in_flight.is_some() || !can_spawn() {
            return None;
        }
        let (history, token, known) = (state.history.clone(), state.token.clone(), state.history_from);
        let unsaved = state.unsaved.as_mut()?;
        if let Some(save) = unsaved.save.as_ref().filter(|save| save.has_changed().is_ok()) {
            return Some(save.clone());
        }
        if now.monotonic.saturating_duration_since(unsaved.tried) < interval {
            return None;
        }
        let (sender, save) = watch::channel(false);
        *unsaved = Unsaved { tried: now.monotonic, save: Some(save.clone()) };
        let cache = Arc::clone(self);
        let task = async move {
            let is_saved = cache.source.save(&history, token.as_deref()).await;
            let mut state = cache.lock().0;
            // A renewal may have replaced the tokens that were stored here.
            if is_saved && state.history_from == known {
                cache.set_unsaved(&mut state, None);
            }
            drop(state);
            let _ = sender.send(is_saved);
        };
        let task = task.instrument(self.span());
        spawn(task, self.source.nothing_unsaved());
        Some(save)
    }

    fn set_unsaved(&self, state: &mut State, unsaved: Option<Unsaved>) {
        self.has_unsaved.store(unsaved.is_some(), Ordering::Relaxed);
        state.unsaved = unsaved;
    }

    /// Completes an exchange. `known` is the exchange whose history it started from.
    fn complete(&self, exchange_id: u64, known: u64, outcome: RenewalOutcome) -> Result<Arc<Token>, Arc<Fault>> {
        let (mut state, now) = self.lock();
        let is_ours = state.in_flight.as_ref().is_some_and(|(number, _)| *number == exchange_id);
        if let Some(is_saved) = outcome.is_saved {
            let unsaved = (!is_saved).then_some(Unsaved { tried: now.monotonic, save: None });
            self.set_unsaved(&mut state, unsaved);
        }
        // An overdue exchange may complete before or after its successors, so the history of the newest token counts. An
        // exchange without a token updates the history only if it started from the current one.
        if outcome.result.is_ok() && exchange_id > state.history_from {
            state.history = outcome.history;
            state.history_from = exchange_id;
        } else if is_ours && known == state.history_from {
            state.history = outcome.history;
        }
        match outcome.result {
            Ok(fetched) => {
                let timeline = fetched.timeline;
                let token = Arc::new(Token::new(exchange_id, fetched.header, timeline).after(state.token.as_deref()));
                if state.renewal.succeeded(exchange_id, timeline) {
                    state.in_flight = None;
                    state.refusal = None;
                    state.token = Some(Arc::clone(&token));
                    self.snapshot.store(Some(Arc::clone(&token)));
                }
                Ok(token)
            }
            Err(fault) => {
                let fault = Arc::new(fault);
                let cooldown = fault.cooldown();
                let completed = match cooldown {
                    Some(cooldown) => state.renewal.cool_down(exchange_id, now, cooldown),
                    None => state.renewal.failed(exchange_id, now, fault.is_final()),
                };
                if completed {
                    state.in_flight = None;
                    state.refusal = (cooldown.is_some() || fault.is_final()).then(|| Arc::clone(&fault));
                }
                // A tracing subscriber that uses this client must not find the lock taken.
                drop(state);
                tracing::warn!(target: "perenso_auth::token", error = %fault, "no access token");
                Err(fault)
            }
        }
    }

    /// The span of one renewal. It has no parent, since it may outlive the call that started it.
    fn span(&self) -> tracing::Span {
        let exchange = &self.source.exchange;
        let span = tracing::info_span!(
            target: "perenso_auth::token",
            parent: None,
            "token_renewal",
            client = %exchange.label,
            profile = exchange.profile.name(),
        );
        span.follows_from(tracing::Span::current());
        span
    }

    /// Locks the state, and reads the clock inside the lock so that events are in order of time.
    fn lock(&self) -> (MutexGuard<'_, State>, Now) {
        // No panic leaves the state inconsistent.
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        (state, self.source.exchange.clock.now())
    }
}

/// Returns a token that was fetched for this caller even if it is late, unless tokens are never valid for `min_validity`.
fn long_enough(token: Arc<Token>, min_validity: Duration) -> Result<Arc<Token>, Arc<Fault>> {
    let lifetime = token.timeline.lifetime;
    if min_validity.is_zero() || lifetime > min_validity {
        return Ok(token);
    }
    Err(Arc::new(Fault::TooShort { lifetime, asked: min_validity }))
}

enum Lookup {
    Ready(Arc<Token>),
    InFlight(u64, watch::Receiver<RenewalResult>),
}

impl State {
    /// Clears an exchange whose task has ended with its runtime and whom no caller waits for.
    fn clear_abandoned(&mut self) {
        if let Some((exchange_id, receiver)) = &self.in_flight
            && receiver.has_changed().is_err()
        {
            self.abandoned(*exchange_id);
        }
    }

    /// Records that an exchange ended without a result.
    fn abandoned(&mut self, exchange_id: u64) {
        if self.in_flight.as_ref().is_some_and(|(number, _)| *number == exchange_id) {
            self.in_flight = None;
        }
        self.renewal.abandoned(exchange_id);
    }
}
