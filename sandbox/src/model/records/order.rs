//! Orders, with lines that refer to made-up customers, products, vendors and warehouses.

use chrono::{NaiveDateTime, TimeDelta};
use fastrand::Rng;
use serde::Serialize;

use super::{customer, hundredths, product, vendor, warehouse};
use crate::model::seeded::Key;
use crate::model::timestamp::format_timestamp;

/// Orders have no key but their id. Purchase orders are numbered like them.
pub(crate) const KEY: Key = Key::new("orderID", "ORDER", 5);
const PURCHASE_ORDER: Key = Key::new("purchaseOrder", "PO", 5);

#[derive(Serialize)]
pub(crate) struct Order {
    status: &'static str,
    items: Vec<Line>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    modified_date: String,
    #[serde(rename = "orderLineID")]
    key: String,
    customer: Named,
    product: Described,
    order_unit: &'static str,
    delivery_date: String,
    quantity: u64,
    order_type: &'static str,
    price: f64,
    base_price: f64,
    vendor: Named,
    warehouse: Described,
    purchase_order: PurchaseOrder,
    allowances: Vec<Allowance>,
}

#[derive(Serialize)]
struct Named {
    id: String,
    name: String,
}

#[derive(Serialize)]
struct Described {
    id: String,
    description: String,
}

#[derive(Serialize)]
struct PurchaseOrder {
    id: String,
    notes: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Allowance {
    allowance_description: &'static str,
    component_name: &'static str,
    benefit_type: &'static str,
}

/// Returns the key of a line, which no other line of the show has.
fn line_key(order: u64, line: u64) -> String {
    format!("{order}{line}")
}

/// The `number`th order, of one of so many customers for some of so many products: at least one of each.
pub(crate) fn seeded(number: u64, modified: NaiveDateTime, customers: u64, products: u64, random: &mut Rng) -> Order {
    let buyer = random.u64(1..=customers);
    let depot = random.u64(1..=warehouse::COUNT);
    let delivery = modified.date() + TimeDelta::days(random.i64(7..90));
    let line = |line: u64, random: &mut Rng| {
        let product = random.u64(1..=products);
        let cents = random.u64(100..20_000);
        let has_allowance = random.bool();
        let allowance =
            Allowance { allowance_description: "Show allowance", component_name: "Show", benefit_type: "Discount" };
        Line {
            modified_date: format_timestamp(modified),
            key: line_key(number, line),
            customer: Named { id: customer::KEY.of(buyer), name: customer::name(buyer) },
            product: Described { id: product::KEY.of(product), description: product::description(product) },
            order_unit: product::UNITS[random.usize(..product::UNITS.len())].0,
            delivery_date: format_timestamp(delivery.into()),
            quantity: random.u64(1..50),
            order_type: "REGULAR",
            price: hundredths(if has_allowance { cents * 9 / 10 } else { cents }),
            base_price: hundredths(cents),
            vendor: Named {
                id: vendor::KEY.of(product::vendor_of(product)),
                name: vendor::name(product::vendor_of(product)),
            },
            warehouse: Described { id: warehouse::KEY.of(depot), description: warehouse::name(depot) },
            purchase_order: PurchaseOrder { id: PURCHASE_ORDER.of(number), notes: "" },
            allowances: has_allowance.then_some(allowance).into_iter().collect(),
        }
    };
    let status = if random.bool() { "Open" } else { "Closed" };
    Order { status, items: (1..=random.u64(1..4)).map(|number| line(number, random)).collect() }
}
