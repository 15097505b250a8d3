//! Measures the check of a request against its serialisation alone.

use std::{hint::black_box, time::Instant};

use chrono::{DateTime, Utc};
use perenso::{
    exports::{Bound, Catalog},
    schemars::{self, JsonSchema},
};
use serde::Serialize;

use crate::table::{Bound as Limit, Table, medians};

const CHECKS: u32 = 20_000;

/// Ten parameters of all data types, with strings as long as typical names and cities.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
struct Sales<'s> {
    cursor: u64,
    limit: u32,
    since: DateTime<Utc>,
    until: DateTime<Utc>,
    city: &'s str,
    vendor: &'s str,
    warehouse: String,
    open: bool,
    confirmed: bool,
    minimum: i64,
}

const CATALOG: &str = r#"[{"id": "79aag9", "name": "Sales", "parameters": [
    {"name": "Cursor", "dataType": "Integer"}, {"name": "Limit", "dataType": "Integer"},
    {"name": "Since", "dataType": "DateTime"}, {"name": "Until", "dataType": "DateTime"},
    {"name": "City", "dataType": "Text"}, {"name": "Vendor", "dataType": "Text"},
    {"name": "Warehouse", "dataType": "Text"}, {"name": "Open", "dataType": "Boolean"},
    {"name": "Confirmed", "dataType": "Boolean"}, {"name": "Minimum", "dataType": "Integer"}]}]"#;

/// Prints the time to check values, and to check and serialise them.
pub(crate) fn measure(table: &mut Table, rounds: usize) {
    let catalog: Catalog = serde_json::from_str(CATALOG).unwrap();
    let bound: Bound<Sales> = catalog.bind("Sales").unwrap();
    let time = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
    let sales = Sales {
        cursor: 1,
        limit: 500,
        since: time(1_667_206_800),
        until: time(1_667_293_199),
        city: "Exampleville",
        vendor: "Example Wholesale Ltd",
        warehouse: "Warehouse 12".to_owned(),
        open: true,
        confirmed: false,
        minimum: -250,
    };
    let mut serialised = || drop(black_box(serde_json::to_vec(black_box(&sales)).unwrap()));
    let mut checked = || drop(black_box(bound.check(black_box(&sales)).unwrap()));
    let mut sent = || {
        let request = bound.check(black_box(&sales)).unwrap();
        drop(black_box(serde_json::to_vec(&request.body()).unwrap()));
    };
    let mut rounds_of = |what: &str, ours: &mut dyn FnMut(), limit: Limit| {
        let turns: Vec<_> = (0..rounds).map(|_| (nanoseconds(ours), nanoseconds(&mut serialised))).collect();
        let (ours, theirs, ratio) = medians(&turns);
        let rival = format!("`serde_json::to_vec`: {theirs:.0} ns");
        table.ratio(what, &format!("{ours:.0} ns"), &rival, ratio, limit);
    };
    rounds_of("the check of a request of ten parameters", &mut checked, Limit::AtMost(3.0));
    rounds_of("the same and its body written", &mut sent, Limit::None);
}

fn nanoseconds(run: &mut dyn FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..CHECKS {
        run();
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(CHECKS)
}
