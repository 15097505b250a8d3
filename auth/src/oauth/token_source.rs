//! The source of tokens. It reuses a token stored by another process; otherwise it locks, exchanges, stores, and then returns
//! the token.

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

/// The term of a lock. Other processes wait that long for a holder that was killed.
const TERM: Duration = Duration::from_secs(5);
/// The timeout of one call to the store.
const STORE_TIMEOUT: Duration = Duration::from_secs(3);
/// The interval between two attempts to take a lock that another holds. It doubles up to the maximum.
const FIRST_LOCK_POLL: Duration = Duration::from_millis(20);
const MAX_LOCK_POLL: Duration = Duration::from_millis(250);

/// Gets tokens of one identity.
#[derive(Debug)]
pub(crate) struct TokenSource {
    pub(crate) exchange: Exchange,
    store: Arc<dyn TokenStore>,
    /// True if other clients may use the store.
    is_shared: bool,
    is_store_unavailable: AtomicBool,
}

/// The outcome of a renewal.
pub(crate) struct RenewalOutcome {
    pub(crate) result: Result<FetchedToken, Fault>,
    pub(crate) history: RefreshTokenHistory,
    /// True if the changes are stored; `None` if nothing changed.
    pub(crate) is_saved: Option<bool>,
}

/// A token for the cache.
pub(crate) struct FetchedToken {
    pub(crate) header: HeaderValue,
    pub(crate) timeline: Timeline,
    /// Counts the request as in flight until the token is stored and cached. `None` for a token that was read from the store.
    _sent: Option<Sent>,
}

impl TokenSource {
    /// Creates a source whose store no other client uses.
    pub(crate) fn unshared(exchange: Exchange, store: Arc<dyn TokenStore>) -> Self {
        Self { exchange, store, is_shared: false, is_store_unavailable: AtomicBool::new(false) }
    }

    /// Creates a source whose store other clients may use.
    pub(crate) fn shared(exchange: Exchange, store: Arc<dyn TokenStore>) -> Self {
        Self { is_shared: true, ..Self::unshared(exchange, store) }
    }

    /// The maximum duration of a renewal.
    pub(crate) fn longest(&self) -> Duration {
        let Exchange { policy, credentials, .. } = &self.exchange;
        let exchange = policy.longest();
        // The renewal of another process, the own one, and a few calls to the store.
        let pass =
            if self.is_shared { exchange.saturating_mul(2).saturating_add(TERM + STORE_TIMEOUT * 6) } else { exchange };
        // A provider is asked twice, and its second credentials are tried as well.
        if credentials.may_change() { pass.saturating_add(policy.attempt).saturating_mul(2) } else { pass }
    }

