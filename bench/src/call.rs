//! A typed GET of one customer over loopback: client CPU and allocations, SDK and rival in turns.

use std::future::Future;

use cpu_time::ProcessTime;
use perenso::Perenso;

use crate::{
    rival,
    server::{Server, Terms, runtime},
    table::{Bound, Table, medians, plural},
};

const CALLS: usize = 320;

/// Prints CPU time and allocations per call at so many tasks.
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
    // Connections, token and caches are there before anything is counted.
    for _ in 0..3 {
        runtime.block_on(spread(tasks, sdk));
        runtime.block_on(spread(tasks, by_hand));
    }
    let mut turns = Vec::new();
    for round in 0..rounds {
        // Whoever goes second finds warmer caches: they take turns.
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

/// The SDK as it comes, without the budget, which is there to be slow.
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

async fn spread<F: Future<Output = ()> + Send + 'static>(tasks: usize, make: impl Fn() -> F) {
    if tasks == 1 {
        return make().await;
    }
    let mut set = tokio::task::JoinSet::new();
    for _ in 0..tasks {
        set.spawn(make());
    }
    set.join_all().await;
}

/// Microseconds of CPU for one call.
fn cpu(run: impl FnOnce()) -> f64 {
    let start = ProcessTime::now();
    run();
    start.elapsed().as_secs_f64() * 1e6 / CALLS as f64
}
