//! Perenso Trade Show: credentials in the body with a scope or as Basic without one, five minutes of life.

use std::time::Duration;

use perenso_auth::{Client, ClientAuth, ClientBuilder, Credentials, Error, ErrorKind, Profile};
use perenso_sandbox::Sandbox;
use serde_json::Value;

use crate::{S, SECRET, builder, busiest_window, eventually, form, generous, of_server, with_clock};

const LIFE: Duration = Duration::from_secs(300);

fn credentials() -> Credentials {
    Credentials::new("show-1", SECRET)
}

fn of_sandbox(sandbox: &Sandbox) -> ClientBuilder {
    let credentials = Credentials::new(sandbox.client_id(), sandbox.client_secret());
    builder(Profile::perenso(), credentials).token_url(sandbox.token_url()).api_url(sandbox.url())
}

async fn customers(client: &Client) -> Result<Value, Error> {
    client.get("/Customer").send_json().await
}

#[test]
fn the_addresses_are_the_vendors() {
    let shown = format!("{:?}", Profile::perenso());
    assert!(shown.contains(r#"token_url: Some("https://tradeshow.perenso.net/auth/oauth/token")"#), "{shown}");
    let client = Client::builder(Profile::perenso()).credentials(credentials()).build().unwrap();
    assert_eq!(client.api_url().as_str(), "https://tsapi.perenso.net/");
}

#[tokio::test]
async fn credentials_in_the_body_come_with_the_scope() {
    let server = generous(300).await;
    customers(&of_server(&server, Profile::perenso(), credentials()).build().unwrap()).await.unwrap();
    let sent = &server.tokens()[0];
    assert_eq!((sent.method.as_str(), sent.header("content-type")), ("POST", "application/x-www-form-urlencoded"));
    assert!(!sent.headers.contains_key("authorization"));
    let fields =
        ["client_id=show-1", "client_secret=s3cr3t%2B%2F%3D%25", "grant_type=client_credentials", "scope=100214"];
    assert_eq!(form(sent), fields);
}

#[tokio::test]
async fn credentials_as_basic_come_without_a_scope() {
    let server = generous(300).await;
    let basic = of_server(&server, Profile::perenso(), credentials()).client_auth(ClientAuth::BasicPlain);
    customers(&basic.build().unwrap()).await.unwrap();
    let sent = &server.tokens()[0];
    // printf 'show-1:s3cr3t+/=%%' | base64
    assert_eq!(sent.header("authorization"), "Basic c2hvdy0xOnMzY3IzdCsvPSU=");
    assert_eq!(sent.body, "grant_type=client_credentials");
}

#[tokio::test]
async fn a_refresh_has_the_credentials_in_the_body_and_no_scope() {
    for place in [ClientAuth::Body, ClientAuth::BasicPlain] {
        let server = generous(300).await;
        let (client, clock) = with_clock(of_server(&server, Profile::perenso(), credentials()).client_auth(place));
        customers(&client).await.unwrap();
        clock.advance(LIFE);
        customers(&client).await.unwrap();
        let sent = &server.tokens()[1];
        assert!(!sent.headers.contains_key("authorization"));
        let fields =
            ["client_id=show-1", "client_secret=s3cr3t%2B%2F%3D%25", "grant_type=refresh_token", "refresh_token=ref-0"];
        assert_eq!(form(sent), fields);
    }
}

#[tokio::test]
async fn five_minutes_of_life_are_renewed_ahead_and_no_call_meets_a_401() {
    let sandbox = Sandbox::start().await.unwrap();
    let (client, clock) = with_clock(of_sandbox(&sandbox));
    for renewals in 1..=3 {
        customers(&client).await.unwrap();
        sandbox.advance(239 * S);
        clock.advance(239 * S);
        customers(&client).await.unwrap();
        assert_eq!(sandbox.token_requests().total(), renewals);
        sandbox.advance(17 * S);
        clock.advance(17 * S);
        customers(&client).await.unwrap();
        let has_landed = || clock.sleepers().is_empty();
        eventually(|| sandbox.token_requests().refresh_token == renewals && has_landed()).await;
    }
    assert_eq!(sandbox.token_requests().client_credentials, 1);
    assert!(sandbox.journal().iter().all(|request| request.status == Some(200)));
}

#[tokio::test]
async fn a_refused_refresh_leads_to_client_credentials_once() {
    let sandbox = Sandbox::start().await.unwrap();
    let (client, clock) = with_clock(of_sandbox(&sandbox));
    customers(&client).await.unwrap();
    sandbox.revoke_refresh_tokens();
    sandbox.advance(LIFE);
    clock.advance(LIFE);
    customers(&client).await.unwrap();
    assert_eq!((sandbox.token_requests().refresh_token, sandbox.token_requests().client_credentials), (1, 2));
}

#[tokio::test]
async fn a_revoked_token_is_renewed_and_the_call_repeated() {
    let sandbox = Sandbox::start().await.unwrap();
    let (client, _) = with_clock(of_sandbox(&sandbox));
    customers(&client).await.unwrap();
    sandbox.revoke_tokens();
    customers(&client).await.unwrap();
    let calls: Vec<_> = sandbox.journal().into_iter().filter(|request| request.path == "/Customer").collect();
    assert_eq!(calls.iter().map(|call| call.status).collect::<Vec<_>>(), [Some(200), Some(401), Some(200)]);
    assert_eq!(sandbox.token_requests().total(), 2);
}

#[tokio::test]
async fn wrong_credentials_are_one_request_and_a_response() {
    let sandbox = Sandbox::start().await.unwrap();
    let wrong = builder(Profile::perenso(), credentials()).token_url(sandbox.token_url()).api_url(sandbox.url());
    let (client, _) = with_clock(wrong);
    for _ in 0..3 {
        let error = customers(&client).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
        assert_eq!(error.token_error().unwrap().error, Some("invalid_client"));
    }
    assert_eq!(sandbox.token_requests().total(), 1);
}

#[tokio::test]
async fn no_minute_sees_more_than_300_calls() {
    let busiest = busiest_window(Profile::perenso(), credentials(), 350, 60 * S).await;
    assert!((250..=300).contains(&busiest), "{busiest}");
}
