//! The made-up export of any size.

#![allow(clippy::unwrap_used)]

#[path = "support/call.rs"]
mod call;

use call::Caller;
use perenso_sandbox::{Export, Sandbox};
use reqwest::Method;
use serde_json::{Value, json};

const PAGED: &str = "/Export/ol26pg";
const SINCE: &str = "/Export/ol26sc";

async fn start(rows: u64) -> (Sandbox, Caller) {
    let builder = Sandbox::builder().export(Export::order_lines(rows)).export(Export::order_lines_since(rows));
    let sandbox = builder.start().await.unwrap();
    let caller = Caller::new(&sandbox);
    (sandbox, caller)
}

async fn rows(caller: &Caller, path: &str, values: Value) -> Vec<Value> {
    let (status, rows) = caller.call(Method::POST, path, Some(values)).await;
    assert_eq!(status, 200, "{rows}");
    rows.as_array().unwrap().clone()
}

#[tokio::test]
async fn a_row_depends_only_on_its_number() {
    let (_sandbox, caller) = start(1000).await;
    let page = caller.request(Method::POST, PAGED).json(&json!({ "Cursor": 2, "Limit": 1 })).send();
    let expected = r#"[{"lineID":2,"orderID":100001,"customerID":"C00036","productID":"010265","upc":"0072568911860","#
        .to_owned()
        + r#""quantity":21,"price":124.29,"amount":2610.09,"discount":261.00,"orderedAt":"2025-01-06T08:00:01.37","#
        + r#""shippedAt":"2025-01-08T08:00:01.37","promotional":true,"note":"Shelf 12\" deep\nFacing: \"eye level\""}]"#;
    assert_eq!(page.await.unwrap().text().await.unwrap(), expected);

    let all = rows(&caller, PAGED, json!({ "Cursor": 1, "Limit": 1000 })).await;
    let (_bigger, other) = start(5000).await;
    assert_eq!(rows(&other, PAGED, json!({ "Cursor": 1, "Limit": 1000 })).await, all);
    let mut pages = Vec::new();
    for cursor in 1..=4 {
        pages.extend(rows(&caller, PAGED, json!({ "Cursor": cursor, "Limit": 300 })).await);
    }
    assert_eq!(pages, all);
}

#[tokio::test]
async fn every_kind_of_value_occurs() {
    let (_sandbox, caller) = start(500).await;
    let all = rows(&caller, SINCE, json!({ "Since": "2025-01-01T00:00:00Z" })).await;
    assert_eq!(all.len(), 500);
    let any = |field: &str, is: fn(&Value) -> bool| all.iter().any(|row| is(&row[field]));
    for (number, row) in (1..).zip(&all) {
        assert_eq!(row["lineID"], number);
        assert!(["orderID", "quantity"].iter().all(|field| row[field].is_u64()), "{row}");
        let (price, amount) = (row["price"].as_f64().unwrap(), row["amount"].as_f64().unwrap());
        assert!((price * row["quantity"].as_f64().unwrap() - amount).abs() < 0.001, "{row}");
        assert!(row["orderedAt"].as_str().unwrap().parse::<chrono::NaiveDateTime>().is_ok(), "{row}");
    }
    for field in ["discount", "shippedAt", "note"] {
        assert!(any(field, Value::is_null) && !all.iter().all(|row| row[field].is_null()), "{field}");
    }
    assert!(any("promotional", |value| *value == true) && any("promotional", |value| *value == false));
    for field in ["productID", "upc"] {
        assert!(any(field, |value| value.as_str().unwrap().starts_with('0')), "{field}");
    }
    for wanted in [",", "\"", "\n", "ü"] {
        assert!(all.iter().any(|row| row["note"].as_str().is_some_and(|note| note.contains(wanted))), "{wanted:?}");
    }
}

#[tokio::test]
async fn since_excludes_earlier_lines() {
    let (_sandbox, caller) = start(1000).await;
    let all = rows(&caller, PAGED, json!({ "Cursor": 1, "Limit": 1000 })).await;
    for since in ["2025-01-06T07:59:59Z", "2025-01-06T08:00:00Z", "2025-01-06T08:00:01Z", "2025-01-06T08:02:17Z"] {
        let expected: Vec<Value> = all
            .iter()
            .filter(|row| row["orderedAt"].as_str().unwrap() >= since.trim_end_matches('Z'))
            .cloned()
            .collect();
        assert!(!expected.is_empty());
        assert_eq!(rows(&caller, SINCE, json!({ "Since": since })).await, expected, "{since}");
    }
    assert_eq!(rows(&caller, SINCE, json!({ "Since": "9999-12-31T23:59:59Z" })).await.len(), 0);
}
