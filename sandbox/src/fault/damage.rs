//! Damage: what becomes of an answer that is cut, comes slowly, or does not come.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::header::{CONTENT_LENGTH, HeaderValue};
use axum::http::{Response, StatusCode};
use hyper::body::Frame;
use tokio::time::{Sleep, sleep};

/// The answer of a [`Fault::CutBody`].
pub(crate) async fn half(answer: Response<Body>) -> Result<Response<Body>, Dropped> {
    let (parts, body) = answer.into_parts();
    let body = to_bytes(body, usize::MAX).await.map_err(|_| Dropped::Closed)?;
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Dropped {
    #[error("closed on order")]
    Closed,
    #[error("reset on order")]
    Reset,
}

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
        Poll::Ready(Some(Err(Dropped::Closed)))
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
