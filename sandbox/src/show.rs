//! The show: everything that the sandbox knows of it, behind one lock, so that every request is one step.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::NaiveDateTime;

use crate::behavior::Behavior;
use crate::budget::Budget;
use crate::clock::{Clock, local};
use crate::export::Export;
use crate::ledger::Ledger;
use crate::seed;
use crate::table::Table;
use crate::traffic::Traffic;

/// What a show starts from.
pub(crate) struct Start {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) customers: usize,
    pub(crate) seed: u64,
    pub(crate) journal_cap: usize,
    pub(crate) behavior: Behavior,
    pub(crate) exports: Vec<Export>,
}

pub(crate) struct Show {
    pub(crate) start: Start,
    pub(crate) traffic: Traffic,
    state: Mutex<State>,
}

pub(crate) struct State {
    pub(crate) behavior: Behavior,
    pub(crate) ledger: Ledger,
    pub(crate) tables: Tables,
    pub(crate) exports: Vec<Export>,
    pub(crate) budget: Budget,
}

pub(crate) struct Tables {
    pub(crate) customers: Table,
    pub(crate) vendors: Table,
    pub(crate) warehouses: Table,
    pub(crate) attendees: Table,
    pub(crate) booths: Table,
}

impl Show {
    pub(crate) fn new(start: Start) -> Self {
        let state = Mutex::new(State::new(&start));
        Self { traffic: Traffic::new(start.journal_cap), start, state }
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.traffic.clock
    }

    /// The state. A panic of one request must not take the others down with it.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything as it was at the start, the clock too.
    pub(crate) fn reset(&self) {
        self.traffic.reset();
        *self.state() = State::new(&self.start);
    }

    /// The present as records are stamped with it.
    pub(crate) fn local_now(&self, behavior: &Behavior) -> NaiveDateTime {
        local(self.clock().now(), behavior.local_offset)
    }
}

impl State {
    fn new(start: &Start) -> Self {
        Self {
            behavior: start.behavior.clone(),
            ledger: Ledger::default(),
            tables: seed::tables(start.seed, start.customers),
            exports: start.exports.clone(),
            budget: Budget::default(),
        }
    }
}
