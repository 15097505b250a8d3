//! Perspio.

use std::collections::HashMap;
use std::time::Duration;

use perenso_sandbox::{Fault, Rotation, StandIn, Step, Target};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};

use super::{Fields, form, granted, http, refused, status_and_body, text, with, without};

/// The pair of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn daemon(perspio: &StandIn) -> Fields<'static> {
    vec![
        ("grant_type", "client_credentials".to_owned()),
        ("client_id", perspio.client_id().to_owned()),
        ("client_secret", perspio.client_secret().to_owned()),
        ("scope", "api://perspiotalk/.default".to_owned()),
    ]
}

fn exchange(perspio: &StandIn, code: &str) -> Fields<'static> {
    let fields = with(&without(&daemon(perspio), "scope"), "grant_type", "authorization_code");
    with(&with(&fields, "code", code), "redirect_uri", perspio.redirect_uri())
}

fn refresh(perspio: &StandIn, response: &Value) -> Fields<'static> {
    let fields = with(&without(&daemon(perspio), "scope"), "grant_type", "refresh_token");
    with(&fields, "refresh_token", text(&response["refresh_token"]))
}

fn question(perspio: &StandIn) -> Fields<'static> {
    vec![
        ("client_id", perspio.client_id().to_owned()),
        ("response_type", "code".to_owned()),
        ("redirect_uri", perspio.redirect_uri().to_owned()),
        ("response_mode", "query".to_owned()),
        ("scope", "api://perspiotalk/access_as_user offline_access".to_owned()),
        ("state", "a state/with=signs".to_owned()),
        ("code_challenge", CHALLENGE.to_owned()),
        ("code_challenge_method", "S256".to_owned()),
    ]
}

async fn authorize(perspio: &StandIn, question: &Fields<'_>) -> Response {
    http::client();
    let browser = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    browser.get(perspio.authorize_url().unwrap()).query(question).send().await.unwrap()
}

/// Returns the redirect: the URL and its query.
async fn sent_to(perspio: &StandIn, question: &Fields<'_>) -> (String, HashMap<String, String>) {
    let response = authorize(perspio, question).await;
    assert_eq!(response.status(), 302);
    let location = response.headers()["location"].to_str().unwrap();
    let (address, query) = location.split_once('?').unwrap();
    (address.to_owned(), form_urlencoded::parse(query.as_bytes()).into_owned().collect())
}

fn assets(perspio: &StandIn, token: &str) -> RequestBuilder {
    http::client()
        .get(format!("{}/assets/v3/", perspio.api_url()))
        .bearer_auth(token)
        .header("tid", perspio.tenant_id())
        .header("Ocp-Apim-Subscription-Key", perspio.subscription_key())
}

#[tokio::test]
async fn client_credentials_return_no_refresh_token() {
    let perspio = StandIn::perspio().start().await.unwrap();
    let body = granted(form(&perspio, &daemon(&perspio))).await;
    let mut names: Vec<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["access_token", "expires_in", "token_type"]);
    assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(3599)));
    let (status, list) = status_and_body(assets(&perspio, text(&body["access_token"]))).await;
    assert_eq!(status, 200);
    assert!(list.is_array());
}

#[tokio::test]
async fn a_code_returns_a_reusable_refresh_token() {
    let perspio = StandIn::perspio().start().await.unwrap();
    let fields = exchange(&perspio, &perspio.code());
    let first = granted(form(&perspio, &fields)).await;
    for name in ["access_token", "refresh_token", "id_token", "scope"] {
        assert!(first[name].is_string(), "{name}");
    }
    assert_eq!(refused(form(&perspio, &fields)).await, (400, "invalid_grant".into()));
    let fields = refresh(&perspio, &first);
    let second = granted(form(&perspio, &fields)).await;
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    // Microsoft does not revoke the old token, and requires no scope.
    granted(form(&perspio, &with(&fields, "scope", "api://perspiotalk/all_readwrite offline_access"))).await;
    // The quotation marks of the vendor's sample are not part of the scope.
    let quoted = with(&fields, "scope", "\"api://perspiotalk/all_readwrite offline_access\"");
    assert_eq!(refused(form(&perspio, &quoted)).await, (400, "invalid_scope".into()));
    perspio.advance(Duration::from_secs(90 * 24 * 3600));
    assert_eq!(refused(form(&perspio, &fields)).await, (400, "invalid_grant".into()));
}

