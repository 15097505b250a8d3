//! A task that writes and reads its own customers, requests faults, and records the results.

use std::{collections::BTreeMap, ops::AddAssign, sync::Arc, time::Duration, time::Instant};

use perenso::{
    Error, Perenso, RecordOutcome,
    types::{Customer, CustomerV2},
};
use perenso_sandbox::{Fault, Sandbox};

use crate::keys::States;

/// The number of customers of a task. It is small, so that each is used many times.
const KEYS: usize = 8;

pub struct Task {
    show: Perenso,
    sandbox: Arc<Sandbox>,
    random: fastrand::Rng,
    /// Counts the writes, so that each has a unique mark.
    writes: u64,
    names: Vec<String>,
    ids: BTreeMap<String, String>,
    report: Report,
}

/// The results of a task.
#[derive(Default)]
pub struct Report {
    pub acknowledged: u64,
    pub failed: u64,
    pub unknown: u64,
    pub faults: u64,
    /// The faults that may cost a token.
    pub token_faults: u64,
    pub keys: BTreeMap<String, States>,
}

impl AddAssign for Report {
    fn add_assign(&mut self, other: Self) {
        self.acknowledged += other.acknowledged;
        self.failed += other.failed;
        self.unknown += other.unknown;
        self.faults += other.faults;
        self.token_faults += other.token_faults;
        self.keys.extend(other.keys);
    }
}

impl Task {
    pub fn new(number: usize, show: Perenso, sandbox: Arc<Sandbox>) -> Self {
        let names: Vec<String> = (0..KEYS).map(|key| format!("T{number:02}-{key}")).collect();
        let keys = names.iter().map(|name| (name.clone(), States::absent())).collect();
        let report = Report { keys, ..Report::default() };
        let random = fastrand::Rng::with_seed(number as u64);
        Self { show, sandbox, random, writes: 0, names, ids: BTreeMap::new(), report }
    }

    pub async fn run(mut self, end: Instant) -> Report {
        while Instant::now() < end {
            if self.random.u8(..100) < 30 {
                self.order_a_fault();
            }
            let name = self.names[self.random.usize(..KEYS)].clone();
            match self.random.u8(..100) {
                // A create is not an upsert, so it is sent only if the customer is certainly absent.
                0..30 if self.states(&name).is_certainly_absent() => self.create(name).await,
                0..30 => self.update(name).await,
                30..50 => self.upsert().await,
                50..65 => self.delete(name).await,
                65..85 => self.read(name).await,
                85..95 => self.read_a_page().await,
                _ => self.run_an_export().await,
            }
        }
        self.report
    }

    fn states(&mut self, name: &str) -> &mut States {
        self.report.keys.get_mut(name).unwrap()
    }

    fn mark(&mut self) -> String {
        self.writes += 1;
        self.writes.to_string()
    }

    fn order_a_fault(&mut self) {
        self.report.faults += 1;
        let pause = Duration::from_millis(self.random.u64(1..20));
        let fault = match self.random.u8(..14) {
            0 => Fault::status(500),
            1 => Fault::status(502),
            2 => Fault::page(503),
            3 => Fault::page(200),
            4 => {
                self.report.token_faults += 1;
                Fault::status(401)
            }
            5 => Fault::status(429).with_header("retry-after", "0"),
            6 => Fault::Delay(pause),
            7 => Fault::Slow { piece: 200, pause: Duration::from_millis(1) },
            8 => Fault::CutBody,
            9 => Fault::CutAfter(20),
            10 => Fault::EmptyBody,
            11 => Fault::DropConnection,
            12 => Fault::DropResponse,
            _ => return self.order_a_token_fault(),
        };
        self.sandbox.fault(fault);
    }

    fn order_a_token_fault(&mut self) {
        // Token requests are a hundred times rarer than calls.
        if self.random.u8(..20) > 0 {
            return;
        }
        self.report.token_faults += 1;
        match self.random.u8(..5) {
            0 => self.sandbox.token_fault(Fault::status(503)),
            1 => self.sandbox.token_fault(Fault::DropResponse),
            2 => self.sandbox.token_fault(Fault::Delay(Duration::from_millis(300))),
            3 => self.sandbox.revoke_tokens(),
            _ => self.sandbox.revoke_refresh_tokens(),
        }
    }

    /// Records the result of a write of `mark`. Returns its value if it was acknowledged.
    fn told<T>(&mut self, name: &str, mark: Option<String>, result: Result<T, Error>) -> Option<T> {
        match result {
            Ok(value) => {
                self.report.acknowledged += 1;
                self.states(name).is(mark);
                Some(value)
            }
            Err(error) => {
                self.report.failed += 1;
                if error.may_have_written() {
                    self.report.unknown += 1;
                    self.states(name).may_be(mark);
                }
                None
            }
        }
    }

