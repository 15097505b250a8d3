//! Measures the return of a cached token against the reading of both clocks, which is the minimum.

use std::{
    future::Future,
    hint::black_box,
    pin::pin,
    task::{Context, Waker},
    time::{Duration, Instant, SystemTime},
};

use crate::{
    call::show,
    server::{Server, Terms, runtime},
    table::{Bound, Table, medians},
};

const HITS: u32 = 50_000;

/// Prints the time per hit.
pub(crate) fn measure(table: &mut Table, rounds: usize) {
    let server = Server::start(Terms::LASTING);
    let show = show(&server);
    runtime(1).block_on(async { drop(show.token(Duration::ZERO).await.unwrap()) });
    let mut hit = || drop(black_box(show.token_in_hand()));
    let mut context = Context::from_waker(Waker::noop());
    let mut awaited = || drop(black_box(pin!(show.token(Duration::ZERO)).poll(&mut context)));
    let mut clocks = || {
        black_box(Instant::now());
        black_box(SystemTime::now());
    };
    let mut rounds_of = |what: &str, hit: &mut dyn FnMut(), bound: Bound| {
        let turns: Vec<_> = (0..rounds).map(|_| (nanoseconds(hit), nanoseconds(&mut clocks))).collect();
        let (ours, theirs, ratio) = medians(&turns);
        let rival = format!("reading both clocks: {theirs:.0} ns");
        table.ratio(what, &format!("{ours:.0} ns"), &rival, ratio, bound);
    };
    rounds_of("a token hit", &mut hit, Bound::AtMost(1.5));
    rounds_of("the same through a future: `token().await`", &mut awaited, Bound::None);
}

fn nanoseconds(run: &mut dyn FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..HITS {
        run();
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(HITS)
}
