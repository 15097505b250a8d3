//! Response bodies made of rows. A body is generated while it is sent.

use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use hyper::body::Frame;

use crate::model::rows::{RowSyntax, RowWriter, Rows};

/// Returns all rows as a JSON array.
pub(crate) fn array(rows: Rows) -> Response {
    let all = 0..rows.count();
    // Records always serialise.
    let body = body(rows, all, RowSyntax::Array).unwrap_or_default();
    ([(CONTENT_TYPE, RowSyntax::Array.content_type())], body).into_response()
}

/// Returns a body with the rows of a range. It has a known length if it fits into one piece.
pub(crate) fn body(rows: Rows, range: Range<u64>, syntax: RowSyntax) -> serde_json::Result<Body> {
    let mut writer = rows.writer(range, syntax);
    let first = writer.next().transpose()?.unwrap_or_default().into();
    if writer.is_over() {
        return Ok(Body::from(first));
    }
    Ok(Body::new(RowStream { first: Some(first), writer }))
}

/// A body that generates a piece when the connection has room for it.
struct RowStream {
    first: Option<Bytes>,
    writer: RowWriter,
}

impl hyper::body::Body for RowStream {
    type Data = Bytes;
    type Error = serde_json::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<serde_json::Result<Frame<Bytes>>>> {
        let piece = self.first.take().map(Ok).or_else(|| Some(self.writer.next()?.map(Bytes::from)));
        Poll::Ready(piece.map(|piece| piece.map(Frame::data)))
    }
}
