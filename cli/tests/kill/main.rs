//! `perenso … load`, killed again and again: after the last run every record with a key is in the show exactly once, no record
//! without a key is sent twice, and the result files together name each row once.
//!
//! `KILLS=300 cargo test -p perenso-cli --test kill -- --nocapture` kills it so often. `KILL_SEED` has the seed that a run
//! prints, and `KILL_ROUND` repeats one of its rounds.
#![cfg(unix)]
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, unreachable_pub)]

mod journal;
mod moment;
mod proxy;
mod round;
mod rows;
mod verdict;

use std::{
    collections::BTreeMap,
    fs::File,
    io::Write,
    path::Path,
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use moment::Phase;
use round::Round;

/// The number of rounds at a time.
const WORKERS: usize = 2;
/// The number of kills after which a line is printed.
const LINE: usize = 50;

struct Progress {
    next_round: u64,
    kills: usize,
    phases: BTreeMap<Phase, usize>,
    problems: Vec<String>,
    log: File,
}

#[test]
fn a_load_that_is_killed_loses_and_doubles_nothing() {
    let number =
        |name: &str| std::env::var(name).ok().map(|value| value.parse::<u64>().expect("a variable is a number"));
    let wanted = usize::try_from(number("KILLS").unwrap_or(12)).unwrap();
    let seed = number("KILL_SEED").unwrap_or_else(|| fastrand::u64(..1_000_000));
    let only = number("KILL_ROUND");
    let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kills.log");
    println!("seed {seed}; every kill is in {}", log.display());
    // At least 20 in each phase, if there are many.
    let least = if only.is_some() { 0 } else { (wanted / 15).min(20) };
    let started = Instant::now();
    let progress = Mutex::new(Progress {
        next_round: only.unwrap_or_default(),
        kills: 0,
        phases: BTreeMap::new(),
        problems: Vec::new(),
        log: File::create(&log).unwrap(),
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let work = || {
        loop {
            let number = {
                let mut progress = progress.lock().unwrap();
                // The moments are random: a few more kills until each phase has enough.
                let is_enough = progress.lacking(least).is_none() || progress.kills >= 4 * wanted;
                if progress.kills >= wanted && is_enough || !progress.problems.is_empty() {
                    return;
                }
                progress.next_round += 1;
                progress.next_round - 1
            };
            let mut round = Round::new(seed, number, &runtime);
            let problems = round.run();
            progress.lock().unwrap().note(&round, wanted, started.elapsed());
            if !problems.is_empty() {
                let count = problems.len();
                let kills: Vec<_> = round.kills.iter().map(|kill| kill.text.clone()).collect();
                let shown = problems.iter().take(10).cloned().collect::<Vec<_>>().join("\n");
                let kept = round.keep();
                progress.lock().unwrap().problems.push(format!(
                    "seed {seed}, round {number}: {count} problems\n{shown}\nthe kills:\n{}\nits files are in {}",
                    kills.join("\n"),
                    kept.display()
                ));
            }
            if only.is_some() {
                return;
            }
        }
    };
    thread::scope(|scope| {
        let workers = if only.is_some() { 1 } else { WORKERS };
        (0..workers).for_each(|_| drop(scope.spawn(work)));
    });
    let progress = progress.into_inner().unwrap();
    println!("{} kills in {:.0} s", progress.kills, started.elapsed().as_secs_f64());
    for phase in Phase::ALL {
        println!("{:>6}  {phase:?}", progress.phases.get(&phase).copied().unwrap_or_default());
    }
    assert!(progress.problems.is_empty(), "{}", progress.problems.join("\n\n"));
    if let Some(phase) = progress.lacking(least) {
        panic!("too few kills of {phase:?}: at least {least} are required");
    }
}

impl Progress {
    /// Returns a required phase with fewer kills than this.
    fn lacking(&self, least: usize) -> Option<Phase> {
        Phase::REQUIRED.into_iter().find(|phase| self.phases.get(phase).copied().unwrap_or_default() < least)
    }

    fn note(&mut self, round: &Round, wanted: usize, elapsed: Duration) {
        let before = self.kills;
        for kill in &round.kills {
            *self.phases.entry(kill.phase).or_default() += 1;
            writeln!(self.log, "{}", kill.text).unwrap();
        }
        self.kills += round.kills.len();
        if before / LINE != self.kills / LINE {
            println!("{} of {wanted} kills after {:.0} s", self.kills, elapsed.as_secs_f64());
        }
    }
}
