//! A cell of a sheet.

use std::borrow::Cow;

use chrono::{NaiveDateTime, NaiveTime};

/// Excel shows whole numbers up to this many exactly.
const MAX_EXACT: f64 = 999_999_999_999_999.0;

/// A cell of a sheet. All cells of CSV are text or empty.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Empty,
    /// Text without white space around it.
    Text(String),
    Number(f64),
    /// A number that Excel shows in another way, such as 940 as `0940`: with the text that it shows, if that is known.
    Formatted(f64, Option<String>),
    Boolean(bool),
    Time(NaiveDateTime),
    /// A cell without a usable value, and the reason.
    Invalid(String),
}

impl Cell {
    /// Returns the cell of a text. White space around it is invisible in a spreadsheet, and never meant.
    pub(super) fn of_text(text: &str) -> Self {
        match text.trim() {
            "" => Self::Empty,
            text => Self::Text(text.to_owned()),
        }
    }

    /// Returns the cell of a number with a format of Excel.
    pub(super) fn of_number(number: f64, format: &str) -> Self {
        let is_zeros = format.len() > 1 && format.bytes().all(|byte| byte == b'0');
        match format {
            "" | "General" | "0" | "@" => Self::Number(number),
            _ if is_zeros && number.fract() == 0.0 && number >= 0.0 => {
                Self::Formatted(number, Some(format!("{number:0width$.0}", width = format.len())))
            }
            _ => Self::Formatted(number, None),
        }
    }

    /// Returns the cell as text, as it is written into a file of rows.
    pub(crate) fn to_text(&self) -> Cow<'_, str> {
        match self {
            Self::Empty => Cow::Borrowed(""),
            Self::Text(text) => Cow::Borrowed(text),
            Self::Formatted(_, Some(text)) => Cow::Borrowed(text),
            Self::Number(number) | Self::Formatted(number, None) => Cow::Owned(number_text(*number)),
            Self::Boolean(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
            Self::Time(time) if time.time() == NaiveTime::MIN => Cow::Owned(time.format("%Y-%m-%d").to_string()),
            Self::Time(time) => Cow::Owned(time.format("%Y-%m-%dT%H:%M:%S%.f").to_string()),
            Self::Invalid(_) => Cow::Borrowed(""),
        }
    }
}

/// Returns a number as Excel shows it: whole numbers without a fraction.
pub(crate) fn number_text(number: f64) -> String {
    if number.fract() == 0.0 && number.abs() <= MAX_EXACT { format!("{number:.0}") } else { number.to_string() }
}
