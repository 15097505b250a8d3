//! The token endpoint and its tokens.

#![allow(clippy::unwrap_used)]

#[path = "support/http.rs"]
mod http;

use std::time::Duration;

use perenso_sandbox::{ClientAuthentication, ExpiresIn, Fault, Rotation, Sandbox, ScopeRule, TokenType};
use reqwest::{Client, Response};
use serde_json::Value;

fn client() -> Client {
    http::client()
}

async fn form(sandbox: &Sandbox, fields: &[(&str, &str)]) -> Response {
    let request = client().post(sandbox.token_url()).form(fields);
    request.send().await.unwrap()
}

/// Sends `SHOWID:API_SECRET` as in the guide's header example.
async fn basic(sandbox: &Sandbox, user: &str, password: &str, form: &str) -> Response {
    client()
        .post(sandbox.token_url())
        .basic_auth(user, Some(password))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.to_owned())
        .send()
        .await
        .unwrap()
}

async fn refresh(sandbox: &Sandbox, token: &Value) -> Response {
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token.as_str().unwrap()),
        ("client_id", sandbox.client_id()),
        ("client_secret", sandbox.client_secret()),
    ];
    form(sandbox, &fields).await
}

async fn granted(sandbox: &Sandbox) -> Value {
    let response = basic(sandbox, sandbox.client_id(), sandbox.client_secret(), "grant_type=client_credentials").await;
    assert_eq!(response.status(), 200);
    response.json().await.unwrap()
}

async fn status_with(sandbox: &Sandbox, token: &Value) -> u16 {
    let request = client().get(format!("{}/Customer", sandbox.url())).bearer_auth(token.as_str().unwrap());
    request.send().await.unwrap().status().as_u16()
}

/// Returns the status and the error code.
async fn refusal(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap();
    (status, body["error"].as_str().unwrap().to_owned())
}

fn refused(status: u16, error: &str) -> (u16, String) {
    (status, error.to_owned())
}

#[tokio::test]
async fn the_examples_of_the_guide_work() {
    let sandbox = Sandbox::builder().client_id("SHOWID").client_secret("API_SECRET").start().await.unwrap();
    let send = async |authorization: Option<&str>, body: String| -> Value {
        let request = client().post(sandbox.token_url()).header("content-type", "application/x-www-form-urlencoded");
        let request = match authorization {
            Some(value) => request.header("authorization", value),
            None => request,
        };
        let response = request.body(body).send().await.unwrap();
        assert_eq!(response.status(), 200);
        response.json().await.unwrap()
    };
    // The underlined `SHOWID:API_SECRET` of the header example, base64-encoded.
    let header = send(Some("Basic U0hPV0lEOkFQSV9TRUNSRVQ="), "grant_type=client_credentials".to_owned()).await;
    let body = "grant_type=client_credentials&client_id=SHOWID&client_secret=API_SECRET&scope=100214".to_owned();
    let body = send(None, body).await;
    let refresh_token = form_encoded(body["refresh_token"].as_str().unwrap());
    let refresh =
        format!("grant_type=refresh_token&refresh_token={refresh_token}&client_id=SHOWID&client_secret=API_SECRET");
    let refreshed = send(None, refresh).await;
    for response in [header, body, refreshed] {
        let mut names: Vec<&String> = response.as_object().unwrap().keys().collect();
        names.sort_unstable();
        assert_eq!(names, ["access_token", "expires_in", "refresh_token", "token_type"]);
        assert_eq!(status_with(&sandbox, &response["access_token"]).await, 200);
    }
}

#[tokio::test]
async fn the_header_needs_no_scope() {
    let sandbox = Sandbox::start().await.unwrap();
    let response = basic(&sandbox, sandbox.client_id(), sandbox.client_secret(), "grant_type=client_credentials").await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["cache-control"], "no-store");
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 300);
    assert!(body["refresh_token"].is_string());
    assert_eq!(status_with(&sandbox, &body["access_token"]).await, 200);
}

