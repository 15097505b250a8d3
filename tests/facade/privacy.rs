//! No personal data in logs, errors or `Debug` output.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use futures_util::TryStreamExt;
use http::Method;
use perenso::{
    Field, RecordOutcome, Reveal,
    generated::{ClientCustomerExt, ClientVendorExt},
    types::{Attendee, Customer, CustomerV2, Order, Vendor, builder},
};
use perenso_sandbox::Fault;
use serde_json::{Value, json};
use tracing_subscriber::fmt::MakeWriter;

use crate::{SECRET, builder_for, sandbox};

/// The value of every field that may be personal.
const PERSON: &str = "Zebulon";

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn person(key: &str) -> Value {
    json!({
        "customerID": key, "customerName": PERSON, "email": "Zebulon@example.com", "street1": "1 Zebulon Street",
        "city": PERSON, "extra1": PERSON, "nickname": PERSON, "warehouseID": PERSON, "salesReps": [PERSON],
        "orderingGroups": [{"orderingGroupName": PERSON, "customers": [PERSON], "nickname": PERSON}],
    })
}

fn read<T: serde::de::DeserializeOwned>(record: Value) -> T {
    serde_json::from_value(record).unwrap()
}

fn shown(thing: &impl std::fmt::Debug) -> String {
    format!("{thing:?}\n{thing:#?}")
}

#[track_caller]
fn hidden(thing: &impl std::fmt::Debug) {
    let text = shown(thing);
    assert!(!text.contains(PERSON), "{text}");
}

#[test]
fn records_and_builders_show_their_keys_at_most() {
    let customer: Customer = read(person("5000"));
    hidden(&customer);
    hidden(&customer.ordering_groups);
    assert!(shown(&customer).contains("5000"));
    hidden(&vec![read::<CustomerV2>(person("5000"))]);
    hidden(&builder::Customer::from(customer.clone()));
    let vendor = json!({"vendorID": "V1", "vendorName": PERSON, "emailAddress": PERSON, "nickname": PERSON});
    hidden(&read::<Vendor>(vendor));
    hidden(&read::<Attendee>(
        json!({"id": "a1", "firstName": PERSON, "lastName": PERSON, "email": PERSON, "seat": PERSON}),
    ));
    let line = json!({"orderLineID": "11", "customer": {"id": "1", "name": PERSON}, "purchaseOrder": {"notes": PERSON},
        "vendor": {"name": PERSON}, "note": PERSON});
    hidden(&read::<Order>(json!({"items": [line.clone()], "contact": PERSON})));
    hidden(&read::<Order>(json!({"items": [line]})).items);

    assert!(Reveal(&customer).to_string().contains("1 Zebulon Street"));
    assert!(shown(&Reveal(&customer)).contains(PERSON), "to those who ask");
}

#[tokio::test]
async fn neither_calls_nor_responses_nor_errors_nor_logs_show_a_person() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
        .with_writer(log.clone())
        .finish();
    // Set for all threads, since tracing caches the interest of the first thread for all.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let mut texts = Vec::new();

    let (sandbox, show) = sandbox(0).await;
    sandbox.set_behavior(|behavior| behavior.check_references = false);
    let id = sandbox.add_customer(person("5000")).unwrap();
    sandbox.add_customer(json!({"id": "b2", "customerID": "5001", "city": PERSON})).unwrap();
    let customer: Customer = read(person("5002"));
    texts.push(shown(&show));
    texts.push(shown(&show.customers()));

    // Requests.
    let list = show.customers().list().filter("city", PERSON).sort(PERSON, perenso::Direction::Ascending);
    texts.push(shown(&list));
    texts.push(shown(&list.clone().stream()));
    texts.push(shown(&show.customers().upsert([read(person("5000"))])));
    texts.push(shown(&show.api().customer_create().body(customer.clone())));
    texts.push(shown(&show.api().customer_update().id("a1").body(customer.clone())));
    texts.push(shown(&show.api().vendor_bulk_upsert().body(vec![read(json!({"vendorName": PERSON}))])));
    let request = show.request(Method::POST, "/Customer").query("name", PERSON).json(&customer);
    texts.push(shown(&request));
    texts.push(shown(&request.send().await.unwrap()));

    // Responses.
    texts.push(shown(&show.customers().get(&id).await.unwrap()));
    texts.push(shown(&show.customers().get("b2").await.unwrap()));
    texts.push(shown(&show.customers().list().page(1).await.unwrap()));
    texts.push(shown(&show.customers().list().stream().try_collect::<Vec<_>>().await.unwrap()));
    texts.push(shown(&show.api().customer_get().id(&id).send().await.unwrap()));

    // Errors. The error responses of the sandbox quote the record.
    sandbox.set_behavior(|behavior| behavior.check_references = true);
    let mut errors = vec![
        show.customers().create(&customer).await.unwrap_err(),
        show.customers().update("b2", &customer).await.unwrap_err(),
        show.customers().get("Zebulon the second").await.unwrap_err(),
        show.resource::<Value>("/Warehouse").unwrap().get("Zebulon/2").await.unwrap_err(),
        show.customers().get("Zebulon\n").await.unwrap_err(),
        list.send().await.unwrap_err(),
    ];
    assert!(String::from_utf8_lossy(errors[0].body().unwrap()).contains(PERSON), "the test would see nothing");
    let page = Fault::Status {
        code: 500,
        content_type: "text/html".to_owned(),
        body: PERSON.as_bytes().to_vec(),
        headers: Vec::new(),
    };
    for fault in [Fault::CutBody, page, Fault::DropResponse] {
        (0..4).for_each(|_| sandbox.fault(fault.clone()));
        errors.push(show.customers().list().filter("city", PERSON).send().await.unwrap_err());
        while show.customers().list().send().await.is_err() {}
    }
    let records: [CustomerV2; 2] = [read(person("5003")), read(person("5004"))];
    let report = show.customers().upsert(records).send().await.unwrap();
    assert!(report.outcomes().all(|outcome| matches!(outcome, RecordOutcome::Failed { .. })));
    texts.push(shown(&report));
    texts.extend(report.records().map(|(record, outcome)| shown(&(record, outcome))));
    texts.push(shown(&report.reasons()));
    assert!(report.reasons()[0].text.contains(PERSON), "to those who ask");
    let twice: [CustomerV2; 2] = [read(person(PERSON)), read(person(PERSON))];
    errors.push(show.customers().upsert(twice).send().await.unwrap_err());
    for error in errors {
        texts.push(format!("{error}\n{}", shown(&error)));
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            texts.push(format!("{error}\n{error:?}"));
            cause = error.source();
        }
    }

    let log = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    assert!(log.contains("api_call") && log.contains("customer_get") && log.contains("retrying"), "no log:\n{log}");
    texts.push(log);
    for text in texts {
        assert!(!text.contains(PERSON), "{text}");
    }
}

#[tokio::test]
async fn nothing_shows_a_secret_or_a_token() {
    let (sandbox, show) = sandbox(0).await;
    let token = show.token(std::time::Duration::ZERO).await.unwrap();
    let options = perenso::CallOptions::new();
    let texts = [
        shown(&perenso::Perenso::builder().client_secret(SECRET).client_certificate(SECRET)),
        shown(&builder_for(&sandbox)),
        shown(&show),
        shown(&show.with_options(options)),
        shown(&show.api()),
        shown(&token),
        shown(&show.token_in_hand()),
        shown(&Field::Value(perenso::Secret::from(SECRET))),
    ];
    for text in texts {
        for secret in [SECRET, sandbox.client_secret(), token.expose()] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}
