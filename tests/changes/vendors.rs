//! Tests of one vendor or one changed record.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::TryStreamExt;
use perenso::{Direction, ErrorKind, Perenso, Watermark, types::Customer};
use perenso_sandbox::{ModifiedDate, Sandbox};

use crate::{
    client,
    server::{Reply, Server},
};

fn ids(customers: &[Customer]) -> Vec<&str> {
    customers.iter().filter_map(|customer| customer.id.as_deref()).collect()
}

fn show_of(server: &Server) -> Perenso {
    let builder = Perenso::builder().client_id("SHOWID").client_secret("secret").unlimited();
    builder.api_url(&server.url).token_url(format!("{}/token", server.url)).build().unwrap()
}

/// The reason for `changes`: pages miss a record if an earlier one moves.
#[tokio::test]
async fn a_walk_over_pages_misses_what_moves_and_changes_do_not() {
    let sandbox = Sandbox::builder().customers(45).unlimited().start().await.unwrap();
    let show = client(&sandbox);
    let first = sandbox.customers()[0]["id"].as_str().unwrap().to_owned();
    let change = Customer { city: "Fargo".into(), ..Customer::default() };
    let sorted = show.customers().list().modified_after("2025-01-01").sort("modifiedDate", Direction::Ascending);
    let mut stream = sorted.page_size(10).stream();
    let mut read = Vec::new();
    for place in 0.. {
        if place == 8 {
            show.customers().update(&*first, &change).await.unwrap();
        }
        let Some(customer) = stream.try_next().await.unwrap() else { break };
        read.push(customer);
    }
    let mut found = ids(&read);
    found.sort_unstable();
    found.dedup();
    assert_eq!((read.len(), found.len()), (45, 44));
    let changed = show.customers().changes("2025-01-01").page_size(10).send().await.unwrap();
    assert_eq!(changed.records.len(), 45);
}

#[tokio::test]
async fn a_date_alone_is_a_watermark_and_nothing_comes_twice() {
    let sandbox = Sandbox::builder().customers(45).page_cap(10).unlimited().start().await.unwrap();
    sandbox.set_behavior(|behavior| behavior.modified_date = ModifiedDate::Date);
    let show = client(&sandbox);
    let changed = show.customers().changes("2025-01-01T12:00:00").send().await.unwrap();
    assert_eq!((changed.records.len(), changed.watermark.modified_date().as_str().len()), (45, 10));
    let made = show.customers().create(&Customer { customer_id: "5041".into(), ..Customer::default() }).await.unwrap();
    let next = show.customers().changes(&changed.watermark).send().await.unwrap();
    assert_eq!(ids(&next.records), [made.id.as_deref().unwrap()]);
    let last = show.customers().changes(&next.watermark).send().await.unwrap();
    assert!(last.records.is_empty());
    assert_eq!(last.watermark, next.watermark);
}

#[tokio::test]
async fn only_what_is_not_older_than_the_given_date_is_returned() {
    let sandbox = Sandbox::builder().customers(45).unlimited().start().await.unwrap();
    let show = client(&sandbox);
    let middle = sandbox.customers()[20]["modifiedDate"].as_str().unwrap().to_owned();
    let changed = show.customers().changes(middle).page_size(4).send().await.unwrap();
    assert_eq!(changed.records.len(), 25, "that very moment included");
    assert_eq!(show.attendees().changes("2025-01-01").send().await.unwrap().records.len(), 2);
}

#[tokio::test]
async fn orders_are_read_by_the_dates_of_their_lines() {
    let sandbox = Sandbox::builder().orders(60).page_cap(7).unlimited().start().await.unwrap();
    let show = client(&sandbox);
    let changed = show.orders().changes("2025-01-01").send().await.unwrap();
    assert_eq!(changed.records.len(), 60);
    assert!(show.orders().changes(&changed.watermark).send().await.unwrap().records.is_empty());
    assert!(sandbox.journal().iter().any(|request| request.path.contains("datelastmodified=2024-12-31")));
}

/// Returns the requested page, counted from 1.
fn page_of(path: &str) -> usize {
    path.split("page=").nth(1).and_then(|rest| rest.split('&').next()?.parse().ok()).unwrap()
}

#[tokio::test]
async fn a_vendor_that_ignores_filter_and_sort_is_read_whole() {
    let server = Server::start(|seen| {
        let days = [[12, 3], [7, 9], [1, 5]];
        let page = days.get(page_of(&seen.path) - 1).map(|days| {
            days.map(|day| format!(r#"{{"id":"c{day}","modifiedDate":"2025-01-{day:02}T09:00:00"}}"#)).join(",")
        });
        Reply::json(200, format!("[{}]", page.unwrap_or_default()))
    })
    .await;
    let show = show_of(&server);
    let changed = show.customers().changes("2025-01-07").send().await.unwrap();
    assert_eq!(ids(&changed.records), ["c12", "c7", "c9"]);
    assert_eq!(changed.watermark.modified_date().as_str(), "2025-01-12T09:00:00");
    assert!(show.customers().changes(changed.watermark).send().await.unwrap().records.is_empty());
}

#[tokio::test]
async fn a_vendor_that_shows_no_dates_is_read_whole_and_keeps_the_watermark() {
    let server = Server::start(|seen| match page_of(&seen.path) {
        1 => Reply::json(200, r#"[{"id":"a"},{"id":"b"}]"#),
        2 => Reply::json(200, r#"[{"id":"c"}]"#),
        _ => Reply::json(404, "{}"),
    })
    .await;
    let changed = show_of(&server).customers().changes("2025-01-07").send().await.unwrap();
    assert_eq!(
        (ids(&changed.records), changed.watermark.modified_date().as_str()),
        (vec!["a", "b", "c"], "2025-01-07")
    );
}

#[tokio::test]
async fn a_day_that_never_rests_is_an_error_and_no_loop() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let server = Server::start(|seen| match page_of(&seen.path) {
        number @ 1..=2 => {
            let call = CALLS.fetch_add(1, Ordering::Relaxed);
            assert!(call < 100, "a loop");
            Reply::json(200, format!(r#"[{{"id":"c{number}","fax":"{call}","modifiedDate":"2025-01-31"}}]"#))
        }
        _ => Reply::json(200, "[]"),
    })
    .await;
    let error = show_of(&server).customers().changes("2025-01-31").send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Paging, "{error}");
    assert!(error.to_string().contains("old watermark"), "{error}");
}

#[tokio::test]
async fn a_watermark_without_a_timestamp_is_refused_before_anything_is_sent() {
    let sandbox = Sandbox::start().await.unwrap();
    let error = client(&sandbox).customers().changes("yesterday").send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input);
    assert!(sandbox.journal().is_empty());
    let stored = serde_json::to_string(&Watermark::from("2025-01-31")).unwrap();
    assert_eq!(stored, r#"{"modifiedDate":"2025-01-31"}"#, "the stored form is stable");
}
