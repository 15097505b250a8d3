//! CSV by RFC 4180, with null distinct from an empty string.

use std::{
    borrow::Cow,
    io::{self, BufWriter, Write},
};

use super::{
    column::{Column, ColumnValue},
    schema::TableSchema,
    value::FieldValue,
};
use crate::error::{Error, ErrorKind, FILE};

/// The options of a CSV file.
#[derive(Clone, Copy, Debug)]
pub(super) struct CsvOptions {
    pub(super) delimiter: char,
    pub(super) has_byte_order_mark: bool,
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self { delimiter: ',', has_byte_order_mark: false }
    }
}

impl CsvOptions {
    /// Rejects a delimiter that occurs in numbers, words or line ends.
    pub(super) fn check(self) -> Result<(), Error> {
        let delimiter = self.delimiter;
        let is_fit = delimiter == '\t' || delimiter.is_ascii_punctuation() && !"\"'.+-_".contains(delimiter);
        is_fit.then_some(()).ok_or_else(|| {
            Error::own(
                ErrorKind::Input,
                FILE,
                format!("expected a delimiter such as `,`, `;`, `|` or a tab, found {delimiter:?}: set another one"),
            )
        })
    }
}

/// Writes records after a header.
///
/// The csv crate quotes either all empty fields or none, so it cannot distinguish null from `""`.
#[derive(Debug)]
pub(super) struct CsvWriter<W: Write> {
    out: BufWriter<W>,
    delimiter: char,
    /// Set for a table with one column, where an empty line is not a record.
    quotes_null: bool,
}

impl<W: Write> CsvWriter<W> {
    pub(super) fn new(out: W, schema: &TableSchema, options: CsvOptions) -> io::Result<Self> {
        let CsvOptions { delimiter, has_byte_order_mark } = options;
        let quotes_null = schema.columns().len() == 1;
        let mut csv = Self { out: BufWriter::with_capacity(1 << 16, out), delimiter, quotes_null };
        if has_byte_order_mark {
            csv.out.write_all("\u{feff}".as_bytes())?;
        }
        if !schema.columns().is_empty() {
            csv.push(schema.columns().iter().map(Column::name).map(Some))?;
        }
        Ok(csv)
    }

    /// Returns the field of a value; `None` for null.
    pub(super) fn field<'r>(value: &FieldValue<'r>, cell: ColumnValue<'r>) -> Option<Cow<'r, str>> {
        match cell {
            ColumnValue::Null => None,
            ColumnValue::Text(text) => Some(text),
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
                write!(self.out, "{}", self.delimiter)?;
            }
            self.write(field)?;
        }
        self.out.write_all(b"\r\n")
    }

    fn write(&mut self, text: Option<&str>) -> io::Result<()> {
        match text {
            None if self.quotes_null => self.out.write_all(b"\"\""),
            None => Ok(()),
            Some(text)
                if !text.is_empty() && !text.contains([self.delimiter, '"', '\r', '\n']) && !is_directive(text) =>
            {
                self.out.write_all(text.as_bytes())
            }
            Some(text) => write!(self.out, "\"{}\"", text.replace('"', "\"\"")),
        }
    }
}

/// Returns true for `sep=;`, which Excel reads as a delimiter setting unless it is quoted.
fn is_directive(text: &str) -> bool {
    text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("sep="))
}
