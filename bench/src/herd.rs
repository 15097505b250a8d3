//! Measures the longest wait of ten thousand tasks whose token has expired, and counts their token requests.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::{
    call::show,
    server::{Server, Terms, runtime},
    table::{Bound, Table, median, plural},
};

const TASKS: usize = 10_000;
const DELAY: Duration = Duration::from_millis(100);
const FIRST_LIFE: Duration = Duration::from_secs(1);

/// Prints the longest wait of ten thousand tasks, relative to the delay of the token endpoint.
pub(crate) fn measure(table: &mut Table, rounds: usize, rotating: bool) {
    let (mut waits, mut most_requests) = (Vec::new(), 0);
    for _ in 0..rounds {
        let (wait, requests) = meet(rotating);
        waits.push(wait.as_secs_f64());
        most_requests = requests.max(most_requests);
    }
    let (wait, delay) = (median(waits), DELAY.as_secs_f64());
    let how = if rotating { ", by a refresh token that rotates" } else { "" };
    table.ratio(
        &format!("10,000 tasks meet an expired token{how}: the last is served after"),
        &format!("{:.0} ms", wait * 1e3),
        &format!("the token endpoint's delay: {:.0} ms", delay * 1e3),
        wait / delay,
        Bound::AtMost(1.5),
    );
    let requests = plural(most_requests, "token request");
    table.count("the same", &requests, "10,000 callers", "1 token request", most_requests == 1);
}

/// Returns the longest wait, and the number of token requests after the first token expired.
fn meet(rotating: bool) -> (Duration, usize) {
    let server = Server::start(Terms { delay: DELAY, first_life: FIRST_LIFE, rotating, awake: false });
    let show = show(&server);
    let wait = runtime(TASKS).block_on(async {
        drop(show.token(Duration::ZERO).await.unwrap());
        tokio::time::sleep(FIRST_LIFE + Duration::from_millis(100)).await;
        let start = Instant::now();
        let mut set = JoinSet::new();
        for _ in 0..TASKS {
            let show = show.clone();
            set.spawn(async move { drop(show.token(Duration::ZERO).await.unwrap()) });
        }
        set.join_all().await;
        start.elapsed()
    });
    assert!(wait >= DELAY, "no task waited for a token: the first had not expired");
    (wait, server.token_requests() - 1)
}