#[tokio::test]
async fn a_reused_code_can_revoke_all_its_tokens() {
    let behavior = |behavior: &mut perenso_sandbox::StandInBehavior| {
        behavior.detect_reuse = true;
        behavior.rotation = Rotation::Replace;
    };
    let perspio = StandIn::perspio().behavior(behavior).start().await.unwrap();
    let fields = exchange(&perspio, &perspio.code());
    let first = granted(form(&perspio, &fields)).await;
    let second = granted(form(&perspio, &refresh(&perspio, &first))).await;
    let other = granted(form(&perspio, &exchange(&perspio, &perspio.new_code()))).await;
    assert_eq!(refused(form(&perspio, &fields)).await, (400, "invalid_grant".into()));
    for (answers, status) in [(&first, 401), (&second, 401), (&other, 200)] {
        assert_eq!(status_and_body(assets(&perspio, text(&answers["access_token"]))).await.0, status);
    }
    assert_eq!(refused(form(&perspio, &refresh(&perspio, &second))).await, (400, "invalid_grant".into()));
}

#[tokio::test]
async fn codes_expire_and_can_be_revoked() {
    let perspio = StandIn::perspio().start().await.unwrap();
    let (first, second) = (perspio.code(), perspio.new_code());
    // A new code does not revoke the earlier one.
    granted(form(&perspio, &exchange(&perspio, &first))).await;
    perspio.advance(Duration::from_secs(600));
    assert_eq!(refused(form(&perspio, &exchange(&perspio, &second))).await, (400, "invalid_grant".into()));
    let third = perspio.new_code();
    perspio.revoke_codes();
    assert_eq!(refused(form(&perspio, &exchange(&perspio, &third))).await, (400, "invalid_grant".into()));
}

#[tokio::test]
async fn errors_have_microsofts_format() {
    let perspio = StandIn::perspio().start().await.unwrap();
    let fields = daemon(&perspio);
    for (fields, status, error) in [
        (with(&fields, "client_secret", "wrong"), 401, "invalid_client"),
        (without(&fields, "client_secret"), 400, "invalid_request"),
        (without(&fields, "scope"), 400, "invalid_scope"),
        (with(&fields, "scope", "api://perspiotalk/access_as_user"), 400, "invalid_scope"),
        (with(&fields, "grant_type", "password"), 400, "unsupported_grant_type"),
        (exchange(&perspio, "wrong"), 400, "invalid_grant"),
        (without(&exchange(&perspio, &perspio.code()), "redirect_uri"), 400, "invalid_request"),
        (with(&exchange(&perspio, &perspio.code()), "redirect_uri", "http://localhost/a"), 400, "invalid_grant"),
    ] {
        let (got, body) = status_and_body(form(&perspio, &fields)).await;
        assert_eq!((got, text(&body["error"])), (status, error), "{body}");
        let description = text(&body["error_description"]);
        let number = body["error_codes"][0].as_u64().unwrap();
        assert!(description.starts_with(&format!("AADSTS{number}: ")) && description.contains("\r\n"), "{body}");
        let timestamp = text(&body["timestamp"]);
        assert!(chrono::NaiveDateTime::parse_from_str(timestamp, "%Y-%m-%d %H:%M:%SZ").is_ok(), "{body}");
        for name in ["trace_id", "correlation_id"] {
            let lengths: Vec<usize> = text(&body[name]).split('-').map(str::len).collect();
            assert_eq!(lengths, [8, 4, 4, 4, 12], "{body}");
        }
    }
    let json = http::client().post(perspio.token_url()).json(&json!({ "grant_type": "client_credentials" }));
    assert_eq!(refused(json).await, (400, "invalid_request".into()));
}

