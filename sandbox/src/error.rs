//! What can go wrong when a sandbox is started or filled.

use std::fmt::Display;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Why the sandbox could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address can be reached from other machines, and nobody said that this is wanted.
    #[error("{0} is not a loopback address, and other machines were not allowed")]
    NotLoopback(SocketAddr),
    /// The address could not be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A record that was put in by hand is not one that the API would take.
    #[error("this record is not accepted: {0}")]
    Record(String),
    /// Two shows have this client id, so that nobody could tell which of them a request is for.
    #[error("there are two shows with the client id {0}; give one of them another")]
    DuplicateShow(String),
    /// A file could not be read.
    #[error("cannot read {}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A behavior, an export or a fault that was read is not written as it must be; the source says what and where.
    #[error("{what} is not as it must be")]
    Data {
        /// What was read, or the file that it stands in.
        what: String,
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Error {
    pub(crate) fn file(path: &Path, source: std::io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }

    pub(crate) fn data(what: impl Display, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Data { what: what.to_string(), source: Box::new(source) }
    }
}
