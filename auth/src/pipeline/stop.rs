//! The stop of calls: a future that ends their waits, but does not cancel a request in flight.

use std::{fmt, pin::pin};

use futures_util::{
    FutureExt,
    future::{BoxFuture, Either, Shared, select},
};

/// A future that requests a stop when it completes.
#[derive(Clone)]
pub(crate) struct Stop(Shared<BoxFuture<'static, ()>>);

impl Stop {
    pub(crate) fn new(future: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(future.boxed().shared())
    }

    /// Requests a stop when either of the two does.
    pub(crate) fn or(self, other: Self) -> Self {
        if self.0.ptr_eq(&other.0) { self } else { Self::new(select(self.0, other.0).map(drop)) }
    }

    pub(crate) fn is_requested(&self) -> bool {
        self.0.clone().now_or_never().is_some()
    }
}

impl fmt::Debug for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stop")
    }
}

/// The output of `future`, or `None` once a stop is requested, even if the output is ready.
pub(crate) async fn unless_stopped<F: Future>(stop: Option<&Stop>, future: F) -> Option<F::Output> {
    let Some(stop) = stop else { return Some(future.await) };
    match select(stop.0.clone(), pin!(future)).await {
        Either::Left(((), _)) => None,
        Either::Right((output, _)) => Some(output),
    }
}
