//! The value by which an export is read on: an integer or a string.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::value::parse;
use crate::types::ExportDataType;

/// The value of a key: see [`Paging::by_key`](crate::exports::Paging::by_key).
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
