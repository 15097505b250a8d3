//! Five systems and a sixth: what their vendors ask for, against their stand-ins, and byte for byte against a raw server.
#![allow(missing_docs, dead_code, clippy::unwrap_used, unreachable_pub)]

#[path = "../promises/eventually.rs"]
mod eventually;
#[path = "../promises/log.rs"]
mod log;
#[path = "../promises/server.rs"]
mod server;

mod custom;
mod event_bookings;
mod perenso;
mod perspio;
mod priava;
mod provider;
mod readme;
mod secrecy;
mod tourpaq;
mod unusable;

use std::time::Duration;

use eventually::eventually;
use perenso_auth::{
    Client, ClientBuilder, Credentials, Profile, RetryPolicy, TokenPolicy,
    clock::{Clock, ManualClock},
};
use perenso_sandbox::StandIn;
use server::{Reply, Seen, Server, token};

const S: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
/// Holds what forms and Base64 change.
const SECRET: &str = "s3cr3t+/=%";

/// A builder whose pauses a test can sit out.
fn builder(profile: Profile, credentials: Credentials) -> ClientBuilder {
    let (first, longest) = (Duration::from_millis(5), Duration::from_millis(20));
    Client::builder(profile)
        .credentials(credentials)
        .token_policy(TokenPolicy::default().backoff(first, longest))
        .retry(RetryPolicy::default().backoff(first, longest))
}

/// A builder for a client of a raw server.
fn of_server(server: &Server, profile: Profile, credentials: Credentials) -> ClientBuilder {
    builder(profile, credentials).token_url(format!("{}/token", server.url)).api_url(server.url.clone())
}

/// A builder for a client of a stand-in.
fn of_stand_in(stand_in: &StandIn, profile: Profile, credentials: Credentials) -> ClientBuilder {
    builder(profile, credentials).token_url(stand_in.token_url()).api_url(stand_in.api_url())
}

/// A client whose time is in the test's hands.
fn with_clock(builder: ClientBuilder) -> (Client, ManualClock) {
    let clock = ManualClock::default();
    (builder.clock(clock.clone()).build().unwrap(), clock)
}

/// Time passes for the stand-in and for the client.
fn pass(stand_in: &StandIn, clock: &ManualClock, time: Duration) {
    stand_in.advance(time);
    clock.advance(time);
}

/// A server whose tokens are `tok-0`, `tok-1`, … with `ref-0`, `ref-1`, …, and whose API takes them all.
async fn generous(expires_in: u64) -> Server {
    Server::start(move |seen| match seen.path.as_str() {
        "/token" => token(seen.nth, expires_in),
        _ => Reply::json(200, "[]"),
    })
    .await
}

/// The fields of a form as they came, by their names: their order means nothing.
fn form(seen: &Seen) -> Vec<&str> {
    let mut fields: Vec<_> = seen.body.split('&').collect();
    fields.sort_unstable();
    fields
}

/// The most calls that leave within any such window, out of so many that all want to leave at once.
async fn busiest_window(profile: Profile, credentials: Credentials, calls: usize, window: Duration) -> usize {
    let server = generous(21_600).await;
    let (client, clock) = with_clock(of_server(&server, profile, credentials).memory_only());
    let mut departures = Vec::with_capacity(calls);
    for _ in 0..calls {
        let client = client.clone();
        let call = tokio::spawn(async move { client.get("/x").send().await });
        while !call.is_finished() {
            // Deadlines are longer: this is somebody who waits for the budget.
            if let Some(wait) = clock.sleepers().into_iter().filter(|sleep| *sleep < 9 * S).min() {
                clock.advance(wait);
            }
            tokio::time::sleep(Duration::from_micros(100)).await;
        }
        call.await.unwrap().unwrap();
        departures.push(clock.monotonic());
    }
    let within = |from| departures.iter().filter(|at| (from..=from + window).contains(*at)).count();
    departures.iter().map(|from| within(*from)).max().unwrap()
}
