//! Sends the rows that are not sent yet, batch by batch.

use std::pin::Pin;

use futures_util::FutureExt;
use perenso::{
    BulkReport, Perenso, RecordOutcome,
    types::{CustomerV2, OrderHistoryItem, OrderLineUpdate, Vendor},
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{
    check::Check,
    input::Input,
    journal::{Journal, Outcome, State},
    target::BulkCall,
};
use crate::output::{Failure, Output};

/// The end of a run of batches.
#[derive(Debug)]
pub(crate) enum Ended {
    Complete,
    Interrupted,
    /// By an error of a call. The rows of its batch have outcomes all the same.
    Failed(Failure),
}

/// Sends rows.
pub(crate) struct Sender<'a> {
    pub(crate) show: &'a Perenso,
    pub(crate) input: &'a Input,
    pub(crate) check: &'a Check,
    pub(crate) batch_size: usize,
    pub(crate) output: Output,
    /// Ends when the command is to stop.
    pub(crate) interruption: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// The rows of a batch.
#[derive(Default)]
struct Batch {
    numbers: Vec<u32>,
    records: Vec<Map<String, Value>>,
}

impl Sender<'_> {
    /// Sends all rows that have no outcome. Each batch is in the journal before it is sent, and its outcomes before the next.
    pub(crate) async fn run(mut self, journal: &mut Journal) -> Result<Ended, Failure> {
        let has_key = self.input.target().key.is_some();
        let mut batch = Batch::default();
        let mut rows = self.input.rows()?;
        while let Some((number, row)) = rows.next()? {
            if *journal.state(number) != State::NotSent {
                continue;
            }
            let checked = self.input.record(row);
            if self.check.problems(number, &checked).is_some() {
                continue;
            }
            // The SDK sends a vendor without an id by itself. So does the journal, which then knows of each one.
            let goes_alone = has_key && checked.key.is_none();
            if (goes_alone || batch.numbers.len() >= self.batch_size)
                && let Some(ended) = self.send(journal, std::mem::take(&mut batch)).await?
            {
                return Ok(ended);
            }
            batch.numbers.push(number);
            batch.records.push(checked.record);
            if goes_alone && let Some(ended) = self.send(journal, std::mem::take(&mut batch)).await? {
                return Ok(ended);
            }
        }
        Ok(self.send(journal, batch).await?.unwrap_or(Ended::Complete))
    }

    /// Sends a batch. Returns the end of the run, if it is one.
    async fn send(&mut self, journal: &mut Journal, batch: Batch) -> Result<Option<Ended>, Failure> {
        if batch.numbers.is_empty() {
            return Ok(None);
        }
        if (&mut self.interruption).now_or_never().is_some() {
            return Ok(Some(Ended::Interrupted));
        }
        self.input.require_unchanged()?;
        journal.send(batch.numbers.clone())?;
        let sent = match self.input.target().call {
            BulkCall::Customers => {
                Sent::of(self.show.customers().upsert(records::<CustomerV2>(batch.records)?).send().await)
            }
            BulkCall::Vendors => Sent::of(self.show.vendors().upsert(records::<Vendor>(batch.records)?).send().await),
            BulkCall::OrderLines => {
                Sent::of(self.show.orders().update(records::<OrderLineUpdate>(batch.records)?).send().await)
            }
            BulkCall::OrderHistory => {
                Sent::of(self.show.order_history().create(records::<OrderHistoryItem>(batch.records)?).send().await)
            }
        };
        // Without a report nothing was sent.
        let outcomes = sent.outcomes.into_iter().chain(std::iter::repeat(Outcome::NotSent));
        journal.outcomes(batch.numbers.iter().copied().zip(outcomes).collect())?;
        if self.output.draws_progress() {
            let last = batch.numbers.last().copied().unwrap_or_default() + 1;
            self.output.progress(&format!("loading: row {last} of {}", self.check.rows));
        }
        Ok(sent.failure.map(Ended::Failed))
    }
}

fn records<R: DeserializeOwned>(records: Vec<Map<String, Value>>) -> Result<Vec<R>, Failure> {
    let read = |record| serde_json::from_value(Value::Object(record));
    // The message of the parser could quote a value.
    let records: Result<_, _> = records.into_iter().map(read).collect();
    records.map_err(|_| Failure::failed("a row is no record of this resource, although it was checked"))
}

/// The outcomes of a batch.
struct Sent {
    /// Empty if nothing was sent.
    outcomes: Vec<Outcome>,
    failure: Option<Failure>,
}

impl Sent {
    fn of<R>(result: Result<BulkReport<R>, perenso::Error>) -> Self {
        let report = match result {
            Ok(report) => report,
            Err(error) => return Self { outcomes: Vec::new(), failure: Some(error.into()) },
        };
        let unmatched = report.unmatched_failures().iter().flat_map(|failure| {
            let id = failure.id.iter().map(|id| format!("`{id}`"));
            id.chain(failure.reasons.iter().cloned()).collect::<Vec<_>>()
        });
        let mut said: Vec<String> = unmatched.collect();
        said.dedup();
        let said = said.join("; ");
        let mut is_refused = false;
        let outcomes = report.outcomes().map(|outcome| match outcome {
            RecordOutcome::Succeeded { id } => Outcome::Succeeded(id.clone()),
            RecordOutcome::Failed { reasons } => Outcome::Failed(reasons.join("; ")),
            RecordOutcome::Unaccounted => Outcome::Unaccounted(said.clone()),
            RecordOutcome::Refused => {
                is_refused = true;
                Outcome::NotSent
            }
            RecordOutcome::NotSent => Outcome::NotSent,
            // An outcome that this version does not know is not known.
            _ => Outcome::Unknown,
        });
        let outcomes = outcomes.collect();
        let refusal = report.refusals().last().filter(|_| is_refused);
        Self { outcomes, failure: report.error().or(refusal).cloned().map(Failure::from) }
    }
}
