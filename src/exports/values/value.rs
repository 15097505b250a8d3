//! Parameter values of exports and their JSON form.

use std::{borrow::Cow, fmt};

use chrono::{DateTime, Datelike, SecondsFormat, TimeZone, Timelike, Utc};
use serde_json::Value as Json;

use crate::{paging::Key, types::ExportDataType};

/// The value of an export parameter.
///
/// Implements `From` for the types below. Integers beyond 64 bits are rejected by the check and never wrap. The JSON forms
/// are those of the vendor's "Data Type Reference".
///
/// | data type | Rust | JSON |
/// |---|---|---|
/// | Integer | every integer type | `15`, never quoted |
/// | Text | `&str`, `String` | `"text"` |
/// | DateTime | `chrono::DateTime` of any zone, converted to UTC | `"2022-10-31T09:00:00Z"` |
/// | Boolean | `bool` | `true` |
///
/// A timestamp has whole seconds and a year from 0000 to 9999. The check rejects others and never truncates. A timestamp
/// without a zone does not compile, since it is ambiguous:
///
/// ```
/// # use perenso::exports::ParameterValue;
/// let since = chrono::DateTime::parse_from_rfc3339("2022-10-31T10:00:00+01:00")?;
/// let value = ParameterValue::from(since);
/// # Ok::<(), chrono::ParseError>(())
/// ```
///
/// ```compile_fail,E0277
/// # use perenso::exports::ParameterValue;
/// let since: chrono::NaiveDateTime = "2022-10-31T10:00:00".parse()?;
/// let value = ParameterValue::from(since);
/// # Ok::<(), chrono::ParseError>(())
/// ```
///
/// `Debug` shows only the kind: a value may be personal data.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum ParameterValue {
    /// An `Integer` value.
    Integer(i64),
    /// A `Text` value.
    Text(String),
    /// A `DateTime` value.
    DateTime(DateTime<Utc>),
    /// A `Boolean` value.
    Boolean(bool),
    /// Raw JSON. Required for a parameter whose data type is unknown to the SDK; checked like any other value for a known
    /// data type.
    Raw(Json),
    /// An integer beyond 64 bits, rejected by the check.
    #[doc(hidden)]
    Beyond,
}

impl ParameterValue {
    /// Creates a raw JSON value: see [`ParameterValue::Raw`].
    pub fn raw(json: impl Into<Json>) -> Self {
        Self::Raw(json.into())
    }

    /// Returns the JSON form of a checked value.
    pub(crate) fn to_json(&self) -> Json {
        match self {
            Self::Integer(number) => (*number).into(),
            Self::Text(text) => text.as_str().into(),
            Self::DateTime(time) => time.to_rfc3339_opts(SecondsFormat::Secs, true).into(),
            Self::Boolean(value) => (*value).into(),
            Self::Raw(json) => json.clone(),
            // Never passes the check.
            Self::Beyond => Json::Null,
        }
    }

    pub(crate) fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            _ => None,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Integer(_) => "an integer",
            Self::Text(_) => "a string",
            Self::DateTime(_) => "a timestamp",
            Self::Boolean(_) => "a boolean",
            Self::Raw(json) => kind(json),
            Self::Beyond => BEYOND,
        }
    }
}

impl fmt::Debug for ParameterValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Integer(_) => "Integer(..)",
            Self::Text(_) => "Text(..)",
            Self::DateTime(_) => "DateTime(..)",
            Self::Boolean(_) => "Boolean(..)",
            Self::Raw(_) => "Raw(..)",
            Self::Beyond => "Beyond",
        })
    }
}

macro_rules! from_integers {
    ($($integer:ty)*) => {$(
        impl From<$integer> for ParameterValue {
            fn from(number: $integer) -> Self {
                i64::try_from(number).map_or(Self::Beyond, Self::Integer)
            }
        }
    )*};
}

from_integers!(i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize);

