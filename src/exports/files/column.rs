//! Columns: name, type and nullability.

use std::{borrow::Cow, fmt, str::FromStr};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, IgnoredAny, Unexpected, Visitor},
};

use super::{
    number::{self, MAX_PRECISION},
    timestamp,
    value::{FieldValue, unquoted, without_lone_surrogates},
};

/// The type of a column. Its string form is lower case, such as `decimal(18, 2)`.
///
/// A column accepts only values that it represents exactly: a decimal is never rounded, and `"0940"` is not an integer.
/// [`Float`](Self::Float) is the exception; it is never inferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(into = "String")]
#[non_exhaustive]
pub enum ColumnType {
    /// `null`: the column has had no values yet. The first values set its type, without
    /// [`SchemaChanges::Accept`](super::SchemaChanges::Accept). In Parquet it is a column of null strings.
    Null,
    /// `boolean`
    Boolean,
    /// `integer`: 64 bits.
    Integer,
    /// `decimal(18, 2)`: an exact decimal number, such as money.
    Decimal {
        /// The total number of digits, from 1 to 38.
        precision: u8,
        /// The number of digits after the decimal point.
        scale: u8,
    },
    /// `float`: the nearest 64-bit floating-point number. Never inferred.
    Float,
    /// `date`: `2025-07-28`
    Date,
    /// `local_time`: `2025-01-20T04:50:03.61`, a timestamp without a zone, up to microseconds. No zone is assumed.
    LocalTimestamp,
    /// `time`: `2025-01-20T04:50:03.61Z`, a timestamp up to microseconds. A string with another offset is converted to UTC.
    /// Such strings are not inferred as timestamps, since the offset would be lost.
    Timestamp,
    /// `text`
    Text,
    /// `json`: the unchanged JSON of any value, for arrays, objects and columns with several kinds of values. Lone
    /// surrogates become U+FFFD, since some readers reject them.
    Json,
    /// `omitted`: values of any kind, not written to any file. The column is nullable.
    Omitted,
}

/// The error for a string that is not a column type.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a column type: {TYPES}")]
pub struct InvalidColumnType(());

const TYPES: &str = "null, boolean, integer, decimal(18, 2), float, date, local_time, time, text, json or omitted";

/// A column of a [`TableSchema`](super::TableSchema).
///
/// ```
/// use perenso::exports::files::{Column, ColumnType, TableSchema};
///
/// let schema = TableSchema::new([
///     Column::required("orderLineID", ColumnType::Text),
///     Column::nullable("quantity", ColumnType::Integer),
/// ])?;
/// assert!(schema.column("quantity").is_some_and(Column::is_nullable));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    name: String,
    #[serde(rename = "type")]
    kind: ColumnType,
    nullable: bool,
}

impl Column {
    /// Creates a column whose values may be null or missing.
    pub fn nullable(name: impl Into<String>, kind: ColumnType) -> Self {
        Self { name: name.into(), kind, nullable: true }
    }

    /// Creates a column with a value in every row.
    pub fn required(name: impl Into<String>, kind: ColumnType) -> Self {
        Self { name: name.into(), kind, nullable: false }
    }

    /// Returns the name, which is that of the field in a row.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the type.
    #[must_use]
    pub fn kind(&self) -> ColumnType {
        self.kind
    }

    /// Returns true if values may be null or missing.
    #[must_use]
    pub fn is_nullable(&self) -> bool {
        self.nullable
    }

    pub(super) fn is_omitted(&self) -> bool {
        self.kind == ColumnType::Omitted
    }

    /// Describes why the column is invalid.
    pub(super) fn problem(&self) -> Option<&'static str> {
        match self.kind {
            ColumnType::Decimal { precision, scale }
                if !(1..=MAX_PRECISION).contains(&precision) || scale > precision =>
            {
                Some("a decimal has from 1 to 38 digits, and at most all of them behind the point")
            }
            ColumnType::Null if !self.nullable => Some("null is never required"),
            ColumnType::Omitted if !self.nullable => Some("omitted is never required"),
            _ => None,
        }
    }

    /// Converts a value to the column, or describes the expected and the found type.
    #[inline]
    pub(super) fn read<'r>(&self, value: &FieldValue<'r>) -> Result<ColumnValue<'r>, String> {
        match self.kind.read(value) {
            Some(ColumnValue::Null) if !self.nullable => Err(self.mismatch("null")),
            Some(value) => Ok(value),
            None => Err(self.mismatch(self.kind.mismatch_kind(value))),
        }
    }

    #[cold]
    fn mismatch(&self, found: &str) -> String {
        format!("expected {}, found {found}", self.kind)
    }
}

/// A value converted to the type of its column.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ColumnValue<'r> {
    Null,
    Boolean(bool),
    Integer(i64),
    /// In units of the column's scale.
    Decimal(i128),
    Float(f64),
    /// Days since 1970.
    Date(i32),
    /// Microseconds since 1970, with or without a zone.
    Timestamp(i64),
    /// A string, or JSON.
    Text(Cow<'r, str>),
}

