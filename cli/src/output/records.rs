//! Records as a table, CSV, JSON or JSON lines.

use std::{
    ffi::OsStr,
    io::{self, IsTerminal, Write},
    path::Path,
};

use clap::ValueEnum;
use comfy_table::{ContentArrangement, Table, presets::NOTHING};
use serde_json::{Map, Value};

use super::Failure;

/// The most characters of a cell of a table.
const CELL_WIDTH: usize = 60;

/// The format of records on stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Columns for people: some fields, long ones cut
    Table,
    /// Comma-separated values with a header: all fields
    Csv,
    /// One JSON array
    Json,
    /// One JSON object a line
    Jsonl,
}

impl Format {
    /// Returns the format that was asked for; else that of the ending of a file; else a table on a terminal, and CSV for another
    /// program.
    pub(crate) fn choose(format: Option<Self>, json: bool, file: Option<&Path>) -> Result<Self, Failure> {
        if let Some(format) = format {
            return Ok(format);
        }
        let Some(file) = file else {
            return Ok(match io::stdout().is_terminal() {
                _ if json => Self::Json,
                true => Self::Table,
                false => Self::Csv,
            });
        };
        let ending = file.extension().and_then(OsStr::to_str).unwrap_or_default().to_ascii_lowercase();
        match ending.as_str() {
            "csv" => Ok(Self::Csv),
            "json" => Ok(Self::Json),
            "jsonl" | "ndjson" => Ok(Self::Jsonl),
            "txt" => Ok(Self::Table),
            _ => Err(Failure::usage(format!(
                "the ending of `{}` names no format: expected .xlsx, .csv, .json, .jsonl or .txt, or add `--format`",
                file.display()
            ))),
        }
    }
}

/// The columns of a table or a CSV file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Columns {
    /// The columns to write, and no others.
    pub(crate) only: Option<Vec<String>>,
    /// The first columns of a table and a CSV file. A table has no others, if there are any of these.
    pub(crate) first: Vec<String>,
}

/// Writes records in a format.
pub(crate) struct RecordWriter<W: Write> {
    out: W,
    format: Format,
    columns: Columns,
    /// The records of a table or CSV file: their columns are known when the last one is read.
    kept: Vec<Map<String, Value>>,
    count: u64,
}

impl<W: Write> RecordWriter<W> {
    pub(crate) fn new(out: W, format: Format, columns: Columns) -> Self {
        Self { out, format, columns, kept: Vec::new(), count: 0 }
    }

    /// Adds a record. In a table and a CSV file, a field of an object within it is a column of its own: `customer.name`.
    pub(crate) fn write(&mut self, record: Map<String, Value>) -> Result<(), Failure> {
        let record = match self.format {
            Format::Table | Format::Csv => flat(record),
            Format::Json | Format::Jsonl => record,
        };
        let record = self.select(record);
        let written = match self.format {
            Format::Table | Format::Csv => {
                self.kept.push(record);
                Ok(())
            }
            Format::Json => {
                let separator = if self.count == 0 { "[\n" } else { ",\n" };
                self.out.write_all(separator.as_bytes()).and_then(|()| self.out.write_all(json(&record).as_bytes()))
            }
            Format::Jsonl => writeln!(self.out, "{}", json(&record)),
        };
        self.count += 1;
        written.map_err(|error| Failure::stdout(&error))
    }

    /// Returns the columns that were asked for and that no record has. In JSON nothing is missing: there, such a field is absent.
    pub(crate) fn absent(&self) -> Vec<String> {
        let is_absent = |name: &&String| !self.kept.iter().any(|record| record.contains_key(*name));
        let only = self.columns.only.iter().flatten().filter(|_| !self.kept.is_empty());
        only.filter(is_absent).cloned().collect()
    }

    /// Writes what was kept, and flushes. Returns the number of records, and what they were written to.
    pub(crate) fn finish(mut self) -> Result<(u64, W), Failure> {
        let written = match self.format {
            Format::Table => self.table(),
            Format::Csv => self.csv(),
            Format::Json => self.out.write_all(if self.count == 0 { b"[]\n" } else { b"\n]\n" }),
            Format::Jsonl => Ok(()),
        };
        written.and_then(|()| self.out.flush()).map_err(|error| Failure::stdout(&error))?;
        Ok((self.count, self.out))
    }

    fn select(&self, mut record: Map<String, Value>) -> Map<String, Value> {
        if let Some(only) = &self.columns.only {
            record.retain(|name, _| only.contains(name));
        }
        record
    }

