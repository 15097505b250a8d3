//! Where a token comes from: what a sibling has put into the store, else the lock and an exchange, whose fruit is stored
//! before it is used.

use std::{
    future::Future,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::{Either, select};
use http::HeaderValue;

use crate::{
    clock::{Now, within},
    oauth::{
        credentials::Credentials,
        exchange::{Exchange, Granted},
        fault::Fault,
        in_flight::Sent,
        token::{Timeline, Token},
    },
    secret::Secret,
    store::{StoreError, StoreErrorKind, StoreLock, StoredAccessToken, StoredTokens, TokenStore},
};

pub(crate) use crate::oauth::history::RefreshTokenHistory;

/// How long a lock stands when its holder gives no sign of life: whoever waits for one that was killed waits so long.
const TERM: Duration = Duration::from_secs(5);
/// How long one word with the store may take.
const STORE_TIMEOUT: Duration = Duration::from_secs(3);
/// The pause between two looks at a lock that another holds; it grows up to the longest.
const FIRST_LOOK: Duration = Duration::from_millis(20);
const LONGEST_LOOK: Duration = Duration::from_millis(250);

/// Gets tokens of one identity.
#[derive(Debug)]
pub(crate) struct TokenSource {
    pub(crate) exchange: Exchange,
    store: Arc<dyn TokenStore>,
    /// Whether anybody else may use the store.
    is_shared: bool,
    store_is_away: AtomicBool,
}

/// What a renewal brought.
pub(crate) struct RenewalOutcome {
    pub(crate) result: Result<Supplied, Fault>,
    pub(crate) memory: RefreshTokenHistory,
    /// Whether the store has what changed; `None` if nothing did.
    pub(crate) is_saved: Option<bool>,
}

/// A token on its way into the cache.
pub(crate) struct Supplied {
    pub(crate) header: HeaderValue,
    pub(crate) timeline: Timeline,
    /// Ends when the token is stored and in the cache; a token of a sibling was never under way.
    _sent: Option<Sent>,
}

impl TokenSource {
    /// With a store that nobody else uses.
    pub(crate) fn alone(exchange: Exchange, store: Arc<dyn TokenStore>) -> Self {
        Self { exchange, store, is_shared: false, store_is_away: AtomicBool::new(false) }
    }

    /// With a store that others may use too.
    pub(crate) fn shared(exchange: Exchange, store: Arc<dyn TokenStore>) -> Self {
        Self { is_shared: true, ..Self::alone(exchange, store) }
    }

    /// The longest that a renewal can take.
    pub(crate) fn longest(&self) -> Duration {
        let Exchange { policy, credentials, .. } = &self.exchange;
        let exchange = policy.longest();
        // A sibling's renewal, the own one, and a few words with the store.
        let pass =
            if self.is_shared { exchange.saturating_mul(2).saturating_add(TERM + STORE_TIMEOUT * 6) } else { exchange };
        // A provider is asked twice, and what it gives the second time is tried as well.
        if credentials.may_change() { pass.saturating_add(policy.attempt).saturating_mul(2) } else { pass }
    }

    /// A token other than the one in hand, and newer, that lives at least `min_validity` longer.
    pub(crate) async fn fetch(
        &self,
        memory: RefreshTokenHistory,
        in_hand: Option<&Token>,
        min_validity: Duration,
    ) -> RenewalOutcome {
        let credentials = match self.exchange.credentials().await {
            Ok(credentials) => credentials,
            Err(fault) => return RenewalOutcome { result: Err(fault), memory, is_saved: None },
        };
        let delivery = self.fetch_with(&credentials, memory, in_hand, min_validity).await;
        if !matches!(delivery.result, Err(Fault::Refused(_) | Fault::PersonNeeded { .. })) {
            return delivery;
        }
        match self.exchange.other_credentials(&credentials).await {
            Ok(Some(credentials)) => self.fetch_with(&credentials, delivery.memory, in_hand, min_validity).await,
            Ok(None) => delivery,
            Err(fault) => {
                // The refusal is what its caller can do something about.
                tracing::warn!(
                    target: "perenso_auth::token",
                    error = &fault as &(dyn std::error::Error + 'static),
                    "the credentials were refused, and the provider gave no others"
                );
                delivery
            }
        }
    }

    async fn fetch_with(
        &self,
        credentials: &Credentials,
        memory: RefreshTokenHistory,
        in_hand: Option<&Token>,
        min_validity: Duration,
    ) -> RenewalOutcome {
        let identity = self.exchange.identity(credentials);
        let in_hand = in_hand.filter(|_| memory.is_of(&identity));
        let mut memory = memory.of(&identity);
        // Where nobody shares the store, only a renewal of our own that was given up for dead can hold the lock.
        let timeout = if self.is_shared { self.exchange.policy.longest().saturating_add(TERM) } else { Duration::ZERO };
        let started = self.exchange.clock.monotonic();
        let mut look = FIRST_LOOK;
        loop {
            let asked = self.exchange.clock.now();
            match self.word(self.store.load(&identity, asked)).await {
                Ok(stored) => {
                    // Whatever becomes of the lock: nothing older is sent than what was seen here.
                    memory = memory.and(stored.as_ref(), asked);
                    if let Some(adopted) = self.adopt(stored.as_ref(), asked, in_hand, min_validity) {
                        return RenewalOutcome { result: Ok(adopted), memory, is_saved: None };
                    }
                }
                Err(error) if error.kind() == StoreErrorKind::Unusable => {}
                Err(error) => return self.fetch_alone(error, credentials, memory).await,
            }
            match self.word(self.store.try_lock(&identity, TERM)).await {
                Ok(Some(lock)) => return self.fetch_locked(lock, credentials, memory, in_hand, min_validity).await,
                Ok(None) => {}
                Err(error) => return self.fetch_alone(error, credentials, memory).await,
            }
            if self.exchange.clock.monotonic().saturating_duration_since(started) >= timeout {
                tracing::warn!(target: "perenso_auth::store", store = %self.store.name(), "the lock of the tokens is not given back; renewing without it");
                let error = StoreError::new(StoreErrorKind::Unavailable, "its lock is not given back");
                return self.fetch_alone(error, credentials, memory).await;
            }
            self.exchange.clock.sleep(look.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
            look = (look * 2).min(LONGEST_LOOK);
        }
    }

    async fn fetch_locked(
        &self,
        mut lock: Box<dyn StoreLock>,
        credentials: &Credentials,
        memory: RefreshTokenHistory,
        in_hand: Option<&Token>,
        min_validity: Duration,
    ) -> RenewalOutcome {
        let asked = self.exchange.clock.now();
        let delivery = match self.word(lock.load(asked)).await {
            Ok(stored) => {
                let memory = memory.and(stored.as_ref(), asked);
                match self.adopt(stored.as_ref(), asked, in_hand, min_validity) {
                    Some(adopted) => RenewalOutcome { result: Ok(adopted), memory, is_saved: None },
                    None => self.renew(lock.as_mut(), credentials, memory).await,
                }
            }
            Err(error) if error.kind() == StoreErrorKind::Unusable => {
                tracing::warn!(target: "perenso_auth::store", store = %self.store.name(), error = cause(&error), "what the store holds is replaced");
                self.renew(lock.as_mut(), credentials, memory).await
            }
            Err(error) => self.fetch_alone(error, credentials, memory).await,
        };
        // One that is not given back in time ends by itself.
        let _ = within(self.exchange.clock.as_ref(), STORE_TIMEOUT, lock.release()).await;
        delivery
    }

    /// An exchange inside the lock, and what came of it into the store.
    async fn renew(
        &self,
        lock: &mut dyn StoreLock,
        credentials: &Credentials,
        memory: RefreshTokenHistory,
    ) -> RenewalOutcome {
        let exchange = self.exchange_with(credentials, memory);
        let mut fruit = if self.is_shared { self.keeping(lock, exchange).await } else { exchange.await };
        if fruit.changed {
            let now = self.exchange.clock.now();
            let access_token = fruit.delivery.result.as_ref().ok().and_then(|supplied| supplied.stored(now));
            let tokens = fruit.delivery.memory.stored(access_token, now);
            fruit.delivery.is_saved = Some(self.save_locked(lock, &tokens, now).await);
        }
        fruit.delivery
    }

    /// Stores tokens inside the lock. Returns whether the store has them, or something newer.
    async fn save_locked(&self, lock: &mut dyn StoreLock, tokens: &StoredTokens, now: Now) -> bool {
        match self.word(lock.save(tokens, now)).await {
            Ok(()) => {
                self.is_back();
                true
            }
            // Whoever took the lock over has written something newer: from now on that counts.
            Err(error) if error.kind() == StoreErrorKind::LockLost => {
                tracing::debug!(target: "perenso_auth::store", store = %self.store.name(), error = cause(&error), "a sibling has stored newer tokens");
                true
            }
            Err(error) => {
                tracing::debug!(target: "perenso_auth::store", store = %self.store.name(), error = cause(&error), "the tokens live on in this process alone");
                false
            }
        }
    }

    /// An exchange while the store is away, unless a person would have to come if it went wrong.
    async fn fetch_alone(
        &self,
        error: StoreError,
        credentials: &Credentials,
        memory: RefreshTokenHistory,
    ) -> RenewalOutcome {
        if self.is_shared && credentials.grant().needs_a_person() && !self.exchange.memory_only {
            return RenewalOutcome { result: Err(Fault::StoreAway(error)), memory, is_saved: None };
        }
        let mut fruit = self.exchange_with(credentials, memory).await;
        fruit.delivery.is_saved = fruit.changed.then_some(false);
        fruit.delivery
    }

    /// Stores what could not be stored after its renewal. Returns whether the store has it, or something newer.
    pub(crate) async fn save(&self, memory: &RefreshTokenHistory, token: Option<&Token>) -> bool {
        let Ok(credentials) = self.exchange.credentials().await else { return false };
        let identity = self.exchange.identity(&credentials);
        if !memory.is_of(&identity) {
            return true;
        }
        let Ok(Some(mut lock)) = self.word(self.store.try_lock(&identity, TERM)).await else { return false };
        let now = self.exchange.clock.now();
        let is_newer = match self.word(lock.load(now)).await {
            Ok(stored) => Some(stored.is_some_and(|stored| memory.is_older_than(&stored))),
            Err(error) => (error.kind() == StoreErrorKind::Unusable).then_some(false),
        };
        let is_saved = match is_newer {
            None => false,
            Some(true) => true,
            Some(false) => {
                let now = self.exchange.clock.now();
                let access_token = token.and_then(|token| stored(&token.header(), token.timeline, now));
                self.save_locked(lock.as_mut(), &memory.stored(access_token, now), now).await
            }
        };
        let _ = within(self.exchange.clock.as_ref(), STORE_TIMEOUT, lock.release()).await;
        is_saved
    }

    /// Waits until no token request is under way whose outcome is not stored: for at most one attempt and one save.
    pub(crate) fn nothing_unsaved(&self) -> impl Future<Output = ()> + Send + 'static {
        self.exchange.in_flight.none_left(self.exchange.policy.attempt.saturating_add(STORE_TIMEOUT))
    }

    /// An exchange; and another where a refresh token was refused for good and is not the last one there is.
    async fn exchange_with(&self, credentials: &Credentials, mut memory: RefreshTokenHistory) -> ExchangeResult {
        let mut changed = false;
        loop {
            let refresh_token = memory.refresh_token(credentials);
            let is_spent = memory.is_spent(credentials);
            let outcome = self.exchange.run(credentials, refresh_token.as_ref(), is_spent).await;
            changed |= outcome.result.is_ok() || outcome.refresh_token_is_spent || outcome.proof_is_spent;
            memory.learn(&outcome, refresh_token.as_ref(), credentials);
            let is_final = !matches!(outcome.result, Err(Fault::PersonNeeded { .. }));
            if is_final || memory.refresh_token(credentials).is_none() {
                let result = outcome.result.map(|granted| self.supplied(granted));
                return ExchangeResult { delivery: RenewalOutcome { result, memory, is_saved: None }, changed };
            }
        }
    }

    /// Drives the exchange to its end, and shows meanwhile that the holder of the lock is alive.
    async fn keeping<T>(&self, lock: &mut dyn StoreLock, exchange: impl Future<Output = T>) -> T {
        let mut exchange = pin!(exchange);
        loop {
            match select(exchange, self.exchange.clock.sleep(TERM / 3)).await {
                Either::Left((fruit, _)) => return fruit,
                Either::Right(((), still)) => exchange = still,
            }
            if let Some(Err(error)) = within(self.exchange.clock.as_ref(), TERM / 3, lock.extend()).await {
                tracing::debug!(target: "perenso_auth::store", store = %self.store.name(), error = cause(&error), "the lock could not be extended");
            }
        }
    }

    fn supplied(&self, granted: Granted) -> Supplied {
        let lead = self.exchange.profile.renewal_lead;
        let timeline = Timeline::new(granted.sent, granted.lifetime, lead, fastrand::f64());
        Supplied { header: granted.header, timeline, _sent: Some(granted.in_flight) }
    }

    /// What the store has, if it is worth more than what is in hand. Its age is that of the moment when the store was
    /// asked: the answer may have taken its time.
    fn adopt(
        &self,
        stored: Option<&StoredTokens>,
        asked: Now,
        in_hand: Option<&Token>,
        min_validity: Duration,
    ) -> Option<Supplied> {
        let now = self.exchange.clock.now();
        let access_token = stored?.access_token.as_ref()?;
        let header = crate::oauth::token::bearer(access_token.token.expose())?;
        let is_newer =
            in_hand.is_none_or(|held| held.header() != header && access_token.age < held.timeline.age(asked));
        let lead = self.exchange.profile.renewal_lead;
        let timeline = Timeline::aged(asked, access_token.age, access_token.lifetime, lead, fastrand::f64());
        let is_good = timeline.is_live(now) && now.until(timeline.expires) >= min_validity;
        if !(is_newer && is_good) {
            return None;
        }
        self.is_back();
        Some(Supplied { header, timeline, _sent: None })
    }

    /// One word with the store, within its time; says once that the store is away.
    async fn word<T>(&self, word: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let result = within(self.exchange.clock.as_ref(), STORE_TIMEOUT, word).await.unwrap_or_else(|| {
            let detail = format!("no answer within {STORE_TIMEOUT:?}");
            Err(StoreError::new(StoreErrorKind::Unavailable, detail))
        });
        if let Err(error) = &result
            && error.kind() == StoreErrorKind::Unavailable
            && !self.store_is_away.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(
                target: "perenso_auth::store",
                store = %self.store.name(),
                error = cause(error),
                "the token store is away: this process goes on alone, and its tokens live on in it alone"
            );
        }
        result
    }

    /// The store did what it is for: a token came from it or went into it. That it can be read alone is not enough.
    fn is_back(&self) {
        if self.store_is_away.swap(false, Ordering::Relaxed) {
            tracing::info!(target: "perenso_auth::store", store = %self.store.name(), "the token store is back");
        }
    }
}

/// What an exchange brought, and whether the store has to know.
struct ExchangeResult {
    delivery: RenewalOutcome,
    changed: bool,
}

impl Supplied {
    fn stored(&self, now: Now) -> Option<StoredAccessToken> {
        stored(&self.header, self.timeline, now)
    }
}

fn stored(header: &HeaderValue, timeline: Timeline, now: Now) -> Option<StoredAccessToken> {
    let token = crate::oauth::token::without_scheme(header)?;
    Some(StoredAccessToken::new(Secret::from(token), timeline.lifetime, timeline.age(now)))
}

/// For the log, which tells the causes of an error as well.
fn cause(error: &StoreError) -> &(dyn std::error::Error + 'static) {
    error
}
