//! The two files of one identity: its tokens, which are read whole and replaced whole, and the one that is locked.

use std::{
    fs::{self, DirBuilder, File, Metadata, OpenOptions},
    io::{self, ErrorKind, Read as _, Write as _},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use fs4::{FileExt, TryLockError};
use zeroize::Zeroizing;

use crate::store::{StoreError, StoreErrorKind};

/// Two of the largest answers that a token endpoint may give, and then some.
const LARGEST_FILE: u64 = 4 * 1024 * 1024;

/// What a process that died in mid-write left behind is cleared away after this.
const STALE: Duration = Duration::from_secs(60 * 60);

/// Length of an identity's key.
const KEY_LENGTH: usize = 32;

/// Where the files of one identity are.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    directory: PathBuf,
    key: String,
    tokens: PathBuf,
    lock: PathBuf,
}

/// What a token file holds.
pub(super) struct Found {
    pub(super) text: Zeroizing<Vec<u8>>,
    /// Whether others than its owner may read or write it.
    pub(super) is_wide: bool,
}

/// Tells one state of a token file from the next.
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

    /// The token file as it is; `None` where there is none.
    pub(super) fn read(&self) -> Result<Option<Found>, StoreError> {
        // Looked at before it is opened: opening a pipe would wait for whoever writes to it.
        let Some(metadata) = self.if_there(fs::metadata(&self.tokens))? else { return Ok(None) };
        if metadata.is_dir() {
            let told = "is a directory: remove it";
            return Err(StoreError::new(StoreErrorKind::Unavailable, self.told(told)));
        }
        if !metadata.is_file() || metadata.len() > LARGEST_FILE {
            return Err(self.unusable("is nothing that this store wrote"));
        }
        let Some(mut file) = self.if_there(File::open(&self.tokens))? else { return Ok(None) };
        let Some((text, metadata)) = self.if_there(whole(&mut file))? else { return Ok(None) };
        Ok(Some(Found { text, is_wide: is_wide(&metadata) }))
    }

    fn if_there<T>(&self, result: io::Result<T>) -> Result<Option<T>, StoreError> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.unavailable("could not be read: check its owner and permissions", error)),
        }
    }

    /// What is in the token file is of no use.
    pub(super) fn unusable(&self, whats_wrong: &str) -> StoreError {
        let told = format!("{whats_wrong}: it counts as nothing and the next save replaces it, or remove it");
        StoreError::new(StoreErrorKind::Unusable, self.told(&told))
    }

    fn unavailable(&self, told: &str, error: io::Error) -> StoreError {
        StoreError::new(StoreErrorKind::Unavailable, self.told(told)).because(error)
    }

    fn told(&self, told: &str) -> String {
        format!("the token file {} {told}", self.tokens.display())
    }

    /// The lock of this identity, or `None` while somebody else has it.
    pub(super) fn try_lock(&self) -> Result<Option<Hold>, StoreError> {
        let failed = |error| {
            let told = format!(
                "could not be locked: check that {} is a directory that this user may write to, on a file system with locks",
                self.directory.display()
            );
            self.unavailable(&told, error)
        };
        let file = create_directory(&self.directory).and_then(|()| open_private(&self.lock, false)).map_err(failed)?;
        match FileExt::try_lock(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let lock = Lock(file);
        // Somebody removed the file between the two steps: whoever comes next locks another one.
        Ok(lock.is_at(&self.lock).then(|| Hold { seen: self.stamp(), entry: self.clone(), lock }))
    }

    fn stamp(&self) -> Stamp {
        let metadata = fs::metadata(&self.tokens).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    }

    /// A name for a file to be, of its own at every attempt: a process number comes round again.
    fn beside(&self) -> PathBuf {
        let attempt = fastrand::u64(..);
        self.directory.join(format!("{}.{:x}-{attempt:016x}.tmp", self.key, std::process::id()))
    }

    /// Puts `text` in the place of what was there, whole or not at all.
    fn replace(&self, text: &[u8]) -> io::Result<()> {
        let beside = self.beside();
        let mut file = open_private(&beside, true)?;
        let written = file.write_all(text).and_then(|()| file.sync_all());
        drop(file);
        let replaced = written.and_then(|()| fs::rename(&beside, &self.tokens));
        if replaced.is_err() {
            // One that stays is cleared away later.
            let _ = fs::remove_file(&beside);
            return replaced;
        }
        if let Err(error) = sync_directory(&self.directory) {
            // Everybody sees the new tokens; not every file system can promise them for after a power cut.
            tracing::debug!(target: "perenso_auth::store", directory = %self.directory.display(), %error, "the directory could not be flushed");
        }
        // Done as far as anybody but this directory is concerned.
        let _ = self.sweep();
        Ok(())
    }

    /// Removes what dead processes left, of any identity: nobody may ever write for that one again.
    fn sweep(&self) -> io::Result<()> {
        // The clock of the file system on both sides; it may be another machine's.
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

/// The right to write the tokens of one identity.
#[derive(Debug)]
pub(super) struct Hold {
    entry: Entry,
    lock: Lock,
    /// The token file when it was locked, or as this holder wrote it.
    seen: Stamp,
}

impl Hold {
    /// Puts `text` in the place of what was there.
    pub(super) fn save(&mut self, text: &[u8]) -> Result<(), StoreError> {
        self.ensure()?;
        self.entry.replace(text).map_err(|error| {
            let told = "could not be written: check that nothing but a file is in its place, that this user may write to its directory, \
                        and that the disk is not full";
            self.entry.unavailable(told, error)
        })?;
        self.seen = self.entry.stamp();
        Ok(())
    }

    /// Makes sure of the lock: it is lost when somebody removes the lock file, and then taken again where nobody has
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
                let told = format!(
                    "has another writer, since {} was removed while it was locked: keep whatever cleans up away from it",
                    self.entry.lock.display()
                );
                Err(StoreError::new(StoreErrorKind::LockLost, self.entry.told(&told)))
            }
        }
    }
}

