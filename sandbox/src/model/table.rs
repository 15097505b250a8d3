//! A table: records in the order of their creation, found by id and by key, each stamped with its last write.
//!
//! What a table begins with is kept nowhere: such a record is made from its number whenever somebody asks for it, and
//! only what was written since is there, as JSON text. A clone costs next to nothing: both share what was written until
//! one of them is written to.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::NaiveDateTime;
use serde_json::{Map, Value};

use super::exports::Rows;
use super::pick::pick;
use super::seeded::Seeded;
use super::timestamp::ModifiedDate;

/// What an update does with the fields that it does not name.
#[derive(Debug, Clone, Copy)]
pub(crate) enum AbsentFields {
    Keep,
    Remove,
}

#[derive(Clone)]
pub(crate) struct Table {
    seeded: Arc<Seeded>,
    written: Arc<Written>,
}

/// What was written. A place says where a record stands in the order of the table: a seeded one at its number, any
/// other at the number of the write that created it, which is beyond those.
#[derive(Clone, Default)]
struct Written {
    /// Seeded records that are not any more as they were made.
    changed: BTreeMap<u64, Arc<Entry>>,
    /// Seeded records that were deleted.
    gone: BTreeSet<u64>,
    created: BTreeMap<u64, Arc<Entry>>,
    /// The places of created records by their ids.
    ids: HashMap<Arc<str>, u64>,
    /// The keys of changed and created records.
    keys: BTreeSet<(Arc<str>, u64)>,
    /// How many ids were made up.
    issued: u64,
    /// Counts the writes, so that two in one hundredth of a second keep their order.
    writes: u64,
}

struct Entry {
    id: Arc<str>,
    key: Option<Arc<str>>,
    /// The record as a JSON object, without `id` and `modifiedDate`, which the server owns.
    text: Box<str>,
    modified: NaiveDateTime,
    revision: u64,
}

/// A record in its table.
#[derive(Clone, Copy)]
pub(crate) struct Record<'a> {
    table: &'a Table,
    place: u64,
    entry: Option<&'a Entry>,
}

impl Table {
    pub(crate) fn new(seeded: Seeded) -> Self {
        let written = Written { issued: seeded.count, writes: seeded.count, ..Written::default() };
        Self { seeded: Arc::new(seeded), written: Arc::new(written) }
    }

    /// How many records there are.
    pub(crate) fn len(&self) -> u64 {
        self.seeded_left() + self.written.created.len() as u64
    }

    fn seeded_left(&self) -> u64 {
        self.seeded.count - self.written.gone.len() as u64
    }

    /// An id that no record of the table has or had.
    pub(crate) fn fresh_id(&mut self) -> String {
        loop {
            let written = Arc::make_mut(&mut self.written);
            written.issued += 1;
            let id = self.seeded.id(written.issued);
            if self.get(&id).is_none() {
                return id;
            }
        }
    }

    /// Puts a record in, in the place of one with the same id.
    pub(crate) fn insert(&mut self, id: &str, fields: Map<String, Value>, now: NaiveDateTime) {
        let place = self.get(id).map_or(self.written.writes + 1, |row| row.place);
        self.write(place, id, fields, now);
    }

    /// Changes a record; false when there is none with this id.
    pub(crate) fn update(
        &mut self,
        id: &str,
        fields: Map<String, Value>,
        absent: AbsentFields,
        now: NaiveDateTime,
    ) -> bool {
        let Some(row) = self.get(id) else {
            return false;
        };
        let place = row.place;
        let fields = match absent {
            AbsentFields::Remove => fields,
            AbsentFields::Keep => row.fields().into_iter().chain(fields).collect(),
        };
        self.write(place, id, fields, now);
        true
    }

    fn write(&mut self, place: u64, id: &str, mut fields: Map<String, Value>, modified: NaiveDateTime) {
        fields.remove("id");
        fields.remove("modifiedDate");
        let key: Option<Arc<str>> = fields.get(self.seeded.key.field).and_then(Value::as_str).map(Arc::from);
        let written = Arc::make_mut(&mut self.written);
        written.writes += 1;
        let text = Value::Object(fields).to_string().into();
        let entry = Arc::new(Entry { id: id.into(), key, text, modified, revision: written.writes });
        written.keys.extend(entry.key.clone().map(|key| (key, place)));
        let before = if place <= self.seeded.count {
            written.changed.insert(place, entry.clone())
        } else {
            written.ids.insert(entry.id.clone(), place);
            written.created.insert(place, entry.clone())
        };
        if let Some(key) = before.and_then(|before| before.key.clone()).filter(|key| Some(key) != entry.key.as_ref()) {
            written.keys.remove(&(key, place));
        }
    }

