//! The answer of a run on its way: rows one by one, or the bytes as they come.

use std::fmt;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt};
use http::StatusCode;
use perenso_auth::Response;

use super::{answer::ExportAnswer, raw::FromRow, rows::Rows};
use crate::error::Error;

/// The answer of a run on its way. Nothing more of it is fetched than is read.
///
/// `Debug` shows status and content type only.
pub struct ExportStream {
    response: Response,
}

impl ExportStream {
    pub(crate) fn new(response: Response) -> Self {
        Self { response }
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

    /// The rows one by one.
    ///
    /// # Errors
    /// When the answer's content type is none of rows.
    pub fn rows<T: FromRow + Send + 'static>(self) -> Result<Rows<T>, Error> {
        Ok(Rows::of(self))
    }

    /// The bytes piece by piece as they come, compression undone.
    ///
    /// The stream ends with an error when the body breaks off or stops coming: a cut body is never a short one.
    pub fn bytes(self) -> impl Stream<Item = Result<Bytes, Error>> + Send + Unpin + use<> {
        self.response.into_stream().map_err(Error::from).boxed()
    }

    /// The whole answer.
    ///
    /// # Errors
    /// When the body breaks off, stops coming, or is larger than the limit of the client.
    pub async fn read(self) -> Result<ExportAnswer, Error> {
        ExportAnswer::read(self.response).await
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
