//! Bulk upserts: the outcome of every record, and the records that are safe to resend.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use perenso::{
    BulkReport, CallErrorKind, CallOptions, Counts, ErrorKind, Idempotency, Rate, RecordOutcome, RetryPolicy,
    auth::clock::ManualClock,
    types::{CustomerV2, Vendor},
};
use perenso_sandbox::Fault;
use serde_json::json;
use tokio::sync::oneshot;

use crate::{
    builder_of, calls, eventually, is_call, lines, sandbox,
    server::{Reply, Server},
    show_of,
};

fn customer(key: &str) -> CustomerV2 {
    CustomerV2 { customer_id: key.into(), customer_name: "Example Stores".into(), ..CustomerV2::default() }
}

fn customers(keys: std::ops::Range<usize>) -> Vec<CustomerV2> {
    keys.map(|key| customer(&format!("K{key:04}"))).collect()
}

fn vendor(id: Option<&str>, name: &str) -> Vendor {
    Vendor { vendor_id: perenso::Field::or_unset(id.map(str::to_owned)), vendor_name: name.into(), ..Vendor::default() }
}

/// Returns the numbers of records: succeeded, failed, unaccounted, unknown, not sent.
pub fn counts<R>(report: &BulkReport<R>) -> [usize; 5] {
    let Counts { succeeded, failed, unaccounted, unknown, not_sent, .. } = report.counts();
    [succeeded, failed, unaccounted, unknown, not_sent]
}

/// Returns the number of records in each call.
fn sizes(sandbox: &perenso_sandbox::Sandbox) -> Vec<usize> {
    let bodies = calls(sandbox).into_iter().map(|call| serde_json::from_str::<Vec<serde_json::Value>>(&call.body));
    bodies.map(|body| body.unwrap().len()).collect()
}

#[tokio::test]
async fn customers_are_created_and_updated_in_batches() {
    let (sandbox, show) = sandbox(0).await;
    sandbox.add_customer(json!({"customerID": "K0003", "city": "Exampleville"})).unwrap();
    let report = show.customers().upsert(customers(0..7)).batch_size(3).send().await.unwrap();
    assert!(report.all_succeeded() && report.error().is_none(), "{report:?}");
    assert_eq!((counts(&report), report.unmatched()), ([7, 0, 0, 0, 0], 0));
    assert_eq!(sizes(&sandbox), [3, 3, 1]);
    assert!(lines(&sandbox).iter().all(|line| line == "POST /v2/customers/bulk"));
    let kept = sandbox.customers();
    assert_eq!(
        (kept.len(), &kept[0]["city"], &kept[0]["customerName"]),
        (7, &json!("Exampleville"), &json!("Example Stores"))
    );
    // The id of every outcome is the one on the server.
    for (record, outcome) in report.records() {
        let RecordOutcome::Succeeded { id: Some(id) } = outcome else { panic!("{outcome:?}") };
        let own = kept.iter().find(|kept| kept["customerID"] == record.customer_id.as_deref().unwrap()).unwrap();
        assert_eq!(own["id"], id.as_str());
    }
    assert!(report.into_retry().is_empty());
}

#[tokio::test]
async fn a_partial_success_is_told_record_by_record_and_its_reasons_once() {
    let (sandbox, show) = sandbox(0).await;
    sandbox.set_behavior(|behavior| behavior.check_references = true);
    let mut records = customers(0..10);
    for record in &mut records[2..8] {
        record.warehouse_id = "WH9999".into();
    }
    records[8].warehouse_id = "WH8888".into();
    let report = show.customers().upsert(records).batch_size(4).send().await.unwrap();
    assert_eq!(counts(&report), [3, 7, 0, 0, 0]);
    let failed: Vec<_> = report
        .outcomes()
        .enumerate()
        .filter(|(_, outcome)| matches!(outcome, RecordOutcome::Failed { .. }))
        .map(|(at, _)| at)
        .collect();
    assert_eq!(failed, [2, 3, 4, 5, 6, 7, 8]);
    let reasons = report.reasons();
    assert_eq!(reasons.len(), 2, "{reasons:?}");
    assert_eq!((reasons[0].count, reasons[0].first, reasons[1].count, reasons[1].first), (6, 2, 1, 8));
    assert!(reasons[0].text.contains("WH9999"), "{}", reasons[0].text);
    assert!(report.error().is_none(), "the calls themselves went well");
    assert!(report.into_retry().is_empty(), "what was refused would be refused again");
}

