//! A call is one span, and the span says how it went.
#![allow(missing_docs, dead_code, clippy::unwrap_used, unreachable_pub)]

#[path = "promises/log.rs"]
mod log;
#[path = "promises/server.rs"]
mod server;

use perenso_auth::{Client, Credentials, Profile, RetryPolicy};
use server::{Reply, Server, token};

#[tokio::test]
async fn one_span_says_how_a_call_went() {
    let log = log::Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::CLOSE)
        .with_writer(log.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let server = Server::start(|seen| match (seen.path.as_str(), seen.nth) {
        ("/token", n) => token(n, 300),
        (_, 0) => Reply::status(503),
        _ => Reply::json(200, "[]"),
    })
    .await;
    let pause = std::time::Duration::from_millis(5);
    let client = Client::builder(Profile::perenso())
        .credentials(Credentials::new("show-1", "s3cr3t"))
        .token_url(format!("{}/token", server.url))
        .api_url(server.url.clone())
        .unlimited()
        .retry(RetryPolicy::default().pauses(pause, pause))
        .build()
        .unwrap();
    client.get("/Customer").send().await.unwrap();
    let text = log.text();
    let spans: Vec<_> = text.lines().filter(|line| line.contains("api_call{")).collect();
    assert_eq!(spans.len(), 1, "{text}");
    for part in ["operation=GET /Customer", "client=show-1", "status=200", "attempts=2", "waited_ms=0"] {
        assert!(spans[0].contains(part), "{part}: {text}");
    }
}
