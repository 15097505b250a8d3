//! Order lines: a made-up export of any size.

use std::io::{self, Write};

use chrono::{DateTime, NaiveDateTime, TimeDelta};
use serde_json::Error;

use super::{DataType, Export, Parameter};
use crate::model::rows::Rows;
use crate::model::timestamp::format_timestamp;

/// The Unix timestamp of the first line: 2025-01-06T08:00:00.
const START: i64 = 1_736_150_400;
/// The interval between two lines in milliseconds.
const STEP: i64 = 1370;
/// Notes as JSON, with characters that CSV has to quote.
const NOTES: [&str; 7] = [
    "null",
    "null",
    r#""Call before delivery""#,
    "null",
    r#""Rear door, not the front""#,
    r#""Shelf 12\" deep\nFacing: \"eye level\"""#,
    r#""Crème brûlée für später""#,
];

impl Export {
    /// Returns a made-up export "Order Lines" with this many rows, and pages by `Cursor` and `Limit`.
    ///
    /// Each row depends only on its number:
    ///
    /// | field | |
    /// |---|---|
    /// | `lineID`, `orderID`, `quantity` | integers; `lineID` counts from 1 |
    /// | `productID`, `upc` | strings with leading zeros: `"004711"` |
    /// | `customerID` | strings |
    /// | `price`, `amount`, `discount` | money: numbers with two decimals, as `12.50`; `discount` may be null |
    /// | `orderedAt`, `shippedAt` | timestamps without a zone, as `"2025-01-20T04:50:03.61"`; `shippedAt` may be null |
    /// | `promotional` | booleans |
    /// | `note` | strings, some with commas, quotes, line breaks and accents, or null |
    ///
    /// `orderedAt` increases by 1.37 s per row. A million rows in a JSON array are about 275 MB.
    #[must_use]
    pub fn order_lines(rows: u64) -> Self {
        Self::new("ol26pg", "Order Lines")
            .parameter(Parameter::new("Cursor", DataType::Integer).description("Index of the current set of lines"))
            .parameter(Parameter::new("Limit", DataType::Integer).description("Number of lines to return per export"))
            .rows(lines(0, rows))
    }

    /// Returns an export "Order Lines Since" of the same rows without pages: those ordered at or after `Since`, which is read
    /// as UTC.
    #[must_use]
    pub fn order_lines_since(rows: u64) -> Self {
        Self::new("ol26sc", "Order Lines Since")
            .parameter(Parameter::new("Since", DataType::DateTime).description("Lines ordered at or after this time"))
            .rows_by(move |values| {
                let since = values.get("Since").and_then(|since| since.as_str()?.parse::<DateTime<chrono::Utc>>().ok());
                let first = since.map_or(0, |since| first_at(since.naive_utc()));
                lines(first.min(rows), rows)
            })
    }
}

fn lines(first: u64, end: u64) -> Rows {
    Rows::written(end - first, move |number, buffer| line(first + number, buffer).map_err(Error::io))
}

/// Returns the number of the first line at or after this timestamp.
fn first_at(since: NaiveDateTime) -> u64 {
    let millis = u64::try_from((since - start()).num_milliseconds()).unwrap_or_default();
    millis.div_ceil(STEP.unsigned_abs())
}

fn start() -> NaiveDateTime {
    DateTime::UNIX_EPOCH.naive_utc() + TimeDelta::seconds(START)
}

/// Formats the timestamp this many milliseconds after the first line.
fn at(millis: i64) -> String {
    format_timestamp(start().checked_add_signed(TimeDelta::milliseconds(millis)).unwrap_or(NaiveDateTime::MAX))
}

fn line(number: u64, buffer: &mut Vec<u8>) -> io::Result<()> {
    // Multiplication by a large odd number makes values that look random and are reproducible.
    let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
    let millis = i64::try_from(number).unwrap_or(i64::MAX).saturating_mul(STEP);
    let (quantity, cents) = (1 + mixed % 48, 99 + mixed / 48 % 20_000);
    let discount = match mixed % 4 {
        0 => money(quantity * cents / 10),
        _ => "null".to_owned(),
    };
    let shipped = match mixed % 3 {
        0 => "null".to_owned(),
        days => format!("\"{}\"", at(millis.saturating_add(86_400_000 * days.cast_signed()))),
    };
    let (line, order, customer) = (number + 1, 100_001 + number / 5, 1 + mixed % 45);
    let (product, upc) = (mixed / 7 % 20_000, mixed % 100_000_000_000);
    let (price, amount, ordered) = (money(cents), money(quantity * cents), at(millis));
    let (is_promotional, note) = (mixed.is_multiple_of(5), NOTES[(mixed % 7) as usize]);
    write!(buffer, r#"{{"lineID":{line},"orderID":{order},"customerID":"C{customer:05}","productID":"{product:06}","#)?;
    write!(buffer, r#""upc":"00{upc:011}","quantity":{quantity},"price":{price},"amount":{amount},"#)?;
    write!(buffer, r#""discount":{discount},"orderedAt":"{ordered}","shippedAt":{shipped},"#)?;
    write!(buffer, r#""promotional":{is_promotional},"note":{note}}}"#)
}

fn money(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}
