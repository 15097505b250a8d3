//! Writes the records of a resource.

use std::{
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use clap::{Args, builder::NonEmptyStringValueParser};
use futures_util::stream;
use perenso::exports::{
    RawRow, RowFormat, RowReader,
    files::{AtomicFile, ToFile},
};
use serde_json::{Map, Value};

use super::ResourceInfo;
use crate::{
    context::Context,
    output::{Code, Columns, Failure, Format, Output, RecordWriter, Stdout},
};

/// The options of the output: file, format, columns.
#[derive(Args, Debug)]
pub(super) struct RecordOutput {
    /// Write into this file, in the format of its ending: .xlsx, .csv, .json, .jsonl or .txt
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The format; by default a table on a terminal, and CSV for another program
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,
    /// The fields to write, separated by commas; by default some of them in a table, and all in other formats
    #[arg(long, value_name = "FIELDS", value_delimiter = ',', value_parser = NonEmptyStringValueParser::new())]
    columns: Option<Vec<String>>,
}

/// Writes the records of a resource to stdout, or into a file that is there once it is complete.
pub(super) struct Writer {
    records: RecordWriter<Target>,
    /// The list whose items are rows.
    lines: Option<&'static str>,
    count: u64,
    /// Receives notes.
    output: Output,
}

impl Writer {
    /// Writes a record, as a row for each of its lines if it has lines.
    pub(super) fn write(&mut self, mut record: Map<String, Value>) -> Result<(), Failure> {
        self.count += 1;
        let lines = self.lines.and_then(|name| match record.remove(name) {
            Some(Value::Array(lines)) if !lines.is_empty() => Some(lines),
            _ => None,
        });
        let Some(lines) = lines else { return self.records.write(record) };
        for line in lines {
            let mut row = record.clone();
            match line {
                Value::Object(fields) => {
                    for (name, value) in fields {
                        row.entry(name).or_insert(value);
                    }
                }
                value => drop(row.insert("line".to_owned(), value)),
            }
            self.records.write(row)?;
        }
        Ok(())
    }

    /// Ends the output. Returns the number of records.
    pub(super) async fn finish(self) -> Result<u64, Failure> {
        for name in self.records.absent() {
            self.output.note(&format!("note: no record has the field `{name}`"));
        }
        match self.records.finish()?.1 {
            Target::Stdout(_) => {}
            Target::File(out) => out.into_inner().map_err(|error| Failure::stdout(error.error()))?.persist()?,
            Target::Workbook { csv, path } => write_workbook(csv, &path).await?,
        }
        Ok(self.count)
    }
}

enum Target {
    Stdout(Stdout),
    File(BufWriter<AtomicFile>),
    /// A workbook, whose cells are those of CSV.
    Workbook {
        csv: Vec<u8>,
        path: PathBuf,
    },
}

/// Writes rows of CSV into a workbook. All cells are text, as the fields of CSV are.
async fn write_workbook(csv: Vec<u8>, path: &Path) -> Result<(), Failure> {
    if csv.is_empty() {
        return Err(Failure::new(
            Code::NotFound,
            format!("there are no records, so `{}` is not written", path.display()),
        ));
    }
    let mut rows = RowReader::with_format(None, RowFormat::csv())?;
    rows.push(csv);
    rows.finish();
    let rows = stream::iter(std::iter::from_fn(move || rows.next_row::<RawRow>()));
    ToFile::xlsx(path).write(rows).await?;
    Ok(())
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(out) => out.write(bytes),
            Self::File(out) => out.write(bytes),
            Self::Workbook { csv, .. } => csv.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(out) => out.flush(),
            Self::File(out) => out.flush(),
            Self::Workbook { .. } => Ok(()),
        }
    }
}

impl RecordOutput {
    /// Returns a writer of several records.
    pub(super) fn writer(&self, context: &Context, resource: &ResourceInfo) -> Result<Writer, Failure> {
        let first = resource.columns.iter().map(|&name| name.to_owned()).collect();
        let format = self.format(context)?;
        let lines = resource.lines.filter(|_| matches!(format, Format::Table | Format::Csv));
        self.writer_of(context, format, Columns { only: self.columns.clone(), first }, lines)
    }

    fn writer_of(
        &self,
        context: &Context,
        format: Format,
        columns: Columns,
        lines: Option<&'static str>,
    ) -> Result<Writer, Failure> {
        let target = match &self.output {
            Some(path) if self.is_workbook() => Target::Workbook { csv: Vec::new(), path: path.clone() },
            Some(path) => Target::File(BufWriter::new(AtomicFile::new(path)?)),
            None => Target::Stdout(Stdout::new()),
        };
        Ok(Writer { records: RecordWriter::new(target, format, columns), lines, count: 0, output: context.output })
    }

    /// Returns true if the file is an Excel workbook, by its ending.
    fn is_workbook(&self) -> bool {
        let ending = self.output.as_ref().and_then(|path| path.extension());
        self.format.is_none() && ending.is_some_and(|ending| ending.eq_ignore_ascii_case("xlsx"))
    }

    fn format(&self, context: &Context) -> Result<Format, Failure> {
        if self.is_workbook() {
            return Ok(Format::Csv);
        }
        Format::choose(self.format, context.output.json, self.output.as_deref())
    }

    /// Writes one record: as a table, a field a line.
    pub(super) async fn write_one(
        &self,
        context: &Context,
        resource: &ResourceInfo,
        record: Map<String, Value>,
    ) -> Result<Code, Failure> {
        let format = self.format(context)?;
        match format {
            Format::Table => {
                let [field, text] = ["field", "value"].map(str::to_owned);
                let columns = Columns { only: Some(vec![field.clone(), text.clone()]), first: Vec::new() };
                let mut writer = self.writer_of(context, format, columns, None)?;
                let is_chosen = |name: &String| self.columns.as_ref().is_none_or(|columns| columns.contains(name));
                for (name, value) in record.into_iter().filter(|(name, _)| is_chosen(name)) {
                    writer.write(Map::from_iter([(field.clone(), name.into()), (text.clone(), value)]))?;
                }
                writer.finish().await?;
            }
            // One record is one object, not a list of one.
            Format::Json if self.columns.is_none() && self.output.is_none() => Stdout::json(&record)?,
            _ => {
                let mut writer = self.writer(context, resource)?;
                writer.write(record)?;
                writer.finish().await?;
            }
        }
        Ok(Code::Done)
    }
}
