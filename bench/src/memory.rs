//! Measures the memory of a large export: the peak of a process that streams it, minus its peak after a small one.

use std::process::Command;

use crate::{
    call, rows,
    server::{Server, Terms, length, runtime},
    table::Table,
};

const MOST_KIB: u64 = 8 * 1024;

/// Prints the peak memory of a child process that streams `mib` MiB. (Linux only: it is read from `/proc`.)
pub(crate) fn measure(table: &mut Table, mib: usize) {
    let server = Server::start(Terms::LASTING);
    let thousands = (mib << 20).div_ceil(length(1)).to_string();
    let child = Command::new(std::env::current_exe().unwrap()).args(["--stream", &server.url, &thousands]).output();
    let child = child.unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
    let peaks = String::from_utf8(child.stdout).unwrap();
    let Some((idle, busy)) = peaks.trim().split_once(' ') else { return };
    let (idle, busy): (u64, u64) = (idle.parse().unwrap(), busy.parse().unwrap());
    table.count(
        &format!("peak memory of streaming an export of {mib} MiB"),
        &format!("{:.1} MiB over the idle process", (busy - idle) as f64 / 1024.0),
        &format!("idle: {:.1} MiB", idle as f64 / 1024.0),
        "at most 8 MiB",
        busy - idle <= MOST_KIB,
    );
}

/// Runs in the child process. Streams a small export, then a large one, and prints the peak after each in KiB.
pub(crate) fn stream(url: &str, thousands: usize) {
    let show = call::show_at(url);
    let runtime = runtime(2);
    runtime.block_on(rows::stream(&show, 1));
    let idle = peak();
    runtime.block_on(rows::stream(&show, thousands));
    if let (Some(idle), Some(busy)) = (idle, peak()) {
        println!("{idle} {busy}");
    }
}

/// Returns the peak memory of this process in KiB.
pub(crate) fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}
