//! Obtains, renews, caches and shares tokens.

pub(crate) mod authorization;
pub(crate) mod cache;
pub(crate) mod credentials;
pub(crate) mod exchange;
pub(crate) mod fault;
mod history;
pub(crate) mod in_flight;
mod renewal;
#[cfg(test)]
mod schedules;
mod sync;
pub(crate) mod token;
pub(crate) mod token_response;
pub(crate) mod token_source;
