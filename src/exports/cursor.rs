//! A place in the rows of an export that can be kept and gone back to.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A place in the rows of an export that can be kept and gone back to: behind the row that was handed out last.
///
/// [`Pages::cursor`](super::Pages::cursor) gives it at any time, [`Paging::start`](super::Paging::start) takes it.
///
/// ```
/// use perenso::exports::Cursor;
///
/// let kept = serde_json::to_string(&Cursor::page(7, 25, 100))?;
/// assert_eq!(kept, r#"{"page":{"number":7,"row":25,"limit":100}}"#);
/// assert_eq!(serde_json::from_str::<Cursor>(&kept)?, Cursor::page(7, 25, 100));
///
/// assert_eq!(serde_json::to_string(&Cursor::offset(625))?, r#"{"offset":625}"#);
/// assert_eq!(Cursor::page(7, 25, 100).to_string(), "row 25 of page 7, pages of 100");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Cursor {
    /// For exports that number their pages.
    Page {
        /// The number of the page, as it is sent.
        number: i64,
        /// How many of its rows were handed out.
        row: u64,
        /// How many rows a page was asked for, since pages of another size lie elsewhere.
        limit: i64,
    },
    /// For exports that count rows: how many to skip, as it is sent.
    Offset(i64),
}

impl Cursor {
    /// Behind so many rows of the page of this number, with pages of so many rows.
    #[must_use]
    pub const fn page(number: i64, row: u64, limit: i64) -> Self {
        Self::Page { number, row, limit }
    }

    /// Behind so many rows.
    #[must_use]
    pub const fn offset(rows: i64) -> Self {
        Self::Offset(rows)
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Page { number, row, limit } => write!(f, "row {row} of page {number}, pages of {limit}"),
            Self::Offset(rows) => write!(f, "row {rows}"),
        }
    }
}
