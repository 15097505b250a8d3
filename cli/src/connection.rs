//! Which show is meant, and its client.

mod client;
mod directory;
mod profiles;
mod secret;
mod settings;

pub(crate) use client::{Connection, Source, Tokens, connect};
pub(crate) use directory::Directory;
pub(crate) use profiles::{Profile, Profiles};
pub(crate) use settings::Settings;
