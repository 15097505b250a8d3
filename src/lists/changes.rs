//! Reads of changed records, by the server's `modifiedDate` instead of page numbers.

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap},
    fmt,
};

use chrono::TimeDelta;
use serde::{Serialize, de::DeserializeOwned};

use super::list::{Direction, List};
use crate::{
    error::{Error, ErrorKind},
    paging::Fingerprint,
    records::Timestamp,
};

mod pass;
mod watermark;

use pass::{Bound, PageOrder, Pass, Seen};
pub use watermark::Watermark;

/// The maximum number of passes over a group of records larger than a page, until two of them agree.
const PASSES: u32 = 16;

/// The time by which a read starts before its watermark. A change may become visible late, and timestamps without a
/// zone repeat an hour when summer time ends.
const OVERLAP: TimeDelta = TimeDelta::hours(2);

/// A read of everything that changed since a watermark.
///
/// The result contains every record that changed before the read began, even if others are created, updated or deleted
/// meanwhile. Records are read by `modifiedDate`, oldest first: each request asks for records modified after the newest one so
/// far, with an overlap. Duplicates are removed, and the newest copy of a record is returned. If one second (or one day, for a
/// vendor whose `modifiedDate` is a date) has more records than a page, its pages are read until two passes agree.
///
/// All timestamps are those of the server; the local clock is not used. Deletions are not reported. A later read may return a
/// record again; treat it as an update.
///
/// The guarantee does not hold for a vendor that
/// - does not update `modifiedDate` on a change, or sets it back by more than two hours;
/// - compares only the day although `modifiedDate` has a time, and excludes records of the watermark's own day;
/// - returns a `modifiedDate` in another zone than its filter expects, or one in the future.
///
/// If a vendor ignores the filter or the sort, or returns no `modifiedDate`, the whole list is read until two passes agree.
/// Records known to be older are then removed.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let sandbox = perenso_sandbox::Sandbox::start().await?;
/// # let show = perenso::Perenso::from_vars(sandbox.vars())?;
/// use perenso::{Watermark, types::Customer};
///
/// let first = show.customers().changes("2025-01-01").send().await?;
/// assert_eq!(first.records.len(), 45);
/// // Store it once the records are processed.
/// let stored = serde_json::to_string(&first.watermark)?;
///
/// let customer = Customer { customer_id: "5041".into(), ..Customer::default() };
/// show.customers().create(&customer).await?;
/// let watermark: Watermark = serde_json::from_str(&stored)?;
/// let next = show.customers().changes(&watermark).send().await?;
/// assert_eq!(next.records.len(), 1);
/// # Ok(()) }
/// ```
#[must_use = "changes are read by `send`"]
pub struct Changes<T> {
    list: List<T>,
    since: Watermark,
    modified: fn(&T) -> Option<Timestamp>,
}

/// The records that changed, and the watermark of the next read.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ChangedRecords<T> {
    /// The records, in the order in which they were first read. Each id occurs once.
    pub records: Vec<T>,
    /// The watermark of the next read. Store it once the records are processed.
    pub watermark: Watermark,
}

impl<T> Changes<T> {
    pub(crate) fn new(list: List<T>, since: Watermark, modified: fn(&T) -> Option<Timestamp>) -> Self {
        Self { list, since, modified }
    }

    /// Sets the page size. Defaults to 100.
    pub fn page_size(self, records: u32) -> Self {
        Self { list: self.list.page_size(records), ..self }
    }

    /// Sets a query parameter, replacing one of the same name. The next read needs the same parameters.
    pub fn filter(self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        Self { list: self.list.filter(name, value), ..self }
    }
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Changes<T> {
    /// Reads all changes.
    ///
    /// # Errors
    /// A request fails, or its response cannot be read. [`ErrorKind::Paging`] if a group larger than a page changes so fast that
    /// no two passes agree. There is no new watermark then; read again from the previous one.
    pub async fn send(self) -> Result<ChangedRecords<T>, Error> {
        let since = &self.since;
        let overlap = if since.handed_out.is_some() { OVERLAP } else { TimeDelta::zero() };
        let Some(first) = Bound::before(&since.modified_date, overlap) else {
            let detail = "a watermark holds no timestamp: expected a date such as 2025-01-31, with or without a time";
            return Err(Error::own(ErrorKind::Input, self.list.operation(), detail));
        };
        let mut collected = Collected::new();
        let (mut bound, mut whole, mut has_dates) = (first, false, false);
        let (mut before, mut passes) = (None::<Pass>, 0);
        'bounds: loop {
            let mut pass = Pass::default();
            for number in 1.. {
                let page = self.page(bound, number, &mut collected).await?;
                if page.is_empty() && number == 1 && !whole {
                    break 'bounds;
                }
                let order = PageOrder::of(&page, bound);
                pass.ended = page.is_empty() || pass.add(&page, bound);
                let next = match order {
                    _ if whole || pass.ended => None,
                    PageOrder::Dates if !has_dates => {
                        has_dates = true;
                        bound.of_days()
                    }
                    PageOrder::Dates | PageOrder::Ignored => {
                        whole = true;
                        Some(first)
                    }
                    PageOrder::Kept { newest } if newest.is_some_and(|newest| newest.at > bound.at) => match number {
                        // The first page is one response, so nothing older can be missing from it.
                        1 => newest,
                        _ => break,
                    },
                    PageOrder::Kept { .. } => None,
                };
                if let Some(next) = next {
                    (bound, before, passes) = (next, None, 0);
                    continue 'bounds;
                }
                if pass.ended {
                    break;
                }
            }
            if before.as_ref().is_some_and(|before| pass.agrees_to_the_end(before)) {
                break;
            }
            if !whole && before.as_ref().is_some_and(|before| pass.agrees(before)) {
                (bound, before, passes) = (bound.next().ok_or_else(|| self.restless())?, None, 0);
                continue;
            }
            passes += 1;
            if passes == PASSES {
                return Err(self.restless());
            }
            before = Some(pass);
        }
        Ok(collected.finish(&self.since, first))
    }

