//! What became of every record of a bulk upsert, and what may go out again.

use std::{collections::HashMap, fmt, ops::Range};

use crate::error::Error;

/// What became of a record.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordOutcome {
    /// It was created or updated. The API does not say which of the two, so this cannot be known from the response.
    Succeeded {
        /// The record's `id`.
        id: Option<String>,
    },
    /// It was refused, for these reasons.
    Failed {
        /// In the words of the server. They may quote the record.
        reasons: Vec<String>,
    },
    /// The answer came and does not mention it.
    Unaccounted,
    /// The answer was lost: it may have been written.
    Unknown,
    /// Its batch was refused as a whole, and too many were for taking it apart: it certainly was not processed.
    Refused,
    /// It was not sent, or certainly not processed.
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

/// A reason for which records were refused, and how many. Its text may quote a record, so `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reason {
    /// In the words of the server, the record's key replaced by `…` so that equal reasons meet.
    pub text: String,
    /// How many records were refused for it.
    pub count: usize,
    /// The input index of the first of them.
    pub first: usize,
}

impl fmt::Debug for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reason").field("count", &self.count).field("first", &self.first).finish_non_exhaustive()
    }
}

/// What became of every record of a bulk upsert.
///
/// The guide to [lists and bulk](crate::guide::lists_and_bulk) says what to do with it.
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
///         RecordOutcome::Succeeded { id } => println!("{:?} is {id:?}", customer.customer_id),
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
    pub(super) unmatched: usize,
}

/// How many records had which outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Created or updated.
    pub succeeded: usize,
    /// Refused.
    pub failed: usize,
    /// Sent, answered, not mentioned.
    pub unaccounted: usize,
    /// Sent, the answer lost.
    pub unknown: usize,
    /// In a batch that was refused as a whole.
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
    /// The outcomes of all records so far, those still to be sent counted in `not_sent`.
    pub counts: Counts,
    /// The input indexes of the batch that has just ended. A batch that was refused as a whole is sent again in halves.
    pub batch: Range<usize>,
}

impl<R> BulkReport<R> {
    /// What became of the records, in the order of the input.
    pub fn outcomes(&self) -> impl ExactSizeIterator<Item = &RecordOutcome> {
        self.records.iter().map(|(_, outcome)| outcome)
    }

    /// The records with what became of them, in the order of the input.
    pub fn records(&self) -> impl ExactSizeIterator<Item = (&R, &RecordOutcome)> {
        self.records.iter().map(|(record, outcome)| (record, outcome))
    }

    /// The fault that ended it before all was sent, if one did; after a [stop](Self::is_stopped), the one that was not retried.
    pub fn error(&self) -> Option<&Error> {
        self.error.as_ref()
    }

    /// Returns true if a requested stop ended it before all was sent. What was left is `NotSent`.
    pub fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// The batches that were refused as a whole (400, 413 or 422), in order. Each was taken apart and sent in halves, so
    /// these errors are of interest for what their bodies say; the records have outcomes of their own.
    pub fn refusals(&self) -> &[Error] {
        &self.refusals
    }

    /// How many entries of the answers belong to no record that was sent.
    pub fn unmatched(&self) -> usize {
        self.unmatched
    }

    /// Whether every record succeeded.
    pub fn all_succeeded(&self) -> bool {
        self.outcomes().all(|outcome| matches!(outcome, RecordOutcome::Succeeded { .. }))
    }

    /// How many had which outcome; the numbers add up to the number of records.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for outcome in self.outcomes() {
            *counts.of(outcome) += 1;
        }
        counts
    }

    /// What can be sent again without harm, as the next input: what was not sent or was in a batch that was refused as a
    /// whole, and of what has a key also what is unknown or unaccounted for. A record that was refused itself is not among
    /// it, since it would be refused again.
    pub fn into_retry(self) -> Vec<R> {
        let again = |outcome: &RecordOutcome, keyed: bool| match outcome {
            RecordOutcome::NotSent | RecordOutcome::Refused => true,
            RecordOutcome::Unknown | RecordOutcome::Unaccounted => keyed,
            RecordOutcome::Succeeded { .. } | RecordOutcome::Failed { .. } => false,
        };
        let records = self.records.into_iter().zip(self.keys);
        records.filter(|((_, outcome), key)| again(outcome, key.is_some())).map(|((record, _), _)| record).collect()
    }

    /// Why records were refused, each reason once, the most frequent first.
    ///
    /// ```no_run
    /// # async fn example(show: perenso::Perenso) -> Result<(), Box<dyn std::error::Error>> {
    /// # let from_erp: Vec<perenso::types::CustomerV2> = Vec::new();
    /// let report = show.customers().upsert(from_erp).send().await?;
    /// for reason in report.reasons() {
    ///     println!("{} times, first at record {}: {}", reason.count, reason.first, reason.text);
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
            .field("unmatched", &self.unmatched)
            .finish_non_exhaustive()
    }
}
