//! The options of single calls.

use std::time::Duration;

use perenso_auth::{CallOptions, ErrorKind, Idempotency, RetryPolicy, Timeouts, clock::ManualClock};

use crate::{
    S, api, builder, client, client_with_clock, eventually,
    server::{Reply, Server},
};

#[tokio::test]
async fn a_call_can_have_other_retries_and_headers() {
    let server = api(|_| Reply::status(503)).await;
    let options = CallOptions::new()
        .retry(RetryPolicy::never())
        .header(http::header::ACCEPT_LANGUAGE, http::HeaderValue::from_static("en"));
    let error = client(&server).get("/x").options(options).send().await.unwrap_err();
    assert_eq!(error.attempts(), 1);
    assert_eq!(server.calls()[0].header("accept-language"), "en");
    let options =
        CallOptions::new().header(http::header::AUTHORIZATION, http::HeaderValue::from_static("Basic c2VjcmV0"));
    let error = client(&server).get("/x").options(options).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Request);
}

#[tokio::test]
async fn a_call_that_is_known_not_to_bear_repetition_is_sent_once() {
    let server = api(|_| Reply::status(503)).await;
    let options = CallOptions::new().idempotency(Idempotency::NotRepeatable);
    let error = client(&server).put("/x").options(options).send().await.unwrap_err();
    assert_eq!((error.attempts(), server.calls().len()), (1, 1));
}

#[tokio::test]
async fn a_call_can_have_another_limit_for_an_attempt() {
    let server = api(|_| Reply::Never).await;
    let options = CallOptions::new().attempt_timeout(Duration::from_millis(20));
    let response = client(&server).post("/x").options(options).send();
    let error = tokio::time::timeout(5 * S, response).await.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Timeout, 1), "{error}");
}

#[tokio::test]
async fn a_deadline_holds_while_a_token_is_waited_for() {
    let server = Server::start(|_| Reply::Never).await;
    let (client, clock) = client_with_clock(&server);
    let options = CallOptions::new().deadline(5 * S);
    let waiting = tokio::spawn(async move { client.get("/x").options(options).send().await });
    eventually(|| server.tokens().len() == 1 && clock.sleepers().contains(&(5 * S))).await;
    clock.advance(5 * S);
    let error = tokio::time::timeout(5 * S, waiting).await.unwrap().unwrap().unwrap_err();
    assert!(error.is_timeout(), "{error}");
}

#[tokio::test]
async fn a_deadline_takes_the_place_of_the_overall_limit() {
    let server = api(|seen| match seen.nth {
        0 => Reply::status(503).with("retry-after", "85"),
        _ => Reply::json(200, "[]"),
    })
    .await;
    let clock = ManualClock::default();
    let timeouts = Timeouts::default().overall(30 * S);
    let client = builder(&server).timeouts(timeouts).clock(clock.clone()).build().unwrap();
    let options = CallOptions::new().deadline(600 * S);
    let waiting = tokio::spawn(async move { client.get("/x").options(options).send().await });
    eventually(|| clock.sleepers().contains(&(85 * S))).await;
    clock.advance(85 * S);
    waiting.await.unwrap().unwrap();
}
