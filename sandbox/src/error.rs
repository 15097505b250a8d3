//! What can go wrong when a sandbox is started or filled.

use std::net::SocketAddr;

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
}
