//! One pass over the pages above a lower bound, and the arithmetic of bounds. No I/O.

use std::collections::{BTreeSet, HashSet};

use chrono::{Days, NaiveDateTime, NaiveTime, TimeDelta};

use crate::{paging::Fingerprint, records::Timestamp};

/// The value of the filter: requests ask for records modified after it.
///
/// A filter may include or exclude equal values, so a bound is one second (or one day, for dates) before the oldest record
/// needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Bound {
    pub(super) at: NaiveDateTime,
    pub(super) is_date: bool,
}

/// Returns the timestamp without a zone, a date as its midnight.
fn instant(time: &Timestamp) -> Option<NaiveDateTime> {
    let zoned = || time.zoned().map(|zoned| zoned.naive_utc());
    time.local().or_else(zoned).or_else(|| time.date().map(|date| date.and_time(NaiveTime::MIN)))
}

fn is_date(time: &Timestamp) -> bool {
    time.local().is_none() && time.zoned().is_none()
}

impl Bound {
    /// Returns the bound that finds this timestamp and everything at most `overlap` older.
    pub(super) fn before(time: &Timestamp, overlap: TimeDelta) -> Option<Self> {
        let at = instant(time)?;
        if is_date(time) {
            return Some(Self { at: at.checked_sub_days(Days::new(1))?, is_date: true });
        }
        let whole = at.date().and_time(NaiveTime::MIN) + TimeDelta::seconds((at.time() - NaiveTime::MIN).num_seconds());
        Some(Self { at: whole.checked_sub_signed(TimeDelta::seconds(1) + overlap)?, is_date: false })
    }

    /// Returns the bound one second, or one day, later.
    pub(super) fn next(self) -> Option<Self> {
        let step = if self.is_date { TimeDelta::days(1) } else { TimeDelta::seconds(1) };
        Some(Self { at: self.at.checked_add_signed(step)?, ..self })
    }

    /// Returns the bound for comparison with dates.
    pub(super) fn of_days(self) -> Option<Self> {
        let day = self.at.date().checked_sub_days(Days::new(1))?;
        Some(Self { at: day.and_time(NaiveTime::MIN), is_date: true })
    }

    /// Returns the value for the query.
    pub(super) fn to_time(self) -> Timestamp {
        if self.is_date { self.at.date().into() } else { self.at.into() }
    }

    /// Returns true if a server that honours the filter would exclude this record.
    pub(super) fn excludes(self, time: &Timestamp) -> bool {
        let end = |at: NaiveDateTime| if is_date(time) { at + TimeDelta::days(1) - TimeDelta::seconds(1) } else { at };
        instant(time).is_some_and(|at| end(at) < self.at)
    }
}

/// A record as a pass sees it.
pub(super) struct Seen {
    /// The fingerprint of the id, if there is one.
    pub(super) id: Option<Fingerprint>,
    /// The fingerprint of the record with its id. Without an id, it includes the index among equal records.
    pub(super) content: Fingerprint,
    pub(super) time: Option<Timestamp>,
}

/// One pass: pages from the first one on, above one bound.
#[derive(Default)]
pub(super) struct Pass {
    ids: HashSet<Fingerprint>,
    pages: HashSet<Vec<Fingerprint>>,
    all: BTreeSet<Fingerprint>,
    /// The records that the next bound would exclude.
    group: BTreeSet<Fingerprint>,
    moved: bool,
    /// True once the list was read to its end.
    pub(super) ended: bool,
}

/// The order of a page.
pub(super) enum PageOrder {
    /// By `modifiedDate`, oldest first, none before the bound: the filter and the sort are honoured.
    Kept {
        /// The bound that finds the newest record of the page.
        newest: Option<Bound>,
    },
    /// Dates without a time, although the bound has one.
    Dates,
    /// The filter or the sort is not honoured, or there are no dates.
    Ignored,
}

impl PageOrder {
    pub(super) fn of(page: &[Seen], bound: Bound) -> Self {
        let times: Vec<&Timestamp> = page.iter().filter_map(|seen| seen.time.as_ref()).collect();
        let instants: Vec<_> = times.iter().map(|time| instant(time)).collect();
        let is_known = times.len() == page.len() && instants.iter().all(Option::is_some);
        if !is_known || !instants.is_sorted() || times.iter().any(|time| bound.excludes(time)) {
            return Self::Ignored;
        }
        if !bound.is_date && times.iter().any(|time| is_date(time)) {
            return Self::Dates;
        }
        Self::Kept { newest: times.last().and_then(|time| Bound::before(time, TimeDelta::zero())) }
    }
}

impl Pass {
    /// Adds a page. Returns true if it repeats a page of this pass, which ends the pass.
    pub(super) fn add(&mut self, page: &[Seen], bound: Bound) -> bool {
        if !self.pages.insert(page.iter().map(|seen| seen.content).collect()) {
            return true;
        }
        for seen in page {
            self.moved |= seen.id.is_some_and(|id| !self.ids.insert(id));
            self.all.insert(seen.content);
            let newest = seen.time.as_ref().and_then(|time| Bound::before(time, TimeDelta::zero()));
            if newest.is_none_or(|newest| newest.at <= bound.at) {
                self.group.insert(seen.content);
            }
        }
        false
    }

    /// Returns true if both passes read the same records up to the next bound, and no record twice.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        !self.moved && !other.moved && self.group == other.group
    }

    /// Returns true if both passes read the same records to the end of the list.
    pub(super) fn agrees_to_the_end(&self, other: &Self) -> bool {
        !self.moved && !other.moved && self.ended && other.ended && self.all == other.all
    }
}
