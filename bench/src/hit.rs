//! A token in hand, against reading both clocks, which is the least that it takes.

use std::{
    future::Future,
    hint::black_box,
    pin::pin,
    task::{Context, Waker},
    time::{Duration, Instant, SystemTime},
};

use crate::{
    call::{median, show},
    server::{Server, runtime},
};

const HITS: u32 = 50_000;

/// Prints what a hit costs.
pub(crate) fn measure(rounds: usize) {
    let server = Server::start(Duration::ZERO, 3600);
    let show = show(&server);
    runtime(1).block_on(async { drop(show.token(Duration::ZERO).await.unwrap()) });
    let mut hit = || drop(black_box(show.token_in_hand()));
    let mut context = Context::from_waker(Waker::noop());
    let mut awaited = || drop(black_box(pin!(show.token(Duration::ZERO)).poll(&mut context)));
    let mut clocks = || {
        black_box(Instant::now());
        black_box(SystemTime::now());
    };
    let mut rounds_of = |what: &str, hit: &mut dyn FnMut(), bound: &str| {
        let mut pairs = Vec::new();
        for _ in 0..rounds {
            pairs.push((nanoseconds(hit), nanoseconds(&mut clocks)));
        }
        let ratio = median(pairs.iter().map(|(hit, clocks)| hit / clocks).collect());
        let ours = median(pairs.iter().map(|(hit, _)| *hit).collect());
        let theirs = median(pairs.iter().map(|(_, clocks)| *clocks).collect());
        println!("| {what} | {ours:.0} ns | reading both clocks: {theirs:.0} ns | {ratio:.2} | {bound} |");
    };
    rounds_of("a token hit", &mut hit, "1.5");
    rounds_of("the same through a future: `token().await`", &mut awaited, "");
}

fn nanoseconds(run: &mut dyn FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..HITS {
        run();
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(HITS)
}
