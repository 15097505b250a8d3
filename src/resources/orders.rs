//! Orders: list, with the filters of the vendor's sample, and update of lines in bulk.

use crate::{
    bulk::{BatchResponse, BulkWrite, FailedEntry, Record, SucceededEntry, Successful},
    client::Perenso,
    error::Error,
    generated::{operations, prelude::*},
    lists::{Changes, List, Watermark},
    records::{Id, JsonRecord, Timestamp},
    resources::Resource,
    types::*,
};

impl Perenso {
    /// Returns the calls on orders: list, changes and bulk update of lines.
    pub fn orders(&self) -> Orders<'_> {
        Orders::new(self)
    }
}

/// The orders of a show.
#[derive(Clone, Copy, Debug)]
pub struct Orders<'a> {
    show: &'a Perenso,
}

impl<'a> Orders<'a> {
    pub(crate) fn new(show: &'a Perenso) -> Self {
        Self { show }
    }

    #[cfg_attr(partial_facade, cfg(facade = "orders().list()"))]
    /// Returns a list of all orders, which can be filtered. Only the lines of an order have types; other fields are kept
    /// unchanged.
    ///
    /// ```no_run
    /// # async fn example(show: perenso::Perenso) -> Result<(), Box<dyn std::error::Error>> {
    /// use futures_util::TryStreamExt;
    ///
    /// let orders = show.orders().list().customer("5041").delivery_date("2026-07-22");
    /// let mut orders = orders.stream();
    /// while let Some(order) = orders.try_next().await? {
    ///     println!("{} lines", order.items.as_slice().len());
    /// }
    /// # Ok(()) }
    /// ```
    #[doc(alias("Get a list of orders", "GET /Order", "/Order"))]
    pub fn list(&self) -> List<Order> {
        // No field is known to identify an order, so pages are compared as a whole.
        List::new(self.show, &operations::ORDER_LIST, |_| None).modified_after_parameter("datelastmodified")
    }

    #[cfg_attr(partial_facade, cfg(facade = "orders().changes()"))]
    /// Reads everything that changed since a watermark: a date, a timestamp, or the watermark of the previous read.
    ///
    /// See [`Changes`] for the guarantees.
    ///
    /// The newest `modifiedDate` of its lines is that of an order. No field is known to identify an order, so the result
    /// contains an order that changes during the read in both versions.
    #[doc(alias("datelastmodified"))]
    pub fn changes(&self, since: impl Into<Watermark>) -> Changes<Order> {
        Changes::new(self.list(), since.into(), newest_line)
    }

    /// Returns the order with this id.
    ///
    /// The path `/Order/{id}` is inferred, since the vendor's pages do not show it. The fields are not shown either.
    ///
    /// # Errors
    /// [`Error::is_not_found`] if there is none. An invalid id fails before anything is sent.
    #[doc(alias("Retrieve a specific order by ID", "GET /Order/{id}"))]
    pub async fn get(&self, id: impl TryInto<Id, Error: Into<Error>>) -> Result<JsonRecord, Error> {
        Resource::of_records(self.show, "/Order").get(id).await
    }

    #[cfg_attr(partial_facade, cfg(facade = "orders().update()"))]
    /// Updates lines of orders by their `id`, and reports the outcome of every line.
    ///
    /// The `id` of a line is its `orderLineID` in the list, which is inferred from the vendor's samples. A field that is not set
    /// is not sent. A failure belongs to the line with its `id`, or, for an `id` that was not sent, to the line at its
    /// `rownumber`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = perenso_sandbox::Sandbox::start().await?;
    /// # let show = perenso::Perenso::from_vars(sandbox.vars())?;
    /// use perenso::types::OrderLineUpdate;
    ///
    /// let orders = show.orders().list().send().await?;
    /// let line = orders[0].items.as_slice()[0].order_line_id.clone();
    /// let update = OrderLineUpdate {
    ///     id: line,
    ///     order_qty: 12.into(),
    ///     ..OrderLineUpdate::default()
    /// };
    /// let report = show.orders().update([update]).send().await?;
    /// assert!(report.all_succeeded());
    /// # Ok(()) }
    /// ```
    #[doc(alias("Bulk update orders", "PUT /Order", "/Order"))]
    pub fn update(&self, lines: impl IntoIterator<Item = OrderLineUpdate>) -> BulkWrite<OrderLineUpdate> {
        BulkWrite::new(self.show, lines)
    }
}

