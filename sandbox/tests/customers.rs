//! Customers.

#![allow(clippy::unwrap_used)]

#[path = "support/call.rs"]
mod call;

use std::time::Duration;

use call::Caller;
use perenso_sandbox::{DeleteResponse, Error, Sandbox};
use reqwest::Method;
use serde_json::{Value, json};

async fn empty() -> (Sandbox, Caller) {
    let builder = Sandbox::builder().customers(0).token_lifetime(Duration::from_secs(86_400));
    let sandbox = builder.start().await.unwrap();
    let caller = Caller::new(&sandbox);
    (sandbox, caller)
}

fn is_id(id: &Value) -> bool {
    let id = id.as_str().unwrap();
    id.len() == 6 && id.chars().all(|c| c.is_ascii_digit() || c.is_ascii_lowercase())
}

#[tokio::test]
async fn a_customer_is_created_read_updated_and_deleted() {
    let (sandbox, caller) = empty().await;
    let record = json!({
        "customerID": "5041", "customerName": "Trade Store", "priceZone": 702, "test": false,
        "deliveryGroup": "0940", "salesReps": ["USER0001", "USER0002"], "somethingNew": { "a": [1, 2.5] },
    });
    let (status, made) = caller.call(Method::POST, "/Customer", Some(record.clone())).await;
    assert_eq!(status, 200);
    assert!(is_id(&made["id"]), "{made}");
    for (name, value) in record.as_object().unwrap() {
        assert_eq!(&made[name], value, "{name}");
    }
    let path = format!("/Customer/{}", made["id"].as_str().unwrap());
    assert_eq!(caller.get(&path).await, (200, made.clone()));

    let change = json!({ "customerName": "Renamed", "priceZone": null });
    let (status, changed) = caller.call(Method::PUT, &path, Some(change)).await;
    assert_eq!(status, 200);
    assert_eq!(changed["id"], made["id"]);
    assert_eq!(changed["customerName"], "Renamed");
    assert_eq!(changed["priceZone"], Value::Null);
    assert_eq!(changed["customerID"], "5041", "what is absent stays as it was");
    assert_eq!(sandbox.customers(), [changed]);

    assert_eq!(caller.call(Method::DELETE, &path, None).await, (204, Value::Null));
    for method in [Method::GET, Method::DELETE] {
        let (status, body) = caller.call(method, &path, None).await;
        assert_eq!((status, &body["error"]), (404, &json!("not_found")));
    }
    let (status, _) = caller.call(Method::PUT, &path, Some(json!({}))).await;
    assert_eq!(status, 404);
    assert_eq!(sandbox.customers(), [] as [Value; 0]);
}

#[tokio::test]
async fn a_put_can_replace() {
    let (sandbox, caller) = empty().await;
    let record = json!({ "customerID": "1", "city": "Here" });
    let id = sandbox.add_customer(record).unwrap();
    sandbox.set_behavior(|behavior| behavior.put_replaces = true);
    let change = json!({ "customerID": "1" });
    let (_, changed) = caller.call(Method::PUT, &format!("/Customer/{id}"), Some(change)).await;
    assert_eq!(changed.get("city"), None);
    assert_eq!(changed["id"], id);
}

#[tokio::test]
async fn the_response_to_a_delete_follows_the_switch() {
    let (sandbox, caller) = empty().await;
    for (response, status, has_body) in [
        (DeleteResponse::NoContent, 204, false),
        (DeleteResponse::EmptyOk, 200, false),
        (DeleteResponse::Record, 200, true),
    ] {
        let id = sandbox.add_customer(json!({ "customerID": "1" })).unwrap();
        sandbox.set_behavior(|behavior| behavior.delete_answer = response);
        let (found, body) = caller.call(Method::DELETE, &format!("/Customer/{id}"), None).await;
        assert_eq!((found, body.is_object()), (status, has_body), "{response:?}");
    }
}

