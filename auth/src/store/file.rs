//! A token store in files, shared by the processes of one machine.

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

/// Stores tokens in a directory, one file for each identity. The processes of one machine share them, also across restarts.
///
/// A file is named after [`Identity::key`] and contains JSON. On Unix only its owner can access it (mode 0600), and the
/// directory if this store creates it. On Windows it has the permissions of its directory. The tokens are not encrypted.
/// A save writes a new file and renames it, so a reader finds either the old or the new content. A symbolic link in its
/// place is replaced, not followed.
///
/// The lock is a file lock of the operating system, on a file that ends in `.lock` and is never removed. It is released when
/// its holder drops it or exits, so it has no term. Not every network file system supports such locks: use another store
/// between machines.
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
    /// Creates a store in this directory. The directory is created on first use. A relative path is resolved now.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        let directory = directory.into();
        let directory = std::path::absolute(&directory).unwrap_or(directory);
        Self { shared: Arc::new(Shared { directory, has_warned: AtomicBool::new(false) }) }
    }

    /// The directory of the files.
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
            if found.is_accessible_to_others && !shared.has_warned.swap(true, Ordering::Relaxed) {
                tracing::warn!(
                    target: "perenso_auth::store",
                    file = %entry.tokens().display(),
                    "other users can access this token file: set its mode to 0600, and assume that its tokens are known"
                );
            }
            format::decode(&found.content, now).map(Some).map_err(|problem| entry.unusable(&problem))
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

/// The lock of one identity. A save whose caller was dropped shares it until the save has ended.
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
        // A save is atomic, even if it panics.
        blocking(move || work(&mut hold.lock().unwrap_or_else(PoisonError::into_inner))).await
    }
}

#[async_trait]
impl StoreLock for Held {
    async fn load(&mut self, now: Now) -> Result<Option<StoredTokens>, StoreError> {
        self.store.read(self.entry.clone(), now).await
    }

    async fn save(&mut self, tokens: &StoredTokens, now: Now) -> Result<(), StoreError> {
        let content = format::encode(tokens, now)?;
        self.with(move |hold| hold.save(&content)).await
    }

    async fn extend(&mut self) -> Result<(), StoreError> {
        self.with(Hold::ensure).await
    }

    async fn release(self: Box<Self>) {
        let hold = self.hold;
        // It fails only if the runtime is shut down, which drops the lock as well.
        let _ = blocking(move || {
            drop(hold);
            Ok(())
        })
        .await;
    }
}

/// Runs blocking work, which is completed even if the caller is dropped.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        let detail = "the access to a token file was cancelled: the runtime may be shutting down";
        Err(StoreError::new(StoreErrorKind::Unavailable, detail).because(error))
    })
}
