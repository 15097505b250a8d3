//! A bulk upsert, built step by step.

use std::future::Future;

use perenso_auth::CallOptions;

use super::{Bulk, BulkProgress, BulkReport, Record};
use crate::{client::Perenso, error::Error};

/// A bulk upsert, from [`Customers::upsert`](crate::Customers::upsert) or [`Vendors::upsert`](crate::Vendors::upsert).
#[derive(Debug)]
#[must_use = "a bulk upsert is sent by `send`"]
pub struct BulkUpsert<R> {
    show: Perenso,
    bulk: Bulk<R>,
}

impl<R: Record> BulkUpsert<R> {
    pub(crate) fn new(show: &Perenso, records: impl IntoIterator<Item = R>) -> Self {
        Self { show: show.clone(), bulk: Bulk::new(R::OPERATION, records) }
    }

    /// Sets how many records go out in one call; 500 without it. The vendor documents no limit.
    pub fn batch_size(mut self, records: usize) -> Self {
        self.bulk.set_batch_size(records);
        self
    }

    /// Calls `call` after each batch, with the counts so far.
    ///
    /// ```no_run
    /// # async fn example(show: perenso::Perenso, from_erp: Vec<perenso::types::CustomerV2>) -> Result<(), perenso::Error> {
    /// let total = from_erp.len();
    /// let upsert = show.customers().upsert(from_erp);
    /// let upsert = upsert.on_progress(move |progress| println!("{} of {total} left", progress.counts.not_sent));
    /// upsert.send().await?;
    /// # Ok(()) }
    /// ```
    pub fn on_progress(mut self, call: impl FnMut(&BulkProgress) + Send + 'static) -> Self {
        self.bulk.on_progress(call);
        self
    }

    /// Stops when `future` completes: the request in flight is waited for, no other is sent, and the remaining records are
    /// [`NotSent`](crate::RecordOutcome::NotSent). While no request is in flight (waiting for the rate budget, a token or a
    /// `Retry-After`) the stop takes effect at once. A batch that was refused with 429 was not processed: it is `NotSent` too.
    ///
    /// ```no_run
    /// # async fn example(
    /// #     show: perenso::Perenso,
    /// #     from_erp: Vec<perenso::types::CustomerV2>,
    /// #     shutdown: tokio::sync::oneshot::Receiver<()>,
    /// # ) -> Result<(), perenso::Error> {
    /// let report = show.customers().upsert(from_erp).stop_when(async { drop(shutdown.await) }).send().await?;
    /// if report.is_stopped() {
    ///     println!("{} records are left for the next run", report.into_retry().len());
    /// }
    /// # Ok(()) }
    /// ```
    pub fn stop_when(mut self, future: impl Future<Output = ()> + Send + 'static) -> Self {
        self.show = self.show.with_options(CallOptions::new().stop_when(future));
        self
    }

    /// Checks that keys are present and unique, without consuming the builder. [`send`](Self::send) checks it too.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = perenso_sandbox::Sandbox::start().await?;
    /// # let show = perenso::Perenso::from_vars(sandbox.vars())?;
    /// use perenso::types::CustomerV2;
    ///
    /// let twice = ["5041", "5041"].map(|id| CustomerV2 { customer_id: id.into(), ..CustomerV2::default() });
    /// let error = show.customers().upsert(twice).check().unwrap_err();
    /// assert_eq!(error.problems(), ["records 0 and 1 have the same `customerID`"]);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// All keys that are missing, empty or there twice, at once: [`Error::problems`].
    pub fn check(&self) -> Result<(), Error> {
        self.bulk.check()
    }

    /// Sends batch after batch, and reports the outcome of every record. A batch that is refused as a whole is split and sent
    /// in halves. A fault ends the upsert.
    ///
    /// # Errors
    /// Before anything is sent: when two records have the same key, a key is empty, or one is missing where it is required, as
    /// that of a customer is.
    pub async fn send(self) -> Result<BulkReport<R>, Error> {
        let Self { show, bulk } = self;
        bulk.send(|| show.options().is_stopped(), |batch, has_keys| R::send(show.clone(), batch, has_keys)).await
    }
}
