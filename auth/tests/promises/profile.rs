//! Requests follow the profile.

use http::{HeaderName, HeaderValue};
use perenso_auth::{Client, Credentials, Profile, clock::ManualClock};

use crate::{S, call, eventually, generous, server::Server};

fn client(server: &Server, profile: Profile) -> (Client, ManualClock) {
    let clock = ManualClock::default();
    let profile = profile.token_url(format!("{}/token", server.url)).api_url(server.url.clone());
    let builder = Client::builder(profile).credentials(Credentials::new("show-1", "s3cr3t"));
    (builder.scope("mine").clock(clock.clone()).build().unwrap(), clock)
}

#[tokio::test]
async fn headers_and_fields_of_a_profile_go_out_with_both_grants_and_each_has_its_scope() {
    let server = generous(300).await;
    let header = |name, value| (HeaderName::from_static(name), HeaderValue::from_static(value));
    let ((tenant, of_tokens), (channel, of_calls)) = (header("x-tenant", "t1"), header("x-channel", "c1"));
    let profile = Profile::new("warehouse")
        .token_header(tenant, of_tokens)
        .token_field("audience", "stock")
        .scope(perenso_auth::Grant::RefreshToken, "again")
        .api_header(channel, of_calls);
    let (client, clock) = client(&server, profile);
    call(&client).await.unwrap();
    clock.advance(300 * S);
    call(&client).await.unwrap();
    let sent = server.tokens();
    assert_eq!(sent.len(), 2);
    for (seen, grant, scope) in [(&sent[0], "client_credentials", "mine"), (&sent[1], "refresh_token", "again")] {
        for (field, value) in [("grant_type", grant), ("audience", "stock"), ("scope", scope)] {
            assert_eq!(seen.field(field).as_deref(), Some(value), "{field} with {grant}");
        }
        assert_eq!((seen.header("x-tenant"), seen.header("x-channel")), ("t1", ""), "{grant}");
    }
    for seen in server.calls() {
        assert_eq!((seen.header("x-tenant"), seen.header("x-channel")), ("", "c1"));
    }
}

#[tokio::test]
async fn a_token_is_renewed_ahead_by_the_lead_of_the_profile() {
    let server = generous(300).await;
    let (client, clock) = client(&server, Profile::new("warehouse").renewal_lead(100 * S));
    call(&client).await.unwrap();
    clock.advance(199 * S);
    call(&client).await.unwrap();
    assert_eq!(server.tokens().len(), 1);
    // Jitter takes away a quarter of the lead at most; without one of its own it would be due at 240 s.
    clock.advance(27 * S);
    call(&client).await.unwrap();
    eventually(|| server.tokens().len() == 2).await;
}

#[tokio::test]
async fn the_chain_of_an_error_says_nothing_twice() {
    use std::error::Error as _;

    let refused = crate::Server::start(|_| crate::server::Reply::json(400, r#"{"error":"invalid_scope"}"#)).await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let unreachable = crate::builder(&refused).token_url(format!("http://{nobody}/token")).build().unwrap();
    for client in [crate::client(&refused), unreachable] {
        let error = crate::call(&client).await.unwrap_err();
        let own = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            assert!(!own.contains(&error.to_string()), "{own} | {error}");
            cause = error.source();
        }
    }
}