    fn asked<T>(&mut self, result: Result<T, Error>) -> Option<T> {
        match result {
            Ok(value) => {
                self.report.acknowledged += 1;
                Some(value)
            }
            Err(_) => {
                self.report.failed += 1;
                None
            }
        }
    }

    async fn create(&mut self, name: String) {
        self.ids.remove(&name);
        let mark = self.mark();
        let customer =
            Customer { customer_id: name.as_str().into(), extra1: mark.as_str().into(), ..Customer::default() };
        let result = self.show.customers().create(&customer).await;
        if let Some(created) = self.told(&name, Some(mark), result) {
            self.ids.insert(name, created.id.as_deref().unwrap().to_owned());
        }
    }

    async fn update(&mut self, name: String) {
        let Some(id) = self.ids.get(&name).cloned() else { return };
        let mark = self.mark();
        let change = Customer { extra1: mark.as_str().into(), ..Customer::default() };
        let result = self.show.customers().update(id.as_str(), &change).await;
        if result.as_ref().is_err_and(|error| error.is_not_found()) {
            // An earlier delete, whose response was lost, had happened.
            assert!(self.states(&name).allow(None), "{name} is gone, and nobody deleted it");
            self.report.failed += 1;
            self.states(&name).is(None);
            return;
        }
        self.told(&name, Some(mark), result);
    }

    async fn upsert(&mut self) {
        let mark = self.mark();
        let count = self.random.usize(1..=KEYS);
        let names = self.random.choose_multiple(self.names.clone(), count);
        let records = names.iter().map(|name| CustomerV2 {
            customer_id: name.as_str().into(),
            extra1: mark.as_str().into(),
            ..CustomerV2::default()
        });
        let report = self.show.customers().upsert(records.collect::<Vec<_>>()).batch_size(3).send().await.unwrap();
        assert_eq!((report.outcomes().len(), report.unmatched()), (count, 0));
        for (name, outcome) in names.iter().zip(report.outcomes()) {
            match outcome {
                RecordOutcome::Succeeded { id } => {
                    self.report.acknowledged += 1;
                    self.ids.insert(name.clone(), id.clone().unwrap());
                    self.states(name).is(Some(mark.clone()));
                }
                RecordOutcome::Unaccounted | RecordOutcome::Unknown => {
                    self.report.failed += 1;
                    self.report.unknown += 1;
                    self.states(name).may_be(Some(mark.clone()));
                    // The customer may have another id now, so calls with the old one say nothing about it.
                    self.ids.remove(name);
                }
                RecordOutcome::Refused | RecordOutcome::NotSent => self.report.failed += 1,
                other => panic!("{name} is a good record, and was {other:?}"),
            }
        }
    }

    async fn delete(&mut self, name: String) {
        let Some(id) = self.ids.get(&name).cloned() else { return };
        let result = self.show.customers().delete(id.as_str()).await;
        if result.as_ref().is_err_and(|error| error.is_not_found()) {
            assert!(self.states(&name).allow(None), "{name} is gone, and nobody deleted it");
            self.report.failed += 1;
            self.states(&name).is(None);
            return;
        }
        self.told(&name, None, result);
    }

    async fn read(&mut self, name: String) {
        let Some(id) = self.ids.get(&name).cloned() else { return };
        let result = self.show.customers().get(id.as_str()).await;
        match result {
            Err(error) if error.is_not_found() => {
                assert!(self.states(&name).allow(None), "{name} is gone, and nobody deleted it");
            }
            result => {
                if let Some(customer) = self.asked(result) {
                    let mark = customer.extra1.as_deref();
                    assert!(self.states(&name).allow(mark), "{name} has the mark {mark:?}: {:?}", self.states(&name));
                }
            }
        }
    }

    async fn read_a_page(&mut self) {
        let result = self.show.customers().list().page_size(20).page(1).await;
        if let Some(page) = self.asked(result) {
            assert_eq!(page.items.len(), 20, "there are more customers than that");
        }
    }

    async fn run_an_export(&mut self) {
        let exports = self.show.exports();
        let run = exports.run("Get API Customers").value("Cursor", 1).value("Limit", 15);
        let result = async { run.send().await?.rows::<serde_json::Value>() }.await;
        if let Some(rows) = self.asked(result) {
            assert_eq!(rows.len(), 15);
        }
    }
}
