//! The thread that writes: rows come in batches, go through schema or survey, and into the file.

use std::{
    fs::File,
    io::{BufRead, BufReader, BufWriter, Seek, Write},
    path::Path,
    sync::Arc,
};

use csv::StringRecord;
use tokio::sync::mpsc::Receiver;

#[cfg(feature = "parquet")]
use super::parquet::Parquet;
use super::{
    Changes, Contract, Format, ToFile, Written,
    column::ColumnType,
    csv::Csv,
    fields::Fields,
    inference::SchemaInference,
    lines,
    progress::{Count, Stage},
    schema::TableSchema,
    table::Table,
};
use crate::{
    error::{Error, ErrorKind},
    exports::{
        RawRow,
        atomic_file::{AtomicFile, OPERATION, failed, is_same_file, unnamed},
    },
};

/// As many rows, or bytes of them, go to the thread at once.
const BATCH_ROWS: usize = 1024;
const BATCH_BYTES: usize = 1 << 18;
const BUFFER: usize = 1 << 16;
/// After as many rows of a second reading, a look around.
const LOOK: u64 = 1024;

/// Rows on their way to the thread.
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

/// What the thread is told. Nothing more to come, without an end, means that nobody wants the file any longer.
#[derive(Debug)]
pub(super) enum Message {
    Rows(Batch),
    /// With the header of CSV that had no rows.
    End(Option<Arc<StringRecord>>),
}

/// Rows that come, and the file that they are for.
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
        to.dialect.check()?;
        let file = AtomicFile::new(&to.path)?;
        let contract = to.contract.schema(&to.path)?;
        // Where a schema is to be saved is known to be a place for it before the first row comes.
        let kept = match &to.contract {
            Contract::Kept(path) if contract.as_ref().is_none_or(|schema| !self.is_final(schema)) => {
                Some(AtomicFile::new(path)?)
            }
            _ => None,
        };
        let (count, schema) = match (to.format, &contract) {
            (Format::JsonLines, _) => self.write_lines(&file, contract.as_ref())?,
            (_, Some(schema)) if self.is_final(schema) => {
                let mut count = to.meter.start(Stage::Receiving);
                let mut table = TableFile::new(to, &file, schema)?;
                self.receive(&mut count, |row, number| table.push(Fields::of(row), number))?;
                table.finish()?;
                (count, Some(schema.clone()))
            }
            _ => self.write_surveyed(&file, contract.as_ref())?,
        };
        file.sync()?;
        let written = Written { path: to.path.clone(), rows: count.rows(), bytes: file.length()?, schema };
        let saved = kept.filter(|_| written.rows > 0 && contract != written.schema);
        if let (Some(saved), Some(schema)) = (&saved, &written.schema) {
            schema.write(saved)?;
        }
        // Both are whole before the first is put in its place. A crash between the two leaves a file that the next run
        // replaces, under the contract that it had.
        self.look()?;
        file.persist()?;
        saved.map_or(Ok(()), AtomicFile::persist)?;
        count.done();
        Ok(written)
    }

    /// Whether no row can change the schema.
    fn is_final(&self, schema: &TableSchema) -> bool {
        self.to.changes == Changes::Refuse && schema.columns().iter().all(|column| column.kind() != ColumnType::Null)
    }

    /// JSON lines can be written before the schema is known.
    fn write_lines(
        &mut self,
        file: &AtomicFile,
        contract: Option<&TableSchema>,
    ) -> Result<(Count<'f>, Option<TableSchema>), Error> {
        let has_schema = contract.is_some() || matches!(self.to.contract, Contract::Kept(_));
        let mut survey = has_schema.then(|| SchemaInference::new(contract, self.to.changes));
        let omitted = contract.map(TableSchema::omitted).unwrap_or_default();
        let mut count = self.to.meter.start(Stage::Receiving);
        let mut out = BufWriter::with_capacity(BUFFER, file.file());
        self.receive(&mut count, |row, number| {
            if let Some(survey) = &mut survey {
                survey.add(Fields::of(row)).map_err(|problems| misfit(number, problems))?;
            }
            lines::write(row, &omitted, &mut out).map_err(|error| file.failed(error))
        })?;
        out.flush().map_err(|error| file.failed(error))?;
        Ok((count, survey.map(|survey| survey.schema()).transpose()?))
    }

    /// All rows are seen, and kept beside, before the first is written.
    fn write_surveyed(
        &mut self,
        file: &AtomicFile,
        contract: Option<&TableSchema>,
    ) -> Result<(Count<'f>, Option<TableSchema>), Error> {
        let mut survey = SchemaInference::new(contract, self.to.changes);
        let omitted = contract.map(TableSchema::omitted).unwrap_or_default();
        let mut kept = unnamed(&self.to.path)?;
        let mut count = self.to.meter.start(Stage::Receiving);
        let mut out = BufWriter::with_capacity(BUFFER, &kept);
        self.receive(&mut count, |row, number| {
            survey.add(Fields::of(row)).map_err(|problems| misfit(number, problems))?;
            lines::keep(row, &omitted, &mut out).map_err(|error| file.failed(error))
        })?;
        out.flush().map_err(|error| file.failed(error))?;
        drop(out);
        if let (None, 0, Some(header)) = (contract, count.rows(), &self.header) {
            survey.add_header(header.iter());
        }
        let schema = survey.schema()?;
        if schema.columns().is_empty() && count.rows() > 0 {
            return Err(misfit(1, vec!["expected a field, found an object without any".to_owned()]));
        }
        kept.rewind().map_err(|error| file.failed(error))?;
        let mut again = self.to.meter.start(Stage::Writing);
        let mut table = TableFile::new(self.to, file, &schema)?;
        for line in BufReader::with_capacity(BUFFER, kept).lines() {
            let line = line.map_err(|error| file.failed(error))?;
            again.add(line.len());
            table.push(lines::kept(&line), again.rows())?;
            if again.rows().is_multiple_of(LOOK) {
                self.look()?;
                again.tell();
            }
        }
        table.finish()?;
        if again.rows() != count.rows() {
            return Err(file.failed("the rows that were kept beside it are not all there"));
        }
        Ok((again, Some(schema)))
    }

    fn receive(
        &mut self,
        count: &mut Count<'_>,
        mut each: impl FnMut(&RawRow, u64) -> Result<(), Error>,
    ) -> Result<(), Error> {
        loop {
            match self.rows.blocking_recv() {
                Some(Message::Rows(batch)) => {
                    for row in &batch.rows {
                        count.add(length(row));
                        each(row, count.rows())?;
                    }
                    count.tell();
                }
                Some(Message::End(header)) => {
                    self.header = header;
                    return Ok(());
                }
                None => return Err(unwanted()),
            }
        }
    }

    /// Whether somebody still waits for the file.
    fn look(&self) -> Result<(), Error> {
        if self.rows.is_closed() { Err(unwanted()) } else { Ok(()) }
    }
}

