//! Booths.

use fastrand::Rng;
use serde::Serialize;

use crate::model::seeded::Key;

pub(crate) const COUNT: u64 = 12;
pub(crate) const KEY: Key = Key::new("boothID", "BOOTH", 4);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Booth {
    #[serde(rename = "boothID")]
    key: String,
    booth_name: String,
}

/// Makes the booth with this number.
pub(crate) fn seeded(number: u64, _: &mut Rng) -> Booth {
    Booth { key: KEY.of(number), booth_name: format!("Made-up Booth {number}") }
}
