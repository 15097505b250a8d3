//! The tables of a show.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDateTime;
use fastrand::Rng;
use serde::Serialize;
use serde_json::Value;

use super::collections::{Collections, Store};
use super::document::{Document, IdField};
use super::records::{attendee, booth, customer, order, product, vendor, warehouse};
use super::reference::References;
use super::seeded::Key;
use super::table::Table;
use super::timestamp::ModifiedDate;

/// The numbers of made-up records, and the seed that they follow from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seed {
    pub(crate) seed: u64,
    pub(crate) customers: u64,
    pub(crate) products: u64,
    pub(crate) orders: u64,
}

#[derive(Clone)]
pub(crate) struct Tables {
    pub(crate) customers: Table,
    pub(crate) vendors: Table,
    pub(crate) warehouses: Table,
    pub(crate) attendees: Table,
    pub(crate) booths: Table,
    pub(crate) products: Table,
    pub(crate) orders: Table,
    // Nothing is known of the fields of these, so there are no made-up records.
    pub(crate) brokers: Table,
    pub(crate) delivery_drops: Table,
    pub(crate) delivery_groups: Table,
    pub(crate) delivery_ranges: Table,
    pub(crate) ordering_groups: Table,
    pub(crate) sales_reps: Table,
    pub(crate) sales_rep_managers: Table,
    pub(crate) vendor_users: Table,
    /// The order history items, in the order in which they were created. The API does not return them.
    pub(crate) order_history: Arc<Vec<Value>>,
    /// The resources of a document that the sandbox was started with.
    pub(crate) documented: Collections,
    pub(crate) references: References,
    pub(crate) booth_products: BoothProducts,
}

pub(crate) type TableOf = fn(&mut Tables) -> &mut Table;

/// The resources with a table: the path, the name of one record in messages, and the table.
pub(crate) const RESOURCES: [(&str, &str, TableOf); 15] = [
    ("/attendee", "attendee", |tables| &mut tables.attendees),
    ("/Booth", "booth", |tables| &mut tables.booths),
    ("/Broker", "broker", |tables| &mut tables.brokers),
    ("/Customer", "customer", |tables| &mut tables.customers),
    ("/DeliveryDrop", "delivery drop", |tables| &mut tables.delivery_drops),
    ("/DeliveryGroup", "delivery group", |tables| &mut tables.delivery_groups),
    ("/DeliveryRange", "delivery range", |tables| &mut tables.delivery_ranges),
    ("/Order", "order", |tables| &mut tables.orders),
    ("/OrderingGroup", "ordering group", |tables| &mut tables.ordering_groups),
    ("/Product", "product", |tables| &mut tables.products),
    ("/SalesRep", "sales rep", |tables| &mut tables.sales_reps),
    ("/SalesRepManager", "sales rep manager", |tables| &mut tables.sales_rep_managers),
    ("/Vendor", "vendor", |tables| &mut tables.vendors),
    ("/VendorUser", "vendor user", |tables| &mut tables.vendor_users),
    ("/Warehouse", "warehouse", |tables| &mut tables.warehouses),
];

impl Tables {
    /// Changes the ids of records to those that a document describes.
    pub(crate) fn set_id_fields(&mut self, document: &Document) {
        for (path, _, table) in RESOURCES {
            if let Some(id_field) = document.id_field(path) {
                table(self).set_id_field(id_field);
            }
        }
    }

    /// Returns the records of a resource of a document, by the path of its list.
    pub(crate) fn store<'a>(
        &'a mut self,
        path: &'a str,
        id_field: IdField,
        now: NaiveDateTime,
        date: ModifiedDate,
    ) -> Store<'a> {
        match RESOURCES.iter().find(|(own, ..)| *own == path) {
            Some((_, _, table)) => Store::Table { table: table(self), now, date },
            None => Store::Collection { collections: &mut self.documented, path, id_field },
        }
    }

    /// Fills the tables with made-up records.
    pub(crate) fn seeded(seed: Seed) -> Self {
        let Seed { seed, customers, products, orders } = seed;
        let mut random = Rng::with_seed(seed);
        let mut seeds = move || random.u64(..);
        Self {
            warehouses: table(seeds(), warehouse::COUNT, warehouse::KEY, warehouse::seeded),
            vendors: table(seeds(), vendor::COUNT, vendor::KEY, vendor::seeded),
            booths: table(seeds(), booth::COUNT, booth::KEY, booth::seeded),
            attendees: table(seeds(), attendee::COUNT, attendee::KEY, attendee::seeded),
            references: References::default(),
            booth_products: BoothProducts::default(),
            customers: table(seeds(), customers, customer::KEY, customer::seeded),
            products: product_table(seeds(), products),
            orders: order_table(seeds(), orders, customers, products),
            brokers: empty_table(seeds()),
            delivery_drops: empty_table(seeds()),
            delivery_groups: empty_table(seeds()),
            delivery_ranges: empty_table(seeds()),
            ordering_groups: empty_table(seeds()),
            sales_reps: empty_table(seeds()),
            sales_rep_managers: empty_table(seeds()),
            vendor_users: empty_table(seeds()),
            order_history: Arc::default(),
            documented: Collections::default(),
        }
    }
}

fn table<R: Serialize>(seed: u64, count: u64, key: Key, make: impl Fn(u64, &mut Rng) -> R) -> Table {
    Table::seeded(seed, count, key.field, |number, _, random| (Some(key.of(number)), make(number, random)))
}

fn empty_table(seed: u64) -> Table {
    Table::seeded(seed, 0, "id", |_, _, _| (None, Value::Null))
}

/// Products have one record per ordering unit, with the same key.
fn product_table(seed: u64, count: u64) -> Table {
    Table::seeded(seed, count * product::UNITS.len() as u64, product::KEY.field, |number, _, random| {
        (Some(product::KEY.of(product::number_of(number))), product::seeded(number, random))
    })
}

/// Orders refer to customers and products. Without either there are no orders.
fn order_table(seed: u64, count: u64, customers: u64, products: u64) -> Table {
    let count = if customers == 0 || products == 0 { 0 } else { count };
    Table::seeded(seed, count, order::KEY.field, |number, modified, random| {
        (None, order::seeded(number, modified, customers, products, random))
    })
}

/// The keys of the products of each booth, in the order in which they were added.
#[derive(Debug, Clone, Default)]
pub(crate) struct BoothProducts(Arc<BTreeMap<String, Vec<String>>>);

impl BoothProducts {
    pub(crate) fn of(&self, booth: &str) -> &[String] {
        self.0.get(booth).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn add(&mut self, booth: String, products: &[String]) {
        let known = Arc::make_mut(&mut self.0).entry(booth).or_default();
        for product in products {
            if !known.contains(product) {
                known.push(product.clone());
            }
        }
    }

    pub(crate) fn clear(&mut self, booth: &str) {
        Arc::make_mut(&mut self.0).remove(booth);
    }
}
