//! The way of a call: retries by what is known of it, budget, deadlines, bodies.

use std::time::Duration;

use futures_util::StreamExt;
use perenso_auth::{
    CallOptions, ErrorKind, Rate, RetryPolicy, Timeouts,
    clock::{Clock, ManualClock},
};

use crate::{S, Server, api, builder, call, client, client_with_clock, eventually, generous, server::Reply, token};

#[tokio::test]
async fn a_read_and_a_keyed_write_survive_faults_and_a_create_is_never_doubled() {
    for fault in [Reply::status(500), Reply::status(503), Reply::Close] {
        let failing = fault.clone();
        let server = api(move |seen| if seen.nth == 0 { failing.clone() } else { Reply::json(200, "{}") }).await;
        let client = client(&server);
        client.get("/read").send().await.unwrap();
        client.post("/upsert").idempotent().json(&1).send().await.unwrap();
        client.post("/search").safe().json(&1).send().await.unwrap();
        let error = client.post("/create").json(&1).send().await.unwrap_err();
        assert!(error.may_have_written(), "{error}");
        assert!(error.to_string().contains("the write may have happened"), "{error}");
        let sent = |path: &str| server.calls().iter().filter(|seen| seen.path == path).count();
        assert_eq!((sent("/read"), sent("/upsert"), sent("/search"), sent("/create")), (2, 2, 2, 1), "{fault:?}");
    }
}

#[tokio::test]
async fn a_request_that_was_certainly_not_processed_is_retried_even_a_create() {
    let server = api(|seen| match seen.nth {
        0 => Reply::status(429),
        _ => Reply::json(200, "{}"),
    })
    .await;
    client(&server).post("/create").json(&1).send().await.unwrap();
    assert_eq!(server.calls().len(), 2);

    // Nothing listens on the address of a server that is gone.
    let gone = generous(300).await.url.clone();
    let tokens = generous(300).await;
    let error = builder(&tokens).api_url(gone).build().unwrap().post("/create").json(&1).send().await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Connect, 4), "{error}");
    assert!(!error.may_have_written());
}

#[tokio::test]
async fn a_write_that_an_earlier_attempt_may_have_done_is_said_whatever_the_last_one_returns() {
    let server = api(|seen| Reply::status(if seen.nth == 0 { 500 } else { 422 })).await;
    let error = client(&server).put("/upsert").json(&1).send().await.unwrap_err();
    assert_eq!((error.status().unwrap().as_u16(), error.attempts()), (422, 2));
    assert!(error.may_have_written());
}