    /// Fetches a token that is newer than the one in hand and valid for at least `min_validity`.
    pub(crate) async fn fetch(
        &self,
        history: RefreshTokenHistory,
        in_hand: Option<&Token>,
        min_validity: Duration,
    ) -> RenewalOutcome {
        let credentials = match self.exchange.credentials().await {
            Ok(credentials) => credentials,
            Err(fault) => return RenewalOutcome { result: Err(fault), history, is_saved: None },
        };
        let renewal = self.fetch_with(&credentials, history, in_hand, min_validity).await;
        if !matches!(renewal.result, Err(Fault::Refused(_) | Fault::PersonNeeded { .. })) {
            return renewal;
        }
        match self.exchange.other_credentials(&credentials).await {
            Ok(Some(credentials)) => self.fetch_with(&credentials, renewal.history, in_hand, min_validity).await,
            Ok(None) => renewal,
            Err(fault) => {
                // The caller gets the refusal, which they can act on.
                tracing::warn!(
                    target: "perenso_auth::token",
                    error = &fault as &(dyn std::error::Error + 'static),
                    "the credentials were refused, and the provider returned no others"
                );
                renewal
            }
        }
    }

    async fn fetch_with(
        &self,
        credentials: &Credentials,
        history: RefreshTokenHistory,
        in_hand: Option<&Token>,
        min_validity: Duration,
    ) -> RenewalOutcome {
        let identity = self.exchange.identity(credentials);
        let in_hand = in_hand.filter(|_| history.belongs_to(&identity));
        let mut history = history.for_identity(&identity);
        // In a store that is not shared, only an abandoned renewal of this process can hold the lock: do not wait for it.
        let timeout = if self.is_shared { self.exchange.policy.longest().saturating_add(TERM) } else { Duration::ZERO };
        let started = self.exchange.clock.monotonic();
        let mut poll = FIRST_LOCK_POLL;
        loop {
            let asked = self.exchange.clock.now();
            match self.store_call(self.store.load(&identity, asked)).await {
                Ok(stored) => {
                    // Merged before locking, so that a renewal without the lock sends no older refresh token either.
                    history = history.merged_with(stored.as_ref(), asked);
                    if let Some(adopted) = self.adopt(stored.as_ref(), asked, in_hand, min_validity) {
                        return RenewalOutcome { result: Ok(adopted), history, is_saved: None };
                    }
                }
                Err(error) if error.kind() == StoreErrorKind::Unusable => {}
                Err(error) => return self.fetch_without_store(error, credentials, history).await,
            }
            match self.store_call(self.store.try_lock(&identity, TERM)).await {
                Ok(Some(lock)) => return self.fetch_locked(lock, credentials, history, in_hand, min_validity).await,
                Ok(None) => {}
                Err(error) => return self.fetch_without_store(error, credentials, history).await,
            }
            if self.exchange.clock.monotonic().saturating_duration_since(started) >= timeout {
                tracing::warn!(target: "perenso_auth::store", store = %self.store.name(), "the lock of the tokens is not released, continuing without it");
                let error = StoreError::new(StoreErrorKind::Unavailable, "its lock is not released");
                return self.fetch_without_store(error, credentials, history).await;
            }
            self.exchange.clock.sleep(poll.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
            poll = (poll * 2).min(MAX_LOCK_POLL);
        }
    }

    async fn fetch_locked(
        &self,
        mut lock: Box<dyn StoreLock>,
        credentials: &Credentials,
        history: RefreshTokenHistory,
        in_hand: Option<&Token>,
        min_validity: Duration,
    ) -> RenewalOutcome {
        let asked = self.exchange.clock.now();
        let renewal = match self.store_call(lock.load(asked)).await {
            Ok(stored) => {
                let history = history.merged_with(stored.as_ref(), asked);
                match self.adopt(stored.as_ref(), asked, in_hand, min_validity) {
                    Some(adopted) => RenewalOutcome { result: Ok(adopted), history, is_saved: None },
                    None => self.renew(lock.as_mut(), credentials, history).await,
                }
            }
            Err(error) if error.kind() == StoreErrorKind::Unusable => {
                tracing::warn!(target: "perenso_auth::store", store = %self.store.name(), error = cause(&error), "the content of the store cannot be used and is replaced");
                self.renew(lock.as_mut(), credentials, history).await
            }
            Err(error) => self.fetch_without_store(error, credentials, history).await,
        };
        // A lock that is not released in time expires.
        let _ = within(self.exchange.clock.as_ref(), STORE_TIMEOUT, lock.release()).await;
        renewal
    }

    /// Exchanges inside the lock, and stores the outcome.
    async fn renew(
        &self,
        lock: &mut dyn StoreLock,
        credentials: &Credentials,
        history: RefreshTokenHistory,
    ) -> RenewalOutcome {
        let exchange = self.exchange_with(credentials, history);
        let mut exchanged = if self.is_shared { self.extending(lock, exchange).await } else { exchange.await };
        if exchanged.changed {
            let now = self.exchange.clock.now();
            let access_token = exchanged.renewal.result.as_ref().ok().and_then(|fetched| fetched.stored(now));
            let tokens = exchanged.renewal.history.stored(access_token, now);
            exchanged.renewal.is_saved = Some(self.save_locked(lock, &tokens, now).await);
        }
        exchanged.renewal
    }

    /// Stores tokens inside the lock. Returns true if the store has these or newer ones.
    async fn save_locked(&self, lock: &mut dyn StoreLock, tokens: &StoredTokens, now: Now) -> bool {
        match self.store_call(lock.save(tokens, now)).await {
            Ok(()) => {
                self.record_available();
                true
            }
            // Another process has taken the lock and stored newer tokens, which count from now on.
            Err(error) if error.kind() == StoreErrorKind::LockLost => {
                tracing::debug!(target: "perenso_auth::store", store = %self.store.name(), error = cause(&error), "another process has stored newer tokens");
                true
            }
            Err(error) => {
                tracing::debug!(target: "perenso_auth::store", store = %self.store.name(), error = cause(&error), "the tokens are kept in memory only");
                false
            }
        }
    }

    /// Exchanges while the store is unavailable, unless the grant needs a person and its tokens must not be lost.
    async fn fetch_without_store(
        &self,
        error: StoreError,
        credentials: &Credentials,
        history: RefreshTokenHistory,
    ) -> RenewalOutcome {
        if self.is_shared && credentials.grant().needs_a_person() && !self.exchange.memory_only {
            return RenewalOutcome { result: Err(Fault::StoreAway(error)), history, is_saved: None };
        }
        let mut exchanged = self.exchange_with(credentials, history).await;
        exchanged.renewal.is_saved = exchanged.changed.then_some(false);
        exchanged.renewal
    }

    /// Stores tokens that could not be stored after their renewal. Returns true if the store has these or newer ones.
    pub(crate) async fn save(&self, history: &RefreshTokenHistory, token: Option<&Token>) -> bool {
        let Ok(credentials) = self.exchange.credentials().await else { return false };
        let identity = self.exchange.identity(&credentials);
        if !history.belongs_to(&identity) {
            return true;
        }
        let Ok(Some(mut lock)) = self.store_call(self.store.try_lock(&identity, TERM)).await else { return false };
        let now = self.exchange.clock.now();
        let is_newer = match self.store_call(lock.load(now)).await {
            Ok(stored) => Some(stored.is_some_and(|stored| history.is_older_than(&stored))),
            Err(error) => (error.kind() == StoreErrorKind::Unusable).then_some(false),
        };
        let is_saved = match is_newer {
            None => false,
            Some(true) => true,
            Some(false) => {
                let now = self.exchange.clock.now();
                let access_token = token.and_then(|token| stored(&token.header(), token.timeline, now));
                self.save_locked(lock.as_mut(), &history.stored(access_token, now), now).await
            }
        };
        let _ = within(self.exchange.clock.as_ref(), STORE_TIMEOUT, lock.release()).await;
        is_saved
    }

    /// Removes the tokens from the store, once nobody renews them.
    pub(crate) async fn remove_stored(&self) -> Result<(), StoreError> {
        let unavailable = |detail: String| StoreError::new(StoreErrorKind::Unavailable, detail);
        let credentials = self.exchange.credentials().await.map_err(|fault| unavailable(fault.to_string()))?;
        let identity = self.exchange.identity(&credentials);
        let clock = self.exchange.clock.as_ref();
        let deadline = clock.now().monotonic + TERM;
        let mut lock = loop {
            match self.store_call(self.store.try_lock(&identity, TERM)).await? {
                Some(lock) => break lock,
                None if clock.now().monotonic < deadline => clock.sleep(MAX_LOCK_POLL).await,
                None => {
                    return Err(unavailable(
                        "another process renews the tokens: try again when it has ended".to_owned(),
                    ));
                }
            }
        };
        let removed = self.store_call(lock.save(&StoredTokens::default(), clock.now())).await;
        let _ = within(clock, STORE_TIMEOUT, lock.release()).await;
        removed
    }

    /// Waits until the outcome of every token request in flight is stored, for at most one attempt and one save.
    pub(crate) fn nothing_unsaved(&self) -> impl Future<Output = ()> + Send + 'static {
        self.exchange.in_flight.none_left(self.exchange.policy.attempt.saturating_add(STORE_TIMEOUT))
    }

    /// Exchanges, and exchanges again if the refresh token was refused and the history has another.
    async fn exchange_with(&self, credentials: &Credentials, mut history: RefreshTokenHistory) -> ExchangeResult {
        let mut changed = false;
        loop {
            let refresh_token = history.refresh_token(credentials);
            let is_spent = history.is_spent(credentials);
            let outcome = self.exchange.run(credentials, refresh_token.as_ref(), is_spent).await;
            changed |= outcome.result.is_ok() || outcome.refresh_token_is_spent || outcome.grant_is_spent;
            history.record(&outcome, refresh_token.as_ref(), credentials);
            let is_final = !matches!(outcome.result, Err(Fault::PersonNeeded { .. }));
            if is_final || history.refresh_token(credentials).is_none() {
                let result = outcome.result.map(|granted| self.fetched_token(granted));
                return ExchangeResult { renewal: RenewalOutcome { result, history, is_saved: None }, changed };
            }
        }
    }

    /// Runs the exchange and extends the lock meanwhile.
    async fn extending<T>(&self, lock: &mut dyn StoreLock, exchange: impl Future<Output = T>) -> T {
        let mut exchange = pin!(exchange);
        loop {
            match select(exchange, self.exchange.clock.sleep(TERM / 3)).await {
                Either::Left((exchanged, _)) => return exchanged,
                Either::Right(((), still)) => exchange = still,
            }
            if let Some(Err(error)) = within(self.exchange.clock.as_ref(), TERM / 3, lock.extend()).await {
                tracing::debug!(target: "perenso_auth::store", store = %self.store.name(), error = cause(&error), "the lock could not be extended");
            }
        }
    }

    fn fetched_token(&self, granted: Granted) -> FetchedToken {
        let lead = self.exchange.profile.renewal_lead;
        let timeline = Timeline::new(granted.sent, granted.lifetime, lead, fastrand::f64());
        FetchedToken { header: granted.header, timeline, _sent: Some(granted.in_flight) }
    }

    /// Returns the stored token if it is newer than the one in hand. Its age is counted from `asked`, since the store may have
    /// been slow.
    fn adopt(
        &self,
        stored: Option<&StoredTokens>,
        asked: Now,
        in_hand: Option<&Token>,
        min_validity: Duration,
    ) -> Option<FetchedToken> {
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
        self.record_available();
        Some(FetchedToken { header, timeline, _sent: None })
    }

    /// Calls the store within its timeout. Logs once that the store is unavailable.
    async fn store_call<T>(&self, call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let result = within(self.exchange.clock.as_ref(), STORE_TIMEOUT, call).await.unwrap_or_else(|| {
            let detail = format!("no response within {STORE_TIMEOUT:?}");
            Err(StoreError::new(StoreErrorKind::Unavailable, detail))
        });
        if let Err(error) = &result
            && error.kind() == StoreErrorKind::Unavailable
            && !self.is_store_unavailable.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(
                target: "perenso_auth::store",
                store = %self.store.name(),
                error = cause(error),
                "the token store is unavailable: this process renews without it and keeps its tokens in memory"
            );
        }
        result
    }

    /// Records that a token was read from or written to the store. An empty read is no proof, since an unavailable store may
    /// look empty.
    fn record_available(&self) {
        if self.is_store_unavailable.swap(false, Ordering::Relaxed) {
            tracing::info!(target: "perenso_auth::store", store = %self.store.name(), "the token store is available again");
        }
    }
}

/// The outcome of an exchange, and whether it has to be stored.
struct ExchangeResult {
    renewal: RenewalOutcome,
    changed: bool,
}

impl FetchedToken {
    fn stored(&self, now: Now) -> Option<StoredAccessToken> {
        stored(&self.header, self.timeline, now)
    }
}

fn stored(header: &HeaderValue, timeline: Timeline, now: Now) -> Option<StoredAccessToken> {
    let token = crate::oauth::token::without_scheme(header)?;
    Some(StoredAccessToken::new(Secret::from(token), timeline.lifetime, timeline.age(now)))
}

/// Returns the error in the form that the log records with its causes.
fn cause(error: &StoreError) -> &(dyn std::error::Error + 'static) {
    error
}
