//! The response to a batch, in one form for the five that the API has.

use std::{collections::HashMap, ops::Range};

use super::{
    Record,
    report::{RecordOutcome, SucceededCount, UnmatchedFailure},
};
use crate::{records::Field, types::*};

/// The response to a batch.
pub struct BatchResponse {
    pub(crate) successful: Successful,
    pub(crate) failed: Vec<FailedEntry>,
}

/// The records of a batch that were written.
pub(crate) enum Successful {
    Entries(Vec<SucceededEntry>),
    /// Their number, for calls that name no records.
    Count(u64),
}

/// A record that was written.
pub(crate) struct SucceededEntry {
    pub(crate) key: Option<String>,
    pub(crate) id: Option<String>,
}

/// A record that was refused.
pub(crate) struct FailedEntry {
    pub(crate) key: Option<String>,
    /// Its place in the batch, from 1.
    pub(crate) row: Option<i64>,
    pub(crate) reasons: Vec<String>,
}

#[cfg_attr(partial_facade, cfg(any(facade = "customers().upsert()", facade = "vendors().upsert()")))]
impl BatchResponse {
    /// Converts the response of an upsert, with the key fields of its entries.
    pub(crate) fn of_upsert(
        response: BulkAnswer,
        key_of_success: fn(&BulkSuccess) -> &Field<String>,
        key_of_failure: fn(&BulkFailure) -> &Field<String>,
    ) -> Self {
        let entry = |entry: &BulkSuccess| SucceededEntry {
            key: key_of_success(entry).get().cloned(),
            id: entry.id.get().cloned(),
        };
        let failure = |entry: &BulkFailure| FailedEntry {
            key: key_of_failure(entry).get().cloned(),
            row: None,
            reasons: entry.reasons().map(str::to_owned).collect(),
        };
        Self {
            successful: Successful::Entries(response.successful.iter().map(entry).collect()),
            failed: response.failed.iter().map(failure).collect(),
        }
    }
}

/// The parts of all responses that match no record.
#[derive(Default)]
pub(super) struct Rest {
    /// The number of entries of written records.
    pub(super) successes: usize,
    pub(super) failures: Vec<UnmatchedFailure>,
    pub(super) counts: Vec<SucceededCount>,
}

/// Sets the outcomes of a batch from its response. Parts that match no record are added to `rest`.
pub(super) fn account<R: Record>(
    batch: &Range<usize>,
    records: &[R],
    outcomes: &mut [RecordOutcome],
    response: BatchResponse,
    rest: &mut Rest,
) {
    outcomes.fill(RecordOutcome::Unaccounted);
    let keys = Keys::of(records);
    match response.successful {
        Successful::Entries(entries) => {
            for entry in entries {
                match keys.find(entry.key.as_deref()) {
                    Some(index) => outcomes[index] = RecordOutcome::Succeeded { id: entry.id },
                    None => rest.successes += 1,
                }
            }
        }
        // A smaller number does not say which records were written.
        Successful::Count(count) => {
            if response.failed.is_empty() && usize::try_from(count) == Ok(records.len()) {
                outcomes.fill(RecordOutcome::Succeeded { id: None });
            }
            rest.counts.push(SucceededCount { batch: batch.clone(), count });
        }
    }
    // A record in both lists counts as failed: checking it twice is better than losing it.
    for FailedEntry { key, row, reasons } in response.failed {
        // The meaning of a row is inferred, so a record that was written stays so.
        let by_row = || {
            let index = usize::try_from(row?.checked_sub(1)?).ok()?;
            matches!(outcomes.get(index)?, RecordOutcome::Unaccounted).then_some(index)
        };
        match keys.find(key.as_deref()).or_else(by_row) {
            Some(index) => outcomes[index] = RecordOutcome::Failed { reasons },
            None => rest.failures.push(UnmatchedFailure { batch: batch.clone(), id: key, reasons }),
        }
    }
}

/// The keys of a batch.
struct Keys<'a> {
    by_key: HashMap<&'a str, usize>,
    /// The batch is one record without a key.
    is_single: bool,
}

impl<'a> Keys<'a> {
    fn of<R: Record>(records: &'a [R]) -> Self {
        let keys = records.iter().enumerate();
        Self {
            by_key: keys.filter_map(|(index, record)| Some((record.key()?, index))).collect(),
            is_single: records.len() == 1 && records[0].key().is_none(),
        }
    }

    /// Returns the index of the record. An entry with an unknown key belongs to the only record of a batch if that has no key.
    fn find(&self, key: Option<&str>) -> Option<usize> {
        key.and_then(|key| self.by_key.get(key).copied()).or(self.is_single.then_some(0))
    }
}
