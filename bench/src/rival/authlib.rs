//! The rival in Python: Authlib with httpx, in a process of its own.

use std::{process::Command, time::Duration};

use serde::Deserialize;

const SCRIPT: &str = include_str!("authlib.py");

/// The output of the script.
#[derive(Deserialize)]
pub(crate) struct Report {
    pub(crate) failed: usize,
    pub(crate) seconds: f64,
    pub(crate) versions: String,
}

/// Runs the script. The error contains the reason if it cannot be run.
pub(crate) fn run(
    python: &str,
    url: &str,
    trouble: &str,
    callers: usize,
    first_life: Duration,
) -> Result<Report, String> {
    let args = [url, trouble, &callers.to_string(), &first_life.as_secs_f64().to_string()];
    let output = Command::new(python).args(["-c", SCRIPT]).args(args).output();
    let output = output.map_err(|error| format!("`{python}` cannot be started: {error}"))?;
    if output.status.success() {
        return serde_json::from_slice(&output.stdout).map_err(|error| error.to_string());
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    Err(complaint.trim().lines().last().unwrap_or("no reason given").to_owned())
}