#[tokio::test]
async fn a_field_of_the_wrong_type_is_named() {
    let (sandbox, caller) = empty().await;
    let id = sandbox.add_customer(json!({})).unwrap();
    for (field, value, named) in [
        ("priceZone", json!("702"), "priceZone"),
        ("priceZone", json!(1.5), "priceZone"),
        ("test", json!("false"), "test"),
        ("customerID", json!(5041), "customerID"),
        ("salesReps", json!("USER1"), "salesReps"),
        ("salesReps", json!(["USER1", 2]), "salesReps[1]"),
        ("orderingGroups", json!([{ "orderingGroupID": 1 }]), "orderingGroups[0].orderingGroupID"),
    ] {
        for (method, path) in [(Method::POST, "/Customer".to_owned()), (Method::PUT, format!("/Customer/{id}"))] {
            let body = json!({ field: value });
            let (status, response) = caller.call(method, &path, Some(body)).await;
            assert_eq!(status, 422, "{named}");
            assert_eq!(response["fields"], json!([named]));
            assert!(response["message"].as_str().unwrap().contains(named));
        }
    }
    assert_eq!(sandbox.customers().len(), 1);
}

#[tokio::test]
async fn bodies_that_are_not_json_are_rejected() {
    let (sandbox, caller) = empty().await;
    let post = |content_type: Option<&str>, body: &str| {
        let mut request = caller.request(Method::POST, "/Customer");
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        let request = request.body(body.to_owned());
        async { request.send().await.unwrap().status().as_u16() }
    };
    let json = Some("application/json; charset=utf-8");
    assert_eq!(post(json, "{\"a\":1}").await, 200);
    assert_eq!(post(json, "{\"a\":").await, 400);
    assert_eq!(post(json, "[]").await, 400);
    assert_eq!(post(Some("text/plain"), "{}").await, 415);
    assert_eq!(post(None, "{}").await, 415);
    assert_eq!(sandbox.customers().len(), 1);
}

#[tokio::test]
async fn any_id_is_decoded_once() {
    let (sandbox, caller) = empty().await;
    for (id, path) in [
        ("a/b", "/Customer/a%2Fb"),
        ("a%2Fb", "/Customer/a%252Fb"),
        ("50%", "/Customer/50%25"),
        ("ä b", "/Customer/%C3%A4%20b"),
        ("UPPER", "/Customer/UPPER"),
    ] {
        sandbox.add_customer(json!({ "id": id })).unwrap();
        let (status, body) = caller.get(path).await;
        assert_eq!((status, &body["id"]), (200, &json!(id)), "{path}");
    }
    assert_eq!(caller.get("/Customer/upper").await.0, 404);
}

#[tokio::test]
async fn the_case_of_resource_names_is_ignored_unless_switched_off() {
    let (sandbox, caller) = empty().await;
    for path in ["/customer", "/CUSTOMER", "/Customer", "/Customer/"] {
        assert_eq!(caller.get(path).await.0, 200, "{path}");
    }
    sandbox.set_behavior(|behavior| behavior.ignore_path_case = false);
    assert_eq!(caller.get("/customer").await.0, 501);
    assert_eq!(caller.get("/Customer").await.0, 200);
}

#[tokio::test]
async fn an_empty_id_deletes_nothing() {
    let (sandbox, caller) = empty().await;
    sandbox.add_customer(json!({})).unwrap();
    let delete = caller.request(Method::DELETE, "/Customer/");
    let response = delete.send().await.unwrap();
    assert_eq!(response.status(), 405);
    assert_eq!(response.headers()["allow"], "GET, HEAD, POST");
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["error"], "method_not_allowed");
    assert_eq!(sandbox.customers().len(), 1);
}

