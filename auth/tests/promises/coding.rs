//! Content codings of responses and token responses: gzip of several members, and codings that nobody asked for.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use http::{
    HeaderValue, Method,
    header::{ACCEPT_ENCODING, RANGE},
};
use perenso_auth::ErrorKind;

use crate::{
    api, call, client,
    server::{Reply, Server},
};

/// Two gzip members that hold one half of the body each.
fn members(body: &str) -> Vec<u8> {
    let (first, second) = body.as_bytes().split_at(body.len() / 2);
    let gzip = |part: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(part).unwrap();
        encoder.finish().unwrap()
    };
    [gzip(first), gzip(second)].concat()
}

fn coded(status: u16, coding: &str, body: Vec<u8>) -> Reply {
    Reply::Whole(status, vec![("content-encoding", coding.to_owned())], body)
}

const TOKEN: &str = r#"{"access_token":"tok-0","token_type":"Bearer","expires_in":300}"#;

#[tokio::test]
async fn token_responses_and_error_pages_of_several_members_are_read() {
    let page = "the page of an error, ".repeat(100);
    let body = page.clone();
    let server = Server::start(move |seen| match seen.path.as_str() {
        "/token" => coded(200, "gzip", members(TOKEN)),
        _ => coded(400, "GZIP", members(&body)),
    })
    .await;
    let error = call(&client(&server)).await.unwrap_err();
    assert_eq!((error.kind(), error.body()), (ErrorKind::Status, Some(page.as_bytes())), "{error}");
    for seen in server.seen() {
        assert_eq!(seen.header("accept-encoding"), "gzip", "{}", seen.path);
    }

    let refusal = r#"{"error":"invalid_client","error_description":"unknown client"}"#;
    let server = Server::start(|_| coded(400, "gzip", members(refusal))).await;
    let error = call(&client(&server)).await.unwrap_err();
    assert_eq!(error.token_error().unwrap().error, Some("invalid_client"), "{error}");
}

#[tokio::test]
async fn a_damaged_token_response_is_a_fault_that_says_so() {
    let good = members(TOKEN);
    for (body, words) in
        [(good[..good.len() - 3].to_vec(), "it was cut"), ([good.clone(), b"x".to_vec()].concat(), "trailing bytes")]
    {
        let server = Server::start(move |_| coded(200, "gzip", body.clone())).await;
        let error = call(&client(&server)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TokenUnavailable, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[tokio::test]
async fn an_unknown_coding_is_named_at_once() {
    let server = api(|_| coded(200, "br", b"\x0b\x02\x80".to_vec())).await;
    let error = call(&client(&server)).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Decode, 1), "{error}");
    assert!(error.to_string().contains("content coding `br`"), "{error}");

    let server = api(|_| coded(404, "zstd", b"\x28\xb5\x2f\xfd".to_vec())).await;
    let error = call(&client(&server)).await.unwrap_err();
    assert!(error.is_not_found() && error.to_string().contains("content coding `zstd`"), "{error}");

    for status in [200, 400] {
        let server = Server::start(move |_| coded(status, "deflate", b"\x78\x9c".to_vec())).await;
        let error = call(&client(&server)).await.unwrap_err();
        assert_eq!((error.kind(), server.tokens().len()), (ErrorKind::TokenUnavailable, 1), "{error}");
        assert!(error.to_string().contains("content coding `deflate`"), "{error}");
    }
}

#[tokio::test]
async fn headers_tell_of_the_body_that_is_handed_on() {
    let server = api(|seen| match seen.path.as_str() {
        "/none" => coded(200, "br", Vec::new()),
        "/empty" => coded(200, "gzip", Vec::new()),
        "/head" => Reply::Raw(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 99\r\n\r\n".to_vec()),
        "/204" => Reply::Raw(b"HTTP/1.1 204 No Content\r\ncontent-encoding: gzip\r\n\r\n".to_vec()),
        _ => coded(200, "gzip", members("a body")),
    })
    .await;
    let client = client(&server);
    for (method, path, body) in [
        (Method::GET, "/none", ""),
        (Method::GET, "/empty", ""),
        (Method::HEAD, "/head", ""),
        (Method::GET, "/204", ""),
        (Method::GET, "/body", "a body"),
    ] {
        let response = client.request(method, path).send().await.unwrap();
        if path != "/none" {
            for name in ["content-encoding", "content-length"] {
                assert!(response.headers().get(name).is_none(), "{path} {name}");
            }
        }
        assert_eq!(response.text().await.unwrap(), body, "{path}");
    }
    // A range is one of the body as it is encoded, and the caller's own wish is kept.
    client.get("/body").header(RANGE, HeaderValue::from_static("bytes=0-9")).send().await.unwrap();
    client.get("/body").header(ACCEPT_ENCODING, HeaderValue::from_static("identity")).send().await.unwrap();
    let seen = server.calls();
    let asked: Vec<_> = seen.iter().rev().take(2).map(|seen| seen.header("accept-encoding")).collect();
    assert_eq!(asked, ["identity", ""]);
}
