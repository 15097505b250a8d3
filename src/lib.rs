//! A typed SDK for the Perenso Trade Show REST API.

mod bridge;
mod error;
mod operation;

pub use error::Error;
