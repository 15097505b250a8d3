//! Rows of an export, made while they are sent, and the forms in which they are.

use std::ops::Range;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// How much is made at a time, in bytes; a row more when the last one crosses it.
const PIECE: usize = 64 * 1024;

/// Rows of an [`Export`](crate::Export), each made when its turn comes.
///
/// A `Vec<Value>` becomes such rows too.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use perenso_sandbox::{Export, Rows, Sandbox};
/// use serde_json::json;
///
/// // Ten million rows, of which none is made before it is sent.
/// let rows = Rows::generated(10_000_000, |number| json!({ "scan": number, "zip": "0940" }));
/// assert_eq!(rows.count(), 10_000_000);
/// let sandbox = Sandbox::builder().export(Export::new("b4dg3s", "Badge Scans").rows(rows)).start().await?;
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
    /// `count` rows, each made from its number; the first one is 0. The same number must always give the same row.
    ///
    /// A row that is no JSON ends the answer: its connection is closed, or 500 is answered if nothing was sent yet.
    #[must_use]
    pub fn generated<R: Serialize>(count: u64, row: impl Fn(u64) -> R + Send + Sync + 'static) -> Self {
        Self { count, write: Arc::new(move |number, buffer| serde_json::to_writer(buffer, &row(number))) }
    }

    /// The same with rows that write themselves, as one line of JSON each.
    pub(crate) fn written(
        count: u64,
        write: impl Fn(u64, &mut Vec<u8>) -> serde_json::Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self { count, write: Arc::new(write) }
    }

    /// How many rows there are.
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
        // Nobody asks for a row beyond the count, which is that of the list.
        Self::written(count, move |number, buffer| serde_json::to_writer(buffer, &rows[number as usize]))
    }
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows").field("count", &self.count).finish_non_exhaustive()
    }
}

/// How an export writes its rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RowSyntax {
    /// A JSON array: `application/json`.
    #[default]
    Array,
    /// One JSON value per line: `application/x-ndjson`.
    Lines,
    /// CSV by RFC 4180: `text/csv`. The header has the fields of the first row in their order, and is missing where
    /// there is no row; what a later row has beside them is left out. Null is an empty cell, a list or an object its JSON.
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
    /// The header of CSV, once it is known.
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
    /// Whether all rows have been written.
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
                // Rows of one kind have their fields in one order.
                let cell = cells.get(place).filter(|(name, _)| name == column);
                let cell = cell.or_else(|| cells.iter().find(|(name, _)| name == column));
                writer.write_field(cell.map_or(Ok(String::new()), |(_, value)| text(value))?).map_err(written)?;
            }
            writer.write_record(None::<&[u8]>).map_err(written)?;
        }
        writer.into_inner().map_err(|error| serde_json::Error::io(error.into_error()))
    }
}

fn written(error: csv::Error) -> serde_json::Error {
    serde_json::Error::io(error.into())
}

/// The text of a cell.
fn text(value: &RawValue) -> serde_json::Result<String> {
    match value.get() {
        "null" => Ok(String::new()),
        text if text.starts_with('"') => serde_json::from_str(text),
        text => Ok(text.to_owned()),
    }
}

/// The fields of a JSON object in their order, each as it was written: `12.50` keeps its zero.
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
