//! Bulk upserts.

#![allow(clippy::unwrap_used)]

#[path = "support/call.rs"]
mod call;

use call::Caller;
use perenso_sandbox::Sandbox;
use reqwest::Method;
use serde_json::{Value, json};

const CUSTOMERS: &str = "/v2/customers/bulk";
const VENDORS: &str = "/v2/vendors/bulk";

async fn start() -> (Sandbox, Caller) {
    let sandbox = Sandbox::builder().customers(2).start().await.unwrap();
    let caller = Caller::new(&sandbox);
    (sandbox, caller)
}

async fn upsert(caller: &Caller, path: &str, records: Value) -> Value {
    let (status, body) = caller.call(Method::POST, path, Some(records)).await;
    assert_eq!(status, 200);
    body
}

#[tokio::test]
async fn customers_are_updated_by_key_or_created() {
    let (sandbox, caller) = start().await;
    let known = sandbox.customers()[1].clone();
    let records = json!([
        { "customerID": "C00002", "city": "Elsewhere" },
        { "customerID": "NEW", "customerName": "Trade Store New" },
        { "customerID": "NEW", "city": "Twice" },
    ]);
    let response = upsert(&caller, CUSTOMERS, records).await;
    assert_eq!(response["failed"], json!([]));
    let customers = sandbox.customers();
    assert_eq!(customers.len(), 3);
    assert_eq!(customers[1]["city"], "Elsewhere");
    assert_eq!(customers[1]["customerName"], known["customerName"]);
    assert_ne!(customers[1]["modifiedDate"], known["modifiedDate"]);
    assert_eq!(customers[2]["customerName"], "Trade Store New");
    assert_eq!(customers[2]["city"], "Twice");
    let expected = json!([
        { "id": known["id"], "customerID": "C00002" },
        { "id": customers[2]["id"], "customerID": "NEW" },
        { "id": customers[2]["id"], "customerID": "NEW" },
    ]);
    assert_eq!(response["successful"], expected);
}

#[tokio::test]
async fn invalid_customers_fail_by_themselves() {
    let (sandbox, caller) = start().await;
    let records = json!([
        { "customerName": "no key" },
        { "customerID": "" },
        { "customerID": 5 },
        { "customerID": "X", "priceZone": "1", "test": 0 },
        "no object",
        { "customerID": "GOOD" },
    ]);
    let response = upsert(&caller, CUSTOMERS, records).await;
    assert_eq!(response["successful"].as_array().unwrap().len(), 1);
    assert_eq!(response["successful"][0]["customerID"], "GOOD");
    let failed = response["failed"].as_array().unwrap();
    let messages: Vec<usize> = failed.iter().map(|failure| failure["messages"].as_array().unwrap().len()).collect();
    assert_eq!(messages, [1, 1, 1, 2, 1], "{failed:?}");
    // The document allows no key of the wrong type in a response.
    assert_eq!(failed[2]["customerID"], Value::Null);
    assert_eq!(failed[3]["customerID"], "X");
    assert_eq!(sandbox.customers().len(), 3);
}

#[tokio::test]
async fn a_missing_warehouse_fails_by_itself_unless_references_are_unchecked() {
    let (sandbox, caller) = start().await;
    let records = json!([
        { "customerID": "A", "warehouseID": "NOWHERE" },
        { "customerID": "B", "warehouseID": "WH0002" },
    ]);
    let strict = upsert(&caller, CUSTOMERS, records.clone()).await;
    assert_eq!(strict["failed"][0]["customerID"], "A");
    assert!(strict["failed"][0]["messages"][0].as_str().unwrap().contains("NOWHERE"));
    assert_eq!(strict["successful"][0]["customerID"], "B");
    sandbox.set_behavior(|behavior| behavior.check_references = false);
    let lax = upsert(&caller, CUSTOMERS, records).await;
    assert_eq!(lax["failed"], json!([]));
}

