//! Writing exports to files: JSON lines, CSV, Parquet (feature `parquet`), and Excel workbooks (feature `xlsx`).
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
//! A file is replaced atomically: written to a temporary file and renamed. After an error, or if the future is dropped, an
//! existing file is unchanged. (A killed process leaves a hidden file that ends in `.part`.) A separate thread encodes and
//! writes, and memory use is bounded.
//!
//! # Columns
//! All formats but JSON lines need a [`TableSchema`]. There are three sources:
//!
//! - [`ToFile::schema`] sets it in code.
//! - [`ToFile::schema_file`] saves the schema of the first run and checks later runs against it. A row with an unknown
//!   field, a value of another type, or a missing required value ends the run with an [`ErrorKind::Schema`]. The error
//!   names the row, the columns, and the expected and found types. With [`SchemaChanges::Accept`], the schema is widened and
//!   saved again instead; no data is dropped.
//! - With neither, the schema is inferred in each run.
//!
//! # Inference
//! To infer or widen a schema, all rows are read into a temporary file first, so that types do not depend on a sample:
//!
//! - A number with a fraction is a decimal and keeps all digits. Its scale is two digits more than in any row and at least
//!   four; its precision is 18, or 38 if necessary.
//! - Integers are integers up to 64 bits, and decimals beyond.
//! - A column is a date or a timestamp if all its strings are dates, timestamps without a zone, or timestamps in UTC.
//!   `0940` is a string.
//! - Arrays and objects are stored as JSON. So are columns with several kinds of values, and numbers too large for a
//!   decimal.
//! - Every column is nullable, since the next run may have nulls. A missing field is null.
//! - A column that has only nulls is of type `null`. It takes the type of its first values, without [`SchemaChanges::Accept`]. In
//!   Parquet its type is string, so that readers can merge it with other files (pyarrow datasets, DuckDB, polars with
//!   `diagonal_relaxed`).
//! - CSV fields are strings. With a schema, they are parsed by the type of the column. An empty field is an empty string
//!   in a text column, since CSV does not distinguish it from null, and null in any other column.
//! - A lone surrogate (`\ud83d` without its pair) becomes U+FFFD in a column of JSON.
//!
//! # Runs without rows
//! The file gets the columns of its schema, or else of the CSV response. If neither is known, a CSV file is empty, and a
//! Parquet file is an error, since no reader accepts one without columns.
//!
//! # JSON lines
//! JSON lines need no schema: rows are written unchanged. A given schema is checked all the same.
//!
//! # Personal data
//! A column of type `omitted` is not written to any file, including JSON lines. Declare it in code or edit the schema file.
//! New columns are still detected.
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
//! let row = serde_json::json!({"code": "0940", "email": "merritt@example.com"});
//! let row = RawRow::from_value(&row);
//! let to = ToFile::json_lines(folder.path().join("customers.jsonl")).schema(schema);
//! let written = to.write(futures_util::stream::iter([row])).await?;
//! assert_eq!(std::fs::read_to_string(&written.path)?, "{\"code\":\"0940\"}\n");
//! # Ok(()) }
//! ```
//!
//! ```
//! use perenso::{
//!     ErrorKind,
//!     exports::{RawRow, RowReader, files::{SchemaChanges, ToFile}},
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! // Rows from a string in place of an export.
//! let rows = |lines: &'static str| {
//!     let mut reader = RowReader::new(Some("application/x-ndjson")).unwrap();
//!     reader.push(lines);
//!     reader.finish();
//!     let rows = std::iter::from_fn(move || reader.next_row::<RawRow>());
//!     futures_util::stream::iter(rows)
//! };
//! let (csv, schema) = (folder.join("prices.csv"), folder.join("prices.json"));
//! let to = || ToFile::csv(&csv).schema_file(&schema);
//!
//! // The first run infers the schema.
//! let first = "{\"code\":\"0940\",\"price\":12.50}\n{\"code\":\"\",\"price\":null}\n";
//! let written = to().write(rows(first)).await?;
//! let schema = written.schema.unwrap();
//! assert_eq!(schema.column("price").unwrap().kind().to_string(), "decimal(18, 4)");
//! let rows_written = std::fs::read_to_string(&csv)?;
//! assert_eq!(rows_written, "code,price\r\n0940,12.50\r\n\"\",\r\n");
//!
//! // The next run must match it, or accept changes.
//! let changed = "{\"code\":\"0941\",\"price\":12.50505,\"tax\":true}\n";
//! let error = to().write(rows(changed)).await.unwrap_err();
//! assert_eq!((error.kind(), error.row()), (ErrorKind::Schema, Some(1)));
//! assert_eq!(error.problems(), [
//!     "column `price`: expected decimal(18, 4), found a number with more digits",
//!     "column `tax`: not in the schema, found a boolean",
//! ]);
//! let written = to().changes(SchemaChanges::Accept).write(rows(changed)).await?;
//! let rows_written = std::fs::read_to_string(&csv)?;
//! assert_eq!(rows_written, "code,price,tax\r\n0941,12.50505,true\r\n");
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
#[cfg(feature = "xlsx")]
mod xlsx;

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
    progress::ProgressReporter,
    writer::{Batch, Message},
};
pub use super::atomic_file::AtomicFile;
use super::{RawRow, rows::header};
use crate::error::{Error, ErrorKind, FILE};

