//! The state of a show, and the settings that it starts from.

use std::sync::Arc;

use super::behavior::Behavior;
use super::rate_limiter::RateLimiter;
use crate::model::document::Document;
use crate::model::exports::{Export, guide};
use crate::model::reference::Reference;
use crate::model::tables::{Seed, Tables};
use crate::model::tokens::IssuedTokens;

/// The settings of a show.
#[derive(Clone)]
pub(crate) struct ShowSettings {
    pub(crate) client_id: String,
    /// Generated if it is `None`.
    pub(crate) client_secret: Option<String>,
    pub(crate) seed: Seed,
    pub(crate) references: Vec<(Reference, String)>,
    pub(crate) journal_cap: usize,
    pub(crate) behavior: Behavior,
    pub(crate) exports: Vec<Export>,
    /// A document in the place of the vendored one.
    pub(crate) document: Option<Arc<Document>>,
}

impl ShowSettings {
    pub(crate) fn new(client_id: String) -> Self {
        Self {
            client_id,
            client_secret: None,
            seed: Seed { seed: 1, customers: 45, products: 12, orders: 20 },
            references: Vec::new(),
            journal_cap: 100_000,
            behavior: Behavior::default(),
            exports: guide(),
            document: None,
        }
    }
}

/// The state that requests read and write, behind the one lock of the show.
pub(crate) struct State {
    pub(crate) behavior: Behavior,
    pub(crate) tokens: IssuedTokens,
    pub(crate) tables: Tables,
    pub(crate) exports: Vec<Export>,
    pub(crate) rate_limiter: RateLimiter,
}

impl State {
    pub(crate) fn new(settings: &ShowSettings, token_prefix: &str) -> Self {
        let mut tables = Tables::seeded(settings.seed);
        if let Some(document) = &settings.document {
            tables.set_id_fields(document);
        }
        for (reference, key) in &settings.references {
            tables.references.add(*reference, key.clone());
        }
        Self {
            behavior: settings.behavior.clone(),
            tokens: IssuedTokens::with_prefix(token_prefix),
            tables,
            exports: settings.exports.clone(),
            rate_limiter: RateLimiter::default(),
        }
    }
}
