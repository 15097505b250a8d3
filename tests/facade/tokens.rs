//! Tokens that expire between calls: no caller notices.

use std::time::Duration;

use perenso::{CallErrorKind, ClientAuth, Perenso, auth::clock::ManualClock};
use perenso_sandbox::{Fault, Sandbox};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{builder_for, calls, eventually, is_call, sandbox};

/// Returns a sandbox, a client, and a function that advances the clocks of both.
async fn clocked(lifetime: u64) -> (Sandbox, Perenso, impl Fn(u64)) {
    let sandbox = Sandbox::builder()
        .customers(3)
        .unlimited()
        .token_lifetime(Duration::from_secs(lifetime))
        .start()
        .await
        .unwrap();
    let clock = ManualClock::default();
    let show = builder_for(&sandbox).clock(clock.clone()).build().unwrap();
    let theirs = sandbox.clock().clone();
    let advance = move |seconds| {
        clock.advance(Duration::from_secs(seconds));
        theirs.advance(Duration::from_secs(seconds));
    };
    (sandbox, show, advance)
}

#[tokio::test]
async fn a_token_that_ended_is_renewed_before_the_call() {
    let (sandbox, show, advance) = clocked(300).await;
    for _ in 0..4 {
        assert_eq!(show.customers().list().send().await.unwrap().len(), 3);
        advance(301);
    }
    let requests = sandbox.token_requests();
    assert_eq!((requests.total(), requests.client_credentials, requests.refresh_token), (4, 1, 3));
    assert!(calls(&sandbox).iter().all(|call| call.status == Some(200)), "no call went out with a dead token");
}

#[tokio::test]
async fn a_token_that_is_due_is_renewed_while_the_calls_go_on() {
    let (sandbox, show, advance) = clocked(3000).await;
    show.customers().list().send().await.unwrap();
    advance(2900);
    show.customers().list().send().await.unwrap();
    eventually(|| show.token_in_hand().is_some()).await;
    advance(150);
    show.customers().list().send().await.unwrap();
    assert_eq!(sandbox.token_requests().total(), 2);
    assert!(calls(&sandbox).iter().all(|call| call.status == Some(200)));
}

#[tokio::test]
async fn tokens_end_in_the_middle_of_a_stream() {
    use futures_util::TryStreamExt;
    let (sandbox, show, advance) = clocked(300).await;
    let mut names = show.customers().list().page_size(1).stream();
    let mut count = 0;
    while names.try_next().await.unwrap().is_some() {
        count += 1;
        advance(301);
    }
    assert_eq!((count, sandbox.token_requests().total()), (3, 4));
    assert!(calls(&sandbox).iter().all(|call| call.status == Some(200)));
}

#[tokio::test]
async fn a_token_that_the_server_forgot_costs_one_replay() {
    let (sandbox, show) = sandbox(3).await;
    show.customers().list().send().await.unwrap();
    sandbox.revoke_tokens();
    assert_eq!(show.customers().list().send().await.unwrap().len(), 3);
    let statuses: Vec<_> = calls(&sandbox).iter().filter_map(|call| call.status).collect();
    assert_eq!((statuses, sandbox.token_requests().total()), (vec![200, 401, 200], 2));
}

#[tokio::test]
async fn both_ways_to_authenticate_are_taken() {
    for way in [ClientAuth::Body, ClientAuth::BasicPlain] {
        let sandbox = Sandbox::start().await.unwrap();
        let show = builder_for(&sandbox).client_auth(way).build().unwrap();
        show.customers().list().send().await.unwrap();
        let request = &sandbox.journal()[0];
        let in_header = request.header("authorization").is_some_and(|value| value.starts_with("Basic "));
        assert_eq!(
            (in_header, request.body.contains("client_secret")),
            match way {
                ClientAuth::Body => (false, true),
                _ => (true, false),
            }
        );
    }
}

#[tokio::test]
async fn the_bearer_can_be_had_for_use_elsewhere() {
    let (sandbox, show, advance) = clocked(300).await;
    assert!(show.token_in_hand().is_none());
    let first = show.token(Duration::ZERO).await.unwrap().expose().to_owned();
    assert_eq!(show.token_in_hand().unwrap().expose(), first);
    assert_eq!(show.token(Duration::from_secs(200)).await.unwrap().expose(), first);
    advance(150);
    let longer = show.token(Duration::from_secs(200)).await.unwrap().expose().to_owned();
    assert_ne!(longer, first);
    assert_eq!((calls(&sandbox).len(), sandbox.token_requests().total()), (0, 2));

    let error = show.token(Duration::from_secs(301)).await.unwrap_err();
    assert!(is_call(&error, CallErrorKind::Request), "tokens never live that long: {error:?}");

    // The sandbox accepts the token.
    let host = sandbox.url().trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).await.unwrap();
    let request = format!("GET /Customer HTTP/1.0\r\nhost: {host}\r\nauthorization: Bearer {longer}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    assert!(response.starts_with("HTTP/1.0 200"), "{response}");
}

#[tokio::test]
async fn a_clone_shares_tokens_and_a_token_server_that_falters_is_asked_again() {
    let (sandbox, show) = sandbox(1).await;
    sandbox.token_fault(Fault::status(503));
    sandbox.token_fault(Fault::DropConnection);
    let clone = show.clone();
    let (a, b) = (clone.customers(), show.customers());
    let (a, b) = tokio::join!(a.list().send(), b.list().send());
    assert_eq!((a.unwrap().len(), b.unwrap().len()), (1, 1));
    assert_eq!(sandbox.token_requests().total(), 3);
}
