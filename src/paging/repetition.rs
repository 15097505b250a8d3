//! The detection of repeated pages and rows while the rows of a page arrive.

use std::{collections::HashSet, hash::Hasher};

use super::{
    cursor::FirstPage,
    fingerprint::Fingerprint,
    history::{PageHistory, PreviousPage, Repeats},
};

/// The hash of a row that could not be read.
const UNREAD: u64 = 0;

/// A placeholder for the number of the first page in a resumed stream.
pub(super) const FIRST: i64 = i64::MIN;

/// The identity of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowIdentity {
    /// No other row is equal.
    Unique,
    /// Other rows may be equal, so only whole pages are compared.
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
    /// Rows of a page that begins like the previous one are withheld, so that the page is compared as a whole.
    compares_pages: bool,
    history: PageHistory,
    /// The hashes of the first rows of all pages before the previous one.
    first_rows: HashSet<u64>,
    /// The hash of the first row of the previous page.
    previous_first: u64,
    first_page: Option<FirstPage>,
    /// The hashes of the rows of this page.
    rows: Vec<u64>,
    /// The number of unique rows of this page.
    unique: usize,
    /// A row of this page is not compared, and so the page is not.
    is_ignored: bool,
    /// The previous page, if a unique row of this page is on it.
    overlap: Option<i64>,
    /// Rows may be equal, and all so far match the previous page in order.
    is_like_previous: bool,
    /// The first row is the first row of an earlier page.
    begins_like_earlier: bool,
}

impl RepetitionCheck {
    pub(super) fn new(compares_pages: bool, first_page: Option<FirstPage>) -> Self {
        Self {
            compares_pages,
            history: PageHistory::resumed(first_page.map(|first| (first.page, FIRST))),
            first_rows: first_page.iter().map(|first| first.row).collect(),
            previous_first: UNREAD,
            first_page,
            rows: Vec::new(),
            unique: 0,
            is_ignored: false,
            overlap: None,
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

    /// Adds a row by its identity and hash; `None` is a row that could not be read. It never counts as
    /// repeated. Two adjacent pages of equally many unread rows count as equal.
    ///
    /// Returns the number of the previous page as an error if the row is on that page.
    pub(super) fn row(&mut self, identity: RowIdentity, hash: Option<u64>) -> Result<(), i64> {
        let index = self.rows.len();
        self.rows.push(hash.unwrap_or(UNREAD));
        let previous = self.history.previous();
        match identity {
            RowIdentity::Ignored => {
                self.is_ignored = true;
                return Ok(());
            }
            RowIdentity::Shared => {
                let is_same = previous.is_some_and(|page| page.rows.get(index) == Some(&hash.unwrap_or(UNREAD)));
                self.is_like_previous = (index == 0 || self.is_like_previous) && is_same;
            }
            RowIdentity::Unique => {
                self.unique += 1;
                let previous = previous.filter(|page| hash.is_some_and(|hash| page.contains(hash)));
                self.overlap = self.overlap.or(previous.map(|page| page.number));
            }
        }
        if let (Some(hash), 0) = (hash, index) {
            self.begins_like_earlier = match self.overlap {
                Some(_) => self.compares_pages,
                None => self.first_rows.contains(&hash),
            };
        }
        // The rows of a page that begins like an earlier one are withheld, so it is compared as a whole at its end.
        match self.overlap {
            Some(number) if !self.begins_like_earlier => Err(number),
            _ => Ok(()),
        }
    }

    /// Ends the page with this number, which has at least one row. A page that repeats nothing becomes the previous one.
    pub(super) fn end(&mut self, number: i64) -> Option<Repetition> {
        let first = self.rows.first().copied().unwrap_or(UNREAD);
        let is_read = !self.rows.contains(&UNREAD);
        let is_unique = self.unique == self.rows.len();
        // The rows of a unique page may have another order when the page repeats.
        if is_unique {
            self.rows.sort_unstable();
        }
        let fingerprint = (!self.is_ignored).then(|| fingerprint(&self.rows));
        // Unread rows cannot be recognised, and a page of one row proves nothing if rows may be equal.
        let proves = is_read && (is_unique || self.rows.len() > 1);
        let repeats = if proves { Repeats::Anywhere } else { Repeats::InARow };
        if let Some(number) = fingerprint.and_then(|page| self.history.repeated(page, repeats)) {
            return Some(Repetition::Page(number));
        }
        if let Some(number) = self.overlap {
            return Some(Repetition::Rows(number));
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
        // Unique rows are looked up; the others are compared in the order of the page.
        if self.unique > 0 && !is_unique {
            self.rows.sort_unstable();
        }
        self.history.add(PreviousPage { number, fingerprint, rows: std::mem::take(&mut self.rows) });
        (self.unique, self.is_ignored) = (0, false);
        (self.is_like_previous, self.begins_like_earlier) = (false, false);
        None
    }
}

/// Returns the fingerprint of a page: of its rows in any order if they are unique and sorted, else in their order.
fn fingerprint(rows: &[u64]) -> Fingerprint {
    let mut fingerprint = Fingerprint::default();
    rows.iter().for_each(|row| fingerprint.write(&row.to_le_bytes()));
    fingerprint
}
