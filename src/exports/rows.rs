//! The rows of an answer, one by one.

pub(super) mod format;
pub(super) mod header;
pub(super) mod raw;
pub(super) mod reader;
pub(super) mod response;
pub(super) mod row;
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

/// The rows of an answer, one by one, as they come: one row is held, and the piece of the answer that it stands in.
/// Nothing is fetched before it is asked for.
///
/// A row that does not fit is an error of kind [`ErrorKind::Row`](crate::ErrorKind::Row) with its number and path, and
/// the stream goes on when it is polled again. Every other error is its last item.
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
///         // Row 4711 has text where a number should be: the others may still be of use.
///         Err(error) if error.kind() == ErrorKind::Row => eprintln!("{error}"),
///         Err(error) => return Err(error),
///     }
/// }
/// # Ok(()) }
/// ```
///
/// # What is an error
/// JSON is what serde_json takes for JSON. In an array, that is a comma that is missing, doubled or behind the last row,
/// and anything but blanks behind the closing bracket. In JSON lines every row has a line of its own. In CSV every record
/// has as many fields as the header, and no two columns have one name. Empty lines are passed over in both, in a table of
/// one column too.
///
/// An answer that was cut is never a short one. Where its length or its last chunk is missing, HTTP tells, after the rows
/// that were whole. Where only the end of the connection ends it (HTTP/1.0, and servers that say neither length nor
/// chunks), its form must tell: the closing bracket of the array, the last value of the lines, a closing quote, a field of
/// the last record. What no form can tell is a cut between two lines or records, or within the last number of JSON lines
/// or the last field of CSV.
pub struct Rows<T> {
    reader: RowReader,
    pieces: BoxStream<'static, Result<Bytes, Error>>,
    row: PhantomData<fn() -> T>,
}

impl<T> Rows<T> {
    pub(crate) fn new(reader: RowReader, pieces: BoxStream<'static, Result<Bytes, Error>>) -> Self {
        Self { reader, pieces, row: PhantomData }
    }

    /// How many rows the answer has given so far, those that did not fit included.
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
                // Whatever else the server has to say: the connection is not kept for it.
                self.pieces = futures_util::stream::empty().boxed();
                return Poll::Ready(next);
            }
            if next.is_some() {
                return Poll::Ready(next);
            }
            match ready!(self.pieces.poll_next_unpin(context)) {
                Some(Ok(piece)) => self.reader.push(piece),
                Some(Err(error)) => {
                    self.reader.stop();
                    self.pieces = futures_util::stream::empty().boxed();
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
