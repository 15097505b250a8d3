//! T1 to T6, T8 and T9: when a token is asked for, by whom, and what happens when that fails.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use perenso_auth::{ErrorKind, TokenPolicy, clock::Clock};

use crate::{
    S, builder, call, client, client_with_clock, eventually, generous,
    server::{Reply, Server, token},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t1_ten_thousand_callers_make_one_token_request() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/token" => token(seen.nth, 300).late(Duration::from_millis(50)),
        _ => Reply::json(200, "[]"),
    })
    .await;
    let (client, clock) = client_with_clock(&server);
    for renewals in 1..=3 {
        let mut callers = tokio::task::JoinSet::new();
        for _ in 0..10_000 {
            let client = client.clone();
            callers.spawn(async move { client.token(Duration::ZERO).await.unwrap().expose().to_owned() });
        }
        let tokens = callers.join_all().await;
        assert!(tokens.iter().all(|token| *token == format!("tok-{}", renewals - 1)));
        assert_eq!(server.tokens().len(), renewals);
        clock.advance(301 * S);
    }
}

#[tokio::test]
async fn t2_nothing_runs_when_nobody_asks() {
    let server = generous(300).await;
    let (client, clock) = client_with_clock(&server);
    call(&client).await.unwrap();
    clock.advance(1000 * S);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(server.tokens().len(), 1);
    assert_eq!(clock.sleepers(), [] as [Duration; 0]);
}

#[tokio::test]
async fn t3_a_due_token_is_used_on_while_its_renewal_is_under_way() {
    let open = Arc::new(AtomicBool::new(true));
    let gate = Arc::clone(&open);
    let server = Server::start(move |seen| match seen.path.as_str() {
        "/token" if gate.load(Ordering::SeqCst) => token(seen.nth, 300),
        "/token" => Reply::Never,
        _ => Reply::json(200, "[]"),
    })
    .await;
    let (client, clock) = client_with_clock(&server);
    call(&client).await.unwrap();
    clock.advance(239 * S);
    call(&client).await.unwrap();
    assert_eq!(server.tokens().len(), 1, "renewed before four fifths of its life");
    open.store(false, Ordering::SeqCst);
    clock.advance(60 * S);
    for _ in 0..5 {
        call(&client).await.unwrap();
    }
    eventually(|| server.tokens().len() == 2).await;
    assert!(server.calls().iter().all(|seen| seen.bearer() == "tok-0"));
}

#[tokio::test]
async fn t4_no_request_leaves_with_an_expired_token() {
    let server = generous(300).await;
    let (client, clock) = client_with_clock(&server);
    call(&client).await.unwrap();
    clock.advance(300 * S);
    call(&client).await.unwrap();
    // A laptop that slept: the monotonic clock stood still.
    clock.step_wall_forward(300 * S);
    call(&client).await.unwrap();
    // A wall clock that is set back does not prolong a life.
    clock.step_wall_back(100_000 * S);
    clock.advance(300 * S);
    call(&client).await.unwrap();
    let bearers: Vec<_> = server.calls().iter().map(|seen| seen.bearer().to_owned()).collect();
    assert_eq!(bearers, ["tok-0", "tok-1", "tok-2", "tok-3"]);
}

#[tokio::test]
async fn t4_a_life_counts_from_when_the_request_was_sent() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/token" => token(seen.nth, 300).late(Duration::from_millis(100)),
        _ => Reply::json(200, "[]"),
    })
    .await;
    let (client, clock) = client_with_clock(&server);
    let first = tokio::spawn({
        let client = client.clone();
        async move { call(&client).await }
    });
    eventually(|| server.tokens().len() == 1).await;
    clock.advance(9 * S);
    first.await.unwrap().unwrap();
    clock.advance(291 * S);
    call(&client).await.unwrap();
    assert_eq!(server.calls().last().unwrap().bearer(), "tok-1", "counted from when the response arrived");
}

#[tokio::test]
async fn t4_a_token_of_no_length_serves_those_who_waited_for_it() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/token" => token(seen.nth, 0).late(Duration::from_millis(50)),
        _ => Reply::json(200, "[]"),
    })
    .await;
    let (client, _clock) = client_with_clock(&server);
    tokio::try_join!(call(&client), call(&client), call(&client)).unwrap();
    assert_eq!(server.tokens().len(), 1);
    call(&client).await.unwrap();
    assert_eq!(server.tokens().len(), 2);
}

