//! The events and spans of calls and renewals with `RUST_LOG=perenso=info`.
#![allow(missing_docs, dead_code, clippy::unwrap_used, unreachable_pub)]

#[path = "promises/log.rs"]
mod log;
#[path = "promises/server.rs"]
mod server;

use std::time::Duration;

use log::Log;
use perenso_auth::{Client, ClientBuilder, Credentials, Profile, clock::ManualClock};
use server::{Reply, Seen, Server, token};
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::{Layer, filter::Targets, fmt::format::FmtSpan, layer::SubscriberExt};

const S: Duration = Duration::from_secs(1);

/// The log of this thread and of what it starts.
fn listen(filter: &str) -> (Log, DefaultGuard) {
    let log = Log::default();
    let format =
        tracing_subscriber::fmt::layer().with_ansi(false).with_span_events(FmtSpan::CLOSE).with_writer(log.clone());
    let layer = format.with_filter(filter.parse::<Targets>().unwrap());
    let guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
    (log, guard)
}

fn builder(server: &Server) -> ClientBuilder {
    Client::builder(Profile::perenso())
        .credentials(Credentials::new("show-1", "s3cr3t"))
        .token_url(format!("{}/token", server.url))
        .api_url(server.url.clone())
        .unlimited()
}

async fn api(response: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Server {
    Server::start(move |seen| if seen.path == "/token" { token(seen.nth, 300) } else { response(seen) }).await
}

/// The closed span of the only call.
fn span(log: &Log) -> String {
    let text = log.text();
    let spans: Vec<_> = text.lines().filter(|line| line.contains("api_call{") && line.contains(": close")).collect();
    let [span] = spans[..] else { panic!("not one span:\n{text}") };
    span.to_owned()
}

fn line(log: &Log, words: &str) -> String {
    let text = log.text();
    let lines: Vec<_> = text.lines().filter(|line| line.contains(words)).collect();
    let [line] = lines[..] else { panic!("not one line with `{words}`:\n{text}") };
    line.to_owned()
}

#[track_caller]
fn assert_has(line: &str, parts: &[&str]) {
    for part in parts {
        assert!(line.contains(part), "`{part}` is not in: {line}");
    }
}

#[tokio::test]
async fn a_span_counts_the_time_that_the_server_asked_for() {
    let (log, _guard) = listen("perenso=info");
    let server = api(|seen| match seen.nth {
        0 => Reply::status(429).with("retry-after", "20"),
        _ => Reply::json(200, "[]"),
    })
    .await;
    let clock = ManualClock::default();
    let client = builder(&server).clock(clock.clone()).build().unwrap();
    let call = client.get("/Customer").send();
    let advance = async {
        while !clock.sleepers().contains(&(20 * S)) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        clock.advance(20 * S);
    };
    let (response, ()) = tokio::join!(call, advance);
    assert_eq!(response.unwrap().waited(), 20 * S);
    let port = format!("server.port={}", server.url.rsplit(':').next().unwrap());
    assert_has(
        &span(&log),
        &[
            "perenso_auth::call",
            "operation=GET /Customer",
            "client=show-1",
            "otel.name=GET /Customer",
            "http.request.method=GET",
            "server.address=\"127.0.0.1\"",
            &port,
            "http.response.status_code=200",
            "http.request.resend_count=1",
            "waited_ms=20000",
        ],
    );
    assert!(!span(&log).contains("error.type"), "{}", log.text());
    assert_has(&line(&log, "retrying"), &["INFO", "attempt=1", "wait_ms=20000", "429"]);
}

#[tokio::test]
async fn the_span_of_a_failed_call_says_how_it_failed() {
    for (status, error_type) in [(404, "status"), (401, "unauthorized"), (302, "redirect")] {
        let (log, _guard) = listen("perenso=info");
        let server = api(move |_| Reply::status(status)).await;
        builder(&server).build().unwrap().get("/Customer").send().await.unwrap_err();
        let code = format!("http.response.status_code={status}");
        assert_has(&span(&log), &[&code, &format!("error.type=\"{error_type}\""), "otel.status_code=\"ERROR\""]);
    }
}

#[tokio::test]
async fn the_status_of_a_token_endpoint_is_not_that_of_the_call() {
    let (log, _guard) = listen("perenso=info");
    let server = Server::start(|_| Reply::json(401, r#"{"error":"invalid_client"}"#)).await;
    builder(&server).build().unwrap().get("/Customer").send().await.unwrap_err();
    assert_has(&span(&log), &["error.type=\"refused\""]);
    assert!(!span(&log).contains("status_code=401"), "{}", log.text());
    assert_has(&line(&log, "no access token"), &["WARN", "perenso_auth::token", "token_renewal{client=show-1"]);
}

#[tokio::test]
async fn the_span_of_a_dropped_call_says_so() {
    let (log, _guard) = listen("perenso=debug");
    let server = api(|_| Reply::json(200, "[]").late(60 * S)).await;
    let client = builder(&server).build().unwrap();
    tokio::select! {
        _ = client.get("/Customer").send() => panic!("it was answered"),
        () = async { while server.seen().len() < 2 { tokio::time::sleep(Duration::from_millis(1)).await; } } => {}
    }
    assert_has(&span(&log), &["error.type=\"cancelled\""]);
    line(&log, "call dropped by its caller");
}

#[tokio::test]
async fn token_requests_and_what_delays_them_are_seen_at_info() {
    let (log, _guard) = listen("perenso=info");
    let server = Server::start(|seen| match (seen.path.as_str(), seen.nth) {
        ("/token", 0) => Reply::status(503),
        ("/token", nth) => token(nth, 300),
        (_, 0) => Reply::status(401),
        _ => Reply::json(200, "[]"),
    })
    .await;
    let pause = Duration::from_millis(5);
    let policy = perenso_auth::TokenPolicy::default().backoff(pause, pause);
    builder(&server).token_policy(policy).build().unwrap().get("/Customer").send().await.unwrap();
    assert_has(&line(&log, "token request failed, retrying"), &["INFO", "503", "client=show-1", "profile=\"perenso\""]);
    line(&log, "the API refused the token (401)");
    let text = log.text();
    let obtained: Vec<_> = text.lines().filter(|line| line.contains("obtained an access token")).collect();
    assert_eq!(obtained.len(), 2, "{text}");
    assert_has(obtained[0], &["INFO", "grant=\"client_credentials\"", "expires_in_s=300", "duration_ms="]);
    assert!(!text.contains("s3cr3t"), "{text}");
}

#[tokio::test]
async fn a_filter_takes_one_target_out() {
    let (log, _guard) = listen("perenso=debug,perenso_auth::token=off");
    let server = api(|_| Reply::json(200, "[]")).await;
    builder(&server).build().unwrap().get("/Customer").send().await.unwrap();
    line(&log, "call done");
    assert!(!log.text().contains("access token"), "{}", log.text());
}
