//! Damaged responses: cut, slowed down, or dropped.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::header::{CONTENT_LENGTH, HeaderValue};
use axum::http::{Response, StatusCode};
use hyper::body::Frame;
use tokio::time::{Sleep, sleep};

/// Applies a [`Fault::CutBody`](crate::Fault::CutBody).
pub(crate) async fn cut_in_half(response: Response<Body>) -> Result<Response<Body>, Dropped> {
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.map_err(|_| Dropped::Closed)?;
    let length = body.len();
    let mut response = cut_after(Response::from_parts(parts, Body::from(body)), length as u64 / 2);
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length.max(1)));
    Ok(response)
}

/// Applies a [`Fault::CutAfter`](crate::Fault::CutAfter).
pub(crate) fn cut_after(response: Response<Body>, after: u64) -> Response<Body> {
    let mut response = with_body(response, |body| Body::new(CutBody { body, left: after, waiting: None }));
    if response.status() == StatusCode::NO_CONTENT {
        // A 204 has no body to cut.
        *response.status_mut() = StatusCode::OK;
    }
    response
}

/// Applies a [`Fault::Slow`](crate::Fault::Slow).
pub(crate) fn slow_down(response: Response<Body>, piece: usize, pause: Duration) -> Response<Body> {
    with_body(response, |body| {
        Body::new(SlowBody { body, rest: Bytes::new(), piece: piece.max(1), pause, waiting: Box::pin(sleep(pause)) })
    })
}

/// Replaces the body by one of unknown length.
fn with_body(response: Response<Body>, change: impl FnOnce(Body) -> Body) -> Response<Body> {
    let mut response = response.map(change);
    response.headers_mut().remove(CONTENT_LENGTH);
    response
}

/// The end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Dropped {
    #[error("closed on order")]
    Closed,
    #[error("reset on order")]
    Reset,
}

type Polled<E> = Poll<Option<Result<Frame<Bytes>, E>>>;

const FLUSH_DELAY: Duration = Duration::from_millis(20);

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
        // hyper discards what it has not written when a body fails. A body that is not ready makes hyper write, and the
        // delay gives the reader time to receive it.
        ready!(self.waiting.get_or_insert_with(|| Box::pin(sleep(FLUSH_DELAY))).as_mut().poll(context));
        Poll::Ready(Some(Err(Dropped::Closed)))
    }
}

/// A body that is sent in small pieces.
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

/// Returns the bytes of a frame, or `None` for trailers and errors, which end the body.
fn data(frame: Result<Frame<Bytes>, axum::Error>) -> Option<Bytes> {
    frame.ok()?.into_data().ok()
}