#[tokio::test]
async fn t5_a_valid_token_is_served_while_its_renewal_fails() {
    let server = Server::start(|seen| match (seen.path.as_str(), seen.nth) {
        ("/token", 0) => token(0, 300),
        ("/token", _) => Reply::json(400, r#"{"error":"invalid_client"}"#),
        _ => Reply::json(200, "[]"),
    })
    .await;
    let (client, clock) = client_with_clock(&server);
    call(&client).await.unwrap();
    clock.advance(260 * S);
    for _ in 0..20 {
        call(&client).await.unwrap();
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    // The refresh and the original grant, once: the refusal is remembered although nobody was told.
    assert_eq!(server.tokens().len(), 3);
    clock.advance(40 * S);
    assert_eq!(call(&client).await.unwrap_err().kind(), ErrorKind::Refused);
    assert!(server.calls().iter().all(|seen| seen.bearer() == "tok-0"));
    assert_eq!(server.calls().len(), 21);
}

#[tokio::test]
async fn t6_a_caller_who_goes_away_stops_nobody() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/token" => token(seen.nth, 300).late(Duration::from_millis(80)),
        _ => Reply::json(200, "[]"),
    })
    .await;
    let client = client(&server);
    let first = tokio::spawn({
        let client = client.clone();
        async move { call(&client).await }
    });
    eventually(|| server.tokens().len() == 1).await;
    let second = tokio::spawn({
        let client = client.clone();
        async move { call(&client).await }
    });
    tokio::task::yield_now().await;
    first.abort();
    second.await.unwrap().unwrap();
    assert_eq!(server.tokens().len(), 1);
}

#[tokio::test]
async fn t6_a_stalled_token_server_meets_a_deadline() {
    let server = Server::start(|_| Reply::Never).await;
    let (client, clock) = client_with_clock(&server);
    let waiting = tokio::spawn(async move { call(&client).await });
    eventually(|| server.tokens().len() == 1).await;
    let start = clock.monotonic();
    while !waiting.is_finished() {
        clock.advance(Duration::from_millis(500));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let error = waiting.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TokenUnavailable, "{error}");
    assert!(clock.monotonic() - start < 60 * S, "{:?}", clock.monotonic() - start);
}

/// A runtime that ends takes the tasks of a renewal with it: the slot must not stay taken.
#[test]
fn t6_a_runtime_that_ends_in_mid_renewal_leaves_the_slot_free() {
    let serving = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let slow = Arc::new(AtomicBool::new(true));
    let gate = Arc::clone(&slow);
    let server = serving.block_on(Server::start(move |seen| match seen.path.as_str() {
        "/token" if gate.load(Ordering::SeqCst) => Reply::Never,
        "/token" => token(seen.nth, 300),
        _ => Reply::json(200, "[]"),
    }));
    let client = builder(&server).token_policy(TokenPolicy::default().attempt(S)).build().unwrap();
    let short_lived = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    drop(short_lived.spawn({
        let client = client.clone();
        async move { call(&client).await }
    }));
    serving.block_on(eventually(|| server.tokens().len() == 1));
    short_lived.shutdown_background();
    slow.store(false, Ordering::SeqCst);
    let next = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    next.block_on(async { tokio::time::timeout(5 * S, call(&client)).await.unwrap().unwrap() });
}

