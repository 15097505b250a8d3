//! A token store in Redis, shared by a fleet. Its values are encrypted and expire.

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use chacha20poly1305::{XNonce, aead::Generate};

use self::{
    entry::{Entry, Found, Write},
    link::{Link, Script},
};
use super::{StoreError, StoreErrorKind, StoreLock, StoredTokens, TokenStore};
use crate::{clock::Now, error::BuildError, secret::Secret, store::identity::Identity};

mod builder;
mod entry;
pub(crate) mod link;
mod tls;

pub use builder::RedisStoreBuilder;

/// Stores tokens in Redis 6 or newer, or in a compatible server. Clones share their connection.
///
/// Each value is encrypted with a key that is derived from the client secret (or from
/// [`sealing_secret`](RedisStoreBuilder::sealing_secret)), and its name contains only hashes. Tokens expire in Redis with
/// their lifetime. A refresh token whose lifetime is unknown does not expire. The age of a token is taken from Redis alone, so
/// the clocks of the machines may differ.
///
/// | setup | |
/// |---|---|
/// | one server, TLS (`rediss`), database, user and password of an ACL | supported |
/// | a primary with replicas, Redis Sentinel | supported at the address of the primary, if its host name follows a failover; Sentinels are not asked, and replicas are not read |
/// | Redis Cluster | only behind a proxy that routes by key: the keys of one identity share a hash tag |
///
/// A user of an ACL needs `+eval +get +set +del +pttl +pexpire +info +time`, `+select` for a database other than 0, and the keys
/// `~perenso-auth:*`, or those of another [`prefix`](RedisStoreBuilder::prefix). An eviction policy `allkeys-…` may remove
/// refresh tokens.
///
/// The connection is opened on first use, and reopened when it breaks. If Redis cannot be reached, calls fail at once for a
/// second before it is tried again.
///
/// ```no_run
/// use perenso_auth::store::RedisStore;
///
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let store = RedisStore::new(std::env::var("REDIS_URL")?)?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct RedisStore {
    shared: Arc<Shared>,
}

struct Shared {
    link: Link,
    prefix: String,
    sealing_secret: Option<Secret>,
}

/// Keys: any. Returns the value and the remaining milliseconds of each key. A value that is not a string counts as empty.
const LOAD: Script = Script(
    "local found = {}
     for i, key in ipairs(KEYS) do
       local value = redis.pcall('GET', key)
       if type(value) == 'table' then
         if not string.find(value.err, 'WRONGTYPE', 1, true) then return value end
         value = ''
       end
       found[2 * i - 1], found[2 * i] = value, redis.call('PTTL', key)
     end
     return found",
);

/// Key: lock. Arguments: owner, term.
const LOCK: Script = Script(
    "local holder = redis.call('GET', KEYS[1])
     if holder and holder ~= ARGV[1] then return 0 end
     redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
     return 1",
);

/// Key: lock. Arguments: owner, term.
const EXTEND: Script = Script(
    "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
     return redis.call('PEXPIRE', KEYS[1], ARGV[2])",
);

/// Key: lock. Argument: owner.
const RELEASE: Script = Script(
    "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
     return redis.call('DEL', KEYS[1])",
);

/// Keys: lock, and three values. Arguments: owner, and for each value the one that its holder has seen, the one to write, and
/// its term. A value that has expired since does not count as a change.
const SAVE: Script = Script(
    "if redis.call('GET', KEYS[1]) ~= ARGV[1] then
       for i = 2, 4 do
         local value = redis.pcall('GET', KEYS[i])
         if value and value ~= ARGV[3 * i - 4] and value ~= ARGV[3 * i - 3] then return 0 end
       end
     end
     for i = 2, 4 do
       local value, term = ARGV[3 * i - 3], ARGV[3 * i - 2]
       if value == '' then redis.call('DEL', KEYS[i])
       elseif term == '' then redis.call('SET', KEYS[i], value)
       else redis.call('SET', KEYS[i], value, 'PX', term) end
     end
     return 1",
);

impl RedisStore {
    /// Creates a store at `rediss://[user:password@]host[:port][/database]`. `redis`, without TLS, is allowed only for loopback:
    /// see [`allow_plain`](RedisStoreBuilder::allow_plain).
    ///
    /// # Errors
    /// [`BuildError`] if the URL is invalid, or if tokens must not be sent to it.
    pub fn new(url: impl Into<Secret>) -> Result<Self, BuildError> {
        Self::builder(url).build()
    }

    /// Starts building a store with settings.
    pub fn builder(url: impl Into<Secret>) -> RedisStoreBuilder {
        RedisStoreBuilder::new(url.into())
    }

