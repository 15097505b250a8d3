//! Key values for paging by key: integers and strings.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The value of a key column, for [`Paging::by_key`](crate::exports::Paging::by_key).
///
/// `Debug` shows only the kind: a value may be personal data.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Key {
    /// An integer.
    Integer(i64),
    /// A string.
    Text(String),
}

impl Key {
    /// Returns the value as a string without quotes.
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