#[cfg_attr(partial_facade, cfg(facade = "orders().update()"))]
impl Record for OrderLineUpdate {
    const OPERATION: &'static str = operations::ORDER_BULK_UPDATE.id;
    const KEY: Option<&'static str> = Some("id");
    const KEY_IS_REQUIRED: bool = true;

    fn key(&self) -> Option<&str> {
        self.id.as_deref()
    }

    async fn send(show: Perenso, items: Vec<Self>, _: bool) -> Result<BatchResponse, Error> {
        let updates = OrderUpdates { items, ..OrderUpdates::default() };
        let response = show.api().order_bulk_update().body(updates).send().await?.into_inner();
        // The response names a line by its key alone.
        let success = |key: &String| SucceededEntry { key: Some(key.clone()), id: Some(key.clone()) };
        let failure = |failure: OrderBulkFailure| FailedEntry {
            key: failure.id.get().cloned(),
            row: failure.rownumber.get().copied(),
            reasons: failure.error_desc.get().map(|reasons| reasons.to_vec()).unwrap_or_default(),
        };
        Ok(BatchResponse {
            successful: Successful::Entries(response.successful.iter().map(success).collect()),
            failed: response.failed.into_iter().map(failure).collect(),
        })
    }
}

#[cfg_attr(partial_facade, cfg(facade = "orders().changes()"))]
/// Returns the newest `modifiedDate` of the lines, or `None` if a line has no valid one.
fn newest_line(order: &Order) -> Option<Timestamp> {
    let mut newest: Option<&Timestamp> = None;
    for line in order.items.as_slice() {
        let time = line.modified_date.get().filter(|time| time.date().is_some())?;
        if newest.and_then(|newest| newest.chronological_cmp(time)).is_none_or(|order| order.is_lt()) {
            newest = Some(time);
        }
    }
    newest.cloned()
}

#[cfg_attr(partial_facade, cfg(facade = "orders().list()"))]
/// The filters of orders. The vendor does not document the accepted values of status and type.
impl List<Order> {
    #[cfg_attr(partial_facade, cfg(facade = "orders().list().customer()"))]
    /// Keeps only orders of this customer.
    #[doc(alias("customerid"))]
    pub fn customer(self, id: impl Into<String>) -> Self {
        self.filter("customerid", id)
    }

    #[cfg_attr(partial_facade, cfg(facade = "orders().list().product()"))]
    /// Keeps only orders of this product.
    #[doc(alias("productid"))]
    pub fn product(self, id: impl Into<String>) -> Self {
        self.filter("productid", id)
    }

    #[cfg_attr(partial_facade, cfg(facade = "orders().list().vendor()"))]
    /// Keeps only orders at this vendor.
    #[doc(alias("vendorid"))]
    pub fn vendor(self, id: impl Into<String>) -> Self {
        self.filter("vendorid", id)
    }

    #[cfg_attr(partial_facade, cfg(facade = "orders().list().status()"))]
    /// Keeps only orders of this status.
    pub fn status(self, status: impl Into<String>) -> Self {
        self.filter("status", status)
    }

    #[cfg_attr(partial_facade, cfg(facade = "orders().list().order_type()"))]
    /// Keeps only orders of this type. The vendor's sample shows `REGULAR`.
    #[doc(alias("ordertype"))]
    pub fn order_type(self, order_type: impl Into<String>) -> Self {
        self.filter("ordertype", order_type)
    }

    #[cfg_attr(partial_facade, cfg(facade = "orders().list().po_number()"))]
    /// Keeps only orders with this purchase order number.
    #[doc(alias("ponumber"))]
    pub fn po_number(self, number: impl Into<String>) -> Self {
        self.filter("ponumber", number)
    }

    #[cfg_attr(partial_facade, cfg(facade = "orders().list().delivery_date()"))]
    /// Keeps only orders with this delivery date, or from this date on if [`delivery_until`](Self::delivery_until) is set.
    #[doc(alias("deliverydate"))]
    pub fn delivery_date(self, date: impl Into<Timestamp>) -> Self {
        self.filter_time("deliverydate", date.into())
    }

    #[cfg_attr(partial_facade, cfg(facade = "orders().list().delivery_until()"))]
    /// Keeps only orders with a delivery date up to this one.
    #[doc(alias("deliverydatetill"))]
    pub fn delivery_until(self, date: impl Into<Timestamp>) -> Self {
        self.filter_time("deliverydatetill", date.into())
    }
}
