//! Tourpaq.

use std::time::Duration;

use perenso_sandbox::{ExampleResponse, StandIn};
use reqwest::RequestBuilder;
use serde_json::Value;

use super::{Fields, form, granted, http, refused, status_and_body, text, with, without};

fn password(tourpaq: &StandIn) -> Fields<'static> {
    vec![
        ("grant_type", "password".to_owned()),
        ("scope", "read".to_owned()),
        ("username", tourpaq.username().to_owned()),
        ("password", tourpaq.password().to_owned()),
    ]
}

fn refresh(response: &Value) -> Fields<'static> {
    vec![
        ("grant_type", "refresh_token".to_owned()),
        ("scope", "read".to_owned()),
        ("refresh_token", text(&response["refresh_token"]).to_owned()),
    ]
}

fn send(tourpaq: &StandIn, fields: &Fields) -> RequestBuilder {
    form(tourpaq, fields).basic_auth(tourpaq.client_id(), Some(tourpaq.client_secret()))
}

fn export(tourpaq: &StandIn, id: &str, token: &str) -> RequestBuilder {
    http::client().get(format!("{}/api/HotelListExport/{id}", tourpaq.api_url())).bearer_auth(token)
}

#[tokio::test]
async fn the_password_returns_a_token_for_half_an_hour_and_a_refresh_a_new_pair() {
    let tourpaq = StandIn::tourpaq().start().await.unwrap();
    let first = granted(send(&tourpaq, &password(&tourpaq))).await;
    assert_eq!(first["token_type"], "bearer");
    assert_eq!(first["expires_in"], 1799);
    let second = granted(send(&tourpaq, &refresh(&first))).await;
    assert_ne!(second["access_token"], first["access_token"]);
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    assert_eq!(refused(send(&tourpaq, &refresh(&first))).await, (400, "invalid_grant".into()));
    let requests = tourpaq.token_requests();
    assert_eq!((requests.password, requests.refresh_token, requests.total()), (1, 2, 3));
}

#[tokio::test]
async fn missing_and_wrong_parameters_are_rejected() {
    let tourpaq = StandIn::tourpaq().start().await.unwrap();
    let fields = password(&tourpaq);
    for name in ["grant_type", "username", "password"] {
        assert_eq!(refused(send(&tourpaq, &without(&fields, name))).await, (400, "invalid_request".into()), "{name}");
    }
    let first = granted(send(&tourpaq, &fields)).await;
    for fields in [&fields, &refresh(&first)] {
        assert_eq!(refused(send(&tourpaq, &without(fields, "scope"))).await, (400, "invalid_scope".into()));
        assert_eq!(refused(form(&tourpaq, fields)).await, (400, "invalid_client".into()));
        let in_body = with(fields, "client_secret", tourpaq.client_secret());
        assert_eq!(refused(send(&tourpaq, &in_body)).await, (400, "invalid_request".into()));
    }
    for (name, value, error) in [
        ("username", "nobody", "invalid_grant"),
        ("password", "wrong", "invalid_grant"),
        ("scope", "write", "invalid_scope"),
        ("grant_type", "client_credentials", "unsupported_grant_type"),
    ] {
        assert_eq!(refused(send(&tourpaq, &with(&fields, name, value))).await, (400, error.into()), "{name}");
    }
    let json = http::client().post(tourpaq.token_url()).basic_auth(tourpaq.client_id(), Some(tourpaq.client_secret()));
    let json = json.json(&serde_json::json!({ "grant_type": "password" }));
    assert_eq!(refused(json).await, (400, "invalid_request".into()));
    granted(send(&tourpaq, &refresh(&first))).await;
}

#[tokio::test]
async fn the_basic_header_is_plain_unless_switched() {
    let tourpaq = StandIn::tourpaq().start().await.unwrap();
    let fields = password(&tourpaq);
    let secret = tourpaq.client_secret();
    let encoded = secret.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let with_secret = |secret: &str| form(&tourpaq, &fields).basic_auth(tourpaq.client_id(), Some(secret));
    granted(with_secret(secret)).await;
    assert_eq!(refused(with_secret(&encoded)).await, (400, "invalid_client".into()));
    tourpaq.set_behavior(|behavior| behavior.form_encoded_basic = true);
    granted(with_secret(&encoded)).await;
    assert_eq!(refused(with_secret(secret)).await, (400, "invalid_client".into()));
}

#[tokio::test]
async fn an_export_can_have_any_content_type() {
    let tourpaq = StandIn::tourpaq().start().await.unwrap();
    let token = tourpaq.issue_token();
    let (status, body) = status_and_body(export(&tourpaq, "2013499853", &token)).await;
    assert_eq!((status, &body["id"]), (200, &Value::from(2_013_499_853)));
    assert_eq!(status_and_body(export(&tourpaq, "hotels", &token)).await.0, 400);

    let xml = b"<hotels>\xff</hotels>".to_vec();
    tourpaq.set_behavior(|behavior| {
        behavior.example_response = Some(ExampleResponse::new("application/xml", xml.clone()));
    });
    let response = export(&tourpaq, "1", &token).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/xml");
    assert_eq!(response.bytes().await.unwrap(), xml);
}

#[tokio::test]
async fn an_expired_token_gets_the_401_of_the_page() {
    let tourpaq = StandIn::tourpaq().start().await.unwrap();
    let token = tourpaq.issue_token();
    tourpaq.advance(Duration::from_secs(1798));
    assert_eq!(status_and_body(export(&tourpaq, "1", &token)).await.0, 200);
    tourpaq.advance(Duration::from_secs(2));
    let missing = http::client().get(format!("{}/api/HotelListExport/1", tourpaq.api_url()));
    for request in [export(&tourpaq, "1", &token), missing] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 401);
        assert_eq!(response.headers()["www-authenticate"], "Bearer");
        assert_eq!(response.headers()["content-type"], "application/json; charset=utf-8");
        let body: Value = response.json().await.unwrap();
        assert!(body["Message"].is_string(), "{body}");
    }
}
