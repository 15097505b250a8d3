//! Products of booths.

#![allow(clippy::unwrap_used)]

#[path = "support/call.rs"]
mod call;

use call::Caller;
use perenso_sandbox::Sandbox;
use reqwest::Method;
use serde_json::{Value, json};

async fn start() -> (Sandbox, Caller) {
    let sandbox = Sandbox::builder().products(5).start().await.unwrap();
    let caller = Caller::new(&sandbox);
    (sandbox, caller)
}

async fn post(caller: &Caller, booth: &str, product: &str) -> (u16, Value) {
    caller.call(Method::POST, &format!("/BoothProduct?boothID={booth}&productID={product}"), None).await
}

async fn put(caller: &Caller, booth: &str, products: Value) -> (u16, Value) {
    caller.call(Method::PUT, &format!("/BoothProduct?boothID={booth}"), Some(products)).await
}

/// Returns the records of these products.
fn shown(sandbox: &Sandbox, keys: &[&str]) -> Value {
    let records = sandbox.products();
    let all = keys.iter().flat_map(|key| records.iter().filter(move |record| record["productID"] == **key));
    let mut shown: Vec<Value> = all.cloned().collect();
    for record in &mut shown {
        record.as_object_mut().unwrap().remove("modifiedDate");
    }
    shown.into()
}

#[tokio::test]
async fn a_product_has_one_record_per_ordering_unit() {
    let (sandbox, caller) = start().await;
    assert_eq!(sandbox.products().len(), 10);
    let (status, products) = post(&caller, "BOOTH0001", "PROD0005").await;
    assert_eq!((status, &products), (200, &shown(&sandbox, &["PROD0005"])));
    let products = products.as_array().unwrap();
    assert_eq!(products.len(), 2);
    let field = |name: &str| (products[0][name].clone(), products[1][name].clone());
    for name in ["productID", "description", "vendorID", "mpc", "upc_ean", "category", "brand"] {
        let (one, other) = field(name);
        assert_eq!(one, other, "{name}");
    }
    for name in ["id", "orderUnit", "orderUnitDescription"] {
        let (one, other) = field(name);
        assert!(one.is_string() && one != other, "{name}");
    }
    assert_eq!(products[0]["upc_ean"], "000000000005");
    assert_eq!(sandbox.booth_products("BOOTH0001"), ["PROD0005"]);
    assert!(sandbox.booth_products("BOOTH0002").is_empty());
}

#[tokio::test]
async fn a_put_adds_unless_it_replaces() {
    let (sandbox, caller) = start().await;
    post(&caller, "BOOTH0002", "PROD0001").await;
    post(&caller, "BOOTH0001", "PROD0001").await;
    let (status, products) = put(&caller, "BOOTH0001", json!(["PROD0003", "PROD0001", "PROD0002"])).await;
    assert_eq!((status, products), (200, shown(&sandbox, &["PROD0003", "PROD0001", "PROD0002"])));
    assert_eq!(sandbox.booth_products("BOOTH0001"), ["PROD0001", "PROD0003", "PROD0002"], "each once");
    sandbox.set_behavior(|behavior| behavior.booth_put_replaces = true);
    let (_, products) = put(&caller, "BOOTH0001", json!(["PROD0004"])).await;
    assert_eq!(products, shown(&sandbox, &["PROD0004"]));
    assert_eq!(sandbox.booth_products("BOOTH0001"), ["PROD0004"]);
    assert_eq!(post(&caller, "BOOTH0001", "PROD0005").await.0, 200);
    assert_eq!(sandbox.booth_products("BOOTH0001"), ["PROD0004", "PROD0005"], "a POST adds all the same");
    assert_eq!(put(&caller, "BOOTH0001", json!([])).await, (200, json!([])));
    assert!(sandbox.booth_products("BOOTH0001").is_empty());
    assert_eq!(sandbox.booth_products("BOOTH0002"), ["PROD0001"]);
    sandbox.reset();
    assert!(sandbox.booth_products("BOOTH0002").is_empty());
}

#[tokio::test]
async fn unknown_booths_and_products_are_named_and_nothing_is_stored() {
    let (sandbox, caller) = start().await;
    sandbox.set_behavior(|behavior| behavior.booth_put_replaces = true);
    put(&caller, "BOOTH0001", json!(["PROD0001"])).await;
    for (response, status, names) in [
        (post(&caller, "BOOTH0013", "PROD0001").await, 404, json!(["boothID"])),
        (put(&caller, "BOOTH0013", json!(["PROD0001"])).await, 404, json!(["boothID"])),
        (post(&caller, "BOOTH0001", "PROD0006").await, 422, json!(["productID"])),
        (put(&caller, "BOOTH0001", json!(["PROD0006", "PROD0002", "X"])).await, 422, json!(["[0]", "[2]"])),
        (put(&caller, "BOOTH0001", json!(["PROD0002", 3])).await, 422, json!(["[1]"])),
        (caller.call(Method::POST, "/BoothProduct?productID=PROD0001", None).await, 400, json!(["boothID"])),
        (caller.call(Method::POST, "/BoothProduct?boothID=BOOTH0001", None).await, 400, json!(["productID"])),
        (caller.call(Method::PUT, "/BoothProduct", Some(json!([]))).await, 400, json!(["boothID"])),
        (caller.call(Method::PUT, "/BoothProduct?boothID=", Some(json!([]))).await, 400, json!(["boothID"])),
    ] {
        assert_eq!((response.0, &response.1["fields"]), (status, &names), "{}", response.1);
    }
    assert_eq!(put(&caller, "BOOTH0001", json!({})).await.0, 400);
    assert_eq!(sandbox.booth_products("BOOTH0001"), ["PROD0001"]);
    assert!(sandbox.booth_products("BOOTH0013").is_empty());
}
