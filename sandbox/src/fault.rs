//! Faults: what goes wrong on order.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue};
use axum::http::{Response, StatusCode};
use hyper::body::Frame;
use tokio::time::{Sleep, sleep};

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
    /// (A long export is made as a whole for this.)
    CutBody,
    /// The request is processed; the answer is chunked, and the connection ends after so many bytes of its body, or at
    /// the end of a shorter one, so that no client can take it for whole. What a slow reader has not taken off the
    /// connection by then may be lost with it.
    CutAfter(u64),
    /// The request is processed; the answer is chunked, and its body comes in pieces, each after a pause.
    Slow {
        /// How many bytes a piece has at most; zero counts as one.
        piece: usize,
        /// Before every piece; real time and not that of the sandbox's clock.
        pause: Duration,
    },
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

    /// A [`Fault::Status`] with a small HTML page, as a proxy or a login form answers it, with 200 too.
    #[must_use]
    pub fn page(code: u16) -> Self {
        Self::Status {
            code,
            content_type: "text/html; charset=utf-8".to_owned(),
            body: format!("<!DOCTYPE html><html><body><h1>A test ordered this {code}</h1></body></html>").into(),
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
pub(crate) async fn half(answer: Response<Body>) -> Result<Response<Body>, Dropped> {
    let (parts, body) = answer.into_parts();
    let body = to_bytes(body, usize::MAX).await.map_err(|_| Dropped)?;
    let length = body.len();
    let mut answer = cut(Response::from_parts(parts, Body::from(body)), length as u64 / 2);
    answer.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length.max(1)));
    Ok(answer)
}

/// The answer of a [`Fault::CutAfter`].
pub(crate) fn cut(answer: Response<Body>, after: u64) -> Response<Body> {
    let mut answer = with_body(answer, |body| Body::new(CutBody { body, left: after, waiting: None }));
    if answer.status() == StatusCode::NO_CONTENT {
        // A 204 has no body that could be cut.
        *answer.status_mut() = StatusCode::OK;
    }
    answer
}

/// The answer of a [`Fault::Slow`].
pub(crate) fn slow(answer: Response<Body>, piece: usize, pause: Duration) -> Response<Body> {
    with_body(answer, |body| {
        Body::new(SlowBody { body, rest: Bytes::new(), piece: piece.max(1), pause, waiting: Box::pin(sleep(pause)) })
    })
}

/// The answer with another body, of unknown length.
fn with_body(answer: Response<Body>, change: impl FnOnce(Body) -> Body) -> Response<Body> {
    let mut answer = answer.map(change);
    answer.headers_mut().remove(CONTENT_LENGTH);
    answer
}

/// What ends the connection.
#[derive(Debug, thiserror::Error)]
#[error("dropped on order")]
pub(crate) struct Dropped;

type Polled<E> = Poll<Option<Result<Frame<Bytes>, E>>>;

const MOMENT: Duration = Duration::from_millis(20);

/// A body that ends in an error.
struct CutBody {
    body: Body,
    left: u64,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl hyper::body::Body for CutBody {
    type Data = Bytes;
    type Error = Dropped;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Polled<Dropped> {
        if self.left > 0 {
            match ready!(Pin::new(&mut self.body).poll_frame(context)).and_then(data) {
                Some(mut bytes) => {
                    bytes.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
                    self.left -= bytes.len() as u64;
                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                }
                None => self.left = 0,
            }
        }
        // hyper throws away what it has not written yet when a body fails: a body that is not ready makes it write, and
        // the reader gets a moment to make room for that.
        ready!(self.waiting.get_or_insert_with(|| Box::pin(sleep(MOMENT))).as_mut().poll(context));
        Poll::Ready(Some(Err(Dropped)))
    }
}

/// A body that comes bit by bit.
struct SlowBody {
    body: Body,
    rest: Bytes,
    piece: usize,
    pause: Duration,
    waiting: Pin<Box<Sleep>>,
}

impl hyper::body::Body for SlowBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Polled<axum::Error> {
        while self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => self.rest = frame.into_data().unwrap_or_default(),
                end => return Poll::Ready(end),
            }
        }
        if !self.pause.is_zero() {
            ready!(self.waiting.as_mut().poll(context));
            self.waiting = Box::pin(sleep(self.pause));
        }
        let piece = self.piece.min(self.rest.len());
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(piece)))))
    }
}

/// The bytes of a frame; nothing where the body has failed or sends something else, which ends what is cut anyway.
fn data(frame: Result<Frame<Bytes>, axum::Error>) -> Option<Bytes> {
    frame.ok()?.into_data().ok()
}
