//! Orders: list, with the filters of the vendor's sample.

use crate::{
    client::Perenso,
    generated::operations,
    lists::{Changes, List, Watermark},
    records::Timestamp,
    types::Order,
};

impl Perenso {
    /// Returns the calls on orders: list.
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
}

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

/// The filters of orders. The vendor does not document the accepted values of status and type.
impl List<Order> {
    /// Keeps only orders of this customer.
    #[doc(alias("customerid"))]
    pub fn customer(self, id: impl Into<String>) -> Self {
        self.filter("customerid", id)
    }

    /// Keeps only orders of this product.
    #[doc(alias("productid"))]
    pub fn product(self, id: impl Into<String>) -> Self {
        self.filter("productid", id)
    }

    /// Keeps only orders at this vendor.
    #[doc(alias("vendorid"))]
    pub fn vendor(self, id: impl Into<String>) -> Self {
        self.filter("vendorid", id)
    }

    /// Keeps only orders of this status.
    pub fn status(self, status: impl Into<String>) -> Self {
        self.filter("status", status)
    }

    /// Keeps only orders of this type. The vendor's sample shows `REGULAR`.
    #[doc(alias("ordertype"))]
    pub fn order_type(self, order_type: impl Into<String>) -> Self {
        self.filter("ordertype", order_type)
    }

    /// Keeps only orders with this purchase order number.
    #[doc(alias("ponumber"))]
    pub fn po_number(self, number: impl Into<String>) -> Self {
        self.filter("ponumber", number)
    }

    /// Keeps only orders with this delivery date, or from this date on if [`delivery_until`](Self::delivery_until) is set.
    #[doc(alias("deliverydate"))]
    pub fn delivery_date(self, date: impl Into<Timestamp>) -> Self {
        self.filter_time("deliverydate", date.into())
    }

    /// Keeps only orders with a delivery date up to this one.
    #[doc(alias("deliverydatetill"))]
    pub fn delivery_until(self, date: impl Into<Timestamp>) -> Self {
        self.filter_time("deliverydatetill", date.into())
    }
}