#[tokio::test]
async fn the_body_needs_the_scope() {
    let sandbox = Sandbox::start().await.unwrap();
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", sandbox.client_id()),
        ("client_secret", sandbox.client_secret()),
        ("scope", "100214"),
    ];
    assert_eq!(form(&sandbox, &fields).await.status(), 200);
    let without = form(&sandbox, &fields[..3]).await;
    assert_eq!(refusal(without).await, refused(400, "invalid_scope"));
    let mut wrong = fields;
    wrong[3].1 = "100215";
    let wrong = form(&sandbox, &wrong).await;
    assert_eq!(refusal(wrong).await, refused(400, "invalid_scope"));
}

#[tokio::test]
async fn scope_rules_follow_the_switch() {
    let sandbox = Sandbox::start().await.unwrap();
    let refresh_token = granted(&sandbox).await["refresh_token"].as_str().unwrap().to_owned();
    let (id, secret) = (sandbox.client_id(), sandbox.client_secret());
    // For each rule: client credentials in the body, the same in the header, and a refresh in the body; each without
    // a scope and with a wrong one.
    let (yes, no) = (200, 400);
    for (rule, expected) in [
        (ScopeRule::InBody, [[no, no], [yes, no], [yes, no]]),
        (ScopeRule::InEveryBody, [[no, no], [yes, no], [no, no]]),
        (ScopeRule::Optional, [[yes, no], [yes, no], [yes, no]]),
        (ScopeRule::Ignored, [[yes, yes], [yes, yes], [yes, yes]]),
    ] {
        sandbox.set_behavior(|behavior| {
            behavior.scope = rule;
            behavior.rotation = Rotation::Omit;
        });
        let mut found = Vec::new();
        for scope in [None, Some(("scope", "100215"))] {
            let credentials = [("client_id", id), ("client_secret", secret)];
            let in_body = [("grant_type", "client_credentials")].into_iter().chain(credentials).chain(scope);
            let in_body = form(&sandbox, &in_body.collect::<Vec<_>>()).await.status().as_u16();
            let text = scope.map(|(name, value)| format!("&{name}={value}")).unwrap_or_default();
            let in_header = basic(&sandbox, id, secret, &format!("grant_type=client_credentials{text}")).await;
            let refresh = [("grant_type", "refresh_token"), ("refresh_token", &refresh_token)];
            let refresh = refresh.into_iter().chain(credentials).chain(scope).collect::<Vec<_>>();
            let refresh = form(&sandbox, &refresh).await.status().as_u16();
            found.push([in_body, in_header.status().as_u16(), refresh]);
        }
        let expected = [0, 1].map(|scope| expected.map(|call| call[scope]));
        assert_eq!(found, expected, "{rule:?}");
        let right = [
            ("grant_type", "refresh_token"),
            ("refresh_token", &refresh_token),
            ("client_id", id),
            ("client_secret", secret),
            ("scope", "100214"),
        ];
        assert_eq!(form(&sandbox, &right).await.status(), 200, "{rule:?}");
        let refresh = format!("grant_type=refresh_token&refresh_token={}", form_encoded(&refresh_token));
        assert_eq!(basic(&sandbox, id, secret, &refresh).await.status(), 200, "{rule:?}");
    }
}

#[tokio::test]
async fn client_authentication_follows_the_switch() {
    let sandbox = Sandbox::start().await.unwrap();
    let (id, secret) = (sandbox.client_id(), sandbox.client_secret());
    let fields =
        [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret), ("scope", "100214")];
    for (taken, in_header, in_body) in [
        (ClientAuthentication::Either, 200, 200),
        (ClientAuthentication::Basic, 200, 401),
        (ClientAuthentication::Body, 401, 200),
    ] {
        sandbox.set_behavior(|behavior| behavior.client_authentication = taken);
        assert_eq!(basic(&sandbox, id, secret, "grant_type=client_credentials").await.status(), in_header, "{taken:?}");
        assert_eq!(form(&sandbox, &fields).await.status(), in_body, "{taken:?}");
        let both = basic(&sandbox, id, secret, &format!("grant_type=client_credentials&client_id={id}")).await;
        assert_eq!(refusal(both).await, refused(400, "invalid_request"));
        let wrong = basic(&sandbox, id, "wrong", "grant_type=client_credentials").await;
        assert_eq!(refusal(wrong).await, refused(401, "invalid_client"));
    }
}

