//! Measures a hundred callers whose token has expired or was revoked, SDK and rivals in turns. The server rotates refresh
//! tokens, and revokes the whole family when one is used twice.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use tokio::task::JoinSet;

use crate::{
    call::show,
    rival::{authlib, hand_wired},
    server::{FIRST_TOKEN, Server, Terms, runtime},
    table::{Table, plural},
};

const CALLERS: usize = 100;
const TERMS: Terms =
    Terms { delay: Duration::from_millis(200), first_life: Duration::from_secs(2), rotating: true, awake: false };
const ID: &str = "jggkh3";

#[derive(Clone, Copy, PartialEq)]
enum Trouble {
    Expired,
    Revoked,
}

/// The result over all callers.
struct Score {
    failed: usize,
    token_requests: usize,
    wait: Duration,
}

impl Score {
    fn show(&self) -> String {
        let Self { failed, token_requests, wait } = self;
        format!("{failed} failed, {}, {} ms", plural(*token_requests, "token request"), wait.as_millis())
    }
}

/// Prints failed calls, token requests and the longest wait. Measures Authlib only if a Python is named.
pub(crate) fn measure(table: &mut Table, python: Option<&str>) {
    assert_punishes_reuse();
    let mut versions = ["oauth2", "reqwest-middleware", "reqwest-retry", "reqwest"].map(locked).join(", ");
    let mut missing = None;
    for trouble in [Trouble::Expired, Trouble::Revoked] {
        let ours = {
            let server = Server::start(TERMS);
            let show = show(&server);
            score(&server, trouble, || {
                let show = show.clone();
                async move { show.customers().get(ID).await.is_ok() }
            })
        };
        let by_hand = {
            let server = Server::start(TERMS);
            let (client, url) = (hand_wired::client(&server.url), format!("{}/Customer/{ID}", server.url));
            score(&server, trouble, || {
                let request = client.get(&url);
                async move { request.send().await.is_ok_and(|response| response.status().is_success()) }
            })
        };
        row(table, trouble, &ours, "oauth2 with reqwest-middleware", &by_hand);
        let Some(python) = python.filter(|_| missing.is_none()) else { continue };
        let server = Server::start(TERMS);
        let name = if trouble == Trouble::Revoked { "revoked" } else { "expired" };
        match authlib::run(python, &server.url, name, CALLERS, TERMS.first_life) {
            Ok(report) => {
                let wait = Duration::from_secs_f64(report.seconds);
                let theirs = Score { failed: report.failed, token_requests: server.token_requests() - 1, wait };
                row(table, trouble, &ours, "Authlib with httpx", &theirs);
                if trouble == Trouble::Revoked {
                    versions = format!("{versions}, {}", report.versions);
                }
            }
            Err(reason) => missing = Some(reason),
        }
    }
    println!("\nRivals: {versions}.");
    if let Some(reason) = missing {
        println!("Authlib was not measured: {reason}");
    }
}

fn row(table: &mut Table, trouble: Trouble, ours: &Score, rival: &str, theirs: &Score) {
    let trouble = if trouble == Trouble::Revoked { "was revoked" } else { "has expired" };
    table.count(
        &format!("{CALLERS} callers whose token {trouble}"),
        &ours.show(),
        &format!("{rival}: {}", theirs.show()),
        "0 failed, 1 token request",
        ours.failed == 0 && ours.token_requests == 1,
    );
}

/// Sends one successful call, causes the trouble, then sends the calls of all callers at once.
fn score<F>(server: &Server, trouble: Trouble, call: impl Fn() -> F) -> Score
where
    F: Future<Output = bool> + Send + 'static,
{
    let (failed, wait) = runtime(CALLERS).block_on(async {
        assert!(call().await, "the first call failed");
        match trouble {
            Trouble::Revoked => server.revoke().await,
            Trouble::Expired => tokio::time::sleep(TERMS.first_life + Duration::from_millis(100)).await,
        }
        let start = Instant::now();
        let mut set = JoinSet::new();
        for _ in 0..CALLERS {
            set.spawn(call());
        }
        let failed = set.join_all().await.into_iter().filter(|served| !served).count();
        (failed, start.elapsed())
    });
    Score { failed, token_requests: server.token_requests() - 1, wait }
}

/// Asserts that the server revokes the family of a reused refresh token, without which the measure would mean nothing.
fn assert_punishes_reuse() {
    let server = Server::start(Terms { delay: Duration::ZERO, ..TERMS });
    let http = reqwest::Client::new();
    let status = |request: reqwest::RequestBuilder| async { request.send().await.unwrap().status().as_u16() };
    let grant = |form: &'static str| status(http.post(format!("{}/token", server.url)).body(form));
    let call = || status(http.get(format!("{}/Customer/{ID}", server.url)).bearer_auth(FIRST_TOKEN));
    runtime(1).block_on(async {
        assert_eq!(grant("grant_type=client_credentials").await, 200);
        assert_eq!(grant("grant_type=refresh_token&refresh_token=ref-0-0").await, 200);
        assert_eq!(call().await, 200);
        assert_eq!(grant("grant_type=refresh_token&refresh_token=ref-0-0").await, 400, "accepted twice");
        assert_eq!(grant("grant_type=refresh_token&refresh_token=ref-0-1").await, 400, "still valid");
        assert_eq!(call().await, 401, "access token still valid");
    });
}

/// Returns the name of a crate with its locked version.
fn locked(name: &str) -> String {
    let lock = include_str!("../../Cargo.lock");
    let version =
        lock.split_once(&format!("name = \"{name}\"\nversion = \"")).and_then(|(_, rest)| rest.split('"').next());
    format!("{name} {}", version.unwrap_or("of unknown version"))
}
