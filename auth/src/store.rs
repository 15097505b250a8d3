//! Where tokens are kept and shared: the trait, what it keeps, and how it fails. One file per store.
//!
//! A renewal goes like this: [`load`](TokenStore::load), and take what a sibling has put there; else
//! [`try_lock`](TokenStore::try_lock), read once more inside the lock, exchange, [`save`](StoreLock::save) before use,
//! [`release`](StoreLock::release). A store that fails stops no renewal: the process goes on alone, and says so once.
//!
//! # A store of your own
//! Two traits, made with [`async_trait`](macro@async_trait). All that a store has to promise: a save is whole or not at all, a lock has one holder,
//! and tokens grow older while they lie there. A token that has ended may be given or left out.
//!
//! ```
//! use std::{borrow::Cow, collections::HashMap, sync::Arc, time::Duration};
//!
//! use perenso_auth::{Identity, clock::Now, store::*};
//! use tokio::sync::{Mutex, OwnedMutexGuard};
//!
//! type Kept = Option<(StoredTokens, Now)>;
//!
//! #[derive(Clone, Debug, Default)]
//! struct Drawer {
//!     // The lock of an identity, and what is kept of it.
//!     boxes: Arc<std::sync::Mutex<HashMap<String, (Arc<Mutex<()>>, Kept)>>>,
//! }
//!
//! impl Drawer {
//!     fn read(&self, key: &str, now: Now) -> Option<StoredTokens> {
//!         let boxes = self.boxes.lock().unwrap();
//!         let (tokens, since) = boxes.get(key)?.1.as_ref()?;
//!         let mut tokens = tokens.clone();
//!         if let Some(access) = &mut tokens.access_token {
//!             // The clock that says more: one of them may have stood still.
//!             let on_the_wall = now.wall.duration_since(since.wall).unwrap_or_default();
//!             access.age += on_the_wall.max(now.monotonic - since.monotonic);
//!         }
//!         Some(tokens)
//!     }
//! }
//!
//! #[async_trait]
//! impl TokenStore for Drawer {
//!     fn name(&self) -> Cow<'static, str> {
//!         "a drawer".into()
//!     }
//!
//!     fn is_durable(&self) -> bool {
//!         false
//!     }
//!
//!     async fn load(&self, identity: &Identity, now: Now) -> Result<Option<StoredTokens>, StoreError> {
//!         Ok(self.read(identity.key(), now))
//!     }
//!
//!     // A lock that is free as soon as its holder is gone needs no term.
//!     async fn try_lock(&self, identity: &Identity, _: Duration) -> Result<Option<Box<dyn StoreLock>>, StoreError> {
//!         let lock = self.boxes.lock().unwrap().entry(identity.key().to_owned()).or_default().0.clone();
//!         let Ok(guard) = lock.try_lock_owned() else { return Ok(None) };
//!         Ok(Some(Box::new(Open { drawer: self.clone(), key: identity.key().to_owned(), _guard: guard })))
//!     }
//! }
//!
//! #[derive(Debug)]
//! struct Open {
//!     drawer: Drawer,
//!     key: String,
//!     _guard: OwnedMutexGuard<()>,
//! }
//!
//! #[async_trait]
//! impl StoreLock for Open {
//!     async fn load(&mut self, now: Now) -> Result<Option<StoredTokens>, StoreError> {
//!         Ok(self.drawer.read(&self.key, now))
//!     }
//!
//!     async fn save(&mut self, tokens: &StoredTokens, now: Now) -> Result<(), StoreError> {
//!         self.drawer.boxes.lock().unwrap().get_mut(&self.key).unwrap().1 = Some((tokens.clone(), now));
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
//! let client = Client::builder(Profile::perenso()).credentials(Credentials::new("show", "s3cr3t")).store(Drawer::default());
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

