//! The writer thread: receives batches of rows, checks or infers the schema, and writes the file.

use std::{
    fs::File,
    io::{BufRead, BufReader, BufWriter, Seek, Write},
    path::Path,
    sync::Arc,
};

use csv::StringRecord;
use tokio::sync::mpsc::Receiver;

#[cfg(feature = "parquet")]
use super::parquet::ParquetWriter;
#[cfg(feature = "xlsx")]
use super::xlsx::{MAX_COLUMNS, MAX_ROWS, XlsxWriter};
use super::{
    Format, SchemaChanges, SchemaSource, ToFile, Written,
    column::ColumnType,
    csv::CsvWriter,
    fields::RowFields,
    inference::SchemaInference,
    lines,
    progress::{Stage, StageProgress},
    schema::TableSchema,
    table::Table,
};
use crate::{
    error::{Error, ErrorKind, FILE},
    exports::{
        RawRow,
        atomic_file::{AtomicFile, is_same_file, unnamed},
    },
};

/// The maximum size of a batch.
const BATCH_ROWS: usize = 1024;
const BATCH_BYTES: usize = 1 << 18;
const BUFFER: usize = 1 << 16;
/// The number of spooled rows between checks for cancellation.
const CANCEL_CHECK_ROWS: u64 = 1024;

/// A batch of rows for the thread.
#[derive(Debug, Default)]
pub(super) struct Batch {
    rows: Vec<RawRow>,
    bytes: usize,
}

impl Batch {
    pub(super) fn push(&mut self, row: RawRow) {
        self.bytes += length(&row);
        self.rows.push(row);
    }

    pub(super) fn has_room(&self) -> bool {
        self.rows.len() < BATCH_ROWS && self.bytes < BATCH_BYTES
    }
}

/// A message to the thread. A channel that closes without `End` cancels the write.
#[derive(Debug)]
pub(super) enum Message {
    Rows(Batch),
    /// Carries the header of CSV without rows.
    End(Option<Arc<StringRecord>>),
}

/// Receives rows and writes the file.
pub(super) struct Writer<'f> {
    to: &'f ToFile,
    rows: Receiver<Message>,
    header: Option<Arc<StringRecord>>,
}

/// Writes the file.
pub(super) fn write(to: &ToFile, rows: Receiver<Message>) -> Result<Written, Error> {
    Writer { to, rows, header: None }.run()
}

impl<'f> Writer<'f> {
    fn run(mut self) -> Result<Written, Error> {
        let to = self.to;
        to.options.check()?;
        let file = AtomicFile::new(&to.path)?;
        let given = to.schema_source.schema(&to.path)?;
        // Fails before the first row if the schema file cannot be created.
        let schema_file = match &to.schema_source {
            SchemaSource::File(path) if given.as_ref().is_none_or(|schema| !self.is_final(schema)) => {
                Some(AtomicFile::new(path)?)
            }
            _ => None,
        };
        let (progress, schema) = match (to.format, &given) {
            (Format::JsonLines, _) => self.write_lines(&file, given.as_ref())?,
            (_, Some(schema)) if self.is_final(schema) => {
                let mut progress = to.reporter.start(Stage::Receiving);
                let mut table = TableFile::new(to, &file, schema)?;
                self.receive(&mut progress, |row, number| table.push(RowFields::of(row), number))?;
                table.finish()?;
                (progress, Some(schema.clone()))
            }
            _ => self.write_inferred(&file, given.as_ref())?,
        };
        file.sync()?;
        let written = Written { path: to.path.clone(), rows: progress.rows(), bytes: file.length()?, schema };
        let schema_file = schema_file.filter(|_| written.rows > 0 && given != written.schema);
        if let (Some(schema_file), Some(schema)) = (&schema_file, &written.schema) {
            schema_file.write_bytes(schema.to_string().as_bytes())?;
            schema_file.sync()?;
        }
        // Both files are complete before the first is renamed. After a crash between the two renames, the next run reads the
        // old schema and replaces the file.
        self.check_cancelled()?;
        file.persist()?;
        schema_file.map_or(Ok(()), AtomicFile::persist)?;
        progress.finish();
        Ok(written)
    }

    /// Returns true if no row can change the schema.
    fn is_final(&self, schema: &TableSchema) -> bool {
        self.to.changes == SchemaChanges::Refuse
            && schema.columns().iter().all(|column| column.kind() != ColumnType::Null)
    }

