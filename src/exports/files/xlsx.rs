//! Writing Excel workbooks with one sheet, as a stream: neither rows nor strings are kept.
//!
//! `rust_xlsxwriter` was tried: it keeps all cells in memory, or writes the sheet to a temporary file and panics if the disk is
//! full.

mod archive;
mod cell;

use std::{
    fmt::Write as _,
    io::{self, Write},
};

use self::{
    archive::{Archive, Part},
    cell::{HEADER, STYLES, push_cell, push_text, width},
};
use super::{
    column::{ColumnType, ColumnValue},
    schema::TableSchema,
    value::FieldValue,
};
use crate::error::name::shown;

/// The maximum number of rows below the header.
pub(super) const MAX_ROWS: u64 = (1 << 20) - 1;
/// The maximum number of columns.
pub(super) const MAX_COLUMNS: usize = 1 << 14;

const XML: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#;
const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const RELATIONS: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const TYPES: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml";

/// Writes rows into the sheet of a workbook.
pub(super) struct XlsxWriter<W: Write> {
    sheet: Part<W>,
    columns: Vec<SheetColumn>,
    /// The number of the current row, which is 1 for the header.
    row: u32,
    line: String,
}

/// A column, and its cell of the current row.
struct SheetColumn {
    name: String,
    kind: ColumnType,
    letters: String,
    cell: String,
}

impl<W: Write> XlsxWriter<W> {
    pub(super) fn new(out: W, schema: &TableSchema) -> io::Result<Self> {
        let mut archive = Archive::new(out);
        for (name, content) in fixed_parts() {
            archive = archive.add(name, &content)?;
        }
        let columns = schema.columns().iter().enumerate();
        let columns = columns.map(|(index, column)| SheetColumn {
            name: column.name().to_owned(),
            kind: column.kind(),
            letters: letters(index),
            cell: String::new(),
        });
        let mut sheet = archive.begin("xl/worksheets/sheet1.xml")?;
        sheet.write_all(sheet_start(schema).as_bytes())?;
        let mut xlsx = Self { sheet, columns: columns.collect(), row: 1, line: String::new() };
        if !xlsx.columns.is_empty() {
            for column in &mut xlsx.columns {
                let _ = write!(column.cell, r#"<c r="{}1" s="{HEADER}""#, column.letters);
                push_text(&mut column.cell, &column.name);
            }
            xlsx.end_row()?;
        }
        Ok(xlsx)
    }

    /// Sets the cell of the current row in a column, or describes why a cell cannot hold the value.
    pub(super) fn put(&mut self, place: usize, value: &FieldValue<'_>, read: &ColumnValue<'_>) -> Result<(), String> {
        let column = &mut self.columns[place];
        push_cell(&mut column.cell, (&column.letters, self.row), column.kind, value, read)
            .map_err(|problem| format!("column {}: {problem}", shown(&column.name)))
    }

    /// Ends the current row.
    pub(super) fn end_row(&mut self) -> io::Result<()> {
        self.line.clear();
        let _ = write!(self.line, r#"<row r="{}">"#, self.row);
        for column in &mut self.columns {
            self.line.push_str(&column.cell);
            column.cell.clear();
        }
        self.line.push_str("</row>");
        self.row += 1;
        self.sheet.write_all(self.line.as_bytes())
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        self.sheet.write_all(b"</sheetData>")?;
        if let Some(last) = self.columns.last() {
            // Excel marks strings of digits as errors, unless told not to.
            let range = format!("A1:{}{}", last.letters, self.row - 1);
            write!(
                self.sheet,
                r#"<ignoredErrors><ignoredError sqref="{range}" numberStoredAsText="1"/></ignoredErrors>"#
            )?;
        }
        self.sheet.write_all(b"</worksheet>")?;
        self.sheet.end()?.finish()
    }
}

/// Returns the letters of a column: A, B, …, Z, AA.
fn letters(index: usize) -> String {
    let mut letters = Vec::new();
    let mut left = index + 1;
    while left > 0 {
        left -= 1;
        letters.push(char::from(b'A' + (left % 26) as u8));
        left /= 26;
    }
    letters.iter().rev().collect()
}

/// Returns the sheet up to its first row: a frozen header, and widths in which dates can be read.
fn sheet_start(schema: &TableSchema) -> String {
    let mut start =
        format!(r#"{XML}<worksheet xmlns="{MAIN}"><sheetViews><sheetView tabSelected="1" workbookViewId="0">"#);
    start.push_str(
        r#"<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>"#,
    );
    if !schema.columns().is_empty() {
        start.push_str("<cols>");
        for (index, column) in schema.columns().iter().enumerate() {
            let (number, width) = (index + 1, width(column));
            let _ = write!(start, r#"<col min="{number}" max="{number}" width="{width}" customWidth="1"/>"#);
        }
        start.push_str("</cols>");
    }
    start.push_str("<sheetData>");
    start
}

/// Returns the names and contents of the other files in the workbook.
fn fixed_parts() -> [(&'static str, String); 5] {
    let part =
        |name: &str, kind: &str| format!(r#"<Override PartName="/xl/{name}.xml" ContentType="{TYPES}.{kind}+xml"/>"#);
    let types = [("workbook", "sheet.main"), ("worksheets/sheet1", "worksheet"), ("styles", "styles")];
    let types: String = types.map(|(name, kind)| part(name, kind)).concat();
    let relation = |id: u8, kind: &str, target: &str| {
        format!(r#"<Relationship Id="rId{id}" Type="{OFFICE}/{kind}" Target="{target}"/>"#)
    };
    let relations = |all: &str| format!(r#"{XML}<Relationships xmlns="{RELATIONS}">{all}</Relationships>"#);
    let parts = relation(1, "worksheet", "worksheets/sheet1.xml") + &relation(2, "styles", "styles.xml");
    [
        (
            "[Content_Types].xml",
            format!(
                r#"{XML}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>{types}</Types>"#
            ),
        ),
        ("_rels/.rels", relations(&relation(1, "officeDocument", "xl/workbook.xml"))),
        (
            "xl/workbook.xml",
            format!(
                r#"{XML}<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets><sheet name="Rows" sheetId="1" r:id="rId1"/></sheets></workbook>"#
            ),
        ),
        ("xl/_rels/workbook.xml.rels", relations(&parts)),
        ("xl/styles.xml", format!(r#"{XML}<styleSheet xmlns="{MAIN}">{STYLES}</styleSheet>"#)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_the_letters_of_excel() {
        let found = [0, 25, 26, 701, 702, MAX_COLUMNS - 1].map(letters);
        assert_eq!(found, ["A", "Z", "AA", "ZZ", "AAA", "XFD"]);
    }
}
