//! A table: records in the order of their creation, found by id and by key, each with the time of its last write.
//!
//! Records are stored as JSON text, which takes a third of the memory of a `serde_json::Map`. A clone of a table is cheap:
//! both share the records until one of them is written to.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use chrono::NaiveDateTime;
use fastrand::Rng;
use indexmap::IndexMap;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::document::IdField;
use super::rows::Rows;
use super::seeded::Seeded;
use super::timestamp::ModifiedDate;

/// The effect of an update on the fields that it does not name.
#[derive(Debug, Clone, Copy)]
pub(crate) enum AbsentFields {
    Keep,
    Remove,
}

#[derive(Clone)]
pub(crate) struct Table {
    key_field: &'static str,
    id_field: Arc<IdField>,
    seeded: Seeded,
    contents: Arc<Contents>,
}

#[derive(Clone, Default)]
struct Contents {
    /// The records by id, in the order of their numbers.
    records: IndexMap<Arc<str>, Arc<Record>>,
    /// The keys of the records, each with the number of its record.
    keys: BTreeSet<(Arc<str>, u64)>,
    /// The number of generated ids.
    issued: u64,
    /// The number of writes. It orders two writes with the same timestamp.
    writes: u64,
}

/// A record of a table.
#[derive(Clone)]
pub(crate) struct Record {
    /// Later records have higher numbers.
    number: u64,
    id: Arc<str>,
    id_field: Arc<IdField>,
    key: Option<Arc<str>>,
    /// The record as a JSON object, without its id and `modifiedDate`, which belong to the server.
    json: Box<str>,
    modified: NaiveDateTime,
    revision: u64,
}

impl Table {
    /// Fills a table with made-up records. `make` returns the key and the fields of the record with a number and a
    /// timestamp.
    pub(crate) fn seeded<R: Serialize>(
        seed: u64,
        count: u64,
        key_field: &'static str,
        make: impl Fn(u64, NaiveDateTime, &mut Rng) -> (Option<String>, R),
    ) -> Self {
        let (seeded, id_field) = (Seeded::new(seed), Arc::<IdField>::default());
        let mut contents = Contents { issued: count, writes: count, ..Contents::default() };
        contents.records.reserve(usize::try_from(count).unwrap_or_default());
        let mut buffer = Vec::new();
        for number in 1..=count {
            let modified = seeded.modified(number);
            let (key, fields) = make(number, modified, &mut seeded.random(number));
            buffer.clear();
            // A struct of strings and numbers always serialises, and as UTF-8.
            let _ = serde_json::to_writer(&mut buffer, &fields);
            let json = std::str::from_utf8(&buffer).unwrap_or_default();
            let key = key.map(Arc::from);
            let id = seeded.id(number).into();
            let id_field = id_field.clone();
            contents.put(Record { number, id, id_field, key, json: json.into(), modified, revision: number });
        }
        Self { key_field, id_field, seeded, contents: Arc::new(contents) }
    }

    /// Changes the ids of all records to those that a document describes: under another name, or integers.
    pub(crate) fn set_id_field(&mut self, id_field: IdField) {
        // A key is a field of the record, and its records have an id beside it.
        let is_key = id_field.name == self.key_field && !self.contents.keys.is_empty();
        if is_key || id_field == *self.id_field {
            return;
        }
        self.id_field = Arc::new(id_field);
        let Contents { issued, writes, .. } = *self.contents;
        let mut contents = Contents { issued, writes, ..Contents::default() };
        for record in self.records() {
            let mut record = Record::clone(record);
            record.id_field = self.id_field.clone();
            if self.id_field.is_integer {
                record.id = record.number.to_string().into();
            }
            contents.put(record);
        }
        self.contents = Arc::new(contents);
    }

    pub(crate) fn id_field(&self) -> &IdField {
        &self.id_field
    }

    pub(crate) fn len(&self) -> u64 {
        self.contents.records.len() as u64
    }

    /// Returns an id that no record has or had.
    pub(crate) fn fresh_id(&mut self) -> String {
        loop {
            let contents = Arc::make_mut(&mut self.contents);
            contents.issued += 1;
            let id = match self.id_field.is_integer {
                true => contents.issued.to_string(),
                false => self.seeded.id(contents.issued),
            };
            if self.get(&id).is_none() {
                return id;
            }
        }
    }

