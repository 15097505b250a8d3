//! Seeded data: made-up records that are the same for the same seed.

use fastrand::Rng;
use serde::Serialize;

use crate::seeded::{Key, Seeded};
use crate::show::Tables;
use crate::table::Table;

const WAREHOUSES: u64 = 3;
const VENDORS: u64 = 8;
const BOOTHS: u64 = 12;
const ATTENDEES: u64 = 2;
const STATES: [&str; 4] = ["North Dakota", "Ohio", "Oregon", "Vermont"];

const WAREHOUSE: Key = Key::new("warehouseID", "WH", 4);
const VENDOR: Key = Key::new("vendorID", "V", 4);
const BOOTH: Key = Key::new("boothID", "BOOTH", 4);
const ATTENDEE: Key = Key::new("attendeeID", "A", 4);
const CUSTOMER: Key = Key::new("customerID", "C", 5);

/// The tables of a fresh show.
pub(crate) fn tables(seed: u64, customers: usize) -> Tables {
    let mut random = Rng::with_seed(seed);
    let mut seeds = move || random.u64(..);
    Tables {
        warehouses: table(seeds(), WAREHOUSES, WAREHOUSE, warehouse),
        vendors: table(seeds(), VENDORS, VENDOR, vendor),
        booths: table(seeds(), BOOTHS, BOOTH, booth),
        attendees: table(seeds(), ATTENDEES, ATTENDEE, attendee),
        customers: table(seeds(), customers as u64, CUSTOMER, customer),
    }
}

fn table<R: Serialize + 'static>(seed: u64, count: u64, key: Key, make: fn(u64, &mut Rng) -> R) -> Table {
    Table::new(Seeded::new(seed, count, key, move |number, random| {
        // A struct of texts and numbers can always be written.
        serde_json::to_string(&make(number, random)).unwrap_or_else(|_| "{}".to_owned())
    }))
}

#[derive(Serialize)]
struct Warehouse {
    #[serde(rename = "warehouseID")]
    key: String,
    description: String,
}

fn warehouse(number: u64, _: &mut Rng) -> Warehouse {
    Warehouse { key: WAREHOUSE.of(number), description: format!("Made-up Warehouse {number}") }
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
    brokers: [String; 0],
    booths: [String; 1],
}

fn vendor(number: u64, random: &mut Rng) -> Vendor {
    Vendor {
        key: VENDOR.of(number),
        vendor_name: format!("Exhibitor {number:04}"),
        email_address: format!("exhibitor{number:04}@example.com"),
        phone: phone(random),
        city: "Sampletown",
        state: state(random),
        active: true,
        can_negotiate_at_show: random.bool(),
        test_vendor: false,
        allotted_user_count: random.u32(1..20),
        brokers: [],
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
        customer_name: format!("Trade Store {number:04}"),
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
        allowance_group: format!("AG{:02}", random.u32(1..100)),
        delivery_group: format!("{:04}", random.u32(0..10_000)),
        warehouse: WAREHOUSE.of(random.u64(1..=WAREHOUSES)),
        class: random.uppercase().to_string(),
        order_permission_key: random.u32(1..5),
        primary_sales_rep: format!("USER{:04}", random.u32(1..50)),
        sales_reps: [format!("USER{:04}", random.u32(50..100))],
        ordering_groups: [],
        extra1: None,
    }
}

/// A number from the range that is set aside for fiction.
fn phone(random: &mut Rng) -> String {
    format!("(555) 555-01{:02}", random.u32(0..100))
}

fn state(random: &mut Rng) -> &'static str {
    STATES[random.usize(..STATES.len())]
}
