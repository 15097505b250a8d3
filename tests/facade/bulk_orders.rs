//! Order lines and order history in bulk: responses that name a line by its id or its row, or only count.

use perenso::{
    ErrorKind, RecordOutcome,
    types::{OrderHistoryItem, OrderLineUpdate},
};
use perenso_sandbox::Fault;
use serde_json::{Value, json};

use crate::{
    bulk::counts,
    calls, lines, sandbox,
    server::{Reply, Server},
    show_of,
};

fn line(id: &str) -> OrderLineUpdate {
    OrderLineUpdate { id: id.into(), order_qty: 2.into(), ..OrderLineUpdate::default() }
}

fn item(customer: &str) -> OrderHistoryItem {
    OrderHistoryItem { customerid: customer.into(), bucket: "B1".into(), ..OrderHistoryItem::default() }
}

fn failed(reason: &str) -> RecordOutcome {
    RecordOutcome::Failed { reasons: vec![reason.to_owned()] }
}

fn succeeded(id: &str) -> RecordOutcome {
    RecordOutcome::Succeeded { id: Some(id.to_owned()) }
}

/// Returns the outcomes of lines after this response, and the number of entries that match none.
async fn outcomes(ids: &[&str], response: Value) -> (Vec<RecordOutcome>, usize) {
    let server = Server::start(move |_| Reply::json(200, response.to_string())).await;
    let report = show_of(&server).orders().update(ids.iter().map(|id| line(id))).send().await.unwrap();
    (report.outcomes().cloned().collect(), report.unmatched())
}

#[tokio::test]
async fn lines_are_updated_in_batches_and_each_has_its_outcome() {
    let (sandbox, show) = sandbox(3).await;
    let ids: Vec<String> = sandbox.orders()[..3]
        .iter()
        .map(|order| order["items"][0]["orderLineID"].as_str().unwrap().to_owned())
        .collect();
    let lines_of = |ids: &[String]| ids.iter().map(|id| line(id)).collect::<Vec<_>>();
    let mut updates = lines_of(&ids);
    updates[0].delivery_date = "2026-07-22T00:00:00".into();
    updates.insert(1, line("nowhere"));
    let report = show.orders().update(updates).batch_size(2).send().await.unwrap();
    let expected = [succeeded(&ids[0]), failed("Order line not found"), succeeded(&ids[1]), succeeded(&ids[2])];
    assert_eq!(report.outcomes().cloned().collect::<Vec<_>>(), expected);
    assert_eq!(report.unmatched(), 0);
    assert_eq!(lines(&sandbox), ["PUT /Order", "PUT /Order"]);
    // A field that is not set is not sent.
    let sent: Value = serde_json::from_str(&calls(&sandbox)[0].body).unwrap();
    let first = json!({"id": ids[0], "orderQty": 2, "deliveryDate": "2026-07-22T00:00:00"});
    assert_eq!(sent, json!({"items": [first, {"id": "nowhere", "orderQty": 2}]}));
    assert!(sandbox.orders()[..3].iter().all(|order| order["items"][0]["quantity"] == 2));
}

#[tokio::test]
async fn a_failure_belongs_to_the_line_with_its_id_or_at_its_row() {
    // By id, also without a row and with a wrong one.
    let both = json!({"successful": ["1"], "failed": [{"id": "2", "rownumber": 1, "errorDesc": "no"}]});
    assert_eq!(outcomes(&["1", "2"], both).await, (vec![succeeded("1"), failed("no")], 0));
    // By row, if the id is absent or was not sent.
    for id in [json!(null), json!("113501")] {
        let by_row = json!({"successful": ["1"], "failed": [{"id": id, "rownumber": 2, "errorDesc": "no"}]});
        assert_eq!(outcomes(&["1", "2"], by_row).await, (vec![succeeded("1"), failed("no")], 0));
    }
    // A row outside of the batch, and one of a line that succeeded, match no line.
    for row in [-1, 0, 1, 3, i64::MAX] {
        let strange = json!({"successful": ["1"], "failed": [{"rownumber": row, "errorDesc": "no"}]});
        assert_eq!(
            outcomes(&["1", "2"], strange).await,
            (vec![succeeded("1"), RecordOutcome::Unaccounted], 1),
            "{row}"
        );
    }
    // In both lists it has failed.
    let twice = json!({"successful": ["1", "7"], "failed": [{"id": "1", "errorDesc": ["a", "b"]}]});
    let reasons = RecordOutcome::Failed { reasons: vec!["a".to_owned(), "b".to_owned()] };
    assert_eq!(outcomes(&["1"], twice).await, (vec![reasons], 1));
    assert_eq!(
        outcomes(&["1"], json!({"successful": null, "failed": null})).await,
        (vec![RecordOutcome::Unaccounted], 0)
    );
}

