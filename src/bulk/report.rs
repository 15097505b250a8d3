//! The outcome of every record of a bulk upsert, and the records that are safe to resend.

use std::{collections::HashMap, fmt, ops::Range};

use super::response::Rest;
use crate::error::Error;

/// The outcome of a record.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordOutcome {
    /// Created or updated. The API does not say which of the two.
    Succeeded {
        /// The record's `id`.
        id: Option<String>,
    },
    /// Rejected, for these reasons.
    Failed {
        /// The reasons of the server. They may quote the record.
        reasons: Vec<String>,
    },
    /// Sent, but the response does not mention it.
    Unaccounted,
    /// Sent, but the response was lost. The record may have been written.
    Unknown,
    /// Not processed: its batch was refused as a whole, and not split because too many batches were refused before.
    Refused,
    /// Not sent, or certainly not processed.
    NotSent,
}

impl fmt::Debug for RecordOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Succeeded { id } => f.debug_struct("Succeeded").field("id", id).finish(),
            Self::Failed { reasons } => write!(f, "Failed {{ {} reasons hidden }}", reasons.len()),
            Self::Unaccounted => f.write_str("Unaccounted"),
            Self::Unknown => f.write_str("Unknown"),
            Self::Refused => f.write_str("Refused"),
            Self::NotSent => f.write_str("NotSent"),
        }
    }
}

/// A reason for which records were rejected, and their number. It may quote a record, so `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reason {
    /// The reason of the server, with the record's key replaced by `…` so that equal reasons are counted together.
    pub text: String,
    /// The number of records refused for this reason.
    pub count: usize,
    /// The input index of the first such record.
    pub first: usize,
}

impl fmt::Debug for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reason").field("count", &self.count).field("first", &self.first).finish_non_exhaustive()
    }
}

/// A failure that matches no record. It may quote one, so `Debug` shows neither its id nor its reasons.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnmatchedFailure {
    /// The input indexes of the batch with the failure.
    pub batch: Range<usize>,
    /// The identifier in the response. For order history, the vendor does not say what it identifies.
    pub id: Option<String>,
    /// The reasons of the server.
    pub reasons: Vec<String>,
}

/// The number of records of a batch that were written, if the response does not say which.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SucceededCount {
    /// The input indexes of the batch.
    pub batch: Range<usize>,
    /// The number in the response.
    pub count: u64,
}

impl fmt::Debug for UnmatchedFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { batch, reasons, .. } = self;
        write!(f, "UnmatchedFailure {{ batch: {batch:?}, {} reasons hidden }}", reasons.len())
    }
}

/// The report of a bulk write, with the outcome of every record.
///
/// See the guide to [lists and bulk](crate::guide::lists_and_bulk).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let sandbox = perenso_sandbox::Sandbox::start().await?;
/// # let show = perenso::Perenso::from_vars(sandbox.vars())?;
/// use perenso::{RecordOutcome, types::CustomerV2};
///
/// # let from_erp = ["5041", "5042"].map(|id| CustomerV2 { customer_id: id.into(), ..CustomerV2::default() });
/// let report = show.customers().upsert(from_erp).send().await?;
/// for (customer, outcome) in report.records() {
///     match outcome {
///         RecordOutcome::Succeeded { id } => println!("written, with id {id:?}"),
///         other => eprintln!("{:?}: {other:?}", customer.customer_id),
///     }
/// }
/// assert!(report.all_succeeded());
/// # Ok(()) }
/// ```
#[must_use = "a record may have been refused"]
pub struct BulkReport<R> {
    pub(super) records: Vec<(R, RecordOutcome)>,
    pub(super) keys: Vec<Option<String>>,
    pub(super) error: Option<Error>,
    pub(super) stopped: bool,
    pub(super) refusals: Vec<Error>,
    pub(super) rest: Rest,
}

/// The number of records per outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Created or updated.
    pub succeeded: usize,
    /// Refused.
    pub failed: usize,
    /// Sent, but not mentioned in the response.
    pub unaccounted: usize,
    /// Sent, but the response was lost.
    pub unknown: usize,
    /// In a batch that was refused as a whole and not split any further.
    pub refused: usize,
    /// Not sent, or certainly not processed.
    pub not_sent: usize,
}

impl Counts {
    pub(super) fn of(&mut self, outcome: &RecordOutcome) -> &mut usize {
        match outcome {
            RecordOutcome::Succeeded { .. } => &mut self.succeeded,
            RecordOutcome::Failed { .. } => &mut self.failed,
            RecordOutcome::Unaccounted => &mut self.unaccounted,
            RecordOutcome::Unknown => &mut self.unknown,
            RecordOutcome::Refused => &mut self.refused,
            RecordOutcome::NotSent => &mut self.not_sent,
        }
    }
}

