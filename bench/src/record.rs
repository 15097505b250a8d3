//! Measures the reading of one record against a plain `derive(Deserialize)` of the same fields.

use std::{hint::black_box, time::Instant};

use perenso::types::Customer;
use serde::de::DeserializeOwned;

use crate::{
    rival,
    server::CUSTOMER,
    table::{Bound, Table, medians},
};

const RECORDS: u32 = 2_000;

/// A record with the fields that a list of changes has.
const SPARSE: &str = r#"{"id":"jggkh3","customerID":"5041","customerName":"Trade Store 0001","state":"North Dakota"}"#;

/// Prints the time per full and per sparse record.
pub(crate) fn measure(table: &mut Table, rounds: usize) {
    for (what, json) in [("a full record of 1 KB", CUSTOMER), ("a record of four fields", SPARSE)] {
        let turns: Vec<_> = (0..rounds)
            .map(|round| {
                if round % 2 == 0 {
                    let ours = nanoseconds::<Customer>(json);
                    (ours, nanoseconds::<rival::Customer>(json))
                } else {
                    let theirs = nanoseconds::<rival::Customer>(json);
                    (nanoseconds::<Customer>(json), theirs)
                }
            })
            .collect();
        let (ours, theirs, ratio) = medians(&turns);
        let rival = format!("`derive(Deserialize)`: {theirs:.0} ns");
        table.ratio(&format!("{what}, read"), &format!("{ours:.0} ns"), &rival, ratio, Bound::AtMost(1.1));
    }
}

fn nanoseconds<T: DeserializeOwned>(json: &str) -> f64 {
    let start = Instant::now();
    for _ in 0..RECORDS {
        drop(black_box(serde_json::from_str::<T>(black_box(json)).unwrap()));
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(RECORDS)
}
