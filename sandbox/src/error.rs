//! What can go wrong when a sandbox is started or filled.

use std::error::Error as _;
use std::fmt::{self, Debug, Display, Formatter};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Why the sandbox could not do what it was asked. `Debug` is the text with its causes, which is what `?` in `main` prints.
#[derive(thiserror::Error)]
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

impl Debug for Error {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        let mut cause = self.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_debug_form_is_the_text_with_its_causes() {
        let gone = || std::io::Error::other("it is gone");
        let error = Error::file(Path::new("shows.toml"), gone());
        assert_eq!(format!("{error:?}"), "cannot read shows.toml: it is gone");
        let error = Error::data("the fault", Error::file(Path::new("a"), gone()));
        assert_eq!(format!("{error:#?}"), "the fault is not as it must be: cannot read a: it is gone");
        let error = Error::Record("`name` is missing".to_owned());
        assert_eq!(format!("{error:?}"), "this record is not accepted: `name` is missing");
    }
}
