//! A column: its name, what its values are, and whether they may be missing.

use std::{borrow::Cow, fmt, str::FromStr};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, IgnoredAny, Unexpected, Visitor},
};

use super::{
    number::{self, MOST_DIGITS},
    timestamp,
    value::{Value, unquoted, without_lone_surrogates},
};

/// What the values of a column are. It is written as `decimal(18, 2)`, in lower case.
///
/// A column takes a value that it holds exactly, and no other: a decimal is never rounded, and `"0940"` is no integer.
/// [`Float`](Self::Float) is the exception, and is in a schema only where somebody has put it there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(into = "String")]
#[non_exhaustive]
pub enum ColumnType {
    /// `null`: no value has been seen in this column yet. A Parquet file has nulls of type string there. The first values
    /// give the column its type; [`Changes::Accept`](super::Changes::Accept) is not needed.
    Null,
    /// `boolean`
    Boolean,
    /// `integer`: 64 bits.
    Integer,
    /// `decimal(18, 2)`: a number by its digits, such as money.
    Decimal {
        /// The most digits in all, from 1 to 38.
        precision: u8,
        /// How many of them stand behind the point.
        scale: u8,
    },
    /// `float`: the nearest number that 64 binary digits have. Never inferred.
    Float,
    /// `date`: `2025-07-28`
    Date,
    /// `local_time`: `2025-01-20T04:50:03.61`, a time without a zone, up to microseconds. No zone is assumed.
    LocalTime,
    /// `time`: `2025-01-20T04:50:03.61Z`, a moment up to microseconds. Text with another offset is taken and becomes UTC,
    /// but not inferred, since its offset would be lost.
    Time,
    /// `text`
    Text,
    /// `json`: the JSON text of any value, as it came: lists, objects, and columns of more than one kind. Half of a
    /// surrogate pair is replaced by U+FFFD, since some readers refuse it.
    Json,
    /// `omitted`: values of any kind that are not written. The column is nullable and in no file.
    Omitted,
}

/// A text names no type of columns.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("a type of a column is expected: {TYPES}")]
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
    /// A column whose values may be null, or missing from a row.
    pub fn nullable(name: impl Into<String>, kind: ColumnType) -> Self {
        Self { name: name.into(), kind, nullable: true }
    }

    /// A column that has a value in every row.
    pub fn required(name: impl Into<String>, kind: ColumnType) -> Self {
        Self { name: name.into(), kind, nullable: false }
    }

    /// The name: that of the field of a row.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its values are.
    #[must_use]
    pub fn kind(&self) -> ColumnType {
        self.kind
    }

    /// Whether values may be null, or missing from a row.
    #[must_use]
    pub fn is_nullable(&self) -> bool {
        self.nullable
    }

    pub(super) fn is_omitted(&self) -> bool {
        self.kind == ColumnType::Omitted
    }

    /// Why there cannot be such a column.
    pub(super) fn problem(&self) -> Option<&'static str> {
        match self.kind {
            ColumnType::Decimal { precision, scale }
                if !(1..=MOST_DIGITS).contains(&precision) || scale > precision =>
            {
                Some("a decimal has from 1 to 38 digits, and at most all of them behind the point")
            }
            ColumnType::Null if !self.nullable => Some("null is never required"),
            ColumnType::Omitted if !self.nullable => Some("omitted is never required"),
            _ => None,
        }
    }

    /// The value as the column has it, or what was expected and found.
    #[inline]
    pub(super) fn read<'r>(&self, value: &Value<'r>) -> Result<Cell<'r>, String> {
        match self.kind.read(value) {
            Some(Cell::Null) if !self.nullable => Err(self.misfit("null")),
            Some(cell) => Ok(cell),
            None => Err(self.misfit(self.kind.unlike(value))),
        }
    }

    #[cold]
    fn misfit(&self, found: &str) -> String {
        format!("expected {}, found {found}", self.kind)
    }
}

/// A value as its column has it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell<'r> {
    Null,
    Boolean(bool),
    Integer(i64),
    /// In units of the column's scale.
    Decimal(i128),
    Float(f64),
    /// Days since 1970.
    Date(i32),
    /// Microseconds since 1970, with or without a zone.
    Time(i64),
    /// Text, or JSON.
    Text(Cow<'r, str>),
}

impl ColumnType {
    /// The value as this type has it; `None` where it does not hold it.
    #[inline]
    pub(super) fn read<'r>(self, value: &Value<'r>) -> Option<Cell<'r>> {
        match (self, value) {
            (Self::Omitted, _) => Some(Cell::Null),
            (Self::Text, Value::Cell(text)) => Some(Cell::Text(text.clone())),
            (_, Value::Null) => Some(Cell::Null),
            (_, Value::Cell(text)) if text.is_empty() => Some(Cell::Null),
            (Self::Null, _) => None,
            (Self::Json, Value::Cell(text)) => {
                let is_json = serde_json::from_str::<IgnoredAny>(text).is_ok();
                is_json.then(|| Cell::Text(without_lone_surrogates(text).into_owned().into()))
            }
            (Self::Json, value) => value.json().map(|json| Cell::Text(without_lone_surrogates(json))),
            (Self::Boolean, Value::Boolean(value)) => Some(Cell::Boolean(*value)),
            (Self::Boolean, Value::Cell(text)) if text.eq_ignore_ascii_case("true") => Some(Cell::Boolean(true)),
            (Self::Boolean, Value::Cell(text)) if text.eq_ignore_ascii_case("false") => Some(Cell::Boolean(false)),
            (Self::Integer | Self::Decimal { .. } | Self::Float, Value::Number(text)) => self.read_number(text),
            (Self::Integer | Self::Decimal { .. } | Self::Float, Value::Cell(text)) => self.read_number(text),
            (Self::Text, Value::Text(quoted)) => unquoted(quoted).map(Cell::Text),
            (Self::Date | Self::LocalTime | Self::Time, Value::Text(quoted)) => self.read_moment(&unquoted(quoted)?),
            (Self::Date | Self::LocalTime | Self::Time, Value::Cell(text)) => self.read_moment(text),
            _ => None,
        }
    }

    fn read_number<'r>(self, text: &str) -> Option<Cell<'r>> {
        match self {
            Self::Integer => number::integer(text).map(Cell::Integer),
            Self::Decimal { precision, scale } => number::decimal(text, precision, scale).map(Cell::Decimal),
            _ => number::float(text).map(Cell::Float),
        }
    }

    fn read_moment<'r>(self, text: &str) -> Option<Cell<'r>> {
        match self {
            Self::Date => timestamp::date(text).map(Cell::Date),
            Self::LocalTime => timestamp::local_time(text).map(Cell::Time),
            _ => timestamp::time(text).map(|time| Cell::Time(time.micros)),
        }
    }

    /// What a value is that this type does not hold.
    fn unlike(self, value: &Value<'_>) -> &'static str {
        match (self, value) {
            (Self::Integer, Value::Number(text)) if number::decimal(text, MOST_DIGITS, 0).is_some() => {
                "an integer beyond 64 bits"
            }
            (Self::Decimal { .. }, Value::Number(_)) => "a number with more digits",
            (Self::Float, Value::Number(_)) => "a number beyond its range",
            (Self::Text, Value::Text(_)) => "text with half of a surrogate pair",
            (Self::Date | Self::LocalTime | Self::Time, Value::Text(_)) | (_, Value::Cell(_)) => "text of another form",
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
            Self::LocalTime => "local_time",
            Self::Time => "time",
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
            Self::LocalTime,
            Self::Time,
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
                write!(f, "a type of a column ({TYPES})")
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
