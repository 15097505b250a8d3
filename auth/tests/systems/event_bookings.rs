//! EventBookings: a token request in JSON or as a form, a response without a token type, and no address of an API.

use std::time::Duration;

use perenso_auth::{BodyEncoding, Client, ClientBuilder, Credentials, Error, ErrorKind, Profile};
use perenso_sandbox::{StandIn, TokenBody};
use serde_json::{Value, json};

use crate::{
    S, SECRET, busiest_window, eventually, form, generous, of_server, of_stand_in, pass,
    server::{Reply, Server},
    with_clock,
};

const HOUR: Duration = Duration::from_secs(3600);

fn credentials() -> Credentials {
    Credentials::new("hub-app", SECRET)
}

fn builder(stand_in: &StandIn) -> ClientBuilder {
    let credentials = Credentials::new(stand_in.client_id(), stand_in.client_secret());
    of_stand_in(stand_in, Profile::event_bookings(), credentials)
}

async fn start() -> StandIn {
    StandIn::event_bookings().start().await.unwrap()
}

async fn events(client: &Client) -> Result<Value, Error> {
    client.get("/events").send_json().await
}

#[test]
fn the_token_address_is_the_vendors_and_the_one_of_the_api_has_to_be_told() {
    let shown = format!("{:?}", Profile::event_bookings());
    assert!(shown.contains(r#"token_url: Some("https://identity.eventbookings.com/connect/token")"#), "{shown}");
    let builder = || Client::builder(Profile::event_bookings()).credentials(credentials());
    let error = builder().build().unwrap_err();
    assert_eq!(error.problems().len(), 1, "{error}");
    assert!(error.to_string().contains("no API address") && error.to_string().contains("`api_url`"), "{error}");
    builder().api_url("https://api.example").build().unwrap();
}

#[tokio::test]
async fn a_token_is_asked_for_in_json() {
    let server = generous(3600).await;
    let (client, clock) = with_clock(of_server(&server, Profile::event_bookings(), credentials()));
    events(&client).await.unwrap();
    clock.advance(HOUR);
    events(&client).await.unwrap();
    let own = json!({"grant_type": "client_credentials", "client_id": "hub-app", "client_secret": SECRET});
    let mut refresh = own.clone();
    refresh["grant_type"] = "refresh_token".into();
    refresh["refresh_token"] = "ref-0".into();
    let sent = server.tokens();
    assert_eq!(sent.len(), 2);
    for (sent, body) in sent.iter().zip([own, refresh]) {
        assert_eq!((sent.method.as_str(), sent.header("content-type")), ("POST", "application/json"));
        assert!(!sent.headers.contains_key("authorization"));
        assert_eq!(serde_json::from_str::<Value>(&sent.body).unwrap(), body);
    }
}

#[tokio::test]
async fn a_switch_makes_it_a_form() {
    let server = generous(3600).await;
    let builder = of_server(&server, Profile::event_bookings(), credentials()).body_encoding(BodyEncoding::Form);
    events(&builder.build().unwrap()).await.unwrap();
    let sent = &server.tokens()[0];
    assert_eq!(sent.header("content-type"), "application/x-www-form-urlencoded");
    let fields = ["client_id=hub-app", "client_secret=s3cr3t%2B%2F%3D%25", "grant_type=client_credentials"];
    assert_eq!(form(sent), fields);
}

#[tokio::test]
async fn a_server_that_takes_forms_alone_refuses_json_and_takes_the_switch() {
    let form = |behavior: &mut perenso_sandbox::StandInBehavior| behavior.token_body = TokenBody::Form;
    let stand_in = StandIn::event_bookings().behavior(form).start().await.unwrap();
    let error = events(&builder(&stand_in).build().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    let switched = builder(&stand_in).body_encoding(BodyEncoding::Form).build().unwrap();
    events(&switched).await.unwrap();
}

#[tokio::test]
async fn a_response_without_a_token_type_goes_out_as_authorization_bearer() {
    let response = r#"{"access_token":"t0k3n","refresh_token":"r3fr","expires_in":3600}"#;
    let server = Server::start(move |seen| match seen.path.as_str() {
        "/token" => Reply::json(200, response),
        _ => Reply::json(200, "[]"),
    })
    .await;
    events(&of_server(&server, Profile::event_bookings(), credentials()).build().unwrap()).await.unwrap();
    let call = &server.calls()[0];
    assert_eq!(call.header("authorization"), "Bearer t0k3n");
    // As the page spells it.
    assert!(!call.headers.contains_key("authorisation"));
}

#[tokio::test]
async fn an_hour_of_life_is_renewed_by_the_refresh_token() {
    let stand_in = start().await;
    let (client, clock) = with_clock(builder(&stand_in));
    events(&client).await.unwrap();
    pass(&stand_in, &clock, 2999 * S);
    events(&client).await.unwrap();
    assert_eq!(stand_in.token_requests().total(), 1);
    pass(&stand_in, &clock, 151 * S);
    events(&client).await.unwrap();
    eventually(|| stand_in.token_requests().refresh_token == 1).await;
    assert!(stand_in.journal().iter().all(|request| request.status == Some(200)));
}

#[tokio::test]
async fn a_refused_refresh_leads_to_client_credentials_once() {
    let stand_in = start().await;
    let (client, clock) = with_clock(builder(&stand_in));
    events(&client).await.unwrap();
    stand_in.revoke_refresh_tokens();
    pass(&stand_in, &clock, HOUR);
    events(&client).await.unwrap();
    assert_eq!((stand_in.token_requests().refresh_token, stand_in.token_requests().client_credentials), (1, 2));
}

#[tokio::test]
async fn without_a_refresh_token_client_credentials_are_sent_again() {
    let none = |behavior: &mut perenso_sandbox::StandInBehavior| behavior.refresh_tokens = false;
    let stand_in = StandIn::event_bookings().behavior(none).start().await.unwrap();
    let (client, clock) = with_clock(builder(&stand_in));
    events(&client).await.unwrap();
    pass(&stand_in, &clock, HOUR);
    events(&client).await.unwrap();
    assert_eq!((stand_in.token_requests().refresh_token, stand_in.token_requests().client_credentials), (0, 2));
}

#[tokio::test]
async fn wrong_credentials_are_one_request_and_a_response_of_one_word() {
    let stand_in = start().await;
    let (client, _) = with_clock(of_stand_in(&stand_in, Profile::event_bookings(), credentials()));
    for _ in 0..3 {
        let error = events(&client).await.unwrap_err();
        let words = error.token_error().unwrap();
        assert_eq!((words.error, words.description), (Some("invalid_client"), None), "{error}");
    }
    assert_eq!(stand_in.token_requests().total(), 1);
}

#[tokio::test]
async fn a_revoked_token_is_renewed_and_the_call_repeated() {
    let stand_in = start().await;
    let (client, _) = with_clock(builder(&stand_in));
    events(&client).await.unwrap();
    stand_in.revoke_tokens();
    events(&client).await.unwrap();
    let calls: Vec<_> = stand_in.journal().into_iter().filter(|request| request.path == "/events").collect();
    assert_eq!(calls.iter().map(|call| call.status).collect::<Vec<_>>(), [Some(200), Some(401), Some(200)]);
    assert_eq!(stand_in.token_requests().total(), 2);
}

#[tokio::test]
async fn no_limit_is_known_and_none_is_kept() {
    assert_eq!(busiest_window(Profile::event_bookings(), credentials(), 100, S).await, 100);
}