    /// Takes a record out; false when there is none with this id.
    pub(crate) fn remove(&mut self, id: &str) -> bool {
        let Some(place) = self.get(id).map(|row| row.place) else {
            return false;
        };
        let written = Arc::make_mut(&mut self.written);
        let entry = if place <= self.seeded.count {
            written.gone.insert(place);
            written.changed.remove(&place)
        } else {
            written.ids.remove(id);
            written.created.remove(&place)
        };
        if let Some(key) = entry.and_then(|entry| entry.key.clone()) {
            written.keys.remove(&(key, place));
        }
        true
    }

    pub(crate) fn get(&self, id: &str) -> Option<Record<'_>> {
        let place = self.written.ids.get(id).copied().or_else(|| self.seeded.number(id))?;
        self.at(place)
    }

    fn at(&self, place: u64) -> Option<Record<'_>> {
        let written = &self.written;
        let entry = if place > self.seeded.count {
            Some(written.created.get(&place)?)
        } else if written.gone.contains(&place) {
            return None;
        } else {
            written.changed.get(&place)
        };
        Some(Record { table: self, place, entry: entry.map(Arc::as_ref) })
    }

    /// The records with this text in the key field of the table, the oldest first.
    pub(crate) fn with_key(&self, key: &str) -> impl Iterator<Item = Record<'_>> {
        let Written { changed, keys, .. } = &*self.written;
        let seeded = self.seeded.numbers_of(key).filter(|place| !changed.contains_key(place));
        let key: Arc<str> = key.into();
        let range = (key.clone(), 0)..=(key, u64::MAX);
        let mut places: Vec<u64> = seeded.chain(keys.range(range).map(|(_, place)| *place)).collect();
        places.sort_unstable();
        places.into_iter().filter_map(|place| self.at(place))
    }

    pub(crate) fn has_key(&self, key: &str) -> bool {
        self.with_key(key).next().is_some()
    }

    /// The places of all records, the oldest first, from the one on that has so many before it. Finding that one takes no
    /// look at the records before it.
    pub(crate) fn places(&self, before: u64) -> impl Iterator<Item = u64> {
        let Written { gone, created, .. } = &*self.written;
        let count = self.seeded.count;
        let left = self.seeded_left();
        let first = gone.iter().fold(before.min(left) + 1, |place, gone| place + u64::from(*gone <= place));
        let seeded = (first..=count).filter(|place| !gone.contains(place));
        let skipped = before.saturating_sub(left);
        seeded.chain(created.keys().copied().skip(usize::try_from(skipped).unwrap_or(usize::MAX)))
    }

    /// Returns all records in table order.
    pub(crate) fn records(&self) -> impl Iterator<Item = Record<'_>> {
        self.places(0).filter_map(|place| self.at(place))
    }

    /// All records as the API would show them, with their `modifiedDate`.
    pub(crate) fn all(&self, date: ModifiedDate) -> Vec<Value> {
        self.records().map(|row| row.value(Some(date))).collect()
    }

    /// Returns the records at these places as rows. Later writes do not change them.
    pub(crate) fn select(&self, places: Vec<u64>, date: Option<ModifiedDate>) -> Rows {
        let table = self.clone();
        Rows::written(places.len() as u64, move |number, buffer| {
            // Nobody asks for a row beyond the count, and what is at a place does not go away in a clone.
            if let Some(row) = table.at(places[number as usize]) {
                row.write(date, buffer);
            }
            Ok(())
        })
    }
}

impl<'a> Record<'a> {
    pub(crate) fn place(self) -> u64 {
        self.place
    }

