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
pub(crate) use source::{Source, Version};
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
    let mut shown: String = name.chars().take(40).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if shown.len() < name.len() && name.chars().count() > 40 {
        shown.push('…');
    }
    shown
}
