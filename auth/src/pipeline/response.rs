//! The response of a successful call.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, stream::try_unfold};
use http::{HeaderMap, StatusCode, header::CONTENT_TYPE};
use serde::de::DeserializeOwned;

use crate::{
    pipeline::{
        context::{CallContext, cut, id_header},
        error::{Error, ErrorKind},
    },
    wire::{
        body::{self, Failure, IncomingBody},
        decode::decode_body,
    },
};

/// A successful response. Its body is read as JSON, a string, bytes or a stream.
///
/// ```no_run
/// # async fn example(client: perenso_auth::Client) -> Result<(), Box<dyn std::error::Error>> {
/// let response = client.get("/Customer").send().await?;
/// println!("{} after {} attempts", response.status(), response.attempts());
/// let customers: Vec<serde_json::Value> = response.json().await?;
/// # Ok(()) }
/// ```
pub struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
    pub(crate) context: CallContext,
}

/// The body of a response: still being received, or read as a part of the call.
pub(crate) enum Body {
    // Boxed, since a response is moved often, and those of most calls are read as a part of them.
    Incoming(Box<IncomingBody>),
    Whole(Bytes),
}

impl Response {
    /// The status; always a success.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The headers, mutably.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        &mut self.headers
    }

    /// The `Content-Type` as sent, without surrounding whitespace.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        content_type(&self.headers)
    }

    /// The id that the server gave to the request.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        id_header(&self.headers).map(cut)
    }

    /// Removes the token and the secrets of this call from a string of the server, for errors of the calling crate.
    #[doc(hidden)]
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        self.context.secrets.redact(text)
    }

    /// The number of requests sent for this call.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.context.attempts
    }

    /// The time the call waited for the rate budget, for `Retry-After` and between attempts.
    #[must_use]
    pub fn waited(&self) -> Duration {
        self.context.waited
    }

    /// Reads the whole body.
    ///
    /// # Errors
    /// Fails if the body is incomplete, stalls, or is larger than the limit of the client.
    pub async fn bytes(mut self) -> Result<Bytes, Error> {
        self.read().await
    }

    /// Reads the whole body as a string.
    ///
    /// # Errors
    /// Fails as [`bytes`](Self::bytes) does, and with [`ErrorKind::Decode`] if it is not UTF-8: no byte is replaced.
    pub async fn text(mut self) -> Result<String, Error> {
        let bytes = self.read().await?;
        let not_utf8 = || self.error(ErrorKind::Decode, "the response is not UTF-8; read it as bytes");
        String::from_utf8(bytes.into()).map_err(|_| not_utf8())
    }

    /// Reads the body as JSON.
    ///
    /// # Errors
    /// Fails as [`bytes`](Self::bytes) does, and with [`ErrorKind::Decode`] if it does not match the type. The error names the path
    /// and the expected and found kind, never the value.
    pub async fn json<T: DeserializeOwned>(mut self) -> Result<T, Error> {
        let bytes = self.read().await?;
        self.decode(&bytes)
    }

    /// Reads the body as JSON and returns it with the headers.
    ///
    /// # Errors
    /// Fails as [`json`](Self::json) does.
    pub async fn json_with_headers<T: DeserializeOwned>(mut self) -> Result<(T, HeaderMap), Error> {
        let bytes = self.read().await?;
        let value = self.decode(&bytes)?;
        Ok((value, self.headers))
    }

    /// Accepts the response as an acknowledgement, whatever its body, and returns its headers. The body is read and dropped,
    /// so that the connection can be reused.
    ///
    /// # Errors
    /// [`ErrorKind::Decode`] for an HTML page, which is sent by a proxy or a login form and acknowledges nothing.
    pub async fn acknowledge(mut self) -> Result<HeaderMap, Error> {
        let is_page = self.content_type().is_some_and(|text| text.to_ascii_lowercase().starts_with("text/html"));
        let page = is_page.then(|| {
            let detail = format!(
                "the response ({}) is an HTML page, which this operation does not return: it may be from a proxy or a login \
                 form",
                self.status.as_u16()
            );
            self.error(ErrorKind::Decode, detail)
        });
        if let Body::Incoming(body) = &mut self.body {
            self.context.collect_part(body, self.context.idle).await;
        }
        page.map_or(Ok(self.headers), Err)
    }

    /// Returns the body as a stream of chunks. Only the idle timeout applies to it.
    ///
    /// The stream ends with an error if the body is incomplete or stalls.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, Error>> + Send + use<> {
        try_unfold(self, |mut response| async move {
            let chunk = match &mut response.body {
                Body::Incoming(body) => body.chunk(response.context.clock.as_ref(), response.context.idle).await,
                Body::Whole(bytes) => Ok(Some(std::mem::take(bytes)).filter(|bytes| !bytes.is_empty())),
            };
            match chunk {
                Ok(chunk) => Ok(chunk.map(|chunk| (chunk, response))),
                Err(failure) => Err(response.broken(failure)),
            }
        })
    }

    /// Reads the whole body.
    async fn read(&mut self) -> Result<Bytes, Error> {
        match &mut self.body {
            Body::Whole(bytes) => Ok(std::mem::take(bytes)),
            Body::Incoming(body) => {
                // Boxed, since a body that is read already needs no room for it.
                let bytes = Box::pin(self.context.collect(body)).await;
                bytes.map_err(|failure| self.broken(failure))
            }
        }
    }

    /// Reads JSON from the whole body.
    fn decode<T: DeserializeOwned>(&self, bytes: &Bytes) -> Result<T, Error> {
        decode_body(bytes).map_err(|mismatch| {
            let other = self.content_type().filter(|value| !value.to_ascii_lowercase().contains("json"));
            let of_type = other.map_or(String::new(), |other| format!(", of content type `{}`", cut(other)));
            let detail = format!("the response ({}{of_type}) cannot be read: {mismatch}", self.status.as_u16());
            // The path contains field names of the server.
            let detail = self.context.secrets.redact(&detail);
            self.error(ErrorKind::Decode, detail).with(|inner| {
                inner.body = Some(bytes.slice(..bytes.len().min(body::MAX_ERROR_BODY_BYTES)));
            })
        })
    }

    fn error(&self, kind: ErrorKind, detail: impl Into<String>) -> Error {
        self.context.error_of_response(kind, detail, self.status, &self.headers)
    }

    fn broken(&self, failure: Failure) -> Error {
        self.context.broken(failure, self.status, &self.headers)
    }
}

