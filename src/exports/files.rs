//! Exports into files: JSON lines, CSV, and Parquet (feature `parquet`).
//!
//! ```no_run
//! # #[cfg(feature = "parquet")]
//! # async fn example(show: perenso::Perenso) -> Result<(), perenso::Error> {
//! use perenso::exports::{RawRow, files::ToFile};
//!
//! let rows = show.exports().run("Get Order Lines").rows::<RawRow>().await?;
//! let written = ToFile::parquet("order-lines.parquet")
//!     .schema_file("order-lines.schema.json")
//!     .progress(|progress| println!("{progress}"))
//!     .write(rows)
//!     .await?;
//! println!("{} rows, {} bytes", written.rows, written.bytes);
//! # Ok(()) }
//! ```
//!
//! A file is written beside its place and renamed when it is whole: after an error, and where the future is dropped,
//! there is what was there before. (A process that is killed leaves a hidden file that ends in `.part`.) Encoding and
//! disk have a thread of their own, and neither rows nor row groups pile up in memory.
//!
//! # Columns
//! CSV and Parquet need to know their columns, which a [`TableSchema`] says. There are three ways to it:
//! - given in code, by [`ToFile::schema`];
//! - saved from the first run, by [`ToFile::schema_file`]. From then on it is a contract: a row with another field, with
//!   a value of another type, or without a value that is required, ends the run with an error
//!   ([`ErrorKind::Schema`]) that names row, columns, and what was expected and found. With [`Changes::Accept`] the
//!   schema becomes wider instead, and is saved again: nothing is ever dropped;
//! - neither: then each run finds out.
//!
//! Where a schema is to be found out or made wider, all rows are read into a file beside before the first one is
//! written, so that no type rests on a sample. What is found:
//! - a number with a fraction is a decimal, read by its digits. It has room for two digits more behind the point than any
//!   row has, and for four at least; and 18 in all, or 38 where those are too few. Integers are integers up to 64 bits, and decimals beyond;
//! - text that is a date, a time without a zone or a moment in UTC, in all rows, becomes one. `0940` stays text;
//! - lists and objects are kept as their JSON text; so is a column that holds more than one kind of values, or numbers
//!   that no decimal holds;
//! - every column is nullable: that a run has had no null says nothing about the next one. Where a row lacks a field, its
//!   column is null;
//! - a column of nothing but nulls is of type `null` until values come. Then it takes their type, which is not a change
//!   that needs to be accepted. A Parquet file has nulls of type string there, so that readers can unite it with the files
//!   of other days (pyarrow as a dataset, DuckDB, polars with `diagonal_relaxed`);
//! - all that comes in CSV is text. With a schema, it is read as the column has it. An empty field is an empty string in a
//!   column of text, since CSV rows do not tell it from null, and null in every other column;
//! - half of a surrogate pair (`\ud83d` alone) becomes U+FFFD in a column of JSON text.
//!
//! A run without rows writes the header, or the columns, of its schema; without a schema those of a CSV response. Where
//! neither is known a CSV file is empty, and a Parquet file is an error, since no reader accepts one without columns.
//!
//! JSON lines need no schema: rows go there to the letter. One that is given is checked all the same.
//!
//! A column of type `omitted` is left out of every file, JSON lines included: personal data is not written, and a column
//! that is new is still noticed. It is the schema that says so, in code or by hand in its file.
//!
//! ```
//! # use perenso::exports::{RawRow, files::{Column, ColumnType, TableSchema, ToFile}};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! let schema = TableSchema::new([
//!     Column::nullable("code", ColumnType::Text),
//!     Column::nullable("email", ColumnType::Omitted),
//! ])?;
//! let row = RawRow::from_value(&serde_json::json!({"code": "0940", "email": "merritt@example.com"}));
//! let to = ToFile::json_lines(folder.path().join("customers.jsonl")).schema(schema);
//! let written = to.write(futures_util::stream::iter([row])).await?;
//! assert_eq!(std::fs::read_to_string(&written.path)?, "{\"code\":\"0940\"}\n");
//! # Ok(()) }
//! ```
//!
//! ```
//! use perenso::{
//!     ErrorKind,
//!     exports::{RawRow, RowReader, files::{Changes, ToFile}},
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! // Rows of anywhere, in place of an export.
//! let rows = |lines: &'static str| {
//!     let mut reader = RowReader::new(Some("application/x-ndjson")).unwrap();
//!     reader.push(lines);
//!     reader.finish();
//!     futures_util::stream::iter(std::iter::from_fn(move || reader.next_row::<RawRow>()))
//! };
//! let to = || ToFile::csv(folder.join("prices.csv")).schema_file(folder.join("prices.json"));
//!
//! // The first run finds out what there is.
//! let written = to().write(rows("{\"code\":\"0940\",\"price\":12.50}\n{\"code\":\"\",\"price\":null}\n")).await?;
//! assert_eq!(written.schema.unwrap().column("price").unwrap().kind().to_string(), "decimal(18, 4)");
//! assert_eq!(std::fs::read_to_string(&written.path)?, "code,price\r\n0940,12.50\r\n\"\",\r\n");
//!
//! // The next one must keep to it, or be told otherwise.
//! let changed = "{\"code\":\"0941\",\"price\":12.50505,\"tax\":true}\n";
//! let error = to().write(rows(changed)).await.unwrap_err();
//! assert_eq!((error.kind(), error.row()), (ErrorKind::Schema, Some(1)));
//! assert_eq!(error.problems(), [
//!     "column `price`: expected decimal(18, 4), found a number with more digits",
//!     "column `tax`: not in the schema, found a boolean",
//! ]);
//! let written = to().changes(Changes::Accept).write(rows(changed)).await?;
//! assert_eq!(std::fs::read_to_string(&written.path)?, "code,price,tax\r\n0941,12.50505,true\r\n");
//! # Ok(()) }
//! ```

