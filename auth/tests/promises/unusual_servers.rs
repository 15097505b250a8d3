//! Unusual servers, settings and runtimes, which must cause no harm.

use std::{
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use perenso_auth::{CallOptions, ErrorKind, Timeouts, TokenPolicy};

use crate::{
    builder, call, client, client_with_clock, eventually, generous,
    server::{Reply, Server, token},
};

const S: Duration = Duration::from_secs(1);

/// Runs in a process of its own, whose environment names a proxy: see the next test.
#[tokio::test]
#[ignore = "is started by the test below"]
async fn behind_a_proxy() {
    let server = generous(300).await;
    let mixed = builder(&server).token_url("http://id.example/token").allow_http("id.example");
    // The token endpoint is out of reach, and so is the API; what counts is what the proxy saw.
    let _ = call(&mixed.build().unwrap()).await;
    let local = client(&server);
    call(&local).await.unwrap();
    // Nor is https of this machine the proxy's, whether the other address is or not.
    for (token_url, api_url) in [
        ("https://localhost:1/token", "https://localhost:1"),
        ("https://localhost:1/token", "https://api.example"),
        ("https://id.example/token", "https://localhost:1"),
    ] {
        let _ = call(&builder(&server).token_url(token_url).api_url(api_url).build().unwrap()).await;
    }
    let http = reqwest::Client::builder;
    let _ = call(&builder(&server).token_url("https://localhost:1/token").http_builder(http).build().unwrap()).await;
}

#[tokio::test]
async fn t11_a_proxy_of_the_environment_sees_nothing_that_was_meant_for_this_machine() {
    let proxy = Server::start(|seen| match seen.method.as_str() {
        "CONNECT" => Reply::status(407),
        _ => token(0, 300),
    })
    .await;
    let mut child = Command::new(std::env::current_exe().unwrap());
    child
        .args(["--exact", "unusual_servers::behind_a_proxy", "--ignored"])
        .envs(["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"].map(|name| (name, &proxy.url)))
        .env_remove("no_proxy")
        .env_remove("NO_PROXY");
    let output = tokio::task::spawn_blocking(move || child.output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let seen = proxy.seen();
    let is_local = |path: &str| path.contains("127.0.0.1") || path.contains("localhost");
    assert!(seen.iter().all(|seen| !is_local(&seen.path) && seen.bearer().is_empty()), "{seen:?}");
    // The addresses elsewhere are its own, although the other one of the client is on this machine.
    for path in ["http://id.example/token", "id.example:443"] {
        assert!(seen.iter().any(|seen| seen.path == path), "{path} {seen:?}");
    }
}

/// A runtime that is there and not driven holds its tasks for ever: nobody waits for them longer than they may take.
#[test]
fn t6_a_runtime_that_is_stopped_in_mid_renewal_blocks_nobody() {
    let serving = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = serving.block_on(Server::start(|seen| match (seen.path.as_str(), seen.nth) {
        ("/token", 0) => token(0, 300),
        ("/token", n) => token(n, 300).late(Duration::from_millis(20)),
        _ => Reply::json(200, "[]"),
    }));
    let (client, clock) = client_with_clock(&server);
    let still = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    still.block_on(call(&client)).unwrap();
    clock.advance(260 * S);
    // Starts a renewal that this runtime never gets to end.
    still.block_on(call(&client)).unwrap();
    clock.advance(100 * S);
    serving.block_on(async {
        let asking = tokio::spawn({
            let client = client.clone();
            async move { client.token(Duration::ZERO).await.map(|token| token.expose().to_owned()) }
        });
        for _ in 0..200 {
            if asking.is_finished() {
                break;
            }
            clock.advance(S);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(asking.is_finished(), "it waits for a runtime that stands still");
        assert_ne!(asking.await.unwrap().unwrap(), "tok-0");
    });
}

#[tokio::test]
async fn no_number_of_a_server_and_no_setting_overflows() {
    let server = Server::start(|_| Reply::status(429).with("retry-after", "18446744073709551615")).await;
    let error = call(&client(&server)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TokenUnavailable);
    assert!(error.to_string().contains("429"), "{error}");

    let server = generous(300).await;
    let patient = builder(&server)
        .token_policy(TokenPolicy::default().total(Duration::MAX).attempt(Duration::MAX))
        .timeouts(
            Timeouts::default().overall(Duration::MAX).attempt(Duration::MAX).idle(Duration::MAX).budget(Duration::MAX),
        )
        .rate(perenso_auth::Rate::new(600, 60 * S, 1))
        .build()
        .unwrap();
    for _ in 0..3 {
        call(&patient).await.unwrap();
    }
}

#[tokio::test]
async fn t8_a_refresh_token_whose_response_was_lost_is_not_sent_again() {
    let server = Server::start(|seen| match (seen.path.as_str(), seen.field("grant_type").as_deref()) {
        ("/token", Some("refresh_token")) => Reply::Close,
        ("/token", _) if seen.nth == 0 => token(0, 300),
        ("/token", _) => Reply::json(200, r#"{"access_token":"tok","expires_in":300}"#),
        _ => Reply::json(200, "[]"),
    })
    .await;
    let (client, clock) = client_with_clock(&server);
    for _ in 0..4 {
        call(&client).await.unwrap();
        clock.advance(300 * S);
    }
    let refreshes = server.tokens().iter().filter(|seen| seen.field("refresh_token").is_some()).count();
    assert_eq!(refreshes, 1);
}

#[tokio::test]
async fn t8_a_refresh_that_was_not_processed_keeps_its_token() {
    let server = Server::start(|seen| match (seen.path.as_str(), seen.nth) {
        ("/token", 0) => token(0, 300),
        ("/token", 1) => Reply::status(503),
        ("/token", 2) => Reply::json(200, r#"{"access_token":"tok-2","expires_in":300}"#),
        ("/token", n) => token(n, 300),
        _ => Reply::json(200, "[]"),
    })
    .await;
    let (client, clock) = client_with_clock(&server);
    for _ in 0..3 {
        call(&client).await.unwrap();
        clock.advance(300 * S);
    }
    assert_eq!(server.tokens()[3].field("refresh_token").as_deref(), Some("ref-0"));
}

#[tokio::test]
async fn t9_a_token_server_that_asks_for_a_cooldown_is_left_alone_for_as_long() {
    let server = Server::start(|_| Reply::status(429).with("retry-after", "40")).await;
    let (client, clock) = client_with_clock(&server);
    for _ in 0..10 {
        let error = call(&client).await.unwrap_err();
        assert_eq!((error.kind(), error.retry_after()), (ErrorKind::TokenUnavailable, Some(40 * S)));
    }
    assert_eq!(server.tokens().len(), 1);
    clock.advance(40 * S);
    call(&client).await.unwrap_err();
    assert_eq!(server.tokens().len(), 2);
}

#[tokio::test]
async fn t9_the_whole_of_an_original_grant_has_a_limit() {
    let server = Server::start(|_| Reply::Never).await;
    let clock = perenso_auth::clock::ManualClock::default();
    let hurried =
        builder(&server).token_policy(TokenPolicy::default().total(2 * S)).clock(clock.clone()).build().unwrap();
    let asking = tokio::spawn(async move { call(&hurried).await });
    eventually(|| server.tokens().len() == 1).await;
    clock.advance(2 * S);
    eventually(|| asking.is_finished()).await;
    assert_eq!(asking.await.unwrap().unwrap_err().kind(), ErrorKind::TokenUnavailable);
}

#[tokio::test]
async fn t1_asking_for_the_whole_life_of_a_token_is_refused_and_renews_nothing() {
    let server = generous(300).await;
    let client = client(&server);
    for _ in 0..10 {
        assert_eq!(client.token(300 * S).await.unwrap_err().kind(), ErrorKind::Request);
    }
    assert_eq!(server.tokens().len(), 1);
}

#[tokio::test]
async fn t7_a_response_from_before_the_api_does_not_make_a_token_trusted() {
    let refuse = Arc::new(AtomicBool::new(false));
    let turn = Arc::clone(&refuse);
    let server = Server::start(move |seen| match seen.path.as_str() {
        "/token" => token(seen.nth, 300),
        _ if turn.fetch_xor(true, Ordering::SeqCst) => Reply::status(429),
        _ => Reply::status(401),
    })
    .await;
    let (client, _clock) = client_with_clock(&server);
    let once = CallOptions::new().retry(perenso_auth::RetryPolicy::never());
    for _ in 0..10 {
        client.get("/x").options(once.clone()).send().await.unwrap_err();
    }
    assert_eq!(server.tokens().len(), 2);
}

#[tokio::test]
async fn t7_a_401_for_one_resource_does_not_take_the_token_from_the_others() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/token" => token(seen.nth, 300),
        "/forbidden" => Reply::status(401).late(Duration::from_millis(50)),
        _ => Reply::json(200, "[]"),
    })
    .await;
    let client = client(&server);
    call(&client).await.unwrap();
    let (refused, ()) = tokio::join!(client.get("/forbidden").send(), async {
        eventually(|| server.calls().iter().any(|seen| seen.bearer() == "tok-1")).await;
        call(&client).await.unwrap();
    });
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Unauthorized);
    call(&client).await.unwrap();
    assert_eq!(server.tokens().len(), 2);
}

#[tokio::test]
async fn t10_a_server_that_echoes_the_credentials_in_any_form_is_not_quoted() {
    // printf 'show-1:s3cr3t+/=%%' | base64
    let body =
        r#"{"error":"invalid_client","error_description":"Basic c2hvdy0xOnMzY3IzdCsvPSU= or s3cr3t%2b%2f%3d%25"}"#;
    let server = Server::start(move |_| Reply::json(400, body)).await;
    let text = call(&client(&server)).await.unwrap_err().to_string();
    assert!(text.contains("Basic …") && !text.contains("c2hvdy0x") && !text.contains("s3cr3t"), "{text}");
}

#[tokio::test]
async fn t12_a_token_that_is_no_ascii_is_refused_in_words() {
    let server = Server::start(|_| Reply::json(200, r#"{"access_token":"té"}"#)).await;
    let error = client(&server).token(Duration::ZERO).await.unwrap_err();
    assert!(error.to_string().contains("no header allows"), "{error}");
}

#[tokio::test]
async fn a_redirect_after_a_write_may_mean_that_it_was_done() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/token" => token(seen.nth, 300),
        _ => Reply::status(303).with("location", "/done"),
    })
    .await;
    assert!(client(&server).post("/create").json(&1).send().await.unwrap_err().may_have_written());
    assert!(!client(&server).get("/read").send().await.unwrap_err().may_have_written());
}

#[tokio::test]
async fn no_header_of_a_caller_makes_another_request_of_it() {
    let server = generous(300).await;
    for (name, value) in [("content-length", "2"), ("host", "evil.example"), ("transfer-encoding", "chunked")] {
        let options = CallOptions::new().header(name.parse().unwrap(), value.parse().unwrap());
        let error = client(&server).post("/x").json("abcdef").options(options).send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Request, "{name}");
    }
    assert_eq!(server.seen().len(), 0);
}

#[tokio::test]
async fn a_name_in_a_document_fills_no_error() {
    let body = format!(r#"{{"{}":"x"}}"#, "k".repeat(100_000));
    let server = Server::start(move |seen| match seen.path.as_str() {
        "/token" => token(seen.nth, 300),
        "/deep" => Reply::json(200, "[".repeat(1000)),
        _ => Reply::json(200, body.clone()),
    })
    .await;
    let client = client(&server);
    let error = client.get("/x").send_json::<std::collections::BTreeMap<String, u8>>().await.unwrap_err();
    assert!(error.to_string().len() < 500, "{}", error.to_string().len());
    let error = client.get("/deep").send_json::<serde_json::Value>().await.unwrap_err();
    assert!(error.to_string().contains("nested too deeply"), "{error}");
}
