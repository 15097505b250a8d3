//! Measures client CPU and allocations of a typed GET of one customer over loopback, SDK and rival in turns.

use std::future::Future;

use cpu_time::ProcessTime;
use perenso::Perenso;

use crate::{
    rival,
    server::{Server, Terms, runtime},
    table::{Bound, Table, medians, plural},
};

const CALLS: usize = 320;

/// Prints CPU time and allocations per call with `tasks` tasks.
pub(crate) fn measure(table: &mut Table, tasks: usize, rounds: usize, bound: Bound) {
    let server = Server::start(Terms::LASTING);
    let runtime = runtime(tasks);
    let show = show(&server);
    let (http, url) = (rival::client(), server.url.clone());
    let sdk = || {
        let show = show.clone();
        async move {
            for _ in 0..CALLS / tasks {
                assert_eq!(show.customers().get("jggkh3").await.unwrap().customer_id.as_deref(), Some("5041"));
            }
        }
    };
    let by_hand = || {
        let (http, url) = (http.clone(), url.clone());
        async move {
            for _ in 0..CALLS / tasks {
                assert_eq!(rival::get(&http, &url, "jggkh3").await.customer_id.as_deref(), Some("5041"));
            }
        }
    };
    // Opens connections, gets a token and fills caches before anything is counted.
    for _ in 0..3 {
        runtime.block_on(spread(tasks, sdk));
        runtime.block_on(spread(tasks, by_hand));
    }
    let mut turns = Vec::new();
    for round in 0..rounds {
        // The second to run finds warmer caches, so the order alternates.
        turns.push(if round % 2 == 0 {
            let ours = cpu(|| runtime.block_on(spread(tasks, sdk)));
            (ours, cpu(|| runtime.block_on(spread(tasks, by_hand))))
        } else {
            let theirs = cpu(|| runtime.block_on(spread(tasks, by_hand)));
            (cpu(|| runtime.block_on(spread(tasks, sdk))), theirs)
        });
    }
    let (ours, theirs, ratio) = medians(&turns);
    table.ratio(
        &format!("typed GET of 1 KB, {}: client CPU", plural(tasks, "task")),
        &format!("{ours:.1} us"),
        &format!("reqwest and serde by hand: {theirs:.1} us"),
        ratio,
        bound,
    );
    if tasks == 1 {
        let allocations = |count: u64| count as f64 / CALLS as f64;
        let ours = allocations(allocation_counter::measure(|| runtime.block_on(spread(1, sdk))).count_total);
        let theirs = allocations(allocation_counter::measure(|| runtime.block_on(spread(1, by_hand))).count_total);
        let (ours, theirs, ratio) = (format!("{ours:.0}"), format!("{theirs:.0}"), ours / theirs);
        table.ratio("the same: allocations", &ours, &theirs, ratio, Bound::None);
    }
}

/// Returns a client with default settings, but without the rate limit, which would slow it down.
pub(crate) fn show(server: &Server) -> Perenso {
    show_at(&server.url)
}

pub(crate) fn show_at(url: &str) -> Perenso {
    Perenso::builder()
        .client_id("show-1")
        .client_secret("s3cr3t")
        .api_url(url)
        .token_url(format!("{url}/token"))
        .unlimited()
        .build()
        .unwrap()
}

/// Runs as many tasks; a single one on the thread of the caller.
pub(crate) async fn spread<F: Future<Output = ()> + Send + 'static>(tasks: usize, make: impl Fn() -> F) {
    if tasks == 1 {
        return make().await;
    }
    let mut set = tokio::task::JoinSet::new();
    for _ in 0..tasks {
        set.spawn(make());
    }
    set.join_all().await;
}

/// Returns the CPU time of a call in microseconds.
fn cpu(run: impl FnOnce()) -> f64 {
    let start = ProcessTime::now();
    run();
    start.elapsed().as_secs_f64() * 1e6 / CALLS as f64
}
