//! Vendors.

use fastrand::Rng;
use serde::Serialize;

use super::{booth, phone, state};
use crate::model::reference::Reference;
use crate::model::seeded::Key;

pub(crate) const COUNT: u64 = 8;
pub(crate) const KEY: Key = Key::new("vendorID", "V", 4);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Vendor {
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

/// Makes the vendor with this number.
pub(crate) fn seeded(number: u64, random: &mut Rng) -> Vendor {
    Vendor {
        key: KEY.of(number),
        vendor_name: name(number),
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
        booths: [booth::KEY.of(number)],
    }
}

pub(crate) fn name(number: u64) -> String {
    format!("Exhibitor {number:04}")
}
