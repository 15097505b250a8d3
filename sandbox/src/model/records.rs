//! Made-up records, one file per type. Each follows from the seed and its number.

pub(crate) mod attendee;
pub(crate) mod booth;
pub(crate) mod customer;
pub(crate) mod order;
pub(crate) mod ordering_groups;
pub(crate) mod product;
pub(crate) mod vendor;
pub(crate) mod warehouse;

use fastrand::Rng;

const STATES: [&str; 4] = ["North Dakota", "Ohio", "Oregon", "Vermont"];

/// Returns a phone number from the range that is reserved for fiction.
fn phone(random: &mut Rng) -> String {
    format!("(555) 555-01{:02}", random.u32(0..100))
}

fn state(random: &mut Rng) -> &'static str {
    STATES[random.usize(..STATES.len())]
}

/// Converts an amount in hundredths.
fn hundredths(amount: u64) -> f64 {
    // The amounts of made-up products are small enough for an exact float.
    amount as f64 / 100.0
}