#[tokio::test]
async fn a_line_needs_an_id_and_is_retried_since_an_update_is_idempotent() {
    let (sandbox, show) = sandbox(3).await;
    let error = show.orders().update([line(""), OrderLineUpdate::default(), line("1"), line("1")]).send().await;
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input);
    assert_eq!(
        error.problems(),
        ["record 0 has an empty `id`", "record 1 has no `id`", "records 2 and 3 have the same `id`"]
    );
    assert!(lines(&sandbox).is_empty());
    sandbox.fault(Fault::DropResponse);
    let id = sandbox.orders()[0]["items"][0]["orderLineID"].as_str().unwrap().to_owned();
    assert!(show.orders().update([line(&id)]).send().await.unwrap().all_succeeded());
    assert_eq!(lines(&sandbox).len(), 2);
}

#[tokio::test]
async fn history_is_created_a_thousand_items_at_a_time() {
    let (sandbox, show) = sandbox(1).await;
    let customer = sandbox.customers()[0]["customerID"].as_str().unwrap().to_owned();
    let items = (0..2500).map(|number| OrderHistoryItem { main_number: number.into(), ..item(&customer) });
    let report = show.order_history().create(items).batch_size(5000).send().await.unwrap();
    assert!(report.all_succeeded(), "{report:?}");
    let batches: Vec<_> = report.succeeded_counts().iter().map(|count| (count.batch.clone(), count.count)).collect();
    assert_eq!(batches, [(0..1000, 1000), (1000..2000, 1000), (2000..2500, 500)]);
    let numbers: Vec<_> = sandbox.order_history().iter().map(|item| item["mainNumber"].as_i64().unwrap()).collect();
    assert_eq!(numbers, (0..2500).collect::<Vec<_>>());
}

#[tokio::test]
async fn history_succeeds_only_as_a_whole_batch() {
    let (sandbox, show) = sandbox(1).await;
    let customer = sandbox.customers()[0]["customerID"].as_str().unwrap().to_owned();
    let items = [item(&customer), item("nobody"), item(&customer), item(&customer), item(&customer)];
    let report = show.order_history().create(items).batch_size(3).send().await.unwrap();
    assert_eq!(counts(&report), [2, 0, 3, 0, 0]);
    let [failure] = report.unmatched_failures() else { panic!("{report:?}") };
    assert_eq!((failure.batch.clone(), failure.id.as_deref()), (0..3, Some("B1")));
    assert_eq!(failure.reasons, ["Customer Id not found"]);
    assert!(!format!("{failure:?} {report:?}").contains("Customer Id"), "reasons may quote a record");
    assert_eq!(report.succeeded_counts().iter().map(|count| count.count).collect::<Vec<_>>(), [2, 2]);
    // An item may have been created, and nothing would tell: none is safe to resend.
    assert!(report.into_retry().is_empty());
}

#[tokio::test]
async fn a_number_that_is_not_that_of_the_batch_says_nothing_about_an_item() {
    for successful in [-1, 0, 1, 3, i64::MAX] {
        let server =
            Server::start(move |_| Reply::json(200, format!(r#"{{"successful":{successful},"failed":[]}}"#))).await;
        let report = show_of(&server).order_history().create([item("a"), item("b")]).send().await.unwrap();
        assert_eq!(counts(&report), [0, 0, 2, 0, 0], "{successful}");
    }
    // The number of the batch, and a failure as well.
    let response = r#"{"successful":2,"failed":[{"ID":"MAR","Message":"no"}]}"#;
    let server = Server::start(move |_| Reply::json(200, response)).await;
    let report = show_of(&server).order_history().create([item("a"), item("b")]).send().await.unwrap();
    assert_eq!((counts(&report), report.unmatched()), ([0, 0, 2, 0, 0], 1));
    // One item and one failure belong together.
    let server = Server::start(|_| {
        Reply::json(200, r#"{"successful":0,"failed":[{"ID":"MAR","Message":"Customer Id not found"}]}"#)
    })
    .await;
    let report = show_of(&server).order_history().create([item("a")]).send().await.unwrap();
    assert_eq!(report.outcomes().cloned().collect::<Vec<_>>(), [failed("Customer Id not found")]);
}

#[tokio::test]
async fn history_is_never_sent_twice() {
    let (sandbox, show) = sandbox(1).await;
    let customer = sandbox.customers()[0]["customerID"].as_str().unwrap().to_owned();
    sandbox.fault(Fault::DropResponse);
    let items = [item(&customer), item(&customer), item(&customer)];
    let report = show.order_history().create(items).batch_size(2).send().await.unwrap();
    assert_eq!(counts(&report), [0, 0, 0, 2, 1]);
    assert!(report.error().unwrap().may_have_written());
    assert_eq!((lines(&sandbox).len(), sandbox.order_history().len()), (1, 2));
    assert_eq!(report.into_retry().len(), 1, "the one that was not sent");
}
