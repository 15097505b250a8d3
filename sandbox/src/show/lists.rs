//! Lists: the filter, order and page of the records that a call requests.

use std::cmp::{Ordering, Reverse};
use std::ops::Range;
use std::sync::Arc;

use chrono::NaiveDateTime;
use serde_json::Value;

use super::behavior::{Behavior, PastTheEnd};
use crate::model::rows::Rows;
use crate::model::table::{Record, Table, rows};

/// The query of a list call.
pub(crate) struct ListQuery {
    pub(crate) modified_after: Option<NaiveDateTime>,
    pub(crate) sort: Option<Sort>,
    pub(crate) page: Option<u64>,
    pub(crate) page_size: Option<u64>,
    pub(crate) filter: Option<Filter>,
}

pub(crate) type Filter = Box<dyn Fn(&Record) -> bool>;

#[derive(Debug)]
pub(crate) struct Sort {
    pub(crate) field: String,
    pub(crate) descending: bool,
}

impl ListQuery {
    /// Returns the requested records, or `None` if there is no such page.
    pub(crate) fn select(&self, table: &Table, behavior: &Behavior) -> Option<Rows> {
        let matching = self.matching(table, behavior);
        let total = matching.as_ref().map_or(table.len(), |records| records.len() as u64);
        let Range { start, end } = self.page(total, behavior)?;
        // The range lies within the table, so it fits.
        let (start, end) = (start as usize, end as usize);
        let records = match matching {
            Some(records) => records[start..end].iter().map(|record| Arc::clone(record)).collect(),
            None => table.records().skip(start).take(end - start).cloned().collect(),
        };
        let with_date = self.modified_after.is_some() || behavior.always_show_modified_date;
        Some(rows(records, with_date.then_some(behavior.modified_date)))
    }

    /// Returns the matching records in the requested order, or `None` for all records in table order.
    fn matching<'a>(&self, table: &'a Table, behavior: &Behavior) -> Option<Vec<&'a Arc<Record>>> {
        if self.modified_after.is_none() && self.sort.is_none() && self.filter.is_none() {
            return None;
        }
        let mut records: Vec<&Arc<Record>> = table
            .records()
            .filter(|record| match self.modified_after {
                None => true,
                Some(after) if behavior.modified_after_is_inclusive => record.modified().0 >= after,
                Some(after) => record.modified().0 > after,
            })
            .filter(|record| self.filter.as_ref().is_none_or(|matches| matches(record)))
            .collect();
        if self.modified_after.is_some() {
            records.sort_by_cached_key(|record| Reverse(record.modified()));
            if !behavior.newest_first {
                records.reverse();
            }
        }
        if let Some(sort) = &self.sort {
            sort.apply(&mut records);
        }
        Some(records)
    }

    fn page(&self, total: u64, behavior: &Behavior) -> Option<Range<u64>> {
        let default = behavior.default_page_size.map(|size| size as u64);
        match (self.page_size.or(default), self.page) {
            (None, None) => Some(0..total),
            (size, page) => page_range(total, page.unwrap_or(1), size.unwrap_or(u64::MAX), behavior),
        }
    }
}

/// Returns the rows of a page, counted from 1, or `None` if there is no such page.
pub(crate) fn page_range(total: u64, page: u64, size: u64, behavior: &Behavior) -> Option<Range<u64>> {
    let size = capped(size, behavior);
    let from = |start: u64| Some(start..start.saturating_add(size).min(total));
    let start = page.saturating_sub(1).saturating_mul(size);
    // The first page is there even when nothing is on it.
    if start < total || page <= 1 {
        return from(start);
    }
    match behavior.past_the_end {
        PastTheEnd::Empty => Some(total..total),
        PastTheEnd::NotFound => None,
        PastTheEnd::LastPageAgain => from(total.saturating_sub(1) / size * size),
    }
}

/// Returns the page size after the cap.
pub(crate) fn capped(size: u64, behavior: &Behavior) -> u64 {
    size.min(behavior.page_cap.map_or(u64::MAX, |cap| cap as u64)).max(1)
}

impl Sort {
    fn apply(&self, records: &mut [&Arc<Record>]) {
        match self.field.as_str() {
            "id" => self.order(records, Record::id_value, compare),
            "modifiedDate" => self.order(records, |record| record.modified(), Ord::cmp),
            field => self.order(records, |record| sort_value(record, field), compare),
        }
    }

    /// Sorts records by a key that is computed once per record.
    fn order<K>(&self, records: &mut [&Arc<Record>], key: impl Fn(&Record) -> K, compare: impl Fn(&K, &K) -> Ordering) {
        let mut keyed: Vec<_> = records.iter().map(|record| (key(record), *record)).collect();
        keyed.sort_by(|(a, _), (b, _)| {
            let order = compare(a, b);
            if self.descending { order.reverse() } else { order }
        });
        for (record, (_, sorted)) in records.iter_mut().zip(keyed) {
            *record = sorted;
        }
    }
}

/// Returns the field to sort by: of the record, or of its first line if it has lines.
fn sort_value(record: &Record, field: &str) -> Value {
    match record.field(field) {
        Value::Null => record.field("items").pointer(&format!("/0/{field}")).cloned().unwrap_or_default(),
        value => value,
    }
}

/// Orders null before booleans before numbers before strings. Other values keep their order.
fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Number(a), Value::Number(b)) => a.as_f64().partial_cmp(&b.as_f64()).unwrap_or(Ordering::Equal),
        _ => rank(a).cmp(&rank(b)),
    }
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) | Value::Object(_) => 4,
    }
}
