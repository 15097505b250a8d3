//! Files that are replaced as a whole.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use crate::output::Failure;

/// A file that is there as a whole once it is complete.
#[derive(Debug)]
pub(crate) struct Replacement {
    file: NamedTempFile,
    path: PathBuf,
}

impl Replacement {
    /// Begins a file beside the one that it replaces, which other users can read as any file that this user creates.
    pub(crate) fn new(path: &Path) -> Result<Self, Failure> {
        Self::with(path, 0o666)
    }

    /// Begins a file that on Unix has this mode, less what the user's mask forbids.
    #[cfg_attr(not(unix), allow(unused_variables))]
    fn with(path: &Path, mode: u32) -> Result<Self, Failure> {
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode));
        let parent = match path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        let file = builder.tempfile_in(parent).map_err(|error| Failure::file("written", path, &error))?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// Puts the file in its place.
    pub(crate) fn complete(self) -> Result<(), Failure> {
        let path = self.path;
        let fail = |error: io::Error| Failure::file("written", &path, &error);
        self.file.as_file().sync_all().map_err(fail)?;
        self.file.persist(&path).map(drop).map_err(|error| fail(error.error))
    }
}

impl Write for Replacement {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Replaces a file as a whole, and creates its directory. On Unix nobody else can read either.
pub(crate) fn replace_file(path: &Path, content: &[u8]) -> Result<(), Failure> {
    if let Some(parent) = path.parent().filter(|parent| *parent != Path::new("")) {
        create_directory(parent)?;
    }
    let mut file = Replacement::with(path, 0o600)?;
    file.write_all(content).map_err(|error| Failure::file("written", path, &error))?;
    file.complete()
}

fn create_directory(path: &Path) -> Result<(), Failure> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| Failure::file("created", path, &error))
}