impl From<bool> for ParameterValue {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<&str> for ParameterValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for ParameterValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&String> for ParameterValue {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<Cow<'_, str>> for ParameterValue {
    fn from(text: Cow<'_, str>) -> Self {
        Self::Text(text.into_owned())
    }
}

impl<Tz: TimeZone> From<DateTime<Tz>> for ParameterValue {
    fn from(time: DateTime<Tz>) -> Self {
        Self::DateTime(time.to_utc())
    }
}

/// An unchecked value.
#[derive(Clone)]
#[cfg_attr(test, derive(Debug))]
pub(crate) enum Input {
    /// A value with a Rust type.
    Value(ParameterValue),
    /// A serialised value, in which timestamps are strings. The error is the kind of a value that no parameter takes.
    Serialized(Result<ParameterValue, &'static str>),
    /// A string to be parsed by the data type.
    Text(String),
}

impl Input {
    /// Converts the input to a data type, or returns the kind of value found.
    pub(crate) fn convert(self, expected: &ExportDataType) -> Result<ParameterValue, &'static str> {
        use ExportDataType as Type;
        let value = match (expected, self) {
            (_, Self::Text(text)) => parse(expected, &text)?,
            (Type::DateTime, Self::Serialized(Ok(ParameterValue::Text(text)))) => parse_timestamp(&text)?.into(),
            (_, Self::Value(value)) => value,
            (_, Self::Serialized(written)) => written?,
        };
        match (expected, value) {
            (Type::DateTime, ParameterValue::DateTime(time)) => representable(time).map(ParameterValue::DateTime),
            (Type::Integer, value @ ParameterValue::Integer(_))
            | (Type::Text, value @ ParameterValue::Text(_))
            | (Type::Boolean, value @ ParameterValue::Boolean(_))
            | (Type::Other(_), value @ ParameterValue::Raw(_)) => Ok(value),
            (_, ParameterValue::Raw(json)) => convert_json(expected, json),
            (_, value) => Err(value.kind()),
        }
    }
}

fn convert_json(expected: &ExportDataType, json: Json) -> Result<ParameterValue, &'static str> {
    match (expected, json) {
        (ExportDataType::Integer, Json::Number(number)) if number.is_i64() => {
            number.as_i64().map(ParameterValue::Integer).ok_or(BEYOND)
        }
        (ExportDataType::Text, Json::String(text)) => Ok(ParameterValue::Text(text)),
        (ExportDataType::Boolean, Json::Bool(value)) => Ok(ParameterValue::Boolean(value)),
        (ExportDataType::DateTime, Json::String(text)) => {
            representable(parse_timestamp(&text)?).map(ParameterValue::DateTime)
        }
        (_, json) => Err(kind(&json)),
    }
}

/// Parses a string as a data type, or returns the kind of value found.
pub(crate) fn parse(expected: &ExportDataType, text: &str) -> Result<ParameterValue, &'static str> {
    match expected {
        ExportDataType::Integer => parse_integer(text).map(ParameterValue::Integer),
        ExportDataType::Text => Ok(text.into()),
        ExportDataType::DateTime => representable(parse_timestamp(text)?).map(ParameterValue::DateTime),
        ExportDataType::Boolean if text.eq_ignore_ascii_case("true") => Ok(ParameterValue::Boolean(true)),
        ExportDataType::Boolean if text.eq_ignore_ascii_case("false") => Ok(ParameterValue::Boolean(false)),
        ExportDataType::Boolean => Err(OTHER_TEXT),
        ExportDataType::Other(_) => Err("a string"),
    }
}

impl Key {
    /// Converts this value to the type of another key; `None` for a string that is not an integer.
    pub(crate) fn like(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            (Self::Text(text), Self::Integer(_)) => {
                parse(&ExportDataType::Integer, text).ok()?.integer().map(Self::Integer)
            }
            (Self::Integer(number), Self::Text(_)) => Some(Self::Text(number.to_string())),
            _ => Some(self.clone()),
        }
    }
}

/// Describes the values of a data type, with an example of the vendor's guide.
pub(crate) fn expectation(expected: &ExportDataType) -> String {
    match expected {
        ExportDataType::Integer => "Integer of 64 bits such as `15`, without quotes".to_owned(),
        ExportDataType::Text => "Text such as `\"text\"`".to_owned(),
        ExportDataType::DateTime => {
            "DateTime, with a zone and whole seconds, such as `\"2022-10-31T09:00:00Z\"`".to_owned()
        }
        ExportDataType::Boolean => "Boolean such as `true`, without quotes".to_owned(),
        ExportDataType::Other(name) => {
            let name = crate::error::name::shown(name);
            format!("{name}, a data type unknown to this version: pass its JSON by `raw`")
        }
    }
}

