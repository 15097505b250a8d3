//! The rows of a sheet of an Excel workbook.

use std::{fs::File, io::BufReader};

use calamine::{Data, Dimensions, Reader, SheetType, SheetVisible, Xlsx, XlsxError, open_workbook};
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
        let range = workbook.worksheet_range(&name).map_err(|error| broken(&error))?;
        let first = range.start().unwrap_or_default().0;
        let rows = range.rows().zip(u64::from(first) + 1..);
        let rows: Vec<Row> = rows.map(|(cells, line)| Row { line, cells: cells.iter().map(cell).collect() }).collect();
        Ok((Self { rows: rows.into_iter() }, format!("Excel, the sheet `{}`", shown(&name))))
    }

    /// Returns the next row, the header first.
    pub(super) fn next(&mut self) -> Option<Row> {
        self.rows.next()
    }
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

fn cell(data: &Data) -> Cell {
    match data {
        Data::Empty => Cell::Empty,
        Data::String(text) if text.chars().count() > LONGEST_TEXT => {
            Cell::Invalid(format!("it is longer than the {LONGEST_TEXT} characters of a cell"))
        }
        Data::String(text) => Cell::of_text(text),
        Data::Int(number) => Cell::Number(*number as f64),
        Data::Float(number) => Cell::Number(*number),
        Data::Bool(value) => Cell::Boolean(*value),
        Data::DateTime(time) if time.is_datetime() => {
            let (year, month, day, hour, minute, second, millisecond) = time.to_ymd_hms_milli();
            let date = NaiveDate::from_ymd_opt(year.into(), month.into(), day.into());
            let time = date
                .and_then(|date| date.and_hms_milli_opt(hour.into(), minute.into(), second.into(), millisecond.into()));
            time.map_or_else(|| Cell::Invalid("it is no date of the calendar".to_owned()), Cell::Time)
        }
        Data::DateTime(_) | Data::DurationIso(_) => {
            Cell::Invalid("it is a duration, and no field holds one".to_owned())
        }
        Data::DateTimeIso(text) => Cell::of_text(text),
        Data::Error(error) => Cell::Invalid(format!("it shows the error {error}")),
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
