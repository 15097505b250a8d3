//! The rows of a sheet of an Excel workbook.

use std::{fs::File, io::BufReader};

use calamine::{DataRef, Dimensions, Reader, SheetType, SheetVisible, Xlsx, XlsxError, open_workbook};
use chrono::NaiveDate;

use super::{Cell, Row, shown, source::Source};
use crate::output::Failure;

/// The most characters that Excel allows in a cell.
const LONGEST_TEXT: usize = 32_767;

/// The rows of a sheet of a workbook.
pub(super) struct WorkbookSheet {
    rows: std::vec::IntoIter<Row>,
}

impl WorkbookSheet {
    /// Reads a sheet, and returns what it is.
    pub(super) fn open(source: Source, name: Option<&str>) -> Result<(Self, String), Failure> {
        let path = source.path.display().to_string();
        let broken = |error: &XlsxError| match error {
            XlsxError::Password => Failure::usage(format!("`{path}` has a password: save it without one")),
            error => Failure::usage(format!("`{path}` cannot be read as a workbook: {error}")),
        };
        let mut workbook: Xlsx<BufReader<File>> = open_workbook(&source.path).map_err(|error| broken(&error))?;
        let name = choose(&mut workbook, name).map_err(|choice| match choice {
            Choice::Broken(error) => broken(&error),
            Choice::Refused(sentence) => Failure::usage(format!("`{path}` {sentence}")),
        })?;
        let in_sheet = |sentence: String| Failure::usage(format!("the sheet `{}` {sentence}", shown(&name)));
        let merged = workbook.merge_cells_by_sheet_name(&name).map_err(|error| broken(&error))?;
        if let Some(Dimensions { start, end }) = merged.first() {
            return Err(in_sheet(format!(
                "has merged cells, {} to {}: unmerge them, so that each cell has a value of its own",
                address(*start),
                address(*end)
            )));
        }
        let formulas = workbook.worksheet_formula(&name).map_err(|error| broken(&error))?;
        let offset = formulas.start().unwrap_or_default();
        if let Some((row, column, _)) = formulas.used_cells().find(|(_, _, formula)| !formula.is_empty()) {
            let at = (offset.0 + row as u32, offset.1 + column as u32);
            return Err(in_sheet(format!(
                "has a formula in {}: copy the cells, and paste them as values",
                address(at)
            )));
        }
        let rows = rows(&mut workbook, &name).map_err(|error| broken(&error))?;
        Ok((Self { rows: rows.into_iter() }, format!("Excel, the sheet `{}`", shown(&name))))
    }

    /// Returns the next row, the header first.
    pub(super) fn next(&mut self) -> Option<Row> {
        self.rows.next()
    }
}

/// Reads all rows with cells.
fn rows(workbook: &mut Xlsx<BufReader<File>>, name: &str) -> Result<Vec<Row>, XlsxError> {
    let mut reader = workbook.worksheet_cells_reader(name)?;
    let mut rows: Vec<Row> = Vec::new();
    let mut width = 0;
    while let Some((found, style)) = reader.next_cell_with_style_id()? {
        let (row, column) = found.get_position();
        let (line, column) = (u64::from(row) + 1, column as usize);
        let format = reader.styles().get(style).and_then(|style| style.number_format.as_ref());
        let cell = cell(found.get_value(), format.map_or("", |format| format.format_code.as_str()));
        if cell == Cell::Empty {
            continue;
        }
        width = width.max(column + 1);
        if rows.last().is_none_or(|last| last.line != line) {
            rows.push(Row { line, cells: Vec::new() });
        }
        if let Some(Row { cells, .. }) = rows.last_mut() {
            cells.resize((column + 1).max(cells.len()), Cell::Empty);
            cells[column] = cell;
        }
    }
    rows.iter_mut().for_each(|row| row.cells.resize(width, Cell::Empty));
    Ok(rows)
}

enum Choice {
    Broken(XlsxError),
    Refused(String),
}