    /// Inserts a record. It replaces one with the same id.
    pub(crate) fn insert(&mut self, id: &str, fields: Map<String, Value>, now: NaiveDateTime) {
        let number = self.get(id).map_or(self.contents.writes + 1, |record| record.number);
        self.write(number, id, fields, now);
    }

    /// Updates a record. Returns false if there is none with this id.
    pub(crate) fn update(
        &mut self,
        id: &str,
        fields: Map<String, Value>,
        absent: AbsentFields,
        now: NaiveDateTime,
    ) -> bool {
        let Some(record) = self.get(id) else {
            return false;
        };
        let number = record.number;
        let fields = match absent {
            AbsentFields::Remove => fields,
            AbsentFields::Keep => record.fields().into_iter().chain(fields).collect(),
        };
        self.write(number, id, fields, now);
        true
    }

    fn write(&mut self, number: u64, id: &str, mut fields: Map<String, Value>, modified: NaiveDateTime) {
        fields.remove(&self.id_field.name);
        fields.remove("modifiedDate");
        let key = fields.get(self.key_field).and_then(Value::as_str).map(Arc::from);
        let json = Value::Object(fields).to_string().into();
        let contents = Arc::make_mut(&mut self.contents);
        contents.writes += 1;
        let (id_field, revision) = (self.id_field.clone(), contents.writes);
        contents.put(Record { number, id: id.into(), id_field, key, json, modified, revision });
    }

    /// Removes a record. Returns false if there is none with this id.
    pub(crate) fn remove(&mut self, id: &str) -> bool {
        let contents = Arc::make_mut(&mut self.contents);
        let record = contents.records.shift_remove(id);
        if let Some(key) = record.as_deref().and_then(Record::key_entry) {
            contents.keys.remove(&key);
        }
        record.is_some()
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Arc<Record>> {
        self.contents.records.get(id)
    }

    /// Returns the records with this key, oldest first.
    pub(crate) fn with_key(&self, key: &str) -> impl Iterator<Item = &Arc<Record>> {
        let Contents { records, keys, .. } = &*self.contents;
        let key: Arc<str> = key.into();
        let numbers = keys.range((key.clone(), 0)..=(key, u64::MAX)).map(|(_, number)| *number);
        numbers.filter_map(|number| {
            let place = records.binary_search_by_key(&number, |_, record| record.number).ok()?;
            Some(&records[place])
        })
    }

    pub(crate) fn has_key(&self, key: &str) -> bool {
        self.with_key(key).next().is_some()
    }

    /// Returns all records, oldest first.
    pub(crate) fn records(&self) -> impl DoubleEndedIterator<Item = &Arc<Record>> {
        self.contents.records.values()
    }

    /// Returns all records as the API shows them, with their `modifiedDate`.
    pub(crate) fn all(&self, date: ModifiedDate) -> Vec<Value> {
        self.records().map(|record| record.value(Some(date))).collect()
    }
}

impl Contents {
    fn put(&mut self, record: Record) {
        let id = record.id.clone();
        self.keys.extend(record.key_entry());
        let (place, before) = self.records.insert_full(id, Arc::new(record));
        let replaced = before.filter(|before| before.key != self.records[place].key);
        if let Some(key) = replaced.and_then(|before| before.key_entry()) {
            self.keys.remove(&key);
        }
    }
}

/// Returns records as rows.
pub(crate) fn rows(records: Vec<Arc<Record>>, date: Option<ModifiedDate>) -> Rows {
    Rows::written(records.len() as u64, move |number, buffer| {
        // The number is less than the count, which is that of the list.
        records[number as usize].write(date, buffer);
        Ok(())
    })
}

/// Returns a field of a JSON object, or null.
fn field(json: &str, name: &str) -> Value {
    let fields: HashMap<String, &RawValue> = serde_json::from_str(json).unwrap_or_default();
    fields.get(name).and_then(|value| serde_json::from_str(value.get()).ok()).unwrap_or_default()
}

impl Record {
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Returns the id as JSON.
    pub(crate) fn id_value(&self) -> Value {
        self.id_field.value(&self.id)
    }

    fn key_entry(&self) -> Option<(Arc<str>, u64)> {
        Some((self.key.clone()?, self.number))
    }

    /// Returns the timestamp and the revision of the last write.
    pub(crate) fn modified(&self) -> (NaiveDateTime, u64) {
        (self.modified, self.revision)
    }

    fn fields(&self) -> Map<String, Value> {
        serde_json::from_str(&self.json).unwrap_or_default()
    }

