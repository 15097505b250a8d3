//! Measures the rows per second of an export read one by one, against the whole body and `serde_json` by hand.

use std::time::Instant;

use futures_util::TryStreamExt;
use perenso::Perenso;
use serde::Deserialize;

use crate::{
    call, rival,
    server::{FIRST_TOKEN, Server, Terms, runtime},
    table::{Bound, Table, medians},
};

/// An order line, as both read it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code)]
pub(crate) struct OrderLine {
    #[serde(rename = "orderID")]
    order_id: String,
    line: u32,
    #[serde(rename = "customerID")]
    customer_id: String,
    #[serde(rename = "productID")]
    product_id: String,
    description: String,
    pub(crate) quantity: u64,
    unit_price: f64,
    delivery_date: String,
    confirmed: bool,
    #[serde(rename = "warehouseID")]
    warehouse_id: Option<String>,
}

/// Prints rows per second.
pub(crate) fn measure(table: &mut Table, turns: usize, thousands: usize) {
    let server = Server::start(Terms::LASTING);
    let runtime = runtime(2);
    let show = call::show(&server);
    let (http, url) = (rival::client(), format!("{}/Export/rows", server.url));
    let sdk = || {
        let start = Instant::now();
        let sum = runtime.block_on(stream(&show, thousands));
        (thousands as f64 / start.elapsed().as_secs_f64(), sum)
    };
    let by_hand = || {
        let start = Instant::now();
        let sum = runtime.block_on(async {
            let request = http.post(&url).bearer_auth(FIRST_TOKEN).body(format!("{{\"Count\":{thousands}}}"));
            let body = request.send().await.unwrap().error_for_status().unwrap().bytes().await.unwrap();
            let rows: Vec<OrderLine> = serde_json::from_slice(&body).unwrap();
            rows.iter().map(|row| row.quantity).sum::<u64>()
        });
        (thousands as f64 / start.elapsed().as_secs_f64(), sum)
    };
    assert_eq!(sdk().1, by_hand().1);
    let rates: Vec<(f64, f64)> = (0..turns)
        .map(|turn| match turn % 2 {
            0 => {
                let ours = sdk().0;
                (ours, by_hand().0)
            }
            _ => {
                let theirs = by_hand().0;
                (sdk().0, theirs)
            }
        })
        .collect();
    let (ours, theirs, ratio) = medians(&rates);
    table.ratio(
        &format!("{thousands},000 rows of an export, read into a struct"),
        &format!("one by one: {:.2} million rows/s", ours / 1000.0),
        &format!("whole body, `from_slice::<Vec<_>>`: {:.2} million rows/s", theirs / 1000.0),
        ratio,
        Bound::AtLeast(1.7),
    );
}

/// Reads `thousands` thousand rows one by one, and returns the sum of their quantities.
pub(crate) async fn stream(show: &Perenso, thousands: usize) -> u64 {
    let run = show.exports().run("Rows").value("Count", thousands);
    let mut rows = run.rows::<OrderLine>().await.unwrap();
    let (mut sum, mut count) = (0, 0);
    while let Some(row) = rows.try_next().await.unwrap() {
        sum += row.quantity;
        count += 1;
    }
    assert_eq!(count, thousands * 1000);
    sum
}