/// Chooses the sheet of this name, or the only one with cells.
fn choose(workbook: &mut Xlsx<BufReader<File>>, name: Option<&str>) -> Result<String, Choice> {
    let sheets = workbook.sheets_metadata().iter();
    let sheets = sheets.filter(|sheet| sheet.typ == SheetType::WorkSheet && sheet.visible == SheetVisible::Visible);
    let names: Vec<String> = sheets.map(|sheet| sheet.name.clone()).collect();
    let listed =
        |names: &[String]| names.iter().map(|name| format!("`{}`", shown(name))).collect::<Vec<_>>().join(", ");
    if let Some(name) = name {
        return match names.iter().find(|sheet| *sheet == name) {
            Some(name) => Ok(name.clone()),
            None => Err(Choice::Refused(format!("has no sheet `{}`, it has {}", shown(name), listed(&names)))),
        };
    }
    let mut filled = Vec::new();
    for name in names {
        let mut cells = workbook.worksheet_cells_reader(&name).map_err(Choice::Broken)?;
        if cells.next_cell().map_err(Choice::Broken)?.is_some() {
            filled.push(name);
        }
    }
    match filled.len() {
        0 => Err(Choice::Refused("has no cells".to_owned())),
        1 => Ok(filled.remove(0)),
        _ => Err(Choice::Refused(format!("has several sheets: choose one by `--sheet`: {}", listed(&filled)))),
    }
}

/// Returns the address of a cell as Excel shows it, such as `C4`.
fn address((row, column): (u32, u32)) -> String {
    let mut letters = Vec::new();
    let mut rest = column + 1;
    while rest > 0 {
        letters.insert(0, char::from(b'A' + ((rest - 1) % 26) as u8));
        rest = (rest - 1) / 26;
    }
    letters.into_iter().collect::<String>() + &(row + 1).to_string()
}

fn cell(data: &DataRef<'_>, format: &str) -> Cell {
    let text = match data {
        DataRef::String(text) | DataRef::DateTimeIso(text) => text.as_str(),
        DataRef::SharedString(text) => text,
        _ => "",
    };
    match data {
        DataRef::Empty => Cell::Empty,
        DataRef::String(_) | DataRef::SharedString(_) if text.chars().count() > LONGEST_TEXT => {
            Cell::Invalid(format!("it is longer than the {LONGEST_TEXT} characters of a cell"))
        }
        DataRef::String(_) | DataRef::SharedString(_) | DataRef::DateTimeIso(_) => Cell::of_text(text),
        DataRef::Int(number) => Cell::of_number(*number as f64, format),
        DataRef::Float(number) => Cell::of_number(*number, format),
        DataRef::Bool(value) => Cell::Boolean(*value),
        DataRef::DateTime(time) if time.is_datetime() => {
            let (year, month, day, hour, minute, second, millisecond) = time.to_ymd_hms_milli();
            let date = NaiveDate::from_ymd_opt(year.into(), month.into(), day.into());
            let time = date
                .and_then(|date| date.and_hms_milli_opt(hour.into(), minute.into(), second.into(), millisecond.into()));
            time.map_or_else(|| Cell::Invalid("it is no date of the calendar".to_owned()), Cell::Time)
        }
        DataRef::DateTime(_) | DataRef::DurationIso(_) => {
            Cell::Invalid("it is a duration, and no field holds one".to_owned())
        }
        DataRef::Error(error) => Cell::Invalid(format!("it shows the error {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn addresses_are_those_of_excel() {
        let of = |row, column| address((row, column));
        assert_eq!((of(0, 0), of(3, 2)), ("A1".to_owned(), "C4".to_owned()));
        assert_eq!((of(9, 25), of(9, 26), of(0, 701)), ("Z10".to_owned(), "AA10".to_owned(), "ZZ1".to_owned()));
        assert_eq!(of(0, 702), "AAA1");
    }
}
