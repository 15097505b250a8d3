//! A nightly sync of customers from an ERP into a show, as a template to copy.
//!
//! Sends the records that changed since the last run in bulk, and reports the outcome of each. The state contains the
//! records that the show is *known* to hold. After a failure the next run sends all others again. A record has a key, so
//! sending it twice does no harm. Nothing is deleted. Run one process at a time for each show.

use std::{
    collections::{BTreeSet, HashMap},
    path::Path,
};

use futures_util::TryStreamExt;
use perenso::{Direction, Perenso, RecordOutcome, types::CustomerV2};

mod erp;
mod report;
mod state;

pub use self::{
    erp::Erp,
    report::{Refusal, Report},
    state::State,
};

/// An error that ends a run without a report.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The number of records per call, which is also the maximum that is sent again after a crash.
pub const BATCH: usize = 200;

/// Writes the customers of the ERP's file to the show.
///
/// # Errors
/// If the file cannot be read or the state cannot be written. The report contains the errors of the show.
pub async fn sync(show: &Perenso, file: &Path, state: &mut State) -> Result<Report, Failure> {
    let erp = Erp::read(file)?;
    let mut report = Report { contradictions: erp.contradictions.iter().cloned().collect(), ..Report::default() };
    let at_show = match customer_ids(show).await {
        Ok(ids) => {
            report.only_at_show = ids.iter().filter(|id| !erp.knows(id)).cloned().collect();
            Some(ids)
        }
        Err(error) => {
            report.not_compared = Some(error);
            None
        }
    };

    let mut due = Vec::new();
    for (number, customer) in erp.customers {
        let digest = state::digest(&customer)?;
        let is_there = at_show.as_ref().is_none_or(|ids| ids.contains(&number));
        if is_there && state.held(&number) == Some(&digest) {
            report.unchanged += 1;
        } else {
            due.push((number, digest, customer));
        }
    }
    report.unreadable = erp.unreadable;

    let mut refusals = HashMap::new();
    let mut batches = due.chunks(BATCH);
    for batch in batches.by_ref() {
        if !send(show, state, batch, &mut report, &mut refusals).await? {
            break;
        }
    }
    report.again += batches.map(<[_]>::len).sum::<usize>();
    state.save()?;
    report.refusals = refusals.into_values().collect();
    report.refusals.sort_by(|a: &Refusal, b| b.count.cmp(&a.count).then_with(|| a.reason.cmp(&b.reason)));
    Ok(report)
}

/// Returns the `customerID` of each customer of the show. The SDK reads up to an empty page, so none is missed.
async fn customer_ids(show: &Perenso) -> Result<BTreeSet<String>, perenso::Error> {
    let list = show.customers().list().sort("customerID", Direction::Ascending).page_size(500);
    list.stream().try_filter_map(|customer| async { Ok(customer.customer_id.into_option()) }).try_collect().await
}

/// Sends a batch, and returns whether to send the next one.
async fn send(
    show: &Perenso,
    state: &mut State,
    batch: &[(String, String, CustomerV2)],
    report: &mut Report,
    refusals: &mut HashMap<String, Refusal>,
) -> Result<bool, Failure> {
    // Marks the batch as unknown until the response arrives, so that the next run sends it again after a crash. This also
    // saves the outcome of the previous batch.
    let before: Vec<_> = batch.iter().map(|(number, ..)| state.set(number, None)).collect();
    state.save()?;
    let sent = show.customers().upsert(batch.iter().map(|(.., customer)| customer.clone())).send().await?;
    for (((number, digest, _), before), outcome) in batch.iter().zip(before).zip(sent.outcomes()) {
        match outcome {
            RecordOutcome::Succeeded { .. } => {
                state.set(number, Some(digest.clone()));
                report.written += 1;
            }
            RecordOutcome::Failed { .. } => {
                state.set(number, before);
                report.refused += 1;
            }
            // The batch was certainly not processed.
            RecordOutcome::NotSent | RecordOutcome::Refused => {
                state.set(number, before);
                report.again += 1;
            }
            // The outcome is unknown, unaccounted for, or new in a later version of the SDK.
            _ => report.again += 1,
        }
    }
    for reason in sent.reasons() {
        let first = batch[reason.first].0.clone();
        refusals.entry(reason.text.clone()).or_insert_with(|| Refusal::new(reason.text, first)).count += reason.count;
    }
    report.error = sent.error().cloned();
    Ok(report.error.is_none())
}
