//! A token store in memory, shared by the clients of one process.

use std::{
    borrow::Cow,
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;

use super::{StoreError, StoreLock, StoredTokens, TokenStore};
use crate::{clock::Now, store::identity::Identity};

/// Stores tokens in memory. Clients that are built with clones of one store share their tokens.
///
/// It is the default: a client without a store has its own.
///
/// ```
/// use perenso_auth::{Client, Credentials, Profile, store::MemoryStore};
///
/// let store = MemoryStore::new();
/// let client = || {
///     let builder = Client::builder(Profile::perenso())
///         .credentials(Credentials::new("SHOWID", "API_SECRET"));
///     builder.store(store.clone()).build()
/// };
/// // Two clients, one token.
/// let (nightly, daily) = (client()?, client()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    entries: Arc<Mutex<HashMap<String, Entry>>>,
}

#[derive(Debug, Default)]
struct Entry {
    stored: Option<(StoredTokens, Now)>,
    locked: bool,
}

impl MemoryStore {
    /// Creates an empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        // No panic leaves the entries inconsistent.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, key: &str, now: Now) -> Option<StoredTokens> {
        let entries = self.entries();
        let (tokens, since) = entries.get(key)?.stored.as_ref()?;
        let passed = now.since(*since);
        let mut tokens = tokens.clone();
        if let Some(access) = &mut tokens.access_token {
            access.age = access.age.saturating_add(passed);
        }
        if let Some(refresh) = &mut tokens.refresh_token {
            refresh.expires_in = refresh.expires_in.map(|left| left.saturating_sub(passed));
        }
        Some(tokens)
    }
}

#[async_trait]
impl TokenStore for MemoryStore {
    fn name(&self) -> Cow<'static, str> {
        "memory".into()
    }

    fn is_durable(&self) -> bool {
        false
    }

    async fn load(&self, identity: &Identity, now: Now) -> Result<Option<StoredTokens>, StoreError> {
        Ok(self.read(identity.key(), now))
    }

    async fn try_lock(&self, identity: &Identity, _term: Duration) -> Result<Option<Box<dyn StoreLock>>, StoreError> {
        let mut entries = self.entries();
        let entry = entries.entry(identity.key().to_owned()).or_default();
        if std::mem::replace(&mut entry.locked, true) {
            return Ok(None);
        }
        Ok(Some(Box::new(Held { store: self.clone(), key: identity.key().to_owned() })))
    }
}

/// The lock of one entry. It is released when dropped, so it has no term.
#[derive(Debug)]
struct Held {
    store: MemoryStore,
    key: String,
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(entry) = self.store.entries().get_mut(&self.key) {
            entry.locked = false;
        }
    }
}

#[async_trait]
impl StoreLock for Held {
    async fn load(&mut self, now: Now) -> Result<Option<StoredTokens>, StoreError> {
        Ok(self.store.read(&self.key, now))
    }

    async fn save(&mut self, tokens: &StoredTokens, now: Now) -> Result<(), StoreError> {
        self.store.entries().entry(self.key.clone()).or_default().stored = Some((tokens.clone(), now));
        Ok(())
    }

    async fn extend(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn release(self: Box<Self>) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::{Clock, ManualClock},
        secret::Secret,
        store::{StoredAccessToken, StoredRefreshToken},
    };

    fn identity(client_id: &str) -> Identity {
        Identity::new(["perenso"], client_id, Secret::from("s3cr3t"))
    }

    const TERM: Duration = Duration::from_secs(5);

    #[tokio::test]
    async fn clones_share_tokens_which_age_and_belong_to_one_identity() {
        let clock = ManualClock::default();
        let store = MemoryStore::new();
        let mut lock = store.try_lock(&identity("a"), TERM).await.unwrap().unwrap();
        let tokens = StoredTokens {
            access_token: Some(StoredAccessToken::new(
                Secret::from("tok"),
                Duration::from_secs(300),
                Duration::from_secs(1),
            )),
            refresh_token: Some(StoredRefreshToken::new(Secret::from("ref"), Some(Duration::from_secs(1000)))),
            spent: None,
        };
        lock.save(&tokens, clock.now()).await.unwrap();
        clock.advance(Duration::from_secs(10));
        let kept = store.clone().load(&identity("a"), clock.now()).await.unwrap().unwrap();
        assert_eq!(kept.access_token.unwrap().expires_in(), Duration::from_secs(289));
        assert_eq!(kept.refresh_token.unwrap().expires_in, Some(Duration::from_secs(990)));
        assert!(store.load(&identity("b"), clock.now()).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_lock_has_one_holder_until_it_is_released_or_dropped() {
        let store = MemoryStore::new();
        let lock = store.try_lock(&identity("a"), TERM).await.unwrap().unwrap();
        assert!(store.try_lock(&identity("a"), TERM).await.unwrap().is_none());
        assert!(store.try_lock(&identity("b"), TERM).await.unwrap().is_some());
        drop(lock);
        let lock = store.try_lock(&identity("a"), TERM).await.unwrap().unwrap();
        lock.release().await;
        assert!(store.try_lock(&identity("a"), TERM).await.unwrap().is_some());
    }
}
