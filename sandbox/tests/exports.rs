//! The custom exports of the vendor's guide.

#![allow(clippy::unwrap_used)]

#[path = "support/call.rs"]
mod call;

use call::Caller;
use perenso_sandbox::Sandbox;
use reqwest::Method;
use serde_json::{Value, json};

const CUSTOMERS: &str = "/Export/79aag9";

async fn start() -> (Sandbox, Caller) {
    let sandbox = Sandbox::start().await.unwrap();
    let caller = Caller::new(&sandbox);
    (sandbox, caller)
}

async fn run(caller: &Caller, cursor: Value, limit: Value) -> Vec<Value> {
    let body = json!({ "Cursor": cursor, "Limit": limit });
    let (status, rows) = caller.call(Method::POST, CUSTOMERS, Some(body)).await;
    assert_eq!(status, 200, "{rows}");
    rows.as_array().unwrap().clone()
}

#[tokio::test]
async fn the_catalog_is_that_of_the_guide() {
    let (_sandbox, caller) = start().await;
    let expected = json!([
        { "id": "739da9", "name": "Vendors", "parameters": [] },
        { "id": "79aag9", "name": "Get API Customers", "parameters": [
            { "name": "Cursor", "dataType": "Integer",
              "description": "Index of the current set of paged customers" },
            { "name": "Limit", "dataType": "Integer",
              "description": "Number of customers to return per export" },
        ]},
        { "id": "j96479", "name": "Get Available Booths for Login", "parameters": [] },
    ]);
    assert_eq!(caller.get("/Export").await, (200, expected));
}

#[tokio::test]
async fn an_export_without_parameters_needs_an_empty_body() {
    let (sandbox, caller) = start().await;
    let (status, vendors) = caller.call(Method::POST, "/Export/739da9", None).await;
    assert_eq!(status, 200);
    assert_eq!(vendors.as_array().unwrap().len(), sandbox.vendors().len());
    let (status, booths) = caller.call(Method::POST, "/Export/j96479", None).await;
    assert_eq!(status, 200);
    assert!(booths[0]["boothID"].is_string());
    for body in [json!({}), Value::Null] {
        let (status, _) = caller.call(Method::POST, "/Export/739da9", Some(body)).await;
        assert_eq!(status, 400);
    }
    let (status, _) = caller.call(Method::POST, "/Export/nothere", None).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn customers_come_in_pages() {
    let (sandbox, caller) = start().await;
    let mut all = Vec::new();
    for (cursor, rows) in [(1, 20), (2, 20), (3, 5), (4, 0)] {
        let page = run(&caller, json!(cursor), json!(20)).await;
        assert_eq!(page.len(), rows, "page {cursor}");
        all.extend(page.iter().map(|row| row["id"].clone()));
    }
    let ids: Vec<Value> = sandbox.customers().iter().map(|c| c["id"].clone()).collect();
    assert_eq!(all, ids);

    sandbox.set_behavior(|behavior| behavior.page_cap = Some(10));
    let page = run(&caller, json!(2), json!(20)).await;
    assert_eq!(page.len(), 10);
    assert_eq!(page[0]["id"], ids[10]);

    sandbox.set_behavior(|behavior| behavior.cursor_is_offset = true);
    let page = run(&caller, json!(0), json!(20)).await;
    assert_eq!((page.len(), &page[0]["id"]), (10, &ids[0]));
    let page = run(&caller, json!(41), json!(20)).await;
    assert_eq!((page.len(), &page[0]["id"]), (4, &ids[41]));
    assert_eq!(run(&caller, json!(45), json!(20)).await.len(), 0);
    assert_eq!(run(&caller, json!(u64::MAX), json!(u64::MAX)).await.len(), 0);
}

#[tokio::test]
async fn every_invalid_parameter_is_named() {
    let (_sandbox, caller) = start().await;
    for (body, named) in [
        (json!({}), json!(["Cursor", "Limit"])),
        (json!({ "Cursor": 1 }), json!(["Limit"])),
        (json!({ "Cursor": "1", "Limit": 15 }), json!(["Cursor"])),
        (json!({ "Cursor": 1, "Limit": 15.0 }), json!(["Limit"])),
        (json!({ "Cursor": 1, "Limit": null }), json!(["Limit"])),
        (json!({ "Cursor": 0, "Limit": 15 }), json!(["Cursor"])),
        (json!({ "Cursor": -1, "Limit": 15 }), json!(["Cursor"])),
        (json!({ "Cursor": 1, "Limit": 0 }), json!(["Limit"])),
        (json!({ "cursor": 1, "Limit": true }), json!(["Cursor", "Limit", "cursor"])),
        (json!({ "Cursor": 1, "Limit": 15, "More": 1 }), json!(["More"])),
    ] {
        let (status, response) = caller.call(Method::POST, CUSTOMERS, Some(body.clone())).await;
        assert_eq!((status, &response["fields"]), (400, &named), "{body}");
    }
    let (status, response) = caller.call(Method::POST, CUSTOMERS, None).await;
    assert_eq!((status, &response["fields"]), (400, &json!(["Cursor", "Limit"])));
}
