//! Token requests as documented in Perenso's guide, byte for byte.

use std::time::Duration;

use perenso_auth::ClientAuth;

use crate::{builder, call, generous};

#[tokio::test]
async fn in_the_body_with_the_scope_which_is_the_default() {
    let server = generous(300).await;
    call(&crate::client(&server)).await.unwrap();
    let sent = &server.tokens()[0];
    assert_eq!((sent.method.as_str(), sent.header("content-type")), ("POST", "application/x-www-form-urlencoded"));
    assert!(!sent.headers.contains_key("authorization"));
    let fields: Vec<_> = form_urlencoded::parse(sent.body.as_bytes()).into_owned().collect();
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(fields.len(), 4);
    for field in [
        ("grant_type", "client_credentials"),
        ("client_id", "show-1"),
        ("client_secret", crate::SECRET),
        ("scope", "100214"),
    ] {
        assert!(fields.contains(&field), "{field:?} is not in {fields:?}");
    }
}

#[tokio::test]
async fn as_plain_basic_without_a_scope_and_refreshed_in_the_body() {
    let server = generous(300).await;
    let clock = perenso_auth::clock::ManualClock::default();
    let client = builder(&server).client_auth(ClientAuth::BasicPlain).clock(clock.clone()).build().unwrap();
    call(&client).await.unwrap();
    let sent = &server.tokens()[0];
    // printf 'show-1:s3cr3t+/=%%' | base64
    assert_eq!(sent.header("authorization"), "Basic c2hvdy0xOnMzY3IzdCsvPSU=");
    assert_eq!(sent.body, "grant_type=client_credentials");

    clock.advance(Duration::from_secs(300));
    call(&client).await.unwrap();
    let sent = &server.tokens()[1];
    assert!(!sent.headers.contains_key("authorization"));
    let fields: Vec<_> = form_urlencoded::parse(sent.body.as_bytes()).into_owned().collect();
    assert_eq!(fields.len(), 4, "{fields:?}");
    for (name, value) in [
        ("grant_type", "refresh_token"),
        ("refresh_token", "ref-0"),
        ("client_id", "show-1"),
        ("client_secret", crate::SECRET),
    ] {
        assert_eq!(sent.field(name).as_deref(), Some(value));
    }
}

#[tokio::test]
async fn as_encoded_basic_for_servers_that_follow_the_letter() {
    let server = generous(300).await;
    let client = builder(&server).client_auth(ClientAuth::BasicEncoded).build().unwrap();
    call(&client).await.unwrap();
    // printf 'show-1:s3cr3t%%2B%%2F%%3D%%25' | base64
    assert_eq!(server.tokens()[0].header("authorization"), "Basic c2hvdy0xOnMzY3IzdCUyQiUyRiUzRCUyNQ==");
}
