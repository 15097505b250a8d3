//! Lists: pages, order and filters.

#![allow(clippy::unwrap_used)]

#[path = "support/call.rs"]
mod call;

use std::time::Duration;

use call::Caller;
use perenso_sandbox::{PastTheEnd, Sandbox};
use reqwest::Method;
use serde_json::{Value, json};

async fn with(customers: usize) -> (Sandbox, Caller) {
    let builder = Sandbox::builder().customers(customers);
    let sandbox = builder.start().await.unwrap();
    let caller = Caller::new(&sandbox);
    (sandbox, caller)
}

async fn keys(caller: &Caller, path: &str) -> Vec<String> {
    let (status, body) = caller.get(path).await;
    assert_eq!(status, 200, "{path}: {body}");
    let key = |item: &Value| item["customerID"].as_str().unwrap_or("none").to_owned();
    body.as_array().unwrap().iter().map(key).collect()
}

#[tokio::test]
async fn pages_end_with_an_empty_one() {
    let (_sandbox, caller) = with(45).await;
    let whole = keys(&caller, "/Customer").await;
    assert_eq!(whole.len(), 45);
    let mut paged = Vec::new();
    for (page, rows) in [(1, 20), (2, 20), (3, 5), (4, 0)] {
        let path = format!("/Customer?page={page}&resultsPerPage=20");
        let keys = keys(&caller, &path).await;
        assert_eq!(keys.len(), rows, "page {page}");
        paged.extend(keys);
    }
    assert_eq!(paged, whole);
    assert_eq!(keys(&caller, "/Customer?resultsPerPage=7").await.len(), 7);
}

#[tokio::test]
async fn a_cap_is_silent_and_loses_nothing() {
    let (sandbox, caller) = with(45).await;
    let whole = keys(&caller, "/Customer").await;
    sandbox.set_behavior(|behavior| behavior.page_cap = Some(10));
    let mut paged = Vec::new();
    for page in 1..=5 {
        paged.extend(keys(&caller, &format!("/Customer?page={page}&resultsPerPage=20")).await);
    }
    assert_eq!(paged, whole);
    let second = keys(&caller, "/Customer?page=2&resultsPerPage=20").await;
    assert_eq!(second, whole[10..20]);
}

#[tokio::test]
async fn the_page_past_the_end_follows_the_switch() {
    let (sandbox, caller) = with(5).await;
    let path = "/Customer?page=9&resultsPerPage=2";
    sandbox.set_behavior(|behavior| behavior.past_the_end = PastTheEnd::NotFound);
    assert_eq!(caller.get(path).await.0, 404);
    sandbox.set_behavior(|behavior| behavior.past_the_end = PastTheEnd::LastPageAgain);
    assert_eq!(keys(&caller, path).await, ["C00005"]);
    sandbox.set_behavior(|behavior| behavior.default_page_size = Some(2));
    assert_eq!(keys(&caller, "/Customer").await, ["C00001", "C00002"]);
}

#[tokio::test]
async fn lists_sort_by_a_field() {
    let (sandbox, caller) = with(0).await;
    for (key, zone) in [("b", json!(10)), ("c", json!(9)), ("a", json!(10)), ("d", Value::Null)] {
        let customer = json!({ "customerID": key, "priceZone": zone });
        sandbox.add_customer(customer).unwrap();
    }
    let by = async |sort: &str| keys(&caller, &format!("/Customer?sort={sort}")).await.concat();
    assert_eq!(by("customerID:asc").await, "abcd");
    assert_eq!(by("customerID:desc").await, "dcba");
    assert_eq!(by("priceZone:asc").await, "dcba");
    assert_eq!(by("modifiedDate:desc").await, "dacb");
}