#[tokio::test]
async fn an_error_response_is_not_retried_and_its_body_is_not_shown() {
    let server = api(|_| {
        Reply::json(422, r#"{"message":"no such warehouse","email":"person@example.com"}"#).with("x-request-id", "r-17")
    })
    .await;
    let error = client(&server).get("/x").send().await.unwrap_err();
    assert_eq!((error.kind(), error.status().unwrap().as_u16(), error.attempts()), (ErrorKind::Status, 422, 1));
    assert_eq!(error.request_id(), Some("r-17"));
    assert!(error.body().unwrap().starts_with(br#"{"message""#));
    assert!(!format!("{error} {error:?}").contains("warehouse"), "{error:?}");
    assert!(error.to_string().contains("r-17") && error.to_string().contains("422"), "{error}");
    assert!(!error.may_have_written());
}

#[tokio::test]
async fn a_429_holds_all_callers_for_as_long_as_it_says() {
    let server = api(|seen| match (seen.path.as_str(), seen.nth) {
        ("/first", 0) => Reply::status(429).with("retry-after", "30"),
        _ => Reply::json(200, "{}"),
    })
    .await;
    let (client, clock) = client_with_clock(&server);
    let first = tokio::spawn({
        let client = client.clone();
        async move { client.get("/first").send().await }
    });
    eventually(|| clock.sleepers().contains(&(30 * S))).await;
    let second = tokio::spawn({
        let client = client.clone();
        async move { client.get("/second").send().await }
    });
    tokio::time::sleep(Duration::from_millis(30)).await;
    assert_eq!(server.calls().len(), 1, "a call left during the pause");
    clock.advance(30 * S);
    first.await.unwrap().unwrap();
    second.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_429_holds_the_others_no_longer_than_is_borne_and_a_503_does_not_hold_them() {
    for (status, held) in [(429, 90), (503, 0)] {
        let server = api(move |seen| match seen.path.as_str() {
            "/first" => Reply::status(status).with("retry-after", "3600"),
            _ => Reply::json(200, "[]"),
        })
        .await;
        let (client, clock) = client_with_clock(&server);
        client.get("/first").send().await.unwrap_err();
        let waiting = tokio::spawn(async move { client.get("/second").send().await.unwrap().waited() });
        if held > 0 {
            eventually(|| clock.sleepers().contains(&(held * S))).await;
            clock.advance(held * S);
        }
        assert_eq!(tokio::time::timeout(5 * S, waiting).await.unwrap().unwrap(), held * S, "{status}");
    }
}

#[tokio::test]
async fn a_cooldown_that_is_too_long_is_reported_at_once() {
    let server = api(|_| Reply::status(429).with("retry-after", "3600")).await;
    let error = call(&client(&server)).await.unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::RateLimited, Some(3600 * S)));
    assert_eq!(server.calls().len(), 1);
    assert!(error.to_string().contains("3600 s"), "{error}");
}

#[tokio::test]
async fn the_budget_is_kept_and_waiting_for_it_has_a_limit() {
    let server = generous(3600).await;
    let clock = ManualClock::default();
    let limited = builder(&server)
        .rate(Rate::new(60, 60 * S, 5))
        .timeouts(Timeouts::default().budget(3 * S))
        .clock(clock.clone())
        .build()
        .unwrap();
    for _ in 0..5 {
        call(&limited).await.unwrap();
    }
    let sixth = tokio::spawn({
        let limited = limited.clone();
        async move { limited.get("/Customer").send().await.unwrap().waited() }
    });
    eventually(|| clock.sleepers().contains(&S)).await;
    assert_eq!(server.calls().len(), 5);
    clock.advance(S);
    assert_eq!(sixth.await.unwrap(), S);
    // Five in a queue that moves once a second: those beyond the third give up.
    let waiting: Vec<_> = (0..5)
        .map(|_| {
            let limited = limited.clone();
            tokio::spawn(async move { call(&limited).await.map_err(|error| error.kind()) })
        })
        .collect();
    tokio::task::yield_now().await;
    for _ in 0..6 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        clock.advance(S);
    }
    let results = futures_util::future::join_all(waiting).await;
    let refused = results.iter().filter(|result| matches!(result, Ok(Err(ErrorKind::Budget)))).count();
    assert!((1..=2).contains(&refused), "{results:?}");
    assert_eq!(server.calls().len(), 11 - refused);
}

#[tokio::test]
async fn every_attempt_takes_a_permit() {
    let server = api(|seen| Reply::status(if seen.nth == 0 { 500 } else { 200 })).await;
    let clock = ManualClock::default();
    let client = builder(&server).rate(Rate::new(1, 20 * S, 1)).clock(clock.clone()).build().unwrap();
    let waiting = tokio::spawn(async move { client.get("/x").send().await.unwrap().waited() });
    let pause = Duration::from_millis(20);
    eventually(|| clock.sleepers().iter().any(|left| *left <= pause)).await;
    clock.advance(pause);
    eventually(|| clock.sleepers().contains(&(20 * S - pause))).await;
    assert_eq!(server.calls().len(), 1);
    clock.advance(20 * S - pause);
    assert_eq!(waiting.await.unwrap(), 20 * S, "it counts the pause and the wait for the budget");
}

#[tokio::test]
async fn waiting_for_the_budget_counts_for_a_deadline_and_not_for_the_overall_limit() {
    let server = generous(3600).await;
    let clock = ManualClock::default();
    let client = builder(&server)
        .rate(Rate::new(1, 20 * S, 1))
        .timeouts(Timeouts::default().overall(10 * S))
        .clock(clock.clone())
        .build()
        .unwrap();
    call(&client).await.unwrap();
    let too_soon = client.get("/x").options(CallOptions::new().deadline(5 * S)).send();
    let error = tokio::time::timeout(5 * S, too_soon).await.unwrap().unwrap_err();
    assert!(error.is_timeout(), "{error}");
    let waiting = tokio::spawn(async move { call(&client).await });
    eventually(|| clock.sleepers().contains(&(20 * S))).await;
    clock.advance(20 * S);
    waiting.await.unwrap().unwrap();
}

#[tokio::test]
async fn the_overall_limit_ends_attempts_and_waits() {
    let server = api(|_| Reply::Never).await;
    let (client, clock) = client_with_clock(&server);
    client.token(Duration::ZERO).await.unwrap();
    let start = clock.monotonic();
    let waiting = tokio::spawn(async move { call(&client).await });
    eventually(|| {
        clock.advance(S);
        waiting.is_finished()
    })
    .await;
    let error = waiting.await.unwrap().unwrap_err();
    assert!(error.is_timeout(), "{error}");
    // Four attempts of 60 s would take longer than 180 s.
    assert!(clock.monotonic() - start < 185 * S, "{:?}", clock.monotonic() - start);

    let server = api(|_| Reply::status(503).with("retry-after", "60")).await;
    let timeouts = Timeouts::default().overall(30 * S);
    let hasty = builder(&server).timeouts(timeouts).clock(clock).build().unwrap();
    let error = tokio::time::timeout(5 * S, call(&hasty)).await.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Status, 1), "{error}");
}