#[tokio::test]
async fn nested_ordering_groups_read_flat() {
    let (sandbox, caller) = start().await;
    let records = json!([{ "customerID": "A", "orderingGroups": [
        { "orderingGroupID": "OG0001", "orderingGroupName": "One", "orderingSubGroups": [
            { "orderingGroupID": "S1", "orderingGroupName": "Sub One", "customers": ["A"] },
            { "orderingGroupID": "S2", "orderingGroupName": "Sub Two" },
        ]},
        { "orderingGroupID": "OG0002", "orderingGroupName": "Two", "orderingSubGroups": [] },
    ]}]);
    let response = upsert(&caller, CUSTOMERS, records).await;
    let id = response["successful"][0]["id"].as_str().unwrap();
    let (_, mut read) = caller.get(&format!("/Customer/{id}")).await;
    for group in read["orderingGroups"].as_array_mut().unwrap() {
        assert!(group.as_object_mut().unwrap().remove("id").is_some());
    }
    let expected = json!([
        { "orderingGroupID": "OG0001", "orderingGroupName": "One",
          "orderingSubGroupID": "S1", "orderingSubGroupName": "Sub One", "customers": ["A"] },
        { "orderingGroupID": "OG0001", "orderingGroupName": "One",
          "orderingSubGroupID": "S2", "orderingSubGroupName": "Sub Two" },
        { "orderingGroupID": "OG0002", "orderingGroupName": "Two" },
    ]);
    assert_eq!(read["orderingGroups"], expected);
    let records = json!([{ "customerID": "B", "orderingGroups": [{ "orderingSubGroups": [
        { "orderingGroupID": 7 } ]}]}]);
    let response = upsert(&caller, CUSTOMERS, records).await;
    assert!(
        response["failed"][0]["messages"][0]
            .as_str()
            .unwrap()
            .contains("orderingGroups[0].orderingSubGroups[0].orderingGroupID")
    );
    assert_eq!(sandbox.customers().len(), 3);
}

#[tokio::test]
async fn vendors_are_created_without_a_key_and_updated_with_one() {
    let (sandbox, caller) = start().await;
    let before = sandbox.vendors();
    let records = json!([
        { "vendorID": null, "vendorName": "Exhibitor New" },
        { "vendorName": "Exhibitor Newer" },
        { "vendorID": "V0001", "phone": "1" },
        { "vendorID": "UNKNOWN" },
        { "vendorID": "V0002", "active": "yes" },
        7,
    ]);
    let response = upsert(&caller, VENDORS, records).await;
    let vendors = sandbox.vendors();
    assert_eq!(vendors.len(), before.len() + 2);
    assert_eq!(vendors[0]["phone"], "1");
    assert_eq!(vendors[0]["vendorName"], before[0]["vendorName"]);
    let made = &vendors[before.len()];
    assert_eq!(made["vendorName"], "Exhibitor New");
    assert_eq!(response["successful"][0]["id"], made["id"]);
    assert_eq!(response["successful"][0]["vendorID"], made["vendorID"]);
    assert_ne!(made["vendorID"], vendors[before.len() + 1]["vendorID"]);
    let failed = response["failed"].as_array().unwrap();
    assert_eq!(failed.len(), 3);
    assert_eq!(failed[0]["vendorID"], "UNKNOWN");
    assert!(failed.iter().all(|failure| failure["message"].is_string()));
    assert_eq!(failed[2]["vendorID"], Value::Null);
    assert_eq!(vendors[1], before[1]);
}

#[tokio::test]
async fn a_body_that_is_no_array_or_too_long_is_rejected_as_a_whole() {
    let (sandbox, caller) = start().await;
    for path in [CUSTOMERS, VENDORS] {
        let (status, _) = caller.call(Method::POST, path, Some(json!({}))).await;
        assert_eq!(status, 400, "{path}");
    }
    sandbox.set_behavior(|behavior| behavior.bulk_cap = Some(1));
    let records = json!([{ "customerID": "A" }, { "customerID": "B" }]);
    assert_eq!(caller.call(Method::POST, CUSTOMERS, Some(records.clone())).await.0, 413);
    assert_eq!(sandbox.customers().len(), 2);
    assert_eq!(caller.get(CUSTOMERS).await.0, 405);
}

#[tokio::test]
async fn forty_thousand_customers_fit_in_one_call() {
    let (sandbox, caller) = start().await;
    let records: Value =
        (0..40_000).map(|n| json!({ "customerID": n.to_string(), "customerName": "x".repeat(60) })).collect();
    let response = upsert(&caller, CUSTOMERS, records).await;
    assert_eq!(response["successful"].as_array().unwrap().len(), 40_000);
    assert_eq!(sandbox.customers().len(), 40_002);
}
