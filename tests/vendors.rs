//! The SDK with every plausible vendor: no record is lost or duplicated, in any case that the documents leave open.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, unreachable_pub)]

use std::{collections::BTreeMap, time::Duration};

use futures_util::{Stream, StreamExt};
use perenso::{
    Error, ErrorKind, Perenso, RetryPolicy, TokenPolicy,
    exports::Paging,
    types::{Customer, CustomerV2},
};
use perenso_sandbox::{PastTheEnd, Sandbox};

fn client(sandbox: &Sandbox) -> Perenso {
    Perenso::builder_from_vars(sandbox.vars())
        .unwrap()
        .retry(RetryPolicy::default().backoff(Duration::from_millis(2), Duration::from_millis(10)))
        .token_policy(TokenPolicy::default().backoff(Duration::from_millis(2), Duration::from_millis(10)))
        .build()
        .unwrap()
}

/// Returns all records. If the server has no empty page at the end, the expected error ends them.
async fn all(sandbox: &Sandbox, records: impl Stream<Item = Result<Customer, Error>>) -> Vec<Customer> {
    let past_the_end = sandbox.behavior().past_the_end;
    let mut records = std::pin::pin!(records);
    let mut read = Vec::new();
    while let Some(record) = records.next().await {
        match (record, past_the_end) {
            (Ok(record), _) => read.push(record),
            (Err(error), PastTheEnd::NotFound) if error.is_not_found() => return read,
            (Err(error), PastTheEnd::LastPageAgain) if error.kind() == ErrorKind::Paging => return read,
            (Err(error), _) => panic!("after {} records: {error:?}", read.len()),
        }
    }
    read
}

/// Asserts that each record of the server was read exactly once.
fn assert_same(sandbox: &Sandbox, read: &[Customer]) {
    let kept = sandbox.customers();
    let mut ids: Vec<&str> = kept.iter().map(|customer| customer["id"].as_str().unwrap()).collect();
    let mut read: Vec<&str> = read.iter().map(|customer| customer.id.as_deref().unwrap()).collect();
    ids.sort_unstable();
    read.sort_unstable();
    assert_eq!(read, ids);
}

perenso_sandbox::vendor_tests! {
    async fn a_day_at_the_show_loses_and_doubles_nothing(sandbox: Sandbox) {
        let show = client(&sandbox);
        let customers = show.customers();

        let new = Customer {
            customer_id: "ERP0001".into(),
            customer_name: "Example Stores".into(),
            warehouse_id: "WH0001".into(),
            city: "Exampleville".into(),
            ..Customer::default()
        };
        let made = customers.create(&new).await.unwrap();
        let id = made.id.as_deref().unwrap();
        assert_eq!(customers.get(id).await.unwrap(), made);
        let list = || customers.list().page_size(20);
        assert_same(&sandbox, &all(&sandbox, list().stream()).await);
        let changed = list().modified_after("2020-01-01".parse::<chrono::NaiveDate>().unwrap());
        let changed = all(&sandbox, changed.stream()).await;
        assert_same(&sandbox, &changed);
        assert!(changed.iter().all(|customer| customer.modified_date.as_ref().into_option().and_then(perenso::Timestamp::date).is_some()));

        // The access token expires each time, and finally the refresh token, if it has a lifetime.
        for seconds in [301, 301, 700] {
            sandbox.advance(Duration::from_secs(seconds));
            assert_eq!(customers.get(id).await.unwrap().customer_id.as_deref(), Some("ERP0001"));
        }

        let record = |number: usize| CustomerV2 {
            customer_id: format!("ERP{number:04}").into(),
            customer_name: format!("Example Stores {number}").into(),
            warehouse_id: "WH0002".into(),
            ..CustomerV2::default()
        };
        for _ in 0..2 {
            let report = customers.upsert((1..=130).map(record)).send().await.unwrap();
            assert!(report.all_succeeded() && report.unmatched() == 0, "{report:?}");
        }
        let mut counts = BTreeMap::<String, usize>::new();
        for customer in sandbox.customers() {
            *counts.entry(customer["customerID"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        assert_eq!((counts.len(), counts.values().max()), (45 + 130, Some(&1)));
        let kept = customers.get(id).await.unwrap();
        assert_eq!((kept.customer_name.as_deref(), kept.city.as_deref()), (Some("Example Stores 1"), Some("Exampleville")));

        let paging = if sandbox.behavior().cursor_is_offset { Paging::by_offset() } else { Paging::by_page() };
        let pages = show.exports().run("Get API Customers").pages::<Customer>(paging.limit(50)).await.unwrap();
        assert_same(&sandbox, &all(&sandbox, pages).await);
        let vendors: Vec<serde_json::Value> = show.exports().run("Vendors").send().await.unwrap().rows().unwrap();
        assert_eq!(vendors.len(), sandbox.vendors().len());

        let update = Customer { city: "Sampletown".into(), ..kept.clone() };
        assert_eq!(customers.update(id, &update).await.unwrap().city.as_deref(), Some("Sampletown"));
        customers.delete(id).await.unwrap();
        let error = customers.get(id).await.unwrap_err();
        assert!(error.is_not_found(), "{error:?}");
        assert_eq!(sandbox.customers().len(), 45 + 129);
        assert_same(&sandbox, &all(&sandbox, list().stream()).await);
    }
}
