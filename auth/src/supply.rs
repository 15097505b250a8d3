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
    credentials::{Credentials, Proof},
    exchange::{Exchange, Outcome},
    fault::Fault,
    secret::Secret,
    store::{StoreError, StoreErrorKind, StoreLock, StoredAccessToken, StoredRefreshToken, StoredTokens, TokenStore},
    token::{Timeline, Token},
};

/// How long a lock stands when its holder gives no sign of life: whoever waits for one that was killed waits so long.
const TERM: Duration = Duration::from_secs(5);
/// How long one word with the store may take.
const STORE_PATIENCE: Duration = Duration::from_secs(3);
/// The pause between two looks at a lock that another holds; it grows up to the longest.
const FIRST_LOOK: Duration = Duration::from_millis(20);
const LONGEST_LOOK: Duration = Duration::from_millis(250);

/// Gets tokens of one identity.
#[derive(Debug)]
pub(crate) struct Supply {
    pub(crate) exchange: Exchange,
    store: Arc<dyn TokenStore>,
    /// Whether anybody else may use the store.
    is_shared: bool,
    store_is_away: AtomicBool,
}

/// What a process remembers from one renewal to the next, whatever becomes of the store.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    refresh_token: Option<(Secret, Option<Now>)>,
    /// The fingerprint of what the person brought and is used up.
    spent: Option<String>,
    /// The store does not have it.
    unsaved: bool,
}

/// What a renewal brought.
pub(crate) struct Delivery {
    pub(crate) result: Result<Supplied, Fault>,
    pub(crate) memory: Memory,
}

/// A token on its way into the cache.
pub(crate) struct Supplied {
    pub(crate) header: HeaderValue,
    pub(crate) timeline: Timeline,
}

