//! Tokens in files: shared by the processes of one machine, kept when they end.

use std::{
    borrow::Cow,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;

use self::entry::{Entry, Hold};
use super::{StoreError, StoreErrorKind, StoreLock, StoredTokens, TokenStore};
use crate::{clock::Now, store::identity::Identity};

mod entry;
mod format;

/// Keeps tokens in a directory, one file for each identity, for the processes of one machine and for later ones.
///
/// A file is named after [`Identity::key`] and holds JSON. On Unix it is its owner's alone (mode 0600), as is the
/// directory if this store creates it; on Windows it has the rights of its directory. The tokens in it are not sealed.
/// A save writes a new file and puts it in the place of the old one, so a reader finds the one or the other, whole; a
/// symbolic link in that place is replaced, not followed.
///
/// The lock is the operating system's, on a file beside it that ends in `.lock` and stays there: it is free as soon as
/// its holder drops it or dies, so it has no term. File systems of a network have such locks or not: between machines,
/// take another store.
///
/// ```
/// use perenso_auth::store::FileStore;
///
/// let store = FileStore::new("/var/lib/sync/tokens");
/// # let _ = store;
/// ```
#[derive(Clone, Debug)]
pub struct FileStore {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    directory: PathBuf,
    has_warned: AtomicBool,
}

impl FileStore {
    /// A store in this directory, which is created when it is first needed. A relative path is one from where the
    /// process is now.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        let directory = directory.into();
        let directory = std::path::absolute(&directory).unwrap_or(directory);
        Self { shared: Arc::new(Shared { directory, has_warned: AtomicBool::new(false) }) }
    }

    /// Where the files are.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.shared.directory
    }

    fn entry(&self, identity: &Identity) -> Entry {
        Entry::new(&self.shared.directory, identity.key())
    }

    async fn read(&self, entry: Entry, now: Now) -> Result<Option<StoredTokens>, StoreError> {
        let shared = self.shared.clone();
        blocking(move || {
            let Some(found) = entry.read()? else { return Ok(None) };
            if found.is_wide && !shared.has_warned.swap(true, Ordering::Relaxed) {
                tracing::warn!(
                    target: "perenso_auth::store",
                    file = %entry.tokens().display(),
                    "others than its owner have rights to this token file: set its mode to 0600, and think of its tokens as known"
                );
            }
            format::decode(&found.text, now).map(Some).map_err(|whats_wrong| entry.unusable(&whats_wrong))
        })
        .await
    }
}

#[async_trait]
impl TokenStore for FileStore {
    fn name(&self) -> Cow<'static, str> {
        format!("files in {}", self.shared.directory.display()).into()
    }

    fn is_durable(&self) -> bool {
        true
    }

    async fn load(&self, identity: &Identity, now: Now) -> Result<Option<StoredTokens>, StoreError> {
        self.read(self.entry(identity), now).await
    }

    async fn try_lock(&self, identity: &Identity, _term: Duration) -> Result<Option<Box<dyn StoreLock>>, StoreError> {
        let entry = self.entry(identity);
        let locked = entry.clone();
        let Some(hold) = blocking(move || locked.try_lock()).await? else { return Ok(None) };
        Ok(Some(Box::new(Held { store: self.clone(), entry, hold: Arc::new(Mutex::new(hold)) })))
    }
}

/// The lock of one identity. A save whose caller has gone away shares it until it is through.
#[derive(Debug)]
struct Held {
    store: FileStore,
    entry: Entry,
    hold: Arc<Mutex<Hold>>,
}

impl Held {
    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Hold) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let hold = self.hold.clone();
        // A save is whole or has not happened, also when it panicked.
        blocking(move || work(&mut hold.lock().unwrap_or_else(PoisonError::into_inner))).await
    }
}

#[async_trait]
impl StoreLock for Held {
    async fn load(&mut self, now: Now) -> Result<Option<StoredTokens>, StoreError> {
        self.store.read(self.entry.clone(), now).await
    }

    async fn save(&mut self, tokens: &StoredTokens, now: Now) -> Result<(), StoreError> {
        let text = format::encode(tokens, now)?;
        self.with(move |hold| hold.save(&text)).await
    }

    async fn extend(&mut self) -> Result<(), StoreError> {
        self.with(Hold::ensure).await
    }

    async fn release(self: Box<Self>) {
        let hold = self.hold;
        // An error is the runtime's end, which drops the lock as well.
        let _ = blocking(move || {
            drop(hold);
            Ok(())
        })
        .await;
    }
}

/// Runs to its end also when the caller goes away.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        let told = "the work on a token file was broken off: is the runtime shutting down?";
        Err(StoreError::new(StoreErrorKind::Unavailable, told).because(error))
    })
}
