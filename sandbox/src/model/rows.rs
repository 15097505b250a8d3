//! The rows of an export, and the syntaxes in which they are written.

use std::ops::Range;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// The size of a piece in bytes. Its last row may exceed it.
const PIECE: usize = 64 * 1024;

/// The rows of an [`Export`](crate::Export), generated on demand.
///
/// A `Vec<Value>` converts into rows too.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use perenso_sandbox::{Export, Rows, Sandbox};
/// use serde_json::json;
///
/// // Ten million rows. Each is generated when it is sent.
/// let row = |number| json!({ "scan": number, "zip": "0940" });
/// let rows = Rows::generated(10_000_000, row);
/// assert_eq!(rows.count(), 10_000_000);
/// let export = Export::new("b4dg3s", "Badge Scans").rows(rows);
/// let sandbox = Sandbox::builder().export(export).start().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Rows {
    count: u64,
    write: Arc<Write>,
}

/// Writes a row as JSON.
type Write = dyn Fn(u64, &mut Vec<u8>) -> serde_json::Result<()> + Send + Sync;

impl Rows {
    /// Returns `count` rows. `row` returns the row with a number, starting from 0, and must always return the same one.
    ///
    /// A row that does not serialise ends the response: with a 500 if nothing was sent yet, otherwise by closing the
    /// connection.
    #[must_use]
    pub fn generated<R: Serialize>(count: u64, row: impl Fn(u64) -> R + Send + Sync + 'static) -> Self {
        Self { count, write: Arc::new(move |number, buffer| serde_json::to_writer(buffer, &row(number))) }
    }

    /// Returns rows that `write` writes, each as one line of JSON.
    pub(crate) fn written(
        count: u64,
        write: impl Fn(u64, &mut Vec<u8>) -> serde_json::Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self { count, write: Arc::new(write) }
    }

    /// Returns the number of rows.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Writes the rows of a range in pieces.
    pub(crate) fn writer(self, range: Range<u64>, syntax: RowSyntax) -> RowWriter {
        RowWriter { rows: self, range, syntax, columns: Vec::new(), has_begun: false, is_over: false }
    }
}

impl From<Vec<Value>> for Rows {
    fn from(rows: Vec<Value>) -> Self {
        let count = rows.len() as u64;
        // The number is less than the count, which is that of the list.
        Self::written(count, move |number, buffer| serde_json::to_writer(buffer, &rows[number as usize]))
    }
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows").field("count", &self.count).finish_non_exhaustive()
    }
}

/// The syntax of the rows of an export.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RowSyntax {
    /// A JSON array: `application/json`.
    #[default]
    Array,
    /// One JSON value per line: `application/x-ndjson`.
    Lines,
    /// CSV (RFC 4180): `text/csv`. The header has the fields of the first row, and is missing if there is no row. Further
    /// fields of later rows are dropped. Null is an empty cell; arrays and objects are JSON.
    Csv,
}

impl RowSyntax {
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Array => "application/json",
            Self::Lines => "application/x-ndjson",
            Self::Csv => "text/csv",
        }
    }
}

/// Writes rows in pieces of about 64 KiB.
pub(crate) struct RowWriter {
    rows: Rows,
    range: Range<u64>,
    syntax: RowSyntax,
    /// The columns of CSV, once the header is written.
    columns: Vec<String>,
    has_begun: bool,
    is_over: bool,
}

impl Iterator for RowWriter {
    type Item = serde_json::Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        Some(match self.syntax {
            RowSyntax::Csv => self.csv(),
            RowSyntax::Array | RowSyntax::Lines => self.json(),
        })
    }
}

impl RowWriter {
    /// Returns true after the last row.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    fn json(&mut self) -> serde_json::Result<Vec<u8>> {
        let mut piece = Vec::with_capacity(PIECE + PIECE / 16);
        let is_array = self.syntax == RowSyntax::Array;
        if is_array && !self.has_begun {
            piece.push(b'[');
        }
        while piece.len() < PIECE {
            let Some(number) = self.range.next() else {
                self.is_over = true;
                if is_array {
                    piece.push(b']');
                }
                break;
            };
            if is_array && std::mem::replace(&mut self.has_begun, true) {
                piece.push(b',');
            }
            (self.rows.write)(number, &mut piece)?;
            if !is_array {
                piece.push(b'\n');
            }
        }
        Ok(piece)
    }

    fn csv(&mut self) -> serde_json::Result<Vec<u8>> {
        let mut writer = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(Vec::with_capacity(PIECE + PIECE / 8));
        let mut row = Vec::new();
        if !self.has_begun && self.rows.count > 0 {
            (self.rows.write)(0, &mut row)?;
            let Cells(cells) = serde_json::from_slice(&row)?;
            self.columns = cells.into_iter().map(|(name, _)| name).collect();
            writer.write_record(&self.columns).map_err(written)?;
        }
        self.has_begun = true;
        while writer.get_ref().len() < PIECE {
            let Some(number) = self.range.next() else {
                self.is_over = true;
                break;
            };
            row.clear();
            (self.rows.write)(number, &mut row)?;
            let Cells(cells) = serde_json::from_slice(&row)?;
            for (place, column) in self.columns.iter().enumerate() {
                // Rows mostly have their fields in the same order.
                let cell = cells.get(place).filter(|(name, _)| name == column);
                let cell = cell.or_else(|| cells.iter().find(|(name, _)| name == column));
                writer
                    .write_field(cell.map_or(Ok(String::new()), |(_, value)| cell_content(value))?)
                    .map_err(written)?;
            }
            writer.write_record(None::<&[u8]>).map_err(written)?;
        }
        writer.into_inner().map_err(|error| serde_json::Error::io(error.into_error()))
    }
}

fn written(error: csv::Error) -> serde_json::Error {
    serde_json::Error::io(error.into())
}

/// Returns the content of a cell.
fn cell_content(value: &RawValue) -> serde_json::Result<String> {
    match value.get() {
        "null" => Ok(String::new()),
        text if text.starts_with('"') => serde_json::from_str(text),
        text => Ok(text.to_owned()),
    }
}

/// The fields of a JSON object in order, with their original text: `12.50` keeps its zero.
struct Cells<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Cells<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Cells<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a row with named fields")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut cells = Vec::new();
                while let Some(cell) = map.next_entry()? {
                    cells.push(cell);
                }
                Ok(Cells(cells))
            }
        }

        deserializer.deserialize_map(Fields)
    }
}