    /// Writes JSON lines, which need no schema in advance.
    fn write_lines(
        &mut self,
        file: &AtomicFile,
        given: Option<&TableSchema>,
    ) -> Result<(StageProgress<'f>, Option<TableSchema>), Error> {
        let has_schema = given.is_some() || matches!(self.to.schema_source, SchemaSource::File(_));
        let mut inference = has_schema.then(|| SchemaInference::new(given, self.to.changes));
        let omitted = given.map(TableSchema::omitted).unwrap_or_default();
        let mut progress = self.to.reporter.start(Stage::Receiving);
        let mut out = BufWriter::with_capacity(BUFFER, file.file());
        self.receive(&mut progress, |row, number| {
            if let Some(inference) = &mut inference {
                inference.add(RowFields::of(row)).map_err(|problems| mismatch(number, problems))?;
            }
            lines::write(row, &omitted, &mut out).map_err(|error| file.failed(error))
        })?;
        out.flush().map_err(|error| file.failed(error))?;
        Ok((progress, inference.map(|inference| inference.schema()).transpose()?))
    }

    /// Spools all rows and infers the schema before the first row is written.
    fn write_inferred(
        &mut self,
        file: &AtomicFile,
        given: Option<&TableSchema>,
    ) -> Result<(StageProgress<'f>, Option<TableSchema>), Error> {
        let mut inference = SchemaInference::new(given, self.to.changes);
        let omitted = given.map(TableSchema::omitted).unwrap_or_default();
        let format = self.to.format;
        let mut spool = unnamed(&self.to.path)?;
        let mut progress = self.to.reporter.start(Stage::Receiving);
        let mut out = BufWriter::with_capacity(BUFFER, &spool);
        self.receive(&mut progress, |row, number| {
            check_count(format, number, file)?;
            inference.add(RowFields::of(row)).map_err(|problems| mismatch(number, problems))?;
            lines::spool(row, &omitted, &mut out).map_err(|error| file.failed(error))
        })?;
        out.flush().map_err(|error| file.failed(error))?;
        drop(out);
        if let (None, 0, Some(header)) = (given, progress.rows(), &self.header) {
            inference.add_header(header.iter());
        }
        let schema = inference.schema()?;
        if schema.columns().is_empty() && progress.rows() > 0 {
            return Err(mismatch(1, vec!["expected a field, found an object without any".to_owned()]));
        }
        spool.rewind().map_err(|error| file.failed(error))?;
        let mut writing = self.to.reporter.start(Stage::Writing);
        let mut table = TableFile::new(self.to, file, &schema)?;
        for line in BufReader::with_capacity(BUFFER, spool).lines() {
            let line = line.map_err(|error| file.failed(error))?;
            writing.add(line.len());
            table.push(lines::spooled(&line), writing.rows())?;
            if writing.rows().is_multiple_of(CANCEL_CHECK_ROWS) {
                self.check_cancelled()?;
                writing.report_if_due();
            }
        }
        table.finish()?;
        if writing.rows() != progress.rows() {
            return Err(file.failed("the spool file lacks rows"));
        }
        Ok((writing, Some(schema)))
    }

    fn receive(
        &mut self,
        progress: &mut StageProgress<'_>,
        mut each: impl FnMut(&RawRow, u64) -> Result<(), Error>,
    ) -> Result<(), Error> {
        loop {
            match self.rows.blocking_recv() {
                Some(Message::Rows(batch)) => {
                    for row in &batch.rows {
                        progress.add(length(row));
                        each(row, progress.rows())?;
                    }
                    progress.report_if_due();
                }
                Some(Message::End(header)) => {
                    self.header = header;
                    return Ok(());
                }
                None => return Err(cancelled()),
            }
        }
    }

    /// Fails if the future of the write has been dropped.
    fn check_cancelled(&self) -> Result<(), Error> {
        if self.rows.is_closed() { Err(cancelled()) } else { Ok(()) }
    }
}

impl SchemaSource {
    /// Returns the schema for a file; `None` if it must be inferred.
    fn schema(&self, file: &Path) -> Result<Option<TableSchema>, Error> {
        match self {
            Self::None => Ok(None),
            Self::Given(schema) => Ok(Some(schema.clone())),
            Self::File(path) if is_same_file(path, file) => {
                Err(Error::of_file("cannot be written", path, "it is also the schema file; set another path"))
            }
            // An unreadable path must not count as missing, or it would be replaced.
            Self::File(path) => match path.try_exists() {
                Ok(true) => TableSchema::load(path).map(Some),
                Ok(false) => Ok(None),
                Err(error) => Err(Error::of_file("cannot be read", path, error)),
            },
        }
    }
}

/// Fails at the first row that a file has no room for.
#[cfg_attr(not(feature = "xlsx"), allow(unused_variables, clippy::unnecessary_wraps))]
fn check_count(format: Format, row: u64, file: &AtomicFile) -> Result<(), Error> {
    #[cfg(feature = "xlsx")]
    if format == Format::Xlsx && row > MAX_ROWS {
        return Err(
            file.failed("an Excel sheet has at most 1,048,576 rows with its header, found more: write CSV or Parquet")
        );
    }
    Ok(())
}