impl Supply {
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
        let exchange = self.exchange.policy.longest();
        // A sibling's renewal, the own one, and a few words with the store.
        if self.is_shared { exchange.saturating_mul(2).saturating_add(TERM + STORE_PATIENCE * 5) } else { exchange }
    }

    /// A token other than the one in hand, and newer, that lives at least `min_validity` longer.
    pub(crate) async fn fetch(&self, memory: Memory, in_hand: Option<&Token>, min_validity: Duration) -> Delivery {
        let credentials = match self.exchange.credentials().await {
            Ok(credentials) => credentials,
            Err(fault) => return Delivery { result: Err(fault), memory },
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
                    error = &fault as &(dyn std::error::Error + 'static),
                    "no other credentials after a refusal"
                );
                delivery
            }
        }
    }

    async fn fetch_with(
        &self,
        credentials: &Credentials,
        memory: Memory,
        in_hand: Option<&Token>,
        min_validity: Duration,
    ) -> Delivery {
        let problems = credentials.problems(&self.exchange.profile);
        if !problems.is_empty() {
            let fault = Fault::Credentials { detail: problems.join("; "), source: None };
            return Delivery { result: Err(fault), memory };
        }
        let identity = self.exchange.identity(credentials);
        // Where nobody shares the store, only a renewal of our own that was given up for dead can hold the lock.
        let patience =
            if self.is_shared { self.exchange.policy.longest().saturating_add(TERM) } else { Duration::ZERO };
        let started = self.exchange.clock.monotonic();
        let mut look = FIRST_LOOK;
        loop {
            match self.word(self.store.load(&identity, self.exchange.clock.now())).await {
                Ok(stored) => {
                    if let Some(adopted) = self.adopt(stored.as_ref(), in_hand, min_validity) {
                        return Delivery { result: Ok(adopted), memory: memory.and(stored, self.exchange.clock.now()) };
                    }
                }
                Err(error) if error.kind() == StoreErrorKind::Unusable => {}
                Err(_) => return self.fetch_alone(credentials, memory).await,
            }
            match self.word(self.store.try_lock(&identity, TERM)).await {
                Ok(Some(lock)) => return self.fetch_locked(lock, credentials, memory, in_hand, min_validity).await,
                Ok(None) => {}
                Err(_) => return self.fetch_alone(credentials, memory).await,
            }
            if self.exchange.clock.monotonic().saturating_duration_since(started) >= patience {
                tracing::warn!(store = %self.store.name(), "the lock of the tokens is not given back; renewing without it");
                return self.fetch_alone(credentials, memory).await;
            }
            self.exchange.clock.sleep(look.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
            look = (look * 2).min(LONGEST_LOOK);
        }
    }

    async fn fetch_locked(
        &self,
        mut lock: Box<dyn StoreLock>,
        credentials: &Credentials,
        memory: Memory,
        in_hand: Option<&Token>,
        min_validity: Duration,
    ) -> Delivery {
        let now = self.exchange.clock.now();
        let delivery = match self.word(lock.load(now)).await {
            Ok(stored) => match self.adopt(stored.as_ref(), in_hand, min_validity) {
                Some(adopted) => Delivery { result: Ok(adopted), memory: memory.and(stored, now) },
                None => self.renew(lock.as_mut(), credentials, memory.and(stored, now)).await,
            },
            Err(error) if error.kind() == StoreErrorKind::Unusable => {
                tracing::warn!(store = %self.store.name(), error = cause(&error), "what the store holds is replaced");
                self.renew(lock.as_mut(), credentials, memory).await
            }
            Err(_) => self.fetch_alone(credentials, memory).await,
        };
        lock.release().await;
        delivery
    }

    /// An exchange inside the lock, and what came of it into the store.
    async fn renew(&self, lock: &mut dyn StoreLock, credentials: &Credentials, memory: Memory) -> Delivery {
        let refresh_token = memory.refresh_token(credentials);
        let exchange = self.exchange.run(credentials, refresh_token.as_ref(), memory.is_spent(credentials));
        let outcome = if self.is_shared { self.keeping(lock, exchange).await } else { exchange.await };
        let changed = outcome.result.is_ok() || outcome.refresh_token_is_spent || outcome.proof_is_spent;
        let (access_token, mut delivery) = self.digest(outcome, credentials, memory);
        if changed {
            let now = self.exchange.clock.now();
            let tokens = delivery.memory.stored(access_token, now);
            delivery.memory.unsaved = match self.word(lock.save(&tokens, now)).await {
                Ok(()) => false,
                // Whoever took the lock over has written something newer: from now on that counts.
                Err(error) if error.kind() == StoreErrorKind::LockLost => {
                    tracing::debug!(store = %self.store.name(), error = cause(&error), "a sibling has stored newer tokens");
                    false
                }
                Err(error) => {
                    tracing::warn!(store = %self.store.name(), error = cause(&error), "the tokens could not be stored: they live on in this process alone");
                    true
                }
            };
        }
        delivery
    }

    /// An exchange while the store is away.
    async fn fetch_alone(&self, credentials: &Credentials, memory: Memory) -> Delivery {
        let refresh_token = memory.refresh_token(credentials);
        let outcome = self.exchange.run(credentials, refresh_token.as_ref(), memory.is_spent(credentials)).await;
        let (_, mut delivery) = self.digest(outcome, credentials, memory);
        delivery.memory.unsaved = true;
        delivery
    }

    /// Drives the exchange to its end, and shows meanwhile that the holder of the lock is alive.
    async fn keeping(&self, lock: &mut dyn StoreLock, exchange: impl Future<Output = Outcome>) -> Outcome {
        let mut exchange = pin!(exchange);
        loop {
            match select(exchange, self.exchange.clock.sleep(TERM / 3)).await {
                Either::Left((outcome, _)) => return outcome,
                Either::Right(((), still)) => exchange = still,
            }
            if let Some(Err(error)) = within(self.exchange.clock.as_ref(), TERM / 3, lock.extend()).await {
                tracing::debug!(store = %self.store.name(), error = cause(&error), "the lock could not be extended");
            }
        }
    }

    fn digest(
        &self,
        outcome: Outcome,
        credentials: &Credentials,
        mut memory: Memory,
    ) -> (Option<StoredAccessToken>, Delivery) {
        if outcome.refresh_token_is_spent {
            if matches!(credentials.proof, Proof::RefreshToken(_)) && memory.refresh_token.is_none() {
                memory.spent = credentials.once_only();
            }
            memory.refresh_token = None;
        }
        if outcome.proof_is_spent {
            memory.spent = credentials.once_only();
        }
        match outcome.result {
            Ok(granted) => {
                if let Some(token) = granted.refresh_token {
                    let ends = granted.refresh_expires_in.map(|lifetime| granted.sent.plus(lifetime));
                    memory.refresh_token = Some((token, ends));
                }
                let lead = self.exchange.profile.renewal_lead;
                let timeline = Timeline::new(granted.sent, granted.lifetime, lead, fastrand::f64());
                let age = timeline.age(self.exchange.clock.now());
                let access_token = crate::token::without_scheme(&granted.header)
                    .map(|token| StoredAccessToken::new(Secret::from(token), timeline.lifetime, age));
                (access_token, Delivery { result: Ok(Supplied { header: granted.header, timeline }), memory })
            }
            Err(fault) => (None, Delivery { result: Err(fault), memory }),
        }
    }

    /// What the store has, if it is worth more than what is in hand.
    fn adopt(
        &self,
        stored: Option<&StoredTokens>,
        in_hand: Option<&Token>,
        min_validity: Duration,
    ) -> Option<Supplied> {
        let now = self.exchange.clock.now();
        let access_token = stored?.access_token.as_ref()?;
        let header = crate::token::bearer(access_token.token.expose())?;
        let is_newer = in_hand.is_none_or(|held| held.header() != header && access_token.age < held.timeline.age(now));
        let lead = self.exchange.profile.renewal_lead;
        let timeline = Timeline::aged(now, access_token.age, access_token.lifetime, lead, fastrand::f64());
        let is_good = timeline.is_live(now) && now.until(timeline.expires) >= min_validity;
        (is_newer && is_good).then_some(Supplied { header, timeline })
    }

    /// One word with the store, within its time; says once that the store is away, and once that it is back.
    async fn word<T>(&self, word: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let result = within(self.exchange.clock.as_ref(), STORE_PATIENCE, word).await.unwrap_or_else(|| {
            let detail = format!("no answer within {STORE_PATIENCE:?}");
            Err(StoreError::new(StoreErrorKind::Unavailable, detail))
        });
        let is_away = matches!(&result, Err(error) if error.kind() == StoreErrorKind::Unavailable);
        if self.store_is_away.swap(is_away, Ordering::Relaxed) != is_away {
            match &result {
                Err(error) => {
                    tracing::warn!(store = %self.store.name(), error = cause(error), "the token store is away: this process goes on alone");
                }
                Ok(_) => tracing::info!(store = %self.store.name(), "the token store is back"),
            }
        }
        result
    }
}

