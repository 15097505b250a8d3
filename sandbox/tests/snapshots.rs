//! Snapshots.

#![allow(clippy::unwrap_used)]

#[path = "support/call.rs"]
mod call;

use call::Caller;
use perenso_sandbox::{Export, Reference, Sandbox};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use reqwest::Method;
use serde_json::{Value, json};

const LISTS: [(Method, &str); 8] = [
    (Method::GET, "/Customer"),
    (Method::GET, "/Customer?modifiedAfter=2025-01-01&sort=city:desc"),
    (Method::GET, "/Warehouse?modifiedAfter=2025-01-01"),
    (Method::GET, "/attendee?modifiedAfter=2025-01-01"),
    (Method::GET, "/Order"),
    (Method::GET, "/Export"),
    (Method::POST, "/Export/739da9"),
    (Method::POST, "/Export/j96479"),
];

/// Returns the bytes of all lists.
async fn lists(caller: &Caller) -> Vec<String> {
    let mut lists = Vec::new();
    for (method, path) in LISTS {
        let response = caller.request(method, path).header("content-length", "0").send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        lists.push(response.text().await.unwrap());
    }
    lists
}

/// A write. Its numbers select the records, their keys and their values.
#[derive(Debug, Clone)]
enum Write {
    Create(u8),
    Update(u8, u8),
    Delete(u8),
    Warehouse(u8),
    Customers(Vec<u8>),
    Vendors(Vec<u8>),
}

fn write() -> impl Strategy<Value = Write> {
    let keys = || proptest::collection::vec(0..9_u8, 0..4);
    prop_oneof![
        any::<u8>().prop_map(Write::Create),
        (any::<u8>(), any::<u8>()).prop_map(|(row, city)| Write::Update(row, city)),
        any::<u8>().prop_map(Write::Delete),
        any::<u8>().prop_map(Write::Warehouse),
        keys().prop_map(Write::Customers),
        keys().prop_map(Write::Vendors),
    ]
}

async fn send(sandbox: &Sandbox, caller: &Caller, write: &Write) {
    let path = |row: &u8| {
        let customers = sandbox.customers();
        let id = customers.get(usize::from(*row) % customers.len().max(1)).map(|customer| customer["id"].clone());
        format!("/Customer/{}", id.as_ref().and_then(Value::as_str).unwrap_or("none"))
    };
    let records = |keys: &[u8], field: &str, prefix: &str| -> Value {
        keys.iter().map(|key| json!({ field: format!("{prefix}{key}"), "city": format!("City {key}") })).collect()
    };
    let (method, path, body) = match write {
        Write::Create(city) => (Method::POST, "/Customer".to_owned(), Some(json!({ "city": city.to_string() }))),
        Write::Update(row, city) => (Method::PUT, path(row), Some(json!({ "city": city.to_string() }))),
        Write::Delete(row) => (Method::DELETE, path(row), None),
        Write::Warehouse(key) => {
            (Method::POST, "/Warehouse".to_owned(), Some(json!({ "warehouseID": key.to_string() })))
        }
        Write::Customers(keys) => {
            (Method::POST, "/v2/customers/bulk".to_owned(), Some(records(keys, "customerID", "C0000")))
        }
        Write::Vendors(keys) => (Method::POST, "/v2/vendors/bulk".to_owned(), Some(records(keys, "vendorID", "V000"))),
    };
    assert!(caller.call(method, &path, body).await.0 < 500);
}

#[test]
fn a_restore_undoes_any_writes_byte_for_byte() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let writes = || proptest::collection::vec(write(), 0..8);
    let mut runner = TestRunner::new(Config { cases: 24, ..Config::default() });
    let outcome = runner.run(&(writes(), writes(), writes()), |(first, second, third)| {
        runtime.block_on(async {
            let sandbox = Sandbox::builder().customers(4).unlimited().start().await.unwrap();
            let caller = Caller::new(&sandbox);
            for write in &first {
                send(&sandbox, &caller, write).await;
            }
            let (early, early_lists) = (sandbox.snapshot(), lists(&caller).await);
            for write in &second {
                send(&sandbox, &caller, write).await;
            }
            let (late, late_lists) = (sandbox.snapshot(), lists(&caller).await);
            for write in &third {
                send(&sandbox, &caller, write).await;
            }
            // In any order, and any number of times.
            for (snapshot, expected) in [(&early, &early_lists), (&late, &late_lists), (&early, &early_lists)] {
                sandbox.restore(snapshot);
                assert_eq!(lists(&caller).await, *expected);
                send(&sandbox, &caller, &Write::Create(0)).await;
            }
        });
        Ok(())
    });
    outcome.unwrap();
}

#[tokio::test]
async fn references_booths_behavior_and_exports_are_restored() {
    let sandbox = Sandbox::start().await.unwrap();
    let caller = Caller::new(&sandbox);
    let associate = async |product: &str| {
        let path = format!("/BoothProduct?boothID=BOOTH0001&productID={product}");
        assert_eq!(caller.call(Method::POST, &path, None).await.0, 200);
    };
    sandbox.add_reference(Reference::SalesRep, "EARLY");
    associate("PROD0001").await;
    sandbox.set_behavior(|behavior| behavior.page_cap = Some(7));
    sandbox.set_exports(|exports| exports.push(Export::new("early1", "Early")));
    let snapshot = sandbox.snapshot();

    sandbox.add_reference(Reference::SalesRep, "LATE");
    associate("PROD0002").await;
    sandbox.set_behavior(|behavior| behavior.page_cap = None);
    sandbox.set_exports(Vec::clear);
    sandbox.restore(&snapshot);

    assert!(sandbox.add_customer(json!({ "primarySalesRep": "EARLY" })).is_ok());
    assert!(sandbox.add_customer(json!({ "primarySalesRep": "LATE" })).is_err());
    assert_eq!(sandbox.booth_products("BOOTH0001"), ["PROD0001"]);
    assert_eq!(sandbox.behavior().page_cap, Some(7));
    assert_eq!(sandbox.exports().len(), 4);
}

#[tokio::test]
async fn tokens_journal_and_clock_are_not_restored() {
    let sandbox = Sandbox::start().await.unwrap();
    let snapshot = sandbox.snapshot();
    let caller = Caller::new(&sandbox);
    caller.get("/Customer").await;
    sandbox.advance(std::time::Duration::from_secs(200));
    sandbox.restore(&snapshot);
    assert_eq!(caller.get("/Customer").await.0, 200, "the token is younger than the snapshot");
    assert_eq!(sandbox.journal().len(), 2);
    assert!((sandbox.clock().now() - chrono::Utc::now()).num_seconds() > 150);
}

#[tokio::test]
async fn a_snapshot_survives_a_reset_and_can_be_restored_to_another_show() {
    let sandbox =
        Sandbox::builder().client_id("ONE").customers(3).another_show("TWO").customers(5).start().await.unwrap();
    sandbox.add_customer(json!({ "customerID": "NEW" })).unwrap();
    let (snapshot, customers) = (sandbox.snapshot(), sandbox.customers());
    sandbox.reset();
    assert_eq!(sandbox.customers().len(), 3);
    let other = sandbox.show("TWO").unwrap();
    for show in [sandbox.show("ONE").unwrap(), other] {
        show.restore(&snapshot);
        assert_eq!(show.customers(), customers);
    }
    other.add_customer(json!({ "customerID": "NEWER" })).unwrap();
    assert_eq!(sandbox.customers(), customers, "what is written to one is not in the other");
}
