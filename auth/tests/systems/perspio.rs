//! Perspio: tokens of Microsoft's platform, tenant id and subscription key on every call, 20 calls in 90 s.

use perenso_auth::{
    AuthorizationCode, AuthorizationRequest, Client, ClientBuilder, Credentials, Error, ErrorKind, Profile,
};
use perenso_sandbox::{Fault, StandIn};
use serde_json::Value;

use crate::{
    MINUTE, S, SECRET, busiest_window, eventually, form, generous, of_server, of_stand_in, pass,
    server::{Reply, Server, token},
    with_clock,
};

const ASSETS: &str = "/assets/v3/";
const AUTHORITY: &str = "https://login.microsoftonline.com/7d548d61-6361-4a6e-85e6-509e2c05d05e/oauth2/v2.0";
const TID: &str = "in-4711";
const KEY: &str = "5ubscr1pt10n-k3y";

fn credentials() -> Credentials {
    Credentials::new("app-1", SECRET)
}

fn profile() -> Profile {
    Profile::perspio(TID, KEY)
}

fn of(perspio: &StandIn) -> Profile {
    let profile = Profile::perspio(perspio.tenant_id(), perspio.subscription_key());
    profile.authorize_url(perspio.authorize_url().unwrap())
}

/// A client of its own, which reads alone.
fn daemon(perspio: &StandIn) -> ClientBuilder {
    of_stand_in(perspio, of(perspio), Credentials::new(perspio.client_id(), perspio.client_secret()))
}

async fn start() -> StandIn {
    StandIn::perspio().start().await.unwrap()
}

async fn assets(client: &Client) -> Result<Value, Error> {
    client.get(ASSETS).send_json().await
}

