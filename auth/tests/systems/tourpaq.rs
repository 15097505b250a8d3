//! Tourpaq: a user's password and Basic client authentication, half an hour of life, a new pair at every refresh.

use std::time::Duration;

use perenso_auth::{BodyEncoding, Client, ClientAuth, ClientBuilder, Credentials, Error, ErrorKind, Profile};
use perenso_sandbox::{ExampleResponse, StandIn};
use serde_json::Value;

use crate::{MINUTE, S, SECRET, busiest_window, eventually, form, generous, of_server, of_stand_in, pass, with_clock};

const LIFE: Duration = Duration::from_secs(1799);
const EXPORT: &str = "/api/HotelListExport/2013499853";

fn credentials() -> Credentials {
    Credentials::new("booking.agency.example", SECRET).user("jane", "pass word/1")
}

fn builder(tourpaq: &StandIn) -> ClientBuilder {
    let credentials = Credentials::new(tourpaq.client_id(), tourpaq.client_secret());
    of_stand_in(tourpaq, Profile::tourpaq(), credentials.user(tourpaq.username(), tourpaq.password()))
}

async fn start() -> StandIn {
    StandIn::tourpaq().start().await.unwrap()
}

async fn hotels(client: &Client) -> Result<Value, Error> {
    client.get(EXPORT).send_json().await
}