#[tokio::test]
async fn keys_that_occur_twice_are_refused_and_nothing_is_sent() {
    let (sandbox, show) = sandbox(0).await;
    let mut records = customers(0..3);
    records.push(customer("K0001"));
    records.push(customer(" "));
    records.push(CustomerV2::default());
    let error = show.customers().upsert(records).send().await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Input, "customer_bulk_upsert"));
    assert_eq!(error.problems().len(), 3, "{error}");
    assert!(error.problems()[0].contains("1 and 3") && !error.to_string().contains("K0001"), "{error}");
    let twice = [vendor(Some("V1"), "a"), vendor(None, "b"), vendor(Some("V1"), "c")];
    assert_eq!(show.vendors().upsert(twice).send().await.unwrap_err().kind(), ErrorKind::Input);
    assert!(sandbox.journal().is_empty(), "not even for a token");
}

#[tokio::test]
async fn no_records_are_no_calls() {
    let (sandbox, show) = sandbox(0).await;
    let report = show.customers().upsert([]).send().await.unwrap();
    assert!(report.all_succeeded() && sandbox.journal().is_empty());
}

#[tokio::test]
async fn a_lost_response_is_asked_for_again_since_customers_have_keys() {
    let (sandbox, show) = sandbox(0).await;
    sandbox.fault(Fault::DropResponse);
    sandbox.fault(Fault::status(502));
    let report = show.customers().upsert(customers(0..5)).send().await.unwrap();
    assert!(report.all_succeeded(), "{report:?}");
    assert_eq!((sizes(&sandbox), sandbox.customers().len()), (vec![5, 5, 5], 5));
}

#[tokio::test]
async fn when_every_response_is_lost_the_batch_is_unknown_and_the_rest_not_sent() {
    let (sandbox, show) = sandbox(0).await;
    for _ in 0..4 {
        sandbox.fault(Fault::DropResponse);
    }
    let report = show.customers().upsert(customers(0..7)).batch_size(3).send().await.unwrap();
    assert_eq!(counts(&report), [0, 0, 0, 3, 4]);
    let error = report.error().unwrap();
    assert!(is_call(error, CallErrorKind::Broken) && error.may_have_written(), "{error:?}");
    assert_eq!((sizes(&sandbox), error.attempts()), (vec![3; 4], 4));

    let again = report.into_retry();
    assert_eq!(again.len(), 7, "with a key, all of them can go out again");
    let report = show.customers().upsert(again).send().await.unwrap();
    assert!(report.all_succeeded());
    assert_eq!(sandbox.customers().len(), 7, "and none is there twice");
}

#[tokio::test]
async fn a_response_that_cannot_be_read_leaves_the_batch_unknown() {
    let (sandbox, show) = sandbox(0).await;
    sandbox.fault(Fault::EmptyBody);
    let report = show.customers().upsert(customers(0..3)).send().await.unwrap();
    assert_eq!(counts(&report), [0, 0, 0, 3, 0], "{report:?}");
    // A request with a truncated response is retried, since customers have keys.
    sandbox.fault(Fault::CutBody);
    let report = show.customers().upsert(customers(0..3)).send().await.unwrap();
    assert!(report.all_succeeded(), "{report:?}");
}