    /// The connection and the prefix of keys, for other shared state.
    pub(crate) fn link(&self) -> (&Link, &str) {
        (&self.shared.link, &self.shared.prefix)
    }

    fn entry(&self, identity: &Identity) -> Result<Entry, StoreError> {
        Entry::new(&self.shared.prefix, identity, self.shared.sealing_secret.as_ref())
    }

    async fn find(&self, entry: &Entry) -> Result<[Found; 3], StoreError> {
        type Flat = (Option<Vec<u8>>, i64, Option<Vec<u8>>, i64, Option<Vec<u8>>, i64);
        let found: Flat = self.shared.link.run(LOAD, &entry.places(), &[]).await?;
        Ok([(found.0, found.1), (found.2, found.3), (found.4, found.5)])
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisStore({})", self.shared.link)
    }
}

#[async_trait]
impl TokenStore for RedisStore {
    fn name(&self) -> Cow<'static, str> {
        self.shared.link.to_string().into()
    }

    fn is_durable(&self) -> bool {
        true
    }

    async fn load(&self, identity: &Identity, _now: Now) -> Result<Option<StoredTokens>, StoreError> {
        let entry = self.entry(identity)?;
        entry.read(&self.find(&entry).await?)
    }

    async fn try_lock(&self, identity: &Identity, term: Duration) -> Result<Option<Box<dyn StoreLock>>, StoreError> {
        let entry = self.entry(identity)?;
        let owner = XNonce::try_generate().map_err(|error| {
            let detail = "the operating system provides no random numbers, and a lock needs one";
            StoreError::new(StoreErrorKind::Unavailable, detail).because(error)
        })?;
        let lock = Held { store: self.clone(), entry, owner: owner.to_vec(), term, seen: Default::default() };
        Ok(lock.take().await?.then(|| Box::new(lock) as Box<dyn StoreLock>))
    }
}

/// A lock that expires. Dropping it does not release it, since that needs a runtime.
struct Held {
    store: RedisStore,
    entry: Entry,
    owner: Vec<u8>,
    term: Duration,
    /// The values in Redis that this holder has last read or written.
    seen: [Option<Vec<u8>>; 3],
}

impl Held {
    async fn run(&self, script: Script, keys: &[&str], arguments: &[&[u8]]) -> Result<bool, StoreError> {
        self.store.shared.link.run(script, keys, arguments).await
    }

    async fn take(&self) -> Result<bool, StoreError> {
        self.run(LOCK, &[&self.entry.lock], &[&self.owner, self.term().as_bytes()]).await
    }

    fn term(&self) -> String {
        self.term.as_millis().max(1).to_string()
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("lock", &self.entry.lock).field("term", &self.term).finish_non_exhaustive()
    }
}

#[async_trait]
impl StoreLock for Held {
    async fn load(&mut self, _now: Now) -> Result<Option<StoredTokens>, StoreError> {
        let found = self.store.find(&self.entry).await?;
        let tokens = self.entry.read(&found);
        self.seen = found.map(|(value, _)| value);
        tokens
    }

    async fn save(&mut self, tokens: &StoredTokens, _now: Now) -> Result<(), StoreError> {
        let writes = self.entry.write(tokens)?;
        let terms = writes.each_ref().map(|write| write.term.map(|term| term.to_string()).unwrap_or_default());
        let mut arguments: Vec<&[u8]> = vec![&self.owner];
        for ((seen, write), term) in self.seen.iter().zip(&writes).zip(&terms) {
            let [seen, value] = [seen, &write.value].map(|value| value.as_deref().unwrap_or_default());
            arguments.extend([seen, value, term.as_bytes()]);
        }
        let [access, refresh, spent] = self.entry.places();
        if !self.run(SAVE, &[&self.entry.lock, access, refresh, spent], &arguments).await? {
            return Err(StoreError::new(
                StoreErrorKind::LockLost,
                "the lock expired before the tokens were stored, and another process has stored newer ones",
            ));
        }
        self.seen = writes.map(|Write { value, .. }| value);
        Ok(())
    }

    async fn extend(&mut self) -> Result<(), StoreError> {
        if self.run(EXTEND, &[&self.entry.lock], &[&self.owner, self.term().as_bytes()]).await? {
            return Ok(());
        }
        Err(StoreError::new(StoreErrorKind::LockLost, "the lock has expired, and another process may hold it"))
    }

    async fn release(self: Box<Self>) {
        if let Err(error) = self.run(RELEASE, &[&self.entry.lock], &[&self.owner]).await {
            tracing::debug!(target: "perenso_auth::store", %error, "a lock could not be released and will expire");
        }
    }
}