#[tokio::test]
async fn a_server_that_never_responds_meets_the_deadlines() {
    let server = api(|_| Reply::Never).await;
    let quick = builder(&server).timeouts(Timeouts::default().attempt(Duration::from_millis(20))).build().unwrap();
    let error = call(&quick).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Timeout, 4), "{error}");
    let error = quick.post("/create").json(&1).send().await.unwrap_err();
    assert_eq!((error.attempts(), error.may_have_written()), (1, true));

    let patient = client(&server);
    let options = CallOptions::new().deadline(Duration::from_millis(50));
    let start = std::time::Instant::now();
    let error = patient.get("/x").options(options).send().await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
    assert!(start.elapsed() < 5 * S);
}

#[tokio::test]
async fn a_post_a_put_or_a_patch_without_a_body_says_so() {
    let server = generous(300).await;
    let client = client(&server);
    client.post("/Export/739da9").send().await.unwrap();
    client.put("/Export/739da9").send().await.unwrap();
    client.request(http::Method::PATCH, "/Export/739da9").send().await.unwrap();
    client.post("/Export/739da9").body(http::HeaderValue::from_static("text/plain"), "").send().await.unwrap();
    client.get("/Export").send().await.unwrap();
    let lengths: Vec<_> = server.calls().iter().map(|seen| seen.headers.get("content-length").cloned()).collect();
    let lengths: Vec<_> = lengths.iter().map(Option::as_deref).collect();
    assert_eq!(lengths, [Some("0"), Some("0"), Some("0"), Some("0"), None]);
}

#[tokio::test]
async fn an_endless_error_page_costs_little_and_keeps_its_status() {
    let page = format!("HTTP/1.1 500 X\r\ncontent-length: 100000000\r\n\r\n{}", "x".repeat(3_000_000));
    let server = api(move |_| Reply::Raw(page.clone().into_bytes())).await;
    let options = CallOptions::new().retry(RetryPolicy::never());
    let error = client(&server).get("/x").options(options).send().await.unwrap_err();
    assert_eq!((error.status().unwrap().as_u16(), error.body().unwrap().len()), (500, 64 * 1024));
}

#[tokio::test]
async fn an_error_page_that_stalls_costs_five_seconds_or_what_is_left() {
    let page = b"HTTP/1.1 422 X\r\ncontent-length: 50\r\n\r\nhalf";
    let server = api(|_| Reply::Stalled(page.to_vec())).await;
    let shorter = CallOptions::new().attempt_timeout(S).deadline(2 * S);
    for (limit, options) in [(5 * S, CallOptions::new()), (2 * S, shorter)] {
        let (client, clock) = client_with_clock(&server);
        client.token(Duration::ZERO).await.unwrap();
        let waiting = tokio::spawn(async move { client.get("/x").options(options).send().await });
        eventually(|| clock.sleepers() == [limit]).await;
        clock.advance(limit);
        let error = tokio::time::timeout(5 * S, waiting).await.unwrap().unwrap().unwrap_err();
        assert_eq!(error.status().unwrap().as_u16(), 422, "{error}");
    }
}

#[tokio::test]
async fn a_cut_or_stalled_or_oversized_body_is_an_error_and_never_a_short_result() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n";
    let cut = format!("{head}[1,2,3]");
    let server = api(move |seen| match seen.path.as_str() {
        "/cut" => Reply::Raw(cut.clone().into_bytes()),
        _ => Reply::json(200, "[1,2,3]"),
    })
    .await;
    let small = builder(&server).max_body_bytes(5).build().unwrap();
    let error = small.get("/cut").send_json::<Vec<u8>>().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Broken | ErrorKind::TooLarge), "{error}");
    let error = client(&server).get("/cut").send_json::<Vec<u8>>().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Broken, "{error}");
    let pieces: Vec<_> = client(&server).get("/cut").send().await.unwrap().into_stream().collect().await;
    assert_eq!(pieces.last().unwrap().as_ref().unwrap_err().kind(), ErrorKind::Broken);
    let error = small.get("/whole").send_json::<Vec<u8>>().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
}