/// A locked file.
#[derive(Debug)]
struct Lock(File);

impl Lock {
    /// Whether it is the file that is found at `path`.
    #[cfg(unix)]
    fn is_at(&self, path: &Path) -> bool {
        use std::os::unix::fs::MetadataExt as _;
        let id = |metadata: Metadata| (metadata.dev(), metadata.ino());
        let (Ok(ours), Ok(there)) = (self.0.metadata(), fs::metadata(path)) else { return false };
        id(ours) == id(there)
    }

    /// Whether there is a file at `path`: which one, only Unix tells.
    #[cfg(not(unix))]
    fn is_at(&self, path: &Path) -> bool {
        path.exists()
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing is not enough: a child process that is just being started may still have a copy of the handle.
        let _ = FileExt::unlock(&self.0);
    }
}

/// `{key}.{process}-{attempt}.tmp`, as [`Entry::beside`] names them.
fn is_temporary(name: &str) -> bool {
    name.ends_with(".tmp")
        && name
            .split_once('.')
            .is_some_and(|(key, _)| key.len() == KEY_LENGTH && key.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// All of a file, in a buffer that never moves: what it leaves behind on a move would not be wiped.
fn whole(file: &mut File) -> io::Result<(Zeroizing<Vec<u8>>, Metadata)> {
    let metadata = file.metadata()?;
    let length = metadata.len().min(LARGEST_FILE);
    let mut text = Zeroizing::new(vec![0; usize::try_from(length).unwrap_or_default()]);
    file.read_exact(&mut text)?;
    Ok((text, metadata))
}

/// A file for its owner alone from the first moment on; `fresh` when none may be there yet.
fn open_private(path: &Path, fresh: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).create_new(fresh);
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
fn is_wide(metadata: &Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o077 != 0
}

#[cfg(not(unix))]
fn is_wide(_: &Metadata) -> bool {
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
    fn no_attempt_to_write_runs_into_what_another_left_and_its_file_is_known_as_temporary() {
        let entry = entry(Path::new("tokens"));
        let (one, other) = (entry.beside(), entry.beside());
        assert_ne!(one, other);
        for name in [one, other] {
            assert!(is_temporary(name.file_name().unwrap().to_str().unwrap()), "{name:?}");
        }
        for name in [&entry.tokens, &entry.lock] {
            assert!(!is_temporary(name.file_name().unwrap().to_str().unwrap()), "{name:?}");
        }
    }

    /// On Unix a copy stands for the handle that a child process has until it becomes another program.
    #[cfg(unix)]
    #[test]
    fn a_lock_that_is_dropped_is_free_though_its_handle_has_a_copy() {
        let directory = tempfile::tempdir().unwrap();
        let entry = entry(directory.path());
        let hold = entry.try_lock().unwrap().unwrap();
        let _copy = hold.lock.0.try_clone().unwrap();
        assert!(entry.try_lock().unwrap().is_none());
        drop(hold);
        assert!(entry.try_lock().unwrap().is_some());
    }
}
