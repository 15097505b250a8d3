//! Order history: create in bulk.

use crate::{
    bulk::{BatchResponse, BulkWrite, FailedEntry, Record, Successful},
    client::Perenso,
    error::Error,
    generated::{operations, prelude::*},
    types::*,
};

impl Perenso {
    /// Returns the calls on order history: bulk create.
    pub fn order_history(&self) -> OrderHistory<'_> {
        OrderHistory { show: self }
    }
}

/// The order history of a show.
#[derive(Clone, Copy, Debug)]
pub struct OrderHistory<'a> {
    show: &'a Perenso,
}

impl OrderHistory<'_> {
    #[cfg_attr(partial_facade, cfg(facade = "order_history().create()"))]
    /// Creates order history items, in batches of up to 1,000, and never retries a batch that may have been processed.
    ///
    /// The response is a number and failures that name no item. Items count as succeeded only if the number equals that of the
    /// batch and there is no failure. Otherwise they are [`Unaccounted`](crate::RecordOutcome::Unaccounted), and
    /// [`unmatched_failures`](crate::BulkReport::unmatched_failures) has the failures.
    /// [`succeeded_counts`](crate::BulkReport::succeeded_counts) has the numbers.
    ///
    /// The vendor allows 1,000 lines "per session" and does not define a session: a request, the lifetime of a token, or an
    /// import. If the second batch fails for this limit, a session is more than a request.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = perenso_sandbox::Sandbox::start().await?;
    /// # let show = perenso::Perenso::from_vars(sandbox.vars())?;
    /// use perenso::types::OrderHistoryItem;
    ///
    /// let item = OrderHistoryItem {
    ///     customerid: "nobody".into(),
    ///     main_number: 85.into(),
    ///     ..OrderHistoryItem::default()
    /// };
    /// let report = show.order_history().create([item]).send().await?;
    /// for failure in report.unmatched_failures() {
    ///     eprintln!("{:?}: {:?}", failure.id, failure.reasons);
    /// }
    /// # assert!(!report.all_succeeded());
    /// # Ok(()) }
    /// ```
    #[doc(alias("Bulk create order history items", "POST /OrderHistory", "/OrderHistory"))]
    pub fn create(&self, items: impl IntoIterator<Item = OrderHistoryItem>) -> BulkWrite<OrderHistoryItem> {
        BulkWrite::new(self.show, items)
    }
}

#[cfg_attr(partial_facade, cfg(facade = "order_history().create()"))]
impl Record for OrderHistoryItem {
    const OPERATION: &'static str = operations::ORDER_HISTORY_BULK_CREATE.id;
    const KEY: Option<&'static str> = None;
    const KEY_IS_REQUIRED: bool = false;
    const MAX_BATCH_SIZE: usize = 1000;

    fn key(&self) -> Option<&str> {
        None
    }

    async fn send(show: Perenso, history: Vec<Self>, _: bool) -> Result<BatchResponse, Error> {
        let items = OrderHistoryItems { history, ..OrderHistoryItems::default() };
        let response = show.api().order_history_bulk_create().body(items).send().await?.into_inner();
        let failure = |failure: OrderHistoryFailure| FailedEntry {
            key: failure.id.get().cloned(),
            row: None,
            reasons: failure.message.get().map(|reasons| reasons.to_vec()).unwrap_or_default(),
        };
        Ok(BatchResponse {
            // A negative number says nothing about the items, as 0 does.
            successful: Successful::Count(u64::try_from(response.successful).unwrap_or(0)),
            failed: response.failed.into_iter().map(failure).collect(),
        })
    }
}
