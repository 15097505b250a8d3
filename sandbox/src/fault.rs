//! Faults: what goes wrong on order.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue};
use axum::http::{Response, StatusCode};
use hyper::body::Frame;

/// Something that goes wrong with one request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The request is not processed; this is the answer.
    Status {
        /// The status code. One that HTTP does not have is answered by a 500 that says so.
        code: u16,
        /// The content type; none is sent when this is empty.
        content_type: String,
        /// The body.
        body: Vec<u8>,
        /// Further headers.
        headers: Vec<(String, String)>,
    },
    /// The request is processed after this time, real time and not that of the sandbox's clock.
    Delay(Duration),
    /// The request is processed; the answer's head announces the whole body, half of it comes, then the connection ends.
    CutBody,
    /// The request is processed; the answer is 200 with an empty body.
    EmptyBody,
    /// The request is *not* processed, and the connection ends without an answer.
    DropConnection,
    /// The request *is* processed, and the connection ends without an answer.
    DropAnswer,
}

impl Fault {
    /// A [`Fault::Status`] with a small JSON body.
    #[must_use]
    pub fn status(code: u16) -> Self {
        Self::Status {
            code,
            content_type: "application/json".to_owned(),
            body: format!(r#"{{"error":"ordered_fault","message":"a test ordered this {code}"}}"#).into(),
            headers: Vec::new(),
        }
    }

    /// Adds a header to a [`Fault::Status`]; other faults stay as they are.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        if let Self::Status { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }
}

/// The answer of a [`Fault::Status`].
pub(crate) fn status_answer(
    code: u16,
    content_type: &str,
    body: Vec<u8>,
    headers: &[(String, String)],
) -> Response<Bytes> {
    made(code, content_type, body, headers).unwrap_or_else(|| {
        let mut response = Response::new(Bytes::from_static(b"the ordered answer is not valid HTTP"));
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}

fn made(code: u16, content_type: &str, body: Vec<u8>, headers: &[(String, String)]) -> Option<Response<Bytes>> {
    let mut response = Response::new(Bytes::from(body));
    // 1xx are not answers, hyper does not send them as such.
    *response.status_mut() = StatusCode::from_u16(code).ok().filter(|code| !code.is_informational())?;
    if !content_type.is_empty() {
        let value = HeaderValue::from_str(content_type).ok()?;
        response.headers_mut().insert(CONTENT_TYPE, value);
    }
    for (name, value) in headers {
        let name = HeaderName::try_from(name).ok()?;
        let value = HeaderValue::from_str(value).ok()?;
        response.headers_mut().append(name, value);
    }
    Some(response)
}

/// The answer of a [`Fault::CutBody`].
pub(crate) fn cut(answer: Response<Bytes>) -> Response<Body> {
    let (mut parts, body) = answer.into_parts();
    if parts.status == StatusCode::NO_CONTENT {
        // A 204 has no body that could be cut.
        parts.status = StatusCode::OK;
    }
    parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len().max(1)));
    let half = body.slice(..body.len() / 2);
    Response::from_parts(parts, Body::new(CutBody { half: Some(half), flushed: false }))
}

/// A body that ends in an error after its first half.
struct CutBody {
    half: Option<Bytes>,
    flushed: bool,
}

/// What ends the connection.
#[derive(Debug, thiserror::Error)]
#[error("dropped on order")]
pub(crate) struct Dropped;

impl hyper::body::Body for CutBody {
    type Data = Bytes;
    type Error = Dropped;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Dropped>>> {
        if let Some(half) = self.half.take() {
            return Poll::Ready(Some(Ok(Frame::data(half))));
        }
        // hyper throws away what it has not written yet when a body fails; a body that is not ready makes it write.
        if !std::mem::replace(&mut self.flushed, true) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(Dropped)))
    }
}
