//! Single customers: requests, responses, and lost responses.

use perenso::{CallErrorKind, ErrorKind, Field, types::Customer};
use perenso_sandbox::{DeleteResponse, Fault};
use serde_json::{Value, json};

use crate::{calls, is_call, lines, sandbox};

fn bodies(sandbox: &perenso_sandbox::Sandbox, method: &str) -> Vec<Value> {
    let written = calls(sandbox).into_iter().filter(|request| request.method == method);
    written.map(|request| serde_json::from_str(&request.body).unwrap()).collect()
}

#[tokio::test]
async fn a_customer_is_created_read_updated_and_deleted() {
    let (sandbox, show) = sandbox(0).await;
    let new = Customer {
        customer_id: "5041".into(),
        customer_name: "Example Stores".into(),
        price_zone: 702.into(),
        sales_reps: ["USER0001", "USER0002"].into(),
        ..Customer::default()
    };
    let made = show.customers().create(&new).await.unwrap();
    let id = made.id.as_deref().unwrap().to_owned();
    assert_eq!(
        bodies(&sandbox, "POST"),
        [json!({"customerID": "5041", "customerName": "Example Stores",
        "priceZone": 702, "salesReps": ["USER0001", "USER0002"]})]
    );

    let read = show.customers().get(&id).await.unwrap();
    assert_eq!(read, made);
    assert_eq!(read.customer_name.as_deref(), Some("Example Stores"));

    let change = Customer { city: "Exampleville".into(), ..Customer::default() };
    let changed = show.customers().update(&id, &change).await.unwrap();
    assert_eq!(changed.city.as_deref(), Some("Exampleville"));
    assert_eq!(changed.customer_id.as_deref(), Some("5041"));

    show.customers().delete(&id).await.unwrap();
    let error = show.customers().get(&id).await.unwrap_err();
    assert!(error.is_not_found() && is_call(&error, CallErrorKind::Status), "{error:?}");
    assert_eq!((error.operation(), error.attempts()), ("customer_get", 1));
    assert!(sandbox.customers().is_empty());
    let one = format!("/Customer/{id}");
    let expected = [
        "POST /Customer".to_owned(),
        format!("GET {one}"),
        format!("PUT {one}"),
        format!("DELETE {one}"),
        format!("GET {one}"),
    ];
    assert_eq!(lines(&sandbox), expected);
}

#[tokio::test]
async fn a_page_of_a_proxy_acknowledges_no_delete() {
    let (sandbox, show) = sandbox(1).await;
    let id = sandbox.customers()[0]["id"].as_str().unwrap().to_owned();
    sandbox.fault(Fault::page(200));
    let error = show.customers().delete(&id).await.unwrap_err();
    assert!(is_call(&error, CallErrorKind::Decode) && error.to_string().contains("HTML page"), "{error}");
    assert!(error.may_have_written());

    sandbox.fault(Fault::page(200));
    let customers = show.resource::<Value>("/Customer").unwrap();
    assert!(is_call(&customers.delete(&id).await.unwrap_err(), CallErrorKind::Decode));
    assert_eq!(sandbox.customers().len(), 1);
}

#[tokio::test]
async fn any_response_to_a_delete_is_a_delete() {
    let (sandbox, show) = sandbox(0).await;
    for response in [DeleteResponse::NoContent, DeleteResponse::EmptyOk, DeleteResponse::Record] {
        sandbox.set_behavior(|behavior| behavior.delete_answer = response);
        let id = sandbox.add_customer(json!({"customerID": "5000"})).unwrap();
        show.customers().delete(id).await.unwrap();
        assert!(sandbox.customers().is_empty(), "{response:?}");
    }
}

#[tokio::test]
async fn an_update_leaves_alone_sets_and_clears() {
    let (sandbox, show) = sandbox(0).await;
    let id = sandbox
        .add_customer(json!({"customerID": "5000", "street1": "1 Sample Street", "street2": "Floor 2", "city": "Old"}))
        .unwrap();
    let change = Customer { city: "New".into(), street2: Field::Null, ..Customer::default() };
    let after = show.customers().update(&id, &change).await.unwrap();
    assert_eq!(bodies(&sandbox, "PUT"), [json!({"city": "New", "street2": null})]);
    assert_eq!(after.street1.as_deref(), Some("1 Sample Street"));
    assert_eq!((after.street2, after.city), (Field::Null, "New".into()));
    let kept = &sandbox.customers()[0];
    assert_eq!(
        (&kept["street1"], &kept["street2"], &kept["city"]),
        (&json!("1 Sample Street"), &json!(null), &json!("New"))
    );
}