#[test]
fn the_addresses_are_the_vendors() {
    let shown = format!("{:?}", profile());
    assert!(shown.contains(&format!(r#"token_url: Some("{AUTHORITY}/token")"#)), "{shown}");
    let request = AuthorizationRequest::new(&profile(), "app-1", "http://localhost").unwrap();
    assert!(request.url().as_str().starts_with(&format!("{AUTHORITY}/authorize?")), "{}", request.url());
    let client = Client::builder(profile()).credentials(credentials()).build().unwrap();
    assert_eq!(client.api_url().as_str(), "https://talk.perspio.io/");
}

#[tokio::test]
async fn client_credentials_go_out_as_the_page_has_them() {
    let server = generous(3599).await;
    assets(&of_server(&server, profile(), credentials()).build().unwrap()).await.unwrap();
    let sent = &server.tokens()[0];
    assert_eq!((sent.method.as_str(), sent.header("content-type")), ("POST", "application/x-www-form-urlencoded"));
    let fields = [
        "client_id=app-1",
        "client_secret=s3cr3t%2B%2F%3D%25",
        "grant_type=client_credentials",
        "scope=api%3A%2F%2Fperspiotalk%2F.default",
    ];
    assert_eq!(form(sent), fields);
    for header in ["authorization", "tid", "ocp-apim-subscription-key"] {
        assert!(!sent.headers.contains_key(header), "{header} went to the token endpoint");
    }
}

#[tokio::test]
async fn every_call_carries_tenant_and_key_and_the_slash_at_the_end() {
    let server = Server::start(|seen| match (seen.path.as_str(), seen.nth) {
        ("/token", nth) => token(nth, 3599),
        // A repeat after a fault, one after a 401, and a call of its own.
        (_, 0) => Reply::status(503),
        (_, 2) => Reply::status(401),
        _ => Reply::json(200, "[]"),
    })
    .await;
    let client = of_server(&server, profile(), credentials()).build().unwrap();
    for _ in 0..3 {
        assets(&client).await.unwrap();
    }
    assert_eq!(server.calls().len(), 5);
    for call in server.calls() {
        assert_eq!((call.method.as_str(), call.path.as_str()), ("GET", ASSETS));
        assert_eq!((call.header("tid"), call.header("ocp-apim-subscription-key")), (TID, KEY));
        assert_eq!(call.header("accept"), "application/json");
    }
}

#[tokio::test]
async fn client_credentials_bring_no_refresh_token_and_are_sent_again() {
    let perspio = start().await;
    let (client, clock) = with_clock(daemon(&perspio));
    for _ in 0..3 {
        assert!(assets(&client).await.unwrap().is_array());
        pass(&perspio, &clock, 60 * MINUTE);
    }
    let requests = perspio.token_requests();
    assert_eq!((requests.client_credentials, requests.total()), (3, 3));
}

#[tokio::test]
async fn an_hour_of_life_is_renewed_after_fifty_minutes() {
    let perspio = start().await;
    let (client, clock) = with_clock(daemon(&perspio));
    assets(&client).await.unwrap();
    // The response says 3599 s.
    pass(&perspio, &clock, 50 * MINUTE - 2 * S);
    assets(&client).await.unwrap();
    assert_eq!(perspio.token_requests().total(), 1);
    // Jitter takes away a quarter of the ten minutes at most.
    pass(&perspio, &clock, 152 * S);
    assets(&client).await.unwrap();
    eventually(|| perspio.token_requests().total() == 2).await;
    assert!(perspio.journal().iter().all(|request| request.status == Some(200)));
}

#[tokio::test]
async fn a_person_allows_access_and_the_refresh_token_carries_on() {
    let perspio = start().await;
    let request = AuthorizationRequest::new(&of(&perspio), perspio.client_id(), perspio.redirect_uri()).unwrap();
    let field = |name: &str| request.url().query_pairs().find(|(key, _)| key == name).map(|(_, value)| value);
    assert_eq!(field("state").as_deref(), Some(request.state()));
    assert_eq!(field("code_challenge_method").as_deref(), Some("S256"));
    assert_eq!(field("scope").as_deref(), Some("api://perspiotalk/access_as_user"));
    assert_eq!(field("response_mode").as_deref(), Some("query"));
    let address = browse(&perspio, &request).await;
    let code = request.callback(&address).unwrap();
    let credentials = Credentials::new(perspio.client_id(), perspio.client_secret()).code(code);
    let (client, clock) = with_clock(of_stand_in(&perspio, of(&perspio), credentials).memory_only());
    for _ in 0..3 {
        assets(&client).await.unwrap();
        pass(&perspio, &clock, 60 * MINUTE);
    }
    let requests = perspio.token_requests();
    assert_eq!((requests.authorization_code, requests.refresh_token, requests.total()), (1, 2, 3));
}

#[tokio::test]
async fn a_code_of_somebody_elses_request_is_of_no_use() {
    let perspio = start().await;
    let request = || AuthorizationRequest::new(&of(&perspio), perspio.client_id(), perspio.redirect_uri()).unwrap();
    let (mine, theirs) = (request(), request());
    let address = browse(&perspio, &theirs).await;
    let state = |request: &AuthorizationRequest| format!("state={}", request.state());
    let forged = address.replace(&state(&theirs), &state(&mine));
    assert!(theirs.callback(&address.replace("state=", "other=")).is_err());
    // With the right state it still lacks the verifier of the request that it was issued for.
    let code = mine.callback(&forged).unwrap();
    let credentials = Credentials::new(perspio.client_id(), perspio.client_secret()).code(code);
    let client = of_stand_in(&perspio, of(&perspio), credentials).memory_only().build().unwrap();
    let error = assets(&client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PersonNeeded, "{error}");
}

/// A person in a browser who says yes, and where the browser is sent then.
async fn browse(perspio: &StandIn, request: &AuthorizationRequest) -> String {
    let browser = daemon(perspio).build().unwrap().http().clone();
    let response = browser.get(request.url().clone()).send().await.unwrap();
    response.headers()["location"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_code_and_a_refresh_go_out_as_the_pages_have_them() {
    let server = generous(3599).await;
    let code = AuthorizationCode::new("c0de", "http://localhost").pkce_verifier("v3r1f13r");
    let (client, clock) = with_clock(of_server(&server, profile(), credentials().code(code)).memory_only());
    assets(&client).await.unwrap();
    clock.advance(60 * MINUTE);
    assets(&client).await.unwrap();
    let sent = server.tokens();
    let own = ["client_id=app-1", "client_secret=s3cr3t%2B%2F%3D%25"];
    let code = ["code=c0de", "code_verifier=v3r1f13r", "grant_type=authorization_code"];
    assert_eq!(form(&sent[0]), [&own[..], &code, &["redirect_uri=http%3A%2F%2Flocalhost"]].concat());
    let refresh = [
        "grant_type=refresh_token",
        "refresh_token=ref-0",
        "scope=api%3A%2F%2Fperspiotalk%2Fall_readwrite+offline_access",
    ];
    assert_eq!(form(&sent[1]), [&own[..], &refresh].concat());
}

#[tokio::test]
async fn a_refused_refresh_says_that_a_new_code_is_needed() {
    let perspio = start().await;
    let code = AuthorizationCode::new(perspio.code(), perspio.redirect_uri());
    let credentials = Credentials::new(perspio.client_id(), perspio.client_secret()).code(code);
    let (client, clock) = with_clock(of_stand_in(&perspio, of(&perspio), credentials).memory_only());
    assets(&client).await.unwrap();
    perspio.revoke_refresh_tokens();
    pass(&perspio, &clock, 60 * MINUTE);
    let error = assets(&client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PersonNeeded, "{error}");
    assert!(error.to_string().contains("a new authorization code is needed"), "{error}");
    assert!(error.token_error().unwrap().description.unwrap().starts_with("AADSTS70008"), "{error}");
}

#[tokio::test]
async fn a_401_renews_once_and_the_call_is_repeated() {
    let perspio = start().await;
    let (client, _) = with_clock(daemon(&perspio));
    assets(&client).await.unwrap();
    perspio.revoke_tokens();
    assets(&client).await.unwrap();
    let calls: Vec<_> = perspio.journal().into_iter().filter(|request| request.path == ASSETS).collect();
    assert_eq!(calls.iter().map(|call| call.status).collect::<Vec<_>>(), [Some(200), Some(401), Some(200)]);
    assert_eq!(perspio.token_requests().total(), 2);
}

#[tokio::test]
async fn a_401_after_a_fresh_token_names_key_and_tenant_id() {
    let perspio = start().await;
    let wrong = Profile::perspio(perspio.tenant_id(), KEY);
    let credentials = Credentials::new(perspio.client_id(), perspio.client_secret());
    let (client, _) = with_clock(of_stand_in(&perspio, wrong, credentials));
    let error = assets(&client).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Unauthorized, 2), "{error}");
    let text = error.to_string();
    assert!(text.contains("`Ocp-Apim-Subscription-Key`") && text.contains("`tid`"), "{text}");
    assert!(!text.contains(KEY) && !text.contains(perspio.tenant_id()), "{text}");
    // The next call does not begin all over.
    assert_eq!(assets(&client).await.unwrap_err().kind(), ErrorKind::Unauthorized);
    assert_eq!(perspio.token_requests().total(), 2);
}

#[tokio::test]
async fn a_429_says_in_seconds_when_to_come_back() {
    let perspio = start().await;
    perspio.fault(perspio.too_many_requests(30 * S));
    let (client, clock) = with_clock(daemon(&perspio));
    let calling = tokio::spawn(async move { assets(&client).await });
    eventually(|| clock.sleepers().contains(&(30 * S))).await;
    clock.advance(30 * S);
    calling.await.unwrap().unwrap();
    assert_eq!(perspio.journal().iter().filter(|request| request.status == Some(429)).count(), 1);
}

#[tokio::test]
async fn microsofts_refusals_come_back_with_their_words() {
    let perspio = start().await;
    let wrong = Credentials::new(perspio.client_id(), "wrong");
    let error = assets(&of_stand_in(&perspio, of(&perspio), wrong).build().unwrap()).await.unwrap_err();
    assert_eq!((error.kind(), error.status().unwrap().as_u16()), (ErrorKind::Refused, 401), "{error}");
    let words = error.token_error().unwrap();
    assert_eq!(words.error, Some("invalid_client"));
    let description = words.description.unwrap();
    assert!(description.starts_with("AADSTS7000215"), "{description}");
    assert!(!description.contains(['\r', '\n']), "{description}");
}

#[tokio::test]
async fn the_tokens_of_two_tenants_are_not_mixed_up() {
    let server = generous(3599).await;
    let store = perenso_auth::store::MemoryStore::new();
    for (tid, requests) in [("in-1", 1), ("in-2", 2), ("in-1", 2)] {
        let builder = of_server(&server, Profile::perspio(tid, KEY), credentials()).store(store.clone());
        assets(&with_clock(builder).0).await.unwrap();
        assert_eq!(server.tokens().len(), requests, "{tid}");
    }
    let bearers: Vec<_> = server.calls().iter().map(|seen| seen.bearer().to_owned()).collect();
    assert_eq!(bearers, ["tok-0", "tok-1", "tok-0"]);
}

#[tokio::test]
async fn no_ninety_seconds_see_more_than_20_calls() {
    let busiest = busiest_window(profile(), credentials(), 60, 90 * S).await;
    assert!((15..=20).contains(&busiest), "{busiest}");
}

#[tokio::test]
async fn a_read_is_repeated_over_a_broken_connection() {
    let perspio = start().await;
    perspio.fault(Fault::DropResponse);
    assets(&daemon(&perspio).build().unwrap()).await.unwrap();
    assert_eq!(perspio.journal().iter().filter(|request| request.path == ASSETS).count(), 2);
}
