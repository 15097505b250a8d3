//! Records of resources that only a document describes.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;

/// The records by id, in the order of their creation.
type Records = IndexMap<String, Value>;

/// The collections of a show, by path. A clone shares the records until one is written.
#[derive(Clone, Default)]
pub(crate) struct Collections {
    by_path: Arc<BTreeMap<String, Records>>,
    /// The number of records that were created, which makes their ids.
    created: u64,
}

impl Collections {
    /// Returns an id that no record has or had.
    pub(crate) fn next_id(&mut self) -> u64 {
        self.created += 1;
        self.created
    }

    pub(crate) fn all(&self, path: &str) -> Vec<Value> {
        self.by_path.get(path).into_iter().flat_map(Records::values).cloned().collect()
    }

    pub(crate) fn get(&self, path: &str, id: &str) -> Option<&Value> {
        self.by_path.get(path)?.get(id)
    }

    /// Inserts a record. It replaces one with the same id.
    pub(crate) fn insert(&mut self, path: &str, id: &str, record: Value) {
        Arc::make_mut(&mut self.by_path).entry(path.to_owned()).or_default().insert(id.to_owned(), record);
    }

    /// Removes a record. Returns false if there is none with this id.
    pub(crate) fn remove(&mut self, path: &str, id: &str) -> bool {
        let records = Arc::make_mut(&mut self.by_path).get_mut(path);
        records.is_some_and(|records| records.shift_remove(id).is_some())
    }
}