#[tokio::test]
async fn token_responses_follow_the_switches() {
    let sandbox = Sandbox::builder().token_lifetime(Duration::from_secs(77)).start().await.unwrap();
    for (token_type, name) in [
        (TokenType::Bearer, Some("Bearer")),
        (TokenType::LowerCase, Some("bearer")),
        (TokenType::UpperCase, Some("BEARER")),
        (TokenType::Missing, None),
    ] {
        sandbox.set_behavior(|behavior| behavior.token_type = token_type);
        assert_eq!(granted(&sandbox).await.get("token_type").and_then(Value::as_str), name);
    }
    for (expires_in, value) in
        [(ExpiresIn::Number, Some(77.into())), (ExpiresIn::Text, Some("77".into())), (ExpiresIn::Missing, None)]
    {
        sandbox.set_behavior(|behavior| behavior.expires_in = expires_in);
        assert_eq!(granted(&sandbox).await.get("expires_in"), value.as_ref());
    }
}

#[tokio::test]
async fn the_header_is_plain_base64_not_form_encoded() {
    let sandbox = Sandbox::start().await.unwrap();
    let secret = sandbox.client_secret();
    for needed in ["+", "/", "="] {
        assert!(secret.contains(needed));
    }
    let encoded = secret.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let grant = "grant_type=client_credentials";
    let response = basic(&sandbox, sandbox.client_id(), &encoded, grant).await;
    assert_eq!(response.status(), 401);
    assert!(response.headers()["www-authenticate"].to_str().unwrap().starts_with("Basic"));
    assert_eq!(refusal(response).await, refused(401, "invalid_client"));
}

#[tokio::test]
async fn an_unencoded_secret_in_the_body_is_wrong() {
    let sandbox = Sandbox::start().await.unwrap();
    let body = format!(
        "grant_type=client_credentials&scope=100214&client_id={}&client_secret={}",
        sandbox.client_id(),
        sandbox.client_secret()
    );
    let send = |body: String| {
        let request = client().post(sandbox.token_url()).header("content-type", "application/x-www-form-urlencoded");
        async { request.body(body).send().await.unwrap() }
    };
    assert_eq!(refusal(send(body.clone()).await).await, refused(401, "invalid_client"));
    sandbox.set_behavior(|behavior| behavior.body_credentials_answer_400 = true);
    assert_eq!(refusal(send(body).await).await, refused(400, "invalid_client"));
    let in_header = basic(&sandbox, sandbox.client_id(), "wrong", "grant_type=client_credentials").await;
    assert_eq!(refusal(in_header).await, refused(401, "invalid_client"));
}

#[tokio::test]
async fn other_requests_are_rejected_by_error_code() {
    let sandbox = Sandbox::start().await.unwrap();
    let (id, secret) = (sandbox.client_id(), sandbox.client_secret());
    for (body, error) in [
        ("scope=100214", "invalid_request"),
        ("grant_type=password", "unsupported_grant_type"),
        ("grant_type=refresh_token", "invalid_request"),
        ("grant_type=client_credentials&grant_type=client_credentials", "invalid_request"),
        ("grant_type=client_credentials&client_id=sandbox-show", "invalid_request"),
    ] {
        let response = basic(&sandbox, id, secret, body).await;
        assert_eq!(refusal(response).await, refused(400, error), "{body}");
    }
    let json = client()
        .post(sandbox.token_url())
        .basic_auth(id, Some(secret))
        .json(&serde_json::json!({ "grant_type": "client_credentials" }));
    let json = json.send().await.unwrap();
    assert_eq!(refusal(json).await, refused(400, "invalid_request"));
    let get = client().get(sandbox.token_url()).send().await.unwrap();
    assert_eq!(get.status(), 405);
}

#[tokio::test]
async fn a_refresh_token_works_once() {
    let sandbox = Sandbox::start().await.unwrap();
    let first = granted(&sandbox).await;
    let response = refresh(&sandbox, &first["refresh_token"]).await;
    assert_eq!(response.status(), 200);
    let second: Value = response.json().await.unwrap();
    assert_ne!(second["access_token"], first["access_token"]);
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    // By default the old access token stays valid.
    assert_eq!(status_with(&sandbox, &first["access_token"]).await, 200);
    assert_eq!(status_with(&sandbox, &second["access_token"]).await, 200);

    let again = refresh(&sandbox, &first["refresh_token"]).await;
    assert_eq!(refusal(again).await, refused(400, "invalid_grant"));
    let requests = sandbox.token_requests();
    assert_eq!((requests.client_credentials, requests.refresh_token), (1, 2));
    assert_eq!(requests.total(), 3);
}

