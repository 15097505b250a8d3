//! Stores that keep and share tokens.
//!
//! A renewal calls [`load`](TokenStore::load) and uses a token stored by another process. If there is none, it calls
//! [`try_lock`](TokenStore::try_lock), loads once more, exchanges, calls [`save`](StoreLock::save) before the token is used,
//! and then [`release`](StoreLock::release). If the store fails, the process renews without it and logs that once; grants
//! that need a person wait for the store.
//!
//! # A store of your own
//! A store implements two traits with [`async_trait`](macro@async_trait). It guarantees three things: a save is atomic, a
//! lock has one holder, and the age of a stored token grows. It may return or leave out expired tokens.
//!
//! ```
//! use std::{borrow::Cow, collections::HashMap, sync::Arc, time::Duration};
//!
//! use perenso_auth::{Identity, clock::Now, store::*};
//! use tokio::sync::{Mutex, OwnedMutexGuard};
//!
//! type Entry = Option<(StoredTokens, Now)>;
//!
//! #[derive(Clone, Debug, Default)]
//! struct MapStore {
//!     // The lock of an identity, and its tokens.
//!     entries: Arc<std::sync::Mutex<HashMap<String, (Arc<Mutex<()>>, Entry)>>>,
//! }
//!
//! impl MapStore {
//!     fn read(&self, key: &str, now: Now) -> Option<StoredTokens> {
//!         let entries = self.entries.lock().unwrap();
//!         let (tokens, since) = entries.get(key)?.1.as_ref()?;
//!         let mut tokens = tokens.clone();
//!         if let Some(access) = &mut tokens.access_token {
//!             // The larger difference: either clock may have stopped.
//!             let wall = now.wall.duration_since(since.wall).unwrap_or_default();
//!             access.age += wall.max(now.monotonic - since.monotonic);
//!         }
//!         Some(tokens)
//!     }
//! }
//!
//! #[async_trait]
//! impl TokenStore for MapStore {
//!     fn name(&self) -> Cow<'static, str> {
//!         "a map".into()
//!     }
//!
//!     fn is_durable(&self) -> bool {
//!         false
//!     }
//!
//!     async fn load(
//!         &self,
//!         identity: &Identity,
//!         now: Now,
//!     ) -> Result<Option<StoredTokens>, StoreError> {
//!         Ok(self.read(identity.key(), now))
//!     }
//!
//!     // A lock that is released when its holder is dropped needs no term.
//!     async fn try_lock(
//!         &self,
//!         identity: &Identity,
//!         _: Duration,
//!     ) -> Result<Option<Box<dyn StoreLock>>, StoreError> {
//!         let key = identity.key().to_owned();
//!         let mut entries = self.entries.lock().unwrap();
//!         let lock = entries.entry(key.clone()).or_default().0.clone();
//!         drop(entries);
//!         let Ok(guard) = lock.try_lock_owned() else { return Ok(None) };
//!         Ok(Some(Box::new(MapLock { store: self.clone(), key, _guard: guard })))
//!     }
//! }
//!
//! #[derive(Debug)]
//! struct MapLock {
//!     store: MapStore,
//!     key: String,
//!     _guard: OwnedMutexGuard<()>,
//! }
//!
//! #[async_trait]
//! impl StoreLock for MapLock {
//!     async fn load(&mut self, now: Now) -> Result<Option<StoredTokens>, StoreError> {
//!         Ok(self.store.read(&self.key, now))
//!     }
//!
//!     async fn save(
//!         &mut self,
//!         tokens: &StoredTokens,
//!         now: Now,
//!     ) -> Result<(), StoreError> {
//!         let mut entries = self.store.entries.lock().unwrap();
//!         entries.get_mut(&self.key).unwrap().1 = Some((tokens.clone(), now));
//!         Ok(())
//!     }
//!
//!     async fn extend(&mut self) -> Result<(), StoreError> {
//!         Ok(())
//!     }
//!
//!     async fn release(self: Box<Self>) {}
//! }
//!
//! use perenso_auth::{Client, Credentials, Profile};
//! let client = Client::builder(Profile::perenso())
//!     .credentials(Credentials::new("show", "s3cr3t"))
//!     .store(MapStore::default());
//! # client.build().unwrap();
//! ```

use std::{borrow::Cow, error::Error as StdError, fmt, sync::Arc, time::Duration};

pub use async_trait::async_trait;

use crate::{clock::Now, secret::Secret, store::identity::Identity};

mod file;
pub(crate) mod identity;
mod memory;
#[cfg(feature = "redis")]
pub(crate) mod redis;

#[cfg(feature = "redis")]
pub use self::redis::{RedisStore, RedisStoreBuilder};
pub use file::FileStore;
pub use memory::MemoryStore;