/// The progress of a bulk upsert, after each of its batches.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BulkProgress {
    /// The outcomes so far. Records still to be sent count as `not_sent`.
    pub counts: Counts,
    /// The input indexes of the batch that has just ended. A batch that was refused as a whole is sent again in halves.
    pub batch: Range<usize>,
}

impl<R> BulkReport<R> {
    /// Returns the outcomes, in the order of the input.
    pub fn outcomes(&self) -> impl ExactSizeIterator<Item = &RecordOutcome> {
        self.records.iter().map(|(_, outcome)| outcome)
    }

    /// Returns the records with their outcomes, in the order of the input.
    pub fn records(&self) -> impl ExactSizeIterator<Item = (&R, &RecordOutcome)> {
        self.records.iter().map(|(record, outcome)| (record, outcome))
    }

    /// Returns the error that ended the upsert early, if there was one. After a [stop](Self::is_stopped), this is the error
    /// that was not retried.
    pub fn error(&self) -> Option<&Error> {
        self.error.as_ref()
    }

    /// Returns true if a requested stop ended the upsert early. The remaining records are `NotSent`.
    pub fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// Returns the errors of the batches that were refused as a whole (400, 413 or 422), in order.
    ///
    /// Such a batch is split and resent in halves, until too many are refused. The records have outcomes of their own. The bodies of these errors may
    /// contain details.
    pub fn refusals(&self) -> &[Error] {
        &self.refusals
    }

    /// Returns the number of response entries that match no record.
    pub fn unmatched(&self) -> usize {
        self.rest.successes + self.rest.failures.len()
    }

    /// Returns the failures of the server that match no record. All failures of
    /// [`OrderHistory::create`](crate::OrderHistory::create) are here, since that response names no items.
    pub fn unmatched_failures(&self) -> &[UnmatchedFailure] {
        &self.rest.failures
    }

    /// Returns the numbers of written records, for the batches whose response is a number instead of a list:
    /// [`OrderHistory::create`](crate::OrderHistory::create).
    pub fn succeeded_counts(&self) -> &[SucceededCount] {
        &self.rest.counts
    }

    /// Returns true if every record succeeded.
    pub fn all_succeeded(&self) -> bool {
        self.outcomes().all(|outcome| matches!(outcome, RecordOutcome::Succeeded { .. }))
    }

    /// Returns the number of records per outcome.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for outcome in self.outcomes() {
            *counts.of(outcome) += 1;
        }
        counts
    }

    /// Returns the records that are safe to resend. Rejected records are left out.
    ///
    /// These are records that were not sent, records of a batch that was refused as a whole, and records with a key whose
    /// outcome is unknown or unaccounted for.
    pub fn into_retry(self) -> Vec<R> {
        let again = |outcome: &RecordOutcome, keyed: bool| match outcome {
            RecordOutcome::NotSent | RecordOutcome::Refused => true,
            RecordOutcome::Unknown | RecordOutcome::Unaccounted => keyed,
            RecordOutcome::Succeeded { .. } | RecordOutcome::Failed { .. } => false,
        };
        let records = self.records.into_iter().zip(self.keys);
        records.filter(|((_, outcome), key)| again(outcome, key.is_some())).map(|((record, _), _)| record).collect()
    }

    /// Returns the reasons for which records were rejected, each once, the most frequent first.
    ///
    /// ```no_run
    /// # async fn example(show: perenso::Perenso) -> Result<(), Box<dyn std::error::Error>> {
    /// # let from_erp: Vec<perenso::types::CustomerV2> = Vec::new();
    /// let report = show.customers().upsert(from_erp).send().await?;
    /// for reason in report.reasons() {
    ///     println!("{} x {}, first at {}", reason.count, reason.text, reason.first);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn reasons(&self) -> Vec<Reason> {
        let mut groups: HashMap<String, (usize, usize)> = HashMap::new();
        for (index, (outcome, key)) in self.outcomes().zip(&self.keys).enumerate() {
            let RecordOutcome::Failed { reasons } = outcome else { continue };
            for reason in reasons {
                let text = match key {
                    Some(key) => reason.replace(key.as_str(), "…"),
                    None => reason.clone(),
                };
                groups.entry(text).or_insert((0, index)).0 += 1;
            }
        }
        let mut reasons: Vec<_> =
            groups.into_iter().map(|(text, (count, first))| Reason { text, count, first }).collect();
        reasons.sort_by(|a, b| b.count.cmp(&a.count).then(a.first.cmp(&b.first)).then(a.text.cmp(&b.text)));
        reasons
    }
}

impl<R> fmt::Debug for BulkReport<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BulkReport")
            .field("counts", &self.counts())
            .field("error", &self.error)
            .field("stopped", &self.stopped)
            .field("unmatched", &self.unmatched())
            .finish_non_exhaustive()
    }
}