impl Contract {
    /// The schema that the rows of this file are to have; none where it is still to be found out.
    fn schema(&self, file: &Path) -> Result<Option<TableSchema>, Error> {
        match self {
            Self::None => Ok(None),
            Self::Given(schema) => Ok(Some(schema.clone())),
            Self::Kept(path) if is_same_file(path, file) => {
                Err(failed("cannot be both", path, "rows and their schema"))
            }
            // What cannot be looked at is not taken for one that is not there, or it would be replaced.
            Self::Kept(path) => match path.try_exists() {
                Ok(true) => TableSchema::load(path).map(Some),
                Ok(false) => Ok(None),
                Err(error) => Err(failed("cannot be read", path, error)),
            },
        }
    }
}

/// A file of a table.
struct TableFile<'f> {
    file: &'f AtomicFile,
    table: Table,
    columns: usize,
    out: Out<'f>,
}

enum Out<'f> {
    Csv(Csv<&'f File>),
    #[cfg(feature = "parquet")]
    Parquet(Box<Parquet>),
}

impl<'f> TableFile<'f> {
    fn new(to: &ToFile, file: &'f AtomicFile, schema: &TableSchema) -> Result<Self, Error> {
        let written = &schema.written();
        let out = match to.format {
            #[cfg(feature = "parquet")]
            Format::Parquet if written.columns().is_empty() => {
                return Err(Error::own(
                    ErrorKind::Schema,
                    OPERATION,
                    "expected at least one column for a Parquet file, found no rows and no schema: give `schema`, or a \
                     `schema_file` that a run with rows has written",
                ));
            }
            #[cfg(feature = "parquet")]
            Format::Parquet => {
                let out = file.file().try_clone().map_err(|error| file.failed(error))?;
                let parquet = Parquet::new(out, written, to.row_groups).map_err(|error| file.failed(error))?;
                Out::Parquet(Box::new(parquet))
            }
            Format::Csv | Format::JsonLines => {
                Out::Csv(Csv::new(file.file(), written, to.dialect).map_err(|error| file.failed(error))?)
            }
        };
        Ok(Self { file, table: Table::new(schema), columns: written.columns().len(), out })
    }

    fn push(&mut self, row: Fields<'_>, number: u64) -> Result<(), Error> {
        let misfit = |problems| misfit(number, problems);
        match &mut self.out {
            Out::Csv(csv) => {
                let mut fields = vec![None; self.columns];
                let put = |place: usize, value: &_, cell| fields[place] = Csv::<&File>::field(value, cell);
                self.table.fit(row, put).map_err(misfit)?;
                csv.push(fields.iter().map(Option::as_deref)).map_err(|error| self.file.failed(error))
            }
            #[cfg(feature = "parquet")]
            Out::Parquet(parquet) => {
                self.table.fit(row, |place, _, cell| parquet.put(place, &cell)).map_err(misfit)?;
                parquet.end_row().map_err(|error| self.file.failed(error))
            }
        }
    }

    fn finish(self) -> Result<(), Error> {
        match self.out {
            Out::Csv(csv) => csv.finish().map_err(|error| self.file.failed(error)),
            #[cfg(feature = "parquet")]
            Out::Parquet(parquet) => parquet.finish().map_err(|error| self.file.failed(error)),
        }
    }
}

fn misfit(row: u64, problems: Vec<String>) -> Error {
    Error::of_rows(ErrorKind::Schema, OPERATION, row, format!("row {row} does not fit"), problems)
}

fn unwanted() -> Error {
    Error::own(ErrorKind::File, OPERATION, "nobody waits for the file any longer")
}

/// The bytes of a row's text.
fn length(row: &RawRow) -> usize {
    match row.fields() {
        Some(fields) => fields.map(|(_, text)| text.len() + 1).sum(),
        None => row.json().map_or(0, str::len),
    }
}
