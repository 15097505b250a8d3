//! The nightly sync against a sandbox: what it writes, and what becomes of it when things go wrong.
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

/// An ERP, a show, and a folder for the file of the one and the state of the other.
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

    /// The ERP has these lines from now on.
    fn erp(&self, lines: impl IntoIterator<Item = String>) {
        fs::write(self.file(), HEADER.to_owned() + &lines.into_iter().collect::<Vec<_>>().join("\n")).unwrap();
    }

    /// One night: what a new process would do.
    async fn run(&self) -> Report {
        let mut state = State::open(self.state(), self.sandbox.client_id()).unwrap();
        sync(&self.show, &self.file(), &mut state).await.unwrap()
    }

    /// So many bulk calls go well, and so many fail.
    fn break_bulk(&self, after: u64, times: u64, fault: Fault) {
        self.sandbox.script(Step::new(fault).after(after).times(times).on(Target::call("POST", BULK)));
    }

    /// The customers that the show holds, by number, each with its name.
    fn held(&self) -> BTreeMap<String, String> {
        held(&self.sandbox)
    }

    /// The numbers in each bulk call since the journal was cleared, whatever became of the call.
    fn sent(&self) -> Vec<Vec<String>> {
        let calls = self.sandbox.journal().into_iter().filter(|call| call.path == BULK);
        let numbers = |body: String| {
            let records: Vec<Value> = serde_json::from_str(&body).unwrap();
            records.iter().map(|record| record["customerID"].as_str().unwrap().to_owned()).collect()
        };
        calls.map(|call| numbers(call.body)).collect()
    }
}

/// A client with pauses that a test can sit out.
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

/// The customers of a show; that none is there twice is part of every test.
fn held(show: &Show) -> BTreeMap<String, String> {
    let mut held = BTreeMap::new();
    for customer in show.customers() {
        let text = |name: &str| customer[name].as_str().unwrap_or_default().to_owned();
        assert_eq!(held.insert(text("customerID"), text("customerName")), None, "there twice: {customer}");
    }
    held
}

/// A line of the ERP's file.
fn line(number: usize, name: &str) -> String {
    format!("{},{name},1 Sample Street,00501,Sampletown,(555) 555-0101,WH0001", id(number))
}

fn id(number: usize) -> String {
    format!("E{number:05}")
}

/// So many customers of the ERP, whose names begin so.
fn lines(count: usize, name: &str) -> Vec<String> {
    (0..count).map(|number| line(number, &format!("{name} {number}"))).collect()
}

/// Whether the show holds exactly these customers, under these names.
fn assert_held(held: &BTreeMap<String, String>, count: usize, name: &str) {
    let expected: BTreeMap<_, _> = (0..count).map(|number| (id(number), format!("{name} {number}"))).collect();
    assert_eq!(*held, expected);
}

/// Two batches, and a last one.
const MANY: usize = 2 * BATCH + LAST;
const LAST: usize = 80;
