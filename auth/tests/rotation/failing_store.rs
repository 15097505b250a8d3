//! A store that stumbles where a test wants it to.

use std::{
    borrow::Cow,
    collections::HashMap,
    future::Future,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;
use perenso_auth::{
    Client, Credentials, Identity, Profile, Timeouts, TokenPolicy,
    clock::{Clock, ManualClock, Now, SystemClock},
    store::{MemoryStore, StoreError, StoreErrorKind, StoreLock, StoredTokens, TokenStore},
};

use crate::server::Server;

/// A call of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Word {
    Load,
    Lock,
    /// Once more, inside the lock.
    Look,
    Save,
    Extend,
    Release,
}

/// The outcome of a call.
#[derive(Clone, Copy, Debug)]
pub enum Stumble {
    Fails(StoreErrorKind),
    /// It is done, and its response is lost.
    LosesTheAnswer,
    /// It never ends.
    Hangs,
    /// Somebody else has the lock.
    Taken,
}

pub const AWAY: Stumble = Stumble::Fails(StoreErrorKind::Unavailable);

/// Keeps tokens in memory. Clones stumble by themselves, over what they share.
#[derive(Clone, Debug)]
pub struct Stumbling {
    name: &'static str,
    kept: MemoryStore,
    own: Arc<Mutex<Own>>,
}

#[derive(Debug, Default)]
struct Own {
    stumbles: HashMap<Word, Stumble>,
    words: Vec<Word>,
    identity: Option<Identity>,
    siblings: Option<StoredTokens>,
}

impl Stumbling {
    pub fn new(name: &'static str) -> Self {
        Self::over(name, MemoryStore::new())
    }

    pub fn over(name: &'static str, kept: MemoryStore) -> Self {
        Self { name, kept, own: Arc::default() }
    }

    /// From now on this becomes of such words.
    pub fn stumbles_at(&self, word: Word, stumble: Stumble) {
        self.own().stumbles.insert(word, stumble);
    }

    /// It is away for every word.
    pub fn goes_away(&self) {
        for word in [Word::Load, Word::Lock, Word::Look, Word::Save, Word::Extend] {
            self.stumbles_at(word, AWAY);
        }
    }

    pub fn stumbles_no_more(&self) {
        self.own().stumbles.clear();
    }

    /// The words since this was last asked.
    pub fn words(&self) -> Vec<Word> {
        std::mem::take(&mut self.own().words)
    }

    /// Before the next lock, a sibling stores this.
    pub fn is_preceded_by(&self, tokens: StoredTokens) {
        self.own().siblings = Some(tokens);
    }

    /// Returns the stored tokens of the identity that used the store last.
    pub async fn kept(&self, now: Now) -> StoredTokens {
        let identity = self.own().identity.clone().unwrap();
        self.kept.load(&identity, now).await.unwrap().unwrap()
    }

    fn own(&self) -> MutexGuard<'_, Own> {
        self.own.lock().unwrap()
    }

    async fn hear<T>(&self, word: Word, done: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let stumble = {
            let mut own = self.own();
            own.words.push(word);
            own.stumbles.get(&word).copied()
        };
        match stumble {
            None => done.await,
            Some(Stumble::Fails(kind)) => Err(StoreError::new(kind, "it stumbles")),
            Some(Stumble::LosesTheAnswer) => {
                done.await?;
                Err(StoreError::new(StoreErrorKind::Unavailable, "its response is lost"))
            }
            Some(Stumble::Hangs | Stumble::Taken) => std::future::pending().await,
        }
    }
}

#[async_trait]
impl TokenStore for Stumbling {
    fn name(&self) -> Cow<'static, str> {
        self.name.into()
    }

    fn is_durable(&self) -> bool {
        true
    }

    async fn load(&self, identity: &Identity, now: Now) -> Result<Option<StoredTokens>, StoreError> {
        self.own().identity = Some(identity.clone());
        self.hear(Word::Load, self.kept.load(identity, now)).await
    }

    async fn try_lock(&self, identity: &Identity, term: Duration) -> Result<Option<Box<dyn StoreLock>>, StoreError> {
        if matches!(self.own().stumbles.get(&Word::Lock), Some(Stumble::Taken)) {
            return Ok(None);
        }
        let siblings = self.own().siblings.take();
        if let Some(tokens) = siblings {
            let mut lock = self.kept.try_lock(identity, term).await?.unwrap();
            lock.save(&tokens, SystemClock::default().now()).await?;
            lock.release().await;
        }
        let lock = self.hear(Word::Lock, self.kept.try_lock(identity, term)).await?;
        Ok(lock.map(|lock| Box::new(Held { store: self.clone(), lock }) as Box<dyn StoreLock>))
    }
}

#[derive(Debug)]
struct Held {
    store: Stumbling,
    lock: Box<dyn StoreLock>,
}

#[async_trait]
impl StoreLock for Held {
    async fn load(&mut self, now: Now) -> Result<Option<StoredTokens>, StoreError> {
        self.store.hear(Word::Look, self.lock.load(now)).await
    }

    async fn save(&mut self, tokens: &StoredTokens, now: Now) -> Result<(), StoreError> {
        self.store.hear(Word::Save, self.lock.save(tokens, now)).await
    }

    async fn extend(&mut self) -> Result<(), StoreError> {
        self.store.hear(Word::Extend, self.lock.extend()).await
    }

    async fn release(self: Box<Self>) {
        let Self { store, lock } = *self;
        let released = async {
            lock.release().await;
            Ok(())
        };
        let _ = store.hear(Word::Release, released).await;
    }
}

pub fn own() -> Credentials {
    Credentials::new("client-1", "s3cr3t")
}

/// A client of this server over a store.
pub fn over(server: &Server, credentials: Credentials, store: &Stumbling, clock: &ManualClock) -> Client {
    Client::builder(Profile::new("stores"))
        .credentials(credentials)
        .token_url(format!("{}/token", server.url))
        .api_url(server.url.clone())
        .store(store.clone())
        .clock(clock.clone())
        // More than any server of a test needs, where each second is a moment.
        .timeouts(Timeouts::default().overall(Duration::from_secs(3000)))
        .token_policy(TokenPolicy::default().attempt(Duration::from_secs(30)).total(Duration::from_secs(300)))
        .build()
        .unwrap()
}
