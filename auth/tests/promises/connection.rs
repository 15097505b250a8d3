//! Connections that fail, and heads that cannot be read: the cause is named, and retried only where that helps.

use std::{io, sync::Arc, time::Duration};

use perenso_auth::{ErrorKind, Timeouts};
use reqwest::dns::{Name, Resolve, Resolving};

use crate::{
    api, builder, call, client, generous,
    server::{Reply, Server, token},
};

/// A proxy that asks for authorization before it connects.
async fn closed_proxy() -> Server {
    let head = b"HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\ncontent-length: 0\r\n\r\n";
    Server::start(|_| Reply::Raw(head.to_vec())).await
}

#[tokio::test]
async fn a_407_of_a_proxy_is_named_and_not_retried() {
    let (server, proxy) = (generous(300).await, closed_proxy().await);
    let through = || reqwest::Proxy::https(&proxy.url).unwrap();
    let of_call = builder(&server).api_url("https://api.example").proxy(through()).build().unwrap();
    let error = call(&of_call).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts(), proxy.seen().len()), (ErrorKind::Connect, 1, 1), "{error}");
    assert!(error.to_string().contains("407") && !error.is_transient(), "{error:?}");

    let of_token = builder(&server).token_url("https://id.example/token").proxy(through()).build().unwrap();
    let error = call(&of_token).await.unwrap_err();
    assert_eq!((error.kind(), proxy.seen().len()), (ErrorKind::TokenUnavailable, 2), "{error}");
    assert!(error.to_string().contains("407") && !error.is_transient(), "{error:?}");
}

/// A name server with one thing to say.
struct Names(&'static str);

impl Resolve for Names {
    fn resolve(&self, _: Name) -> Resolving {
        let text = self.0;
        Box::pin(async move { Err(io::Error::other(text).into()) })
    }
}

#[tokio::test]
async fn a_host_without_an_address_is_retried_and_then_no_fault_of_the_moment() {
    let server = generous(300).await;
    for (says, is_transient) in [
        ("failed to lookup address information: Name or service not known", false),
        ("failed to lookup address information: Temporary failure in name resolution", true),
    ] {
        let http = move || reqwest::Client::builder().no_proxy().dns_resolver(Arc::new(Names(says)));
        let of_call = builder(&server).api_url("https://api.example").http_builder(http).build().unwrap();
        let error = call(&of_call).await.unwrap_err();
        assert_eq!((error.kind(), error.attempts(), error.is_transient()), (ErrorKind::Connect, 4, is_transient));
        assert_eq!(error.to_string().contains("does not resolve"), !is_transient, "{error}");
        let of_token = builder(&server).token_url("https://id.example/token").http_builder(http).build().unwrap();
        let error = call(&of_token).await.unwrap_err();
        assert_eq!((error.kind(), error.is_transient()), (ErrorKind::TokenUnavailable, is_transient), "{error}");
        assert_eq!(error.to_string().contains("does not resolve"), !is_transient, "{error}");
    }
}

#[tokio::test]
async fn a_head_that_cannot_be_read_is_named() {
    let many: String = (0..150).map(|n| format!("x-{n}: 1\r\n")).collect();
    for head in ["HTTP/1.1 OK\r\n\r\n".to_owned(), format!("HTTP/1.1 200 OK\r\n{many}content-length: 0\r\n\r\n")] {
        let bytes = head.clone().into_bytes();
        let server = api(move |_| Reply::Raw(bytes.clone())).await;
        let error = call(&client(&server)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Broken, "{error}");
        assert!(error.to_string().contains("100 headers"), "{error}");
        let bytes = head.into_bytes();
        let server = Server::start(move |_| Reply::Raw(bytes.clone())).await;
        let error = call(&client(&server)).await.unwrap_err();
        assert!(error.to_string().contains("100 headers"), "{error}");
    }
}

#[tokio::test]
async fn a_timeout_of_the_reqwest_builder_is_a_timeout() {
    let soon = Duration::from_millis(30);
    let stalled = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n[".to_vec();
    for reply in [Reply::Never, Reply::Stalled(stalled)] {
        let server = api(move |_| reply.clone()).await;
        for of_read in [true, false] {
            let http = move || match reqwest::Client::builder() {
                http if of_read => http.read_timeout(soon),
                http => http.timeout(soon),
            };
            let error = call(&builder(&server).http_builder(http).build().unwrap()).await.unwrap_err();
            assert!(error.is_timeout() && error.is_transient(), "{error:?}");
        }
    }
    // In a token exchange it is one of the causes that are named.
    let server = Server::start(|_| Reply::Never).await;
    let http = move || reqwest::Client::builder().timeout(soon);
    let error = call(&builder(&server).http_builder(http).build().unwrap()).await.unwrap_err();
    assert!(error.to_string().contains("timeout of the reqwest builder"), "{error}");
}

#[tokio::test]
async fn retry_after_of_a_429_that_cannot_be_sent_again_is_kept_by_all_calls() {
    let server = api(|_| Reply::status(429).with("retry-after", "59.5")).await;
    let timeouts = Timeouts::default().budget(Duration::from_millis(20));
    let client = builder(&server).timeouts(timeouts).build().unwrap();
    let stream = reqwest::Body::wrap_stream(futures_util::stream::iter([Ok::<_, io::Error>("{}")]));
    let error = client.post("/x").body("application/json".parse().unwrap(), stream).send().await.unwrap_err();
    assert_eq!((error.retry_after(), server.calls().len()), (Some(Duration::from_secs(60)), 1), "{error}");
    let error = call(&client).await.unwrap_err();
    assert_eq!((error.kind(), server.calls().len()), (ErrorKind::RateLimited, 1), "{error}");
}

#[tokio::test]
async fn a_byte_order_mark_before_json_is_skipped() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/token" => token(0, 300),
        _ => Reply::json(200, "\u{feff}[1]"),
    })
    .await;
    assert_eq!(call(&client(&server)).await.unwrap(), serde_json::json!([1]));
    let values: Vec<u8> = client(&server).get("/x").send().await.unwrap().json().await.unwrap();
    assert_eq!(values, [1]);
}

#[tokio::test]
async fn a_proxy_of_the_http_builder_is_kept_for_this_machine_too() {
    let (server, proxy) = (generous(300).await, generous(300).await);
    let through = reqwest::Proxy::all(&proxy.url).unwrap();
    let http = move || reqwest::Client::builder().proxy(through.clone());
    call(&builder(&server).http_builder(http).build().unwrap()).await.ok();
    assert!(server.seen().is_empty(), "{:?}", server.seen());
    assert_eq!(proxy.seen().first().unwrap().path, format!("{}/token", server.url));
}