#[tokio::test]
async fn the_redirect_has_a_code_and_the_state() {
    let perspio = StandIn::perspio().start().await.unwrap();
    let (address, query) = sent_to(&perspio, &question(&perspio)).await;
    assert_eq!(address, perspio.redirect_uri());
    assert_eq!(query["state"], "a state/with=signs");
    let fields = exchange(&perspio, &query["code"]);
    // Without the verifier or with a wrong one the code is rejected.
    assert_eq!(refused(form(&perspio, &fields)).await, (400, "invalid_grant".into()));
    for wrong in ["wrong", CHALLENGE] {
        let fields = with(&fields, "code_verifier", wrong);
        assert_eq!(refused(form(&perspio, &fields)).await, (400, "invalid_grant".into()));
    }
    granted(form(&perspio, &with(&fields, "code_verifier", VERIFIER))).await;

    // A verifier for a code that was requested without a challenge.
    let plain = without(&without(&question(&perspio), "code_challenge"), "code_challenge_method");
    let code = sent_to(&perspio, &plain).await.1["code"].clone();
    let fields = exchange(&perspio, &code);
    let with_verifier = with(&fields, "code_verifier", VERIFIER);
    assert_eq!(refused(form(&perspio, &with_verifier)).await, (400, "invalid_grant".into()));
    granted(form(&perspio, &fields)).await;
}

#[tokio::test]
async fn any_port_of_localhost_works_if_it_stays_the_same() {
    let perspio = StandIn::perspio().start().await.unwrap();
    let here = "http://localhost:49152";
    let (address, query) = sent_to(&perspio, &with(&question(&perspio), "redirect_uri", here)).await;
    assert_eq!(address, here);
    let fields = with(&exchange(&perspio, &query["code"]), "code_verifier", VERIFIER);
    assert_eq!(refused(form(&perspio, &fields)).await, (400, "invalid_grant".into()));
    granted(form(&perspio, &with(&fields, "redirect_uri", here))).await;
}

#[tokio::test]
async fn an_invalid_authorization_request_redirects_with_an_error_or_not_at_all() {
    let perspio = StandIn::perspio().start().await.unwrap();
    let fields = question(&perspio);
    for (name, value) in [
        ("client_id", "wrong"),
        ("redirect_uri", "https://elsewhere.example"),
        ("redirect_uri", "http://localhost:80.elsewhere.example"),
        ("redirect_uri", "http://localhost:80/deeper"),
    ] {
        let response = authorize(&perspio, &with(&fields, name, value)).await;
        assert_eq!(response.status(), 400, "{name}={value}");
        assert_eq!(authorize(&perspio, &without(&fields, name)).await.status(), 400, "{name}");
    }
    for (wrong, error) in [
        (with(&fields, "response_type", "token"), "unsupported_response_type"),
        (without(&fields, "response_type"), "invalid_request"),
        (with(&fields, "response_mode", "form_post"), "invalid_request"),
        (without(&fields, "scope"), "invalid_request"),
        (with(&fields, "scope", "api://perspiotalk/.default"), "invalid_scope"),
        (with(&fields, "code_challenge_method", "plain"), "invalid_request"),
        (without(&fields, "code_challenge_method"), "invalid_request"),
    ] {
        let (_, query) = sent_to(&perspio, &wrong).await;
        assert_eq!((query["error"].as_str(), query["state"].as_str()), (error, "a state/with=signs"));
        assert!(!query.contains_key("code"));
    }
    let post = http::client().post(perspio.authorize_url().unwrap()).send().await.unwrap();
    assert_eq!(post.status(), 405);
    let journal = format!("{:?}", perspio.journal());
    assert!(!journal.contains(CHALLENGE) && !journal.contains("signs"), "{journal}");
    assert_eq!(StandIn::tourpaq().start().await.unwrap().authorize_url(), None);
}

