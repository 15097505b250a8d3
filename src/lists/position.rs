//! A place in a list that can be kept.

use serde::{Deserialize, Serialize};

use super::{fingerprint::Fingerprint, pager::PAGE_SIZE};

/// A place in a list that can be kept and gone back to: the number of a page, how many of its records were read, and how
/// many a page was asked for, since pages of another size lie elsewhere.
///
/// It counts and names no record: when records before it are created, deleted or sorted elsewhere, reading from it misses records or
/// reads some again. [`Changes`](crate::Changes) go by `modifiedDate` instead.
///
/// ```
/// use perenso::Position;
///
/// let kept = serde_json::to_string(&Position::new(7, 25, 100)).unwrap();
/// assert_eq!(serde_json::from_str::<Position>(&kept).unwrap(), Position::new(7, 25, 100));
/// ```
///
/// A place that a stream gave also knows page 1 by a fingerprint, so that a list whose pages begin anew is found out by the
/// job that goes on, too. It is no part of a comparison.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Position {
    /// The number of the page, from 1.
    pub page: u64,
    /// How many records of that page were read.
    pub item: u64,
    /// How many records a page was asked for.
    pub page_size: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) first_page: Option<Fingerprint>,
}

impl PartialEq for Position {
    fn eq(&self, other: &Self) -> bool {
        (self.page, self.item, self.page_size) == (other.page, other.item, other.page_size)
    }
}

impl Eq for Position {}

impl Position {
    /// This place.
    #[must_use]
    pub const fn new(page: u64, item: u64, page_size: u32) -> Self {
        Self { page, item, page_size, first_page: None }
    }
}

impl Default for Position {
    /// The beginning: nothing read of page 1.
    fn default() -> Self {
        Self::new(1, 0, PAGE_SIZE.get())
    }
}
