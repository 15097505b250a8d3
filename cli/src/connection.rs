//! Finds the show to use, and builds its client.

mod client;
mod directory;
mod keyring;
mod profiles;
mod secret;
mod settings;

pub(crate) use client::{Connection, Source, Tokens, connect};
pub(crate) use profiles::{Profile, Profiles};
