//! The traffic: what came in, how often tokens were asked for, and what is to go wrong on the way.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::StatusCode;
use axum::http::request::Parts;

use crate::clock::Clock;
use crate::exchange::Part;
use crate::fault::Fault;
use crate::journal::Journal;
use crate::parameters::TokenRequests;

pub(crate) struct Traffic {
    pub(crate) clock: Clock,
    journal_cap: usize,
    log: Mutex<Log>,
}

pub(crate) struct Log {
    pub(crate) journal: Journal,
    pub(crate) token_requests: TokenRequests,
    /// What becomes of the next calls of the API; `None`: nothing.
    pub(crate) faults: VecDeque<Option<Fault>>,
    pub(crate) token_faults: VecDeque<Fault>,
}

impl Traffic {
    pub(crate) fn new(journal_cap: usize) -> Self {
        Self { clock: Clock::default(), journal_cap, log: Mutex::new(Log::new(journal_cap)) }
    }

    /// The log. A panic of one request must not take the others down with it.
    pub(crate) fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As it was at the start, the clock too.
    pub(crate) fn reset(&self) {
        self.clock.reset();
        *self.log() = Log::new(self.journal_cap);
    }

    /// Writes down a request; gives the number for its answer, and what is to go wrong with it.
    pub(crate) fn arrive(&self, part: Part, parts: &Parts, body: &[u8]) -> (u64, Option<Fault>) {
        let mut log = self.log();
        let number = log.journal.arrive(self.clock.now(), parts, body);
        let fault = match part {
            Part::Aside => None,
            Part::Token => {
                log.token_requests.count(&parts.headers, body);
                log.token_faults.pop_front()
            }
            Part::Api => log.faults.pop_front().flatten(),
        };
        (number, fault)
    }

    pub(crate) fn answered(&self, number: u64, status: Option<StatusCode>, body: &[u8]) {
        self.log().journal.answered(number, status, body);
    }
}

impl Log {
    fn new(journal_cap: usize) -> Self {
        Self {
            journal: Journal::new(journal_cap),
            token_requests: TokenRequests::default(),
            faults: VecDeque::new(),
            token_faults: VecDeque::new(),
        }
    }
}
