//! The server of a stand-in: one vendor, its credentials, and the state that requests read and write.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::behavior::StandInBehavior;
use super::codes::Codes;
use super::vendor::{Credentials, Vendor};
use crate::model::tokens::IssuedTokens;
use crate::show::rate_limiter::RateLimiter;
use crate::show::traffic::Traffic;

/// Serves one vendor.
pub(crate) struct VendorServer {
    pub(crate) vendor: &'static Vendor,
    pub(crate) credentials: Credentials,
    pub(crate) traffic: Traffic,
    state: Mutex<State>,
}

pub(crate) struct State {
    pub(crate) behavior: StandInBehavior,
    pub(crate) tokens: IssuedTokens,
    pub(crate) codes: Codes,
    pub(crate) rate_limiter: RateLimiter,
}

impl VendorServer {
    pub(crate) fn new(
        vendor: &'static Vendor,
        credentials: Credentials,
        journal_cap: usize,
        behavior: StandInBehavior,
    ) -> Self {
        let tokens = IssuedTokens::default();
        let state = State { behavior, tokens, codes: Codes::default(), rate_limiter: RateLimiter::default() };
        let traffic = Traffic::new(&credentials.client_id, journal_cap);
        let server = Self { vendor, credentials, traffic, state: Mutex::new(state) };
        server.new_code();
        server
    }

    /// Locks the state, even after a request panicked while it held the lock.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn new_code(&self) -> String {
        let State { codes, behavior, .. } = &mut *self.state();
        codes.newest = codes.issue(&self.credentials.redirect_uri, None, behavior, self.traffic.clock.now());
        codes.newest.clone()
    }

    pub(crate) fn issue_token(&self) -> String {
        let State { tokens, behavior, .. } = &mut *self.state();
        let family = tokens.new_family();
        tokens.issue_access(family, &behavior.token_terms(), self.traffic.clock.now())
    }
}
