//! The rows of an answer, one by one.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::{Stream, StreamExt, TryStreamExt, stream};

use super::{raw::FromRow, stream::ExportStream};
use crate::error::Error;

/// The rows of an answer, one by one.
///
/// A row that does not fit is an error of kind [`ErrorKind::Row`](crate::ErrorKind::Row) with its number, and the stream
/// goes on when it is polled again. Every other error is its last item.
pub struct Rows<T> {
    inner: Pin<Box<dyn Stream<Item = Result<T, Error>> + Send>>,
    received: u64,
}

impl<T: FromRow + Send + 'static> Rows<T> {
    pub(crate) fn of(answer: ExportStream) -> Self {
        let rows = async move { Ok::<_, Error>(stream::iter(answer.read().await?.rows::<T>()?).map(Ok)) };
        Self { inner: stream::once(rows).try_flatten().boxed(), received: 0 }
    }
}

impl<T> Rows<T> {
    /// How many rows the answer has given so far, those that did not fit included.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received
    }
}

impl<T> Stream for Rows<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = self.inner.poll_next_unpin(context);
        if let Poll::Ready(Some(Ok(_))) = &next {
            self.received += 1;
        }
        next
    }
}

impl<T> fmt::Debug for Rows<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows").field("received", &self.received).finish_non_exhaustive()
    }
}
