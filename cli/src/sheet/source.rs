//! A file that is read from its beginning several times.

use std::{
    fs::File,
    io::{ErrorKind, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};

use crate::output::Failure;

/// The size of a chunk that is read.
pub(super) const CHUNK: usize = 1 << 16;

/// What changes when a file is written.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Version {
    length: u64,
    /// Since 1970.
    modified: Option<Duration>,
}

impl Version {
    /// Returns the version of the file that is at this path now; `None` if there is none.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let metadata = std::fs::metadata(path).ok()?;
        let modified = metadata.modified().ok().and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
        Some(Self { length: metadata.len(), modified })
    }
}

/// A file of rows.
#[derive(Debug)]
pub(crate) struct Source {
    pub(super) path: PathBuf,
    file: File,
    start: Vec<u8>,
}

impl Source {
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        if path == Path::new("-") {
            return Err(Failure::usage(
                "rows are loaded from a file, so that an interrupted load can go on: save the input in one first",
            ));
        }
        let file = File::open(path).map_err(|error| Failure::file("read", path, &error))?;
        if !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
            return Err(Failure::usage(format!("`{}` is no file of rows", path.display())));
        }
        let mut source = Self { path: path.to_owned(), file, start: Vec::new() };
        source.start = source.read_chunk()?;
        if source.start.is_empty() {
            return Err(Failure::usage(format!("`{}` is empty", path.display())));
        }
        if source.start.starts_with(b"\xD0\xCF\x11\xE0") {
            return Err(Failure::usage(format!(
                "`{}` is a workbook of an old version, or one with a password: save it as .xlsx without a password",
                path.display()
            )));
        }
        source.rewind()?;
        Ok(source)
    }

    /// Returns true for a ZIP archive, as which Excel saves workbooks.
    pub(super) fn is_workbook(&self) -> bool {
        self.start.starts_with(b"PK\x03\x04")
    }

    /// Returns the first bytes.
    pub(super) fn start(&self) -> &[u8] {
        &self.start
    }

    pub(super) fn rewind(&mut self) -> Result<(), Failure> {
        self.file.seek(SeekFrom::Start(0)).map(drop).map_err(|error| Failure::file("read", &self.path, &error))
    }

    /// Reads the next bytes; none at the end.
    pub(super) fn read_chunk(&mut self) -> Result<Vec<u8>, Failure> {
        let mut chunk = vec![0; CHUNK];
        loop {
            match self.file.read(&mut chunk) {
                Ok(length) => {
                    chunk.truncate(length);
                    return Ok(chunk);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Failure::file("read", &self.path, &error)),
            }
        }
    }
}
