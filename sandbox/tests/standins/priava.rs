//! Priava.

use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use perenso_sandbox::StandIn;
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::{Fields, form, granted, http, refused, status_and_body, text, with, without};

fn exchange(priava: &StandIn) -> Fields<'static> {
    vec![
        ("grant_type", "authorization_code".to_owned()),
        ("client_id", priava.client_id().to_owned()),
        ("client_secret", priava.client_secret().to_owned()),
        ("code", priava.code()),
        ("redirect_uri", priava.redirect_uri().to_owned()),
    ]
}

fn refresh(priava: &StandIn, response: &Value) -> Fields<'static> {
    let fields = with(&exchange(priava), "grant_type", "refresh_token");
    with(&without(&fields, "code"), "refresh_token", text(&response["refresh_token"]))
}

fn send(priava: &StandIn, fields: &Fields) -> RequestBuilder {
    form(priava, fields).header("TenantRegion", "EU")
}

fn search(priava: &StandIn, filters: &Value) -> RequestBuilder {
    http::client()
        .post(format!("{}/v2/event/get", priava.api_url()))
        .bearer_auth(priava.issue_token())
        .header("TenantRegion", "APAC")
        .json(filters)
}

#[tokio::test]
async fn the_code_returns_both_tokens_once() {
    let priava = StandIn::priava().start().await.unwrap();
    assert!(priava.token_url().ends_with("/api/rest/oauth/token"));
    let body = granted(send(&priava, &exchange(&priava))).await;
    assert_eq!(body["token_type"], "BEARER");
    assert_eq!(body["expires_in"], 21_600);
    assert!(body["refresh_token"].is_string());
    let call = http::client()
        .post(format!("{}/v2/event/get", priava.api_url()))
        .header("TenantRegion", "US")
        .bearer_auth(text(&body["access_token"]))
        .json(&json!({}));
    assert_eq!(status_and_body(call).await.0, 200);

    let again = send(&priava, &exchange(&priava));
    assert_eq!(refused(again).await, (400, "invalid_grant".into()));
    let used = priava.code();
    assert_ne!(priava.new_code(), used);
    granted(send(&priava, &exchange(&priava))).await;
    assert_eq!(priava.token_requests().authorization_code, 3);
}

#[tokio::test]
async fn a_refresh_needs_the_redirect_uri_and_revokes_the_old_token() {
    let priava = StandIn::priava().start().await.unwrap();
    let first = granted(send(&priava, &exchange(&priava))).await;
    let fields = refresh(&priava, &first);
    assert_eq!(refused(send(&priava, &without(&fields, "redirect_uri"))).await, (400, "invalid_request".into()));
    let elsewhere = with(&fields, "redirect_uri", "https://app.example/other");
    assert_eq!(refused(send(&priava, &elsewhere)).await, (400, "invalid_grant".into()));
    // The rejected requests did not use up the token.
    let second = granted(send(&priava, &fields)).await;
    assert_eq!(second["token_type"], "BEARER");
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    assert_eq!(refused(send(&priava, &fields)).await, (400, "invalid_grant".into()));
}

#[tokio::test]
async fn whatever_is_wrong_with_a_token_request_returns_400_and_says_what() {
    let priava = StandIn::priava().start().await.unwrap();
    let fields = exchange(&priava);
    for name in ["grant_type", "client_id", "client_secret", "code", "redirect_uri"] {
        let (status, body) = status_and_body(send(&priava, &without(&fields, name))).await;
        assert_eq!((status, text(&body["error"])), (400, "invalid_request"), "{name}");
        assert!(text(&body["error_description"]).contains(name), "{body}");
    }
    for (name, value, error) in [
        ("client_secret", "wrong", "invalid_client"),
        ("client_id", "wrong", "invalid_client"),
        ("code", "wrong", "invalid_grant"),
        ("redirect_uri", "https://app.example", "invalid_grant"),
        ("grant_type", "client_credentials", "unsupported_grant_type"),
        ("code_verifier", "nobody-gave-a-challenge", "invalid_grant"),
    ] {
        assert_eq!(refused(send(&priava, &with(&fields, name, value))).await, (400, error.into()), "{name}");
    }
    for region in [None, Some("eu"), Some("MOON"), Some("")] {
        let request = form(&priava, &fields);
        let request = match region {
            Some(region) => request.header("TenantRegion", region),
            None => request,
        };
        let (status, body) = status_and_body(request).await;
        assert_eq!((status, text(&body["error"])), (400, "invalid_request"));
        assert!(text(&body["error_description"]).contains("TenantRegion"));
    }
    for content_type in [
        "application/x-www-form-urlencoded",
        "application/x-www-form-urlencoded; charset=latin1",
        "application/json; charset=utf-8",
    ] {
        let request = http::client().post(priava.token_url()).header("content-type", content_type).form(&fields);
        assert_eq!(
            refused(request.header("TenantRegion", "EU")).await,
            (400, "invalid_request".into()),
            "{content_type}"
        );
    }
    let in_header = send(&priava, &fields).basic_auth(priava.client_id(), Some(priava.client_secret()));
    assert_eq!(refused(in_header).await, (400, "invalid_request".into()));
    // The code is still valid.
    granted(send(&priava, &fields)).await;
}

