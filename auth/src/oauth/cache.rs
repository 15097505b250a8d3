//! The token in hand, and the one exchange that may be under way: a hit takes no lock, everybody else shares a flight.

use std::{
    sync::{
        Arc, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::watch;
use tracing::Instrument;

// Not by way of `crate`: the module `schedules` compiles this file once more, over its own.
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

/// A flight that ends without a word this often is not started again for the same caller.
const MAX_ABANDONED: u32 = 3;
/// The least time between two attempts to store tokens that could not be stored.
const SAVE_INTERVAL: Duration = Duration::from_secs(5);

type RenewalResult = Option<Result<Arc<Token>, Arc<Fault>>>;

/// The tokens of one identity.
#[derive(Debug)]
pub(crate) struct Cache {
    snapshot: ArcSwapOption<Token>,
    state: Mutex<State>,
    /// Set while tokens could not be stored: a hit reads this, and takes the lock only if it is set.
    has_unsaved: AtomicBool,
    pub(crate) supply: TokenSource,
}

#[derive(Debug, Default)]
struct State {
    renewal: Renewal,
    token: Option<Arc<Token>>,
    memory: RefreshTokenHistory,
    /// The newest flight that brought a token: what it remembers is what counts.
    remembered_by: u64,
    flight: Option<(u64, watch::Receiver<RenewalResult>)>,
    refusal: Option<Arc<Fault>>,
    unsaved: Option<Unsaved>,
}

/// Tokens that could not be stored.
#[derive(Debug)]
struct Unsaved {
    tried: Instant,
    /// The save under way.
    save: Option<watch::Receiver<bool>>,
}

impl Cache {
    pub(crate) fn new(supply: TokenSource) -> Self {
        let renewal = Renewal::new(supply.longest());
        let state = Mutex::new(State { renewal, ..State::default() });
        Self { snapshot: ArcSwapOption::empty(), state, has_unsaved: AtomicBool::new(false), supply }
    }

    /// The token in hand while nothing needs to be done about it.
    pub(crate) fn hit(self: &Arc<Self>) -> Option<Arc<Token>> {
        let now = self.supply.exchange.clock.now();
        let token = self.snapshot.load().as_ref().filter(|token| !token.timeline.is_due(now)).cloned();
        self.save_if_due(token.is_some());
        token
    }

    /// The same, for somebody outside.
    #[inline]
    pub(crate) fn current_token(self: &Arc<Self>, min_validity: Duration) -> Option<AccessToken> {
        let now = self.supply.exchange.clock.now();
        let token = self.snapshot.load();
        let is_good = token.as_ref().is_some_and(|token| {
            let timeline = &token.timeline;
            !timeline.is_due(now) && (min_validity.is_zero() || now.until(timeline.expires) >= min_validity)
        });
        self.save_if_due(is_good);
        is_good.then(|| AccessToken::borrowed(token, now))
    }

    /// A token that lives at least `min_validity` longer.
    pub(crate) async fn ask(self: &Arc<Self>, min_validity: Duration) -> Result<Arc<Token>, Arc<Fault>> {
        self.ask_other(min_validity, None).await
    }

    /// A token other than that of this generation.
    pub(crate) async fn ask_other(
        self: &Arc<Self>,
        min_validity: Duration,
        refused: Option<u64>,
    ) -> Result<Arc<Token>, Arc<Fault>> {
        for _ in 0..MAX_ABANDONED {
            let (flight, mut landing) = match self.decide(min_validity, refused)? {
                Lookup::Ready(token) => return Ok(token),
                Lookup::InFlight(flight, landing) => (flight, landing),
            };
            // The sender is dropped without a word when its task panics or its runtime ends, and keeps silent when its
            // runtime is not driven.
            let clock = self.supply.exchange.clock.as_ref();
            let landed = within(clock, self.supply.longest(), landing.wait_for(Option::is_some)).await;
            match landed.and_then(Result::ok).and_then(|landed| landed.clone()) {
                // What a sibling left may be enough for the one who went for it, and not for this caller.
                Some(Ok(token)) if token.timeline.was_adopted() && !self.lasts(&token, min_validity) => {}
                Some(result) => return result.and_then(|token| long_enough(token, min_validity)),
                None => self.lock().0.abandoned(flight),
            }
        }
        Err(Arc::new(Fault::Abandoned))
    }

    /// The API answered 401 to this token: true when another one is worth a replay. `may_renew` is asked only when nobody
    /// replaces the token yet. A token that the API takes elsewhere serves everybody else meanwhile.
    pub(crate) fn refused(self: &Arc<Self>, token: &Token, may_renew: impl FnOnce(Instant) -> bool) -> bool {
        let (mut state, now) = self.lock();
        state.clear_the_dead();
        let is_in_hand = state.token.as_ref().is_some_and(|held| held.generation == token.generation);
        if !is_in_hand || state.flight.is_some() || state.renewal.is_rejected() {
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
        if let Decision::Renew(flight) = state.renewal.replace(now, token.generation) {
            self.start(&mut state, flight, Duration::ZERO);
        }
        true
    }

    /// The API answered 401 to a token that it never took: true when another one is worth a replay.
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
        state.clear_the_dead();
        let decision = match refused {
            Some(generation) => state.renewal.replace(now, generation),
            None => state.renewal.ask(now, min_validity),
        };
        let token = match decision {
            Decision::Serve => state.token.clone(),
            Decision::ServeAndRenew(flight) => {
                self.start(&mut state, flight, Duration::ZERO);
                state.token.clone()
            }
            Decision::Renew(flight) => {
                return Ok(Lookup::InFlight(flight, self.start(&mut state, flight, min_validity)));
            }
            Decision::Join(flight) => {
                let landing = state.flight.as_ref().map(|(_, landing)| landing.clone());
                return landing
                    .map(|landing| Lookup::InFlight(flight, landing))
                    .ok_or_else(|| Arc::new(Fault::Abandoned));
            }
            Decision::Refused => return Err(state.refusal.clone().unwrap_or_else(|| Arc::new(Fault::Abandoned))),
            Decision::TooShort(lifetime) => return Err(Arc::new(Fault::TooShort { lifetime, asked: min_validity })),
        };
        token.map(Lookup::Ready).ok_or_else(|| Arc::new(Fault::Abandoned))
    }

    fn lasts(&self, token: &Token, min_validity: Duration) -> bool {
        let now = self.supply.exchange.clock.now();
        token.timeline.is_live(now) && now.until(token.timeline.expires) >= min_validity
    }

    /// Spawned, so that a caller who goes away takes nothing from those who wait.
    fn start(
        self: &Arc<Self>,
        state: &mut State,
        flight: u64,
        min_validity: Duration,
    ) -> watch::Receiver<RenewalResult> {
        let (sender, landing) = watch::channel(None);
        state.flight = Some((flight, landing.clone()));
        let (memory, in_hand, known) = (state.memory.clone(), state.token.clone(), state.remembered_by);
        let save = state.unsaved.as_mut().and_then(|unsaved| unsaved.save.take());
        let cache = Arc::clone(self);
        let task = async move {
            // It holds the lock of the store.
            if let Some(mut save) = save {
                let _ = save.changed().await;
            }
            let delivery = cache.supply.fetch(memory, in_hand.as_deref(), min_validity).await;
            let result = cache.complete(flight, known, delivery);
            // Nobody may be waiting: the token is in hand all the same.
            let _ = sender.send(Some(result));
        };
        let task = task.instrument(self.span());
        spawn(task, self.supply.nothing_unsaved());
        landing
    }

    /// Waits until the renewal under way has ended, and stores tokens that could not be stored yet.
    pub(crate) async fn close(self: &Arc<Self>) {
        let flight = self.lock().0.flight.as_ref().map(|(_, landing)| landing.clone());
        let clock = self.supply.exchange.clock.as_ref();
        if let Some(mut landing) = flight {
            let _ = within(clock, self.supply.longest(), landing.wait_for(Option::is_some)).await;
        }
        if let Some(mut save) = self.save(Duration::ZERO) {
            let _ = within(clock, self.supply.longest(), save.changed()).await;
        }
    }

    /// After a hit: a renewal stores what it brings.
    #[inline]
    fn save_if_due(self: &Arc<Self>, is_hit: bool) {
        if is_hit && self.has_unsaved.load(Ordering::Relaxed) {
            self.save(SAVE_INTERVAL);
        }
    }

    /// Starts to store the tokens that could not be stored, unless that was tried less than `interval` ago. Returns the
    /// save under way.
    #[cold]
    fn save(self: &Arc<Self>, interval: Duration) -> Option<watch::Receiver<bool>> {
        let (mut state, now) = self.lock();
        // A renewal stores what it brings, and a caller without a runtime can start nothing.
        if state.flight.is_some() || !can_spawn() {
            return None;
        }
        let (memory, token, known) = (state.memory.clone(), state.token.clone(), state.remembered_by);
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
            let is_saved = cache.supply.save(&memory, token.as_deref()).await;
            let mut state = cache.lock().0;
            // What a renewal has brought meanwhile is not what was stored.
            if is_saved && state.remembered_by == known {
                cache.set_unsaved(&mut state, None);
            }
            drop(state);
            let _ = sender.send(is_saved);
        };
        let task = task.instrument(self.span());
        spawn(task, self.supply.nothing_unsaved());
        Some(save)
    }

    fn set_unsaved(&self, state: &mut State, unsaved: Option<Unsaved>) {
        self.has_unsaved.store(unsaved.is_some(), Ordering::Relaxed);
        state.unsaved = unsaved;
    }

    /// `known` is the flight whose memory this one took along.
    fn complete(&self, flight: u64, known: u64, delivery: RenewalOutcome) -> Result<Arc<Token>, Arc<Fault>> {
        let (mut state, now) = self.lock();
        let is_ours = state.flight.as_ref().is_some_and(|(number, _)| *number == flight);
        if let Some(is_saved) = delivery.is_saved {
            let unsaved = (!is_saved).then_some(Unsaved { tried: now.monotonic, save: None });
            self.set_unsaved(&mut state, unsaved);
        }
        // One that was given up for dead may come before or after its successors: the newest token's memory counts, and
        // without a token there is news only for those who knew all that is known.
        if delivery.result.is_ok() && flight > state.remembered_by {
            state.memory = delivery.memory;
            state.remembered_by = flight;
        } else if is_ours && known == state.remembered_by {
            state.memory = delivery.memory;
        }
        match delivery.result {
            Ok(supplied) => {
                let timeline = supplied.timeline;
                let token = Arc::new(Token::new(flight, supplied.header, timeline).after(state.token.as_deref()));
                if state.renewal.succeeded(flight, timeline) {
                    state.flight = None;
                    state.refusal = None;
                    state.token = Some(Arc::clone(&token));
                    self.snapshot.store(Some(Arc::clone(&token)));
                }
                Ok(token)
            }
            Err(fault) => {
                let fault = Arc::new(fault);
                let pause = fault.pause();
                let landed = match pause {
                    Some(pause) => state.renewal.put_off(flight, now, pause),
                    None => state.renewal.failed(flight, now, fault.is_answer()),
                };
                if landed {
                    state.flight = None;
                    state.refusal = (pause.is_some() || fault.is_answer()).then(|| Arc::clone(&fault));
                }
                // A subscriber that uses this very client must not find the lock taken.
                drop(state);
                tracing::warn!(target: "perenso_auth::token", error = %fault, "no access token");
                Err(fault)
            }
        }
    }

    /// The span of one renewal. It has no parent, since it may outlive the call that started it.
    fn span(&self) -> tracing::Span {
        let exchange = &self.supply.exchange;
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

    /// The state, and the time: read inside the lock, so that time goes forward from one event to the next.
    fn lock(&self) -> (MutexGuard<'_, State>, Now) {
        // Nothing in here is left half done by a panic.
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        (state, self.supply.exchange.clock.now())
    }
}

/// A token that came for this caller is served however late it is, unless tokens never live as long as was asked.
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
    /// A renewal that nobody waits for may have died with its runtime: whoever comes next makes room.
    fn clear_the_dead(&mut self) {
        if let Some((flight, landing)) = &self.flight
            && landing.has_changed().is_err()
        {
            self.abandoned(*flight);
        }
    }

    /// This flight ended without a word.
    fn abandoned(&mut self, flight: u64) {
        if self.flight.as_ref().is_some_and(|(number, _)| *number == flight) {
            self.flight = None;
        }
        self.renewal.abandoned(flight);
    }
}