#[tokio::test]
async fn modified_after_finds_the_newest_first() {
    let (sandbox, caller) = with(3).await;
    let (_, plain) = caller.get("/Customer").await;
    assert_eq!(plain[0].get("modifiedDate"), None);

    let moment = sandbox.clock().now().format("%Y-%m-%dT%H:%M:%S").to_string();
    sandbox.advance(Duration::from_secs(5));
    let ids: Vec<Value> = sandbox.customers().iter().map(|c| c["id"].clone()).collect();
    // Both writes may fall into the same hundredth of a second.
    for id in [&ids[0], &ids[2]] {
        let path = format!("/Customer/{}", id.as_str().unwrap());
        caller.call(Method::PUT, &path, Some(json!({}))).await;
    }
    let path = format!("/Customer?modifiedAfter={moment}");
    assert_eq!(keys(&caller, &path).await, ["C00003", "C00001"]);
    let (_, found) = caller.get(&path).await;
    let dates: Vec<&str> = found.as_array().unwrap().iter().map(|c| c["modifiedDate"].as_str().unwrap()).collect();
    assert!(dates[0] >= dates[1], "{dates:?}");
    assert_eq!(keys(&caller, "/Customer?modifiedAfter=2025-01-01").await.len(), 3);
    assert_eq!(keys(&caller, "/Customer?modifiedAfter=2999-01-01").await.len(), 0);
    let both = format!("{path}&sort=customerID:asc");
    assert_eq!(keys(&caller, &both).await, ["C00001", "C00003"]);

    let exact = format!("/Customer?modifiedAfter={}", dates[0]);
    assert!(!keys(&caller, &exact).await.contains(&"C00003".to_owned()));
    sandbox.set_behavior(|behavior| behavior.modified_after_is_inclusive = true);
    assert!(keys(&caller, &exact).await.contains(&"C00003".to_owned()));
    sandbox.set_behavior(|behavior| behavior.always_show_modified_date = true);
    let (_, plain) = caller.get("/Customer").await;
    assert!(plain[0]["modifiedDate"].is_string());
}

#[tokio::test]
async fn invalid_parameters_are_named() {
    let (_sandbox, caller) = with(3).await;
    for (query, name) in [
        ("page=0", "page"),
        ("page=-1", "page"),
        ("page=two", "page"),
        ("resultsPerPage=0", "resultsPerPage"),
        ("resultsPerPage=1.5", "resultsPerPage"),
        ("sort=customerID", "sort"),
        ("sort=customerID:up", "sort"),
        ("sort=nothing:asc", "sort"),
        ("modifiedAfter=yesterday", "modifiedAfter"),
        ("modifiedAfter=2025-02-30", "modifiedAfter"),
        ("modifiedAfter=2025-01-31T09:00:00Z", "modifiedAfter"),
    ] {
        let (status, body) = caller.get(&format!("/Customer?{query}")).await;
        assert_eq!(status, 400, "{query}");
        assert_eq!(body["fields"], json!([name]), "{query}");
    }
}

#[tokio::test]
async fn huge_pages_work() {
    let (_sandbox, caller) = with(3).await;
    let path = "/Customer?page=9223372036854775807&resultsPerPage=9223372036854775807";
    assert_eq!(keys(&caller, path).await.len(), 0);
    let path = "/Customer?page=1&resultsPerPage=9223372036854775807";
    assert_eq!(keys(&caller, path).await.len(), 3);
}

#[tokio::test]
async fn other_resources_are_unchecked_or_not_implemented() {
    let (_sandbox, caller) = with(0).await;
    let (_, warehouses) = caller.get("/Warehouse?sort=warehouseID:desc").await;
    assert_eq!(warehouses[0]["warehouseID"], "WH0003");
    let record = json!({ "warehouseID": "W", "anything": [1, { "b": null }] });
    let (status, made) = caller.call(Method::POST, "/Warehouse", Some(record.clone())).await;
    assert_eq!((status, &made["anything"]), (200, &record["anything"]));
    let path = format!("/Warehouse/{}", made["id"].as_str().unwrap());
    let change = json!({ "warehouseID": "X" });
    let (_, changed) = caller.call(Method::PUT, &path, Some(change)).await;
    assert_eq!(changed["warehouseID"], "X");
    assert_eq!(caller.call(Method::DELETE, &path, None).await.0, 204);
    assert_eq!(caller.get(&path).await.0, 404);

    let (_, attendees) = caller.get("/attendee?sort=attendeeID:asc").await;
    assert_eq!(attendees.as_array().unwrap().len(), 2);
    let path = format!("/attendee/{}", attendees[0]["id"].as_str().unwrap());
    assert_eq!(caller.get(&path).await.1["email"], attendees[0]["email"]);
    assert_eq!(caller.call(Method::DELETE, &path, None).await.0, 405);

    for (method, path) in [(Method::GET, "/v2/customers"), (Method::GET, "/CustomerClass"), (Method::GET, "/")] {
        let (status, body) = caller.call(method, path, None).await;
        assert_eq!((status, &body["error"]), (501, &json!("not_in_sandbox")), "{path}");
    }
}

