//! T12: what a token endpoint may say, and what becomes of what it should not.

use std::time::Duration;

use perenso_auth::ErrorKind;

use crate::{
    call, client,
    server::{Reply, Server},
};

async fn with_answer(response: Reply) -> (Server, Result<serde_json::Value, perenso_auth::Error>) {
    let server = Server::start(move |seen| match seen.path.as_str() {
        "/token" => response.clone(),
        _ => Reply::json(200, "[]"),
    })
    .await;
    let result = call(&client(&server)).await;
    (server, result)
}

#[tokio::test]
async fn t12_any_success_any_content_type_and_any_spelling_is_read() {
    let body = |text: &str| text.as_bytes().to_vec();
    let plain = vec![("content-type", "text/plain; charset=x-unknown".to_owned())];
    for response in [
        Reply::json(200, r#"{"access_token":"t","token_type":"BEARER","expires_in":"1799"}"#),
        Reply::json(201, r#"{"access_token":"t","expires_in":299.5,"unknown":{"a":[1]}}"#),
        Reply::Whole(203, plain, body(r#"{"access_token":"t"}"#)),
        Reply::Whole(200, Vec::new(), body("\u{feff}  {\"access_token\":\"t\",\"token_type\":null}\r\n")),
    ] {
        let (server, result) = with_answer(response.clone()).await;
        assert!(result.is_ok(), "{response:?}: {result:?}");
        assert_eq!(server.calls()[0].bearer(), "t");
    }
}

#[tokio::test]
async fn t12_what_cannot_be_read_is_a_clear_error_at_once() {
    let html = vec![("content-type", "text/html".to_owned())];
    for (response, words) in [
        (Reply::Whole(200, html, b"<html>tok-secret".to_vec()), "it is not JSON"),
        (Reply::json(200, ""), "it is empty"),
        (Reply::json(204, ""), "it is empty"),
        (Reply::json(200, r#"{"access_token":"tok-secret""#), "it is JSON that ends too early"),
        (Reply::json(200, r#""tok-secret""#), "it is JSON, but not an object"),
        (Reply::json(200, r#"{"token":"tok-secret"}"#), "no `access_token`"),
        (Reply::json(200, r#"{"access_token":"tok-secret\n"}"#), "no header allows"),
        (
            Reply::json(200, format!(r#"{{"access_token":"tok-secret","x":"{}"}}"#, "x".repeat(10_000_000))),
            "larger than",
        ),
    ] {
        let (server, result) = with_answer(response).await;
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TokenUnavailable, "{error}");
        assert!(error.to_string().contains(words), "{error}");
        assert!(!format!("{error} {error:?}").contains("tok-secret"), "{error:?}");
        assert_eq!(server.tokens().len(), 1, "an invalid response was asked for again");
    }
}

#[tokio::test]
async fn t12_a_cut_response_is_a_fault_of_the_connection_and_asked_for_again() {
    let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"access_token\":".to_vec();
    let (server, result) = with_answer(Reply::Raw(cut)).await;
    assert_eq!(result.unwrap_err().kind(), ErrorKind::TokenUnavailable);
    assert_eq!(server.tokens().len(), 4);
}

#[tokio::test]
async fn t12_a_missing_lifetime_is_the_profile_s() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/token" => Reply::json(200, r#"{"access_token":"t"}"#),
        _ => Reply::json(200, "[]"),
    })
    .await;
    let (client, _clock) = crate::client_with_clock(&server);
    assert_eq!(client.token(Duration::ZERO).await.unwrap().expires_in(), Duration::from_secs(300));
}

#[tokio::test]
async fn t12_a_large_refusal_is_still_a_refusal() {
    let (_server, result) = with_answer(Reply::json(400, "x".repeat(2_000_000))).await;
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Refused);
}

#[tokio::test]
async fn t12_an_error_member_is_a_refusal_whatever_the_status() {
    for (status, body, shown) in [
        (200, r#"{"error":"invalid_client","error_description":"unknown"}"#, "(200): invalid_client: unknown"),
        (200, r#"{"error":{"code":"invalid_client","message":"unknown"}}"#, "(200): invalid_client: unknown"),
        (200, "error=invalid_client&error_description=not+known", "(200): invalid_client: not known"),
        (201, r#"{"error":"x","access_token":"tok-secret"}"#, "(201): x"),
        (403, r#"{"error":"access_denied"}"#, "(403): access_denied"),
        (404, r#"{"error":"invalid_request"}"#, "(404): invalid_request"),
        (500, r#"{"error":"invalid_client"}"#, "(500): invalid_client"),
    ] {
        let (server, result) = with_answer(Reply::json(status, body)).await;
        let error = result.unwrap_err();
        assert_eq!((error.kind(), error.status().unwrap().as_u16()), (ErrorKind::Refused, status), "{error}");
        assert!(error.to_string().ends_with(shown) && !error.is_transient(), "{error}");
        assert_eq!(error.body(), Some(body.as_bytes()));
        assert_eq!(server.tokens().len(), 1, "{error}");
    }
}

#[tokio::test]
async fn t12_an_error_that_repeats_a_passing_status_is_retried_and_an_empty_one_is_none() {
    let (server, result) = with_answer(Reply::json(503, r#"{"error":"Service Unavailable"}"#)).await;
    assert_eq!((result.unwrap_err().kind(), server.tokens().len()), (ErrorKind::TokenUnavailable, 4));
    let (_server, result) = with_answer(Reply::json(200, r#"{"error":null,"access_token":"t"}"#)).await;
    assert!(result.is_ok(), "{result:?}");
}

#[tokio::test]
async fn t12_an_invalid_grant_in_a_success_asks_for_a_person_and_a_refusal_asks_the_provider_again() {
    use perenso_auth::{AuthorizationCode, Client, Credentials, Profile};
    let server = Server::start(|_| Reply::json(200, r#"{"error":"invalid_grant"}"#)).await;
    let client = Client::builder(Profile::new("parcels"))
        .credentials(Credentials::new("c", "s").code(AuthorizationCode::new("c0de", "https://erp.example/cb")))
        .token_url(format!("{}/token", server.url))
        .api_url(server.url.clone())
        .memory_only()
        .build()
        .unwrap();
    assert_eq!(call(&client).await.unwrap_err().kind(), ErrorKind::PersonNeeded);
    assert_eq!(server.tokens().len(), 1);

    let server = Server::start(|seen| match (seen.path.as_str(), seen.field("client_secret").as_deref()) {
        ("/token", Some("new")) => crate::server::token(seen.nth, 300),
        ("/token", _) => Reply::json(200, "error=invalid_client"),
        _ => Reply::json(200, "[]"),
    })
    .await;
    let secrets = std::sync::Mutex::new(vec!["new", "old"]);
    let provider = move || {
        let secret = secrets.lock().unwrap().pop().unwrap();
        async move { Ok::<_, std::io::Error>(Credentials::new("show-1", secret)) }
    };
    let client = Client::builder(Profile::perenso())
        .credentials_provider(provider)
        .token_url(format!("{}/token", server.url))
        .api_url(server.url.clone())
        .build()
        .unwrap();
    call(&client).await.unwrap();
}

#[tokio::test]
async fn t12_a_4xx_that_refuses_nothing_names_address_and_status_and_is_not_remembered() {
    for status in [402, 403, 404, 405, 407, 410, 413, 415, 421, 425, 451] {
        let page = format!("<html>blocked: {} \u{e9}", "client_secret=s3cr3t%2B%2F%3D%25");
        let server = Server::start(move |_| {
            Reply::Whole(status, vec![("content-type", "text/html".to_owned())], page.clone().into_bytes())
        })
        .await;
        let client = client(&server);
        let error = call(&client).await.unwrap_err();
        assert_eq!((error.kind(), error.status().unwrap().as_u16()), (ErrorKind::TokenUnavailable, status), "{error}");
        assert!(!error.is_auth() && !error.is_transient() && !error.is_not_found(), "{error}");
        assert!(error.to_string().contains(&format!("{}/token responded with {status}", server.url)), "{error}");
        assert!(!format!("{error} {error:?}").contains("blocked"), "{error:?}");
        assert_eq!(error.body(), Some("<html>blocked: client_secret=… \u{e9}".as_bytes()));
        assert_eq!(server.tokens().len(), 1, "{error}");
        call(&client).await.unwrap_err();
        assert_eq!(server.tokens().len(), 2, "{status} was remembered as a refusal");
    }
    for status in [400, 401] {
        let (_server, result) = with_answer(Reply::status(status)).await;
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Refused);
    }
}

/// A firewall that stands in the way for a while costs no refresh token.
#[tokio::test]
async fn t12_a_4xx_that_refuses_nothing_asks_for_no_person() {
    use perenso_auth::{Client, Credentials, Profile};
    let server = Server::start(|seen| match (seen.path.as_str(), seen.nth) {
        ("/token", 0) => Reply::status(403),
        ("/token", n) => crate::server::token(n, 300),
        _ => Reply::json(200, "[]"),
    })
    .await;
    let client = Client::builder(Profile::new("parcels"))
        .credentials(Credentials::new("c", "s").refresh_token("r0"))
        .token_url(format!("{}/token", server.url))
        .api_url(server.url.clone())
        .memory_only()
        .build()
        .unwrap();
    assert_eq!(call(&client).await.unwrap_err().kind(), ErrorKind::TokenUnavailable);
    call(&client).await.unwrap();
    assert!(server.tokens().iter().all(|seen| seen.field("refresh_token").as_deref() == Some("r0")));
}

#[tokio::test]
async fn t12_a_field_that_comes_twice_is_named() {
    for (field, body) in [
        ("access_token", r#"{"access_token":"tok-1","access_token":"tok-2"}"#),
        ("expires_in", r#"{"access_token":"tok-1","expires_in":1,"expires_in":2}"#),
    ] {
        let (_server, result) = with_answer(Reply::json(200, body)).await;
        let text = result.unwrap_err().to_string();
        assert!(text.contains(&format!("more than one `{field}`")) && !text.contains("tok-"), "{text}");
    }
}
