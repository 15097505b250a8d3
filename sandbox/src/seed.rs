//! Seeded data: made-up records that are the same for the same seed.

use chrono::{DateTime, TimeDelta};
use fastrand::Rng;
use serde_json::{Map, Value, json};

use crate::show::Tables;
use crate::table::Table;

const WAREHOUSES: usize = 3;
const VENDORS: usize = 8;
const BOOTHS: usize = 12;
const STATES: [&str; 4] = ["North Dakota", "Ohio", "Oregon", "Vermont"];

/// The tables of a fresh show.
pub(crate) fn tables(seed: u64, customers: usize) -> Tables {
    let mut random = Rng::with_seed(seed);
    let mut table = |count, make: fn(usize, &mut Rng) -> Value| filled(&mut random, count, make);
    Tables {
        warehouses: table(WAREHOUSES, warehouse),
        vendors: table(VENDORS, vendor),
        booths: table(BOOTHS, booth),
        attendees: table(2, attendee),
        customers: table(customers, customer),
    }
}

/// A table of records that were written one after the other, from January 2025 on.
fn filled(random: &mut Rng, count: usize, make: fn(usize, &mut Rng) -> Value) -> Table {
    let mut table = Table::new(random.u64(..));
    let mut written = DateTime::UNIX_EPOCH.naive_utc() + TimeDelta::seconds(1_736_100_000);
    for number in 1..=count {
        written += TimeDelta::milliseconds(random.i64(1..60_000) * 10);
        let fields = match make(number, random) {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        let id = table.fresh_id();
        table.insert(id, fields, written);
    }
    table
}

fn warehouse(number: usize, _: &mut Rng) -> Value {
    json!({ "warehouseID": format!("WH{number:04}"), "description": format!("Made-up Warehouse {number}") })
}

fn vendor(number: usize, random: &mut Rng) -> Value {
    json!({
        "vendorID": format!("V{number:04}"),
        "vendorName": format!("Exhibitor {number:04}"),
        "emailAddress": format!("exhibitor{number:04}@example.com"),
        "phone": phone(random),
        "city": "Sampletown",
        "state": STATES[random.usize(..STATES.len())],
        "active": true,
        "canNegotiateAtShow": random.bool(),
        "testVendor": false,
        "allottedUserCount": random.u32(1..20),
        "brokers": [],
        "booths": [format!("BOOTH{number:04}")],
    })
}

fn booth(number: usize, _: &mut Rng) -> Value {
    json!({ "boothID": format!("BOOTH{number:04}"), "boothName": format!("Made-up Booth {number}") })
}

fn attendee(number: usize, _: &mut Rng) -> Value {
    json!({
        "attendeeID": format!("A{number:04}"),
        "firstName": "Sample",
        "lastName": format!("Attendee {number:04}"),
        "email": format!("attendee{number:04}@example.com"),
    })
}

fn customer(number: usize, random: &mut Rng) -> Value {
    json!({
        "customerID": format!("C{number:05}"),
        "customerName": format!("Trade Store {number:04}"),
        "email": format!("store{number:04}@example.com"),
        "phone": phone(random),
        "fax": phone(random),
        "priceZone": random.u32(1..1000),
        "test": false,
        "placeholder": false,
        "street1": format!("{} Sample Street", random.u32(1..3000)),
        "street2": "",
        "city": "Sampletown",
        "state": STATES[random.usize(..STATES.len())],
        "zipCode": format!("{:05}", random.u32(0..100_000)),
        "allowanceGroup": format!("AG{:02}", random.u32(1..100)),
        "deliveryGroup": format!("{:04}", random.u32(0..10_000)),
        "warehouseID": format!("WH{:04}", random.usize(1..=WAREHOUSES)),
        "customerClassID": random.uppercase().to_string(),
        "orderPermissionKey": random.u32(1..5),
        "primarySalesRep": format!("USER{:04}", random.u32(1..50)),
        "salesReps": [format!("USER{:04}", random.u32(50..100))],
        "orderingGroups": [],
        "extra1": null,
    })
}

/// A number from the range that is set aside for fiction.
fn phone(random: &mut Rng) -> String {
    format!("(555) 555-01{:02}", random.u32(0..100))
}
