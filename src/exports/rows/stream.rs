//! The answer of a run on its way: rows one by one, or the bytes as they come.

use std::{fmt, io};

use bytes::Bytes;
use futures_util::{
    Stream, StreamExt, TryStreamExt,
    stream::{BoxStream, try_unfold},
};
use http::StatusCode;
use perenso_auth::Response;
use tokio::io::AsyncBufRead;
use tokio_util::io::StreamReader;

use super::{
    Rows,
    format::RowFormat,
    raw::FromRow,
    reader::{LARGEST_ROW, RowReader},
    response::ExportResponse,
    syntax::ResponseMeta,
};
use crate::error::Error;

/// The answer of a run on its way. Nothing more of it is fetched than is read.
///
/// `Debug` shows status and content type only.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let sandbox = perenso_sandbox::Sandbox::start().await?;
/// # let show = perenso::Perenso::from_vars(sandbox.vars())?;
/// use futures_util::TryStreamExt;
///
/// let stream = show.exports().run("Get API Customers").value("Cursor", 1).value("Limit", 15).stream().await?;
/// let mut rows = stream.rows::<serde_json::Value>()?;
/// while let Some(row) = rows.try_next().await? {
///     println!("{row}");
/// }
/// assert_eq!(rows.received(), 15);
/// # Ok(()) }
/// ```
pub struct ExportStream {
    response: Response,
    limits: Limits,
}

/// How many bytes a row and the answer may have, and the syntax of the rows.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub(crate) row: usize,
    pub(crate) total: u64,
    pub(crate) format: Option<RowFormat>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { row: LARGEST_ROW, total: u64::MAX, format: None }
    }
}

impl ExportStream {
    pub(crate) fn new(response: Response) -> Self {
        Self { response, limits: Limits::default() }
    }

    pub(crate) fn limited(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The status, always a success.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The `Content-Type` as it came.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.response.content_type()
    }

    /// How many bytes a row may have; 16 MiB where nothing is said. A larger one is an error that ends the rows, so that
    /// an answer without end cannot fill the memory. (For CSV, eight bytes are counted for every field.)
    #[must_use]
    pub fn row_limit(mut self, bytes: usize) -> Self {
        self.limits.row = bytes;
        self
    }

    /// How many bytes the answer may have as rows, bytes or reader, compression undone; as many as come where nothing is
    /// said. More are an error, after the rows before.
    #[must_use]
    pub fn total_limit(mut self, bytes: u64) -> Self {
        self.limits.total = bytes;
        self
    }

    /// Sets the syntax of the rows, in place of what the content type says.
    #[must_use]
    pub fn format(mut self, format: RowFormat) -> Self {
        self.limits.format = Some(format);
        self
    }

    /// The rows one by one, in the form that the content type names: a JSON array, JSON lines, or CSV with a header.
    /// Where it says nothing, the first character decides. What is read as what is the same as in
    /// [`ExportResponse::rows`].
    ///
    /// # Errors
    /// [`ErrorKind::Response`](crate::ErrorKind::Response) when the answer's content type is none of rows, such as HTML.
    pub fn rows<T: FromRow>(self) -> Result<Rows<T>, Error> {
        let reader = RowReader::labelled(ResponseMeta::of(&self.response), self.limits.format.clone())?;
        let reader = reader.row_limit(self.limits.row);
        Ok(Rows::new(reader, self.pieces()))
    }

    /// The bytes piece by piece as they come, compression undone.
    ///
    /// The stream ends with an error when the body breaks off or stops coming: a cut body is never a short one.
    pub fn bytes(self) -> impl Stream<Item = Result<Bytes, Error>> + Send + Unpin + use<> {
        self.pieces()
    }

    /// The bytes as they come, compression undone, for those who read: parsers, decoders, `tokio::io::copy` into a file.
    ///
    /// ```no_run
    /// # async fn example(show: perenso::Perenso) -> Result<(), Box<dyn std::error::Error>> {
    /// let answer = show.exports().run("Vendors").stream().await?;
    /// let mut file = tokio::fs::File::create("vendors.json.part").await?;
    /// tokio::io::copy_buf(&mut answer.reader(), &mut file).await?;
    /// // Whole: a body that broke off would have been an error.
    /// tokio::fs::rename("vendors.json.part", "vendors.json").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// Errors of the call are within those of the reading: [`io::Error::get_ref`] gives an [`Error`].
    pub fn reader(self) -> impl AsyncBufRead + Send + Unpin + use<> {
        StreamReader::new(self.pieces().map_err(io::Error::other))
    }

    /// The whole answer.
    ///
    /// # Errors
    /// When the body breaks off, stops coming, or is larger than the limit of the client.
    pub async fn read(self) -> Result<ExportResponse, Error> {
        Ok(ExportResponse::read(self.response).await?.formatted(self.limits.format))
    }

    fn pieces(self) -> BoxStream<'static, Result<Bytes, Error>> {
        let (label, limit) = (ResponseMeta::of(&self.response), self.limits.total);
        let pieces = self.response.into_stream().map_err(Error::from);
        let limited = try_unfold((pieces.boxed(), limit), move |(mut pieces, left)| {
            let label = label.clone();
            async move {
                let Some(piece) = pieces.try_next().await? else { return Ok(None) };
                match left.checked_sub(piece.len() as u64) {
                    Some(left) => Ok(Some((piece, (pieces, left)))),
                    None => Err(label.refusal(&format!("it is larger than the limit of {limit} bytes"))),
                }
            }
        });
        limited.boxed()
    }
}

impl fmt::Debug for ExportStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExportStream")
            .field("status", &self.status())
            .field("content_type", &self.content_type())
            .finish_non_exhaustive()
    }
}