#[tokio::test]
async fn a_call_needs_key_tenant_token_and_the_final_slash() {
    let perspio = StandIn::perspio().start().await.unwrap();
    let token = perspio.issue_token();
    let (token, tid, key) = (token.as_str(), perspio.tenant_id(), perspio.subscription_key());
    let url = format!("{}/assets/v3/", perspio.api_url());
    for (token, tid, key) in [
        (None, Some(tid), Some(key)),
        (Some("wrong"), Some(tid), Some(key)),
        (Some(token), None, Some(key)),
        (Some(token), Some("in-0"), Some(key)),
        (Some(token), Some(tid), None),
        (Some(token), Some(tid), Some("wrong")),
    ] {
        let mut request = http::client().get(&url);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        for (name, value) in [("tid", tid), ("Ocp-Apim-Subscription-Key", key)] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        let (status, body) = status_and_body(request).await;
        assert_eq!((status, &body["statusCode"]), (401, &json!(401)));
        assert!(body["message"].is_string());
    }
    assert_eq!(status_and_body(assets(&perspio, token)).await.0, 200);
    let (client, short) = (http::client(), url.trim_end_matches('/'));
    assert_eq!(client.get(short).bearer_auth(token).send().await.unwrap().status(), 404);
    let other = client.get(format!("{}/directory/v3/user", perspio.api_url())).bearer_auth(token);
    assert_eq!(other.send().await.unwrap().status(), 501);
    // No page shows paging, so paging parameters are rejected.
    assert_eq!(status_and_body(assets(&perspio, token).query(&[("page", "2")])).await.0, 501);
}

#[tokio::test]
async fn the_authorize_endpoint_has_no_fault_and_the_journal_masks_the_code() {
    let perspio = StandIn::perspio().start().await.unwrap();
    perspio.script(Step::new(Fault::status(503)).on(Target::path("/**")).always());
    let (_, sent) = sent_to(&perspio, &question(&perspio)).await;
    let entry = perspio.journal().pop().unwrap();
    assert_eq!(entry.status, Some(302));
    let location = entry.response_header("location").unwrap();
    assert!(!location.contains(&sent["code"]) && location.ends_with("?code=***&state=***"), "{location}");
    assert_eq!(status_and_body(assets(&perspio, &perspio.issue_token())).await.0, 503);
}

#[tokio::test]
async fn an_ordered_401_is_that_of_a_dead_token_or_a_wrong_secret() {
    let perspio = StandIn::perspio().start().await.unwrap();
    let token = perspio.issue_token();
    let dead = status_and_body(assets(&perspio, "dead")).await;
    perspio.fault(Fault::Unauthorized);
    assert_eq!(status_and_body(assets(&perspio, &token)).await, dead);
    assert_eq!(status_and_body(assets(&perspio, &token)).await.0, 200);
    let wrong = refused(form(&perspio, &with(&daemon(&perspio), "client_secret", "wrong"))).await;
    perspio.script(Step::new(Fault::Unauthorized).on(Target::Token));
    assert_eq!(refused(form(&perspio, &daemon(&perspio))).await, wrong);
    granted(form(&perspio, &daemon(&perspio))).await;
}

#[tokio::test]
async fn a_call_beyond_the_limit_gets_a_retry_after_in_seconds() {
    let perspio = StandIn::perspio().start().await.unwrap();
    let token = perspio.issue_token();
    perspio.fault(perspio.too_many_requests(Duration::from_millis(1500)));
    perspio.fault(Fault::too_many_requests_until(Duration::from_millis(1500)));
    for _ in 0..2 {
        let response = assets(&perspio, &token).send().await.unwrap();
        assert_eq!((response.status().as_u16(), &response.headers()["retry-after"]), (429, &"2".parse().unwrap()));
    }
    for _ in 0..20 {
        assert_eq!(status_and_body(assets(&perspio, &token)).await.0, 200);
    }
    let response = assets(&perspio, &token).send().await.unwrap();
    assert_eq!(response.status(), 429);
    let seconds: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=90).contains(&seconds), "{seconds}");
    perspio.advance(Duration::from_secs(seconds));
    assert_eq!(status_and_body(assets(&perspio, &token)).await.0, 200);
}