#[test]
fn the_addresses_are_the_vendors() {
    let shown = format!("{:?}", Profile::tourpaq());
    assert!(shown.contains(r#"token_url: Some("https://api.tourpaq.com/api/token")"#), "{shown}");
    let client = Client::builder(Profile::tourpaq()).credentials(credentials()).build().unwrap();
    assert_eq!(client.api_url().as_str(), "https://api.tourpaq.com/");
}

#[tokio::test]
async fn the_password_goes_out_as_the_page_has_it() {
    let server = generous(1799).await;
    hotels(&of_server(&server, Profile::tourpaq(), credentials()).build().unwrap()).await.unwrap();
    let sent = &server.tokens()[0];
    assert_eq!(sent.method, "POST");
    assert_eq!(sent.header("content-type"), "application/x-www-form-urlencoded; charset=UTF-8");
    // printf 'booking.agency.example:s3cr3t+/=%%' | base64
    assert_eq!(sent.header("authorization"), "Basic Ym9va2luZy5hZ2VuY3kuZXhhbXBsZTpzM2NyM3QrLz0l");
    assert_eq!(form(sent), ["grant_type=password", "password=pass+word%2F1", "scope=read", "username=jane"]);
}

#[tokio::test]
async fn a_refresh_carries_basic_and_the_scope_and_no_password() {
    let server = generous(1799).await;
    let (client, clock) = with_clock(of_server(&server, Profile::tourpaq(), credentials()));
    hotels(&client).await.unwrap();
    clock.advance(LIFE);
    hotels(&client).await.unwrap();
    let sent = &server.tokens()[1];
    assert_eq!(sent.header("content-type"), "application/x-www-form-urlencoded; charset=UTF-8");
    assert_eq!(sent.header("authorization"), "Basic Ym9va2luZy5hZ2VuY3kuZXhhbXBsZTpzM2NyM3QrLz0l");
    assert_eq!(form(sent), ["grant_type=refresh_token", "refresh_token=ref-0", "scope=read"]);
}

#[tokio::test]
async fn the_basic_header_can_be_form_encoded() {
    let tourpaq = StandIn::tourpaq().behavior(|behavior| behavior.form_encoded_basic = true).start().await.unwrap();
    let error = hotels(&builder(&tourpaq).build().unwrap()).await.unwrap_err();
    assert_eq!(error.token_error().unwrap().error, Some("invalid_client"));
    let encoded = ClientAuth::BasicEncoded;
    let (client, clock) = with_clock(builder(&tourpaq).client_auth(encoded).refresh_client_auth(encoded));
    hotels(&client).await.unwrap();
    pass(&tourpaq, &clock, LIFE);
    hotels(&client).await.unwrap();
    assert_eq!((tourpaq.token_requests().password, tourpaq.token_requests().refresh_token), (2, 1));
}

#[tokio::test]
async fn a_switch_to_json_changes_the_content_type_as_well() {
    let server = generous(1799).await;
    let builder = of_server(&server, Profile::tourpaq(), credentials()).body_encoding(BodyEncoding::Json);
    hotels(&builder.build().unwrap()).await.unwrap();
    let sent = &server.tokens()[0];
    assert!(sent.body.starts_with('{'), "{}", sent.body);
    assert_eq!(sent.header("content-type"), "application/json");
}

#[tokio::test]
async fn tokens_of_1799_seconds_are_renewed_on_their_own_time() {
    let tourpaq = start().await;
    let (client, clock) = with_clock(builder(&tourpaq));
    hotels(&client).await.unwrap();
    // Four fifths of it are 1439 s, and jitter takes away a quarter of the last fifth at most.
    pass(&tourpaq, &clock, 1438 * S);
    hotels(&client).await.unwrap();
    assert_eq!(tourpaq.token_requests().total(), 1);
    pass(&tourpaq, &clock, 92 * S);
    hotels(&client).await.unwrap();
    eventually(|| tourpaq.token_requests().refresh_token == 1).await;
    assert!(tourpaq.journal().iter().all(|request| request.status == Some(200)));
}

#[tokio::test]
async fn every_refresh_uses_the_token_of_the_pair_before() {
    let server = generous(1799).await;
    let (client, clock) = with_clock(of_server(&server, Profile::tourpaq(), credentials()));
    for _ in 0..4 {
        hotels(&client).await.unwrap();
        clock.advance(LIFE);
    }
    let refreshed: Vec<_> = server.tokens().iter().map(|seen| seen.field("refresh_token")).collect();
    assert_eq!(refreshed, [None, Some("ref-0".into()), Some("ref-1".into()), Some("ref-2".into())]);
    let bearers: Vec<_> = server.calls().iter().map(|seen| seen.bearer().to_owned()).collect();
    assert_eq!(bearers, ["tok-0", "tok-1", "tok-2", "tok-3"]);
}

#[tokio::test]
async fn a_server_that_takes_a_second_use_for_theft_never_sees_one() {
    let tourpaq = StandIn::tourpaq().behavior(|behavior| behavior.detect_reuse = true).start().await.unwrap();
    let (client, clock) = with_clock(builder(&tourpaq));
    for _ in 0..5 {
        let calls: Vec<_> = (0..20).map(|_| hotels(&client)).collect();
        for response in futures_util::future::join_all(calls).await {
            response.unwrap();
        }
        pass(&tourpaq, &clock, LIFE);
    }
    assert_eq!((tourpaq.token_requests().password, tourpaq.token_requests().refresh_token), (1, 4));
}

#[tokio::test]
async fn a_refused_refresh_leads_to_the_password_once() {
    let tourpaq = start().await;
    let (client, clock) = with_clock(builder(&tourpaq));
    hotels(&client).await.unwrap();
    tourpaq.revoke_refresh_tokens();
    pass(&tourpaq, &clock, LIFE);
    hotels(&client).await.unwrap();
    assert_eq!((tourpaq.token_requests().refresh_token, tourpaq.token_requests().password), (1, 2));
}

#[tokio::test]
async fn a_wrong_password_is_one_request_and_a_response() {
    let tourpaq = start().await;
    let credentials = Credentials::new(tourpaq.client_id(), tourpaq.client_secret()).user(tourpaq.username(), "wrong");
    let (client, _) = with_clock(of_stand_in(&tourpaq, Profile::tourpaq(), credentials));
    for _ in 0..3 {
        let error = hotels(&client).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
        assert_eq!(error.token_error().unwrap().error, Some("invalid_grant"));
    }
    assert_eq!(tourpaq.token_requests().total(), 1);
}

#[tokio::test]
async fn a_401_leads_to_a_refresh_and_the_call_is_repeated() {
    let tourpaq = start().await;
    let (client, _) = with_clock(builder(&tourpaq));
    hotels(&client).await.unwrap();
    // Only the server's clock says that the token has ended.
    tourpaq.advance(30 * MINUTE);
    hotels(&client).await.unwrap();
    let calls: Vec<_> = tourpaq.journal().into_iter().filter(|request| request.path == EXPORT).collect();
    assert_eq!(calls.iter().map(|call| call.status).collect::<Vec<_>>(), [Some(200), Some(401), Some(200)]);
    assert_eq!((tourpaq.token_requests().password, tourpaq.token_requests().refresh_token), (1, 1));
}

#[tokio::test]
async fn an_export_comes_raw_with_its_content_type() {
    let rows = "<Hotels><Hotel>Hôtel Exemple</Hotel></Hotels>";
    let response = ExampleResponse::new("application/xml; charset=utf-8", rows);
    let tourpaq =
        StandIn::tourpaq().behavior(|behavior| behavior.example_response = Some(response)).start().await.unwrap();
    let export = builder(&tourpaq).build().unwrap().get(EXPORT).send().await.unwrap();
    assert_eq!(export.content_type(), Some("application/xml; charset=utf-8"));
    assert_eq!(export.bytes().await.unwrap(), rows.as_bytes());
    let call = tourpaq.journal().pop().unwrap();
    assert_eq!((call.method.as_str(), call.path.as_str()), ("GET", EXPORT));
    assert_eq!(call.header("accept"), Some("application/json, text/javascript, */*; q=0.01"));
}

#[tokio::test]
async fn no_limit_is_known_and_none_is_kept() {
    assert_eq!(busiest_window(Profile::tourpaq(), credentials(), 100, S).await, 100);
}
