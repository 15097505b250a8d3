//! Priava: a code copied by hand, a region on every request, reads by POST, and a 429 that says the time in its body.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use perenso_auth::{
    AuthorizationCode, Client, ClientBuilder, Credentials, Error, ErrorKind, Profile, TenantRegion,
    store::{FileStore, MemoryStore},
};
use perenso_sandbox::{Fault, StandIn};
use serde_json::{Value, json};

use crate::{
    MINUTE, S, SECRET, busiest_window, eventually, form, generous, of_server, of_stand_in, pass,
    server::{Reply, Server, token},
    with_clock,
};

const REDIRECT_URI: &str = "https://app.example/oauth2callback";
const SIX_HOURS: Duration = Duration::from_secs(21_600);

fn profile() -> Profile {
    Profile::priava(TenantRegion::Eu)
}

/// Credentials as the admin screen shows them.
fn copied() -> Credentials {
    Credentials::new("erp", SECRET).code(AuthorizationCode::new("c0de/1+", REDIRECT_URI))
}

/// The same, with the code that is the newest at the stand-in.
fn newest(priava: &StandIn) -> Credentials {
    let code = AuthorizationCode::new(priava.code(), priava.redirect_uri());
    Credentials::new(priava.client_id(), priava.client_secret()).code(code)
}

fn builder(priava: &StandIn) -> ClientBuilder {
    of_stand_in(priava, profile(), newest(priava)).memory_only()
}

async fn start() -> StandIn {
    StandIn::priava().start().await.unwrap()
}

async fn events(client: &Client) -> Result<Value, Error> {
    client.post("/v2/event/get").safe().json(&json!({})).send_json().await
}

