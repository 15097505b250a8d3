//! A soak test: 64 tasks write despite random faults, with tokens valid for two seconds. Every acknowledged write is stored
//! exactly once, every record is accounted for, and memory usage does not grow.
//!
//! `SOAK_SECONDS=600 cargo test --release --test soak -- --nocapture` runs it for ten minutes.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, unreachable_pub)]

mod keys;
mod memory;
mod task;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use perenso::{Perenso, RetryPolicy, TokenPolicy};
use perenso_sandbox::{Behavior, Sandbox};
use task::{Report, Task};

const TASKS: usize = 64;
const SEEDED: usize = 200;

fn behavior() -> Behavior {
    let mut behavior = Behavior::default();
    behavior.token_lifetime = Duration::from_secs(2);
    // The strictest vendor: the reuse of a refresh token revokes all tokens.
    behavior.detect_refresh_reuse = true;
    behavior.rate = None;
    behavior
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_writes_are_there_once_and_every_record_is_accounted_for() {
    let seconds = std::env::var("SOAK_SECONDS").map_or(4, |seconds| seconds.parse().expect("SOAK_SECONDS is a number"));
    let started = Instant::now();
    let (warm, end) = (started + Duration::from_secs(seconds) / 3, started + Duration::from_secs(seconds));

    // A small journal does not distort the memory measurement.
    let builder = Sandbox::builder().customers(SEEDED).journal_cap(100).behavior(behavior());
    let sandbox = Arc::new(builder.start().await.unwrap());
    let show = Perenso::builder()
        .client_id(sandbox.client_id())
        .client_secret(sandbox.client_secret())
        .api_url(sandbox.url())
        .token_url(sandbox.token_url())
        .unlimited()
        .retry(RetryPolicy::default().backoff(Duration::from_millis(2), Duration::from_millis(50)))
        .token_policy(TokenPolicy::default().backoff(Duration::from_millis(2), Duration::from_millis(50)))
        .build()
        .unwrap();

    let tasks: Vec<_> =
        (0..TASKS).map(|number| tokio::spawn(Task::new(number, show.clone(), sandbox.clone()).run(end))).collect();
    tokio::time::sleep_until(warm.into()).await;
    let warm_memory = memory::resident_kib();
    let mut report = Report::default();
    for task in tasks {
        report += task.await.unwrap();
    }
    let end_memory = memory::resident_kib();
    let (calls, token_requests) = (report.acknowledged + report.failed, sandbox.token_requests().total());
    println!(
        "{seconds} s: {calls} calls, {} acknowledged, {} failed, of these {} that may have written; {} faults, \
         {token_requests} token requests; {warm_memory:?} KiB when warm, {end_memory:?} KiB at the end",
        report.acknowledged, report.failed, report.unknown, report.faults
    );

    // The marks of all customers with a key of the test, one for each record.
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for customer in sandbox.customers().into_iter().skip(SEEDED) {
        let text = |name: &str| customer[name].as_str().unwrap_or_default().to_owned();
        found.entry(text("customerID")).or_default().push(text("extra1"));
    }
    for (key, states) in report.keys {
        let found = found.remove(&key).unwrap_or_default();
        assert!(found.len() <= 1, "{key} is there {} times", found.len());
        assert!(states.allow(found.first().map(String::as_str)), "{key} is {found:?} and should be {states:?}");
    }
    assert!(found.is_empty(), "nobody wrote {found:?}");

    assert!(report.faults > 100, "too few faults to prove anything: {}", report.faults);
    assert!(report.acknowledged > report.failed, "most calls come through");
    // Tokens are renewed slightly more often than every two seconds, and after faults.
    let most = seconds * 2 + report.token_faults * 4 + 10;
    assert!(token_requests <= most, "{token_requests} token requests, at most {most} were expected");
    if let (Some(warm), Some(end)) = (warm_memory, end_memory)
        && seconds >= 30
    {
        assert!(end <= warm + warm / 5 + 8 * 1024, "from {warm} KiB to {end} KiB");
    }
}