/// A store of tokens by identity. Its lock lets one holder at a time renew the tokens of an identity.
///
/// [`MemoryStore`] shares within a process. Another store implements this trait and [`StoreLock`]. The methods are called
/// on renewals only, never on a cache hit.
///
/// They run on the tokio runtime of one renewal, which ends with that renewal, so that a program can exit meanwhile without
/// losing tokens. A store that keeps connections opens one for each runtime.
#[async_trait]
pub trait TokenStore: fmt::Debug + Send + Sync + 'static {
    /// The name of the store in logs and errors.
    fn name(&self) -> Cow<'static, str>;

    /// Returns true if stored tokens outlive the process.
    fn is_durable(&self) -> bool;

    /// Loads the tokens of this identity, with their age at `now`. Returns `None` if there are none.
    ///
    /// # Errors
    /// [`StoreError`] of the kind [`Unavailable`](StoreErrorKind::Unavailable) if the store cannot be reached, of the kind
    /// [`Unusable`](StoreErrorKind::Unusable) if its content cannot be read as tokens.
    async fn load(&self, identity: &Identity, now: Now) -> Result<Option<StoredTokens>, StoreError>;

    /// Takes the lock of this identity for `term`, by the clock of the store, without waiting. The holder can extend it.
    /// Returns `None` while another holds it.
    ///
    /// # Errors
    /// [`StoreError`] of the kind [`Unavailable`](StoreErrorKind::Unavailable).
    async fn try_lock(&self, identity: &Identity, term: Duration) -> Result<Option<Box<dyn StoreLock>>, StoreError>;
}

#[async_trait]
impl<S: TokenStore + ?Sized> TokenStore for Arc<S> {
    fn name(&self) -> Cow<'static, str> {
        (**self).name()
    }

    fn is_durable(&self) -> bool {
        (**self).is_durable()
    }

    async fn load(&self, identity: &Identity, now: Now) -> Result<Option<StoredTokens>, StoreError> {
        (**self).load(identity, now).await
    }

    async fn try_lock(&self, identity: &Identity, term: Duration) -> Result<Option<Box<dyn StoreLock>>, StoreError> {
        (**self).try_lock(identity, term).await
    }
}

/// The lock on the tokens of one identity. A dropped lock is released at once, or at the end of its term.
#[async_trait]
pub trait StoreLock: fmt::Debug + Send + Sync {
    /// Loads the tokens of the locked identity, as [`TokenStore::load`] does.
    ///
    /// # Errors
    /// Fails as [`TokenStore::load`] does.
    async fn load(&mut self, now: Now) -> Result<Option<StoredTokens>, StoreError>;

    /// Replaces the stored tokens, atomically. Fails if the lock was lost and another holder has written since.
    ///
    /// # Errors
    /// [`StoreError`] of the kind [`Unavailable`](StoreErrorKind::Unavailable), or
    /// [`LockLost`](StoreErrorKind::LockLost).
    async fn save(&mut self, tokens: &StoredTokens, now: Now) -> Result<(), StoreError>;

    /// Restarts the term.
    ///
    /// # Errors
    /// Fails as [`save`](Self::save) does.
    async fn extend(&mut self) -> Result<(), StoreError>;

    /// Releases the lock.
    async fn release(self: Box<Self>);
}

/// The stored tokens of one identity. A store creates a value with [`default`](Default::default) and fills it.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct StoredTokens {
    /// The access token, if there is one. A store may leave out an expired one.
    pub access_token: Option<StoredAccessToken>,
    /// The refresh token, if there is one.
    pub refresh_token: Option<StoredRefreshToken>,
    /// The fingerprint of the authorization code, or of the refresh token in the credentials, that is used up and never sent
    /// again.
    pub spent: Option<String>,
}

/// An access token in a store.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StoredAccessToken {
    /// The token, without the word `Bearer`.
    pub token: Secret,
    /// Its whole lifetime, from the token request.
    pub lifetime: Duration,
    /// The time since the token request.
    pub age: Duration,
}

impl StoredAccessToken {
    /// Creates an access token with its lifetime and age.
    #[must_use]
    pub fn new(token: Secret, lifetime: Duration, age: Duration) -> Self {
        Self { token, lifetime, age }
    }

    /// The remaining lifetime.
    #[must_use]
    pub fn expires_in(&self) -> Duration {
        self.lifetime.saturating_sub(self.age)
    }
}

/// A refresh token in a store.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StoredRefreshToken {
    /// The token.
    pub token: Secret,
    /// The remaining lifetime, if the server states it.
    pub expires_in: Option<Duration>,
}

impl StoredRefreshToken {
    /// Creates a refresh token with its remaining lifetime, if known.
    #[must_use]
    pub fn new(token: Secret, expires_in: Option<Duration>) -> Self {
        Self { token, expires_in }
    }
}

/// The kind of a [`StoreError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The store could not be reached, read or written.
    Unavailable,
    /// The content cannot be read as tokens. It is ignored and replaced.
    Unusable,
    /// The lock was lost, and another holder has written since.
    LockLost,
}

/// The error of a store. Its message holds no token.
#[derive(Clone)]
pub struct StoreError {
    kind: StoreErrorKind,
    detail: Cow<'static, str>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl StoreError {
    /// Creates an error. Its detail names what was tried, what was found, and what to do.
    pub fn new(kind: StoreErrorKind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, detail: detail.into(), source: None }
    }

    /// Adds the cause.
    #[must_use]
    pub fn because(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// The kind of the error.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl StdError for StoreError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
