//! Several shows in one process, each with its own credentials, tokens, records, rate limit, faults and journal.
#![allow(clippy::unwrap_used)]

#[path = "support/http.rs"]
mod http;

use std::sync::Arc;
use std::time::Duration;

use perenso_sandbox::{Error, Fault, Sandbox, Show};
use serde_json::{Value, json};

async fn two() -> (Sandbox, Arc<Show>) {
    let builder = Sandbox::builder().client_id("SPRING").customers(3).rate(2, Duration::from_secs(60));
    let sandbox = builder.another_show("AUTUMN").customers(5).seed(7).start().await.unwrap();
    let autumn = sandbox.show("AUTUMN").unwrap().clone();
    (sandbox, autumn)
}

async fn count(sandbox: &Sandbox, token: &str) -> (u16, usize) {
    let response = http::client().get(format!("{}/Customer", sandbox.url())).bearer_auth(token).send().await.unwrap();
    let status = response.status().as_u16();
    (status, response.json::<Value>().await.unwrap().as_array().map_or(0, Vec::len))
}

async fn token(sandbox: &Sandbox, form: &[(&str, &str)], basic: Option<(&str, &str)>) -> (u16, Value) {
    let mut request = http::client().post(sandbox.token_url()).form(form);
    if let Some((id, secret)) = basic {
        request = request.basic_auth(id, Some(secret));
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn a_token_opens_the_show_that_issued_it() {
    let (sandbox, autumn) = two().await;
    let credentials = |show: &Show| (show.client_id().to_owned(), show.client_secret().to_owned());
    let (id, secret) = credentials(&autumn);
    let form =
        [("grant_type", "client_credentials"), ("client_id", &id), ("client_secret", &secret), ("scope", "100214")];
    let (status, response) = token(&sandbox, &form, None).await;
    assert_eq!(status, 200);
    assert_eq!(count(&sandbox, response["access_token"].as_str().unwrap()).await, (200, 5));

    let (id, secret) = credentials(&sandbox);
    let (_, response) = token(&sandbox, &[("grant_type", "client_credentials")], Some((&id, &secret))).await;
    assert_eq!(count(&sandbox, response["access_token"].as_str().unwrap()).await, (200, 3));

    assert_eq!(autumn.token_requests().total(), 1);
    assert_eq!(sandbox.token_requests().total(), 1);
    assert_eq!(autumn.journal().len(), 2);
    assert_eq!(sandbox.journal().len(), 2);
}

#[tokio::test]
async fn secrets_and_refresh_tokens_of_another_show_are_rejected() {
    let (sandbox, autumn) = two().await;
    let grant = [("grant_type", "client_credentials")];
    let (status, response) = token(&sandbox, &grant, Some((sandbox.client_id(), autumn.client_secret()))).await;
    assert_eq!((status, &response["error"]), (401, &json!("invalid_client")));

    let (_, response) = token(&sandbox, &grant, Some((sandbox.client_id(), sandbox.client_secret()))).await;
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", response["refresh_token"].as_str().unwrap())];
    let (status, response) = token(&sandbox, &refresh, Some((autumn.client_id(), autumn.client_secret()))).await;
    assert_eq!((status, &response["error"]), (400, &json!("invalid_grant")));
}

#[tokio::test]
async fn the_first_show_rejects_unknown_shows_and_tokens() {
    let (sandbox, autumn) = two().await;
    let (status, _) = token(&sandbox, &[("grant_type", "client_credentials")], Some(("NOBODY", "x"))).await;
    assert_eq!(status, 401);
    assert_eq!(count(&sandbox, "nothing").await.0, 401);
    assert_eq!((sandbox.journal().len(), autumn.journal().len()), (2, 0));
}

#[tokio::test]
async fn rate_limit_faults_clock_and_reset_belong_to_one_show() {
    let (sandbox, autumn) = two().await;
    let (spring_token, autumn_token) = (sandbox.issue_token(), autumn.issue_token());
    autumn.fault(Fault::status(503));
    assert_eq!(count(&sandbox, &spring_token).await.0, 200);
    assert_eq!(count(&sandbox, &spring_token).await.0, 200);
    assert_eq!(count(&sandbox, &spring_token).await.0, 429);
    assert_eq!(count(&sandbox, &autumn_token).await.0, 503);
    assert_eq!(count(&sandbox, &autumn_token).await.0, 200);

    sandbox.advance(Duration::from_secs(301));
    assert_eq!(count(&sandbox, &spring_token).await.0, 401);
    assert_eq!(count(&sandbox, &autumn_token).await.0, 200);

    autumn.add_customer(json!({"customerID": "9"})).unwrap();
    autumn.reset();
    assert_eq!((autumn.customers().len(), autumn.journal().len()), (5, 0));
    assert_eq!(sandbox.journal().len(), 4);
    // A token from before the reset is invalid, but still belongs to that show.
    assert_eq!(count(&sandbox, &autumn_token).await.0, 401);
    assert_eq!(autumn.journal().len(), 1);
}

#[tokio::test]
async fn two_shows_with_one_id_are_rejected() {
    let error = Sandbox::builder().client_id("SPRING").another_show("SPRING").start().await.unwrap_err();
    assert!(matches!(&error, Error::DuplicateShow(id) if id == "SPRING"), "{error}");
}

#[tokio::test]
async fn all_shows_share_one_address() {
    let (sandbox, autumn) = two().await;
    assert!(autumn.url().starts_with("http://127.0.0.1:"), "{}", autumn.url());
    assert_eq!((sandbox.url(), sandbox.token_url()), (autumn.url(), autumn.token_url()));
}
