//! Turns a cell into the value of a field.

use chrono::{Datelike, NaiveDate, NaiveDateTime};
use serde_json::Value;

use crate::sheet::{Cell, number_text, shown};

/// The kind of a field's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldKind {
    Text,
    Integer,
    Boolean,
    Timestamp,
    /// A list of texts, with `;` between them.
    TextList,
    /// A JSON array.
    Json,
}

/// A field of the records that are loaded.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) kind: FieldKind,
    /// The pointer to the value in a record that is read; `None` if it cannot be compared.
    pub(crate) read_at: Option<&'static str>,
}

/// Returns whole numbers that JSON and spreadsheets hold exactly.
const EXACT: std::ops::RangeInclusive<i64> = -9_007_199_254_740_991..=9_007_199_254_740_991;

impl FieldKind {
    /// Describes the kind to somebody who fills in a sheet.
    pub(crate) fn expected(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "a whole number",
            Self::Boolean => "true or false",
            Self::Timestamp => "a date such as 2026-07-22",
            Self::TextList => "texts with `;` between them",
            Self::Json => "a list in JSON",
        }
    }

    /// Returns the value of a cell that is not empty.
    pub(super) fn value(self, cell: Cell, date_format: Option<&str>) -> Result<Value, String> {
        match (self, cell) {
            (_, Cell::Invalid(reason)) => Err(reason),
            (Self::Text, Cell::Text(text)) => Ok(Value::String(text)),
            // More digits are rounded by Excel itself.
            (Self::Text, Cell::Number(number)) if number.abs() < 1e15 => Ok(Value::String(number_text(number))),
            (Self::Text, Cell::Number(_)) => {
                Err("it is a number with too many digits: format the column as text, and enter it again".to_owned())
            }
            (Self::Text, Cell::Formatted(_, None)) => {
                Err("Excel shows this number in another way than it is: format the column as text, and enter it again"
                    .to_owned())
            }
            (Self::Text, cell) => Ok(Value::String(cell.to_text().into_owned())),
            (_, Cell::Formatted(number, _)) => self.value(Cell::Number(number), date_format),
            (Self::Integer, Cell::Number(number)) => integer(&number_text(number)),
            (Self::Integer, Cell::Text(text)) => integer(&text),
            (Self::Boolean, Cell::Boolean(value)) => Ok(Value::Bool(value)),
            (Self::Boolean, Cell::Text(text)) => boolean(&text),
            (Self::Boolean, Cell::Number(number)) => boolean(&number_text(number)),
            (Self::Timestamp, Cell::Time(time)) => Ok(timestamp(time)?),
            (Self::Timestamp, Cell::Text(text)) => parse_timestamp(&text, date_format),
            (Self::Timestamp, Cell::Number(_)) => {
                Err("a date is expected, not a number: format the column as a date".to_owned())
            }
            (Self::TextList, Cell::Text(text)) => {
                Ok(text.split(';').map(str::trim).filter(|text| !text.is_empty()).map(Value::from).collect())
            }
            (Self::TextList, Cell::Number(number)) => Ok(Value::from(vec![number_text(number)])),
            (Self::Json, Cell::Text(text)) => match serde_json::from_str(&text) {
                Ok(value @ Value::Array(_)) => Ok(value),
                _ => Err("a list in JSON is expected, such as [{\"orderingGroupID\": \"OG1\"}]".to_owned()),
            },
            (kind, cell) => Err(format!("{} is expected, not {}", kind.expected(), described(&cell))),
        }
    }
}

fn described(cell: &Cell) -> &'static str {
    match cell {
        Cell::Empty => "empty",
        Cell::Text(_) => "text",
        Cell::Number(_) | Cell::Formatted(..) => "a number",
        Cell::Boolean(_) => "true or false",
        Cell::Time(_) => "a date",
        Cell::Invalid(_) => "an error",
    }
}

/// Returns the text of a cell within a reason. Reasons go where the rows themselves go, and nowhere else.
fn quoted(text: &str) -> String {
    format!("`{}`", shown(text))
}

fn integer(text: &str) -> Result<Value, String> {
    match text.parse::<i64>() {
        Ok(number) if EXACT.contains(&number) => Ok(number.into()),
        _ => {
            Err(format!("a whole number is expected, without a fraction and without separators, not {}", quoted(text)))
        }
    }
}

fn boolean(text: &str) -> Result<Value, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Ok(true.into()),
        "false" | "no" | "0" => Ok(false.into()),
        _ => Err(format!("true or false is expected (or yes, no, 1, 0), not {}", quoted(text))),
    }
}

