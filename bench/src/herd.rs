//! Ten thousand tasks that meet an expired token: one request, and how long the last of them waits.

use std::time::{Duration, Instant};

use crate::{
    call::show,
    server::{Server, runtime},
};

const TASKS: usize = 10_000;
const DELAY: Duration = Duration::from_millis(100);

/// Prints how long ten thousand tasks take, over the delay of the token endpoint.
pub(crate) fn measure() {
    let server = Server::start(DELAY, 1);
    let show = show(&server);
    let elapsed = runtime(TASKS).block_on(async {
        drop(show.token(Duration::ZERO).await.unwrap());
        tokio::time::sleep(Duration::from_millis(1100)).await;
        let start = Instant::now();
        let mut set = tokio::task::JoinSet::new();
        for _ in 0..TASKS {
            let show = show.clone();
            set.spawn(async move { drop(show.token(Duration::ZERO).await.unwrap()) });
        }
        set.join_all().await;
        start.elapsed()
    });
    let requests = server.token_requests();
    assert_eq!(requests, 2, "more than one token was asked for after the first had ended");
    println!(
        "| {TASKS} tasks meet an expired token: the last is served after | {} ms | the token endpoint's delay: {} ms | {:.2} | 1.5 |",
        elapsed.as_millis(),
        DELAY.as_millis(),
        elapsed.as_secs_f64() / DELAY.as_secs_f64()
    );
    println!("| the same: token requests | {} | {TASKS} callers | | 1 |", requests - 1);
}
