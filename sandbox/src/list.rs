//! Lists: which rows a call asks for, in which order, and which page of them.

use std::cmp::{Ordering, Reverse};
use std::ops::Range;

use axum::http::StatusCode;
use axum::response::Response;
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use serde_json::Value;

use crate::answer::Refusal;
use crate::behavior::{Behavior, PastTheEnd};
use crate::document::DOCUMENT;
use crate::table::{Row, Table};

/// What the query of a list call asks for.
pub(crate) struct ListQuery {
    modified_after: Option<NaiveDateTime>,
    sort: Option<Sort>,
    page: Option<u64>,
    rows_per_page: Option<u64>,
    filter: Option<Filter>,
}

/// What most lists can be asked for beside their filters.
const PAGING: [&str; 3] = ["page", "resultsPerPage", "sort"];

type Filter = Box<dyn Fn(Row<'_>) -> bool>;

#[derive(Debug)]
struct Sort {
    field: String,
    descending: bool,
}

/// The value of a query parameter, decoded.
pub(crate) fn parameter(query: Option<&str>, name: &str) -> Option<String> {
    form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

impl ListQuery {
    /// Reads the query. Where the fields of the resource are known, only they can be sorted by.
    ///
    /// What a parameter of another name would do is not known: passed over, it would make a list that looks filtered.
    pub(crate) fn read(query: Option<&str>, schema: Option<&str>, filters: &[&str]) -> Result<Self, Refusal> {
        let mut asked = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        if let Some((name, _)) = asked.find(|(name, _)| !PAGING.contains(&&**name) && !filters.contains(&&**name)) {
            return Err(Refusal::parameter(&name, "this list has no such parameter"));
        }
        let get = |name| parameter(query, name);
        Ok(Self {
            modified_after: get("modifiedAfter").map(|text| moment("modifiedAfter", &text)).transpose()?,
            sort: get("sort").map(|text| Sort::read(&text, schema)).transpose()?,
            page: get("page").map(|text| count("page", &text)).transpose()?,
            rows_per_page: get("resultsPerPage").map(|text| count("resultsPerPage", &text)).transpose()?,
            filter: None,
        })
    }

    /// Asks only for the rows that fit.
    pub(crate) fn only(self, fits: impl Fn(Row<'_>) -> bool + 'static) -> Self {
        Self { filter: Some(Box::new(fits)), ..self }
    }

    /// Picks the rows out of the table.
    pub(crate) fn answer(&self, table: &Table, what: &str, behavior: &Behavior) -> Result<Response, Refusal> {
        let picked = self.pick(table, behavior);
        let total = picked.as_ref().map_or(table.len(), |places| places.len() as u64);
        let Range { start, end } = self.cut(total, behavior).ok_or_else(|| {
            Refusal::new(StatusCode::NOT_FOUND, "not_found", format!("there is no such page of the {what} list"))
        })?;
        // Parts of a list have ends that fit.
        let (skip, count) = (start as usize, (end - start) as usize);
        let places = match picked {
            Some(places) => places.into_iter().skip(skip).take(count).collect(),
            None => table.places(start).take(count).collect(),
        };
        let with_date = self.modified_after.is_some() || behavior.always_show_modified_date;
        Ok(table.answer(places, with_date.then_some(behavior.modified_date)))
    }

    /// The places of the rows that are asked for, in the order that is asked for; `None` for all of them as they stand.
    fn pick(&self, table: &Table, behavior: &Behavior) -> Option<Vec<u64>> {
        if self.modified_after.is_none() && self.sort.is_none() && self.filter.is_none() {
            return None;
        }
        let mut rows: Vec<Row<'_>> = table
            .rows()
            .filter(|row| match self.modified_after {
                None => true,
                Some(after) if behavior.modified_after_is_inclusive => row.modified().0 >= after,
                Some(after) => row.modified().0 > after,
            })
            .filter(|row| self.filter.as_ref().is_none_or(|fits| fits(*row)))
            .collect();
        if self.modified_after.is_some() {
            rows.sort_by_cached_key(|row| Reverse(row.modified()));
            if !behavior.newest_first {
                rows.reverse();
            }
        }
        if let Some(sort) = &self.sort {
            sort.apply(&mut rows);
        }
        Some(rows.into_iter().map(Row::place).collect())
    }

    fn cut(&self, total: u64, behavior: &Behavior) -> Option<Range<u64>> {
        let default = behavior.default_page_size.map(|size| size as u64);
        match (self.rows_per_page.or(default), self.page) {
            (None, None) => Some(0..total),
            (size, page) => page_of(total, page.unwrap_or(1), size.unwrap_or(u64::MAX), behavior),
        }
    }
}

/// The rows of a page, counted from one; `None` where the answer is that there is no such page.
pub(crate) fn page_of(total: u64, page: u64, size: u64, behavior: &Behavior) -> Option<Range<u64>> {
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

/// The number of rows that a page really holds.
pub(crate) fn capped(size: u64, behavior: &Behavior) -> u64 {
    size.min(behavior.page_cap.map_or(u64::MAX, |cap| cap as u64)).max(1)
}

fn count(name: &str, text: &str) -> Result<u64, Refusal> {
    text.parse()
        .ok()
        .filter(|number| *number > 0)
        .ok_or_else(|| Refusal::parameter(name, "expected a whole number from 1"))
}

pub(crate) fn moment(name: &str, text: &str) -> Result<NaiveDateTime, Refusal> {
    // No sample of the vendor carries a zone, so one is refused rather than read in some way.
    text.parse().or_else(|_| text.parse().map(|day: NaiveDate| day.and_time(NaiveTime::MIN))).map_err(|_| {
        Refusal::parameter(
            name,
            "expected a date or a date-time without a zone, like 2025-01-31 or 2025-01-31T09:00:00",
        )
    })
}

impl Sort {
    fn read(text: &str, schema: Option<&str>) -> Result<Self, Refusal> {
        let (field, direction) =
            text.split_once(':').ok_or_else(|| Refusal::parameter("sort", "expected <field>:<asc or desc>"))?;
        let descending = match direction {
            "asc" => false,
            "desc" => true,
            _ => {
                return Err(Refusal::parameter("sort", "the direction must be asc or desc"));
            }
        };
        let schema = schema.and_then(|name| DOCUMENT.schema(name));
        let is_known = field == "id" || schema.is_none_or(|schema| schema.has(field));
        if field.is_empty() || !is_known {
            return Err(Refusal::parameter("sort", "there is no such field"));
        }
        Ok(Self { field: field.to_owned(), descending })
    }

    fn apply(&self, rows: &mut [Row<'_>]) {
        match self.field.as_str() {
            "id" => self.order(rows, Row::id, Ord::cmp),
            "modifiedDate" => self.order(rows, Row::modified, Ord::cmp),
            field => self.order(rows, |row| sorted_by(row, field), compare),
        }
    }

    /// Brings rows into the order of what `key` gives, which it is asked for once per row.
    fn order<'a, K>(&self, rows: &mut [Row<'a>], key: impl Fn(Row<'a>) -> K, compare: impl Fn(&K, &K) -> Ordering) {
        let mut keyed: Vec<(K, Row<'a>)> = rows.iter().map(|row| (key(*row), *row)).collect();
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
fn sorted_by(row: Row<'_>, field: &str) -> Value {
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
