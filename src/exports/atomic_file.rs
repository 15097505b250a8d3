//! Atomic replacement of a file: a temporary file in the same directory, renamed when complete.

use std::{
    fmt,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use tempfile::{Builder, NamedTempFile};

use crate::error::Error;

/// The end of the names of temporary files.
const SUFFIX: &str = ".part";
/// The number of random letters before it.
const RANDOM: usize = 6;

/// A file that replaces another one as a whole: a temporary file in the same directory, renamed when it is complete.
///
/// If it is dropped before [`persist`](Self::persist), the temporary file is removed and an existing file is unchanged. (A killed
/// process leaves a hidden file that ends in `.part`, which [`remove_abandoned`](Self::remove_abandoned) removes.) The target of a
/// symbolic link is replaced, not the link.
///
/// ```
/// use std::io::Write;
///
/// use perenso::exports::files::AtomicFile;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("booths.csv");
/// let mut file = AtomicFile::new(&path)?;
/// writeln!(file, "id,name")?;
/// assert!(!path.exists());
/// file.persist()?;
/// assert_eq!(std::fs::read_to_string(path)?, "id,name\n");
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use = "a file is in its place after `persist`"]
pub struct AtomicFile {
    file: NamedTempFile,
    target: PathBuf,
}

impl AtomicFile {
    /// Creates a temporary file beside `path`, with the permissions of an existing file or else those of any new file.
    ///
    /// # Errors
    /// [`ErrorKind::File`](crate::ErrorKind::File) if the directory cannot be written, or if `path` names something that is not a
    /// regular file, such as a directory or a device.
    pub fn new(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::create(path.as_ref(), false)
    }