#[tokio::test]
async fn a_call_needs_region_and_token() {
    let priava = StandIn::priava().start().await.unwrap();
    let url = format!("{}/v2/event/get", priava.api_url());
    let bare = || http::client().post(&url).json(&json!({}));
    let token = priava.issue_token();
    assert_eq!(refused(bare().bearer_auth(&token)).await, (400, "invalid_region".into()));
    assert_eq!(refused(bare().header("TenantRegion", "EU")).await, (401, "unauthorized".into()));
    assert_eq!(status_and_body(bare().header("TenantRegion", "EU").bearer_auth(&token)).await.0, 200);
    priava.advance(Duration::from_secs(21_600));
    let expired = bare().header("TenantRegion", "EU").bearer_auth(&token).send().await.unwrap();
    assert_eq!(expired.status(), 401);
    assert_eq!(expired.headers()["www-authenticate"], "Bearer");
    let get = http::client().get(&url).send().await.unwrap();
    assert_eq!(get.status(), 405);
    // The path of the vendor's page after the base URL. Both contain `/rest`.
    let twice = http::client().post(format!("{}/rest/oauth/token", priava.api_url())).send().await.unwrap();
    assert_eq!(twice.status(), 501);
}

#[tokio::test]
async fn a_search_returns_the_matching_events() {
    let priava = StandIn::priava().start().await.unwrap();
    let numbers = async |filters: Value| -> Vec<String> {
        let (status, body) = status_and_body(search(&priava, &filters)).await;
        assert_eq!((status, &body["success"]), (200, &json!(true)), "{body}");
        let events = body["result"].as_array().unwrap();
        events.iter().map(|event| text(&event["EventNumber"]).to_owned()).collect()
    };
    assert_eq!(numbers(json!({})).await, ["2677", "2678", "2681"]);
    assert_eq!(numbers(json!({ "EventNumber": 2678 })).await, ["2678"]);
    assert_eq!(numbers(json!({ "EventName": "Harvest Dinner", "EventNumber": null })).await, ["2681"]);
    assert_eq!(numbers(json!({ "StartDate": "12/06/2030 10:00:00" })).await, ["2678", "2681"]);
    assert_eq!(numbers(json!({ "EndDate": "01/07/2030 00:00" })).await, ["2677", "2678"]);
    assert_eq!(numbers(json!({ "RecordsPerPage": "2" })).await, ["2677", "2678"]);
    assert_eq!(refused(search(&priava, &json!({ "StartDate": "2030-06-12" }))).await.0, 400);
    assert_eq!(refused(search(&priava, &json!({ "Venue": [1] }))).await, (501, "not_in_sandbox".into()));
    assert_eq!(refused(search(&priava, &json!([]))).await, (400, "invalid_json".into()));
}

#[tokio::test]
async fn the_time_of_a_429_is_in_the_body_without_a_zone() {
    let priava = StandIn::priava().start().await.unwrap();
    let until = |body: &Value| -> DateTime<Utc> {
        for name in ["error", "limits"] {
            assert!(body[name].is_string(), "{body}");
        }
        NaiveDateTime::parse_from_str(text(&body["retry-after"]), "%a, %d %b %Y %H:%M:%S").unwrap().and_utc()
    };
    let asked = priava.clock().now();
    priava.fault(priava.too_many_requests(Duration::from_secs(40)));
    let response = search(&priava, &json!({})).send().await.unwrap();
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers().get("retry-after"), None);
    let wait = until(&response.json().await.unwrap()) - asked;
    assert!(TimeDelta::seconds(40) <= wait, "{wait}");
    assert_eq!(status_and_body(search(&priava, &json!({}))).await.0, 200);

    // The rate limit itself, until the window ends.
    priava.set_behavior(|behavior| behavior.rate.as_mut().unwrap().requests = 1);
    let (status, body) = status_and_body(search(&priava, &json!({}))).await;
    assert_eq!(status, 429);
    priava.advance((until(&body) - priava.clock().now()).to_std().unwrap());
    assert_eq!(status_and_body(search(&priava, &json!({}))).await.0, 200);
}
