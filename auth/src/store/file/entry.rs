//! The two files of one identity: its tokens, which are replaced atomically, and its lock.

use std::{
    fs::{self, DirBuilder, File, Metadata, OpenOptions, TryLockError},
    io::{self, ErrorKind, Read as _, Write as _},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use zeroize::Zeroizing;

use crate::store::{StoreError, StoreErrorKind};

/// The maximum size of a token file: more than two token responses of the maximum size.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// The age after which a temporary file is removed, since its process must have died.
const STALE: Duration = Duration::from_secs(60 * 60);

/// The length of the key of an identity.
const KEY_LENGTH: usize = 32;

/// The paths of the files of one identity.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    directory: PathBuf,
    key: String,
    tokens: PathBuf,
    lock: PathBuf,
}

/// The content of a token file.
pub(super) struct Found {
    pub(super) content: Zeroizing<Vec<u8>>,
    /// Users other than its owner can read or write it.
    pub(super) is_accessible_to_others: bool,
}

/// The modification time and size of a token file, by which a change is noticed.
type Stamp = Option<(SystemTime, u64)>;

impl Entry {
    pub(super) fn new(directory: &Path, key: &str) -> Self {
        Self {
            tokens: directory.join(format!("{key}.json")),
            lock: directory.join(format!("{key}.lock")),
            directory: directory.to_owned(),
            key: key.to_owned(),
        }
    }

    pub(super) fn tokens(&self) -> &Path {
        &self.tokens
    }

    /// Reads the token file. Returns `None` if there is none.
    pub(super) fn read(&self) -> Result<Option<Found>, StoreError> {
        // Checked before it is opened, since opening a pipe would block until it has a writer.
        let Some(metadata) = self.if_exists(fs::metadata(&self.tokens))? else { return Ok(None) };
        if metadata.is_dir() {
            let detail = "is a directory: remove it";
            return Err(StoreError::new(StoreErrorKind::Unavailable, self.detail(detail)));
        }
        if !metadata.is_file() || metadata.len() > MAX_FILE_BYTES {
            return Err(self.unusable("was not written by this store"));
        }
        let Some(mut file) = self.if_exists(File::open(&self.tokens))? else { return Ok(None) };
        let Some((content, metadata)) = self.if_exists(read_whole(&mut file))? else { return Ok(None) };
        Ok(Some(Found { content, is_accessible_to_others: is_accessible_to_others(&metadata) }))
    }

    fn if_exists<T>(&self, result: io::Result<T>) -> Result<Option<T>, StoreError> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.unavailable("could not be read: check its owner and permissions", error)),
        }
    }

    /// Returns the error of a token file whose content cannot be used.
    pub(super) fn unusable(&self, problem: &str) -> StoreError {
        let detail = format!("{problem}: it is ignored and replaced by the next save; or remove it");
        StoreError::new(StoreErrorKind::Unusable, self.detail(&detail))
    }

    fn unavailable(&self, detail: &str, error: io::Error) -> StoreError {
        StoreError::new(StoreErrorKind::Unavailable, self.detail(detail)).because(error)
    }

    fn detail(&self, detail: &str) -> String {
        format!("the token file {} {detail}", self.tokens.display())
    }

    /// Takes the lock of this identity. Returns `None` while another process holds it.
    pub(super) fn try_lock(&self) -> Result<Option<Hold>, StoreError> {
        let failed = |error| {
            let detail = format!(
                "could not be locked: check that {} is a directory that this user may write to, on a file system with locks",
                self.directory.display()
            );
            self.unavailable(&detail, error)
        };
        let file = create_directory(&self.directory).and_then(|()| open_private(&self.lock, false)).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let lock = Lock(file);
        // A lock file that was removed between opening and locking protects nothing: the next process creates another.
        Ok(lock.is_at(&self.lock).then(|| Hold { seen: self.stamp(), entry: self.clone(), lock }))
    }

    fn stamp(&self) -> Stamp {
        let metadata = fs::metadata(&self.tokens).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    }

    /// Returns a unique path for a temporary file. The process id alone is not unique, since ids are reused.
    fn temporary(&self) -> PathBuf {
        let attempt = fastrand::u64(..);
        self.directory.join(format!("{}.{:x}-{attempt:016x}.tmp", self.key, std::process::id()))
    }

    /// Replaces the token file atomically.
    fn replace(&self, content: &[u8]) -> io::Result<()> {
        let temporary = self.temporary();
        let mut file = open_private(&temporary, true)?;
        let written = file.write_all(content).and_then(|()| file.sync_all());
        drop(file);
        let replaced = written.and_then(|()| fs::rename(&temporary, &self.tokens));
        if replaced.is_err() {
            // If it cannot be removed now, `sweep` removes it later.
            let _ = fs::remove_file(&temporary);
            return replaced;
        }
        if let Err(error) = sync_directory(&self.directory) {
            // The new tokens are visible, but on this file system they may not survive a power failure.
            tracing::debug!(target: "perenso_auth::store", directory = %self.directory.display(), %error, "the directory could not be flushed");
        }
        // The save has succeeded, whether or not old files could be removed.
        let _ = self.sweep();
        Ok(())
    }

    /// Removes the temporary files of dead processes, of all identities, since an identity may never be written again.
    fn sweep(&self) -> io::Result<()> {
        // Compares times of the file system, whose clock may be that of another machine.
        let now = fs::metadata(&self.tokens)?.modified()?;
        for found in fs::read_dir(&self.directory)? {
            let found = found?;
            if !is_temporary(&found.file_name().to_string_lossy()) {
                continue;
            }
            let written = found.metadata()?.modified()?;
            if now.duration_since(written).is_ok_and(|age| age > STALE) {
                let _ = fs::remove_file(found.path());
            }
        }
        Ok(())
    }
}

