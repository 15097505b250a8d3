//! Warehouses.

use fastrand::Rng;
use serde::Serialize;

use crate::model::seeded::Key;

pub(crate) const COUNT: u64 = 3;
pub(crate) const KEY: Key = Key::new("warehouseID", "WH", 4);

#[derive(Serialize)]
pub(crate) struct Warehouse {
    #[serde(rename = "warehouseID")]
    key: String,
    description: String,
}

/// Makes the warehouse with this number.
pub(crate) fn seeded(number: u64, _: &mut Rng) -> Warehouse {
    Warehouse { key: KEY.of(number), description: name(number) }
}

pub(crate) fn name(number: u64) -> String {
    format!("Made-up Warehouse {number}")
}