/// Returns a timestamp as the vendor's samples write it: without a zone.
fn timestamp(time: NaiveDateTime) -> Result<Value, String> {
    // A year of two digits, or a number that was formatted as a date.
    if (1990..2200).contains(&time.year()) {
        return Ok(time.format("%Y-%m-%dT%H:%M:%S").to_string().into());
    }
    Err(format!("a date of this time is expected, and its year is {}", time.year()))
}

fn parse_timestamp(text: &str, format: Option<&str>) -> Result<Value, String> {
    let midnight = |date: NaiveDate| date.and_hms_opt(0, 0, 0);
    let by = |format: &str| {
        NaiveDateTime::parse_from_str(text, format)
            .ok()
            .or_else(|| NaiveDate::parse_from_str(text, format).ok().and_then(midnight))
    };
    let time = by("%Y-%m-%dT%H:%M:%S").or_else(|| by("%Y-%m-%d %H:%M:%S")).or_else(|| by("%Y-%m-%d"));
    match (time.or_else(|| format.and_then(by)), format) {
        (Some(time), _) => timestamp(time),
        (None, Some(format)) => {
            Err(format!("a date such as 2026-07-22, or of the format {format}, is expected, not {}", quoted(text)))
        }
        (None, None) => Err(format!(
            "a date such as 2026-07-22 is expected, not {}: change it, or name its format by `--date-format`",
            quoted(text)
        )),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn value(kind: FieldKind, cell: Cell) -> Result<Value, String> {
        kind.value(cell, Some("%d.%m.%Y"))
    }

    fn text(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }

    #[test]
    fn a_cell_becomes_the_value_that_it_shows() {
        for (kind, cell, expected) in [
            (FieldKind::Text, text("0940"), json!("0940")),
            (FieldKind::Text, Cell::Number(5041.0), json!("5041")),
            (FieldKind::Text, Cell::Number(12.5), json!("12.5")),
            (FieldKind::Text, Cell::Formatted(940.0, Some("0940".to_owned())), json!("0940")),
            (FieldKind::Integer, Cell::Formatted(940.0, Some("0940".to_owned())), json!(940)),
            (FieldKind::Integer, Cell::Formatted(1000.0, None), json!(1000)),
            (FieldKind::Text, Cell::Boolean(true), json!("true")),
            (FieldKind::Integer, text("-702"), json!(-702)),
            (FieldKind::Integer, Cell::Number(702.0), json!(702)),
            (FieldKind::Boolean, text("Yes"), json!(true)),
            (FieldKind::Boolean, Cell::Number(0.0), json!(false)),
            (FieldKind::Timestamp, text("2026-07-22"), json!("2026-07-22T00:00:00")),
            (FieldKind::Timestamp, text("22.07.2026"), json!("2026-07-22T00:00:00")),
            (FieldKind::Timestamp, text("2026-07-22 08:30:00"), json!("2026-07-22T08:30:00")),
            (FieldKind::TextList, text("USER1; USER2;"), json!(["USER1", "USER2"])),
            (FieldKind::TextList, Cell::Number(7.0), json!(["7"])),
            (FieldKind::Json, text("[{\"orderingGroupID\":\"OG1\"}]"), json!([{"orderingGroupID": "OG1"}])),
        ] {
            assert_eq!(value(kind, cell.clone()), Ok(expected), "{kind:?} {cell:?}");
        }
    }

    #[test]
    fn a_cell_of_another_kind_is_refused_with_a_reason() {
        for (kind, cell, part) in [
            (FieldKind::Integer, text("7 apples"), "without separators, not `7 apples`"),
            (FieldKind::Integer, text("1,000"), "without separators"),
            (FieldKind::Integer, Cell::Number(1.5), "without a fraction"),
            (FieldKind::Integer, text("9007199254740993"), "a whole number"),
            (FieldKind::Integer, Cell::Boolean(true), "not true or false"),
            (FieldKind::Integer, Cell::Formatted(1.5, None), "without a fraction"),
            (FieldKind::Text, Cell::Formatted(0.12, None), "in another way"),
            (FieldKind::Boolean, text("apples"), "true or false"),
            (FieldKind::Timestamp, text("apples"), "of the format %d.%m.%Y"),
            (FieldKind::Timestamp, Cell::Number(45123.0), "format the column as a date"),
            (FieldKind::Timestamp, text("0026-07-22"), "its year is 26"),
            (FieldKind::Text, Cell::Number(12_345_678_901_234_567.0), "format the column as text"),
            (FieldKind::Text, Cell::Invalid("it shows the error #REF!".to_owned()), "#REF!"),
            (FieldKind::Json, text("apples"), "a list in JSON"),
        ] {
            let error = value(kind, cell.clone()).unwrap_err();
            assert!(error.contains(part), "{kind:?} {cell:?}: {error}");
        }
    }
}