/// The lock of one identity, with which its tokens are written.
#[derive(Debug)]
pub(super) struct Hold {
    entry: Entry,
    lock: Lock,
    /// The token file when it was locked, or as this holder wrote it.
    seen: Stamp,
}

impl Hold {
    /// Replaces the tokens.
    pub(super) fn save(&mut self, content: &[u8]) -> Result<(), StoreError> {
        self.ensure()?;
        self.entry.replace(content).map_err(|error| {
            let detail = "could not be written: check that its path is not a directory, that this user may write to its directory, \
                        and that the disk is not full";
            self.entry.unavailable(detail, error)
        })?;
        self.seen = self.entry.stamp();
        Ok(())
    }

    /// Checks that the lock is still held. If the lock file was removed, takes the lock again, unless another process has
    /// written in between.
    pub(super) fn ensure(&mut self) -> Result<(), StoreError> {
        if self.lock.is_at(&self.entry.lock) {
            return Ok(());
        }
        match self.entry.try_lock()? {
            Some(again) if again.seen.is_none() || again.seen == self.seen => {
                *self = again;
                Ok(())
            }
            _ => {
                let detail = format!(
                    "has another writer, since {} was removed while it was locked: exclude it from cleanup jobs",
                    self.entry.lock.display()
                );
                Err(StoreError::new(StoreErrorKind::LockLost, self.entry.detail(&detail)))
            }
        }
    }
}

/// A locked file.
#[derive(Debug)]
struct Lock(File);

impl Lock {
    /// Returns true if it is the file at `path`.
    #[cfg(unix)]
    fn is_at(&self, path: &Path) -> bool {
        use std::os::unix::fs::MetadataExt as _;
        let id = |metadata: Metadata| (metadata.dev(), metadata.ino());
        let (Ok(ours), Ok(found)) = (self.0.metadata(), fs::metadata(path)) else { return false };
        id(ours) == id(found)
    }

    /// Returns true if there is a file at `path`. The standard library identifies files on Unix only.
    #[cfg(not(unix))]
    fn is_at(&self, path: &Path) -> bool {
        path.exists()
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing is not enough, since a child process that is being started may still have a copy of the handle.
        let _ = self.0.unlock();
    }
}

/// Returns true for names of [`Entry::temporary`]: `{key}.{process}-{attempt}.tmp`.
fn is_temporary(name: &str) -> bool {
    name.ends_with(".tmp")
        && name
            .split_once('.')
            .is_some_and(|(key, _)| key.len() == KEY_LENGTH && key.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Reads a file into a buffer that is never reallocated, since the old allocation would not be wiped.
fn read_whole(file: &mut File) -> io::Result<(Zeroizing<Vec<u8>>, Metadata)> {
    let metadata = file.metadata()?;
    let length = metadata.len().min(MAX_FILE_BYTES);
    let mut content = Zeroizing::new(vec![0; usize::try_from(length).unwrap_or_default()]);
    file.read_exact(&mut content)?;
    Ok((content, metadata))
}

/// Opens a file for writing that is created with access for its owner only. With `create_new` it must not exist yet.
fn open_private(path: &Path, create_new: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).create_new(create_new);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn create_directory(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

#[cfg(unix)]
fn is_accessible_to_others(metadata: &Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o077 != 0
}

#[cfg(not(unix))]
fn is_accessible_to_others(_: &Metadata) -> bool {
    false
}

#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps)]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::identity::Identity;

    fn entry(directory: &Path) -> Entry {
        Entry::new(directory, Identity::new(["perenso"], "show-1", "s3cr3t".into()).key())
    }

    #[test]
    fn temporary_files_have_unique_names_and_are_recognised() {
        let entry = entry(Path::new("tokens"));
        let (one, other) = (entry.temporary(), entry.temporary());
        assert_ne!(one, other);
        for name in [one, other] {
            assert!(is_temporary(name.file_name().unwrap().to_str().unwrap()), "{name:?}");
        }
        for name in [&entry.tokens, &entry.lock] {
            assert!(!is_temporary(name.file_name().unwrap().to_str().unwrap()), "{name:?}");
        }
    }

    /// A child process has such a copy between `fork` and `exec`.
    #[cfg(unix)]
    #[test]
    fn a_dropped_lock_is_released_even_if_its_handle_has_a_copy() {
        let directory = tempfile::tempdir().unwrap();
        let entry = entry(directory.path());
        let hold = entry.try_lock().unwrap().unwrap();
        let _copy = hold.lock.0.try_clone().unwrap();
        assert!(entry.try_lock().unwrap().is_none());
        drop(hold);
        assert!(entry.try_lock().unwrap().is_some());
    }
}