impl ExportDataType {
    /// Describes the strings that this data type accepts, for the help of a command line or a form.
    ///
    /// ```
    /// use perenso::types::ExportDataType;
    ///
    /// assert_eq!(ExportDataType::Boolean.accepts(), "Boolean, true or false");
    /// ```
    #[must_use]
    pub fn accepts(&self) -> String {
        match self {
            Self::Integer => "Integer, 64 bits, digits only or after a minus sign, such as 15".to_owned(),
            Self::DateTime => {
                "DateTime, RFC 3339 with a zone and whole seconds, such as 2022-10-31T09:00:00Z".to_owned()
            }
            Self::Boolean => "Boolean, true or false".to_owned(),
            Self::Text => "Text".to_owned(),
            Self::Other(_) => expectation(self),
        }
    }
}

const BEYOND: &str = "an integer beyond 64 bits";
const OTHER_TEXT: &str = "a string in another format";

/// Returns the kind of a JSON value, without the value.
pub(crate) fn kind(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(number) => match (number.is_i64(), number.is_u64(), number.as_f64()) {
            (true, _, _) => "an integer",
            (_, true, _) => BEYOND,
            // serde_json reads an integer beyond all integer types as a float.
            (_, _, Some(float)) if float.abs() >= 9e18 => BEYOND,
            _ => "a number with a fraction",
        },
        Json::String(_) => "a string",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}

/// Parses an integer. Rejects leading zeros, since a code such as `0940` would lose its zero, and plus signs and blanks.
fn parse_integer(text: &str) -> Result<i64, &'static str> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number || (digits.len() > 1 && digits.starts_with('0')) {
        return Err(OTHER_TEXT);
    }
    text.parse().map_err(|_| BEYOND)
}

/// Parses an RFC 3339 timestamp with a zone and whole seconds. chrono alone would also accept fractions, blanks and lower
/// case.
fn parse_timestamp(text: &str) -> Result<DateTime<Utc>, &'static str> {
    let (clock, zone) = text.split_at_checked("2022-10-31T09:00:00".len()).ok_or(OTHER_TEXT)?;
    let has_layout = clock.bytes().zip("dddd-dd-ddTdd:dd:dd".bytes()).all(|(byte, form)| match form {
        b'd' => byte.is_ascii_digit(),
        _ => byte == form,
    });
    match zone {
        _ if !has_layout => Err(OTHER_TEXT),
        "" => Err("a timestamp without a zone"),
        // RFC 3339, section 4.3: the local offset is unknown.
        "-00:00" => Err("a timestamp whose zone is unknown"),
        _ if zone.starts_with('.') => Err(FRACTION),
        _ if !zone.starts_with(['Z', '+', '-']) => Err(OTHER_TEXT),
        _ => DateTime::parse_from_rfc3339(text).map(|time| time.to_utc()).map_err(|_| OTHER_TEXT),
    }
}

const FRACTION: &str = "a timestamp with a fraction of a second";

