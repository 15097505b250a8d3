//! The nightly job: `nightly-sync customers.csv state.json`, with the show in the environment.
//!
//! `PERENSO_CLIENT_ID` and `PERENSO_CLIENT_SECRET` name the show. `PERENSO_API_URL` and `PERENSO_TOKEN_URL` replace it by a
//! sandbox. The exit code is 0 if the report is clean, 2 if somebody should read it, and 1 if there is none.
#![allow(clippy::print_stdout)]

use std::{path::Path, process::ExitCode};

use nightly_sync::{Failure, Report, State, sync};
use perenso::Perenso;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(report) => {
            print!("{report}");
            if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::from(2) }
        }
        Err(failure) => {
            eprintln!("nightly-sync: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<Report, Failure> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [file, state] = arguments.as_slice() else { return Err("usage: nightly-sync CUSTOMERS.csv STATE.json".into()) };
    let show = Perenso::from_env()?;
    let mut state = State::open(state, &std::env::var("PERENSO_CLIENT_ID")?)?;
    sync(&show, Path::new(file), &mut state).await
}