#[tokio::test]
async fn unknown_fields_and_every_digit_survive_a_read_and_a_write() {
    let (sandbox, show) = sandbox(0).await;
    // Compared as strings, since every digit must be kept.
    let fields = [
        r#""priceZone":999999999999999"#,
        r#""loyalty":{"tiers":["gold",null,{"since":2020}]}"#,
        r#""credit":123456789.012345"#,
        r#""ratio":0.123456789012345"#,
        r#""small":-1.23456789012345e-7"#,
        r#""large":999999999999999"#,
        // A fast but inexact float parser changes the last digit.
        r#""tiny":8.00993826735515e-20"#,
    ];
    let record = format!(r#"{{"customerID":"5000",{}}}"#, fields.join(","));
    let id = sandbox.add_customer(serde_json::from_str(&record).unwrap()).unwrap();

    let mut customer = show.customers().get(&id).await.unwrap();
    customer.city = "Exampleville".into();
    show.customers().update(&id, &customer).await.unwrap();

    let sent = &calls(&sandbox)[1].body;
    for field in fields {
        assert!(sent.contains(field), "{field} is not in {sent}");
    }
    let again = show.customers().get(&id).await.unwrap();
    assert_eq!(again.price_zone, Field::Value(999_999_999_999_999));
    assert_eq!(again.extra["loyalty"], json!({"tiers": ["gold", null, {"since": 2020}]}));
}

#[tokio::test]
async fn a_create_whose_response_is_lost_is_sent_exactly_once() {
    for fault in [Fault::DropResponse, Fault::CutBody, Fault::EmptyBody, Fault::status(500), Fault::status(503)] {
        let (sandbox, show) = sandbox(0).await;
        let processed = !matches!(fault, Fault::Status { .. });
        sandbox.fault(fault.clone());
        let customer = Customer { customer_id: "5041".into(), ..Customer::default() };
        let error = show.customers().create(&customer).await.unwrap_err();
        assert!(error.may_have_written(), "{fault:?}: {error:?}");
        assert!(error.to_string().contains("may have happened"), "{error}");
        assert_eq!((error.attempts(), lines(&sandbox).len()), (1, 1), "{fault:?}");
        assert_eq!(sandbox.customers().len(), usize::from(processed), "{fault:?}");
    }
}

#[tokio::test]
async fn a_create_that_certainly_was_not_processed_goes_out_again() {
    let (sandbox, show) = sandbox(0).await;
    sandbox.fault(Fault::status(429).with_header("retry-after", "0"));
    sandbox.fault(Fault::status(401));
    let customer = Customer { customer_id: "5041".into(), ..Customer::default() };
    show.customers().create(&customer).await.unwrap();
    assert_eq!((lines(&sandbox).len(), sandbox.customers().len()), (3, 1));

    sandbox.fault(Fault::status(422));
    let error = show.customers().create(&customer).await.unwrap_err();
    assert!(!error.may_have_written(), "a refusal writes nothing: {error}");
}

#[tokio::test]
async fn an_update_whose_response_is_lost_is_sent_again() {
    let (sandbox, show) = sandbox(0).await;
    let id = sandbox.add_customer(json!({"customerID": "5000"})).unwrap();
    sandbox.fault(Fault::DropResponse);
    sandbox.fault(Fault::status(502));
    let change = Customer { city: "New".into(), ..Customer::default() };
    show.customers().update(id, &change).await.unwrap();
    assert_eq!(bodies(&sandbox, "PUT"), [json!({"city": "New"}), json!({"city": "New"}), json!({"city": "New"})]);
}

#[tokio::test]
async fn a_delete_whose_first_response_was_lost_counts_as_deleted() {
    let (sandbox, show) = sandbox(0).await;
    let id = sandbox.add_customer(json!({"customerID": "5000"})).unwrap();
    sandbox.fault(Fault::DropResponse);
    show.customers().delete(&id).await.unwrap();
    let statuses: Vec<_> = calls(&sandbox).iter().map(|request| request.status).collect();
    assert_eq!(statuses, [None, Some(404)], "the second attempt found nothing");

    let error = show.customers().delete(&id).await.unwrap_err();
    assert!(error.is_not_found() && !error.may_have_written(), "nobody deleted it this time: {error:?}");
}

#[tokio::test]
async fn ordering_groups_are_made_only_where_it_is_asked_for() {
    let (sandbox, show) = sandbox(0).await;
    let customer = Customer { customer_id: "5041".into(), ..Customer::default() };
    show.customers().create_with_ordering_groups(&customer).await.unwrap();
    show.customers().create(&customer).await.unwrap();
    assert_eq!(lines(&sandbox), ["POST /Customer?createMissingOrderingGroups=true", "POST /Customer"]);
}

#[tokio::test]
async fn the_id_of_a_record_is_an_id_and_one_that_is_not_there_is_none() {
    let (sandbox, show) = sandbox(1).await;
    let customer = show.customers().list().send().await.unwrap().remove(0);
    assert_eq!(show.customers().get(&customer.id).await.unwrap().id, customer.id);
    sandbox.clear_journal();
    let error = show.customers().delete(&Customer::default().id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input, "{error}");
    assert!(sandbox.journal().is_empty());
}
