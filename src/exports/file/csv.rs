//! CSV as RFC 4180 has it, with null told from an empty text.

use std::io::{self, BufWriter, Write};

use super::{
    column::{Cell, Column},
    schema::TableSchema,
    value::Value,
};

/// Writes records under a header.
///
/// (The csv crate quotes all empty fields or none, and then null could not be told from `""`.)
#[derive(Debug)]
pub(super) struct Csv<W: Write> {
    out: BufWriter<W>,
    /// In a table of one column an empty line would be no record.
    quotes_null: bool,
}

impl<W: Write> Csv<W> {
    pub(super) fn new(out: W, schema: &TableSchema) -> io::Result<Self> {
        let mut csv = Self { out: BufWriter::with_capacity(1 << 16, out), quotes_null: schema.columns().len() == 1 };
        if !schema.columns().is_empty() {
            csv.record(schema.columns().iter().map(Column::name).map(Some))?;
        }
        Ok(csv)
    }

    pub(super) fn push(&mut self, cells: &[(Value<'_>, Cell<'_>)]) -> io::Result<()> {
        for (index, (value, cell)) in cells.iter().enumerate() {
            self.separate(index)?;
            match cell {
                Cell::Null => self.field(None)?,
                Cell::Text(text) => self.field(Some(text))?,
                _ => self.field(value.plain().as_deref())?,
            }
        }
        self.out.write_all(b"\r\n")
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn record<'a>(&mut self, fields: impl Iterator<Item = Option<&'a str>>) -> io::Result<()> {
        for (index, field) in fields.enumerate() {
            self.separate(index)?;
            self.field(field)?;
        }
        self.out.write_all(b"\r\n")
    }

    fn separate(&mut self, index: usize) -> io::Result<()> {
        if index > 0 { self.out.write_all(b",") } else { Ok(()) }
    }

    fn field(&mut self, text: Option<&str>) -> io::Result<()> {
        match text {
            None if self.quotes_null => self.out.write_all(b"\"\""),
            None => Ok(()),
            Some(text) if !text.is_empty() && !text.contains([',', '"', '\r', '\n']) => {
                self.out.write_all(text.as_bytes())
            }
            Some(text) => write!(self.out, "\"{}\"", text.replace('"', "\"\"")),
        }
    }
}
