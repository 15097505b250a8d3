//! The cached catalog of a client.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Catalog;

/// The catalog that a client and its clones share. The lock is held for a copy of the pointer, never during a call.
#[derive(Debug, Default)]
pub(crate) struct CatalogCache {
    catalog: Mutex<Option<Arc<Catalog>>>,
}

impl CatalogCache {
    pub(crate) fn get(&self) -> Option<Arc<Catalog>> {
        self.lock().clone()
    }

    pub(crate) fn set(&self, catalog: Catalog) -> Arc<Catalog> {
        Arc::clone(self.lock().insert(Arc::new(catalog)))
    }

    pub(crate) fn clear(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Catalog>>> {
        // A panic cannot leave the pointer half-written.
        self.catalog.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
