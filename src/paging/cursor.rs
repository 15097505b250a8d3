//! A position in the rows of an export that can be stored.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Fingerprint, Key};

/// A position in the rows of an export that can be stored and resumed from: after the last row that was returned.
///
/// [`Pages::cursor`](crate::exports::Pages::cursor) returns it at any time, and [`Paging::start`](crate::exports::Paging::start)
/// takes it.
///
/// ```
/// use perenso::exports::Cursor;
///
/// let kept = serde_json::to_string(&Cursor::page(7, 25, 100))?;
/// assert_eq!(kept, r#"{"page":{"number":7,"row":25,"limit":100}}"#);
/// assert_eq!(serde_json::from_str::<Cursor>(&kept)?, Cursor::page(7, 25, 100));
///
/// assert_eq!(serde_json::to_string(&Cursor::offset(625))?, r#"{"offset":625}"#);
/// assert_eq!(
///     serde_json::to_string(&Cursor::key("4ddjf2", 25))?,
///     r#"{"key":{"value":"4ddjf2","row":25}}"#,
/// );
/// assert_eq!(Cursor::page(7, 25, 100).to_string(), "row 25 of page 7, pages of 100");
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// A cursor after the first page also contains a fingerprint of that page, so that a resumed job detects pages that start
/// again after the last one. Comparisons ignore it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Cursor {
    #[serde(flatten)]
    pub(crate) place: Place,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) first_page: Option<FirstPage>,
}

/// The position of a cursor.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Place {
    Page {
        /// The value sent.
        number: i64,
        /// The number of rows of this page that were returned.
        row: u64,
        /// The page size, since pages of another size have other rows. `None` if the export has no parameter for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<i64>,
    },
    /// The number of rows to skip, which is the value sent.
    Offset(i64),
    Key {
        /// The value sent.
        value: Key,
        /// The number of rows after it that were returned.
        row: u64,
    },
}

/// The first page of an export: the hash of its first row, and its fingerprint.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(crate) struct FirstPage {
    pub(crate) row: u64,
    pub(crate) page: Fingerprint,
}

impl PartialEq for Cursor {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

impl Eq for Cursor {}

impl From<FirstPage> for String {
    fn from(first: FirstPage) -> Self {
        format!("{:016x}{}", first.row, Self::from(first.page))
    }
}

impl TryFrom<String> for FirstPage {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        const EXPECTED: &str = "48 hexadecimal digits";
        let (row, page) = text.split_at_checked(16).ok_or(EXPECTED)?;
        let row = u64::from_str_radix(row, 16).map_err(|_| EXPECTED)?;
        Ok(Self { row, page: page.to_owned().try_into().map_err(|_| EXPECTED)? })
    }
}

impl Cursor {
    /// Creates a cursor after `row` rows of page `number`, with pages of `limit` rows.
    #[must_use]
    pub const fn page(number: i64, row: u64, limit: i64) -> Self {
        Self::at(Place::Page { number, row, limit: Some(limit) })
    }

    /// Creates a cursor after this number of rows.
    #[must_use]
    pub const fn offset(rows: i64) -> Self {
        Self::at(Place::Offset(rows))
    }

    /// Creates a cursor after `row` of the rows that follow the key `value`.
    #[must_use]
    pub fn key(value: impl Into<Key>, row: u64) -> Self {
        Self::at(Place::Key { value: value.into(), row })
    }

    pub(crate) const fn at(place: Place) -> Self {
        Self { place, first_page: None }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Page { number, row, limit: Some(limit) } => {
                write!(f, "row {row} of page {number}, pages of {limit}")
            }
            Place::Page { number, row, limit: None } => write!(f, "row {row} of page {number}"),
            Place::Offset(rows) => write!(f, "row {rows}"),
            Place::Key { row, .. } => write!(f, "row {row} after a key"),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_kept_with_the_first_page_and_compared_without_it() {
        let first_page = Some(FirstPage { row: u64::MAX, page: Fingerprint::of(b"rows") });
        for cursor in [Cursor::page(2, 3, 10), Cursor::offset(13), Cursor::key("s3cr3t", 3), Cursor::key(7, 3)] {
            let cursor = Cursor { first_page, ..cursor };
            let kept: Cursor = serde_json::from_str(&serde_json::to_string(&cursor).unwrap()).unwrap();
            let found = kept.first_page.unwrap();
            assert_eq!((&kept, found.row, found.page), (&cursor, u64::MAX, Fingerprint::of(b"rows")));
            assert_eq!(kept, Cursor { first_page: None, ..cursor });
            assert!(!format!("{kept} {kept:?}").contains("s3cr3t"));
        }
        for text in ["", "0123456789abcdef", "0123456789abcdefx", "é123456789abcde0", "s3cr3t"] {
            let json = serde_json::json!({"offset": 1, "first_page": text});
            let error = serde_json::from_value::<Cursor>(json).unwrap_err().to_string();
            assert!(!error.contains("s3cr3t"), "{error}");
        }
    }
}
