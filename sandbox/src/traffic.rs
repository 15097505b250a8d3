//! The traffic: what came in, how often tokens were asked for, and what is to go wrong on the way.

use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};

use crate::clock::Clock;
use crate::exchange::Part;
use crate::fault::Fault;
use crate::journal::Journal;
use crate::parameters::{TokenRequests, grant_type};
use crate::script::Script;
use crate::target::Call;

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

    /// The log. A panic of one request must not take the others down with it.
    pub(crate) fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As it was at the start, the clock too.
    pub(crate) fn reset(&self) {
        self.clock.reset();
        let mut log = self.log();
        // Its numbers go on, so that an answer that is under way does not become that of a later request.
        log.journal.clear();
        log.token_requests = TokenRequests::default();
        log.script = Script::default();
    }

    /// Orders what is to go wrong, behind what was ordered before.
    pub(crate) fn order(&self, script: impl Into<Script>) {
        let script = script.into();
        self.log().script.extend(script);
    }

    /// Writes down a request; gives the number for its answer, and what is to go wrong with it. What the request itself
    /// orders comes before the script, and takes nothing off it.
    pub(crate) fn arrive(&self, part: Part, parts: &Parts, body: &[u8], own: Option<Fault>) -> (u64, Option<Fault>) {
        let grant_type = if part == Part::Token { grant_type(&parts.headers, body) } else { None };
        let mut log = self.log();
        if part == Part::Token {
            log.token_requests.count(grant_type.as_deref());
        }
        let call = Call {
            part,
            method: &parts.method,
            path: parts.uri.path(),
            is_refresh: grant_type.as_deref() == Some("refresh_token"),
        };
        let fault = match part {
            Part::Aside => None,
            Part::Token | Part::Api => own.or_else(|| log.script.decide(&call)),
        };
        let number = log.journal.arrive(self.clock.now(), parts, body, fault.as_ref());
        (number, fault)
    }

    /// Writes down the answer of a request; the status is `None` when it gets lost.
    pub(crate) fn answered(&self, number: u64, status: Option<StatusCode>, headers: &HeaderMap, body: &[u8]) {
        self.log().journal.answered(number, status, headers, body);
    }
}