    /// Fetches a page and collects its records. A 404 after the first page counts as an empty page.
    async fn page(&self, bound: Bound, number: u64, collected: &mut Collected<T>) -> Result<Vec<Seen>, Error> {
        let list = self.list.clone().modified_after(bound.to_time()).sort("modifiedDate", Direction::Ascending);
        let items = match list.page(number).await {
            Ok(page) => page.items,
            Err(error) if number > 1 && error.is_not_found() => Vec::new(),
            Err(error) => return Err(error),
        };
        let mut alike = HashMap::new();
        let page: Vec<Seen> = items.iter().map(|item| self.seen(item, &mut alike)).collect();
        page.iter().zip(items).for_each(|(seen, item)| collected.add(seen, item));
        Ok(page)
    }

    fn seen(&self, item: &T, alike: &mut HashMap<Fingerprint, u64>) -> Seen {
        let bytes = serde_json::to_vec(item).unwrap_or_default();
        let id = self.list.id_of(item);
        let mut content = Fingerprint::of_all([id.unwrap_or_default().as_bytes(), &bytes]);
        if id.is_none() {
            let count = alike.entry(content).or_default();
            *count += 1;
            content = Fingerprint::of_all([&bytes[..], &count.to_le_bytes()]);
        }
        Seen { id: id.map(|id| Fingerprint::of(id.as_bytes())), content, time: (self.modified)(item) }
    }

    fn restless(&self) -> Error {
        let detail = format!(
            "records changed during each of {PASSES} passes over a group that is larger than a page: read again from the old \
             watermark at a quieter time, or raise `page_size`"
        );
        Error::own(ErrorKind::Paging, self.list.operation(), detail)
    }
}

/// The newest copy of each record of all passes.
struct Collected<T> {
    places: HashMap<Fingerprint, usize>,
    records: Vec<(T, Fingerprint, Option<Timestamp>)>,
}

impl<T> Collected<T> {
    fn new() -> Self {
        Self { places: HashMap::new(), records: Vec::new() }
    }

    fn add(&mut self, seen: &Seen, item: T) {
        let record = (item, seen.content, seen.time.clone());
        let place = *self.places.entry(seen.id.unwrap_or(seen.content)).or_insert(self.records.len());
        match self.records.get_mut(place) {
            Some(older) => *older = record,
            None => self.records.push(record),
        }
    }

    /// Removes records that are older than the watermark or were returned with it.
    fn finish(self, since: &Watermark, first: Bound) -> ChangedRecords<T> {
        let mut newest = &since.modified_date;
        for time in self.records.iter().filter_map(|(_, _, time)| time.as_ref()) {
            let is_newer = newest.chronological_cmp(time).map_or(time.date() >= newest.date(), |order| order.is_lt());
            if is_newer && time.date().is_some() {
                newest = time;
            }
        }
        let newest = newest.clone();
        let edge = Bound::before(&newest, OVERLAP);
        let is_at_edge =
            |time: Option<&Timestamp>| time.is_none_or(|time| edge.is_none_or(|edge| !edge.excludes(time)));
        let is_old = |time: &Timestamp| match &since.handed_out {
            None => time.chronological_cmp(&since.modified_date).is_some_and(|order| order.is_lt()),
            Some(_) => first.excludes(time),
        };
        let (mut records, mut handed_out) = (Vec::new(), BTreeSet::new());
        for (item, content, time) in self.records {
            if is_at_edge(time.as_ref()) {
                handed_out.insert(content);
            }
            let is_known = since.handed_out.as_ref().is_some_and(|known| known.contains(&content));
            if !is_known && !time.as_ref().is_some_and(is_old) {
                records.push(item);
            }
        }
        let watermark = Watermark { modified_date: newest, handed_out: Some(handed_out) };
        ChangedRecords { records, watermark }
    }
}

impl<T> fmt::Debug for Changes<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changes")
            .field("list", &self.list)
            .field("since", &self.since.modified_date)
            .finish_non_exhaustive()
    }
}
