//! Errors of starting and filling a sandbox.

use std::error::Error as _;
use std::fmt::{self, Debug, Display, Formatter};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// An error of starting or filling a sandbox.
///
/// `Debug` prints the message with its causes, since `?` in `main` uses it.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Other machines can reach the address, and they are not allowed.
    #[error("{0} is not a loopback address; allow other machines with `allow_remote` or `--allow-remote`")]
    NotLoopback(SocketAddr),
    /// The address is not available.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The API would reject a record.
    #[error("the API would reject this record: {0}")]
    Record(String),
    /// Two shows have the same client id.
    #[error("there are two shows with the client id {0}; change one of them")]
    DuplicateShow(String),
    /// A file could not be read.
    #[error("cannot read {}", path.display())]
    File {
        /// The path of the file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A behavior, an export or a fault could not be parsed. The source names the mistake and its position.
    #[error("cannot parse {what}")]
    Data {
        /// The parsed object, or the path of its file.
        what: String,
        /// The mistake.
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
    fn the_debug_form_is_the_message_with_its_causes() {
        let gone = || std::io::Error::other("it is gone");
        let error = Error::file(Path::new("shows.toml"), gone());
        assert_eq!(format!("{error:?}"), "cannot read shows.toml: it is gone");
        let error = Error::data("the fault", Error::file(Path::new("a"), gone()));
        assert_eq!(format!("{error:#?}"), "cannot parse the fault: cannot read a: it is gone");
        let error = Error::Record("`name` is missing".to_owned());
        assert_eq!(format!("{error:?}"), "the API would reject this record: `name` is missing");
    }
}
