//! The file to load: its rows as records.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Map, Value, json};

use super::{
    columns::{self, Column, EmptyRule},
    mapping::Mapping,
    target::LoadTarget,
};
use crate::{
    output::Failure,
    sheet::{Cell, Row, Sheet, SheetOptions, Version},
};

/// The options of the file to load.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "The file")]
pub(crate) struct InputOptions {
    /// Read which column is which field from this file (see `perenso help customers load`)
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    /// The field of a column with another name: `--column "Store no.=customerID"`; may be repeated
    #[arg(long = "column", value_name = "COLUMN=FIELD", value_parser = columns::parse_column)]
    columns: Vec<(String, String)>,
    /// Leave out this column; may be repeated
    #[arg(long, value_name = "COLUMN")]
    ignore: Vec<String>,
    /// Leave out all columns that are no fields
    #[arg(long)]
    ignore_unknown: bool,
    /// The meaning of an empty cell: `keep`, `clear` or `refuse`; for one column: `city=clear`; may be repeated
    #[arg(long, value_name = "RULE", value_parser = columns::parse_rule)]
    empty: Vec<(String, EmptyRule)>,
    /// The format of dates that are not written as 2026-07-22, such as `%m/%d/%Y` or `%d.%m.%Y`
    #[arg(long, value_name = "FORMAT", value_parser = date_format)]
    date_format: Option<String>,
    #[command(flatten)]
    sheet: SheetOptions,
}

/// Parses `--date-format`.
fn date_format(text: &str) -> Result<String, &'static str> {
    use chrono::format::{Item, StrftimeItems};

    let has = |numeric: &[&str]| numeric.iter().any(|specifier| text.contains(specifier));
    if StrftimeItems::new(text).any(|item| item == Item::Error) || !has(&["%Y", "%y", "%F", "%D"]) {
        return Err("expected a format such as `%m/%d/%Y`, with %Y for the year, %m for the month and %d for the day");
    }
    Ok(text.to_owned())
}

/// A file to load.
#[derive(Debug)]
pub(crate) struct Input {
    path: PathBuf,
    /// Every pass over the rows must see the same file: rows are known by their numbers.
    version: Option<Version>,
    sheet: SheetOptions,
    target: &'static LoadTarget,
    names: Vec<String>,
    pub(super) columns: Vec<Column>,
    date_format: Option<String>,
    description: String,
    settings: Value,
}

/// A row as a record.
#[derive(Debug, Default)]
pub(super) struct Checked {
    pub(super) key: Option<String>,
    pub(super) record: Map<String, Value>,
    /// Reasons for which the row cannot be sent.
    pub(super) problems: Vec<String>,
    /// The positions in `Input::columns` of empty cells without a rule.
    pub(super) undecided: Vec<usize>,
}

impl Input {
    /// Reads the header of a file and the mapping.
    pub(crate) fn open(path: &Path, options: InputOptions, target: &'static LoadTarget) -> Result<Self, Failure> {
        let mut mapping = options.map.as_deref().map(Mapping::read).transpose()?.unwrap_or_default();
        mapping.columns.extend(options.columns);
        let version = Version::of(path);
        let opened = Sheet::open(path, &options.sheet)?;
        let names = opened.columns().to_vec();
        let columns = columns::bind(&names, target, &mapping, &options.ignore, options.ignore_unknown, &options.empty)?;
        let date_format = options.date_format.or_else(|| mapping.date_format.clone());
        let rules: Vec<_> =
            columns.iter().map(|column| json!([column.name, column.field.name, column.empty])).collect();
        let settings = json!([rules, date_format]);
        let description = opened.description().to_owned();
        Ok(Self {
            path: path.to_owned(),
            version,
            sheet: options.sheet,
            target,
            names,
            columns,
            date_format,
            description,
            settings,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn target(&self) -> &'static LoadTarget {
        self.target
    }

    /// Returns the names of all columns of the file.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// Returns what was detected, for a note.
    pub(crate) fn description(&self) -> &str {
        &self.description
    }

    /// Returns the columns whose names differ from those of their fields, for a note.
    pub(crate) fn renamed(&self) -> Vec<String> {
        let renamed = self.columns.iter().filter(|column| column.name != column.field.name);
        renamed.map(|column| format!("`{}` is {}", crate::sheet::shown(&column.name), column.field.name)).collect()
    }

    /// Returns what decides the content of the records, beside the file.
    pub(crate) fn settings(&self) -> &Value {
        &self.settings
    }

    /// Returns the rows from the beginning.
    pub(super) fn rows(&self) -> Result<Rows<'_>, Failure> {
        let sheet = Sheet::open(&self.path, &self.sheet)?;
        self.require_unchanged()?;
        Ok(Rows { input: self, sheet, number: 0 })
    }

    /// Returns an error if the file is not the one that was opened.
    pub(super) fn require_unchanged(&self) -> Result<(), Failure> {
        if Version::of(&self.path) == self.version {
            return Ok(());
        }
        Err(Failure::failed(format!("`{}` has changed while it was read: start again", self.path.display())))
    }

    /// Turns a row into a record.
    pub(super) fn record(&self, row: Row) -> Checked {
        let mut checked = Checked::default();
        let mut cells = row.cells;
        for (index, _) in self.names.iter().enumerate().filter(|(_, name)| name.is_empty()) {
            if cells.get(index).is_some_and(|cell| *cell != Cell::Empty) {
                checked.problems.push(format!("column {} has a value and no name", index + 1));
            }
        }
        let mut repeats_header = true;
        for (position, column) in self.columns.iter().enumerate() {
            let cell = cells.get_mut(column.index).map_or(Cell::Empty, |cell| std::mem::replace(cell, Cell::Empty));
            let name = column.field.name;
            let is_key = Some(name) == self.target.key;
            if cell == Cell::Empty {
                match column.empty {
                    None => checked.undecided.push(position),
                    Some(EmptyRule::Keep) => {}
                    Some(EmptyRule::Clear) => drop(checked.record.insert(name.to_owned(), Value::Null)),
                    Some(EmptyRule::Refuse) => checked.problems.push(format!("`{}` is empty", column.name)),
                }
                continue;
            }
            repeats_header &= matches!(&cell, Cell::Text(text) if *text == column.name);
            match column.field.kind.value(cell, self.date_format.as_deref()) {
                Ok(value) => {
                    if let (true, Value::String(key)) = (is_key, &value) {
                        checked.key = Some(key.clone());
                    }
                    checked.record.insert(name.to_owned(), value);
                }
                Err(problem) => checked.problems.push(format!("`{}`: {problem}", column.name)),
            }
        }
        if repeats_header && checked.key.is_some() {
            checked.problems = vec!["it repeats the header: remove one of the two".to_owned()];
        }
        let says_nothing = checked.record.len() == usize::from(checked.key.is_some());
        if says_nothing && checked.problems.is_empty() {
            checked.problems.push("it has no value to send".to_owned());
        }
        checked
    }
}

/// The rows of a file with their numbers, from 0.
pub(super) struct Rows<'a> {
    input: &'a Input,
    sheet: Sheet,
    number: u32,
}

impl Rows<'_> {
    pub(super) fn next(&mut self) -> Result<Option<(u32, Row)>, Failure> {
        let Some(row) = self.sheet.next()? else {
            self.input.require_unchanged()?;
            return Ok(None);
        };
        let number = self.number;
        self.number = number.checked_add(1).ok_or_else(|| Failure::usage("a file of more than 4,294,967,295 rows"))?;
        Ok(Some((number, row)))
    }
}