/// A file of a table.
struct TableFile<'f> {
    file: &'f AtomicFile,
    table: Table,
    columns: usize,
    out: TableWriter<'f>,
}

enum TableWriter<'f> {
    Csv(CsvWriter<&'f File>),
    #[cfg(feature = "parquet")]
    Parquet(Box<ParquetWriter>),
    #[cfg(feature = "xlsx")]
    Xlsx(Box<XlsxWriter<&'f File>>),
}

impl<'f> TableFile<'f> {
    fn new(to: &ToFile, file: &'f AtomicFile, schema: &TableSchema) -> Result<Self, Error> {
        let written = &schema.written();
        let out = match to.format {
            #[cfg(feature = "parquet")]
            Format::Parquet if written.columns().is_empty() => {
                return Err(Error::own(
                    ErrorKind::Schema,
                    FILE,
                    "expected at least one column for a Parquet file, found no rows and no schema: give `schema`, or a \
                     `schema_file` that a run with rows has written",
                ));
            }
            #[cfg(feature = "parquet")]
            Format::Parquet => {
                let out = file.file().try_clone().map_err(|error| file.failed(error))?;
                let parquet = ParquetWriter::new(out, written, to.row_groups).map_err(|error| file.failed(error))?;
                TableWriter::Parquet(Box::new(parquet))
            }
            #[cfg(feature = "xlsx")]
            Format::Xlsx if written.columns().len() > MAX_COLUMNS => {
                return Err(file.failed("an Excel sheet has at most 16,384 columns, found more: write CSV or Parquet"));
            }
            #[cfg(feature = "xlsx")]
            Format::Xlsx => {
                let xlsx = XlsxWriter::new(file.file(), written).map_err(|error| file.failed(error))?;
                TableWriter::Xlsx(Box::new(xlsx))
            }
            Format::Csv | Format::JsonLines => {
                TableWriter::Csv(CsvWriter::new(file.file(), written, to.options).map_err(|error| file.failed(error))?)
            }
        };
        Ok(Self { file, table: Table::new(schema), columns: written.columns().len(), out })
    }

    fn push(&mut self, row: RowFields<'_>, number: u64) -> Result<(), Error> {
        let mismatch = |problems| mismatch(number, problems);
        match &mut self.out {
            TableWriter::Csv(csv) => {
                let mut fields = vec![None; self.columns];
                let put = |place: usize, value: &_, cell| fields[place] = CsvWriter::<&File>::field(value, cell);
                self.table.convert(row, put).map_err(mismatch)?;
                csv.push(fields.iter().map(Option::as_deref)).map_err(|error| self.file.failed(error))
            }
            #[cfg(feature = "parquet")]
            TableWriter::Parquet(parquet) => {
                self.table.convert(row, |place, _, cell| parquet.put(place, &cell)).map_err(mismatch)?;
                parquet.end_row().map_err(|error| self.file.failed(error))
            }
            #[cfg(feature = "xlsx")]
            TableWriter::Xlsx(xlsx) => {
                check_count(Format::Xlsx, number, self.file)?;
                let mut problems = Vec::new();
                let put = |place: usize, value: &_, cell| {
                    if let Err(problem) = xlsx.put(place, value, &cell) {
                        problems.push(problem);
                    }
                };
                self.table.convert(row, put).map_err(mismatch)?;
                if !problems.is_empty() {
                    return Err(mismatch(problems));
                }
                xlsx.end_row().map_err(|error| self.file.failed(error))
            }
        }
    }

    fn finish(self) -> Result<(), Error> {
        match self.out {
            TableWriter::Csv(csv) => csv.finish().map_err(|error| self.file.failed(error)),
            #[cfg(feature = "parquet")]
            TableWriter::Parquet(parquet) => parquet.finish().map_err(|error| self.file.failed(error)),
            #[cfg(feature = "xlsx")]
            TableWriter::Xlsx(xlsx) => xlsx.finish().map_err(|error| self.file.failed(error)),
        }
    }
}

fn mismatch(row: u64, problems: Vec<String>) -> Error {
    Error::of_rows(ErrorKind::Schema, FILE, row, format!("row {row} does not fit"), problems)
}

fn cancelled() -> Error {
    Error::own(ErrorKind::File, FILE, "the write was cancelled: its future was dropped")
}

/// Returns the size of a row in bytes.
fn length(row: &RawRow) -> usize {
    match row.fields() {
        Some(fields) => fields.map(|(_, text)| text.len() + 1).sum(),
        None => row.json().map_or(0, str::len),
    }
}