/// Returns the timestamp if the vendor's format can represent it.
fn representable(time: DateTime<Utc>) -> Result<DateTime<Utc>, &'static str> {
    match time.nanosecond() {
        0 if (0..=9999).contains(&time.year()) => Ok(time),
        0 => Err("a timestamp outside of the years 0000 to 9999"),
        1_000_000_000.. => Err("a leap second"),
        _ => Err(FRACTION),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use chrono::{Duration, FixedOffset, NaiveDate};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use ExportDataType as Type;

    fn fit(expected: &Type, value: impl Into<ParameterValue>) -> Result<Json, &'static str> {
        Input::Value(value.into()).convert(expected).map(|value| value.to_json())
    }

    #[test]
    fn the_vendors_table_is_sent_unchanged() {
        let time = FixedOffset::east_opt(3600).unwrap().with_ymd_and_hms(2022, 10, 31, 10, 0, 0).unwrap();
        assert_eq!(fit(&Type::Integer, 1), Ok(json!(1)));
        assert_eq!(fit(&Type::Text, "text"), Ok(json!("text")));
        assert_eq!(fit(&Type::DateTime, time), Ok(json!("2022-10-31T09:00:00Z")));
        assert_eq!(fit(&Type::Boolean, true), Ok(json!(true)));
        assert_eq!(fit(&Type::Other("Money".into()), ParameterValue::raw("1.5")), Ok(json!("1.5")));
    }

    #[test]
    fn integers_do_not_wrap() {
        assert_eq!(fit(&Type::Integer, i64::MAX as u64), Ok(json!(i64::MAX)));
        assert_eq!(fit(&Type::Integer, i64::MIN), Ok(json!(i64::MIN)));
        for value in [ParameterValue::from(u64::MAX), i128::MIN.into(), u128::MAX.into(), ParameterValue::raw(u64::MAX)]
        {
            assert_eq!(fit(&Type::Integer, value), Err(BEYOND));
        }
    }

    #[test]
    fn another_kind_is_named_and_not_converted() {
        for (expected, value, found) in [
            (Type::Integer, ParameterValue::from("15"), "a string"),
            (Type::Integer, true.into(), "a boolean"),
            (Type::Integer, ParameterValue::Raw(json!(15.0)), "a number with a fraction"),
            (Type::Integer, ParameterValue::Raw(json!("15")), "a string"),
            (Type::Integer, ParameterValue::Raw(json!(1e19)), BEYOND),
            (Type::Integer, ParameterValue::Raw(json!(-1e300)), BEYOND),
            (Type::Integer, DateTime::UNIX_EPOCH.into(), "a timestamp"),
            (Type::Text, 15.into(), "an integer"),
            (Type::Text, ParameterValue::Raw(Json::Null), "null"),
            (Type::Boolean, "true".into(), "a string"),
            (Type::DateTime, "2022-10-31T09:00:00Z".into(), "a string"),
            (Type::DateTime, ParameterValue::raw("2016-12-31T23:59:60Z"), "a leap second"),
            (Type::DateTime, ParameterValue::raw("2022-10-31T09:00:00"), "a timestamp without a zone"),
            (Type::Other("Money".into()), 1.into(), "an integer"),
        ] {
            assert_eq!(fit(&expected, value.clone()), Err(found), "{expected} {value:?}");
        }
    }

    #[test]
    fn timestamps_are_never_truncated() {
        let day = NaiveDate::from_ymd_opt(2016, 12, 31).unwrap();
        let leap = day.and_hms_milli_opt(23, 59, 59, 1000).unwrap().and_utc();
        let late = NaiveDate::from_ymd_opt(10_000, 1, 1).unwrap().and_hms_opt(0, 0, 0).unwrap().and_utc();
        let early = NaiveDate::from_ymd_opt(-1, 1, 1).unwrap().and_hms_opt(0, 0, 0).unwrap().and_utc();
        assert_eq!(fit(&Type::DateTime, leap), Err("a leap second"));
        assert_eq!(fit(&Type::DateTime, late), Err("a timestamp outside of the years 0000 to 9999"));
        assert_eq!(fit(&Type::DateTime, early), Err("a timestamp outside of the years 0000 to 9999"));
        assert_eq!(fit(&Type::DateTime, late - Duration::nanoseconds(1)), Err(FRACTION));
        assert_eq!(fit(&Type::DateTime, late - Duration::seconds(1)), Ok(json!("9999-12-31T23:59:59Z")));
    }

    #[test]
    fn strings_are_parsed_by_the_data_type_without_guesses() {
        for (expected, text) in [
            (Type::Integer, "15"),
            (Type::Integer, "-9223372036854775808"),
            (Type::Integer, "0"),
            (Type::Boolean, "TRUE"),
            (Type::Boolean, "false"),
            (Type::DateTime, "2022-10-31T09:00:00Z"),
            (Type::DateTime, "2022-10-31T09:00:00+13:45"),
            (Type::DateTime, "0000-01-01T00:00:00Z"),
            (Type::Text, ""),
        ] {
            parse(&expected, text).unwrap();
        }
        for (expected, text, found) in [
            (Type::Integer, "+15", OTHER_TEXT),
            (Type::Integer, " 15", OTHER_TEXT),
            (Type::Integer, "1 5", OTHER_TEXT),
            (Type::Integer, "0940", OTHER_TEXT),
            (Type::Integer, "07", OTHER_TEXT),
            (Type::Integer, "-0940", OTHER_TEXT),
            (Type::Integer, "--15", OTHER_TEXT),
            (Type::Integer, "15.0", OTHER_TEXT),
            (Type::Integer, "١٥", OTHER_TEXT),
            (Type::Integer, "-", OTHER_TEXT),
            (Type::Integer, "", OTHER_TEXT),
            (Type::Integer, "9223372036854775808", BEYOND),
            (Type::Integer, "-9223372036854775809", BEYOND),
            (Type::Boolean, "1", OTHER_TEXT),
            (Type::Boolean, "yes", OTHER_TEXT),
            (Type::DateTime, "2022-10-31", OTHER_TEXT),
            (Type::DateTime, "2022-10-31 09:00:00Z", OTHER_TEXT),
            (Type::DateTime, "2022-10-31T09:00:00", "a timestamp without a zone"),
            (Type::DateTime, "2022-10-31T09:00:00-00:00", "a timestamp whose zone is unknown"),
            (Type::DateTime, "2022-10-31T09:00:00.5Z", FRACTION),
            (Type::DateTime, "2022-10-31T09:00:00.000Z", FRACTION),
            (Type::DateTime, "2016-12-31T23:59:60Z", "a leap second"),
            (Type::DateTime, "2022-02-30T09:00:00Z", OTHER_TEXT),
            (Type::DateTime, "9999-12-31T23:59:59-01:00", "a timestamp outside of the years 0000 to 9999"),
            (Type::DateTime, "0000-01-01T00:00:00+00:01", "a timestamp outside of the years 0000 to 9999"),
            (Type::DateTime, "2022-10-31T09:00:00 +01:00", OTHER_TEXT),
            (Type::DateTime, "2022-10-31T09:00:00z", OTHER_TEXT),
            (Type::DateTime, "2022-10-31T09:00:00\u{2212}01:00", OTHER_TEXT),
            (Type::DateTime, "2022-10-31T09:00:0é", OTHER_TEXT),
            (Type::Other("Money".into()), "1", "a string"),
        ] {
            assert_eq!(parse(&expected, text), Err(found), "{expected} {text}");
        }
    }

    #[test]
    fn debug_shows_the_kind_only() {
        let values = [
            ParameterValue::from("s3cr3t"),
            4711.into(),
            DateTime::UNIX_EPOCH.into(),
            true.into(),
            ParameterValue::raw("s3cr3t"),
        ];
        assert_eq!(format!("{values:?}"), "[Text(..), Integer(..), DateTime(..), Boolean(..), Raw(..)]");
    }

    proptest! {
        #[test]
        fn formatted_values_are_parsed_again(number: i64, flag: bool, text: String, seconds in -62_167_219_200i64..253_402_300_800) {
            let time = DateTime::from_timestamp(seconds, 0).unwrap();
            prop_assert_eq!(parse(&Type::Integer, &number.to_string()), Ok(number.into()));
            prop_assert_eq!(parse(&Type::Boolean, &flag.to_string()), Ok(flag.into()));
            prop_assert_eq!(parse(&Type::Text, &text), Ok(text.into()));
            let written = ParameterValue::from(time).to_json();
            let written = written.as_str().unwrap();
            prop_assert_eq!(written.len(), 20);
            prop_assert_eq!(parse(&Type::DateTime, written), Ok(time.into()));
        }

        #[test]
        fn any_zone_gives_the_same_timestamp(seconds in 0i64..4_000_000_000, minutes in -14 * 60..14 * 60i32) {
            let time = DateTime::from_timestamp(seconds, 0).unwrap();
            let text = time.with_timezone(&FixedOffset::east_opt(minutes * 60).unwrap()).to_rfc3339();
            prop_assert_eq!(parse(&Type::DateTime, &text), Ok(time.into()));
        }

        #[test]
        fn no_string_makes_the_parser_panic(text: String, like in "[-+0-9TZ:. ]{0,26}") {
            for expected in [Type::Integer, Type::DateTime, Type::Boolean] {
                let _ = parse(&expected, &text);
                if let Ok(value) = parse(&expected, &like) {
                    prop_assert!(fit(&expected, value).is_ok());
                }
            }
        }
    }
}
