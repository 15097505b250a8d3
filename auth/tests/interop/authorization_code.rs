//! Authorization code with PKCE, a person who allows everything, and refresh tokens that are good for one use: a second
//! use ends the grant.

use futures_util::future::join_all;
use perenso_auth::{
    AuthorizationCode, AuthorizationRequest, Client, ClientAuth, Credentials, ErrorKind, Occasion, Profile,
    clock::ManualClock,
};

use crate::{
    S,
    provider::{Provider, SECRET},
    stock,
};

const CALLBACK: &str = "https://desk.example/callback";

#[tokio::test]
async fn a_code_with_pkce_brings_tokens_that_are_refreshed_life_after_life() {
    let Some(provider) = Provider::start() else { return };
    let (client, clock) = client(&provider, ClientAuth::BasicEncoded).await;
    for _ in 0..4 {
        assert_eq!(stock(&client).await.unwrap(), "desk");
        end_of_life(&provider, &clock).await;
    }
    let refreshed = ["token by refresh_token with Basic: 200", "stock: 200"];
    let journal = ["token by authorization_code with Basic: 200", "stock: 200"];
    assert_eq!(provider.journal().await, [journal, refreshed, refreshed, refreshed].concat());
}

#[tokio::test]
async fn a_hundred_tasks_at_the_start_use_the_code_once() {
    let Some(provider) = Provider::start() else { return };
    let (client, _) = client(&provider, ClientAuth::Body).await;
    for response in join_all((0..100).map(|_| stock(&client))).await {
        response.unwrap();
    }
    assert_eq!(provider.count("token").await, 1);
}

#[tokio::test]
async fn a_hundred_tasks_at_the_tokens_end_refresh_once_and_none_is_turned_away() {
    let Some(provider) = Provider::start() else { return };
    let (client, clock) = client(&provider, ClientAuth::Body).await;
    stock(&client).await.unwrap();
    for lives in 1..=3 {
        end_of_life(&provider, &clock).await;
        for response in join_all((0..100).map(|_| stock(&client))).await {
            response.unwrap();
        }
        assert_eq!(provider.count("token by refresh_token with body: 200").await, lives);
    }
    assert_eq!((provider.count("token").await, provider.count("stock: 401").await), (4, 0));
}

#[tokio::test]
async fn a_token_that_introspection_calls_expired_is_refreshed_once_and_every_call_replayed() {
    let Some(provider) = Provider::start() else { return };
    let (client, _) = client(&provider, ClientAuth::BasicEncoded).await;
    stock(&client).await.unwrap();
    // On the client's clock, which stands still, it is as good as new.
    provider.advance(301).await;
    for response in join_all((0..100).map(|_| stock(&client))).await {
        response.unwrap();
    }
    assert!(provider.count("stock: 401").await > 0, "the expired token was still taken");
    assert_eq!((provider.count("token by refresh_token").await, provider.count("token").await), (1, 2));
}

#[tokio::test]
async fn a_refresh_token_from_elsewhere_is_used_once_and_then_the_one_that_came_for_it() {
    let Some(provider) = Provider::start() else { return };
    let (first, _) = client(&provider, ClientAuth::Body).await;
    stock(&first).await.unwrap();
    let brought = provider.refresh_tokens().await.remove(0);
    let (client, clock) = client_with(&provider, ClientAuth::Body, credentials().refresh_token(brought));
    for _ in 0..3 {
        assert_eq!(stock(&client).await.unwrap(), "desk");
        end_of_life(&provider, &clock).await;
    }
    assert_eq!(provider.count("token by refresh_token with body: 200").await, 3);
}

#[tokio::test]
async fn a_refresh_that_never_arrived_is_sent_once_more_and_no_call_fails() {
    let Some(provider) = Provider::start() else { return };
    let (client, clock) = client(&provider, ClientAuth::Body).await;
    stock(&client).await.unwrap();
    end_of_life(&provider, &clock).await;
    provider.cut("before").await;
    for response in join_all((0..100).map(|_| stock(&client))).await {
        response.unwrap();
    }
    assert_eq!(
        provider.journal().await[2..4],
        ["token: cut off before it was read", "token by refresh_token with body: 200"]
    );
    assert_eq!(provider.count("token").await, 3);
}