pub(super) mod column;
mod csv;
mod fields;
mod inference;
mod lines;
mod number;
#[cfg(feature = "parquet")]
mod parquet;
mod progress;
mod schema;
mod table;
mod timestamp;
mod value;
mod writer;

use std::{fmt, path::PathBuf, pin::pin, time::Duration};

use futures_util::{
    FutureExt, Stream, StreamExt,
    future::{Either, select},
};
use perenso_auth::clock::Clock;
use tokio::sync::mpsc;

pub use self::{
    column::{Column, ColumnType, InvalidColumnType},
    progress::{Progress, Stage},
    schema::TableSchema,
};
use self::{
    progress::Meter,
    writer::{Batch, Message},
};
use super::{RawRow, atomic_file::OPERATION, rows::header};
use crate::error::{Error, ErrorKind};

/// As many batches wait for the thread that writes, so that it never waits for the network in turn.
const QUEUE: usize = 4;

/// What becomes of rows that a saved schema does not hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Changes {
    /// The first such row is an error, and nothing is written.
    #[default]
    Refuse,
    /// The schema becomes wider: new columns at its end, and types that hold what was and what came. Numbers go from
    /// integers to decimals of as many digits as both need, 38 at most, in CSV as well; dates and times to text, and all that is mixed to JSON text.
    Accept,
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Written {
    /// Where.
    pub path: PathBuf,
    /// How many rows.
    pub rows: u64,
    /// The length of the file.
    pub bytes: u64,
    /// The columns of the file; `None` for JSON lines that nobody asked for a schema of.
    pub schema: Option<TableSchema>,
}

/// Rows on their way into a file: what is said in [the module](self).
///
/// `Debug` shows path and format.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let sandbox = perenso_sandbox::Sandbox::start().await?;
/// # let show = perenso::Perenso::from_vars(sandbox.vars())?;
/// use perenso::exports::{RawRow, files::ToFile};
///
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("customers.csv");
/// let rows = show.exports().run("Get API Customers").value("Cursor", 1).value("Limit", 15).rows::<RawRow>().await?;
/// let written = ToFile::csv(path).write(rows).await?;
/// assert_eq!(written.rows, 15);
/// # Ok(()) }
/// ```
#[must_use = "a file is written by `write`"]
pub struct ToFile {
    path: PathBuf,
    format: Format,
    contract: Contract,
    changes: Changes,
    dialect: csv::Dialect,
    meter: Meter,
    #[cfg(feature = "parquet")]
    row_groups: parquet::RowGroups,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Format {
    JsonLines,
    Csv,
    #[cfg(feature = "parquet")]
    Parquet,
}

/// Where a schema comes from.
#[derive(Clone, Debug)]
enum Contract {
    None,
    Given(TableSchema),
    Kept(PathBuf),
}

impl ToFile {
    /// A file of JSON lines: rows as they came, one to a line. A CSV record becomes an object of texts.
    pub fn json_lines(path: impl Into<PathBuf>) -> Self {
        Self::new(path.into(), Format::JsonLines)
    }

    /// A file of CSV by RFC 4180, in UTF-8, under a header. Numbers, dates and times stand as they came, lists and objects
    /// as JSON; null is nothing at all, and an empty text is `""`. (In a table of one column null is `""` too, since an
    /// empty line would be no record.)
    pub fn csv(path: impl Into<PathBuf>) -> Self {
        Self::new(path.into(), Format::Csv)
    }

    /// A Parquet file, compressed by Snappy. Feature `parquet`.
    #[cfg(feature = "parquet")]
    pub fn parquet(path: impl Into<PathBuf>) -> Self {
        Self::new(path.into(), Format::Parquet)
    }

