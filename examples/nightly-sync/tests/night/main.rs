//! Tests of the nightly sync against a sandbox: its writes, and its behavior on failures.
#![allow(clippy::unwrap_used)]

mod faults;
mod file;
mod restart;
mod shows;
mod vendors;

use std::{collections::BTreeMap, fs, path::PathBuf, time::Duration};

use nightly_sync::{BATCH, Report, State, sync};
use perenso::{Perenso, RetryPolicy, TokenPolicy};
use perenso_sandbox::{Behavior, Builder, Fault, Sandbox, Show, Step, Target};
use serde_json::Value;
use tempfile::TempDir;

const BULK: &str = "/v2/customers/bulk";
const HEADER: &str = "number,name,street,zip,city,phone,warehouse\n";

/// A show, its client, and a folder for the ERP's file and the state.
struct Night {
    sandbox: Sandbox,
    show: Perenso,
    folder: TempDir,
}

impl Night {
    async fn new() -> Self {
        Self::of(Sandbox::builder().customers(0)).await
    }

    async fn under(behavior: Behavior) -> Self {
        Self::of(Sandbox::builder().customers(0).behavior(behavior)).await
    }

    async fn of(builder: Builder) -> Self {
        Self::over(builder.start().await.unwrap())
    }

    fn over(sandbox: Sandbox) -> Self {
        let show = client(&sandbox);
        Self { show, sandbox, folder: tempfile::tempdir().unwrap() }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("customers.csv")
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state.json")
    }

    /// Replaces the lines of the ERP's file.
    fn erp(&self, lines: impl IntoIterator<Item = String>) {
        fs::write(self.file(), HEADER.to_owned() + &lines.into_iter().collect::<Vec<_>>().join("\n")).unwrap();
    }

    /// Runs the sync as a new process would.
    async fn run(&self) -> Report {
        let mut state = State::open(self.state(), self.sandbox.client_id()).unwrap();
        sync(&self.show, &self.file(), &mut state).await.unwrap()
    }

    /// Lets `after` bulk calls succeed, then makes `times` of them fail.
    fn break_bulk(&self, after: u64, times: u64, fault: Fault) {
        self.sandbox.script(Step::new(fault).after(after).times(times).on(Target::call("POST", BULK)));
    }

    /// Returns the names of the customers that the show holds, by number.
    fn held(&self) -> BTreeMap<String, String> {
        held(&self.sandbox)
    }

    /// Returns the numbers in each bulk call since the journal was cleared, including failed calls.
    fn sent(&self) -> Vec<Vec<String>> {
        let calls = self.sandbox.journal().into_iter().filter(|call| call.path == BULK);
        let numbers = |body: String| {
            let records: Vec<Value> = serde_json::from_str(&body).unwrap();
            records.iter().map(|record| record["customerID"].as_str().unwrap().to_owned()).collect()
        };
        calls.map(|call| numbers(call.body)).collect()
    }
}

/// Returns a client whose retry delays are short enough for a test.
fn client(show: &Show) -> Perenso {
    let (first, longest) = (Duration::from_millis(1), Duration::from_millis(10));
    Perenso::builder_from_vars(show.vars())
        .unwrap()
        .unlimited()
        .retry(RetryPolicy::default().backoff(first, longest))
        .token_policy(TokenPolicy::default().backoff(first, longest))
        .build()
        .unwrap()
}

/// Returns the names of the customers of a show, by number. Panics if one is there twice.
fn held(show: &Show) -> BTreeMap<String, String> {
    let mut held = BTreeMap::new();
    for customer in show.customers() {
        let text = |name: &str| customer[name].as_str().unwrap_or_default().to_owned();
        assert_eq!(held.insert(text("customerID"), text("customerName")), None, "there twice: {customer}");
    }
    held
}

/// Returns a line of the ERP's file.
fn line(number: usize, name: &str) -> String {
    format!("{},{name},1 Sample Street,00501,Sampletown,(555) 555-0101,WH0001", id(number))
}

fn id(number: usize) -> String {
    format!("E{number:05}")
}

/// Returns `count` lines of the ERP's file, with names that begin with `name`.
fn lines(count: usize, name: &str) -> Vec<String> {
    (0..count).map(|number| line(number, &format!("{name} {number}"))).collect()
}

/// Asserts that the show holds exactly `count` customers, with the names that [`lines`] gives them.
fn assert_held(held: &BTreeMap<String, String>, count: usize, name: &str) {
    let expected: BTreeMap<_, _> = (0..count).map(|number| (id(number), format!("{name} {number}"))).collect();
    assert_eq!(*held, expected);
}

/// Two full batches and a smaller last one.
const MANY: usize = 2 * BATCH + LAST;
const LAST: usize = 80;
