//! Seeded data: made-up records that are the same for the same seed.

use fastrand::Rng;
use serde::Serialize;

use crate::booth::BoothProducts;
use crate::reference::{Reference, References};
use crate::seeded::{self, Key, Seeded};
use crate::state::{Start, Tables};
use crate::table::Table;
use crate::{order, product};

pub(crate) const WAREHOUSES: u64 = 3;
pub(crate) const VENDORS: u64 = 8;
const BOOTHS: u64 = 12;
const ATTENDEES: u64 = 2;
const STATES: [&str; 4] = ["North Dakota", "Ohio", "Oregon", "Vermont"];

pub(crate) const WAREHOUSE: Key = Key::new("warehouseID", "WH", 4);
pub(crate) const VENDOR: Key = Key::new("vendorID", "V", 4);
const BOOTH: Key = Key::new("boothID", "BOOTH", 4);
const ATTENDEE: Key = Key::new("attendeeID", "A", 4);
pub(crate) const CUSTOMER: Key = Key::new("customerID", "C", 5);

/// The tables of a fresh show.
pub(crate) fn tables(start: &Start) -> Tables {
    let mut random = Rng::with_seed(start.seed);
    let mut seeds = move || random.u64(..);
    let (customers, products) = (start.customers as u64, start.products as u64);
    let mut references = References::default();
    for (reference, key) in &start.references {
        references.add(*reference, key.clone());
    }
    Tables {
        warehouses: table(seeds(), WAREHOUSES, WAREHOUSE, warehouse),
        vendors: table(seeds(), VENDORS, VENDOR, vendor),
        booths: table(seeds(), BOOTHS, BOOTH, booth),
        attendees: table(seeds(), ATTENDEES, ATTENDEE, attendee),
        references,
        booth_products: BoothProducts::default(),
        customers: table(seeds(), customers, CUSTOMER, customer),
        products: table(seeds(), products * product::KEY.each, product::KEY, product::seeded),
        orders: orders(seeds(), start.orders as u64, customers, products),
    }
}

fn table<R: Serialize>(
    seed: u64,
    count: u64,
    key: Key,
    make: impl Fn(u64, &mut Rng) -> R + Send + Sync + 'static,
) -> Table {
    Table::new(Seeded::new(seed, count, key, move |number, random| {
        // A struct of texts and numbers can always be written.
        serde_json::to_string(&make(number, random)).unwrap_or_else(|_| "{}".to_owned())
    }))
}

/// Orders name customers and products: without either there are none.
fn orders(seed: u64, count: u64, customers: u64, products: u64) -> Table {
    let count = if customers == 0 || products == 0 { 0 } else { count };
    table(seed, count, order::KEY, move |number, random| {
        order::seeded(number, seeded::modified(seed, number), customers, products, random)
    })
}

#[derive(Serialize)]
struct Warehouse {
    #[serde(rename = "warehouseID")]
    key: String,
    description: String,
}

fn warehouse(number: u64, _: &mut Rng) -> Warehouse {
    Warehouse { key: WAREHOUSE.of(number), description: warehouse_name(number) }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Vendor {
    #[serde(rename = "vendorID")]
    key: String,
    vendor_name: String,
    email_address: String,
    phone: String,
    city: &'static str,
    state: &'static str,
    active: bool,
    can_negotiate_at_show: bool,
    test_vendor: bool,
    allotted_user_count: u32,
    delivery_group: String,
    brokers: [String; 1],
    booths: [String; 1],
}

fn vendor(number: u64, random: &mut Rng) -> Vendor {
    Vendor {
        key: VENDOR.of(number),
        vendor_name: vendor_name(number),
        email_address: format!("exhibitor{number:04}@example.com"),
        phone: phone(random),
        city: "Sampletown",
        state: state(random),
        active: true,
        can_negotiate_at_show: random.bool(),
        test_vendor: false,
        allotted_user_count: random.u32(1..20),
        delivery_group: Reference::DeliveryGroup.any(random),
        brokers: [Reference::Broker.any(random)],
        booths: [BOOTH.of(number)],
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Booth {
    #[serde(rename = "boothID")]
    key: String,
    booth_name: String,
}

fn booth(number: u64, _: &mut Rng) -> Booth {
    Booth { key: BOOTH.of(number), booth_name: format!("Made-up Booth {number}") }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Attendee {
    #[serde(rename = "attendeeID")]
    key: String,
    first_name: &'static str,
    last_name: String,
    email: String,
}

fn attendee(number: u64, _: &mut Rng) -> Attendee {
    Attendee {
        key: ATTENDEE.of(number),
        first_name: "Sample",
        last_name: format!("Attendee {number:04}"),
        email: format!("attendee{number:04}@example.com"),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Customer {
    #[serde(rename = "customerID")]
    key: String,
    customer_name: String,
    email: String,
    phone: String,
    fax: String,
    price_zone: u32,
    test: bool,
    placeholder: bool,
    street1: String,
    street2: &'static str,
    city: &'static str,
    state: &'static str,
    zip_code: String,
    allowance_group: String,
    delivery_group: String,
    #[serde(rename = "warehouseID")]
    warehouse: String,
    #[serde(rename = "customerClassID")]
    class: String,
    order_permission_key: u32,
    primary_sales_rep: String,
    sales_reps: [String; 1],
    ordering_groups: [String; 0],
    extra1: Option<String>,
}

fn customer(number: u64, random: &mut Rng) -> Customer {
    Customer {
        key: CUSTOMER.of(number),
        customer_name: customer_name(number),
        email: format!("store{number:04}@example.com"),
        phone: phone(random),
        fax: phone(random),
        price_zone: random.u32(1..1000),
        test: false,
        placeholder: false,
        street1: format!("{} Sample Street", random.u32(1..3000)),
        street2: "",
        city: "Sampletown",
        state: state(random),
        zip_code: format!("{:05}", random.u32(0..100_000)),
        allowance_group: Reference::AllowanceGroup.any(random),
        delivery_group: Reference::DeliveryGroup.any(random),
        warehouse: WAREHOUSE.of(random.u64(1..=WAREHOUSES)),
        class: Reference::CustomerClass.any(random),
        order_permission_key: random.u32(1..5),
        primary_sales_rep: Reference::SalesRep.any(random),
        sales_reps: [Reference::SalesRep.any(random)],
        ordering_groups: [],
        extra1: None,
    }
}

pub(crate) fn customer_name(number: u64) -> String {
    format!("Trade Store {number:04}")
}

pub(crate) fn vendor_name(number: u64) -> String {
    format!("Exhibitor {number:04}")
}

pub(crate) fn warehouse_name(number: u64) -> String {
    format!("Made-up Warehouse {number}")
}

/// A number from the range that is set aside for fiction.
fn phone(random: &mut Rng) -> String {
    format!("(555) 555-01{:02}", random.u32(0..100))
}

fn state(random: &mut Rng) -> &'static str {
    STATES[random.usize(..STATES.len())]
}
