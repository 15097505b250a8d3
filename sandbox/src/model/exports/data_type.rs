//! The data types of export parameters.

use chrono::NaiveDateTime;
use serde_json::Value;

use crate::model::document::json_type;

/// The type of a parameter of an [`Export`](crate::Export).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DataType {
    /// A JSON number without a fraction, as `1`.
    Integer,
    /// A JSON string.
    Text,
    /// A JSON string in the format of the guide, as `2022-10-31T09:00:00Z`.
    DateTime,
    /// `true` or `false`.
    Boolean,
    /// A type that the guide does not have, with its name in the catalog. It accepts any JSON value.
    Other(String),
}

impl DataType {
    /// Returns the name in the catalog.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Integer => "Integer",
            Self::Text => "Text",
            Self::DateTime => "DateTime",
            Self::Boolean => "Boolean",
            Self::Other(name) => name,
        }
    }

    /// Returns the type with this name in the catalog.
    pub(crate) fn named(name: String) -> Self {
        [Self::Integer, Self::Text, Self::DateTime, Self::Boolean]
            .into_iter()
            .find(|known| known.name() == name)
            .unwrap_or(Self::Other(name))
    }

    /// Checks a value, and returns the message for an invalid one.
    pub(crate) fn check(&self, value: Option<&Value>) -> Result<(), String> {
        let value = value.ok_or("it is missing")?;
        let (fits, expected) = match self {
            Self::Integer => (value.is_i64() || value.is_u64(), "an integer"),
            Self::Text => (value.is_string(), "a string"),
            Self::DateTime => (value.as_str().is_some_and(is_date_time), "a date-time like 2022-10-31T09:00:00Z"),
            Self::Boolean => (value.is_boolean(), "a boolean"),
            Self::Other(_) => (true, "anything"),
        };
        if fits { Ok(()) } else { Err(format!("expected {expected}, found {}", self.found(value))) }
    }

    fn found(&self, value: &Value) -> &'static str {
        match (self, value) {
            (Self::DateTime, Value::String(_)) => "another string",
            (_, value) => json_type(value),
        }
    }
}

/// Returns true if a string has exactly the format of the guide. Parsers also accept single digits and signs.
fn is_date_time(text: &str) -> bool {
    const FORM: &str = "%Y-%m-%dT%H:%M:%SZ";
    text.len() == 20
        && NaiveDateTime::parse_from_str(text, FORM).is_ok_and(|time| time.format(FORM).to_string() == text)
}
