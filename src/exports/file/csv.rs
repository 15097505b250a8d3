//! CSV as RFC 4180 has it, with null told from an empty text.

use std::{
    borrow::Cow,
    io::{self, BufWriter, Write},
};

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
            csv.push(schema.columns().iter().map(Column::name).map(Some))?;
        }
        Ok(csv)
    }

    /// What the file says of a value; `None` for null.
    pub(super) fn field<'r>(value: &Value<'r>, cell: Cell<'r>) -> Option<Cow<'r, str>> {
        match cell {
            Cell::Null => None,
            Cell::Text(text) => Some(text),
            _ => value.plain(),
        }
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Writes a record.
    pub(super) fn push<'a>(&mut self, fields: impl Iterator<Item = Option<&'a str>>) -> io::Result<()> {
        for (index, field) in fields.enumerate() {
            if index > 0 {
                self.out.write_all(b",")?;
            }
            self.write(field)?;
        }
        self.out.write_all(b"\r\n")
    }

    fn write(&mut self, text: Option<&str>) -> io::Result<()> {
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