    /// Creates a temporary file beside `path` that on Unix nobody but its owner can read (mode 0600), whatever the permissions of an
    /// existing file.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn private(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::create(path.as_ref(), true)
    }

    fn create(path: &Path, is_private: bool) -> Result<Self, Error> {
        let cannot = |error: &dyn fmt::Display| Error::of_file("cannot be written", path, error);
        let prefix = prefix(path).ok_or_else(|| cannot(&"it has no name"))?;
        // The target of a link is replaced, not the link.
        let target = resolve_links(path).map_err(|error| cannot(&error))?;
        let before = fs::metadata(&target).ok();
        if before.as_ref().is_some_and(|before| !before.is_file()) {
            return Err(cannot(&"it is not a regular file"));
        }
        let mut builder = Builder::new();
        builder.prefix(&prefix).suffix(SUFFIX).rand_bytes(RANDOM);
        // Without this, only the owner can read a temporary file. The umask restricts the mode.
        #[cfg(unix)]
        if !is_private {
            builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        }
        let file = builder.tempfile_in(folder(&target)).map_err(|error| cannot(&error))?;
        if let Some(before) = before.filter(|_| !is_private) {
            file.as_file().set_permissions(before.permissions()).map_err(|error| cannot(&error))?;
        }
        Ok(Self { file, target })
    }

    /// Removes the temporary files that killed processes have left beside `path`. Only for a file that nobody else is writing.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use perenso::exports::files::AtomicFile;
    ///
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("booths.csv");
    /// std::mem::forget(AtomicFile::new(&path)?); // as if the process were killed here
    /// AtomicFile::remove_abandoned(&path)?;
    /// assert_eq!(std::fs::read_dir(directory.path())?.count(), 0);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::File`](crate::ErrorKind::File) if the directory cannot be read, or such a file cannot be removed.
    pub fn remove_abandoned(path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        let failed = |error: io::Error| Error::of_file("cannot be freed of its temporary files", path, error);
        let target = resolve_links(path).map_err(failed)?;
        let Some(prefix) = prefix(path) else { return Ok(()) };
        for entry in fs::read_dir(folder(&target)).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let is_temporary = |name: &str| {
                let random = name.strip_prefix(&prefix).and_then(|rest| rest.strip_suffix(SUFFIX));
                random.is_some_and(|random| random.len() == RANDOM && random.bytes().all(|b| b.is_ascii_alphanumeric()))
            };
            if entry.file_name().to_str().is_some_and(is_temporary) {
                fs::remove_file(entry.path()).map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Returns the temporary file.
    pub(crate) fn file(&self) -> &File {
        self.file.as_file()
    }

    /// Writes these bytes.
    pub(crate) fn write_bytes(&self, bytes: &[u8]) -> Result<(), Error> {
        self.file().write_all(bytes).map_err(|error| self.failed(error))
    }

    /// Flushes the file to disk, which [`persist`](Self::persist) does too: for several files that are to be replaced together.
    ///
    /// # Errors
    /// [`ErrorKind::File`](crate::ErrorKind::File) if the file cannot be flushed.
    pub fn sync(&self) -> Result<(), Error> {
        self.file.as_file().sync_all().map_err(|error| self.failed(error))
    }

    /// Returns the number of bytes written.
    pub(super) fn length(&self) -> Result<u64, Error> {
        Ok(self.file.as_file().metadata().map_err(|error| self.failed(error))?.len())
    }

    /// Flushes the file to disk and renames it to its target.
    ///
    /// A directory that cannot be synced is only logged, since the file is in place.
    ///
    /// # Errors
    /// [`ErrorKind::File`](crate::ErrorKind::File) if the file cannot be flushed or renamed. An existing file is then unchanged.
    pub fn persist(self) -> Result<(), Error> {
        self.sync()?;
        self.persist_with(sync_folder)
    }

    fn persist_with(self, sync: impl FnOnce(&Path) -> io::Result<()>) -> Result<(), Error> {
        let Self { file, target } = self;
        file.persist(&target).map_err(|error| Error::of_file("cannot be replaced", &target, error.error))?;
        if let Err(error) = sync(folder(&target)) {
            tracing::warn!(
                target: "perenso::export",
                path = %target.display(),
                %error,
                "the file is in place, but its directory cannot be synced: a power failure may undo the rename"
            );
        }
        Ok(())
    }

    /// Returns the error of a failed write.
    pub(crate) fn failed(&self, error: impl fmt::Display) -> Error {
        Error::of_file("cannot be written", &self.target, error)
    }
}

/// Returns the beginning of the names of temporary files; `None` for a path without a name.
fn prefix(path: &Path) -> Option<String> {
    Some(format!(".{}-", path.file_name()?.to_string_lossy().chars().take(64).collect::<String>()))
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Creates an unnamed file in the directory of `path`. The system removes it when the process ends.
pub(super) fn unnamed(path: &Path) -> Result<File, Error> {
    tempfile::tempfile_in(folder(path))
        .map_err(|error| Error::of_file("cannot have a temporary file beside it", path, error))
}

/// Returns true if both paths name the same file, whether it exists or not.
pub(super) fn is_same_file(one: &Path, other: &Path) -> bool {
    let whole = |path: &Path| {
        let beside = || Some(fs::canonicalize(folder(path)).ok()?.join(path.file_name()?));
        fs::canonicalize(path).ok().or_else(beside)
    };
    let (one, other) = match (resolve_links(one), resolve_links(other)) {
        (Ok(one), Ok(other)) => (one, other),
        _ => return false,
    };
    let (one, other) = (one.as_path(), other.as_path());
    whole(one).is_some_and(|one| whole(other) == Some(one))
}

/// Follows symbolic links, also to a file that does not exist yet.
fn resolve_links(path: &Path) -> io::Result<PathBuf> {
    const MAX_LINKS: usize = 40;
    let mut place = path.to_owned();
    for _ in 0..MAX_LINKS {
        match (fs::canonicalize(&place), fs::read_link(&place)) {
            (Ok(found), _) => return Ok(found),
            (Err(_), Ok(target)) => place = folder(&place).join(target),
            (Err(_), Err(_)) => return Ok(place),
        }
    }
    Err(io::Error::other("expected a file, found a loop of symbolic links"))
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_temporary_files_of_the_same_target_are_abandoned() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.csv");
        let kept =
            ["rows.csv", ".rows.csv-notes.part", ".rows.csv-abcdef", ".other.csv-abcdef.part", ".rows.csv.journal"];
        kept.iter().for_each(|name| fs::write(folder.path().join(name), "kept").unwrap());
        std::mem::forget(AtomicFile::new(&path).unwrap());
        AtomicFile::remove_abandoned(&path).unwrap();
        let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        assert_eq!(names.collect::<std::collections::BTreeSet<_>>(), kept.map(str::to_owned).into());
    }

    #[test]
    fn a_directory_that_cannot_be_synced_is_not_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows");
        let file = AtomicFile::new(&path).unwrap();
        file.file().write_all(b"complete").unwrap();
        file.persist_with(|_| Err(io::Error::other("made up"))).unwrap();
        assert_eq!(fs::read_to_string(path).unwrap(), "complete");
    }
}
