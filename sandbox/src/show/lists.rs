//! Lists: the filter, order and page of the records that a call requests.

use std::cmp::{Ordering, Reverse};
use std::ops::Range;

use chrono::NaiveDateTime;
use serde_json::Value;

use super::behavior::{Behavior, PastTheEnd};
use crate::model::exports::Rows;
use crate::model::table::{Record, Table};

/// The query of a list call.
pub(crate) struct ListQuery {
    pub(crate) modified_after: Option<NaiveDateTime>,
    pub(crate) sort: Option<Sort>,
    pub(crate) page: Option<u64>,
    pub(crate) page_size: Option<u64>,
    pub(crate) filter: Option<Filter>,
}

pub(crate) type Filter = Box<dyn Fn(Record<'_>) -> bool>;

#[derive(Debug)]
pub(crate) struct Sort {
    pub(crate) field: String,
    pub(crate) descending: bool,
}

impl ListQuery {
    /// Returns the requested records, or `None` if there is no such page.
    pub(crate) fn select(&self, table: &Table, behavior: &Behavior) -> Option<Rows> {
        let matching = self.matching(table, behavior);
        let total = matching.as_ref().map_or(table.len(), |places| places.len() as u64);
        let Range { start, end } = self.page(total, behavior)?;
        // The range lies within the table, so it fits.
        let (skip, count) = (start as usize, (end - start) as usize);
        let places = match matching {
            Some(places) => places.into_iter().skip(skip).take(count).collect(),
            None => table.places(start).take(count).collect(),
        };
        let with_date = self.modified_after.is_some() || behavior.always_show_modified_date;
        Some(table.select(places, with_date.then_some(behavior.modified_date)))
    }

    /// Returns the places of the matching records in the requested order, or `None` for all records in table order.
    fn matching(&self, table: &Table, behavior: &Behavior) -> Option<Vec<u64>> {
        if self.modified_after.is_none() && self.sort.is_none() && self.filter.is_none() {
            return None;
        }
        let mut records: Vec<Record<'_>> = table
            .records()
            .filter(|record| match self.modified_after {
                None => true,
                Some(after) if behavior.modified_after_is_inclusive => record.modified().0 >= after,
                Some(after) => record.modified().0 > after,
            })
            .filter(|record| self.filter.as_ref().is_none_or(|fits| fits(*record)))
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
        Some(records.into_iter().map(Record::place).collect())
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
    fn apply(&self, rows: &mut [Record<'_>]) {
        match self.field.as_str() {
            "id" => self.order(rows, Record::id, Ord::cmp),
            "modifiedDate" => self.order(rows, Record::modified, Ord::cmp),
            field => self.order(rows, |row| sorted_by(row, field), compare),
        }
    }

    /// Brings rows into the order of what `key` gives, which it is asked for once per row.
    fn order<'a, K>(
        &self,
        rows: &mut [Record<'a>],
        key: impl Fn(Record<'a>) -> K,
        compare: impl Fn(&K, &K) -> Ordering,
    ) {
        let mut keyed: Vec<(K, Record<'a>)> = rows.iter().map(|row| (key(*row), *row)).collect();
        keyed.sort_by(|(a, _), (b, _)| {
            let order = compare(a, b);
            if self.descending { order.reverse() } else { order }
        });
        for (row, (_, sorted)) in rows.iter_mut().zip(keyed) {
            *row = sorted;
        }
    }
}

/// What a row is sorted by: a field of its own, or of its first line where it has lines.
fn sorted_by(row: Record<'_>, field: &str) -> Value {
    match row.field(field) {
        Value::Null => row.field("items").pointer(&format!("/0/{field}")).cloned().unwrap_or_default(),
        value => value,
    }
}

/// Nothing before booleans before numbers before text; what cannot be compared stays in its order.
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