impl ColumnType {
    /// Converts a value to this type; `None` if it does not fit.
    #[inline]
    pub(super) fn read<'r>(self, value: &FieldValue<'r>) -> Option<ColumnValue<'r>> {
        match (self, value) {
            (Self::Omitted, _) => Some(ColumnValue::Null),
            (Self::Text, FieldValue::CsvField(text)) => Some(ColumnValue::Text(text.clone())),
            (_, FieldValue::Null) => Some(ColumnValue::Null),
            (_, FieldValue::CsvField(text)) if text.is_empty() => Some(ColumnValue::Null),
            (Self::Null, _) => None,
            (Self::Json, FieldValue::CsvField(text)) => {
                let is_json = serde_json::from_str::<IgnoredAny>(text).is_ok();
                is_json.then(|| ColumnValue::Text(without_lone_surrogates(text).into_owned().into()))
            }
            (Self::Json, value) => value.json().map(|json| ColumnValue::Text(without_lone_surrogates(json))),
            (Self::Boolean, FieldValue::Boolean(value)) => Some(ColumnValue::Boolean(*value)),
            (Self::Boolean, FieldValue::CsvField(text)) if text.eq_ignore_ascii_case("true") => {
                Some(ColumnValue::Boolean(true))
            }
            (Self::Boolean, FieldValue::CsvField(text)) if text.eq_ignore_ascii_case("false") => {
                Some(ColumnValue::Boolean(false))
            }
            (Self::Integer | Self::Decimal { .. } | Self::Float, FieldValue::Number(text)) => self.read_number(text),
            (Self::Integer | Self::Decimal { .. } | Self::Float, FieldValue::CsvField(text)) => self.read_number(text),
            (Self::Text, FieldValue::String(quoted)) => unquoted(quoted).map(ColumnValue::Text),
            (Self::Date | Self::LocalTimestamp | Self::Timestamp, FieldValue::String(quoted)) => {
                self.read_timestamp(&unquoted(quoted)?)
            }
            (Self::Date | Self::LocalTimestamp | Self::Timestamp, FieldValue::CsvField(text)) => {
                self.read_timestamp(text)
            }
            _ => None,
        }
    }

    fn read_number<'r>(self, text: &str) -> Option<ColumnValue<'r>> {
        match self {
            Self::Integer => number::integer(text).map(ColumnValue::Integer),
            Self::Decimal { precision, scale } => number::decimal(text, precision, scale).map(ColumnValue::Decimal),
            _ => number::float(text).map(ColumnValue::Float),
        }
    }

    fn read_timestamp<'r>(self, text: &str) -> Option<ColumnValue<'r>> {
        match self {
            Self::Date => timestamp::date(text).map(ColumnValue::Date),
            Self::LocalTimestamp => timestamp::local_time(text).map(ColumnValue::Timestamp),
            _ => timestamp::time(text).map(|time| ColumnValue::Timestamp(time.micros)),
        }
    }

    /// Describes a value that does not fit this type.
    fn mismatch_kind(self, value: &FieldValue<'_>) -> &'static str {
        match (self, value) {
            (Self::Integer, FieldValue::Number(text)) if number::decimal(text, MAX_PRECISION, 0).is_some() => {
                "an integer beyond 64 bits"
            }
            (Self::Decimal { .. }, FieldValue::Number(_)) => "a number with more digits",
            (Self::Float, FieldValue::Number(_)) => "a number beyond its range",
            (Self::Text, FieldValue::String(_)) => "a string with a lone surrogate",
            (Self::Date | Self::LocalTimestamp | Self::Timestamp, FieldValue::String(_))
            | (_, FieldValue::CsvField(_)) => "a string in another format",
            _ => value.kind(),
        }
    }
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Decimal { precision, scale } => return write!(f, "decimal({precision}, {scale})"),
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Float => "float",
            Self::Date => "date",
            Self::LocalTimestamp => "local_time",
            Self::Timestamp => "time",
            Self::Text => "text",
            Self::Json => "json",
            Self::Omitted => "omitted",
        })
    }
}

impl FromStr for ColumnType {
    type Err = InvalidColumnType;

    fn from_str(text: &str) -> Result<Self, InvalidColumnType> {
        let simple = [
            Self::Null,
            Self::Boolean,
            Self::Integer,
            Self::Float,
            Self::Date,
            Self::LocalTimestamp,
            Self::Timestamp,
            Self::Text,
            Self::Json,
            Self::Omitted,
        ];
        let decimal = || {
            let digits = text.strip_prefix("decimal(")?.strip_suffix(')')?;
            let (precision, scale) = digits.split_once(',')?;
            Some(Self::Decimal { precision: precision.trim().parse().ok()?, scale: scale.trim().parse().ok()? })
        };
        let found = simple.into_iter().find(|kind| kind.to_string() == text);
        found.or_else(decimal).ok_or(InvalidColumnType(()))
    }
}

impl TryFrom<String> for ColumnType {
    type Error = InvalidColumnType;

    fn try_from(text: String) -> Result<Self, InvalidColumnType> {
        text.parse()
    }
}

impl<'de> Deserialize<'de> for ColumnType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = ColumnType;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a column type ({TYPES})")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<ColumnType, E> {
                text.parse().map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_str(Reader)
    }
}

impl From<ColumnType> for String {
    fn from(kind: ColumnType) -> Self {
        kind.to_string()
    }
}

perenso_auth::__readable_debug!(InvalidColumnType);
