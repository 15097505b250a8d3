//! The facade over real sockets: the SDK's guarantees to its users, one module per topic.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, unreachable_pub)]

mod bad_input;
mod bulk;
mod bulk_orders;
mod credentials;
mod customers;
mod eventually;
mod lists;
mod options;
mod privacy;
mod resource;
mod server;
mod tokens;
mod wire;

use std::time::Duration;

use eventually::eventually;
use perenso::{Builder, Error, ErrorKind, Perenso, RetryPolicy, TokenPolicy};
use perenso_sandbox::{RecordedRequest, Sandbox};
use server::Server;

pub const SECRET: &str = "s3cr3t+/=%";

/// Returns a builder with delays short enough for a test.
fn builder(api_url: &str, token_url: &str, id: &str, secret: &str) -> Builder {
    Perenso::builder()
        .client_id(id)
        .client_secret(secret)
        .api_url(api_url)
        .token_url(token_url)
        .unlimited()
        .retry(RetryPolicy::default().backoff(Duration::from_millis(2), Duration::from_millis(10)))
        .token_policy(TokenPolicy::default().backoff(Duration::from_millis(2), Duration::from_millis(10)))
}

fn builder_for(sandbox: &Sandbox) -> Builder {
    builder(sandbox.url(), &sandbox.token_url(), sandbox.client_id(), sandbox.client_secret())
}

fn builder_of(server: &Server) -> Builder {
    builder(&server.url, &format!("{}/token", server.url), "SHOWID", SECRET)
}

fn show_of(server: &Server) -> Perenso {
    builder_of(server).build().unwrap()
}

/// Returns a sandbox with this number of customers, and a client of it.
async fn sandbox(customers: usize) -> (Sandbox, Perenso) {
    let sandbox = Sandbox::builder().customers(customers).unlimited().start().await.unwrap();
    let show = builder_for(&sandbox).build().unwrap();
    (sandbox, show)
}

/// Returns all requests except token requests.
fn calls(sandbox: &Sandbox) -> Vec<RecordedRequest> {
    sandbox.journal().into_iter().filter(|request| request.path != "/auth/oauth/token").collect()
}

/// Returns the method and the path of each request except token requests.
fn lines(sandbox: &Sandbox) -> Vec<String> {
    calls(sandbox).iter().map(|request| format!("{} {}", request.method, request.path)).collect()
}

fn is_call(error: &Error, kind: perenso::CallErrorKind) -> bool {
    error.kind() == ErrorKind::Call(kind)
}
