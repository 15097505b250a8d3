//! The response of an export run as a stream of rows or bytes.

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
    reader::{DEFAULT_MAX_ROW_BYTES, RowReader},
    response::ExportResponse,
    syntax::ResponseMeta,
};
use crate::error::Error;

/// The response of an export run as a stream. Nothing is read ahead.
///
/// `Debug` shows only the status and the content type.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let sandbox = perenso_sandbox::Sandbox::start().await?;
/// # let show = perenso::Perenso::from_vars(sandbox.vars())?;
/// use futures_util::TryStreamExt;
///
/// let run = show.exports().run("Get API Customers");
/// let stream = run.value("Cursor", 1).value("Limit", 15).stream().await?;
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

/// The size limits of a row and a response, and the syntax of the rows.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub(crate) row: usize,
    pub(crate) total: u64,
    pub(crate) format: Option<RowFormat>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { row: DEFAULT_MAX_ROW_BYTES, total: u64::MAX, format: None }
    }
}

impl ExportStream {
    pub(crate) fn new(response: Response) -> Self {
        Self { response, limits: Limits::default() }
    }

    pub(crate) fn limited(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Returns the status, which is always a success.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// Returns the `Content-Type` header.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.response.content_type()
    }

    /// Sets the maximum size of a row in bytes, 16 MiB by default. A larger row is an error that ends the rows, so that an
    /// endless response cannot exhaust the memory. In CSV, each field counts for eight bytes more.
    #[must_use]
    pub fn row_limit(mut self, bytes: usize) -> Self {
        self.limits.row = bytes;
        self
    }

    /// Sets the maximum size of the decompressed response in bytes, unlimited by default. A larger response is an error
    /// after the rows within the limit.
    #[must_use]
    pub fn total_limit(mut self, bytes: u64) -> Self {
        self.limits.total = bytes;
        self
    }

    /// Sets the syntax of the rows and overrides the content type.
    #[must_use]
    pub fn format(mut self, format: RowFormat) -> Self {
        self.limits.format = Some(format);
        self
    }

    /// Returns the rows as a stream. Syntax and conversion are those of [`ExportResponse::rows`].
    ///
    /// # Errors
    /// [`ErrorKind::Response`](crate::ErrorKind::Response) if the content type names no syntax of rows, such as HTML.
    pub fn rows<T: FromRow>(self) -> Result<Rows<T>, Error> {
        let reader = RowReader::with_meta(ResponseMeta::of(&self.response), self.limits.format.clone())?;
        let reader = reader.row_limit(self.limits.row);
        Ok(Rows::new(reader, self.chunks()))
    }

    /// Returns the decompressed body as a stream of chunks.
    ///
    /// A body that breaks off or stalls ends the stream with an error.
    pub fn bytes(self) -> impl Stream<Item = Result<Bytes, Error>> + Send + Unpin + use<> {
        self.chunks()
    }

    /// Returns the decompressed body as a reader, for parsers, decoders or `tokio::io::copy`.
    ///
    /// ```no_run
    /// # async fn example(show: perenso::Perenso) -> Result<(), Box<dyn std::error::Error>> {
    /// let stream = show.exports().run("Vendors").stream().await?;
    /// let mut file = tokio::fs::File::create("vendors.json.part").await?;
    /// tokio::io::copy_buf(&mut stream.reader(), &mut file).await?;
    /// // The body is complete, or `copy_buf` would have failed.
    /// tokio::fs::rename("vendors.json.part", "vendors.json").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// Errors of the call are wrapped: [`io::Error::get_ref`] returns an [`Error`].
    pub fn reader(self) -> impl AsyncBufRead + Send + Unpin + use<> {
        StreamReader::new(self.chunks().map_err(io::Error::other))
    }

    /// Reads the whole response.
    ///
    /// # Errors
    /// Fails if the body breaks off, stalls, or exceeds the limit of the client.
    pub async fn read(self) -> Result<ExportResponse, Error> {
        Ok(ExportResponse::read(self.response).await?.formatted(self.limits.format))
    }

    fn chunks(self) -> BoxStream<'static, Result<Bytes, Error>> {
        let (meta, limit) = (ResponseMeta::of(&self.response), self.limits.total);
        let chunks = self.response.into_stream().map_err(Error::from);
        let limited = try_unfold((chunks.boxed(), limit), move |(mut chunks, left)| {
            let meta = meta.clone();
            async move {
                let Some(chunk) = chunks.try_next().await? else { return Ok(None) };
                match left.checked_sub(chunk.len() as u64) {
                    Some(left) => Ok(Some((chunk, (chunks, left)))),
                    None => Err(meta.error(&format!("it is larger than the limit of {limit} bytes"))),
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