impl Memory {
    /// What the store holds, over what is remembered, unless the store lacks it.
    fn and(self, stored: Option<StoredTokens>, now: Now) -> Self {
        let Some(stored) = stored.filter(|_| !self.unsaved) else { return self };
        let refresh_token =
            stored.refresh_token.map(|refresh| (refresh.token, refresh.expires_in.map(|left| now.plus(left))));
        Self { refresh_token: refresh_token.or(self.refresh_token), spent: stored.spent.or(self.spent), unsaved: false }
    }

    /// The refresh token to use: the newest one, else the one that the credentials came with.
    fn refresh_token(&self, credentials: &Credentials) -> Option<Secret> {
        let own = match &credentials.proof {
            Proof::RefreshToken(token) if !self.is_spent(credentials) => Some(token.clone()),
            _ => None,
        };
        self.refresh_token.as_ref().map(|(token, _)| token.clone()).or(own)
    }

    fn is_spent(&self, credentials: &Credentials) -> bool {
        let once_only = credentials.once_only();
        once_only.is_some() && once_only == self.spent
    }

    fn stored(&self, access_token: Option<StoredAccessToken>, now: Now) -> StoredTokens {
        let refresh_token = self
            .refresh_token
            .as_ref()
            .map(|(token, ends)| StoredRefreshToken::new(token.clone(), ends.map(|ends| now.until(ends))));
        StoredTokens { access_token, refresh_token, spent: self.spent.clone() }
    }
}

/// For the log, which tells the causes of an error as well.
fn cause(error: &StoreError) -> &(dyn std::error::Error + 'static) {
    error
}