impl CallContext {
    /// Reads the whole body of a response.
    pub(super) async fn collect(&self, body: &mut IncomingBody) -> Result<Bytes, Failure> {
        body::collect(body, self.max_body_bytes, self.clock.as_ref(), self.idle).await
    }

    /// Reads the start of the body of an error response, as far as it arrives within `timeout`. Also returns its content
    /// coding if that is unknown.
    pub(super) async fn collect_part(&self, body: &mut IncomingBody, timeout: Duration) -> (Bytes, Option<String>) {
        body::part(body, body::MAX_ERROR_BODY_BYTES, self.clock.as_ref(), timeout).await
    }

    fn error_of_response(
        &self,
        kind: ErrorKind,
        detail: impl Into<String>,
        status: StatusCode,
        headers: &HeaderMap,
    ) -> Error {
        self.error(kind, detail).with(|inner| {
            inner.status = Some(status);
            inner.request_id = self.request_id(headers);
        })
    }

    /// Returns the error of a body that was not read to its end.
    pub(super) fn broken(&self, failure: Failure, status: StatusCode, headers: &HeaderMap) -> Error {
        let error = |kind, detail: String| self.error_of_response(kind, detail, status, headers);
        let caused_by = |error: Error, source: reqwest::Error| {
            error.with(|inner| inner.source = Some(Arc::new(source.without_url())))
        };
        match failure {
            Failure::TooLarge => {
                let limit = self.max_body_bytes;
                error(ErrorKind::TooLarge, format!("the response is larger than {limit} bytes; read it as a stream"))
            }
            Failure::Idle => {
                let idle = self.idle;
                error(ErrorKind::Timeout, format!("the response body stalled for {idle:?} (`Timeouts::idle`)"))
            }
            Failure::Broken(source) if source.is_timeout() => {
                let detail = "the response body did not arrive within a timeout of the reqwest builder";
                caused_by(error(ErrorKind::Timeout, detail.to_owned()), source)
            }
            Failure::Broken(source) => {
                let detail = "the connection broke within the response body";
                caused_by(error(ErrorKind::Broken, detail.to_owned()), source)
            }
            Failure::Gzip(cause) => {
                error(ErrorKind::Broken, format!("the response body cannot be decompressed: it {cause}"))
            }
            Failure::UnknownCoding(coding) => {
                let detail = format!(
                    "the response ({}) has the unsupported content coding `{coding}`; request `gzip` or `identity`",
                    status.as_u16()
                );
                error(ErrorKind::Decode, detail)
            }
        }
    }
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Response")
            .field("operation", &self.context.operation)
            .field("status", &self.status())
            .field("attempts", &self.context.attempts)
            .finish_non_exhaustive()
    }
}

fn content_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(CONTENT_TYPE)?.to_str().ok().map(str::trim)
}
