//! References.

#![allow(clippy::unwrap_used)]

#[path = "support/call.rs"]
mod call;

use call::Caller;
use perenso_sandbox::{Reference, Sandbox};
use reqwest::Method;
use serde_json::{Value, json};

async fn start() -> (Sandbox, Caller) {
    let sandbox = Sandbox::builder().customers(200).start().await.unwrap();
    let caller = Caller::new(&sandbox);
    (sandbox, caller)
}

/// Every reference of a customer, with an existing and a missing key.
fn customers() -> [(Reference, Value, Value, &'static str); 8] {
    let group = |key: &str| json!({ "orderingGroups": [{ "orderingGroupID": key, "orderingSubGroupID": "any" }] });
    [
        (Reference::AllowanceGroup, json!({ "allowanceGroup": "AG20" }), json!({ "allowanceGroup": "AG21" }), "AG21"),
        (Reference::DeliveryGroup, json!({ "deliveryGroup": "0940" }), json!({ "deliveryGroup": "940" }), "940"),
        (Reference::CustomerClass, json!({ "customerClassID": "H" }), json!({ "customerClassID": "h" }), "h"),
        (Reference::OrderPermission, json!({ "orderPermissionKey": 4 }), json!({ "orderPermissionKey": 5 }), "5"),
        (
            Reference::SalesRep,
            json!({ "primarySalesRep": "USER0099" }),
            json!({ "primarySalesRep": "USER0100" }),
            "USER0100",
        ),
        (
            Reference::SalesRep,
            json!({ "salesReps": ["USER0001"] }),
            json!({ "salesReps": ["USER0001", "USER0"] }),
            "USER0",
        ),
        (Reference::Warehouse, json!({ "warehouseID": "WH0003" }), json!({ "warehouseID": "WH0004" }), "WH0004"),
        (Reference::OrderingGroup, group("OG0020"), group("OG0021"), "OG0021"),
    ]
}

/// Returns the path of the field in an error.
fn place(record: &Value) -> String {
    match record.as_object().unwrap().keys().next().unwrap().as_str() {
        "salesReps" => "salesReps[1]".to_owned(),
        "orderingGroups" => "orderingGroups[0].orderingGroupID".to_owned(),
        name => name.to_owned(),
    }
}

#[tokio::test]
async fn references_of_a_customer_must_exist() {
    let (sandbox, caller) = start().await;
    let id = sandbox.customers()[0]["id"].as_str().unwrap().to_owned();
    for (reference, good, bad, key) in customers() {
        for (method, path) in [(Method::POST, "/Customer".to_owned()), (Method::PUT, format!("/Customer/{id}"))] {
            let (status, body) = caller.call(method.clone(), &path, Some(good.clone())).await;
            assert_eq!(status, 200, "{method} {good}: {body}");
            let before = sandbox.customers();
            let (status, body) = caller.call(method.clone(), &path, Some(bad.clone())).await;
            assert_eq!((status, &body["fields"]), (422, &json!([place(&bad)])), "{method} {bad}");
            assert!(body["message"].as_str().unwrap().contains(&format!("{key:?}")), "{body}");
            assert_eq!(sandbox.customers(), before);
        }
        assert!(sandbox.add_customer(bad.clone()).is_err(), "{bad}");
        sandbox.add_reference(reference, key);
        let (status, body) = caller.call(Method::POST, "/Customer", Some(bad.clone())).await;
        assert_eq!(status, 200, "{bad}: {body}");
    }
}

#[tokio::test]
async fn a_bulk_call_rejects_only_records_with_missing_references() {
    let (sandbox, caller) = start().await;
    let mut records = Vec::new();
    for (number, (_, good, bad, _)) in customers().into_iter().enumerate() {
        for (mut record, kind) in [(good, "GOOD"), (bad, "BAD")] {
            record["customerID"] = format!("{kind}{number}").into();
            records.push(record);
        }
    }
    records.push(json!({ "customerID": "BOTH", "allowanceGroup": "AG0", "salesReps": ["a", "USER0001", "b"] }));
    let (status, response) = caller.call(Method::POST, "/v2/customers/bulk", Some(records.into())).await;
    assert_eq!(status, 200);
    let keys = |outcome: &str| -> Vec<String> {
        let records = response[outcome].as_array().unwrap();
        records.iter().map(|record| record["customerID"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(keys("successful"), (0..8).map(|number| format!("GOOD{number}")).collect::<Vec<_>>());
    assert_eq!(
        keys("failed"),
        (0..8).map(|number| format!("BAD{number}")).chain(["BOTH".to_owned()]).collect::<Vec<_>>()
    );
    let expected = [
        "allowanceGroup: there is no allowance group \"AG0\"",
        "salesReps[0]: there is no sales rep \"a\"",
        "salesReps[2]: there is no sales rep \"b\"",
    ];
    assert_eq!(response["failed"][8]["messages"], json!(expected));
    assert_eq!(sandbox.customers().len(), 208);
}

#[tokio::test]
async fn references_of_a_vendor_must_exist() {
    let (sandbox, caller) = start().await;
    let known = sandbox.vendors()[0]["vendorID"].clone();
    let mut records = Vec::new();
    for vendor in [Value::Null, known] {
        for (field, good, bad) in [
            ("deliveryGroup", json!("0901"), json!("0951")),
            ("brokers", json!(["BROKER0020"]), json!(["BROKER0021"])),
            ("booths", json!(["BOOTH0012"]), json!(["BOOTH0013"])),
        ] {
            records.push(json!({ "vendorID": vendor, field: good }));
            records.push(json!({ "vendorID": vendor, field: bad }));
        }
    }
    let send = async || {
        let (_, response) = caller.call(Method::POST, "/v2/vendors/bulk", Some(records.clone().into())).await;
        let failed = response["failed"].as_array().unwrap().clone();
        assert_eq!(failed.len() + response["successful"].as_array().unwrap().len(), 12);
        failed.iter().map(|failure| failure["message"].as_str().unwrap().to_owned()).collect::<Vec<String>>()
    };
    let expected = [
        "deliveryGroup: there is no delivery group \"0951\"",
        "brokers[0]: there is no broker \"BROKER0021\"",
        "booths[0]: there is no booth \"BOOTH0013\"",
    ];
    assert_eq!(send().await, [expected, expected].concat());
    for (reference, key) in
        [(Reference::DeliveryGroup, "0951"), (Reference::Broker, "BROKER0021"), (Reference::Booth, "BOOTH0013")]
    {
        sandbox.add_reference(reference, key);
    }
    assert!(send().await.is_empty());
}

#[tokio::test]
async fn missing_ordering_groups_are_created_on_request() {
    let (sandbox, caller) = start().await;
    let record = json!({ "orderingGroups": [{ "orderingGroupID": "OG9000" }, { "orderingGroupID": "OG9001" }] });
    let post = async |flag: &str, record: &Value| {
        let path = format!("/Customer{flag}");
        let (status, body) = caller.call(Method::POST, &path, Some(record.clone())).await;
        (status, body["fields"].clone())
    };
    let both = json!(["orderingGroups[0].orderingGroupID", "orderingGroups[1].orderingGroupID"]);
    assert_eq!(post("", &record).await, (422, both.clone()));
    assert_eq!(post("?createMissingOrderingGroups=false", &record).await, (422, both.clone()));
    assert_eq!(post("?createMissingOrderingGroups=maybe", &record).await.0, 400);
    let mut wrong = record.clone();
    wrong["warehouseID"] = "NOWHERE".into();
    let response = post("?createMissingOrderingGroups=true", &wrong).await;
    assert_eq!(response, (422, json!(["warehouseID"])), "only groups are created");
    assert_eq!(post("", &record).await, (422, both), "and none by a call that was refused");
    assert_eq!(post("?createMissingOrderingGroups=true", &record).await.0, 200);
    assert_eq!(post("", &record).await.0, 200, "they are there now");
    sandbox.reset();
    assert!(sandbox.add_customer(record).is_err());
}

#[tokio::test]
async fn a_warehouse_exists_while_it_is_in_the_list_of_warehouses() {
    let (_sandbox, caller) = start().await;
    let customer = json!({ "customerID": "1", "warehouseID": "WH7558" });
    let post = || async { caller.call(Method::POST, "/Customer", Some(customer.clone())).await.0 };
    assert_eq!(post().await, 422);
    let (_, made) = caller.call(Method::POST, "/Warehouse", Some(json!({ "warehouseID": "WH7558" }))).await;
    assert_eq!(post().await, 200);
    let path = format!("/Warehouse/{}", made["id"].as_str().unwrap());
    assert_eq!(caller.call(Method::DELETE, &path, None).await.0, 204);
    assert_eq!(post().await, 422);
}

#[tokio::test]
async fn references_are_optional() {
    let (sandbox, caller) = start().await;
    let nothing = json!({
        "allowanceGroup": null, "deliveryGroup": null, "warehouseID": null, "customerClassID": null,
        "orderPermissionKey": null, "primarySalesRep": null, "salesReps": [], "orderingGroups": null,
    });
    assert_eq!(caller.call(Method::POST, "/Customer", Some(nothing)).await.0, 200);
    let (status, body) = caller.call(Method::POST, "/Customer", Some(json!({ "warehouseID": "" }))).await;
    assert_eq!((status, &body["fields"]), (422, &json!(["warehouseID"])), "an empty key is a key that nothing has");
    sandbox.set_behavior(|behavior| behavior.check_references = false);
    assert_eq!(caller.call(Method::POST, "/Customer", Some(json!({ "warehouseID": "NOWHERE" }))).await.0, 200);
    let group = json!({ "orderingGroups": [{ "orderingGroupID": "OG9000" }] });
    assert_eq!(caller.call(Method::POST, "/Customer", Some(group.clone())).await.0, 200);
    sandbox.set_behavior(|behavior| behavior.check_references = true);
    assert_eq!(caller.call(Method::POST, "/Customer", Some(group)).await.0, 422, "what went unchecked was not created");
}

#[tokio::test]
async fn made_up_records_have_valid_references_of_every_kind() {
    let (sandbox, caller) = start().await;
    for (path, records) in [("/v2/customers/bulk", sandbox.customers()), ("/v2/vendors/bulk", sandbox.vendors())] {
        let (_, response) = caller.call(Method::POST, path, Some(records.into())).await;
        assert_eq!(response["failed"], json!([]), "{path}");
    }
    let permissions = sandbox.customers().iter().map(|customer| customer["orderPermissionKey"].clone()).fold(
        Vec::new(),
        |mut known: Vec<Value>, key| {
            known.extend((!known.contains(&key)).then_some(key));
            known
        },
    );
    assert_eq!(permissions.len(), 4);
}

#[tokio::test]
async fn references_of_the_builder_survive_a_reset_and_belong_to_one_show() {
    let builder = Sandbox::builder().client_id("ONE").reference(Reference::SalesRep, "USER9000").another_show("TWO");
    let sandbox = builder.start().await.unwrap();
    let customer = json!({ "primarySalesRep": "USER9000" });
    assert!(sandbox.add_customer(customer.clone()).is_ok());
    assert!(sandbox.show("TWO").unwrap().add_customer(customer.clone()).is_err());
    sandbox.add_reference(Reference::SalesRep, "USER9001");
    sandbox.reset();
    assert!(sandbox.add_customer(customer).is_ok());
    assert!(sandbox.add_customer(json!({ "primarySalesRep": "USER9001" })).is_err());
    assert!(sandbox.add_customer(json!({ "allowanceGroup": "USER9000" })).is_err(), "each kind has keys of its own");
}