    fn new(path: PathBuf, format: Format) -> Self {
        Self {
            path,
            format,
            contract: Contract::None,
            changes: Changes::default(),
            dialect: csv::Dialect::default(),
            meter: Meter::default(),
            #[cfg(feature = "parquet")]
            row_groups: parquet::RowGroups::default(),
        }
    }

    /// Sets the delimiter of a CSV file, `,` by default. Excel expects `;` where numbers have a decimal comma. A field that
    /// contains the delimiter is quoted. Another kind of file ignores it.
    ///
    /// A delimiter that is no punctuation or tab, or is one of `"'.+-_`, fails [`write`](Self::write) with
    /// [`ErrorKind::Input`].
    pub fn delimiter(mut self, delimiter: char) -> Self {
        self.dialect.delimiter = delimiter;
        self
    }

    /// Begins a CSV file with a byte order mark, from which Excel recognises UTF-8. Another kind of file ignores it.
    pub fn byte_order_mark(mut self) -> Self {
        self.dialect.has_byte_order_mark = true;
        self
    }

    /// The columns that every row is to have. It takes the place of a [`schema_file`](Self::schema_file).
    pub fn schema(mut self, schema: TableSchema) -> Self {
        self.contract = Contract::Given(schema);
        self
    }

    /// The file that keeps the columns. Where there is none, it is written after the first run that has rows, and can be
    /// edited by hand; from then on it is a contract. It takes the place of a [`schema`](Self::schema).
    pub fn schema_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.contract = Contract::Kept(path.into());
        self
    }

    /// What becomes of rows that the schema does not hold. They are refused unless this says otherwise.
    pub fn changes(mut self, changes: Changes) -> Self {
        self.changes = changes;
        self
    }

    /// The most rows of a row group, 65,536 unless this says otherwise. A row group is what readers fetch at once.
    #[cfg(feature = "parquet")]
    pub fn row_group_rows(mut self, rows: usize) -> Self {
        self.row_groups.rows = rows.max(1);
        self
    }

    /// The bytes, about, at which a row group ends, however few its rows are: 64 MiB unless this says otherwise. It
    /// bounds what is held in memory.
    #[cfg(feature = "parquet")]
    pub fn row_group_bytes(mut self, bytes: usize) -> Self {
        self.row_groups.bytes = bytes.max(1);
        self
    }

    /// Is told how far the file has come, once a second at most and once at the end, on the thread that writes: while it
    /// runs, no row is written.
    pub fn progress(mut self, callback: impl Fn(&Progress) + Send + 'static) -> Self {
        self.meter.callback = Some(Box::new(callback));
        self
    }

    /// The least time between two reports of progress.
    pub fn progress_interval(mut self, interval: Duration) -> Self {
        self.meter.interval = interval;
        self
    }

    /// The clock that progress is measured by.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.meter.clock = std::sync::Arc::new(clock);
        self
    }

    /// Writes all rows. It needs a tokio runtime.
    ///
    /// # Errors
    /// - The first error of the rows, whatever it is.
    /// - [`ErrorKind::Schema`] when a row does not fit, with its number ([`Error::row`]) and all that is wrong with it
    ///   ([`Error::problems`]).
    /// - [`ErrorKind::File`] when a file cannot be read or written.
    ///
    /// After each of them there is what was there before.
    pub async fn write(self, rows: impl Stream<Item = Result<RawRow, Error>>) -> Result<Written, Error> {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let thread = tokio::task::spawn_blocking(move || writer::write(&self, receiver));
        if let Err(error) = header::recording(feed(rows, &sender)).await {
            // Rows without an end: the thread leaves nothing behind.
            drop(sender);
            let _ = thread.await;
            return Err(error);
        }
        // As long as there is a sender, the thread knows that somebody waits.
        let written = thread.await;
        drop(sender);
        match written {
            Ok(written) => written,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(Error::own(ErrorKind::File, OPERATION, "the runtime ended before the file was whole")),
            },
        }
    }
}

/// Hands rows to the thread until they end, fail, or the thread has gone.
async fn feed(rows: impl Stream<Item = Result<RawRow, Error>>, thread: &mpsc::Sender<Message>) -> Result<(), Error> {
    let mut rows = pin!(rows.fuse());
    loop {
        let first = match select(rows.next(), pin!(thread.closed())).await {
            Either::Left((row, _)) => row.transpose()?,
            Either::Right(_) => return Ok(()),
        };
        let Some(first) = first else { break };
        let mut batch = Batch::default();
        batch.push(first);
        // Whatever else has come goes along; nobody waits for more.
        while batch.has_room()
            && let Some(Some(row)) = rows.next().now_or_never()
        {
            batch.push(row?);
        }
        if thread.send(Message::Rows(batch)).await.is_err() {
            return Ok(());
        }
    }
    let _ = thread.send(Message::End(header::take())).await;
    Ok(())
}

impl fmt::Debug for ToFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToFile").field("path", &self.path).field("format", &self.format).finish_non_exhaustive()
    }
}
