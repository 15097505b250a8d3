//! Attendees.

use fastrand::Rng;
use serde::Serialize;

use crate::model::seeded::Key;

pub(crate) const COUNT: u64 = 2;
pub(crate) const KEY: Key = Key::new("attendeeID", "A", 4);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Attendee {
    #[serde(rename = "attendeeID")]
    key: String,
    first_name: &'static str,
    last_name: String,
    email: String,
}

/// Makes the attendee with this number.
pub(crate) fn seeded(number: u64, _: &mut Rng) -> Attendee {
    Attendee {
        key: KEY.of(number),
        first_name: "Sample",
        last_name: format!("Attendee {number:04}"),
        email: format!("attendee{number:04}@example.com"),
    }
}