#[test]
fn the_addresses_are_the_vendors() {
    let shown = format!("{:?}", profile());
    assert!(shown.contains(r#"token_url: Some("https://api.priava.com/api/rest/oauth/token")"#), "{shown}");
    let client = Client::builder(profile()).credentials(copied()).memory_only().build().unwrap();
    assert_eq!(client.api_url().as_str(), "https://api.priava.com/api/rest");
}

#[tokio::test]
async fn a_code_is_exchanged_as_the_page_has_it() {
    let server = generous(21_600).await;
    events(&of_server(&server, profile(), copied()).memory_only().build().unwrap()).await.unwrap();
    let sent = &server.tokens()[0];
    assert_eq!(sent.method, "POST");
    assert_eq!(sent.header("content-type"), "application/x-www-form-urlencoded;charset=utf-8");
    assert!(!sent.headers.contains_key("authorization"));
    let fields = [
        "client_id=erp",
        "client_secret=s3cr3t%2B%2F%3D%25",
        "code=c0de%2F1%2B",
        "grant_type=authorization_code",
        "redirect_uri=https%3A%2F%2Fapp.example%2Foauth2callback",
    ];
    assert_eq!(form(sent), fields);
}

#[tokio::test]
async fn a_refresh_carries_the_redirect_uri_too() {
    let server = generous(21_600).await;
    let (client, clock) = with_clock(of_server(&server, profile(), copied()).memory_only());
    events(&client).await.unwrap();
    clock.advance(SIX_HOURS);
    events(&client).await.unwrap();
    let sent = &server.tokens()[1];
    assert_eq!(sent.header("content-type"), "application/x-www-form-urlencoded;charset=utf-8");
    assert!(!sent.headers.contains_key("authorization"));
    let fields = [
        "client_id=erp",
        "client_secret=s3cr3t%2B%2F%3D%25",
        "grant_type=refresh_token",
        "redirect_uri=https%3A%2F%2Fapp.example%2Foauth2callback",
        "refresh_token=ref-0",
    ];
    assert_eq!(form(sent), fields);
}

#[tokio::test]
async fn token_and_api_requests_name_the_region() {
    for (region, name) in [(TenantRegion::Apac, "APAC"), (TenantRegion::Eu, "EU"), (TenantRegion::Us, "US")] {
        let server = generous(21_600).await;
        let (client, clock) = with_clock(of_server(&server, Profile::priava(region), copied()).memory_only());
        events(&client).await.unwrap();
        clock.advance(SIX_HOURS);
        events(&client).await.unwrap();
        let regions: Vec<_> = server.seen().iter().map(|seen| seen.header("tenantregion").to_owned()).collect();
        assert_eq!(regions, [name; 4], "grant, call, refresh, call");
        assert_eq!(name.to_lowercase().parse(), Ok(region));
    }
    let unknown = "MOON".parse::<TenantRegion>().unwrap_err().to_string();
    assert!(["APAC", "EU", "US"].iter().all(|name| unknown.contains(name)), "{unknown}");
}

#[tokio::test]
async fn a_token_type_in_capitals_is_a_bearer_token() {
    let response = r#"{"access_token":"t0k3n","refresh_token":"r3fr","token_type":"BEARER","expires_in":21600}"#;
    let server = Server::start(move |seen| match seen.path.as_str() {
        "/token" => Reply::json(200, response),
        _ => Reply::json(200, "[]"),
    })
    .await;
    events(&of_server(&server, profile(), copied()).memory_only().build().unwrap()).await.unwrap();
    assert_eq!(server.calls()[0].header("authorization"), "Bearer t0k3n");
}

#[tokio::test]
async fn six_hours_of_life_are_renewed_at_most_ten_minutes_ahead() {
    let priava = start().await;
    let (client, clock) = with_clock(builder(&priava));
    for renewals in 1..=3 {
        events(&client).await.unwrap();
        pass(&priava, &clock, SIX_HOURS - 10 * MINUTE - S);
        events(&client).await.unwrap();
        assert_eq!(priava.token_requests().total(), renewals);
        // Jitter takes away a quarter of the ten minutes at most.
        pass(&priava, &clock, 3 * MINUTE);
        events(&client).await.unwrap();
        let has_landed = || clock.sleepers().is_empty();
        eventually(|| priava.token_requests().refresh_token == renewals && has_landed()).await;
    }
    assert_eq!(priava.token_requests().authorization_code, 1);
    assert!(priava.journal().iter().all(|request| request.status == Some(200)));
}

#[tokio::test]
async fn a_400_comes_back_with_its_error_and_its_description() {
    let server = Server::start(|_| {
        Reply::json(400, r#"{"error":"invalid_client","error_description":"Client ID or secret is wrong"}"#)
    })
    .await;
    let error = events(&of_server(&server, profile(), copied()).memory_only().build().unwrap()).await.unwrap_err();
    assert_eq!((error.kind(), error.status().unwrap().as_u16()), (ErrorKind::Refused, 400));
    let words = error.token_error().unwrap();
    assert_eq!(words.error, Some("invalid_client"));
    assert_eq!(words.description, Some("Client ID or secret is wrong"));
}

#[tokio::test]
async fn a_refused_refresh_says_that_a_new_code_is_needed() {
    let priava = start().await;
    let (client, clock) = with_clock(builder(&priava));
    events(&client).await.unwrap();
    priava.revoke_refresh_tokens();
    pass(&priava, &clock, SIX_HOURS);
    let error = events(&client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PersonNeeded, "{error}");
    assert!(error.to_string().contains("a new authorization code is needed"), "{error}");
    let words = error.token_error().unwrap();
    assert_eq!(words.error, Some("invalid_grant"));
    assert!(words.description.is_some_and(|text| !text.is_empty()));
    // Nothing but a person can help: not time, and not the code that is used up.
    clock.advance(10 * MINUTE);
    assert_eq!(events(&client).await.unwrap_err().kind(), ErrorKind::PersonNeeded);
    assert_eq!((priava.token_requests().refresh_token, priava.token_requests().authorization_code), (1, 1));
}

#[tokio::test]
async fn a_post_is_sent_again_only_when_it_is_marked_as_a_read() {
    let priava = start().await;
    let client = builder(&priava).build().unwrap();
    events(&client).await.unwrap();
    for fault in [Fault::status(503), Fault::DropResponse] {
        priava.clear_journal();
        priava.fault(fault.clone());
        let response = events(&client).await.unwrap();
        assert_eq!((&response["success"], priava.journal().len()), (&json!(true), 2));

        priava.clear_journal();
        priava.fault(fault);
        let unmarked = client.post("/v2/event/get").json(&json!({})).send().await.unwrap_err();
        assert!(unmarked.may_have_written(), "{unmarked}");
        assert_eq!((unmarked.attempts(), priava.journal().len()), (1, 1));
    }
}

#[tokio::test]
async fn the_time_in_the_body_of_a_429_is_waited_for() {
    let server = throttled("Thu, 01 Jan 2026 00:00:40").await;
    let (client, clock) = with_clock(of_server(&server, profile(), copied()).memory_only());
    let calling = tokio::spawn(async move { events(&client).await });
    eventually(|| clock.sleepers().contains(&(40 * S))).await;
    assert_eq!(server.calls().len(), 1);
    clock.advance(40 * S);
    calling.await.unwrap().unwrap();
    assert_eq!(server.calls().len(), 2);
}

#[tokio::test]
async fn a_429_with_a_time_that_nobody_waits_for_is_reported_with_it() {
    for (date, seconds) in [
        ("Thu, 01 Jan 2026 00:04:00", 240),
        // Of a zone that it does not name.
        ("Thu, 01 Jan 2026 10:04:00", 300),
        // The vendor's own sample: long past, and of another weekday. Then the whole window counts.
        ("Thu, 18 Nov 2014 14:03:00", 300),
    ] {
        let server = throttled(date).await;
        let (client, _) = with_clock(of_server(&server, profile(), copied()).memory_only());
        let error = events(&client).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RateLimited, "{error}");
        assert_eq!(error.retry_after(), Some(seconds * S));
        assert!(error.to_string().contains(&format!("{seconds} s")), "{error}");
        assert_eq!(server.calls().len(), 1);
    }
}

/// A server whose first call meets the limit.
async fn throttled(date: &'static str) -> Server {
    Server::start(move |seen| match (seen.path.as_str(), seen.nth) {
        ("/token", nth) => token(nth, 21_600),
        (_, 0) => {
            let body = json!({"error": "too many", "limits": "450 requests per 300 seconds", "retry-after": date});
            Reply::json(429, body.to_string())
        }
        _ => Reply::json(200, "[]"),
    })
    .await
}

#[test]
fn a_store_that_dies_with_the_process_is_refused_unless_it_is_meant() {
    let builder = || Client::builder(profile()).credentials(copied());
    for builder in [builder(), builder().store(MemoryStore::new())] {
        let error = builder.build().unwrap_err();
        assert!(error.to_string().contains("`store`") && error.to_string().contains("`memory_only`"), "{error}");
    }
    builder().memory_only().build().unwrap();
    builder().store(FileStore::new("/nowhere")).build().unwrap();
    let from_provider = Client::builder(profile()).credentials_provider(async || Ok::<_, Error>(copied()));
    assert!(from_provider.build().unwrap_err().to_string().contains("`memory_only`"));
}

#[tokio::test]
async fn a_used_code_is_never_sent_again_not_even_by_a_client_that_knows_it_from_the_store_alone() {
    let priava = start().await;
    let directory = tempfile::tempdir().unwrap();
    let client =
        |credentials| with_clock(of_stand_in(&priava, profile(), credentials).store(FileStore::new(directory.path())));
    let used = newest(&priava);
    let codes = || priava.token_requests().authorization_code;

    let (first, _) = client(used.clone());
    events(&first).await.unwrap();
    // The next finds tokens.
    let (second, clock) = client(used.clone());
    events(&second).await.unwrap();
    assert_eq!((codes(), priava.token_requests().total()), (1, 1));
    // It finds a refresh token that is refused.
    priava.revoke_refresh_tokens();
    pass(&priava, &clock, SIX_HOURS);
    assert_eq!(events(&second).await.unwrap_err().kind(), ErrorKind::PersonNeeded);
    assert_eq!((codes(), priava.token_requests().refresh_token), (1, 1));
    // The one after that finds nothing but that the code is used up.
    let (third, clock) = client(used);
    clock.advance(SIX_HOURS);
    assert_eq!(events(&third).await.unwrap_err().kind(), ErrorKind::PersonNeeded);
    assert_eq!(priava.token_requests().total(), 2);
    // A person brings a new one.
    priava.new_code();
    let (fourth, clock) = client(newest(&priava));
    clock.advance(SIX_HOURS);
    events(&fourth).await.unwrap();
    assert_eq!((codes(), priava.token_requests().total()), (2, 3));
}

#[tokio::test]
async fn a_code_whose_response_was_lost_is_sent_until_the_server_responds_and_not_again() {
    // It was never processed: no person is called for nothing.
    let priava = start().await;
    priava.token_fault(Fault::DropConnection);
    events(&builder(&priava).build().unwrap()).await.unwrap();
    assert_eq!(priava.token_requests().authorization_code, 2);
    // It was, and the server says so.
    let priava = start().await;
    priava.token_fault(Fault::DropResponse);
    let client = builder(&priava).build().unwrap();
    for _ in 0..3 {
        assert_eq!(events(&client).await.unwrap_err().kind(), ErrorKind::PersonNeeded);
    }
    assert_eq!(priava.token_requests().total(), 2);
}

#[tokio::test]
async fn a_code_that_was_refused_is_not_sent_again() {
    let priava = start().await;
    priava.revoke_codes();
    let (client, clock) = with_clock(builder(&priava));
    for _ in 0..3 {
        let error = events(&client).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PersonNeeded, "{error}");
        clock.advance(10 * MINUTE);
    }
    assert_eq!(priava.token_requests().total(), 1);
}

#[tokio::test]
async fn a_refresh_token_from_elsewhere_is_sent_once_and_then_the_ones_that_came_for_it() {
    let revoked = Arc::new(AtomicBool::new(false));
    let is_revoked = Arc::clone(&revoked);
    let server = Server::start(move |seen| match seen.path.as_str() {
        "/token" if is_revoked.load(Ordering::SeqCst) => Reply::json(400, r#"{"error":"invalid_grant"}"#),
        "/token" => token(seen.nth, 21_600),
        _ => Reply::json(200, "[]"),
    })
    .await;
    let brought = Credentials::new("erp", SECRET).refresh_token("br0ught");
    let (client, clock) = with_clock(of_server(&server, profile(), brought).memory_only());
    for _ in 0..2 {
        events(&client).await.unwrap();
        clock.advance(SIX_HOURS);
    }
    revoked.store(true, Ordering::SeqCst);
    for _ in 0..2 {
        let error = events(&client).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PersonNeeded);
        assert!(error.to_string().contains("a new refresh token is needed"), "{error}");
        clock.advance(MINUTE);
    }
    let sent: Vec<_> = server.tokens().iter().map(|seen| seen.field("refresh_token").unwrap()).collect();
    assert_eq!(sent, ["br0ught", "ref-0", "ref-1"]);
}

#[tokio::test]
async fn a_401_that_a_new_token_does_not_help_names_the_region() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/token" => token(seen.nth, 21_600),
        _ => Reply::status(401),
    })
    .await;
    let error = events(&of_server(&server, profile(), copied()).memory_only().build().unwrap()).await.unwrap_err();
    assert_eq!((error.kind(), server.tokens().len(), server.calls().len()), (ErrorKind::Unauthorized, 2, 2));
    assert!(error.to_string().contains("tenant region"), "{error}");
}

#[tokio::test]
async fn no_window_of_300_seconds_sees_more_than_450_calls() {
    let busiest = busiest_window(profile(), copied(), 520, 300 * S).await;
    assert!((400..=450).contains(&busiest), "{busiest}");
}
