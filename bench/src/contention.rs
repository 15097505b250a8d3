//! Measures the return of a cached token under full load, against the usual cache: a lock, a check of the expiry, a copy.

use std::{
    future::Future,
    hint::black_box,
    sync::Arc,
    thread::available_parallelism,
    time::{Duration, Instant},
};

use tokio::{runtime::Runtime, sync::Mutex, task::JoinSet};

use crate::{
    call::show,
    server::{Server, Terms},
    table::{Bound, Table, medians},
};

/// Enough hits that other load on the machine affects both alike.
const HITS: usize = 50_000;

/// Prints the time per hit with two tasks for each core.
pub(crate) fn measure(table: &mut Table, rounds: usize) {
    let server = Server::start(Terms::LASTING);
    let show = show(&server);
    let cores = available_parallelism().map_or(1, usize::from);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(cores).enable_all().build().unwrap();
    let token = runtime.block_on(async { show.token(Duration::ZERO).await.unwrap().expose().to_owned() });
    let cache = Arc::new(Mutex::new(Some((token, Instant::now() + Duration::from_secs(3600)))));
    let ours = || {
        let show = show.clone();
        async move {
            for _ in 0..HITS {
                drop(black_box(show.token(Duration::ZERO).await.unwrap()));
            }
        }
    };
    let theirs = || {
        let cache = Arc::clone(&cache);
        async move {
            for _ in 0..HITS {
                drop(black_box(locked(&cache).await.unwrap()));
            }
        }
    };
    let mut turns = Vec::new();
    for round in 0..rounds {
        turns.push(if round % 2 == 0 {
            let ours = nanoseconds(&runtime, cores, ours);
            (ours, nanoseconds(&runtime, cores, theirs))
        } else {
            let theirs = nanoseconds(&runtime, cores, theirs);
            (nanoseconds(&runtime, cores, ours), theirs)
        });
    }
    let (ours, theirs, ratio) = medians(&turns);
    table.ratio(
        &format!("`token().await`, {} tasks on {cores} cores: times as fast", 2 * cores),
        &format!("{ours:.0} ns"),
        &format!("a cache behind `tokio::sync::Mutex`: {theirs:.0} ns"),
        1.0 / ratio,
        Bound::AtLeast(3.0),
    );
}

async fn locked(cache: &Mutex<Option<(String, Instant)>>) -> Option<String> {
    let held = cache.lock().await;
    held.as_ref().filter(|(_, end)| *end > Instant::now()).map(|(token, _)| token.clone())
}

/// Returns the time that a core spends on a hit, in nanoseconds.
fn nanoseconds<F: Future<Output = ()> + Send + 'static>(runtime: &Runtime, cores: usize, make: impl Fn() -> F) -> f64 {
    let tasks = 2 * cores;
    let start = Instant::now();
    runtime.block_on(async {
        let mut set = JoinSet::new();
        for _ in 0..tasks {
            set.spawn(make());
        }
        set.join_all().await;
    });
    start.elapsed().as_secs_f64() * 1e9 * cores as f64 / (tasks * HITS) as f64
}
