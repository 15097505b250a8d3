//! Customers.

use fastrand::Rng;
use serde::Serialize;

use super::{phone, state, warehouse};
use crate::model::reference::Reference;
use crate::model::seeded::Key;

pub(crate) const KEY: Key = Key::new("customerID", "C", 5);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Customer {
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

/// Makes the customer with this number.
pub(crate) fn seeded(number: u64, random: &mut Rng) -> Customer {
    Customer {
        key: KEY.of(number),
        customer_name: name(number),
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
        warehouse: warehouse::KEY.of(random.u64(1..=warehouse::COUNT)),
        class: Reference::CustomerClass.any(random),
        order_permission_key: random.u32(1..5),
        primary_sales_rep: Reference::SalesRep.any(random),
        sales_reps: [Reference::SalesRep.any(random)],
        ordering_groups: [],
        extra1: None,
    }
}

pub(crate) fn name(number: u64) -> String {
    format!("Trade Store {number:04}")
}
