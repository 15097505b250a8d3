//! Rows of a spreadsheet: CSV in the usual encodings, or a sheet of an Excel workbook.

mod cell;
mod delimiter;
mod encoding;
mod source;
mod table;
mod workbook;

use std::path::Path;

pub(crate) use cell::{Cell, number_text};
use clap::Args;
pub(crate) use encoding::TextEncoding;
use source::Source;
pub(crate) use source::Version;
use table::CsvSheet;
use workbook::WorkbookSheet;

use crate::output::Failure;

/// The options of a file of rows. What is not set is detected.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "The file")]
pub(crate) struct SheetOptions {
    /// The encoding of a CSV file, where it is not the detected one
    #[arg(long, value_enum, value_name = "NAME")]
    encoding: Option<TextEncoding>,
    /// The character between two fields of a CSV file, or `tab`
    #[arg(long, value_name = "CHARACTER", value_parser = delimiter::parse)]
    delimiter: Option<u8>,
    /// The sheet of a workbook that has several
    #[arg(long, value_name = "NAME")]
    sheet: Option<String>,
}

/// A row of a sheet, with as many cells as the sheet has columns.
#[derive(Debug)]
pub(crate) struct Row {
    /// The line of the file on which the row begins, or the number that Excel shows.
    pub(crate) line: u64,
    pub(crate) cells: Vec<Cell>,
}

impl Row {
    fn is_blank(&self) -> bool {
        self.cells.iter().all(|cell| matches!(cell, Cell::Empty))
    }
}

/// The rows of a file below its header. Blank rows are left out.
pub(crate) struct Sheet {
    rows: Rows,
    columns: Vec<String>,
    description: String,
}

enum Rows {
    Csv(Box<CsvSheet>),
    Workbook(WorkbookSheet),
}

impl Rows {
    fn next(&mut self) -> Result<Option<Row>, Failure> {
        match self {
            Self::Csv(rows) => rows.next(),
            Self::Workbook(rows) => Ok(rows.next()),
        }
    }
}

impl Sheet {
    /// Opens a file and reads its header.
    pub(crate) fn open(path: &Path, options: &SheetOptions) -> Result<Self, Failure> {
        let source = Source::open(path)?;
        let (mut rows, format) = if source.is_workbook() {
            if options.encoding.is_some() || options.delimiter.is_some() {
                return Err(Failure::usage("`--encoding` and `--delimiter` are for CSV, and this is a workbook"));
            }
            let (rows, format) = WorkbookSheet::open(source, options.sheet.as_deref())?;
            (Rows::Workbook(rows), format)
        } else {
            if options.sheet.is_some() {
                return Err(Failure::usage("`--sheet` is for workbooks, and this is no .xlsx file"));
            }
            let (rows, format) = CsvSheet::open(source, options.encoding, options.delimiter)?;
            (Rows::Csv(Box::new(rows)), format)
        };
        let header = loop {
            match rows.next()? {
                Some(row) if row.is_blank() => {}
                Some(row) => break row,
                None => return Err(Failure::usage(format!("`{}` has no rows", path.display()))),
            }
        };
        let columns = columns(&header)?;
        let description = format!("{format}, the header in line {}, {} columns", header.line, columns.len());
        Ok(Self { rows, columns, description })
    }

    /// Returns the names of the columns. A column without a name has an empty one.
    pub(crate) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Returns what was detected, for a note.
    pub(crate) fn description(&self) -> &str {
        &self.description
    }

    /// Returns the next row that is not blank.
    pub(crate) fn next(&mut self) -> Result<Option<Row>, Failure> {
        loop {
            let Some(row) = self.rows.next()? else { return Ok(None) };
            if !row.is_blank() {
                return Ok(Some(row));
            }
        }
    }
}

/// Returns the names of the columns of a header.
fn columns(header: &Row) -> Result<Vec<String>, Failure> {
    let line = header.line;
    let names: Vec<String> = header.cells.iter().map(|cell| cell.to_text().into_owned()).collect();
    for (index, name) in names.iter().enumerate() {
        if !name.is_empty() && names[..index].contains(name) {
            return Err(Failure::usage(format!(
                "two columns are named `{}` in line {line}: rename or remove one",
                shown(name)
            )));
        }
    }
    if names.iter().all(|name| name.parse::<f64>().is_ok() || name.is_empty()) {
        return Err(Failure::usage(format!(
            "a header is expected in line {line}, and it holds numbers: put the names of the columns there"
        )));
    }
    Ok(names)
}

/// Returns a name that fits into a sentence.
pub(crate) fn shown(name: &str) -> String {
    let mut rest = name.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut shown: String = rest.by_ref().take(40).collect();
    if rest.next().is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> Result<Vec<(u64, Vec<String>)>, Failure> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("rows");
        fs::write(&path, bytes).unwrap();
        let mut sheet = Sheet::open(&path, &SheetOptions::default())?;
        let mut rows = Vec::new();
        while let Some(row) = sheet.next()? {
            rows.push((row.line, row.cells.iter().map(|cell| cell.to_text().into_owned()).collect()));
        }
        Ok(rows)
    }

    /// A cell of any characters that a spreadsheet may hold, in Windows-1252 as well.
    fn cell() -> impl Strategy<Value = String> {
        proptest::string::string_regex("([a-zA-Z0-9 ,;|\"\n\t'=.éÜß€-]{0,12})").unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// What one program writes, this one reads, in every encoding and with every delimiter, line by line.
        #[test]
        fn what_is_written_is_read(
            rows in proptest::collection::vec(proptest::collection::vec(cell(), 3), 0..8),
            delimiter in proptest::sample::select(vec![b',', b';', b'\t', b'|']),
            encoding in 0_usize..5,
        ) {
            let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
            writer.write_record(["id", "näme", "city"]).unwrap();
            let (mut line, mut expected) = (2, Vec::new());
            for row in &rows {
                writer.write_record(row).unwrap();
                let cells: Vec<String> = row.iter().map(|cell| cell.trim().to_owned()).collect();
                if cells.iter().any(|cell| !cell.is_empty()) {
                    expected.push((line, cells));
                }
                line += 1 + row.concat().matches('\n').count() as u64;
            }
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let utf_16 = |bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
            let bytes = match encoding {
                0 => text.clone().into_bytes(),
                1 => ["\u{feff}".as_bytes(), text.as_bytes()].concat(),
                2 => [b"\xFF\xFE", &utf_16(u16::to_le_bytes)[..]].concat(),
                3 => [b"\xFE\xFF", &utf_16(u16::to_be_bytes)[..]].concat(),
                _ => encoding_rs::WINDOWS_1252.encode(&text).0.into_owned(),
            };
            prop_assert_eq!(read(&bytes).unwrap(), expected);
        }

        /// Any bytes are rows or one error.
        #[test]
        fn any_bytes_are_rows_or_an_error(
            start in proptest::sample::select(vec![&b""[..], b"PK\x03\x04", b"id,city\n1,", b"\xFF\xFE", b"\xFE\xFF", b"sep=", b"\"id"]),
            rest in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            if let Err(failure) = read(&[start, &rest].concat()) {
                prop_assert!(!failure.to_string().is_empty());
            }
        }
    }
}
