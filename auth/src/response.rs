//! The answer of a call that succeeded, to be read as JSON, text, bytes or a stream.

use std::{borrow::Cow, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, stream::try_unfold};
use http::{HeaderMap, StatusCode, header::CONTENT_TYPE};
use serde::de::DeserializeOwned;

use crate::{
    body::{self, Failure},
    clock::Clock,
    decode::decode,
    error::{Error, ErrorKind},
};

/// What is known of a call when its answer is there, for the errors of reading it.
#[derive(Clone)]
pub(crate) struct Trip {
    pub(crate) operation: Cow<'static, str>,
    pub(crate) attempts: u32,
    pub(crate) waited: Duration,
    pub(crate) may_have_written: bool,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) idle: Duration,
    pub(crate) largest_body: usize,
}

impl Trip {
    pub(crate) fn error(&self, kind: ErrorKind, detail: impl Into<String>) -> Error {
        Error::new(kind, self.operation.clone(), detail).with(|inner| {
            inner.attempts = self.attempts;
            inner.waited = self.waited;
            inner.may_have_written = self.may_have_written;
        })
    }
}

/// A successful answer whose body is still to be read.
pub struct Response {
    pub(crate) inner: reqwest::Response,
    pub(crate) trip: Trip,
}

impl Response {
    /// The status, always a success.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.inner.status()
    }

    /// The headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.inner.headers()
    }

    /// The headers, to be taken.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        self.inner.headers_mut()
    }

    /// The `Content-Type` as it came, without blanks around it.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        content_type(self.headers())
    }

    /// The id that the server gave to the request.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        request_id(self.headers())
    }

    /// How many requests went out for this call.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.trip.attempts
    }

    /// How long the call waited for the rate budget.
    #[must_use]
    pub fn waited(&self) -> Duration {
        self.trip.waited
    }

    /// The whole body.
    ///
    /// # Errors
    /// When it breaks off, stops coming, or is larger than the limit of the client.
    pub async fn bytes(self) -> Result<Bytes, Error> {
        let Self { inner, trip } = self;
        let status = inner.status();
        let id = request_id(inner.headers()).map(str::to_owned);
        body::collect(inner, trip.largest_body, trip.clock.as_ref(), trip.idle).await.map_err(|failure| {
            broken_body(&trip, failure).with(|inner| {
                inner.status = Some(status);
                inner.request_id = id;
            })
        })
    }

    /// The whole body as text.
    ///
    /// # Errors
    /// As [`bytes`](Self::bytes), and [`ErrorKind::Decode`] when it is not UTF-8: nothing is replaced in silence.
    pub async fn text(self) -> Result<String, Error> {
        let trip = self.trip.clone();
        let status = self.status();
        let bytes = self.bytes().await?;
        String::from_utf8(bytes.into()).map_err(|_| {
            trip.error(ErrorKind::Decode, "the answer is not UTF-8; read it as bytes")
                .with(|inner| inner.status = Some(status))
        })
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// As [`bytes`](Self::bytes), and [`ErrorKind::Decode`] when it does not fit: with path, expected and found kind,
    /// never the value.
    pub async fn json<T: DeserializeOwned>(self) -> Result<T, Error> {
        self.json_with_headers().await.map(|(value, _)| value)
    }

    /// The body as JSON, and the headers that came before it.
    ///
    /// # Errors
    /// As [`json`](Self::json).
    pub async fn json_with_headers<T: DeserializeOwned>(mut self) -> Result<(T, HeaderMap), Error> {
        let headers = std::mem::take(self.headers_mut());
        let (status, trip) = (self.status(), self.trip);
        let broken = |error: Error| {
            error.with(|inner| {
                inner.status = Some(status);
                inner.request_id = request_id(&headers).map(str::to_owned);
            })
        };
        let bytes = body::collect(self.inner, trip.largest_body, trip.clock.as_ref(), trip.idle)
            .await
            .map_err(|failure| broken(broken_body(&trip, failure)))?;
        match decode(&bytes) {
            Ok(value) => Ok((value, headers)),
            Err(misfit) => {
                let foreign = content_type(&headers).filter(|text| !text.to_ascii_lowercase().contains("json"));
                let of_type = foreign.map_or(String::new(), |foreign| format!(", of content type `{}`", cut(foreign)));
                let detail = format!("the answer ({}{of_type}) cannot be read: {misfit}", status.as_u16());
                Err(broken(trip.error(ErrorKind::Decode, detail)).with(|inner| {
                    inner.body = Some(bytes.slice(..bytes.len().min(crate::call::LARGEST_ERROR_BODY)));
                }))
            }
        }
    }

    /// Reads what is left of a small body and drops it, so that the connection can serve the next call.
    pub async fn discard(self) {
        let Self { inner, trip } = self;
        body::part(inner, crate::call::LARGEST_ERROR_BODY, trip.clock.as_ref(), trip.idle).await;
    }

    /// The body piece by piece, however long it takes, as long as it keeps coming.
    ///
    /// The stream ends with an error when the body breaks off or stops coming: a cut body is never a short one.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, Error>> + Send + use<> {
        try_unfold(self, |mut response| async move {
            let chunk = body::chunk(&mut response.inner, response.trip.clock.as_ref(), response.trip.idle).await;
            match chunk {
                Ok(chunk) => Ok(chunk.map(|chunk| (chunk, response))),
                Err(failure) => {
                    let id = response.request_id().map(str::to_owned);
                    Err(broken_body(&response.trip, failure).with(|inner| {
                        inner.status = Some(response.status());
                        inner.request_id = id;
                    }))
                }
            }
        })
    }
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Response")
            .field("operation", &self.trip.operation)
            .field("status", &self.status())
            .field("attempts", &self.trip.attempts)
            .finish_non_exhaustive()
    }
}

fn broken_body(trip: &Trip, failure: Failure) -> Error {
    match failure {
        Failure::TooLarge => {
            let detail = format!("the answer is larger than {} bytes; read it as a stream", trip.largest_body);
            trip.error(ErrorKind::TooLarge, detail)
        }
        Failure::Idle => {
            trip.error(ErrorKind::Timeout, format!("nothing more of the answer's body came for {:?}", trip.idle))
        }
        Failure::Broken(source) => {
            // reqwest calls both a decode error; the decompressor's own are I/O errors.
            let cause = std::error::Error::source(&source);
            let of_decompressor = source.is_decode() && cause.is_some_and(|cause| cause.is::<std::io::Error>());
            let what = if of_decompressor { "cannot be decompressed" } else { "broke off" };
            trip.error(ErrorKind::Broken, format!("the answer's body {what}"))
                .with(|inner| inner.source = Some(Arc::new(source.without_url())))
        }
    }
}

fn content_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(CONTENT_TYPE)?.to_str().ok().map(str::trim)
}

/// The id that a server gave to the request, under the names that are in use.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<&str> {
    ["x-request-id", "request-id", "x-correlation-id", "x-ms-request-id"]
        .iter()
        .find_map(|name| headers.get(*name)?.to_str().ok())
        .map(cut)
}

/// Text of a server, cut to what fits a line.
fn cut(text: &str) -> &str {
    text.get(..100).unwrap_or(text)
}
