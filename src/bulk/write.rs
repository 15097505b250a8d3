//! The builder of a bulk upsert.

use std::future::Future;

use perenso_auth::CallOptions;

use super::{Bulk, BulkProgress, BulkReport, Record};
use crate::{client::Perenso, error::Error};

/// A bulk upsert, from [`Customers::upsert`](crate::Customers::upsert) or [`Vendors::upsert`](crate::Vendors::upsert).
#[derive(Debug)]
#[must_use = "a bulk upsert is sent by `send`"]
pub struct BulkWrite<R> {
    show: Perenso,
    bulk: Bulk<R>,
}

impl<R: Record> BulkWrite<R> {
    pub(crate) fn new(show: &Perenso, records: impl IntoIterator<Item = R>) -> Self {
        Self { show: show.clone(), bulk: Bulk::new(R::OPERATION, records) }
    }

    /// Sets the number of records per request. Defaults to 500; the vendor documents no limit.
    pub fn batch_size(mut self, records: usize) -> Self {
        self.bulk.set_batch_size(records);
        self
    }

    /// Calls `call` after each batch, with the counts so far.
    ///
    /// ```no_run
    /// # use perenso::{Error, Perenso, types::CustomerV2};
    /// # async fn example(show: Perenso, from_erp: Vec<CustomerV2>) -> Result<(), Error> {
    /// let total = from_erp.len();
    /// let upsert = show.customers().upsert(from_erp);
    /// let upsert = upsert.on_progress(move |progress| {
    ///     println!("{} of {total} left", progress.counts.not_sent);
    /// });
    /// upsert.send().await?;
    /// # Ok(()) }
    /// ```
    pub fn on_progress(mut self, call: impl FnMut(&BulkProgress) + Send + 'static) -> Self {
        self.bulk.on_progress(call);
        self
    }

    /// Stops the upsert when `future` completes.
    ///
    /// It waits for the request in flight and sends no other; the remaining records are
    /// [`NotSent`](crate::RecordOutcome::NotSent). The stop takes effect at once while no request is in flight: during a wait for
    /// the rate budget, a token or `Retry-After`. A batch refused with 429 was not processed, so it is `NotSent` too.
    ///
    /// ```no_run
    /// # async fn example(
    /// #     show: perenso::Perenso,
    /// #     from_erp: Vec<perenso::types::CustomerV2>,
    /// #     shutdown: tokio::sync::oneshot::Receiver<()>,
    /// # ) -> Result<(), perenso::Error> {
    /// let upsert = show.customers().upsert(from_erp);
    /// let report = upsert.stop_when(async { drop(shutdown.await) }).send().await?;
    /// if report.is_stopped() {
    ///     println!("{} records are left for the next run", report.into_retry().len());
    /// }
    /// # Ok(()) }
    /// ```
    pub fn stop_when(mut self, future: impl Future<Output = ()> + Send + 'static) -> Self {
        self.show = self.show.with_options(CallOptions::new().stop_when(future));
        self
    }

    /// Checks that keys are present and unique, without consuming the builder. [`send`](Self::send) does the same check.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = perenso_sandbox::Sandbox::start().await?;
    /// # let show = perenso::Perenso::from_vars(sandbox.vars())?;
    /// use perenso::types::CustomerV2;
    ///
    /// let customer = CustomerV2 { customer_id: "5041".into(), ..CustomerV2::default() };
    /// let twice = [customer.clone(), customer];
    /// let error = show.customers().upsert(twice).check().unwrap_err();
    /// assert_eq!(error.problems(), ["records 0 and 1 have the same `customerID`"]);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Keys are missing, empty or duplicate. [`Error::problems`] lists all of them.
    pub fn check(&self) -> Result<(), Error> {
        self.bulk.check()
    }

    /// Sends all batches and reports the outcome of every record. A batch that is refused as a whole is split and sent in
    /// halves. Any other error ends the upsert; see [`BulkReport::error`](crate::BulkReport::error).
    ///
    /// # Errors
    /// Two records have the same key, a key is empty, or a required key is missing. Nothing is sent then.
    pub async fn send(self) -> Result<BulkReport<R>, Error> {
        let Self { show, bulk } = self;
        bulk.send(|| show.options().is_stopped(), |batch, has_keys| R::send(show.clone(), batch, has_keys)).await
    }
}