#[tokio::test]
async fn without_rotation_a_refresh_token_stays_valid() {
    let builder = Sandbox::builder().rotation(Rotation::Omit);
    let sandbox = builder.start().await.unwrap();
    let first = granted(&sandbox).await;
    for _ in 0..2 {
        let response = refresh(&sandbox, &first["refresh_token"]).await;
        assert_eq!(response.status(), 200);
        let body: Value = response.json().await.unwrap();
        assert_eq!(body.get("refresh_token"), None);
    }
    sandbox.revoke_refresh_tokens();
    let response = refresh(&sandbox, &first["refresh_token"]).await;
    assert_eq!(refusal(response).await, refused(400, "invalid_grant"));
}

#[tokio::test]
async fn a_refresh_can_return_a_new_or_the_same_token_and_keep_the_old_one() {
    for rotation in [Rotation::Add, Rotation::Repeat] {
        let sandbox = Sandbox::builder().rotation(rotation).start().await.unwrap();
        let first = granted(&sandbox).await;
        for _ in 0..2 {
            let response = refresh(&sandbox, &first["refresh_token"]).await;
            assert_eq!(response.status(), 200, "{rotation:?}");
            let next = response.json::<Value>().await.unwrap()["refresh_token"].clone();
            assert_eq!(next == first["refresh_token"], rotation == Rotation::Repeat);
            assert_eq!(refresh(&sandbox, &next).await.status(), 200, "{rotation:?}");
        }
    }
}

#[tokio::test]
async fn a_reused_refresh_token_can_revoke_all_tokens_of_its_grant() {
    let sandbox = Sandbox::builder().detect_refresh_reuse(true).start().await.unwrap();
    let (first, other) = (granted(&sandbox).await, granted(&sandbox).await);
    let second: Value = refresh(&sandbox, &first["refresh_token"]).await.json().await.unwrap();
    let again = refresh(&sandbox, &first["refresh_token"]).await;
    assert_eq!(refusal(again).await, refused(400, "invalid_grant"));
    for response in [&first, &second] {
        assert_eq!(status_with(&sandbox, &response["access_token"]).await, 401);
    }
    let heir = refresh(&sandbox, &second["refresh_token"]).await;
    assert_eq!(refusal(heir).await, refused(400, "invalid_grant"));
    // Another grant starts another token family.
    assert_eq!(status_with(&sandbox, &other["access_token"]).await, 200);
    assert_eq!(refresh(&sandbox, &other["refresh_token"]).await.status(), 200);
}

#[tokio::test]
async fn a_refresh_with_a_lost_response_is_processed() {
    let sandbox = Sandbox::start().await.unwrap();
    let first = granted(&sandbox).await;
    sandbox.token_fault(Fault::DropResponse);
    let token = first["refresh_token"].as_str().unwrap();
    let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
    let request = client().post(sandbox.token_url()).basic_auth(sandbox.client_id(), Some(sandbox.client_secret()));
    assert!(request.form(&form).send().await.is_err());
    let again = refresh(&sandbox, &first["refresh_token"]).await;
    assert_eq!(refusal(again).await, refused(400, "invalid_grant"));
    // The family stays valid, since reuse detection is off.
    assert_eq!(status_with(&sandbox, &first["access_token"]).await, 200);
}

#[tokio::test]
async fn a_refresh_token_can_expire() {
    let sandbox = Sandbox::start().await.unwrap();
    sandbox.set_behavior(|behavior| {
        behavior.refresh_token_lifetime = Some(Duration::from_secs(60));
    });
    let first = granted(&sandbox).await;
    sandbox.advance(Duration::from_secs(60));
    let response = refresh(&sandbox, &first["refresh_token"]).await;
    assert_eq!(refusal(response).await, refused(400, "invalid_grant"));
}

