//! Records of the resources of a document that the sandbox was started with.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDateTime;
use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::document::IdField;
use super::table::Table;
use super::timestamp::ModifiedDate;

/// The records by id, in the order of their creation.
type Records = IndexMap<String, Value>;

/// The collections of a show, by path. A clone shares the records until one is written.
#[derive(Clone, Default)]
pub(crate) struct Collections {
    by_path: Arc<BTreeMap<String, Records>>,
    /// The number of records that were created, which makes their ids.
    created: u64,
}

/// The records of a resource: those of a table, which the sandbox has without a document too, or those of a collection.
pub(crate) enum Store<'a> {
    Table { table: &'a mut Table, now: NaiveDateTime, date: ModifiedDate },
    Collection { collections: &'a mut Collections, path: &'a str, id_field: IdField },
}

impl Store<'_> {
    pub(crate) fn id_field(&self) -> &IdField {
        match self {
            Self::Table { table, .. } => table.id_field(),
            Self::Collection { id_field, .. } => id_field,
        }
    }

    /// Returns an id that no record has or had.
    pub(crate) fn fresh_id(&mut self) -> String {
        match self {
            Self::Table { table, .. } => table.fresh_id(),
            Self::Collection { collections, .. } => {
                collections.created += 1;
                collections.created.to_string()
            }
        }
    }

    pub(crate) fn all(&self) -> Vec<Value> {
        match self {
            Self::Table { table, date, .. } => table.all(*date),
            Self::Collection { collections, path, .. } => {
                collections.by_path.get(*path).into_iter().flat_map(Records::values).cloned().collect()
            }
        }
    }

    pub(crate) fn get(&self, id: &str) -> Option<Value> {
        match self {
            Self::Table { table, date, .. } => Some(table.get(id)?.value(Some(*date))),
            Self::Collection { collections, path, .. } => collections.by_path.get(*path)?.get(id).cloned(),
        }
    }

    /// Inserts a record, and returns it with its id. It replaces one with the same id.
    pub(crate) fn insert(&mut self, id: &str, mut fields: Map<String, Value>) -> Value {
        match self {
            Self::Table { table, now, .. } => table.insert(id, fields, *now),
            Self::Collection { collections, path, id_field } => {
                fields.insert(id_field.name.clone(), id_field.value(id));
                let records = Arc::make_mut(&mut collections.by_path).entry((*path).to_owned()).or_default();
                records.insert(id.to_owned(), fields.into());
            }
        }
        self.get(id).unwrap_or_default()
    }

    pub(crate) fn remove(&mut self, id: &str) {
        match self {
            Self::Table { table, .. } => {
                table.remove(id);
            }
            Self::Collection { collections, path, .. } => {
                if let Some(records) = Arc::make_mut(&mut collections.by_path).get_mut(*path) {
                    records.shift_remove(id);
                }
            }
        }
    }
}
