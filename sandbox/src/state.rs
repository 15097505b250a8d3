//! The state of a show: what it starts from, and what its requests read and write.

use crate::behavior::Behavior;
use crate::booth::BoothProducts;
use crate::budget::Budget;
use crate::catalog::guide;
use crate::export::Export;
use crate::ledger::Ledger;
use crate::reference::{Reference, References};
use crate::seed;
use crate::table::Table;

/// What a show starts from.
#[derive(Clone)]
pub(crate) struct Start {
    pub(crate) client_id: String,
    /// Made up when it is not given.
    pub(crate) client_secret: Option<String>,
    pub(crate) customers: usize,
    pub(crate) products: usize,
    pub(crate) orders: usize,
    pub(crate) references: Vec<(Reference, String)>,
    pub(crate) seed: u64,
    pub(crate) journal_cap: usize,
    pub(crate) behavior: Behavior,
    pub(crate) exports: Vec<Export>,
}

impl Start {
    pub(crate) fn new(client_id: String) -> Self {
        Self {
            client_id,
            client_secret: None,
            customers: 45,
            products: 12,
            orders: 20,
            references: Vec::new(),
            seed: 1,
            journal_cap: 100_000,
            behavior: Behavior::default(),
            exports: guide(),
        }
    }
}

/// Everything that requests read and write, behind the one lock of the show.
pub(crate) struct State {
    pub(crate) behavior: Behavior,
    pub(crate) ledger: Ledger,
    pub(crate) tables: Tables,
    pub(crate) exports: Vec<Export>,
    pub(crate) budget: Budget,
}

#[derive(Clone)]
pub(crate) struct Tables {
    pub(crate) customers: Table,
    pub(crate) vendors: Table,
    pub(crate) warehouses: Table,
    pub(crate) attendees: Table,
    pub(crate) booths: Table,
    pub(crate) products: Table,
    pub(crate) orders: Table,
    pub(crate) references: References,
    pub(crate) booth_products: BoothProducts,
}

impl State {
    pub(crate) fn new(start: &Start, tag: &str) -> Self {
        Self {
            behavior: start.behavior.clone(),
            ledger: Ledger::tagged(tag),
            tables: seed::tables(start),
            exports: start.exports.clone(),
            budget: Budget::default(),
        }
    }
}