/// The number of batches queued for the writer thread, so that it does not wait for the network.
const QUEUE: usize = 4;

/// The treatment of rows that do not fit the schema.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SchemaChanges {
    /// Fails at the first such row and writes nothing.
    #[default]
    Refuse,
    /// Widens the schema: appends new columns and widens types.
    ///
    /// Integers become decimals with all digits needed, at most 38, in CSV too. Dates and timestamps become text. Mixed
    /// values become JSON.
    Accept,
}

/// The result of [`ToFile::write`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Written {
    /// The path of the file.
    pub path: PathBuf,
    /// The number of rows.
    pub rows: u64,
    /// The length of the file in bytes.
    pub bytes: u64,
    /// The columns of the file; `None` for JSON lines without a schema.
    pub schema: Option<TableSchema>,
}

/// Writes rows to a file: see the [module](self).
///
/// `Debug` shows the path and the format.
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
/// let run = show.exports().run("Get API Customers");
/// let rows = run.value("Cursor", 1).value("Limit", 15).rows::<RawRow>().await?;
/// let written = ToFile::csv(path).write(rows).await?;
/// assert_eq!(written.rows, 15);
/// # Ok(()) }
/// ```
#[must_use = "a file is written by `write`"]
pub struct ToFile {
    path: PathBuf,
    format: Format,
    schema_source: SchemaSource,
    changes: SchemaChanges,
    options: csv::CsvOptions,
    reporter: ProgressReporter,
    #[cfg(feature = "parquet")]
    row_groups: parquet::RowGroups,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Format {
    JsonLines,
    Csv,
    #[cfg(feature = "parquet")]
    Parquet,
    #[cfg(feature = "xlsx")]
    Xlsx,
}

/// The source of the schema.
#[derive(Clone, Debug)]
enum SchemaSource {
    None,
    Given(TableSchema),
    File(PathBuf),
}

impl ToFile {
    /// Creates a writer of JSON lines. JSON rows are unchanged; a CSV record becomes an object of strings.
    pub fn json_lines(path: impl Into<PathBuf>) -> Self {
        Self::new(path.into(), Format::JsonLines)
    }

    /// Creates a writer of CSV by RFC 4180, in UTF-8, with a header.
    ///
    /// Numbers, dates and timestamps are unchanged; arrays and objects are JSON. Null is an empty field, an empty string
    /// is `""`. In a table with one column null is `""` too, since an empty line is not a record.
    pub fn csv(path: impl Into<PathBuf>) -> Self {
        Self::new(path.into(), Format::Csv)
    }

    /// Creates a writer of Parquet, compressed by Snappy. Feature `parquet`.
    #[cfg(feature = "parquet")]
    pub fn parquet(path: impl Into<PathBuf>) -> Self {
        Self::new(path.into(), Format::Parquet)
    }

    /// Creates a writer of an Excel workbook (`.xlsx`) with one sheet, whose first row has the column names. Feature `xlsx`.
    ///
    /// Strings are text, so `0940` and `1e5` stay as they are; numbers, booleans, dates and timestamps are typed. Excel has no
    /// zones: a timestamp in UTC is one without a zone. A number with more than 15 digits and a date before 1900-03-01 are
    /// text, since Excel would change them. Null and an empty string are empty cells.
    ///
    /// A sheet has 1,048,576 rows and 16,384 columns, and a cell 32,767 characters. More is an error:
    /// [`ErrorKind::Schema`] for a cell, [`ErrorKind::File`] for rows and columns.
    #[cfg(feature = "xlsx")]
    pub fn xlsx(path: impl Into<PathBuf>) -> Self {
        Self::new(path.into(), Format::Xlsx)
    }