#[tokio::test]
async fn t8_a_rotated_refresh_token_is_used_and_one_that_is_not_replaced_is_kept() {
    let server = Server::start(|seen| match (seen.path.as_str(), seen.nth) {
        ("/token", 2) => Reply::json(200, r#"{"access_token":"tok-2","expires_in":300}"#),
        ("/token", n) => token(n, 300),
        _ => Reply::json(200, "[]"),
    })
    .await;
    let (client, clock) = client_with_clock(&server);
    for _ in 0..4 {
        call(&client).await.unwrap();
        clock.advance(300 * S);
    }
    let sent: Vec<_> = server.tokens().iter().map(|seen| seen.field("refresh_token")).collect();
    let sent: Vec<_> = sent.iter().map(Option::as_deref).collect();
    assert_eq!(sent, [None, Some("ref-0"), Some("ref-1"), Some("ref-1")]);
}

#[tokio::test]
async fn t8_a_refused_refresh_leads_once_to_the_original_grant() {
    for refusal in [
        Reply::json(400, r#"{"error":"invalid_grant"}"#),
        Reply::json(401, r#"{"error":"invalid_client"}"#),
        Reply::json(503, "{}"),
        Reply::json(200, "<html>"),
        Reply::json(200, r#"{"access_token":"no header\n","refresh_token":"ref-1"}"#),
        Reply::Close,
    ] {
        let server = Server::start(move |seen| match (seen.path.as_str(), seen.field("grant_type").as_deref()) {
            ("/token", Some("refresh_token")) => refusal.clone(),
            ("/token", _) => token(seen.nth, 300),
            _ => Reply::json(200, "[]"),
        })
        .await;
        let (client, clock) = client_with_clock(&server);
        call(&client).await.unwrap();
        clock.advance(300 * S);
        call(&client).await.unwrap();
        let grants: Vec<_> = server.tokens().iter().filter_map(|seen| seen.field("grant_type")).collect();
        assert_eq!(grants, ["client_credentials", "refresh_token", "client_credentials"]);
    }
}

#[tokio::test]
async fn t8_a_refused_refresh_token_is_not_sent_again() {
    let server = Server::start(|seen| match (seen.path.as_str(), seen.field("grant_type").as_deref()) {
        ("/token", Some("refresh_token")) => Reply::json(400, r#"{"error":"invalid_grant"}"#),
        ("/token", _) if seen.nth == 0 => token(0, 300),
        ("/token", _) => Reply::json(400, r#"{"error":"invalid_client"}"#),
        _ => Reply::json(200, "[]"),
    })
    .await;
    let (client, clock) = client_with_clock(&server);
    call(&client).await.unwrap();
    for _ in 0..3 {
        clock.advance(300 * S);
        assert_eq!(call(&client).await.unwrap_err().kind(), ErrorKind::Refused);
    }
    let grants: Vec<_> = server.tokens().iter().filter_map(|seen| seen.field("grant_type")).collect();
    let original = "client_credentials";
    assert_eq!(grants, [original, "refresh_token", original, original, original]);
}

#[tokio::test]
async fn t8_a_refresh_token_whose_response_cannot_be_used_is_not_sent_again() {
    for response in ["<html>", r#"{"access_token":"no header\n","refresh_token":"ref-1"}"#] {
        let server = Server::start(move |seen| match (seen.path.as_str(), seen.nth) {
            ("/token", 0) => token(0, 300),
            ("/token", 1) => Reply::json(200, response),
            ("/token", n) => Reply::json(200, format!(r#"{{"access_token":"tok-{n}","expires_in":300}}"#)),
            _ => Reply::json(200, "[]"),
        })
        .await;
        let (client, clock) = client_with_clock(&server);
        for _ in 0..3 {
            call(&client).await.unwrap();
            clock.advance(300 * S);
        }
        let sent: Vec<_> = server.tokens().iter().map(|seen| seen.field("refresh_token")).collect();
        assert_eq!(sent, [None, Some("ref-0".to_owned()), None, None]);
    }
}

#[tokio::test]
async fn t9_a_refusal_is_not_retried_and_is_remembered_for_a_herd() {
    let server =
        Server::start(|_| Reply::json(401, r#"{"error":"invalid_client"}"#).late(Duration::from_millis(20))).await;
    let (client, clock) = client_with_clock(&server);
    let herd = futures_util::future::join_all((0..500).map(|_| call(&client))).await;
    assert!(herd.iter().all(|result| result.as_ref().unwrap_err().kind() == ErrorKind::Refused));
    assert_eq!(call(&client).await.unwrap_err().status().unwrap().as_u16(), 401);
    clock.advance(Duration::from_millis(9_900));
    assert_eq!(call(&client).await.unwrap_err().kind(), ErrorKind::Refused);
    assert_eq!(server.tokens().len(), 1);
    clock.advance(Duration::from_millis(100));
    assert_eq!(call(&client).await.unwrap_err().kind(), ErrorKind::Refused);
    assert_eq!(server.tokens().len(), 2);
}

#[tokio::test]
async fn t9_an_unreadable_response_and_a_redirect_are_remembered_as_a_refusal_is() {
    for response in [Reply::json(200, "<html>"), Reply::status(302).with("location", "/login")] {
        let server = Server::start(move |_| response.clone()).await;
        let (client, clock) = client_with_clock(&server);
        for _ in 0..3 {
            call(&client).await.unwrap_err();
        }
        assert_eq!(server.tokens().len(), 1);
        clock.advance(10 * S);
        call(&client).await.unwrap_err();
        assert_eq!(server.tokens().len(), 2);
    }
}

#[tokio::test]
async fn t9_faults_of_the_original_grant_are_retried_within_a_budget() {
    for fault in [
        Reply::status(408),
        Reply::status(500),
        Reply::status(503),
        Reply::Close,
        Reply::status(429).with("retry-after", "0"),
    ] {
        let server = Server::start(move |seen| match (seen.path.as_str(), seen.nth) {
            ("/token", 0 | 1) => fault.clone(),
            ("/token", n) => token(n, 300),
            _ => Reply::json(200, "[]"),
        })
        .await;
        let client = client(&server);
        call(&client).await.unwrap();
        assert_eq!(server.tokens().len(), 3);
    }
    let server = Server::start(|_| Reply::status(500)).await;
    let client = client(&server);
    let error = call(&client).await.unwrap_err();
    assert_eq!((error.kind(), error.status().unwrap().as_u16()), (ErrorKind::TokenUnavailable, 500));
    assert_eq!(server.tokens().len(), 4);
}

#[tokio::test]
async fn t9_the_cooldown_that_a_token_server_asks_for_is_kept() {
    let server = Server::start(|seen| match (seen.path.as_str(), seen.nth) {
        ("/token", 0) => Reply::status(429).with("retry-after", "7"),
        ("/token", n) => token(n, 300),
        _ => Reply::json(200, "[]"),
    })
    .await;
    let (client, clock) = client_with_clock(&server);
    let waiting = tokio::spawn(async move { call(&client).await });
    eventually(|| clock.sleepers().contains(&(7 * S))).await;
    assert_eq!(server.tokens().len(), 1);
    clock.advance(7 * S);
    waiting.await.unwrap().unwrap();
    assert_eq!(server.tokens().len(), 2);
}

#[tokio::test]
async fn t9_no_cooldown_goes_beyond_the_total_time_of_a_grant() {
    for (asked, requests) in [(12, 3), (31, 1)] {
        let server = Server::start(move |_| Reply::status(503).with("retry-after", &asked.to_string())).await;
        let (client, clock) = client_with_clock(&server);
        let waiting = tokio::spawn(async move { call(&client).await });
        for _ in 1..requests {
            eventually(|| clock.sleepers().contains(&(asked * S))).await;
            clock.advance(asked * S);
        }
        let error = tokio::time::timeout(5 * S, waiting).await.unwrap().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TokenUnavailable, "{error}");
        assert_eq!(server.tokens().len(), requests as usize);
    }
}

#[tokio::test]
async fn t9_a_refresh_is_never_sent_twice() {
    let refreshes = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&refreshes);
    let server = Server::start(move |seen| match (seen.path.as_str(), seen.nth) {
        ("/token", 0) => token(0, 300),
        ("/token", _) if seen.field("grant_type").as_deref() == Some("refresh_token") => {
            count.fetch_add(1, Ordering::SeqCst);
            Reply::status(503)
        }
        ("/token", _) => Reply::status(503),
        _ => Reply::json(200, "[]"),
    })
    .await;
    let (client, clock) = client_with_clock(&server);
    call(&client).await.unwrap();
    clock.advance(300 * S);
    let waiting = tokio::spawn(async move { call(&client).await });
    while !waiting.is_finished() {
        clock.advance(Duration::from_millis(10));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(waiting.await.unwrap().unwrap_err().kind(), ErrorKind::TokenUnavailable);
    assert_eq!(refreshes.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_token_for_use_elsewhere_lives_as_long_as_was_asked() {
    let server = generous(300).await;
    let (client, clock) = client_with_clock(&server);
    assert_eq!(client.token(100 * S).await.unwrap().expose(), "tok-0");
    clock.advance(150 * S);
    let token = client.token(100 * S).await.unwrap();
    assert_eq!((token.expose(), token.expires_in()), ("tok-0", 150 * S));
    let token = client.token(200 * S).await.unwrap();
    assert_eq!((token.expose(), token.expires_in()), ("tok-1", 300 * S));
    let error = client.token(301 * S).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Request);
    assert!(error.to_string().contains("valid for 300 s"), "{error}");
    assert_eq!(server.tokens().len(), 2);
}

#[tokio::test]
async fn the_first_token_may_be_too_short_as_well() {
    let server = generous(300).await;
    let client = builder(&server).build().unwrap();
    assert_eq!(client.token(301 * S).await.unwrap_err().kind(), ErrorKind::Request);
}
