//! EventBookings.

use perenso_sandbox::{StandIn, TokenBody};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::{granted, http, refused, status_and_body, text};

fn credentials(stand_in: &StandIn) -> Value {
    json!({
        "grant_type": "client_credentials",
        "client_id": stand_in.client_id(),
        "client_secret": stand_in.client_secret(),
    })
}

fn refresh(stand_in: &StandIn, response: &Value) -> Value {
    let mut body = credentials(stand_in);
    body["grant_type"] = "refresh_token".into();
    body["refresh_token"] = response["refresh_token"].clone();
    body
}

fn send(stand_in: &StandIn, body: &Value) -> RequestBuilder {
    http::client().post(stand_in.token_url()).json(body)
}

#[tokio::test]
async fn the_request_is_json_and_the_response_has_no_token_type() {
    let stand_in = StandIn::event_bookings().start().await.unwrap();
    let first = granted(send(&stand_in, &credentials(&stand_in))).await;
    let mut names: Vec<&str> = first.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["access_token", "expires_in", "refresh_token"]);
    assert_eq!(first["expires_in"], 3600);
    let second = granted(send(&stand_in, &refresh(&stand_in, &first))).await;
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    let again = send(&stand_in, &refresh(&stand_in, &first));
    assert_eq!(refused(again).await, (400, "invalid_grant".into()));
    let requests = stand_in.token_requests();
    assert_eq!((requests.client_credentials, requests.refresh_token), (1, 2));
    let journal = stand_in.journal();
    let id = stand_in.client_id();
    let masked = format!(r#"{{"client_id":"{id}","client_secret":"***","grant_type":"client_credentials"}}"#);
    assert_eq!(journal[0].body, masked);
    let journal = format!("{journal:?}");
    for secret in [stand_in.client_secret(), text(&first["access_token"]), text(&second["refresh_token"])] {
        assert!(!journal.contains(&secret[..8]), "{secret} in {journal}");
    }
}

#[tokio::test]
async fn missing_and_wrong_parameters_are_rejected() {
    let stand_in = StandIn::event_bookings().start().await.unwrap();
    let body = credentials(&stand_in);
    for name in ["grant_type", "client_id", "client_secret"] {
        let mut body = body.clone();
        body.as_object_mut().unwrap().remove(name);
        assert_eq!(refused(send(&stand_in, &body)).await, (400, "invalid_request".into()), "{name}");
    }
    for (name, value, error) in [
        ("client_secret", json!("wrong"), "invalid_client"),
        ("client_secret", json!(7), "invalid_request"),
        ("grant_type", json!("password"), "unsupported_grant_type"),
    ] {
        let mut body = body.clone();
        body[name] = value;
        assert_eq!(status_and_body(send(&stand_in, &body)).await, (400, json!({ "error": error })));
    }
    let in_header = send(&stand_in, &body).basic_auth(stand_in.client_id(), Some(stand_in.client_secret()));
    assert_eq!(refused(in_header).await, (400, "invalid_request".into()));
}

#[tokio::test]
async fn json_and_form_exclude_each_other() {
    let stand_in = StandIn::event_bookings().start().await.unwrap();
    let body = credentials(&stand_in);
    let json = || send(&stand_in, &body);
    let form = || http::client().post(stand_in.token_url()).form(&body);
    granted(json()).await;
    assert_eq!(refused(form()).await, (400, "invalid_request".into()));
    stand_in.set_behavior(|behavior| behavior.token_body = TokenBody::Form);
    granted(form()).await;
    assert_eq!(refused(json()).await, (400, "invalid_request".into()));
}

#[tokio::test]
async fn the_authorization_header_has_its_http_spelling() {
    let stand_in = StandIn::event_bookings().start().await.unwrap();
    let url = format!("{}/events", stand_in.api_url());
    let token = stand_in.issue_token();
    let as_printed = http::client().get(&url).header("Authorisation", format!("Bearer {token}"));
    assert_eq!(refused(as_printed).await, (401, "unauthorized".into()));
    let (status, events) = status_and_body(http::client().get(&url).bearer_auth(&token)).await;
    assert_eq!(status, 200);
    assert!(events.is_array());
    stand_in.revoke_tokens();
    assert_eq!(status_and_body(http::client().get(&url).bearer_auth(&token)).await.0, 401);
}
