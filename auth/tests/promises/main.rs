//! The promises T1 to T13 and those of the pipeline, over real sockets and an injected clock.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, unreachable_pub)]

mod authentication;
mod coding;
mod connection;
mod eventually;
mod log;
mod options;
mod pipeline;
mod profile;
mod renewal;
mod secrecy;
mod server;
#[cfg(feature = "rustls")]
mod tls;
mod tolerance;
mod unauthorized;
mod unusual_servers;

use std::time::Duration;

use eventually::eventually;
use perenso_auth::{Client, ClientBuilder, Credentials, Profile, TokenPolicy, clock::ManualClock};
use server::{Server, token};

const S: Duration = Duration::from_secs(1);
const SECRET: &str = "s3cr3t+/=%";

/// A builder for a client of this server, with pauses that a test can sit out.
fn builder(server: &Server) -> ClientBuilder {
    Client::builder(Profile::perenso())
        .credentials(Credentials::new("show-1", SECRET))
        .token_url(format!("{}/token", server.url))
        .api_url(server.url.clone())
        .unlimited()
        .token_policy(TokenPolicy::default().backoff(Duration::from_millis(5), Duration::from_millis(20)))
        .retry(perenso_auth::RetryPolicy::default().backoff(Duration::from_millis(5), Duration::from_millis(20)))
}

fn client(server: &Server) -> Client {
    builder(server).build().unwrap()
}

/// A client whose time is in the test's hands.
fn client_with_clock(server: &Server) -> (Client, ManualClock) {
    let clock = ManualClock::default();
    (builder(server).clock(clock.clone()).build().unwrap(), clock)
}

/// A server whose tokens are `tok-0`, `tok-1`, … of this length, and whose API takes them all.
async fn generous(expires_in: u64) -> Server {
    Server::start(move |seen| match seen.path.as_str() {
        "/token" => token(seen.nth, expires_in),
        _ => server::Reply::json(200, "[]"),
    })
    .await
}

/// A server that issues tokens and responds to calls as set.
async fn api(handler: impl Fn(&server::Seen) -> server::Reply + Send + Sync + 'static) -> Server {
    Server::start(move |seen| match seen.path.as_str() {
        "/token" => token(seen.nth, 300),
        _ => handler(seen),
    })
    .await
}

async fn call(client: &Client) -> Result<serde_json::Value, perenso_auth::Error> {
    client.get("/Customer").send_json().await
}