    fn new(path: PathBuf, format: Format) -> Self {
        Self {
            path,
            format,
            schema_source: SchemaSource::None,
            changes: SchemaChanges::default(),
            options: csv::CsvOptions::default(),
            reporter: ProgressReporter::default(),
            #[cfg(feature = "parquet")]
            row_groups: parquet::RowGroups::default(),
        }
    }

    /// Sets the delimiter of a CSV file, `,` by default. Ignored for other formats.
    ///
    /// Excel expects `;` in locales with a decimal comma. A field that contains the delimiter is quoted.
    /// [`write`](Self::write) fails with [`ErrorKind::Input`] for a delimiter other than ASCII punctuation or a tab, and
    /// for `"'.+-_`.
    pub fn delimiter(mut self, delimiter: char) -> Self {
        self.options.delimiter = delimiter;
        self
    }

    /// Begins a CSV file with a byte order mark, by which Excel detects UTF-8. Ignored for other formats.
    pub fn byte_order_mark(mut self) -> Self {
        self.options.has_byte_order_mark = true;
        self
    }

    /// Sets the schema of the rows. Replaces a [`schema_file`](Self::schema_file).
    pub fn schema(mut self, schema: TableSchema) -> Self {
        self.schema_source = SchemaSource::Given(schema);
        self
    }

    /// Sets the file that stores the schema. Replaces a [`schema`](Self::schema).
    ///
    /// If the file does not exist, the first run with rows creates it. Later runs are checked against it. It may be edited
    /// by hand.
    pub fn schema_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.schema_source = SchemaSource::File(path.into());
        self
    }

    /// Sets the treatment of rows that do not fit the schema, [`SchemaChanges::Refuse`] by default.
    pub fn changes(mut self, changes: SchemaChanges) -> Self {
        self.changes = changes;
        self
    }

    /// Sets the maximum number of rows in a row group, 65,536 by default. Readers fetch one row group at a time.
    #[cfg(feature = "parquet")]
    pub fn row_group_rows(mut self, rows: usize) -> Self {
        self.row_groups.rows = rows.max(1);
        self
    }

    /// Sets the approximate maximum size of a row group in bytes before compression, 64 MiB by default. It bounds the memory use.
    #[cfg(feature = "parquet")]
    pub fn row_group_bytes(mut self, bytes: usize) -> Self {
        self.row_groups.bytes = bytes.max(1);
        self
    }

    /// Sets a callback for progress, called at most once a second and at the end. It runs on the writer thread and blocks
    /// it.
    pub fn progress(mut self, callback: impl Fn(&Progress) + Send + 'static) -> Self {
        self.reporter.callback = Some(Box::new(callback));
        self
    }

    /// Sets the minimum interval between two progress reports.
    pub fn progress_interval(mut self, interval: Duration) -> Self {
        self.reporter.interval = interval;
        self
    }

    /// Sets the clock for progress reports.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.reporter.clock = std::sync::Arc::new(clock);
        self
    }

    /// Writes all rows. Requires a tokio runtime.
    ///
    /// # Errors
    /// - The first error of the stream of rows.
    /// - [`ErrorKind::Schema`] if a row does not fit, with its number ([`Error::row`]) and all its
    ///   [problems](Error::problems).
    /// - [`ErrorKind::File`] if a file cannot be read or written.
    ///
    /// After an error, an existing file is unchanged.
    pub async fn write(self, rows: impl Stream<Item = Result<RawRow, Error>>) -> Result<Written, Error> {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let thread = tokio::task::spawn_blocking(move || writer::write(&self, receiver));
        if let Err(error) = header::recording(send_rows(rows, &sender)).await {
            // Without an end message, the thread removes the temporary file.
            drop(sender);
            let _ = thread.await;
            return Err(error);
        }
        // The thread stops if the sender is dropped, so it is kept until the thread has ended.
        let written = thread.await;
        drop(sender);
        match written {
            Ok(written) => written,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(Error::own(ErrorKind::File, FILE, "the runtime ended before the file was whole")),
            },
        }
    }
}

/// Sends rows to the thread until they end or fail, or the thread ends.
async fn send_rows(
    rows: impl Stream<Item = Result<RawRow, Error>>,
    thread: &mpsc::Sender<Message>,
) -> Result<(), Error> {
    let mut rows = pin!(rows.fuse());
    loop {
        let first = match select(rows.next(), pin!(thread.closed())).await {
            Either::Left((row, _)) => row.transpose()?,
            Either::Right(_) => return Ok(()),
        };
        let Some(first) = first else { break };
        let mut batch = Batch::default();
        batch.push(first);
        // Adds the rows that are ready without waiting for more.
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
