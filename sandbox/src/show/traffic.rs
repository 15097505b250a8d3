//! Traffic: journal, request counts, fault script and clock of a show or stand-in.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::clock::Clock;
use super::faults::{Call, EndpointKind, Fault, Script};
use super::headers::Headers;
use super::journal::{Journal, Request};

pub(crate) struct Traffic {
    pub(crate) clock: Clock,
    log: Mutex<Log>,
}

pub(crate) struct Log {
    pub(crate) journal: Journal,
    pub(crate) token_requests: TokenRequests,
    pub(crate) script: Script,
}

impl Traffic {
    pub(crate) fn new(show: &str, journal_cap: usize) -> Self {
        let journal = Journal::new(show.to_owned(), journal_cap);
        let log = Log { journal, token_requests: TokenRequests::default(), script: Script::default() };
        Self { clock: Clock::default(), log: Mutex::new(log) }
    }

    /// Locks the log, even after a request panicked while it held the lock.
    pub(crate) fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Restores the initial state, including the clock.
    pub(crate) fn reset(&self) {
        self.clock.reset();
        let mut log = self.log();
        // Request numbers continue: a response in progress is recorded by number, and must not match a later request.
        log.journal.clear();
        log.token_requests = TokenRequests::default();
        log.script = Script::default();
    }

    /// Appends steps to the fault script.
    pub(crate) fn add_script(&self, script: impl Into<Script>) {
        let script = script.into();
        self.log().script.extend(script);
    }

    /// Records a request. Returns its number in the journal and its fault.
    ///
    /// A request can set its own fault by a header. The script then keeps its next step. Requests that are neither API calls nor
    /// token requests have no fault.
    pub(crate) fn record_request(
        &self,
        kind: EndpointKind,
        request: Request<'_>,
        grant_type: Option<&str>,
        requested: Option<Fault>,
    ) -> (u64, Option<Fault>) {
        let mut log = self.log();
        if kind == EndpointKind::Token {
            log.token_requests.count(grant_type);
        }
        let is_refresh = grant_type == Some("refresh_token");
        let call = Call { kind, method: request.method, path: request.path, is_refresh };
        let fault = match kind {
            EndpointKind::Other => None,
            EndpointKind::Token | EndpointKind::Api => requested.or_else(|| log.script.decide(&call)),
        };
        let number = log.journal.record_request(self.clock.now(), request, fault.as_ref());
        (number, fault)
    }

    /// Records the response to a request. The status is `None` if the response is lost.
    pub(crate) fn record_response(&self, number: u64, status: Option<u16>, headers: Headers, body: &[u8]) {
        self.log().journal.record_response(number, status, headers, body);
    }
}

/// The number of token requests by grant, including rejected requests and those with a fault.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenRequests {
    /// With `grant_type=client_credentials`.
    pub client_credentials: u64,
    /// With `grant_type=authorization_code`.
    pub authorization_code: u64,
    /// With `grant_type=password`.
    pub password: u64,
    /// With `grant_type=refresh_token`.
    pub refresh_token: u64,
    /// With another or an invalid `grant_type`.
    pub other: u64,
}

impl TokenRequests {
    /// Returns the total.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.client_credentials + self.authorization_code + self.password + self.refresh_token + self.other
    }

    pub(crate) fn count(&mut self, grant_type: Option<&str>) {
        *match grant_type {
            Some("client_credentials") => &mut self.client_credentials,
            Some("authorization_code") => &mut self.authorization_code,
            Some("password") => &mut self.password,
            Some("refresh_token") => &mut self.refresh_token,
            _ => &mut self.other,
        } += 1;
    }
}
