//! A position in a list that can be stored.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use crate::paging::{Cursor, FirstPage, PAGE_SIZE, Place};

/// A position in a list that can be stored and resumed from: a page number, the records read of that page, and the page size.
///
/// It counts records and does not identify one. If records before it are created, deleted or reordered, resuming misses records
/// or reads some again. [`Changes`](crate::Changes) reads by `modifiedDate` instead.
///
/// ```
/// use perenso::Position;
///
/// let position = Position::new(7, 25, 100);
/// let stored = serde_json::to_string(&position).unwrap();
/// assert_eq!(serde_json::from_str::<Position>(&stored).unwrap(), position);
/// ```
///
/// A position from a stream also contains a fingerprint of page 1, so that a resumed job detects a list that starts again
/// after its last page. Comparisons ignore it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Position {
    /// The number of the page, from 1.
    pub page: u64,
    /// The number of records read of that page.
    pub item: u64,
    /// The page size.
    pub page_size: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) first_page: Option<FirstPage>,
}

impl PartialEq for Position {
    fn eq(&self, other: &Self) -> bool {
        (self.page, self.item, self.page_size) == (other.page, other.item, other.page_size)
    }
}

impl Eq for Position {}

impl Position {
    /// Creates a position.
    #[must_use]
    pub const fn new(page: u64, item: u64, page_size: u32) -> Self {
        Self { page, item, page_size, first_page: None }
    }

    /// Returns the position at a cursor that counts pages.
    pub(super) fn of(cursor: &Cursor, page_size: NonZeroU32) -> Option<Self> {
        let Place::Page { number, row, .. } = cursor.place else { return None };
        let position = Self::new(number.unsigned_abs(), row, page_size.get());
        Some(Self { first_page: cursor.first_page, ..position })
    }

    pub(super) fn cursor(&self) -> Cursor {
        let number = i64::try_from(self.page.max(1)).unwrap_or(i64::MAX);
        let place = Place::Page { number, row: self.item, limit: Some(self.page_size.into()) };
        Cursor { place, first_page: self.first_page }
    }
}

impl Default for Position {
    /// Returns the start of a list: no record of page 1 is read.
    fn default() -> Self {
        Self::new(1, 0, PAGE_SIZE.get())
    }
}
