//! Client credentials, in the body and as form-encoded Basic: one token for everybody, whatever ends it.

use std::time::Duration;

use futures_util::future::join_all;
use perenso_auth::{Client, ClientAuth, ClientBuilder, Credentials, ErrorKind, TokenPolicy, clock::ManualClock};

use crate::{
    S,
    provider::{Provider, SECRET},
    stock,
};

/// A client id that no plain Basic header can carry.
const SOUTH: &str = "south: 50 % + 1";

#[tokio::test]
async fn credentials_in_the_body_bring_a_token_that_the_resource_server_takes() {
    let Some(provider) = Provider::start() else { return };
    let (client, _) = client(&provider, "north", ClientAuth::Body);
    assert_eq!(stock(&client).await.unwrap(), "north");
    assert_eq!(stock(&client).await.unwrap(), "north");
    assert_eq!(provider.journal().await, ["token by client_credentials with body: 200", "stock: 200", "stock: 200"]);
}

#[tokio::test]
async fn id_and_secret_full_of_reserved_characters_arrive_whole_as_form_encoded_basic() {
    let Some(provider) = Provider::start() else { return };
    let (client, _) = client(&provider, SOUTH, ClientAuth::BasicEncoded);
    assert_eq!(stock(&client).await.unwrap(), SOUTH);
    assert_eq!(provider.journal().await, ["token by client_credentials with Basic: 200", "stock: 200"]);
}

#[tokio::test]
async fn the_same_secret_as_plain_basic_is_refused_and_the_refusal_is_told_in_the_servers_words() {
    let Some(provider) = Provider::start() else { return };
    let (client, _) = client(&provider, "north", ClientAuth::BasicPlain);
    let error = stock(&client).await.unwrap_err();
    assert_eq!((error.kind(), error.status().unwrap().as_u16()), (ErrorKind::Refused, 400), "{error}");
    assert!(error.to_string().contains("not properly encoded"), "{error}");
}

#[tokio::test]
async fn a_wrong_secret_is_asked_about_once_for_a_hundred_tasks_and_is_in_no_error() {
    let Some(provider) = Provider::start() else { return };
    let wrong = format!("{SECRET}!");
    let client = builder(&provider, "north", &wrong, ClientAuth::BasicEncoded).build().unwrap();
    for error in join_all((0..100).map(|_| stock(&client))).await.into_iter().map(Result::unwrap_err) {
        assert_eq!((error.kind(), error.status().unwrap().as_u16()), (ErrorKind::Refused, 401), "{error}");
        assert!(error.to_string().contains("invalid_client"), "{error}");
        assert!(!format!("{error} {error:?}").contains(&wrong), "{error}");
    }
    // Nor is it asked about again by whoever comes a moment later.
    stock(&client).await.unwrap_err();
    assert_eq!(provider.journal().await, ["token by client_credentials with Basic: 401 invalid_client"]);
}

#[tokio::test]
async fn a_scope_that_the_client_may_not_have_is_refused_by_name() {
    let Some(provider) = Provider::start() else { return };
    let client = builder(&provider, "north", SECRET, ClientAuth::Body).scope("stock.read stock.write").build().unwrap();
    let error = stock(&client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    assert!(error.to_string().contains("invalid_scope"), "{error}");
}

#[tokio::test]
async fn a_hundred_tasks_at_the_start_ask_for_one_token() {
    let Some(provider) = Provider::start() else { return };
    let (client, _) = client(&provider, "north", ClientAuth::Body);
    for response in join_all((0..100).map(|_| stock(&client))).await {
        assert_eq!(response.unwrap(), "north");
    }
    assert_eq!((provider.count("token").await, provider.count("stock: 200").await), (1, 100));
}

#[tokio::test]
async fn a_hundred_tasks_at_the_tokens_end_ask_for_one_more_and_none_is_turned_away() {
    let Some(provider) = Provider::start() else { return };
    let (client, clock) = client(&provider, "north", ClientAuth::Body);
    stock(&client).await.unwrap();
    // The life that the server gave it.
    clock.advance(300 * S);
    provider.advance(300).await;
    for response in join_all((0..100).map(|_| stock(&client))).await {
        response.unwrap();
    }
    assert_eq!((provider.count("token").await, provider.count("stock: 401").await), (2, 0));
}

#[tokio::test]
async fn a_token_that_introspection_calls_expired_is_renewed_once_and_every_call_replayed() {
    let Some(provider) = Provider::start() else { return };
    let (client, _) = client(&provider, "north", ClientAuth::BasicEncoded);
    stock(&client).await.unwrap();
    // On the client's clock, which stands still, it is as good as new.
    provider.advance(301).await;
    assert_eq!(stock(&client).await.unwrap(), "north");
    assert_eq!(
        provider.journal().await[2..],
        ["stock: 401", "token by client_credentials with Basic: 200", "stock: 200"]
    );
    provider.advance(301).await;
    for response in join_all((0..100).map(|_| stock(&client))).await {
        response.unwrap();
    }
    assert_eq!(provider.count("token").await, 3);
}

#[tokio::test]
async fn a_token_revoked_in_mid_life_costs_one_renewal_and_no_call() {
    let Some(provider) = Provider::start() else { return };
    let (client, _) = client(&provider, "north", ClientAuth::Body);
    stock(&client).await.unwrap();
    let token = client.token(Duration::ZERO).await.unwrap();
    provider.revoke("north", token.expose()).await;
    for response in join_all((0..100).map(|_| stock(&client))).await {
        assert_eq!(response.unwrap(), "north");
    }
    assert_eq!(provider.count("token").await, 2);
    assert!(provider.count("stock: 401").await > 0, "the revoked token was still taken");
    assert_ne!(client.token(Duration::ZERO).await.unwrap().expose(), token.expose());
}

#[tokio::test]
async fn a_token_request_that_is_cut_off_is_made_again_whether_it_had_arrived_or_not() {
    let Some(provider) = Provider::start() else { return };
    for when in ["before", "after"] {
        let pauses = TokenPolicy::default().backoff(Duration::from_millis(5), Duration::from_millis(20));
        let client = builder(&provider, "north", SECRET, ClientAuth::Body).token_policy(pauses).build().unwrap();
        provider.cut(when).await;
        assert_eq!(stock(&client).await.unwrap(), "north");
    }
    let granted = "token by client_credentials with body: 200";
    assert_eq!(
        provider.journal().await,
        ["token: cut off before it was read", granted, "stock: 200", granted, granted, "stock: 200"]
    );
}

/// A client of this server, and its clock, which stands still.
fn client(provider: &Provider, id: &str, place: ClientAuth) -> (Client, ManualClock) {
    let clock = ManualClock::default();
    (builder(provider, id, SECRET, place).clock(clock.clone()).build().unwrap(), clock)
}

fn builder(provider: &Provider, id: &str, secret: &str, place: ClientAuth) -> ClientBuilder {
    Client::builder(provider.profile(place).scope(place, "stock.read")).credentials(Credentials::new(id, secret))
}
