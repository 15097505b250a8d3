//! A place in the rows of an export that can be kept and gone back to.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::value::parse;
use crate::types::ExportDataType;

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
/// assert_eq!(serde_json::to_string(&Cursor::key("4ddjf2", 25))?, r#"{"key":{"value":"4ddjf2","row":25}}"#);
/// assert_eq!(Cursor::page(7, 25, 100).to_string(), "row 25 of page 7, pages of 100");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Cursor {
    /// For exports that number their pages.
    Page {
        /// The number of the page, as it is sent.
        number: i64,
        /// How many of its rows were handed out.
        row: u64,
        /// How many rows a page was asked for, since pages of another size lie elsewhere; `None` where the export has no
        /// parameter for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<i64>,
    },
    /// For exports that count rows: how many to skip, as it is sent.
    Offset(i64),
    /// For exports that are read by a key.
    Key {
        /// The value that asks for the page, as it is sent.
        value: Key,
        /// How many rows behind it were handed out.
        row: u64,
    },
}

/// The value of a key: see [`Paging::by_key`](super::Paging::by_key).
///
/// `Debug` shows the kind only: a value may be personal data.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Key {
    /// An integer.
    Integer(i64),
    /// A string.
    Text(String),
}

impl Cursor {
    /// Behind so many rows of the page of this number, with pages of so many rows.
    #[must_use]
    pub const fn page(number: i64, row: u64, limit: i64) -> Self {
        Self::Page { number, row, limit: Some(limit) }
    }

    /// Behind so many rows.
    #[must_use]
    pub const fn offset(rows: i64) -> Self {
        Self::Offset(rows)
    }

    /// Behind so many of the rows that follow this key.
    #[must_use]
    pub fn key(value: impl Into<Key>, row: u64) -> Self {
        Self::Key { value: value.into(), row }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Page { number, row, limit: Some(limit) } => write!(f, "row {row} of page {number}, pages of {limit}"),
            Self::Page { number, row, limit: None } => write!(f, "row {row} of page {number}"),
            Self::Offset(rows) => write!(f, "row {rows}"),
            Self::Key { row, .. } => write!(f, "row {row} behind a key"),
        }
    }
}

impl Key {
    /// Returns this value in the type of another one; a string that is no integer is none.
    pub(crate) fn like(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            (Self::Text(text), Self::Integer(_)) => {
                parse(&ExportDataType::Integer, text).ok()?.integer().map(Self::Integer)
            }
            (Self::Integer(number), Self::Text(_)) => Some(Self::Text(number.to_string())),
            _ => Some(self.clone()),
        }
    }

    /// Returns the value as it is written without quotes.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Integer(number) => number.to_string(),
            Self::Text(text) => text.clone(),
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Integer(_) => "Integer(..)",
            Self::Text(_) => "Text(..)",
        })
    }
}

impl From<i64> for Key {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Key {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