    /// Returns a field, or null if the record does not have it.
    pub(crate) fn field(&self, name: &str) -> Value {
        field(&self.json, name)
    }

    /// Writes the record with its id, and with `modifiedDate` if there is a format.
    fn write(&self, date: Option<ModifiedDate>, buffer: &mut Vec<u8>) {
        let mut put = |text: &str| buffer.extend_from_slice(text.as_bytes());
        put("{");
        put(&Value::from(&*self.id_field.name).to_string());
        put(":");
        put(&self.id_value().to_string());
        if let Some(format) = date {
            put(&format!(",\"modifiedDate\":\"{}\"", format.format(self.modified)));
        }
        if self.json.len() > "{}".len() {
            put(",");
        }
        put(&self.json[1..]);
    }

    /// Returns the record with its id, and with `modifiedDate` if there is a format.
    pub(crate) fn value(&self, date: Option<ModifiedDate>) -> Value {
        serde_json::from_slice(&self.to_json(date)).unwrap_or_default()
    }

    /// Returns the same as JSON text.
    pub(crate) fn to_json(&self, date: Option<ModifiedDate>) -> Vec<u8> {
        let mut text = Vec::new();
        self.write(date, &mut text);
        text
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::model::seeded::Key;

    const KEY: Key = Key::new("key", "C", 3);

    fn keyed(key: String) -> (Option<String>, Value) {
        let record = json!({ "key": key });
        (Some(key), record)
    }

    fn seeded(count: u64) -> Table {
        Table::seeded(7, count, "key", |number, _, random| {
            let key = format!("K{number:02}");
            let record = json!({ "key": key, "zone": random.u32(0..9) });
            (Some(key), record)
        })
    }

    fn now(second: u32) -> NaiveDateTime {
        chrono::NaiveDate::from_ymd_opt(2026, 1, 1).unwrap().and_hms_opt(0, second / 60, second % 60).unwrap()
    }

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    fn bytes(table: &Table) -> Vec<Vec<u8>> {
        table.records().map(|row| row.to_json(Some(ModifiedDate::DateTime))).collect()
    }

    #[test]
    fn records_are_found_by_position_key_and_id() {
        let table = seeded(5_000);
        assert_eq!(table.len(), 5_000);
        let keys: Vec<Value> = table.records().skip(4_000).take(20).map(|record| record.field("key")).collect();
        assert_eq!(keys, (4_001..=4_020).map(|number| json!(format!("K{number}"))).collect::<Vec<Value>>());
        assert!(table.with_key("K4000").next().is_some());
        assert!(table.with_key("none").next().is_none());
        let id = table.records().nth(3_000).unwrap().id();
        assert_eq!(table.get(id).unwrap().number, 3_001);
        assert!(table.records().all(|record| record.modified().0 < now(0)));
        let id = table.records().next().unwrap().id();
        assert_eq!(table.get(id).unwrap().value(None)["key"], "K01");
    }

    #[test]
    fn keys_identify_their_records() {
        let numbers = |table: &Table, key: &str| table.with_key(key).map(|record| record.number).collect::<Vec<u64>>();
        let one = Table::seeded(1, 2_000, "key", |number, _, _| keyed(KEY.of(number)));
        for (key, number) in [("C001", 1), ("C999", 999), ("C1000", 1_000), ("C2000", 2_000)] {
            assert_eq!(numbers(&one, key), [number], "{key}");
        }
        for key in ["C000", "C01", "C0001", "C+01", "C2001", "c001", "001", "C", "", "C18446744073709551616"] {
            assert!(numbers(&one, key).is_empty(), "{key}");
        }
        let two = Table::seeded(1, 2_000, "key", |number, _, _| keyed(KEY.of(number.div_ceil(2))));
        assert_eq!(numbers(&two, "C001"), [1, 2]);
        assert_eq!(numbers(&two, "C1000"), [1_999, 2_000]);
        assert!(numbers(&two, "C1001").is_empty());
        assert!(numbers(&two, "C18446744073709551615").is_empty());
    }

    #[test]
    fn a_record_follows_from_the_seed_and_its_number() {
        let seeded =
            |seed| Table::seeded(seed, 2_000, "key", |number, _, random| (None, json!([number, random.u64(..)])));
        let all = |table: &Table| -> Vec<_> {
            table.records().map(|record| (record.id().to_owned(), record.json.clone(), record.modified)).collect()
        };
        let (one, same, other) = (all(&seeded(1)), all(&seeded(1)), all(&seeded(2)));
        assert_eq!(one, same);
        for (a, b) in one.iter().zip(&other) {
            assert!(a.0 != b.0 && a.1 != b.1, "{a:?} {b:?}");
        }
        assert_ne!(one[0].1.split_once(',').unwrap().1, one[1].1.split_once(',').unwrap().1);
    }

    #[test]
    fn ids_beyond_the_count_are_unknown() {
        let table = seeded(2_000);
        assert_eq!(table.get(&table.seeded.id(2_000)).unwrap().number, 2_000);
        assert!(table.get(&table.seeded.id(2_001)).is_none());
        assert!(table.get(&table.seeded.id(0)).is_none());
    }

    #[test]
    fn a_field_is_found_among_others() {
        let mut table = seeded(0);
        let text = r#"{"a":{"b":1},"b":[1,{"b":2}],"say \"hi\"":"x","c":null}"#;
        table.insert("one", serde_json::from_str(text).unwrap(), now(1));
        let record = table.get("one").unwrap();
        assert_eq!(record.field("b"), json!([1, { "b": 2 }]));
        assert_eq!(record.field("say \"hi\""), "x");
        assert_eq!(record.field("c"), Value::Null);
        assert_eq!(record.field("d"), Value::Null);
        table.insert("empty", Map::new(), now(1));
        assert_eq!(table.get("empty").unwrap().field("d"), Value::Null);
    }

    #[test]
    fn seeded_records_are_written_in_their_order() {
        let table = seeded(1_000);
        assert!(table.records().map(|row| row.modified()).is_sorted());
    }

    #[test]
    fn a_record_takes_the_place_of_one_with_its_id_and_any_id_will_do() {
        let mut table = seeded(2);
        let first = table.records().next().unwrap().id().to_owned();
        for id in [&first, "a/\"b", "a/\"b"] {
            table.insert(id, object(json!({ "key": id, "modifiedDate": "1999-01-01", "id": "other" })), now(1));
        }
        let keys: Vec<Value> = table.records().map(|row| row.field("key")).collect();
        assert_eq!(keys, [json!(first), json!("K02"), json!("a/\"b")]);
        let row = table.get("a/\"b").unwrap();
        let expected = json!({ "id": "a/\"b", "modifiedDate": "2026-01-01T00:00:01", "key": "a/\"b" });
        assert_eq!(row.value(Some(ModifiedDate::DateTime)), expected);
        assert_eq!(row.value(None), json!({ "id": "a/\"b", "key": "a/\"b" }));
        table.insert("empty", Map::new(), now(1));
        assert_eq!(table.get("empty").unwrap().to_json(None), br#"{"id":"empty"}"#);
    }

    #[test]
    fn a_fresh_id_is_one_that_nobody_has_or_had() {
        let mut table = seeded(3);
        let coming = table.clone().fresh_id();
        table.insert(&coming, Map::new(), now(1));
        let mut ids: Vec<String> = table.records().map(|row| row.id().to_owned()).collect();
        table.remove(&ids[0].clone());
        for _ in 0..100 {
            let id = table.fresh_id();
            assert!(!ids.contains(&id));
            ids.push(id);
        }
    }

    #[test]
    fn of_two_with_one_key_the_older_comes_first() {
        let mut table = seeded(3);
        let third = table.records().nth(2).unwrap().id().to_owned();
        table.insert("new", object(json!({ "key": "K02" })), now(1));
        table.update(&third, object(json!({ "key": "K02" })), AbsentFields::Keep, now(2));
        let places = |table: &Table, key| table.with_key(key).map(|record| record.number).collect::<Vec<u64>>();
        assert_eq!(places(&table, "K02"), [2, 3, 4]);
        assert!(places(&table, "K03").is_empty());
        table.update(&third, object(json!({ "key": "K03" })), AbsentFields::Keep, now(3));
        assert_eq!((places(&table, "K02"), places(&table, "K03")), (vec![2, 4], vec![3]));
        table.update(&third, object(json!({ "key": null })), AbsentFields::Keep, now(4));
        assert!(places(&table, "K03").is_empty());
        table.remove("new");
        assert_eq!(places(&table, "K02"), [2]);
        let first = table.records().next().unwrap().id().to_owned();
        table.update(&first, object(json!({ "key": "K02" })), AbsentFields::Keep, now(5));
        assert_eq!(places(&table, "K02"), [1, 2], "also when the older one came to it later");
    }

    /// A change of a table: the first number picks a record, the second is a key.
    #[derive(Debug, Clone)]
    enum Step {
        Create(Option<u8>),
        Change(u8, Option<u8>, bool),
        Remove(u8),
    }

    fn step() -> impl Strategy<Value = Step> {
        let key = || proptest::option::of(0..12_u8);
        prop_oneof![
            key().prop_map(Step::Create),
            (any::<u8>(), key(), any::<bool>()).prop_map(|(row, key, stay)| Step::Change(row, key, stay)),
            any::<u8>().prop_map(Step::Remove),
        ]
    }

    /// The reference model: a list.
    #[derive(Default, Clone)]
    struct Model(Vec<(String, Map<String, Value>, u32)>);

    fn apply(table: &mut Table, model: &mut Model, steps: &[Step], from: u32) {
        for (second, step) in (from..).zip(steps) {
            let fields = |key: &Option<u8>| match key {
                Some(key) => object(json!({ "key": format!("K{key:02}"), "second": second })),
                None => object(json!({ "second": second })),
            };
            let picked = |row: &u8| if model.0.is_empty() { None } else { Some(usize::from(*row) % model.0.len()) };
            match step {
                Step::Create(key) => {
                    let id = table.fresh_id();
                    table.insert(&id, fields(key), now(second));
                    model.0.push((id, fields(key), second));
                }
                Step::Change(row, key, stay) => {
                    let Some(place) = picked(row) else { continue };
                    let (id, known, modified) = &mut model.0[place];
                    let absent = if *stay { AbsentFields::Keep } else { AbsentFields::Remove };
                    assert!(table.update(id, fields(key), absent, now(second)));
                    if !stay {
                        known.clear();
                    }
                    known.extend(fields(key));
                    *modified = second;
                }
                Step::Remove(row) => {
                    let Some(place) = picked(row) else { continue };
                    let (id, _, _) = model.0.remove(place);
                    assert!(table.remove(&id));
                    assert!(!table.remove(&id));
                    assert!(!table.update(&id, Map::new(), AbsentFields::Keep, now(second)));
                    assert!(table.get(&id).is_none());
                }
            }
        }
    }

    fn check(table: &Table, model: &Model) {
        assert_eq!(table.len(), model.0.len() as u64);
        let numbers: Vec<u64> = table.records().map(|record| record.number).collect();
        assert_eq!(numbers.len(), model.0.len());
        for skipped in 0..=numbers.len() {
            let rest: Vec<u64> = table.records().skip(skipped).map(|record| record.number).collect();
            assert_eq!(rest, numbers[skipped..], "after {skipped}");
        }
        for (row, (id, fields, second)) in table.records().zip(&model.0) {
            assert_eq!((row.id(), row.fields()), (id.as_str(), fields.clone()));
            assert_eq!(table.get(id).unwrap().number, row.number);
            if *second > 0 {
                assert_eq!(row.modified, now(*second));
            }
        }
        for key in (0..12).map(|key| format!("K{key:02}")) {
            let found: Vec<String> = table.with_key(&key).map(|row| row.id().to_owned()).collect();
            let has_key = |fields: &Map<String, Value>| fields.get("key").is_some_and(|value| *value == *key);
            let wanted: Vec<String> =
                model.0.iter().filter(|(_, fields, _)| has_key(fields)).map(|(id, _, _)| id.clone()).collect();
            assert_eq!(found, wanted, "{key}");
        }
    }

    proptest! {
        #[test]
        fn a_table_is_a_list_of_records_and_a_clone_of_it_stays_as_it_was(
            count in 0..6_u64,
            before in proptest::collection::vec(step(), 0..20),
            after in proptest::collection::vec(step(), 0..20),
        ) {
            let mut table = seeded(count);
            let mut model = Model(table.records().map(|row| (row.id().to_owned(), row.fields(), 0)).collect());
            apply(&mut table, &mut model, &before, 1);
            check(&table, &model);
            let (kept, kept_model) = (table.clone(), model.clone());
            let kept_bytes = bytes(&kept);
            apply(&mut table, &mut model, &after, 1_000);
            check(&table, &model);
            check(&kept, &kept_model);
            prop_assert_eq!(bytes(&kept), kept_bytes);
        }
    }
}