    /// Returns the names of the columns: those that were asked for, or all that occur.
    fn names(&self) -> Vec<String> {
        if let Some(only) = &self.columns.only {
            return only.clone();
        }
        let occurs = |name: &&String| self.kept.iter().any(|record| record.contains_key(*name));
        let mut names: Vec<String> = self.columns.first.iter().filter(occurs).cloned().collect();
        if self.format == Format::Csv || names.is_empty() {
            let mut others: Vec<&String> = self.kept.iter().flat_map(Map::keys).collect();
            others.sort_unstable();
            others.dedup();
            let others: Vec<String> = others.into_iter().filter(|name| !names.contains(name)).cloned().collect();
            names.extend(others);
        }
        names
    }

    fn table(&mut self) -> io::Result<()> {
        let names = self.names();
        let mut table = Table::new();
        table.load_preset(NOTHING).set_content_arrangement(ContentArrangement::Disabled).set_header(&names);
        for record in &self.kept {
            table.add_row(names.iter().map(|name| cut(&text(record.get(name)))));
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        for line in table.lines() {
            writeln!(self.out, "{}", line.trim_end())?;
        }
        Ok(())
    }

    fn csv(&mut self) -> io::Result<()> {
        let names = self.names();
        if names.is_empty() {
            return Ok(());
        }
        let mut csv = csv::Writer::from_writer(&mut self.out);
        csv.write_record(&names)?;
        for record in &self.kept {
            csv.write_record(names.iter().map(|name| text(record.get(name))))?;
        }
        csv.flush()
    }
}

/// Returns a record without objects in it. Lists stay.
fn flat(record: Map<String, Value>) -> Map<String, Value> {
    fn add(prefix: &str, fields: Map<String, Value>, out: &mut Map<String, Value>) {
        for (name, value) in fields {
            match value {
                Value::Object(fields) => add(&format!("{prefix}{name}."), fields, out),
                value => drop(out.insert(format!("{prefix}{name}"), value)),
            }
        }
    }
    let mut out = Map::new();
    add("", record, &mut out);
    out
}

/// Returns a value as the text of a cell. Lists are JSON.
fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    }
}

/// Returns the text of a cell on one line, cut if it is long, without what would control the terminal.
fn cut(text: &str) -> String {
    let mut shown: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(CELL_WIDTH).collect();
    if text.chars().nth(CELL_WIDTH).is_some() {
        shown.pop();
        shown.push('…');
    }
    shown
}

fn json(record: &Map<String, Value>) -> String {
    // A map of strings to values is always JSON.
    serde_json::to_string(record).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn written(format: Format, columns: Columns) -> String {
        let records = [r#"{"id":"a1","name":"Example \"Ltd\"","tags":[1,2]}"#, r#"{"id":"0940","note":"two\nlines"}"#];
        let mut out = Vec::new();
        let mut writer = RecordWriter::new(&mut out, format, columns);
        for record in records {
            writer.write(serde_json::from_str(record).unwrap()).unwrap();
        }
        assert_eq!(writer.finish().unwrap().0, 2);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn csv_has_the_columns_of_all_records() {
        let expected = "id,name,note,tags\na1,\"Example \"\"Ltd\"\"\",,\"[1,2]\"\n0940,,\"two\nlines\",\n";
        assert_eq!(written(Format::Csv, Columns::default()), expected);
        let mut out = Vec::new();
        let mut writer = RecordWriter::new(&mut out, Format::Csv, Columns::default());
        writer.write(serde_json::from_str(r#"{"id":"a1","of":{"id":"b1","in":{"city":"Fargo"}}}"#).unwrap()).unwrap();
        writer.finish().unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "id,of.id,of.in.city\na1,b1,Fargo\n");
        let first = Columns { first: vec!["tags".to_owned(), "absent".to_owned()], only: None };
        assert!(written(Format::Csv, first).starts_with("tags,id,name,note\n"));
        let only = Columns { only: Some(vec!["note".to_owned(), "absent".to_owned()]), first: Vec::new() };
        assert_eq!(written(Format::Csv, only), "note,absent\n,\n\"two\nlines\",\n");
    }

    #[test]
    fn a_table_has_a_line_for_each_record() {
        let first = Columns { first: vec!["id".to_owned(), "note".to_owned()], only: None };
        assert_eq!(written(Format::Table, first), "id    note\na1\n0940  two lines\n");
    }

    #[test]
    fn json_is_one_array_and_json_lines_are_objects() {
        let array: Vec<Value> = serde_json::from_str(&written(Format::Json, Columns::default())).unwrap();
        assert_eq!(array.len(), 2);
        let lines = written(Format::Jsonl, Columns::default());
        assert!(lines.lines().all(|line| serde_json::from_str::<Map<String, Value>>(line).is_ok()), "{lines}");
        let mut out = Vec::new();
        RecordWriter::new(&mut out, Format::Json, Columns::default()).finish().unwrap();
        assert_eq!(out, b"[]\n");
    }
}
