//! Orders: made-up ones with lines that refer to seeded records, and the list of them with its filters.

use std::sync::Arc;

use axum::Router;
use axum::extract::{RawQuery, State as Context};
use axum::response::Response;
use axum::routing::get;
use chrono::{NaiveDate, NaiveDateTime, TimeDelta};
use fastrand::Rng;
use serde::Serialize;
use serde_json::Value;

use crate::answer::{Refusal, wrong_method};
use crate::clock::written;
use crate::list::{ListQuery, moment, parameter};
use crate::product::{self, hundredths};
use crate::seed::{self, CUSTOMER, VENDOR, WAREHOUSE, WAREHOUSES};
use crate::seeded::Key;
use crate::show::Show;
use crate::state::State;
use crate::table::Row;

/// Orders have no key but their id; purchase orders are numbered like them.
pub(crate) const KEY: Key = Key::new("orderID", "ORDER", 5);
const PURCHASE_ORDER: Key = Key::new("purchaseOrder", "PO", 5);

pub(crate) fn routes(show: &Arc<Show>) -> Router {
    Router::new().route("/Order", get(list).fallback(wrong_method)).with_state(show.clone())
}

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

/// The `number`th order, of one of so many customers for some of so many products: at least one of each.
pub(crate) fn seeded(number: u64, modified: NaiveDateTime, customers: u64, products: u64, random: &mut Rng) -> Order {
    let customer = random.u64(1..=customers);
    let warehouse = random.u64(1..=WAREHOUSES);
    let delivery = modified.date() + TimeDelta::days(random.i64(7..90));
    let line = |line: u64, random: &mut Rng| {
        let product = random.u64(1..=products);
        let cents = random.u64(100..20_000);
        let has_allowance = random.bool();
        let allowance =
            Allowance { allowance_description: "Show allowance", component_name: "Show", benefit_type: "Discount" };
        Line {
            modified_date: written(modified),
            key: line.to_string(),
            customer: Named { id: CUSTOMER.of(customer), name: seed::customer_name(customer) },
            product: Described { id: product::KEY.of(product), description: product::description(product) },
            order_unit: product::UNITS[random.usize(..product::UNITS.len())].0,
            delivery_date: written(delivery.into()),
            quantity: random.u64(1..50),
            order_type: "REGULAR",
            price: hundredths(if has_allowance { cents * 9 / 10 } else { cents }),
            base_price: hundredths(cents),
            vendor: Named {
                id: VENDOR.of(product::vendor(product)),
                name: seed::vendor_name(product::vendor(product)),
            },
            warehouse: Described { id: WAREHOUSE.of(warehouse), description: seed::warehouse_name(warehouse) },
            purchase_order: PurchaseOrder { id: PURCHASE_ORDER.of(number), notes: "" },
            allowances: has_allowance.then_some(allowance).into_iter().collect(),
        }
    };
    let status = if random.bool() { "Open" } else { "Closed" };
    Order { status, items: (1..=random.u64(1..4)).map(|number| line(number, random)).collect() }
}

/// The parameters of the list that are filters.
const FILTERS: [&str; 9] = [
    "customerid",
    "productid",
    "vendorid",
    "status",
    "ordertype",
    "datelastmodified",
    "deliverydate",
    "deliverydatetill",
    "ponumber",
];

/// Which orders a call asks for: those with a line that fits. The whole order is shown then.
struct Filter {
    status: Option<String>,
    modified: Option<NaiveDateTime>,
    /// Where the text of a line stands, and which it must be.
    texts: Vec<(&'static str, String)>,
    from: Option<NaiveDate>,
    till: Option<NaiveDate>,
}

impl Filter {
    fn read(query: Option<&str>) -> Result<Self, Refusal> {
        let get = |name| parameter(query, name);
        let time = |name| get(name).map(|text| moment(name, &text)).transpose();
        let day = |name| time(name).map(|time| time.map(|time| time.date()));
        let places = [
            ("customerid", "/customer/id"),
            ("productid", "/product/id"),
            ("vendorid", "/vendor/id"),
            ("ordertype", "/orderType"),
            ("ponumber", "/purchaseOrder/id"),
        ];
        let (from, till) = (day("deliverydate")?, day("deliverydatetill")?);
        Ok(Self {
            status: get("status"),
            modified: time("datelastmodified")?,
            texts: places.into_iter().filter_map(|(name, place)| Some((place, get(name)?))).collect(),
            from,
            // A single day, where no end of a range is named.
            till: till.or(from),
        })
    }

    fn fits(&self, order: Row<'_>) -> bool {
        self.modified.is_none_or(|since| order.modified().0 >= since)
            && self.status.as_ref().is_none_or(|status| order.field("status") == **status)
            && order.field("items").as_array().is_some_and(|lines| lines.iter().any(|line| self.fits_line(line)))
    }

    fn fits_line(&self, line: &Value) -> bool {
        let text = |place| line.pointer(place).and_then(Value::as_str);
        let delivery = text("/deliveryDate").and_then(|text| text.parse().ok()).map(|time: NaiveDateTime| time.date());
        self.texts.iter().all(|(place, wanted)| text(place) == Some(wanted))
            && self.from.is_none_or(|from| delivery.is_some_and(|day| day >= from))
            && self.till.is_none_or(|till| delivery.is_some_and(|day| day <= till))
    }
}

async fn list(Context(show): Context<Arc<Show>>, RawQuery(query): RawQuery) -> Result<Response, Refusal> {
    let filter = Filter::read(query.as_deref())?;
    let query = ListQuery::read(query.as_deref(), Some("OrderLine"), &FILTERS)?.only(move |order| filter.fits(order));
    let State { tables, behavior, .. } = &*show.state();
    query.answer(&tables.orders, "order", behavior)
}