/// Keeps the tokens of any number of identities, and lets one holder at a time renew those of one.
///
/// [`MemoryStore`] shares within a process. A store of your own implements this trait and [`StoreLock`]; the methods are
/// called on renewals only, never on a hit.
///
/// They run on a tokio runtime of the renewal, which ends with it, so that a program can end meanwhile and lose nothing. A
/// store that keeps connections opens one for each runtime.
#[async_trait]
pub trait TokenStore: fmt::Debug + Send + Sync + 'static {
    /// What logs and errors call it.
    fn name(&self) -> Cow<'static, str>;

    /// Whether what it keeps outlives the process.
    fn is_durable(&self) -> bool;

    /// What is kept for this identity, with its age at `now`; `None` when nothing is.
    ///
    /// # Errors
    /// [`StoreError`] of the kind [`Unavailable`](StoreErrorKind::Unavailable) when the store cannot be asked, of the kind
    /// [`Unusable`](StoreErrorKind::Unusable) when what it holds makes no sense.
    async fn load(&self, identity: &Identity, now: Now) -> Result<Option<StoredTokens>, StoreError>;

    /// The lock of this identity, for `term` (by whatever clock the store has) and as long as it is extended; `None` while
    /// another holds it. Does not wait.
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

/// The right to renew the tokens of one identity. One that is dropped is free at once, or at the end of its term.
#[async_trait]
pub trait StoreLock: fmt::Debug + Send + Sync {
    /// As [`TokenStore::load`], of the identity that is locked.
    ///
    /// # Errors
    /// As [`TokenStore::load`].
    async fn load(&mut self, now: Now) -> Result<Option<StoredTokens>, StoreError>;

    /// Keeps these tokens, whole or not at all, in place of what was there. Refused when the lock was lost and somebody
    /// else has written since.
    ///
    /// # Errors
    /// [`StoreError`] of the kind [`Unavailable`](StoreErrorKind::Unavailable), or
    /// [`LockLost`](StoreErrorKind::LockLost).
    async fn save(&mut self, tokens: &StoredTokens, now: Now) -> Result<(), StoreError>;

    /// Begins the term anew.
    ///
    /// # Errors
    /// As [`save`](Self::save).
    async fn extend(&mut self) -> Result<(), StoreError>;

    /// Gives the lock back.
    async fn release(self: Box<Self>);
}

/// What is kept for one identity. A store makes one from [`default`](Default::default) and fills it.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct StoredTokens {
    /// The access token, where there is one; a store may leave out one that has ended.
    pub access_token: Option<StoredAccessToken>,
    /// The refresh token, where there is one.
    pub refresh_token: Option<StoredRefreshToken>,
    /// A fingerprint of the authorization code, or of the refresh token in the credentials, that is used up: it is never
    /// sent again.
    pub spent: Option<String>,
}

/// An access token in a store.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StoredAccessToken {
    /// The token, without the word `Bearer`.
    pub token: Secret,
    /// How long it lives in all, from the moment it was asked for.
    pub lifetime: Duration,
    /// How long ago it was asked for.
    pub age: Duration,
}

impl StoredAccessToken {
    /// An access token with its whole life and what is gone of it.
    #[must_use]
    pub fn new(token: Secret, lifetime: Duration, age: Duration) -> Self {
        Self { token, lifetime, age }
    }

    /// What is left of its life.
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
    /// How long it lives from now, where the server says so.
    pub expires_in: Option<Duration>,
}

impl StoredRefreshToken {
    /// A refresh token, and how long it lives from now if that is known.
    #[must_use]
    pub fn new(token: Secret, expires_in: Option<Duration>) -> Self {
        Self { token, expires_in }
    }
}

/// What kind of thing went wrong with a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// It could not be reached, read or written.
    Unavailable,
    /// What it holds cannot be read as tokens: it counts as nothing, and is replaced.
    Unusable,
    /// The lock was lost, and somebody else has written since.
    LockLost,
}

/// Why a store failed. The text holds no token.
#[derive(Clone)]
pub struct StoreError {
    kind: StoreErrorKind,
    detail: Cow<'static, str>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl StoreError {
    /// An error that says what was tried, what came, and what to do.
    pub fn new(kind: StoreErrorKind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, detail: detail.into(), source: None }
    }

    /// The same, with its cause.
    #[must_use]
    pub fn because(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// What kind of thing went wrong.
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
