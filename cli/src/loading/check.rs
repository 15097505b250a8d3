//! Checks all rows of a file before anything is sent.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
};

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{
    field::FieldKind,
    input::{Checked, Input},
};
use crate::{
    output::Failure,
    sheet::{Cell, shown},
};

/// The ends of a field and of a row in the digest, which no cell of a spreadsheet has.
const FIELD_END: u8 = 0x1F;
const ROW_END: u8 = 0x1E;

/// The number of problems that are kept as examples.
const EXAMPLES: usize = 10;

/// The result of a check.
#[derive(Debug, Default)]
pub(crate) struct Check {
    /// The number of rows.
    pub(crate) rows: u32,
    /// The number of rows that cannot be sent.
    pub(crate) refused: u32,
    /// The SHA-256 of the cells, by which a changed file is noticed. A workbook that is saved unchanged has the same.
    pub(crate) content: String,
    /// The first row that can be sent, as it would be.
    pub(crate) first: Option<(u32, Map<String, Value>)>,
    /// The first rows that cannot be sent: their lines and reasons.
    pub(crate) examples: Vec<(u64, String)>,
    /// Columns with empty cells and no rule for them: position, number of rows, first line.
    pub(super) undecided: Vec<Undecided>,
    /// Text columns with cells that Excel holds as numbers.
    pub(crate) numbers: Vec<Numbers>,
    /// The name of the column with the keys.
    key_column: String,
    /// Rows whose key another row has as well: their numbers, and the line of that row.
    doubles: HashMap<u32, u64>,
}

/// A text column with cells that Excel holds as numbers.
#[derive(Debug)]
pub(crate) struct Numbers {
    pub(crate) column: String,
    pub(crate) rows: u32,
    /// The text that is sent for the first one, and its line.
    pub(crate) first: (String, u64),
}

/// A column with empty cells and no rule for them.
#[derive(Debug)]
pub(super) struct Undecided {
    /// The position in `Input::columns`.
    pub(super) position: usize,
    pub(super) rows: u32,
    pub(super) first_line: u64,
}

impl Check {
    /// Reads all rows once, and once more if keys are there twice.
    pub(crate) fn run(input: &Input) -> Result<Self, Failure> {
        let key = input.columns.iter().find(|column| Some(column.field.name) == input.target().key);
        let key_column = key.map(|column| column.name.clone()).unwrap_or_default();
        let mut check = Self { key_column, ..Self::default() };
        let state = RandomState::new();
        let mut hashes = Vec::new();
        let mut digest = Sha256::new();
        let mut add = |text: &str, end: u8| {
            digest.update(text);
            digest.update([end]);
        };
        input.names().iter().for_each(|name| add(name, FIELD_END));
        let mut rows = input.rows()?;
        while let Some((number, row)) = rows.next()? {
            let line = row.line;
            row.cells.iter().for_each(|cell| add(&cell.to_text(), FIELD_END));
            add("", ROW_END);
            check.note_numbers(input, line, &row.cells);
            let checked = input.record(row);
            check.rows += 1;
            if let Some(key) = &checked.key {
                hashes.push(state.hash_one(key));
            }
            for &position in &checked.undecided {
                check.note_undecided(position, line);
            }
            if !checked.problems.is_empty() {
                check.refuse(line, checked.problems.join("; "));
            } else if check.first.is_none() {
                check.first = Some((number, checked.record));
            }
        }
        check.content = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        hashes.sort_unstable();
        // Hashes instead of keys: a million keys would take more memory than all the rest.
        let doubles: Vec<u64> = hashes.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
        drop(hashes);
        if !doubles.is_empty() {
            check.find_doubles(input, |key| doubles.binary_search(&state.hash_one(key)).is_ok())?;
        }
        check.first = check.first.filter(|(number, _)| !check.doubles.contains_key(number));
        check.examples.sort();
        Ok(check)
    }

    /// Returns the reasons for which a row is not sent.
    pub(super) fn problems(&self, number: u32, checked: &Checked) -> Option<String> {
        let mut problems = checked.problems.clone();
        if let Some(line) = self.doubles.get(&number) {
            problems.push(same(&self.key_column, checked.key.as_deref(), *line));
        }
        (!problems.is_empty()).then(|| problems.join("; "))
    }

    fn refuse(&mut self, line: u64, reason: String) {
        self.refused += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push((line, reason));
        }
    }

    fn note_undecided(&mut self, position: usize, line: u64) {
        match self.undecided.iter_mut().find(|undecided| undecided.position == position) {
            Some(undecided) => undecided.rows += 1,
            None => self.undecided.push(Undecided { position, rows: 1, first_line: line }),
        }
    }

    /// Notes text columns with numbers: their zeros in front are a matter of the format, and not of the cell.
    fn note_numbers(&mut self, input: &Input, line: u64, cells: &[Cell]) {
        for column in input.columns.iter().filter(|column| column.field.kind == FieldKind::Text) {
            let Some(cell @ Cell::Number(_)) = cells.get(column.index) else { continue };
            match self.numbers.iter_mut().find(|numbers| numbers.column == column.name) {
                Some(numbers) => numbers.rows += 1,
                None => self.numbers.push(Numbers {
                    column: column.name.clone(),
                    rows: 1,
                    first: (cell.to_text().into_owned(), line),
                }),
            }
        }
    }

    /// Finds the rows whose keys may be there twice.
    fn find_doubles(&mut self, input: &Input, may_be_double: impl Fn(&String) -> bool) -> Result<(), Failure> {
        let mut first: HashMap<String, (u32, u64, bool)> = HashMap::new();
        let mut rows = input.rows()?;
        while let Some((number, row)) = rows.next()? {
            let line = row.line;
            let checked = input.record(row);
            let is_fine = checked.problems.is_empty();
            let Some(key) = checked.key.filter(&may_be_double) else { continue };
            match first.get(&key).copied() {
                None => drop(first.insert(key, (number, line, is_fine))),
                Some((other, other_line, other_is_fine)) => {
                    // Nobody knows which of the two is meant.
                    if self.doubles.insert(other, line).is_none() && other_is_fine {
                        self.refuse(other_line, same(&self.key_column, Some(&key), line));
                    }
                    self.doubles.insert(number, other_line);
                    if is_fine {
                        self.refuse(line, same(&self.key_column, Some(&key), other_line));
                    }
                }
            }
        }
        Ok(())
    }
}

/// Returns the reason of a row whose key another row has as well.
fn same(key_column: &str, key: Option<&str>, line: u64) -> String {
    format!("`{key_column}` {} is the same as in line {line}", shown(key.unwrap_or_default()))
}
