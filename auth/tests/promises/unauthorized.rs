//! T7: a 401 renews once per token and replays once per request, and never more.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use perenso_auth::{ErrorKind, RetryPolicy};

use crate::{
    builder, call, client, client_with_clock,
    server::{Reply, Server, token},
};

/// An API that takes only tokens from this number on.
async fn picky() -> (Server, Arc<AtomicUsize>) {
    let from = Arc::new(AtomicUsize::new(0));
    let least = Arc::clone(&from);
    let server = Server::start(move |seen| match seen.path.as_str() {
        "/token" => token(seen.nth, 300).late(Duration::from_millis(30)),
        _ => {
            let number: usize = seen.bearer().strip_prefix("tok-").and_then(|n| n.parse().ok()).unwrap_or(0);
            if number < least.load(Ordering::SeqCst) {
                Reply::json(401, r#"{"error":"invalid_token"}"#).with("www-authenticate", "Bearer")
            } else {
                Reply::json(200, "[]")
            }
        }
    })
    .await;
    (server, from)
}

#[tokio::test]
async fn t7_a_revoked_token_is_renewed_once_for_a_hundred_callers() {
    let (server, least) = picky().await;
    let client = client(&server);
    call(&client).await.unwrap();
    least.store(1, Ordering::SeqCst);
    let results = futures_util::future::join_all((0..100).map(|_| call(&client))).await;
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(server.tokens().len(), 2);
    // The first call, then at most one refused and one served request for each caller.
    assert!(server.calls().len() <= 201, "{}", server.calls().len());
}

#[tokio::test]
async fn t7_a_401_that_stays_is_reported_with_its_likely_causes_and_never_loops() {
    let (server, least) = picky().await;
    let (client, clock) = client_with_clock(&server);
    least.store(usize::MAX, Ordering::SeqCst);
    let error = call(&client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(error.to_string().contains("likely causes"), "{error}");
    assert_eq!(error.body(), Some(br#"{"error":"invalid_token"}"#.as_slice()));
    assert_eq!((server.tokens().len(), server.calls().len()), (2, 2));
    // For half a minute no token is asked for, however many calls fail.
    for _ in 0..10 {
        assert_eq!(call(&client).await.unwrap_err().kind(), ErrorKind::Unauthorized);
    }
    assert_eq!((server.tokens().len(), server.calls().len()), (2, 12));
    clock.advance(Duration::from_secs(30));
    assert_eq!(call(&client).await.unwrap_err().kind(), ErrorKind::Unauthorized);
    assert_eq!((server.tokens().len(), server.calls().len()), (3, 14));
    // And once the API takes tokens again, all is well.
    least.store(0, Ordering::SeqCst);
    call(&client).await.unwrap();
}

#[tokio::test]
async fn t7_a_body_is_replayed_whole_and_a_stream_never() {
    let (server, least) = picky().await;
    let client = client(&server);
    call(&client).await.unwrap();
    least.store(1, Ordering::SeqCst);
    client.post("/Customer").json(&serde_json::json!({"customerID": "5041"})).send().await.unwrap();
    let bodies: Vec<_> = server.calls().iter().skip(1).map(|seen| seen.body.clone()).collect();
    assert_eq!(bodies, [r#"{"customerID":"5041"}"#, r#"{"customerID":"5041"}"#]);

    least.store(2, Ordering::SeqCst);
    let pieces = futures_util::stream::iter([Ok::<_, std::io::Error>("[1,"), Ok("2]")]);
    let body = reqwest::Body::wrap_stream(pieces);
    let json = http::HeaderValue::from_static("application/json");
    let error = client.post("/Customer").body(json, body).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(error.to_string().contains("stream"), "{error}");
    let bodies: Vec<_> = server.calls().iter().skip(3).map(|seen| seen.body.clone()).collect();
    assert_eq!(bodies, ["[1,2]"]);
    // The rejected token is not used again.
    call(&client).await.unwrap();
    assert_eq!(server.calls().last().unwrap().bearer(), "tok-2");
}

#[tokio::test]
async fn t7_a_request_is_replayed_once_even_after_a_token_that_had_been_accepted() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/token" => token(seen.nth, 300),
        "/open" => Reply::json(200, "[]"),
        _ => Reply::status(401),
    })
    .await;
    let client = client(&server);
    client.get("/open").send().await.unwrap();
    assert_eq!(client.get("/closed").send().await.unwrap_err().kind(), ErrorKind::Unauthorized);
    assert_eq!(server.calls().iter().filter(|seen| seen.path == "/closed").count(), 2);
}

/// A token that was accepted and is refused later has been revoked; one that never was, may never be.
#[tokio::test]
async fn t7_a_response_after_authentication_accepts_a_token_and_a_fault_does_not() {
    for (status, tokens) in [(204, 3), (403, 3), (404, 3), (409, 3), (410, 3), (422, 3), (500, 2), (503, 2)] {
        let server = Server::start(move |seen| match (seen.path.as_str(), seen.nth) {
            ("/token", n) => token(n, 300),
            (_, 0 | 2) => Reply::status(401),
            (_, 1) => Reply::status(status),
            _ => Reply::status(200),
        })
        .await;
        let client = builder(&server).retry(RetryPolicy::never()).build().unwrap();
        for _ in 0..2 {
            // Other tests check the outcome.
            let _ = client.get("/x").send().await;
        }
        assert_eq!(server.tokens().len(), tokens, "{status}");
    }
}

/// An API that takes every token at `/open…`, and none at any other path; its token endpoint is slow.
async fn half_closed() -> Server {
    Server::start(|seen| match seen.path.as_str() {
        "/token" if seen.nth == 0 => token(0, 3_000),
        "/token" => token(seen.nth, 3_000).late(Duration::from_millis(300)),
        path if path.starts_with("/open") => Reply::json(200, "[]"),
        _ => Reply::status(401),
    })
    .await
}

#[tokio::test]
async fn t7_an_operation_that_always_returns_401_causes_one_renewal_in_half_a_minute() {
    let server = half_closed().await;
    let (client, clock) = client_with_clock(&server);
    for (renewals, path) in [(1, "/closed"), (2, "/closed"), (3, "/closed")] {
        for n in 0..50 {
            client.get(format!("/open/{n}")).send().await.unwrap();
            let error = client.get(format!("{path}/{n}")).send().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unauthorized);
        }
        assert_eq!(server.tokens().len(), 1 + renewals);
        clock.advance(Duration::from_secs(30));
    }
    let closed = server.calls().iter().filter(|seen| seen.path.starts_with("/closed")).count();
    assert_eq!(closed, 3 * 51, "one replay for each renewal");
}

#[tokio::test]
async fn t7_an_operation_of_a_name_and_one_by_its_path_count_apart_and_ids_do_not() {
    let server = half_closed().await;
    let client = client(&server);
    client.get("/open").send().await.unwrap();
    for n in 0..20 {
        for call in [
            client.get(format!("/Customer/a{n}")),
            client.put(format!("/Customer/a{n}")),
            client.get(format!("/Customer/b{n}")).operation("customer_get"),
        ] {
            assert_eq!(call.send().await.unwrap_err().kind(), ErrorKind::Unauthorized);
            client.get("/open").send().await.unwrap();
        }
    }
    assert_eq!(server.tokens().len(), 1 + 3);
}

/// The good calls go on with the token in hand while the bad one waits for another.
#[tokio::test]
async fn t7_a_401_of_one_operation_delays_no_call_of_another() {
    let server = Server::start(|seen| match (seen.path.as_str(), seen.nth) {
        ("/token", 0) => token(0, 3_000),
        ("/token", _) => Reply::Never,
        ("/closed", _) => Reply::status(401),
        _ => Reply::json(200, "[]"),
    })
    .await;
    let client = client(&server);
    call(&client).await.unwrap();
    let bad = {
        let client = client.clone();
        tokio::spawn(async move { client.get("/closed").send().await })
    };
    crate::eventually(|| server.tokens().len() == 2).await;
    for _ in 0..100 {
        call(&client).await.unwrap();
    }
    assert!(!bad.is_finished());
    assert!(server.calls().iter().all(|seen| seen.bearer() == "tok-0"));
    assert_eq!(server.tokens().len(), 2);
    bad.abort();
}

/// One record that is closed among many that are open: the same operation, which keeps on being helped and is not.
#[tokio::test]
async fn t7_a_record_that_returns_401_among_others_of_its_operation_causes_one_renewal() {
    let server = half_closed().await;
    let client = client(&server);
    for n in 0..20 {
        client.get(format!("/open{n}")).operation("record_get").send().await.unwrap();
        client.get("/closed").operation("record_get").send().await.unwrap_err();
    }
    assert_eq!(server.tokens().len(), 2);
}

#[tokio::test]
async fn t7_a_token_that_is_revoked_again_and_again_is_renewed_each_time() {
    let (server, least) = picky().await;
    let client = client(&server);
    for n in 0..5 {
        least.store(n, Ordering::SeqCst);
        let calls = futures_util::future::join_all((0..10).map(|_| call(&client))).await;
        assert!(calls.iter().all(Result::is_ok), "{n}");
    }
    assert_eq!(server.tokens().len(), 5);
}

/// A stream cannot be sent again, so the second one waits for the token that replaces the one of the first.
#[tokio::test]
async fn t7_a_stream_waits_for_the_token_that_replaces_a_refused_one() {
    let (server, least) = picky().await;
    let client = client(&server);
    call(&client).await.unwrap();
    least.store(1, Ordering::SeqCst);
    let upload = || {
        let pieces = futures_util::stream::iter([Ok::<_, std::io::Error>("[1]")]);
        client
            .post("/upload")
            .body(http::HeaderValue::from_static("application/json"), reqwest::Body::wrap_stream(pieces))
    };
    assert_eq!(upload().send().await.unwrap_err().kind(), ErrorKind::Unauthorized);
    upload().send().await.unwrap();
    assert_eq!((server.tokens().len(), server.calls().len()), (2, 3));
}