    pub(crate) fn id(self) -> Cow<'a, str> {
        self.entry.map_or_else(|| self.table.seeded.id(self.place).into(), |entry| (&*entry.id).into())
    }

    /// When it was written, and the how manieth write that was.
    pub(crate) fn modified(self) -> (NaiveDateTime, u64) {
        self.entry.map_or_else(
            || (self.table.seeded.modified(self.place), self.place),
            |entry| (entry.modified, entry.revision),
        )
    }

    /// Everything but `id` and `modifiedDate`, as a JSON object.
    pub(crate) fn text(self) -> Cow<'a, str> {
        self.entry.map_or_else(|| self.table.seeded.text(self.place).into(), |entry| (&*entry.text).into())
    }

    fn fields(self) -> Map<String, Value> {
        // What serde_json wrote it also reads.
        serde_json::from_str(&self.text()).unwrap_or_default()
    }

    /// One field; null where the record does not have it.
    pub(crate) fn field(self, name: &str) -> Value {
        pick(&self.text(), name)
    }

    /// Writes the record with its `id`, and with `modifiedDate` where wanted.
    pub(crate) fn write(self, date: Option<ModifiedDate>, buffer: &mut Vec<u8>) {
        let mut put = |text: &str| buffer.extend_from_slice(text.as_bytes());
        put("{\"id\":");
        put(&Value::from(self.id()).to_string());
        if let Some(format) = date {
            let (modified, _) = self.modified();
            put(&format!(",\"modifiedDate\":\"{}\"", format.format(modified)));
        }
        let text = self.text();
        if text.len() > "{}".len() {
            put(",");
        }
        put(&text[1..]);
    }

    /// The record with its `id`, and with `modifiedDate` where wanted.
    pub(crate) fn value(self, date: Option<ModifiedDate>) -> Value {
        serde_json::from_slice(&self.to_json(date)).unwrap_or_default()
    }

    /// The same as text.
    pub(crate) fn to_json(self, date: Option<ModifiedDate>) -> Vec<u8> {
        let mut text = Vec::new();
        self.write(date, &mut text);
        text
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::atomic::{AtomicUsize, Ordering};

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::model::key::Key;

    fn counted(count: u64) -> (Table, Arc<AtomicUsize>) {
        let made = Arc::new(AtomicUsize::new(0));
        let counter = made.clone();
        let make = move |number: u64, random: &mut fastrand::Rng| {
            counter.fetch_add(1, Ordering::SeqCst);
            json!({ "key": format!("K{number:02}"), "zone": random.u32(0..9) }).to_string()
        };
        (Table::new(Seeded::new(7, count, Key::new("key", "K", 2), make)), made)
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
    fn only_what_is_asked_for_is_made() {
        let (mut table, made) = counted(50_000);
        assert_eq!(table.len(), 50_000);
        assert_eq!(table.places(40_000).take(20).collect::<Vec<u64>>(), (40_001..=40_020).collect::<Vec<u64>>());
        assert!(table.with_key("K40000").next().is_some());
        assert!(table.with_key("none").next().is_none());
        let id = table.records().nth(30_000).unwrap().id().into_owned();
        assert_eq!(table.get(&id).unwrap().place(), 30_001);
        assert!(table.records().all(|row| row.modified().0 < now(0)));
        table.remove(&id);
        assert_eq!(made.load(Ordering::SeqCst), 0);
        let id = table.records().next().unwrap().id().into_owned();
        assert_eq!(table.get(&id).unwrap().value(None)["key"], "K01");
        assert_eq!(made.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn seeded_records_are_written_in_their_order() {
        let (table, _) = counted(1_000);
        assert!(table.records().map(|row| row.modified()).is_sorted());
    }

    #[test]
    fn a_record_takes_the_place_of_one_with_its_id_and_any_id_will_do() {
        let (mut table, _) = counted(2);
        let first = table.records().next().unwrap().id().into_owned();
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
        let (mut table, _) = counted(3);
        let coming = table.clone().fresh_id();
        table.insert(&coming, Map::new(), now(1));
        let mut ids: Vec<String> = table.records().map(|row| row.id().into_owned()).collect();
        table.remove(&ids[0].clone());
        for _ in 0..100 {
            let id = table.fresh_id();
            assert!(!ids.contains(&id));
            ids.push(id);
        }
    }

    #[test]
    fn of_two_with_one_key_the_older_comes_first() {
        let (mut table, _) = counted(3);
        let third = table.records().nth(2).unwrap().id().into_owned();
        table.insert("new", object(json!({ "key": "K02" })), now(1));
        table.update(&third, object(json!({ "key": "K02" })), AbsentFields::Keep, now(2));
        let places = |table: &Table, key| table.with_key(key).map(Record::place).collect::<Vec<u64>>();
        assert_eq!(places(&table, "K02"), [2, 3, 4]);
        assert!(places(&table, "K03").is_empty());
        table.update(&third, object(json!({ "key": "K03" })), AbsentFields::Keep, now(3));
        assert_eq!((places(&table, "K02"), places(&table, "K03")), (vec![2, 4], vec![3]));
        table.update(&third, object(json!({ "key": null })), AbsentFields::Keep, now(4));
        assert!(places(&table, "K03").is_empty());
        table.remove("new");
        assert_eq!(places(&table, "K02"), [2]);
        let first = table.records().next().unwrap().id().into_owned();
        table.update(&first, object(json!({ "key": "K02" })), AbsentFields::Keep, now(5));
        assert_eq!(places(&table, "K02"), [1, 2], "also when the older one came to it later");
    }

    /// What may happen to a table: the number picks a record, the text is a key.
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

    /// The same table without any cleverness.
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
        let places: Vec<u64> = table.places(0).collect();
        assert_eq!(places.len(), model.0.len());
        for skipped in 0..=places.len() {
            assert_eq!(table.places(skipped as u64).collect::<Vec<u64>>(), places[skipped..], "after {skipped}");
        }
        for (row, (id, fields, second)) in table.records().zip(&model.0) {
            assert_eq!((&*row.id(), row.fields()), (&**id, fields.clone()));
            assert_eq!(table.get(id).unwrap().place(), row.place());
            if *second > 0 {
                assert_eq!(row.modified().0, now(*second));
            }
        }
        for key in (0..12).map(|key| format!("K{key:02}")) {
            let found: Vec<String> = table.with_key(&key).map(|row| row.id().into_owned()).collect();
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
            let (mut table, _) = counted(count);
            let mut model = Model(table.records().map(|row| (row.id().into_owned(), row.fields(), 0)).collect());
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
