//! T12: what a token endpoint may say, and what becomes of what it should not.

use std::time::Duration;

use perenso_auth::ErrorKind;

use crate::{
    call, client,
    server::{Reply, Server},
};

async fn with_answer(answer: Reply) -> (Server, Result<serde_json::Value, perenso_auth::Error>) {
    let server = Server::start(move |seen| match seen.path.as_str() {
        "/token" => answer.clone(),
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
    for answer in [
        Reply::json(200, r#"{"access_token":"t","token_type":"BEARER","expires_in":"1799"}"#),
        Reply::json(201, r#"{"access_token":"t","expires_in":299.5,"unknown":{"a":[1]}}"#),
        Reply::Whole(203, plain, body(r#"{"access_token":"t"}"#)),
        Reply::Whole(200, Vec::new(), body("\u{feff}  {\"access_token\":\"t\",\"token_type\":null}\r\n")),
    ] {
        let (server, result) = with_answer(answer.clone()).await;
        assert!(result.is_ok(), "{answer:?}: {result:?}");
        assert_eq!(server.calls()[0].bearer(), "t");
    }
}

#[tokio::test]
async fn t12_what_cannot_be_read_is_a_clear_error_at_once() {
    let html = vec![("content-type", "text/html".to_owned())];
    for (answer, words) in [
        (Reply::Whole(200, html, b"<html>tok-secret".to_vec()), "it is not JSON"),
        (Reply::json(200, ""), "it is empty"),
        (Reply::json(204, ""), "it is empty"),
        (Reply::json(200, r#"{"access_token":"tok-secret""#), "it is JSON that ends too early"),
        (Reply::json(200, r#""tok-secret""#), "it is JSON, but not an object"),
        (Reply::json(200, r#"{"token":"tok-secret"}"#), "no `access_token`"),
        (Reply::json(200, r#"{"access_token":"tok-secret\n"}"#), "no header can carry"),
        (
            Reply::json(200, format!(r#"{{"access_token":"tok-secret","x":"{}"}}"#, "x".repeat(10_000_000))),
            "larger than",
        ),
    ] {
        let (server, result) = with_answer(answer).await;
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TokenUnavailable, "{error}");
        assert!(error.to_string().contains(words), "{error}");
        assert!(!format!("{error} {error:?}").contains("tok-secret"), "{error:?}");
        assert_eq!(server.tokens().len(), 1, "an answer that makes no sense was asked for again");
    }
}

#[tokio::test]
async fn t12_a_cut_answer_is_a_fault_of_the_connection_and_asked_for_again() {
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
