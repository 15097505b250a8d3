//! Measures a call, a token hit, a renewal, the rows of an export and a sandbox, each against a named rival in the same run.
//!
//! `cargo run --release -p perenso-bench` prints a table of ratios, which differ less between machines than times do. It
//! needs the binary `perenso-sandbox` beside its own. Options:
//!
//! - `--short` checks only that the benchmarks run; the numbers are meaningless
//! - `--python <path>` and `--prism <path>` add rivals from Python and Node.js
//! - `--sandbox` measures only the sandbox
//! - `--race` measures only a list call, against `middle`, the same by hand, reqwest without renewal, and the floor
//! - `--profile <racer> <records> <tasks> <calls>` makes calls in one of the ways, as `ours`, for a profiler. Valgrind's
//!   callgrind counts its instructions, which no other process disturbs
//! - `--rows` measures only the rows of an export
//! - `--record` measures only the reading of a record
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used)]

mod call;
mod check;
mod contention;
mod cores;
mod herd;
mod hit;
mod memory;
#[cfg(feature = "parquet")]
mod parquet;
mod race;
mod record;
mod renewal;
mod rival;
mod rows;
mod server;
mod stand_in;
mod table;

use std::{path::Path, process::ExitCode, time::Duration};

use table::{Bound, Table};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let Some(terms) = args.strip_prefix(&["--serve".to_owned()]).and_then(server::Terms::from_args) {
        server::serve(terms);
        return ExitCode::SUCCESS;
    }
    if let [stream, url, thousands] = &args[..]
        && stream == "--stream"
    {
        memory::stream(url, thousands.parse().unwrap());
        return ExitCode::SUCCESS;
    }
    #[cfg(feature = "parquet")]
    if let [write, url, thousands, path, schema] = &args[..]
        && write == "--write-parquet"
    {
        parquet::write(url, thousands.parse().unwrap(), path, schema);
        return ExitCode::SUCCESS;
    }
    // The rival's client uses the crypto provider of the process. The SDK has its own.
    let _ = rustls::crypto::ring::default_provider().install_default();
    if let [profile, name, records, tasks, calls] = &args[..]
        && profile == "--profile"
    {
        race::profile(name, records.parse().unwrap(), tasks.parse().unwrap(), calls.parse().unwrap());
        return ExitCode::SUCCESS;
    }
    let is_short = args.iter().any(|arg| arg == "--short");
    let (many, some) = if is_short { (3, 1) } else { (300, 9) };
    let turns = if is_short { 1 } else { 3 };
    let (thousands, mib) = if is_short { (20, 64) } else { (300, 1024) };
    let load = Duration::from_millis(if is_short { 100 } else { 3000 });
    let prism = args.iter().skip_while(|arg| *arg != "--prism").nth(1).map(Path::new);
    let python = args.iter().skip_while(|arg| *arg != "--python").nth(1).map(String::as_str);
    let mut table = Table::new();
    let race = |table: &mut Table| {
        let (rounds, calls) = if is_short { (1, 64) } else { (9, 6400) };
        for is_apart in [true, false] {
            for (records, tasks, bound) in [(1, 32, 1.05), (20, 32, 1.05), (1, 1, 1.0), (20, 1, 1.0)] {
                race::measure(table, records, tasks, is_apart, (rounds, calls), Bound::AtMost(bound));
            }
        }
    };
    if args.iter().any(|arg| arg == "--race") {
        race(&mut table);
        return ExitCode::SUCCESS;
    }
    if args.iter().any(|arg| arg == "--rows") {
        rows::measure(&mut table, some, thousands);
        return ExitCode::SUCCESS;
    }
    if args.iter().any(|arg| arg == "--record") {
        record::measure(&mut table, many);
        return ExitCode::SUCCESS;
    }
    if args.iter().any(|arg| arg == "--sandbox") {
        stand_in::measure(&mut table, prism, turns, load);
        return ExitCode::SUCCESS;
    }
    call::measure(&mut table, 1, many, Bound::AtMost(1.08));
    call::measure(&mut table, 64, many, Bound::AtMost(1.12));
    race(&mut table);
    record::measure(&mut table, many);
    hit::measure(&mut table, many);
    check::measure(&mut table, many);
    rows::measure(&mut table, some, thousands);
    memory::measure(&mut table, mib);
    #[cfg(feature = "parquet")]
    let said = parquet::measure(&mut table, python, if is_short { 10 } else { 1000 }, turns);
    contention::measure(&mut table, many);
    herd::measure(&mut table, some, false);
    herd::measure(&mut table, some, true);
    renewal::measure(&mut table, python);
    stand_in::measure(&mut table, prism, turns, load);
    #[cfg(feature = "parquet")]
    if let Some(said) = said {
        println!("{said}");
    }
    // Only counts decide the exit code, since times depend on the machine.
    if table.counts_are_met() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