#[tokio::test]
async fn a_body_may_take_its_time_as_long_as_it_comes() {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let tokens = generous(3600).await;
    let (send, mut more) = tokio::sync::mpsc::unbounded_channel::<()>();
    let serving = tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n").await.unwrap();
        while more.recv().await.is_some() {
            stream.write_all(b"x").await.unwrap();
        }
    });
    let clock = perenso_auth::clock::ManualClock::default();
    let times = Timeouts::default().attempt(20 * S).overall(20 * S).idle(60 * S);
    let client = builder(&tokens).api_url(format!("http://{address}")).timeouts(times).clock(clock.clone());
    let response = client.build().unwrap().get("/slow").send().await.unwrap();
    let reading = tokio::spawn(response.text());
    // Five minutes for six bytes, and never a whole one without a byte.
    for _ in 0..6 {
        eventually(|| clock.sleepers() == [60 * S]).await;
        clock.advance(50 * S);
        send.send(()).unwrap();
    }
    assert_eq!(reading.await.unwrap().unwrap(), "xxxxxx");
    serving.abort();
}

#[tokio::test]
async fn a_body_that_stops_coming_meets_the_idle_limit() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n[1,";
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let tokens = generous(300).await;
    let serving = tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).await.unwrap();
        stream.write_all(head).await.unwrap();
        std::future::pending::<()>().await;
    });
    let times = Timeouts::default().idle(Duration::from_millis(50));
    let once = RetryPolicy::never();
    let client = builder(&tokens).api_url(format!("http://{address}")).timeouts(times).retry(once).build().unwrap();
    let error = client.get("/stalled").send_json::<Vec<u8>>().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    serving.abort();
}

#[tokio::test]
async fn a_write_whose_response_cannot_be_read_may_have_happened() {
    let server = api(|_| Reply::json(200, "")).await;
    let error = client(&server).post("/create").json(&1).send_json::<serde_json::Value>().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.may_have_written());
    assert!(error.to_string().contains("found an empty body"), "{error}");
    let error = client(&server).get("/read").send_json::<serde_json::Value>().await.unwrap_err();
    assert!(!error.may_have_written());
}

#[tokio::test]
async fn of_a_body_that_does_not_fit_the_beginning_is_kept() {
    let server = api(|_| Reply::json(200, format!(r#"["{}"]"#, "x".repeat(100_000)))).await;
    let error = client(&server).get("/read").send_json::<Vec<u8>>().await.unwrap_err();
    assert_eq!((error.kind(), error.body().unwrap().len()), (ErrorKind::Decode, 64 * 1024));
}

#[tokio::test]
async fn a_body_that_breaks_off_is_a_failed_attempt_where_the_call_reads_it() {
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n[1,2,3]";
    let server = api(move |seen| match seen.nth {
        0 => Reply::Raw(cut.as_bytes().to_vec()),
        _ => Reply::json(200, "[1,2,3]"),
    })
    .await;
    let client = client(&server);
    assert_eq!(client.get("/read").send_json::<Vec<u8>>().await.unwrap(), [1, 2, 3]);
    let error = client.post("/create").json(&1).send_json::<Vec<u8>>().await.unwrap_err();
    assert_eq!((error.kind(), error.attempts(), error.may_have_written()), (ErrorKind::Broken, 1, true));
    // Whoever reads the body as a stream has it as it comes.
    assert_eq!(client.get("/stream").send().await.unwrap().bytes().await.unwrap_err().attempts(), 1);
}

/// Permits that pile up while everybody waits for the token would leave in one burst with those that come after.
#[tokio::test]
async fn no_permit_is_taken_while_the_token_is_waited_for() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/token" => token(seen.nth, 300).late(Duration::from_millis(300)),
        _ => Reply::json(200, "[]"),
    })
    .await;
    // One permit at once, and one more every 50 ms: six in the time that the token takes.
    let rate = Rate::new(20, Duration::from_secs(1), 1);
    let client = builder(&server).rate(rate).build().unwrap();
    let started = std::time::Instant::now();
    let calls = futures_util::future::join_all((0..5).map(|_| call(&client))).await;
    assert!(calls.iter().all(Result::is_ok));
    assert!(started.elapsed() >= Duration::from_millis(300 + 4 * 50), "{:?}", started.elapsed());
}
