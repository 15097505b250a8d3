//! The rows of an export as a stream.

pub(super) mod csv_row;
pub(super) mod format;
pub(super) mod header;
pub(super) mod raw;
pub(super) mod reader;
pub(super) mod response;
pub(super) mod stream;
pub(super) mod syntax;

use std::{
    fmt,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream::BoxStream};

use self::{raw::FromRow, reader::RowReader};
use crate::error::Error;

/// A stream of the rows of a response. It holds one row and the current chunk of the body, and reads nothing ahead.
///
/// A row that does not deserialise is an [`ErrorKind::Row`](crate::ErrorKind::Row) with its number and path; the stream
/// continues with the next row. Any other error is the last item.
///
/// ```no_run
/// # async fn example(show: perenso::Perenso) -> Result<(), perenso::Error> {
/// # #[derive(serde::Deserialize)]
/// # struct Vendor;
/// use futures_util::StreamExt;
/// use perenso::ErrorKind;
///
/// let mut vendors = show.exports().run("Vendors").rows::<Vendor>().await?;
/// while let Some(row) = vendors.next().await {
///     match row {
///         Ok(vendor) => { /* … */ }
///         // Row 4711 has a string instead of a number. Skip it and read on.
///         Err(error) if error.kind() == ErrorKind::Row => eprintln!("{error}"),
///         Err(error) => return Err(error),
///     }
/// }
/// # Ok(()) }
/// ```
///
/// # Syntax errors
/// JSON must be valid for serde_json.
///
/// - Array: a missing, duplicate or trailing comma is an error, and so is anything but white space after the closing
///   bracket.
/// - JSON lines: each row is on a line of its own. Empty lines are skipped.
/// - CSV: each record has as many fields as the header, and column names are unique. Empty lines are skipped, even in a
///   table with one column.
///
/// # Truncated responses
/// A truncated response is an error after its complete rows, never a short result.
///
/// With `Content-Length` or chunked encoding, HTTP detects the truncation. Otherwise the syntax must: by the closing
/// bracket of the array, the end of the last JSON value, a closing quote, or the fields of the last record. A cut between
/// two lines or records, in the last number of JSON lines, or in the last field of CSV cannot be detected then.
pub struct Rows<T> {
    reader: RowReader,
    chunks: BoxStream<'static, Result<Bytes, Error>>,
    row: PhantomData<fn() -> T>,
}

impl<T> Rows<T> {
    pub(crate) fn new(reader: RowReader, chunks: BoxStream<'static, Result<Bytes, Error>>) -> Self {
        Self { reader, chunks, row: PhantomData }
    }

    /// Returns the number of rows read so far, including those that did not fit.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.reader.received()
    }
}

impl<T: FromRow> Stream for Rows<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            let next = self.reader.next_row();
            if self.reader.is_over() {
                // Drops the connection instead of reading what follows the rows.
                self.chunks = futures_util::stream::empty().boxed();
                return Poll::Ready(next);
            }
            if next.is_some() {
                return Poll::Ready(next);
            }
            match ready!(self.chunks.poll_next_unpin(context)) {
                Some(Ok(chunk)) => self.reader.push(chunk),
                Some(Err(error)) => {
                    self.reader.stop();
                    self.chunks = futures_util::stream::empty().boxed();
                    return Poll::Ready(Some(Err(error)));
                }
                None => self.reader.finish(),
            }
        }
    }
}

impl<T> fmt::Debug for Rows<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows").field("received", &self.received()).finish_non_exhaustive()
    }
}
