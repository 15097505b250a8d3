//! A table: records in the order of their creation, found by id, each stamped with its last write.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDateTime;
use serde_json::{Map, Value};

use crate::clock::written;

/// A stored record.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) id: String,
    /// Everything but `id` and `modifiedDate`, which the server owns.
    pub(crate) fields: Map<String, Value>,
    pub(crate) modified: NaiveDateTime,
    /// Counts the writes of the table, so that two in one hundredth of a second keep their order.
    pub(crate) revision: u64,
}

impl Row {
    /// The record with `id`, and with `modifiedDate` where wanted.
    pub(crate) fn json(&self, with_date: bool) -> Value {
        let mut fields = self.fields.clone();
        fields.insert("id".into(), self.id.clone().into());
        if with_date {
            fields.insert("modifiedDate".into(), written(self.modified).into());
        }
        Value::Object(fields)
    }
}

/// How a write treats the fields that it does not name.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Absent {
    Stay,
    Go,
}

#[derive(Debug)]
pub(crate) struct Table {
    rows: BTreeMap<u64, Row>,
    places: HashMap<String, u64>,
    writes: u64,
    ids: fastrand::Rng,
}

impl Table {
    /// An empty table whose ids follow from the seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self { rows: BTreeMap::new(), places: HashMap::new(), writes: 0, ids: fastrand::Rng::with_seed(seed) }
    }

    /// An id like those of the samples: six lower-case letters and digits, free in this table.
    pub(crate) fn fresh_id(&mut self) -> String {
        loop {
            let id: String = (0..6)
                .map(|_| match self.ids.u32(0..36) {
                    digit @ 0..10 => char::from_digit(digit, 10).unwrap_or('0'),
                    _ => self.ids.lowercase(),
                })
                .collect();
            if !self.places.contains_key(&id) {
                return id;
            }
        }
    }

    /// Puts a record in, in the place of one with the same id.
    pub(crate) fn insert(&mut self, id: String, fields: Map<String, Value>, now: NaiveDateTime) -> Row {
        let revision = self.next_revision();
        let place = *self.places.entry(id.clone()).or_insert(revision);
        let row = Row { id, fields: without_owned(fields), modified: now, revision };
        self.rows.insert(place, row.clone());
        row
    }

    pub(crate) fn update(
        &mut self,
        id: &str,
        fields: Map<String, Value>,
        absent: Absent,
        now: NaiveDateTime,
    ) -> Option<Row> {
        let revision = self.next_revision();
        let row = self.rows.get_mut(self.places.get(id)?)?;
        let fields = without_owned(fields);
        match absent {
            Absent::Stay => row.fields.extend(fields),
            Absent::Go => row.fields = fields,
        }
        row.modified = now;
        row.revision = revision;
        Some(row.clone())
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Row> {
        self.rows.get(self.places.get(id)?)
    }

    pub(crate) fn remove(&mut self, id: &str) -> Option<Row> {
        self.rows.remove(&self.places.remove(id)?)
    }

    /// All records, the oldest first.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.values()
    }

    /// All records as the API would show them, with their `modifiedDate`.
    pub(crate) fn snapshot(&self) -> Vec<Value> {
        self.rows().map(|row| row.json(true)).collect()
    }

    /// The ids of the records by the text in one of their fields; of two with the same text the older one counts.
    pub(crate) fn ids_by(&self, field: &str) -> HashMap<String, String> {
        let mut ids = HashMap::new();
        for row in self.rows() {
            if let Some(Value::String(key)) = row.fields.get(field) {
                ids.entry(key.clone()).or_insert_with(|| row.id.clone());
            }
        }
        ids
    }

    fn next_revision(&mut self) -> u64 {
        self.writes += 1;
        self.writes
    }
}

fn without_owned(mut fields: Map<String, Value>) -> Map<String, Value> {
    fields.remove("id");
    fields.remove("modifiedDate");
    fields
}
