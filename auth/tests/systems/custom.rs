//! A sixth system: a profile in a dozen lines, and each of them on the wire.

use http::{HeaderName, HeaderValue};
use perenso_auth::{BodyEncoding, ClientAuth, Credentials, ErrorKind, Grant, Profile, Rate};
use serde_json::{Value, json};

use crate::{
    MINUTE, S, SECRET, busiest_window, eventually, form, generous, of_server,
    server::{Reply, Server},
    with_clock,
};

/// The carrier that brings the goods.
fn parcels() -> Profile {
    Profile::new("parcels")
        .token_url("https://id.parcels.example/token")
        .api_url("https://api.parcels.example/v2")
        .client_auth(ClientAuth::BasicEncoded)
        .refresh_client_auth(ClientAuth::Body)
        .scope(Grant::ClientCredentials, "labels.write")
        .token_field("audience", "https://api.parcels.example")
        .api_header(HeaderName::from_static("x-depot"), HeaderValue::from_static("d-17"))
        .authorization_header(HeaderName::from_static("x-parcels-token"))
        .default_lifetime(10 * MINUTE)
        .renewal_lead(2 * MINUTE)
        .rate(Rate::new(8, 60 * S, 4))
        .retry_after_field("come_back", 5 * MINUTE)
        .unauthorized_hint("a depot that was closed")
}

fn credentials() -> Credentials {
    Credentials::new("shop:1", SECRET)
}

#[tokio::test]
async fn every_line_of_a_custom_profile_is_kept() {
    let response = |n: usize| format!(r#"{{"access_token":"tok-{n}","refresh_token":"ref-{n}"}}"#);
    let server = Server::start(move |seen| match seen.path.as_str() {
        "/token" => Reply::json(200, response(seen.nth)),
        _ => Reply::json(200, "[]"),
    })
    .await;
    let (client, clock) = with_clock(of_server(&server, parcels(), credentials()));
    client.get("/labels").send().await.unwrap();
    // The response does not say how long it lives: ten minutes, renewed two minutes ahead at most.
    clock.advance(8 * MINUTE - S);
    client.get("/labels").send().await.unwrap();
    assert_eq!(server.tokens().len(), 1);
    clock.advance(31 * S);
    client.get("/labels").send().await.unwrap();
    eventually(|| server.tokens().len() == 2).await;

    let audience = "audience=https%3A%2F%2Fapi.parcels.example";
    let sent = server.tokens();
    // printf 'shop%%3A1:s3cr3t%%2B%%2F%%3D%%25' | base64
    assert_eq!(sent[0].header("authorization"), "Basic c2hvcCUzQTE6czNjcjN0JTJCJTJGJTNEJTI1");
    assert_eq!(form(&sent[0]), [audience, "grant_type=client_credentials", "scope=labels.write"]);
    assert!(!sent[1].headers.contains_key("authorization"));
    let own = ["client_id=shop%3A1", "client_secret=s3cr3t%2B%2F%3D%25"];
    let fields = [&[audience][..], &own, &["grant_type=refresh_token", "refresh_token=ref-0"]].concat();
    assert_eq!(form(&sent[1]), fields);
    for call in server.calls() {
        assert_eq!((call.header("x-parcels-token"), call.header("x-depot")), ("Bearer tok-0", "d-17"));
        assert!(!call.headers.contains_key("authorization"));
    }
}

#[tokio::test]
async fn a_custom_profile_can_speak_json() {
    let server = generous(300).await;
    let profile = parcels().body_encoding(BodyEncoding::Json).client_auth(ClientAuth::Body);
    of_server(&server, profile, credentials()).build().unwrap().get("/labels").send().await.unwrap();
    let body: Value = serde_json::from_str(&server.tokens()[0].body).unwrap();
    let own = json!({"client_id": "shop:1", "client_secret": SECRET, "grant_type": "client_credentials",
        "scope": "labels.write", "audience": "https://api.parcels.example"});
    assert_eq!(body, own);
}

#[tokio::test]
async fn a_custom_profile_has_its_own_limit_and_its_own_words_for_refusals() {
    let busiest = busiest_window(parcels(), credentials(), 30, MINUTE).await;
    assert!((8..=12).contains(&busiest), "{busiest}");

    let server = Server::start(|seen| match seen.path.as_str() {
        "/token" => crate::token(seen.nth, 300),
        "/closed" => Reply::status(401),
        _ => Reply::json(429, r#"{"come_back": "Thu, 01 Jan 2026 00:03:20"}"#),
    })
    .await;
    let (client, _) = with_clock(of_server(&server, parcels(), credentials()));
    let closed = client.get("/closed").send().await.unwrap_err();
    assert!(closed.to_string().contains("a depot that was closed"), "{closed}");
    let busy = client.get("/busy").send().await.unwrap_err();
    assert_eq!((busy.kind(), busy.retry_after()), (ErrorKind::RateLimited, Some(200 * S)), "{busy}");
}