#[tokio::test]
async fn responses_before_a_fault_stay_in_the_report() {
    let (sandbox, show) = sandbox(0).await;
    let once = show.with_options(CallOptions::new().retry(RetryPolicy::never()));
    sandbox.fault(Fault::Delay(std::time::Duration::ZERO));
    sandbox.fault(Fault::status(429));
    let report = once.customers().upsert(customers(0..7)).batch_size(3).send().await.unwrap();
    assert_eq!(counts(&report), [3, 0, 0, 0, 4]);
    assert!(is_call(report.error().unwrap(), CallErrorKind::RateLimited));
    let keys: Vec<_> = report.into_retry().iter().filter_map(|record| record.customer_id.get().cloned()).collect();
    assert_eq!(keys, ["K0003", "K0004", "K0005", "K0006"]);
}

/// Starts a server that rejects every batch with one of these records.
async fn squeamish(poison: impl Fn(&str) -> bool + Send + Sync + 'static) -> Server {
    Server::start(move |seen| {
        let records: Vec<serde_json::Value> = serde_json::from_str(&seen.body).unwrap();
        let keys: Vec<_> = records.iter().map(|record| record["customerID"].as_str().unwrap()).collect();
        if keys.iter().any(|key| poison(key)) {
            return Reply::json(422, r#"{"error":"a record cannot be stood"}"#);
        }
        let successful: Vec<_> = keys.iter().map(|key| json!({"id": "x1", "customerID": key})).collect();
        Reply::json(200, json!({"successful": successful, "failed": []}).to_string())
    })
    .await
}

#[tokio::test]
async fn a_record_that_the_server_cannot_stand_is_found_and_takes_no_other_with_it() {
    let server = squeamish(|key| key == "K0006").await;
    let report = show_of(&server).customers().upsert(customers(0..20)).batch_size(10).send().await.unwrap();
    assert_eq!(counts(&report), [19, 1, 0, 0, 0]);
    assert!(matches!(report.outcomes().nth(6), Some(RecordOutcome::Failed { .. })), "{report:?}");
    assert!(report.reasons()[0].text.contains("cannot be stood"), "{}", report.reasons()[0].text);
    assert!(report.error().is_none(), "nothing ended it");
    // Batches of ten, five, two and one.
    assert!(report.refusals().iter().all(|error| error.status().unwrap() == 422));
    assert_eq!(report.refusals().len(), 4);
}

#[tokio::test]
async fn when_nothing_is_accepted_it_stops_taking_batches_apart_and_all_can_be_sent_again() {
    let server = squeamish(|_| true).await;
    let report = show_of(&server).customers().upsert(customers(0..2000)).batch_size(100).send().await.unwrap();
    let refused = report.counts().refused;
    assert!(refused > 1900 && refused + report.counts().failed == 2000, "{:?}", report.counts());
    assert!(server.calls().len() < 150, "{}", server.calls().len());
    assert_eq!(report.into_retry().len(), refused);
}

#[tokio::test]
async fn a_batch_that_is_too_large_is_halved_and_so_are_those_behind_it() {
    let (sandbox, show) = sandbox(0).await;
    sandbox.set_behavior(|behavior| behavior.bulk_cap = Some(3));
    let report = show.customers().upsert(customers(0..20)).batch_size(10).send().await.unwrap();
    assert!(report.all_succeeded(), "{report:?}");
    assert_eq!(sizes(&sandbox), [10, 5, 2, 2, 1, 2, 2, 1, 2, 2, 2, 2, 2]);
}

#[tokio::test]
async fn a_batch_that_is_too_large_is_halved_though_the_first_response_was_lost() {
    let (sandbox, show) = sandbox(0).await;
    sandbox.set_behavior(|behavior| behavior.bulk_cap = Some(10));
    sandbox.fault(Fault::DropResponse);

    let report = show.customers().upsert(customers(0..25)).send().await.unwrap();
    assert!(report.all_succeeded(), "{report:?}");
    assert_eq!(sandbox.customers().len(), 25);
}

#[tokio::test]
async fn credentials_that_are_refused_end_it() {
    let (sandbox, _) = sandbox(0).await;
    let show = crate::builder_for(&sandbox).client_secret("wrong").build().unwrap();
    let report = show.customers().upsert(customers(0..5)).batch_size(3).send().await.unwrap();
    assert_eq!(counts(&report), [0, 0, 0, 0, 5]);
    assert!(report.error().unwrap().is_auth());
    assert_eq!(report.into_retry().len(), 5);
}

#[tokio::test]
async fn records_that_a_response_omits_are_unaccounted_and_unmatched_ones_are_counted() {
    let server = Server::start(|_| {
        let response = json!({"successful": [{"id": "x1", "customerID": "K0000"}, {"id": "x9", "customerID": "K9999"}],
            "failed": [{"customerID": "K0001", "message": "K0001 is taken"}, {"customerID": "K0003", "messages": ["K0003 is taken"]}]});
        Reply::json(200, response.to_string())
    })
    .await;
    let report = show_of(&server).customers().upsert(customers(0..4)).send().await.unwrap();
    assert_eq!((counts(&report), report.unmatched()), ([1, 2, 1, 0, 0], 1));
    let [reason] = &report.reasons()[..] else { panic!("{:?}", report.reasons()) };
    assert_eq!((reason.text.as_str(), reason.count), ("… is taken", 2), "equal but for the key");
    let again: Vec<_> = report.into_retry().iter().filter_map(|record| record.customer_id.get().cloned()).collect();
    assert_eq!(again, ["K0002"]);
}

#[tokio::test]
async fn vendors_without_an_id_go_one_by_one_and_the_others_in_batches() {
    let (sandbox, show) = sandbox(0).await;
    let known = sandbox.vendors()[0]["vendorID"].as_str().unwrap().to_owned();
    let other = sandbox.vendors()[1]["vendorID"].as_str().unwrap().to_owned();
    let records = [
        vendor(Some(&known), "Example Foods"),
        vendor(Some(&other), "Example Drinks"),
        vendor(None, "New One"),
        vendor(None, "New Two"),
        vendor(Some("NOBODY"), "Nobody"),
    ];
    let report = show.vendors().upsert(records).send().await.unwrap();
    assert_eq!((counts(&report), sizes(&sandbox)), ([4, 1, 0, 0, 0], vec![2, 1, 1, 1]));
    assert_eq!((report.reasons()[0].first, sandbox.vendors().len()), (4, 10));
    assert_eq!(sandbox.vendors()[0]["vendorName"], "Example Foods");
    for (at, name) in [(2, "New One"), (3, "New Two")] {
        let Some(RecordOutcome::Succeeded { id: Some(id) }) = report.outcomes().nth(at) else { panic!("{report:?}") };
        assert!(sandbox.vendors().iter().any(|vendor| vendor["id"] == id.as_str() && vendor["vendorName"] == name));
    }
}

#[tokio::test]
async fn a_vendor_without_an_id_is_never_sent_twice() {
    for fault in [Fault::DropResponse, Fault::DropConnection, Fault::status(500), Fault::CutBody] {
        let (sandbox, show) = sandbox(0).await;
        let before = sandbox.vendors().len();
        sandbox.fault(fault.clone());
        let records = [vendor(None, "New One"), vendor(None, "New Two")];
        let report = show.vendors().upsert(records).send().await.unwrap();
        assert_eq!((counts(&report), sizes(&sandbox)), ([0, 0, 0, 1, 1], vec![1]), "{fault:?}");
        let processed = usize::from(matches!(fault, Fault::DropResponse | Fault::CutBody));
        assert_eq!(sandbox.vendors().len(), before + processed, "{fault:?}");
        let again = report.into_retry();
        assert_eq!(again.len(), 1, "what may be there is not sent again: {fault:?}");
        assert_eq!(again[0].vendor_name.as_deref(), Some("New Two"));
    }
}

#[tokio::test]
async fn vendors_with_an_id_are_asked_for_again_unless_the_caller_forbids_it() {
    let (sandbox, show) = sandbox(0).await;
    let known = sandbox.vendors()[0]["vendorID"].as_str().unwrap().to_owned();
    sandbox.fault(Fault::DropResponse);
    let report = show.vendors().upsert([vendor(Some(&known), "Example Foods")]).send().await.unwrap();
    assert!(report.all_succeeded());
    assert_eq!(sizes(&sandbox), [1, 1]);

    sandbox.clear_journal();
    sandbox.fault(Fault::DropResponse);
    let careful = show.with_options(CallOptions::new().idempotency(Idempotency::NotRepeatable));
    let report = careful.vendors().upsert([vendor(Some(&known), "Example Foods")]).send().await.unwrap();
    assert_eq!((counts(&report), sizes(&sandbox)), ([0, 0, 0, 1, 0], vec![1]));
}

/// Returns a successful response for all customers of a request.
fn all_written(body: &str) -> Reply {
    let records: Vec<serde_json::Value> = serde_json::from_str(body).unwrap();
    let successful: Vec<_> =
        records.iter().map(|record| json!({"id": "x1", "customerID": record["customerID"]})).collect();
    Reply::json(200, json!({"successful": successful, "failed": []}).to_string())
}

/// Returns a stop, and the sender that requests it when it is dropped.
fn stop() -> (oneshot::Sender<()>, impl Future<Output = ()> + Send) {
    let (sender, requested) = oneshot::channel();
    (sender, async { drop(requested.await) })
}

/// Returns one letter per record, in input order: `S` succeeded, `F` failed, `?` unknown, `-` not sent.
fn by_index<R>(report: &BulkReport<R>) -> String {
    let letter = |outcome: &RecordOutcome| match outcome {
        RecordOutcome::Succeeded { .. } => 'S',
        RecordOutcome::Failed { .. } => 'F',
        RecordOutcome::Unknown => '?',
        RecordOutcome::NotSent => '-',
        _ => '!',
    };
    report.outcomes().map(letter).collect()
}

#[tokio::test]
async fn a_stop_ends_the_wait_for_a_retry_after_at_once() {
    let server = Server::start(|seen| match seen.nth {
        0 => all_written(&seen.body),
        _ => Reply::status(429).with("retry-after", "20"),
    })
    .await;
    let clock = ManualClock::default();
    let show = builder_of(&server).clock(clock.clone()).build().unwrap();
    let (sender, requested) = stop();
    let upsert = show.customers().upsert(customers(0..7)).batch_size(3).stop_when(requested);
    let upsert = tokio::spawn(upsert.send());
    eventually(|| clock.sleepers().contains(&Duration::from_secs(20))).await;
    drop(sender);
    // The clock does not advance, so only the stop can end the wait.
    let report = tokio::time::timeout(Duration::from_secs(5), upsert).await.unwrap().unwrap().unwrap();
    assert_eq!((by_index(&report).as_str(), report.is_stopped()), ("SSS----", true));
    assert!(is_call(report.error().unwrap(), CallErrorKind::RateLimited), "{report:?}");
    assert_eq!((server.calls().len(), report.into_retry().len()), (2, 4));
}

#[tokio::test]
async fn a_stop_ends_the_wait_for_the_rate_budget_at_once() {
    let server = Server::start(|seen| all_written(&seen.body)).await;
    let clock = ManualClock::default();
    let slow = Rate::new(1, Duration::from_secs(60), 1);
    let show = builder_of(&server).clock(clock.clone()).rate(slow).build().unwrap();
    let (sender, requested) = stop();
    let upsert = show.customers().upsert(customers(0..7)).batch_size(3).stop_when(requested);
    let upsert = tokio::spawn(upsert.send());
    eventually(|| server.calls().len() == 1 && clock.sleepers().contains(&Duration::from_secs(60))).await;
    drop(sender);
    let report = tokio::time::timeout(Duration::from_secs(5), upsert).await.unwrap().unwrap().unwrap();
    assert_eq!((by_index(&report).as_str(), report.is_stopped()), ("SSS----", true));
    assert!(report.error().is_none() && server.calls().len() == 1, "{report:?}");
}

/// Runs an upsert with a server that requests the stop while the first batch is in flight, then responds with `reply`.
async fn stopped_in_flight(reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> (Server, BulkReport<CustomerV2>) {
    let (sender, requested) = stop();
    let sender = Mutex::new(Some(sender));
    let server = Server::start(move |seen| {
        drop(sender.lock().unwrap().take());
        reply(&seen.body)
    })
    .await;
    let upsert = show_of(&server).customers().upsert(customers(0..7)).batch_size(3);
    let report = upsert.stop_when(requested).send().await.unwrap();
    (server, report)
}

#[tokio::test]
async fn a_stop_waits_for_the_batch_in_flight_and_sends_no_other() {
    let (server, report) = stopped_in_flight(all_written).await;
    assert_eq!((by_index(&report).as_str(), report.is_stopped()), ("SSS----", true));
    assert!(report.error().is_none() && server.calls().len() == 1, "{report:?}");
}

#[tokio::test]
async fn a_batch_in_flight_whose_response_is_lost_is_unknown_and_not_retried_after_a_stop() {
    for reply in [Reply::Cut(Vec::new()), Reply::status(503)] {
        let (server, report) = stopped_in_flight(move |_| reply.clone()).await;
        assert_eq!((by_index(&report).as_str(), report.is_stopped()), ("???----", true));
        assert!(report.error().unwrap().may_have_written() && server.calls().len() == 1, "{report:?}");
    }
    // A rejected batch was not processed, and its halves are not sent after the stop.
    for reply in [Reply::status(429), Reply::status(422), Reply::status(401)] {
        let (server, report) = stopped_in_flight(move |_| reply.clone()).await;
        assert_eq!((by_index(&report).as_str(), report.is_stopped()), ("-------", true));
        assert_eq!(server.calls().len(), 1, "{report:?}");
    }
}

#[tokio::test]
async fn a_stop_that_nobody_requests_or_that_comes_too_late_changes_nothing() {
    let (_sandbox, show) = sandbox(0).await;
    let upsert = show.customers().upsert(customers(0..7)).batch_size(3).stop_when(std::future::pending());
    let report = upsert.send().await.unwrap();
    assert!(report.all_succeeded() && !report.is_stopped(), "{report:?}");
    let before = show.customers().upsert(customers(0..7)).stop_when(std::future::ready(())).send().await.unwrap();
    assert_eq!((by_index(&before).as_str(), before.is_stopped()), ("-------", true));
}

#[tokio::test]
async fn vendors_stop_as_well_and_a_stop_of_the_handle_counts() {
    let (sandbox, show) = sandbox(0).await;
    let vendors = [vendor(None, "a"), vendor(None, "b"), vendor(None, "c")];
    let (sender, requested) = stop();
    let sender = Mutex::new(Some(sender));
    let show = show.with_options(CallOptions::new().stop_when(requested));
    let upsert = show.vendors().upsert(vendors).stop_when(std::future::pending());
    let report = upsert.on_progress(move |_| drop(sender.lock().unwrap().take())).send().await.unwrap();
    assert_eq!((by_index(&report).as_str(), report.is_stopped()), ("S--", true));
    assert_eq!(sizes(&sandbox), [1]);
}

#[tokio::test]
async fn progress_is_told_after_every_batch_and_adds_up() {
    let server = squeamish(|key| key == "K0001").await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&told);
    let upsert = show_of(&server).customers().upsert(customers(0..5)).batch_size(2);
    let upsert = upsert.on_progress(move |progress| seen.lock().unwrap().push(progress.clone()));
    let report = upsert.send().await.unwrap();
    let told = told.lock().unwrap();
    let steps: Vec<_> = told.iter().map(|progress| (progress.batch.clone(), progress.counts.not_sent)).collect();
    assert_eq!(steps, [(0..2, 5), (0..1, 4), (1..2, 3), (2..4, 1), (4..5, 0)]);
    assert_eq!(told.last().unwrap().counts, report.counts());
}