#[tokio::test]
async fn an_unknown_filter_is_rejected() {
    let (_sandbox, caller) = with(3).await;
    for (path, name) in
        [("/Customer?customerID=C00001", "customerID"), ("/Warehouse?page=1&description=x", "description")]
    {
        let (status, body) = caller.get(path).await;
        assert_eq!((status, &body["fields"]), (400, &json!([name])), "{path}: {body}");
    }
}

#[tokio::test]
async fn a_long_list_is_complete_and_consistent() {
    let (sandbox, caller) = with(5_000).await;
    let before = sandbox.customers();
    let response = caller.request(Method::GET, "/Customer?modifiedAfter=2020-01-01&sort=customerID:asc");
    let response = response.send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/json");
    let path = format!("/Customer/{}", before[4_999]["id"].as_str().unwrap());
    caller.call(Method::PUT, &path, Some(json!({ "customerName": "Later" }))).await;
    assert_eq!(response.json::<Vec<Value>>().await.unwrap(), before);
    assert_eq!(keys(&caller, "/Customer?page=250&resultsPerPage=20").await.last().unwrap(), "C05000");
}

#[tokio::test]
async fn modified_date_can_be_a_date() {
    let (sandbox, caller) = with(3).await;
    let whole = sandbox.customers();
    sandbox.set_behavior(|behavior| behavior.modified_date = perenso_sandbox::ModifiedDate::Date);
    let day = |customer: &Value| customer["modifiedDate"].as_str().unwrap()[..10].to_owned();
    let days: Vec<String> = whole.iter().map(day).collect();
    let dates = |list: &[Value]| -> Vec<String> {
        list.iter().map(|customer| customer["modifiedDate"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(dates(&sandbox.customers()), days);
    let (_, listed) = caller.get("/Customer?modifiedAfter=2025-01-01&sort=customerID:asc").await;
    assert_eq!(dates(listed.as_array().unwrap()), days);
    let path = format!("/Customer/{}", whole[0]["id"].as_str().unwrap());
    assert_eq!(caller.get(&path).await.1["modifiedDate"], days[0]);
    let (_, changed) = caller.call(Method::PUT, &path, Some(json!({}))).await;
    let (_, made) = caller.call(Method::POST, "/Customer", Some(json!({}))).await;
    let today = sandbox.clock().now().date_naive();
    for record in [changed, made] {
        let date: chrono::NaiveDate = record["modifiedDate"].as_str().unwrap().parse().unwrap();
        assert!((today - date).num_days() < 2, "{record}");
    }
}

#[tokio::test]
async fn resources_with_an_inferred_path_keep_what_they_are_sent() {
    let sandbox = Sandbox::start().await.unwrap();
    let caller = Caller::new(&sandbox);
    for path in [
        "/Booth",
        "/Broker",
        "/DeliveryDrop",
        "/DeliveryGroup",
        "/DeliveryRange",
        "/OrderingGroup",
        "/Product",
        "/SalesRep",
        "/SalesRepManager",
        "/Vendor",
        "/VendorUser",
        "/Warehouse",
    ] {
        let (status, made) = caller.call(Method::POST, path, Some(json!({"anything": [1, {"a": null}]}))).await;
        assert_eq!(status, 200, "{path}");
        let one = format!("{path}/{}", made["id"].as_str().unwrap());
        let (_, changed) = caller.call(Method::PUT, &one, Some(json!({"more": true}))).await;
        assert_eq!((&changed["anything"], &changed["more"]), (&json!([1, {"a": null}]), &json!(true)), "{path}");
        let (_, newest) = caller.get(&format!("{path}?page=1&resultsPerPage=500")).await;
        assert_eq!(newest.as_array().unwrap().last().unwrap()["id"], changed["id"], "{path}");
        assert!(caller.call(Method::DELETE, &one, None).await.0 < 300);
        assert_eq!(caller.get(&one).await.0, 404);
    }
}
