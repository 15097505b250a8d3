//! Orders: list, by the filters that the vendor's sample shows.

use crate::{
    client::Perenso,
    generated::operations,
    lists::{Changes, List, Watermark},
    records::Timestamp,
    types::Order,
};

impl Perenso {
    /// Orders: list.
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

    /// All orders, or those that fit the filters. Of an order, only its lines are known; the rest is kept as it came.
    ///
    /// ```no_run
    /// # async fn example(show: perenso::Perenso) -> Result<(), Box<dyn std::error::Error>> {
    /// use futures_util::TryStreamExt;
    ///
    /// let mut orders = show.orders().list().customer("5041").delivery_date("2026-07-22").stream();
    /// while let Some(order) = orders.try_next().await? {
    ///     println!("{} lines", order.items.as_slice().len());
    /// }
    /// # Ok(()) }
    /// ```
    #[doc(alias("Get a list of orders", "GET /Order", "/Order"))]
    pub fn list(&self) -> List<Order> {
        // No field of an order is known to tell it from others, so pages are compared as a whole.
        List::new(self.show, &operations::ORDER_LIST, |_| None).changed_since_by("datelastmodified")
    }

    /// Reads everything that changed since a watermark: a date, a timestamp, or what the read before returned.
    ///
    /// See [`Changes`] for what is promised.
    ///
    /// An order shows its `modifiedDate` in its lines, and the newest of them counts. No field is known to tell one order from
    /// others, so an order that changes during the read is in the result as it was before, too.
    #[doc(alias("datelastmodified"))]
    pub fn changes(&self, since: impl Into<Watermark>) -> Changes<Order> {
        Changes::new(self.list(), since.into(), newest_line)
    }
}

/// Returns the newest `modifiedDate` of the lines; nothing where one of them has none that can be read.
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

/// The filters of orders. What values the vendor accepts for status and type is not documented.
impl List<Order> {
    /// Only orders of this customer.
    #[doc(alias("customerid"))]
    pub fn customer(self, id: impl Into<String>) -> Self {
        self.filter("customerid", id)
    }

    /// Only orders of this product.
    #[doc(alias("productid"))]
    pub fn product(self, id: impl Into<String>) -> Self {
        self.filter("productid", id)
    }

    /// Only orders at this vendor.
    #[doc(alias("vendorid"))]
    pub fn vendor(self, id: impl Into<String>) -> Self {
        self.filter("vendorid", id)
    }

    /// Only orders of this status.
    pub fn status(self, status: impl Into<String>) -> Self {
        self.filter("status", status)
    }

    /// Only orders of this type; the vendor's sample shows `REGULAR`.
    #[doc(alias("ordertype"))]
    pub fn order_type(self, order_type: impl Into<String>) -> Self {
        self.filter("ordertype", order_type)
    }

    /// Only orders with this purchase order number.
    #[doc(alias("ponumber"))]
    pub fn po_number(self, number: impl Into<String>) -> Self {
        self.filter("ponumber", number)
    }

    /// Only orders to be delivered on this date, or from it on when [`delivery_until`](Self::delivery_until) is set too.
    #[doc(alias("deliverydate"))]
    pub fn delivery_date(self, date: impl Into<Timestamp>) -> Self {
        self.filter_time("deliverydate", date.into())
    }

    /// Only orders to be delivered up to this date.
    #[doc(alias("deliverydatetill"))]
    pub fn delivery_until(self, date: impl Into<Timestamp>) -> Self {
        self.filter_time("deliverydatetill", date.into())
    }
}