#[tokio::test]
async fn an_access_token_expires_after_its_lifetime() {
    let builder = Sandbox::builder().token_lifetime(Duration::from_secs(100));
    let sandbox = builder.start().await.unwrap();
    let response = granted(&sandbox).await;
    assert_eq!(response["expires_in"], 100);
    let token = &response["access_token"];
    sandbox.advance(Duration::from_secs(90));
    assert_eq!(status_with(&sandbox, token).await, 200);
    sandbox.advance(Duration::from_secs(10));
    assert_eq!(status_with(&sandbox, token).await, 401);
}

#[tokio::test]
async fn one_live_token_revokes_the_earlier_one() {
    let builder = Sandbox::builder().one_live_token(true);
    let sandbox = builder.start().await.unwrap();
    let first = granted(&sandbox).await;
    assert_eq!(status_with(&sandbox, &first["access_token"]).await, 200);
    let second = granted(&sandbox).await;
    assert_eq!(status_with(&sandbox, &first["access_token"]).await, 401);
    assert_eq!(status_with(&sandbox, &second["access_token"]).await, 200);
}

#[tokio::test]
async fn a_call_without_a_valid_token_is_rejected() {
    let sandbox = Sandbox::start().await.unwrap();
    for path in ["/Customer", "/Export", "/Order", "/nothing"] {
        let bare = client().get(format!("{}{path}", sandbox.url()));
        let response = bare.send().await.unwrap();
        assert_eq!(response.status(), 401, "{path}");
        assert_eq!(response.headers()["www-authenticate"], "Bearer");
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["error"], "unauthorized");
    }
    let token = granted(&sandbox).await["access_token"].clone();
    sandbox.revoke_tokens();
    let response =
        client().get(format!("{}/Customer", sandbox.url())).bearer_auth(token.as_str().unwrap()).send().await.unwrap();
    assert_eq!(response.status(), 401);
    assert_eq!(response.headers()["www-authenticate"], "Bearer error=\"invalid_token\"");
    let health = client().get(format!("{}/health", sandbox.url()));
    assert_eq!(health.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn two_sandboxes_are_independent() {
    let (one, other) = (Sandbox::start().await.unwrap(), Sandbox::start().await.unwrap());
    assert_ne!(one.client_secret(), other.client_secret());
    let token = granted(&one).await["access_token"].clone();
    assert_eq!(status_with(&one, &token).await, 200);
    assert_eq!(status_with(&other, &token).await, 401);
}

#[tokio::test]
async fn the_journal_contains_no_secret() {
    let sandbox = Sandbox::start().await.unwrap();
    let first = granted(&sandbox).await;
    let second: Value = refresh(&sandbox, &first["refresh_token"]).await.json().await.unwrap();
    status_with(&sandbox, &second["access_token"]).await;
    // A completely wrong request leaks no secret either.
    let secret = sandbox.client_secret();
    let url = format!("{}?client_secret=QUERY", sandbox.token_url());
    for content_type in ["application/json", "application/x-www-form-urlencoded"] {
        let request = client().post(&url).header("content-type", content_type);
        let body = format!(r#"{{"client_secret":"{secret}"}}"#);
        request.body(body).send().await.unwrap();
    }

    let text = format!("{:?} {sandbox:?}", sandbox.journal());
    let encoded: String = form_encoded(secret);
    let mut secrets = vec![secret, "QUERY", &encoded];
    let tokens = [&first["access_token"], &first["refresh_token"], &second["access_token"], &second["refresh_token"]];
    secrets.extend(tokens.map(|token| token.as_str().unwrap()));
    for secret in secrets {
        assert!(!text.contains(secret), "{secret} in {text}");
        // The first letters also reveal a secret in another encoding.
        assert!(!text.contains(&secret[..5.min(secret.len())]), "{secret}");
    }
    assert_eq!(sandbox.journal()[0].header("authorization"), Some("Basic ***"));
    assert_eq!(sandbox.journal()[0].body, "grant_type=client_credentials");
    assert!(sandbox.journal()[1].body.contains("client_id=sandbox-show&client_secret=***"));
    assert!(sandbox.journal()[1].response_body.contains("\"expires_in\":300"));
}

fn form_encoded(text: &str) -> String {
    text.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}