#[tokio::test]
async fn every_write_is_stamped_by_the_sandbox_clock() {
    let (sandbox, caller) = empty().await;
    let record = json!({ "customerID": "1", "modifiedDate": "1999-01-01" });
    let (_, made) = caller.call(Method::POST, "/Customer", Some(record)).await;
    let stamp = |record: &Value| -> chrono::NaiveDateTime {
        let text = record["modifiedDate"].as_str().unwrap();
        assert!(text.len() <= "2025-01-20T04:50:03.61".len() && !text.ends_with('Z'), "{text}");
        text.parse().unwrap()
    };
    let before = stamp(&made);
    let (_, listed) = caller.get("/Customer").await;
    assert_eq!(listed[0].get("modifiedDate"), None, "not even the one that was sent");
    assert!((sandbox.clock().now().naive_utc() - before).num_seconds() < 10);
    sandbox.advance(Duration::from_secs(3600));
    let path = format!("/Customer/{}", made["id"].as_str().unwrap());
    let (_, changed) = caller.call(Method::PUT, &path, Some(json!({}))).await;
    assert!((stamp(&changed) - before).num_seconds() >= 3600);
    sandbox.set_behavior(|behavior| {
        behavior.local_offset = chrono::FixedOffset::west_opt(5 * 3600).unwrap();
    });
    let (_, changed) = caller.call(Method::PUT, &path, Some(json!({}))).await;
    assert!((stamp(&changed) - before).num_seconds() < 0);
}

#[tokio::test]
async fn references_and_keys_are_checked_if_switched_on() {
    let (sandbox, caller) = empty().await;
    let record = json!({ "customerID": "1", "warehouseID": "NOWHERE" });
    let post = || caller.call(Method::POST, "/Customer", Some(record.clone()));
    sandbox.set_behavior(|behavior| behavior.check_references = false);
    assert_eq!(post().await.0, 200);
    assert_eq!(post().await.0, 200);
    assert_eq!(sandbox.customers().len(), 2);
    sandbox.set_behavior(|behavior| behavior.unique_customer_id = true);
    assert_eq!(post().await.0, 409);
    sandbox.set_behavior(|behavior| behavior.check_references = true);
    let (status, body) = post().await;
    assert_eq!((status, &body["fields"]), (422, &json!(["warehouseID"])));
    let own = &sandbox.customers()[0];
    let path = format!("/Customer/{}", own["id"].as_str().unwrap());
    let change = json!({ "customerID": "1", "warehouseID": "WH0001" });
    assert_eq!(caller.call(Method::PUT, &path, Some(change)).await.0, 200);
}

#[tokio::test]
async fn the_same_seed_makes_the_same_customers() {
    let start = |seed| async move {
        let builder = Sandbox::builder().seed(seed).customers(7);
        builder.start().await.unwrap().customers()
    };
    let (one, same, other) = (start(3).await, start(3).await, start(4).await);
    assert_eq!(one.len(), 7);
    assert_eq!(one, same);
    assert_ne!(one, other);
    let sandbox = Sandbox::start().await.unwrap();
    assert_eq!(sandbox.customers().len(), 45);
    for customer in sandbox.customers() {
        let email = customer["email"].as_str().unwrap();
        assert!(email.ends_with("@example.com"), "{email}");
    }
}

#[tokio::test]
async fn a_reset_restores_the_initial_state() {
    let sandbox = Sandbox::builder().customers(3).start().await.unwrap();
    let before = sandbox.customers();
    let caller = Caller::new(&sandbox);
    sandbox.advance(Duration::from_secs(100));
    caller.call(Method::POST, "/Customer", Some(json!({}))).await;
    sandbox.set_behavior(|behavior| behavior.put_replaces = true);
    sandbox.reset();
    assert_eq!(sandbox.customers(), before);
    assert_eq!(sandbox.journal().len(), 0);
    assert!(!sandbox.behavior().put_replaces);
    assert!((sandbox.clock().now() - chrono::Utc::now()).num_seconds() < 50);
    assert_eq!(caller.get("/Customer").await.0, 401, "the tokens are gone too");
}

#[tokio::test]
async fn an_invalid_record_cannot_be_inserted() {
    let (sandbox, _) = empty().await;
    let error = sandbox.add_customer(json!({ "priceZone": "1" }));
    assert!(matches!(error, Err(Error::Record(message)) if message.contains("priceZone")));
}
