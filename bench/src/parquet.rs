//! Measures time and memory of an export of a million rows into a Parquet file against Python, each in a process of its own.

use std::{process::Command, time::Instant};

use perenso::exports::{RawRow, files::ToFile};
use serde::{Deserialize, Serialize};

use crate::{
    call, memory,
    server::{Server, Terms, runtime},
    table::{Bound, Table, median},
};

const SCRIPT: &str = include_str!("rival/parquet.py");

/// The report of the process that wrote the file.
#[derive(Deserialize, Serialize)]
struct Report {
    rows: u64,
    seconds: f64,
    /// The peak memory of the process in KiB, or 0 if it is unknown.
    peak: u64,
    versions: Option<String>,
}

/// Prints time and memory, or nothing without a Python. Returns the note on the rival for below the table.
pub(crate) fn measure(table: &mut Table, python: Option<&str>, thousands: usize, turns: usize) -> Option<String> {
    let python = python?;
    let server = Server::start(Terms::LASTING);
    let (count, rows) = (thousands.to_string(), thousands as u64 * 1000);
    let folder = std::env::temp_dir().join(format!("perenso-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let ours = || {
        let mut command = Command::new(std::env::current_exe().unwrap());
        run(command.args(["--write-parquet", &server.url, &count, &file("ours.parquet"), &file("schema.json")]))
            .unwrap()
    };
    let theirs = || run(Command::new(python).args(["-c", SCRIPT, &server.url, &count, &file("theirs.parquet")]));
    let first = ours();
    let mut reports = Vec::new();
    for _ in 0..turns {
        match theirs() {
            Ok(theirs) => reports.push((ours(), theirs)),
            Err(reason) => return Some(format!("A Parquet file by Python was not measured: {reason}")),
        }
    }
    let _ = std::fs::remove_dir_all(&folder);
    assert!(reports.iter().all(|(ours, theirs)| ours.rows == rows && theirs.rows == rows), "rows were lost");
    let of = |value: fn(&Report) -> f64| {
        let ours = median(reports.iter().map(|report| value(&report.0)).collect());
        (ours, median(reports.iter().map(|report| value(&report.1)).collect()))
    };
    let name = "httpx, `.json()`, `Table.from_pylist`";
    let (mine, other) = of(|report| report.seconds);
    let what = format!("{rows} rows into a Parquet file: times as fast");
    table.ratio(&what, &format!("{mine:.1} s"), &format!("{name}: {other:.1} s"), other / mine, Bound::AtLeast(5.0));
    let what = "the same, by a first run, which finds the schema: times as fast";
    let ours = format!("{:.1} s", first.seconds);
    table.ratio(what, &ours, &format!("{name}: {other:.1} s"), other / first.seconds, Bound::None);
    let (mine, other) = of(|report| report.peak as f64 / 1024.0);
    if mine > 0.0 {
        let (ours, theirs) = (format!("{mine:.0} MiB"), format!("{name}: {other:.0} MiB"));
        table.ratio("the same: the most memory", &ours, &theirs, mine / other, Bound::AtMost(0.1));
    }
    let versions = reports.last()?.1.versions.as_ref()?;
    Some(format!("The Parquet file by Python: {versions}."))
}

fn run(command: &mut Command) -> Result<Report, String> {
    let output = command.output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return serde_json::from_slice(&output.stdout).map_err(|error| error.to_string());
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    Err(complaint.trim().lines().last().unwrap_or("no reason given").to_owned())
}

/// Runs in the child process. Writes the file and prints the report.
pub(crate) fn write(url: &str, thousands: usize, path: &str, schema: &str) {
    let show = call::show_at(url);
    let start = Instant::now();
    let written = runtime(1).block_on(async {
        let rows = show.exports().run("Rows").value("Count", thousands).rows::<RawRow>().await.unwrap();
        ToFile::parquet(path).schema_file(schema).write(rows).await.unwrap()
    });
    let seconds = start.elapsed().as_secs_f64();
    let report = Report { rows: written.rows, seconds, peak: memory::peak().unwrap_or_default(), versions: None };
    println!("{}", serde_json::to_string(&report).unwrap());
}
