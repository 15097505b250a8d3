//! The detection of repeated pages and rows while the rows of a page arrive.

use std::{collections::HashSet, hash::Hasher};

use super::cursor::FirstPage;
use crate::paging::{Fingerprint, PageHistory, PreviousPage, Repeats};

/// The hash of a row that could not be read.
const UNREAD: u64 = 0;

/// A placeholder for the number of the first page in a resumed stream.
pub(super) const FIRST: i64 = i64::MIN;

/// The identity of the rows of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowIdentity {
    /// No two rows are equal.
    Unique,
    /// Rows may be equal, so only whole pages are compared.
    Shared,
    /// Nothing is compared.
    Ignored,
}

/// An earlier page that this one repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repetition {
    /// All its rows are those of the page with this number.
    Page(i64),
    /// Some of its rows are on the page with this number.
    Rows(i64),
}

/// Compares a page, row by row, with the pages before it.
///
/// Memory is bounded: a fingerprint and the hash of the first row for each page, and the hashes of the rows of two pages.
pub(super) struct RepetitionCheck {
    identity: RowIdentity,
    /// A page that repeats the previous one is the end, so none of its rows may be returned.
    ends_on_repeat: bool,
    history: PageHistory<i64>,
    /// The hashes of the first rows of all pages before the previous one.
    first_rows: HashSet<u64>,
    /// The hash of the first row of the previous page.
    previous_first: u64,
    first_page: Option<FirstPage>,
    /// The hashes of the rows of this page.
    rows: Vec<u64>,
    /// Rows may be equal, and all so far match the previous page in order.
    is_like_previous: bool,
    /// The first row is the first row of an earlier page.
    begins_like_earlier: bool,
}

impl RepetitionCheck {
    pub(super) fn new(identity: RowIdentity, ends_on_repeat: bool, first_page: Option<FirstPage>) -> Self {
        let first_page = first_page.filter(|_| identity != RowIdentity::Ignored);
        Self {
            identity,
            ends_on_repeat,
            history: PageHistory::resumed(first_page.map(|first| (first.page, FIRST))),
            first_rows: first_page.iter().map(|first| first.row).collect(),
            previous_first: UNREAD,
            first_page,
            rows: Vec::new(),
            is_like_previous: false,
            begins_like_earlier: false,
        }
    }

    /// Returns the number of rows of the previous page, if there is one.
    pub(super) fn previous_count(&self) -> Option<u64> {
        self.history.previous().map(|previous| previous.rows.len() as u64)
    }

    /// Returns the number of the previous page, if there is one.
    pub(super) fn previous_number(&self) -> Option<i64> {
        self.history.previous().map(|previous| previous.number)
    }

    /// Returns the first page of the export, once it is read.
    pub(super) fn first_page(&self) -> Option<FirstPage> {
        self.first_page
    }

    /// Returns true while rows must be withheld, since they may turn out to be those of an earlier page.
    pub(super) fn withholds(&self) -> bool {
        self.is_like_previous || self.begins_like_earlier
    }

    /// Adds a row by its hash; `None` is a row that could not be read. It never counts as
    /// repeated. Two adjacent pages of equally many unread rows count as equal.
    ///
    /// Returns the number of the previous page as an error if the row is on that page.
    pub(super) fn row(&mut self, hash: Option<u64>) -> Result<(), i64> {
        let index = self.rows.len();
        let unique = self.identity == RowIdentity::Unique;
        let previous = self.history.previous().filter(|_| self.identity != RowIdentity::Ignored);
        let is_repeated = unique && hash.is_some_and(|hash| previous.is_some_and(|previous| previous.contains(hash)));
        if let (Some(hash), 0) = (hash, index) {
            // The rows of a repeated page are withheld, so such a page is compared as a whole.
            self.begins_like_earlier = if is_repeated { self.ends_on_repeat } else { self.first_rows.contains(&hash) };
        }
        match previous {
            Some(previous) if !unique => {
                let is_same = previous.rows.get(index) == Some(&hash.unwrap_or(UNREAD));
                self.is_like_previous = (index == 0 || self.is_like_previous) && is_same;
            }
            Some(previous) if is_repeated && !self.begins_like_earlier => return Err(previous.number),
            _ => {}
        }
        self.rows.push(hash.unwrap_or(UNREAD));
        Ok(())
    }

    /// Ends the page with this number, which has at least one row. A page that repeats nothing becomes the previous one.
    pub(super) fn end(&mut self, number: i64) -> Option<Repetition> {
        let first = self.rows.first().copied().unwrap_or(UNREAD);
        let is_read = !self.rows.contains(&UNREAD);
        if self.identity == RowIdentity::Unique {
            self.rows.sort_unstable();
        }
        let fingerprint = (self.identity != RowIdentity::Ignored).then(|| fingerprint(&self.rows));
        if let Some(repetition) = fingerprint.and_then(|fingerprint| self.repetition(fingerprint, is_read)) {
            return Some(repetition);
        }
        if let Some(page) = fingerprint {
            // Only a page without unread rows can be recognised by the stream that resumes after it.
            if self.first_page.is_none() && is_read {
                self.first_page = Some(FirstPage { row: first, page });
            }
            // The first row of the previous page is found among the rows of that page.
            let previous_first = std::mem::replace(&mut self.previous_first, first);
            if previous_first != UNREAD {
                self.first_rows.insert(previous_first);
            }
        }
        self.history.add(PreviousPage { number, fingerprint, rows: std::mem::take(&mut self.rows) });
        (self.is_like_previous, self.begins_like_earlier) = (false, false);
        None
    }

    fn repetition(&self, page: Fingerprint, is_read: bool) -> Option<Repetition> {
        // Unread rows cannot be recognised, and a page of one row proves nothing if rows may be equal.
        let proves = is_read && (self.identity == RowIdentity::Unique || self.rows.len() > 1);
        let repeats = if proves { Repeats::Anywhere } else { Repeats::InARow };
        if let Some(number) = self.history.repeated(page, repeats) {
            return Some(Repetition::Page(number));
        }
        let previous = self.history.previous()?;
        let checks_rows = self.begins_like_earlier && self.identity == RowIdentity::Unique;
        let is_repeated = |row: &u64| *row != UNREAD && previous.contains(*row);
        (checks_rows && self.rows.iter().any(is_repeated)).then_some(Repetition::Rows(previous.number))
    }
}

/// Returns the fingerprint of a page: of its rows in any order if they are unique and sorted, else in their order.
fn fingerprint(rows: &[u64]) -> Fingerprint {
    let mut fingerprint = Fingerprint::default();
    rows.iter().for_each(|row| fingerprint.write(&row.to_le_bytes()));
    fingerprint
}