#[tokio::test]
async fn a_refresh_whose_response_was_lost_asks_for_a_person_only_when_the_server_says_invalid_grant() {
    let Some(provider) = Provider::start() else { return };
    let (client, clock) = client(&provider, ClientAuth::Body).await;
    stock(&client).await.unwrap();
    end_of_life(&provider, &clock).await;
    provider.cut("after").await;
    person_needed(&client).await;
    assert_eq!(
        provider.journal().await[2..],
        ["token by refresh_token with body: 200", "token by refresh_token with body: 400 invalid_grant"]
    );
}

#[tokio::test]
async fn a_refresh_token_that_somebody_else_used_is_sent_once_and_all_tasks_are_asked_for_a_person() {
    let Some(provider) = Provider::start() else { return };
    let (client, clock) = client(&provider, ClientAuth::BasicEncoded).await;
    stock(&client).await.unwrap();
    provider.refresh("desk", &provider.refresh_tokens().await[0]).await;
    end_of_life(&provider, &clock).await;
    join_all((0..100).map(|_| person_needed(&client))).await;
    assert_eq!(
        provider.journal().await[2..],
        ["token by refresh_token with body: 200", "token by refresh_token with Basic: 400 invalid_grant"]
    );
}

#[tokio::test]
async fn a_grant_revoked_in_mid_life_asks_for_a_person_after_one_refresh() {
    let Some(provider) = Provider::start() else { return };
    let (client, _) = client(&provider, ClientAuth::Body).await;
    stock(&client).await.unwrap();
    // With a refresh token the server revokes all that came of the same grant.
    provider.revoke("desk", &provider.refresh_tokens().await[0]).await;
    join_all((0..100).map(|_| person_needed(&client))).await;
    assert_eq!(provider.count("token by refresh_token with body: 400 invalid_grant").await, 1);
    assert_eq!(provider.count("token").await, 2);
}

#[tokio::test]
async fn a_code_that_was_used_before_asks_for_a_person_after_one_request() {
    let Some(provider) = Provider::start() else { return };
    let code = code(&provider).await;
    let (first, _) = client_with(&provider, ClientAuth::Body, credentials().code(code.clone()));
    stock(&first).await.unwrap();
    let (second, _) = client_with(&provider, ClientAuth::Body, credentials().code(code));
    join_all((0..100).map(|_| person_needed(&second))).await;
    assert_eq!(provider.count("token by authorization_code with body: 400 invalid_grant").await, 1);
    assert_eq!(provider.count("token").await, 2);
}

/// The call fails for want of a person, in the server's words.
async fn person_needed(client: &Client) {
    let error = stock(client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PersonNeeded, "{error}");
    assert_eq!(error.token_error().unwrap().error, Some("invalid_grant"), "{error}");
}

/// The life that the server gives its tokens passes, on its clock and on the client's.
async fn end_of_life(provider: &Provider, clock: &ManualClock) {
    provider.advance(300).await;
    clock.advance(300 * S);
}

/// A client with a new code, and its clock, which stands still.
async fn client(provider: &Provider, place: ClientAuth) -> (Client, ManualClock) {
    client_with(provider, place, credentials().code(code(provider).await))
}

fn client_with(provider: &Provider, place: ClientAuth, credentials: Credentials) -> (Client, ManualClock) {
    let clock = ManualClock::default();
    let builder = Client::builder(provider.profile(place)).credentials(credentials).memory_only();
    (builder.clock(clock.clone()).build().unwrap(), clock)
}

fn credentials() -> Credentials {
    Credentials::new("desk", SECRET)
}

/// The code that a browser brings back from a person who allows everything.
async fn code(provider: &Provider) -> AuthorizationCode {
    let profile = Profile::new("oidc-provider")
        .authorize_url(format!("{}/auth", provider.url))
        .authorize_field("prompt", "consent")
        .scope(Occasion::Authorize, "openid offline_access stock.read");
    let request = AuthorizationRequest::new(&profile, "desk", CALLBACK).unwrap();
    let callback = provider.allow(request.url().as_str()).await;
    request.callback(&callback).unwrap()
}
