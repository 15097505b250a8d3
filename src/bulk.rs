//! Bulk upserts: unique keys, batches, and an outcome for every record.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    ops::Range,
};

use http::StatusCode;

pub(crate) use self::response::{BatchResponse, FailedEntry, SucceededEntry, Successful};
use self::response::{Rest, account};
pub use self::{
    report::{BulkProgress, BulkReport, Counts, Reason, RecordOutcome, SucceededCount, UnmatchedFailure},
    write::BulkWrite,
};
use crate::{
    client::Perenso,
    error::{Error, ErrorKind},
};

mod report;
mod response;
mod write;

const BATCH_SIZE: usize = 500;
/// The maximum number of refused batches that are split. More refusals have another cause than single records.
const MOST_REFUSALS: usize = 64;
/// The maximum number of characters of a response body in a reason.
const LONGEST_REASON: usize = 500;

/// A record of a bulk call.
pub trait Record: Clone {
    const OPERATION: &'static str;
    /// The JSON name of the key; `None` for records without one.
    const KEY: Option<&'static str>;
    const KEY_IS_REQUIRED: bool;
    const MAX_BATCH_SIZE: usize = usize::MAX;

    /// Returns the key, which identifies the record in the response.
    fn key(&self) -> Option<&str>;

    /// Sends a batch. `has_keys` is true if all its records have a key.
    fn send(
        show: Perenso,
        batch: Vec<Self>,
        has_keys: bool,
    ) -> impl Future<Output = Result<BatchResponse, Error>> + Send;
}

type OnProgress = Box<dyn FnMut(&BulkProgress) + Send>;

/// The records and settings of a bulk call.
pub(crate) struct Bulk<R> {
    operation: &'static str,
    records: Vec<R>,
    batch_size: usize,
    on_progress: Option<OnProgress>,
}

impl<R> fmt::Debug for Bulk<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bulk").field("records", &self.records.len()).finish_non_exhaustive()
    }
}

impl<R: Record> Bulk<R> {
    pub(crate) fn new(operation: &'static str, records: impl IntoIterator<Item = R>) -> Self {
        Self {
            operation,
            records: records.into_iter().collect(),
            batch_size: BATCH_SIZE.min(R::MAX_BATCH_SIZE),
            on_progress: None,
        }
    }

    pub(crate) fn set_batch_size(&mut self, records: usize) {
        self.batch_size = records.clamp(1, R::MAX_BATCH_SIZE);
    }

    pub(crate) fn on_progress(&mut self, call: impl FnMut(&BulkProgress) + Send + 'static) {
        self.on_progress = Some(Box::new(call));
    }

    /// Sends the batches through `call` until `is_stopped`. The second argument of `call` is true if all records of the batch
    /// have a key.
    ///
    /// `call` is not an `AsyncFn`, because the future must be known to be `Send`.
    pub(crate) async fn send<F: Future<Output = Result<BatchResponse, Error>>>(
        mut self,
        is_stopped: impl Fn() -> bool,
        call: impl Fn(Vec<R>, bool) -> F,
    ) -> Result<BulkReport<R>, Error> {
        self.check()?;
        let mut on_progress = self.on_progress.take();
        let mut outcomes = vec![RecordOutcome::NotSent; self.records.len()];
        let mut counts = Counts { not_sent: outcomes.len(), ..Counts::default() };
        let (mut error, mut stopped, mut refusals, mut rest) = (None, false, Vec::new(), Rest::default());
        let mut limit = self.batch_size;
        let mut queue = VecDeque::from(self.batches());
        while let Some(mut batch) = queue.pop_front() {
            if is_stopped() {
                stopped = true;
                break;
            }
            if batch.len() > limit {
                queue.push_front(batch.start + limit..batch.end);
                batch.end = batch.start + limit;
            }
            let records = &self.records[batch.clone()];
            let has_keys = records.iter().all(|record| record.key().is_some());
            let outcomes = &mut outcomes[batch.clone()];
            outcomes.iter().for_each(|outcome| *counts.of(outcome) -= 1);
            let ended_by = match call(records.to_vec(), has_keys).await {
                Ok(response) => {
                    account(&batch, records, outcomes, response, &mut rest);
                    None
                }
                Err(failure) => {
                    let may_have_written = failure.may_have_written();
                    if may_have_written {
                        outcomes.fill(RecordOutcome::Unknown);
                    }
                    // A response was lost and the retry was refused. Records with keys are safe to resend, in halves.
                    let can_be_halved = has_keys && batch.len() > 1;
                    match refused_as_a_whole(&failure).filter(|_| !may_have_written || can_be_halved) {
                        None => Some(failure),
                        Some(status) => {
                            if batch.len() == 1 {
                                outcomes.fill(RecordOutcome::Failed { reasons: vec![reason(&failure, status)] });
                            } else if refusals.len() < MOST_REFUSALS {
                                // One invalid record must not prevent the others from being written.
                                let middle = batch.start + batch.len() / 2;
                                if status == StatusCode::PAYLOAD_TOO_LARGE {
                                    limit = batch.len() / 2;
                                }
                                queue.push_front(middle..batch.end);
                                queue.push_front(batch.start..middle);
                            } else if !may_have_written {
                                outcomes.fill(RecordOutcome::Refused);
                            }
                            refusals.push(failure);
                            None
                        }
                    }
                }
            };
            outcomes.iter().for_each(|outcome| *counts.of(outcome) += 1);
            if let Some(call) = &mut on_progress {
                call(&BulkProgress { counts, batch });
            }
            if let Some(failure) = ended_by {
                stopped = is_stopped();
                let is_stop = failure.kind() == ErrorKind::Call(perenso_auth::ErrorKind::Stopped);
                error = (!is_stop).then_some(failure);
                break;
            }
        }
        let keys = self.records.iter().map(|record| record.key().map(str::to_owned)).collect();
        let records = self.records.into_iter().zip(outcomes).collect();
        Ok(BulkReport { records, keys, error, stopped, refusals, rest })
    }

    /// Checks that keys are present and unique. The server would merge records with equal keys in an undefined order.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let Some(name) = R::KEY else { return Ok(()) };
        let mut seen: HashMap<&str, usize> = HashMap::new();
        let mut problems = Vec::new();
        for (index, record) in self.records.iter().enumerate() {
            match record.key() {
                Some(key) if key.trim().is_empty() => problems.push(format!("record {index} has an empty `{name}`")),
                Some(key) => {
                    if let Some(first) = seen.insert(key, index) {
                        problems.push(format!("records {first} and {index} have the same `{name}`"));
                    }
                }
                None if R::KEY_IS_REQUIRED => problems.push(format!("record {index} has no `{name}`")),
                None => {}
            }
        }
        if problems.is_empty() {
            return Ok(());
        }
        let detail = format!("{} records cannot be told apart; nothing was sent", problems.len());
        Err(Error::several(ErrorKind::Input, self.operation, detail, problems))
    }

    fn batches(&self) -> Vec<Range<usize>> {
        let mut batches: Vec<Range<usize>> = Vec::new();
        let mut open = false;
        for (index, record) in self.records.iter().enumerate() {
            let keyed = R::KEY.is_none() || record.key().is_some();
            match batches.last_mut() {
                Some(last) if keyed && open && last.len() < self.batch_size => last.end = index + 1,
                _ => batches.push(index..index + 1),
            }
            open = keyed;
        }
        batches
    }
}

/// Returns the status of a batch that was refused because of its content.
fn refused_as_a_whole(error: &Error) -> Option<StatusCode> {
    let status = error.status().filter(|_| error.kind() == ErrorKind::Call(perenso_auth::ErrorKind::Status))?;
    let for_its_content =
        [StatusCode::BAD_REQUEST, StatusCode::PAYLOAD_TOO_LARGE, StatusCode::UNPROCESSABLE_ENTITY].contains(&status);
    for_its_content.then_some(status)
}

/// Returns the reason for which a single record was refused: the body of the response, or its status.
fn reason(error: &Error, status: StatusCode) -> String {
    match error.body_text().filter(|text| !text.trim().is_empty()) {
        Some(text) => text.trim().chars().take(LONGEST_REASON).collect(),
        None => format!("refused with status {}", status.as_u16()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::types::{BulkAnswer, CustomerV2, Vendor};

    fn customers(keys: &[&str]) -> Bulk<CustomerV2> {
        let records = keys.iter().map(|key| serde_json::from_value(json!({"customerID": key})).unwrap());
        Bulk::new("customer_bulk_upsert", records.collect::<Vec<_>>())
    }

    fn response(value: Value) -> BatchResponse {
        let response: BulkAnswer = serde_json::from_value(value).unwrap();
        let is_vendor = response.successful.iter().any(|success| !success.vendor_id.is_unset());
        match is_vendor {
            true => BatchResponse::of_upsert(response, |success| &success.vendor_id, |failure| &failure.vendor_id),
            false => BatchResponse::of_upsert(response, |success| &success.customer_id, |failure| &failure.customer_id),
        }
    }

    fn send<R: Record>(
        bulk: Bulk<R>,
        call: impl AsyncFn(&[R], bool) -> Result<BatchResponse, Error>,
    ) -> Result<BulkReport<R>, Error> {
        let call = &call;
        futures_executor::block_on(bulk.send(|| false, |batch, has_keys| async move { call(&batch, has_keys).await }))
    }

    #[test]
    fn a_key_that_is_missing_empty_or_there_twice_is_refused_before_anything_is_sent() {
        let mut bulk = customers(&["a", "b", "a", " "]);
        bulk.records.push(serde_json::from_value(json!({})).unwrap());
        let error = send(bulk, async |_, _| panic!("sent")).unwrap_err();
        assert_eq!(
            error.problems(),
            [
                "records 0 and 2 have the same `customerID`",
                "record 3 has an empty `customerID`",
                "record 4 has no `customerID`"
            ]
        );
    }

    #[test]
    fn every_record_is_accounted_for_and_reasons_are_grouped() {
        let mut bulk = customers(&["a1", "b2", "c3", "d4", "e5"]);
        bulk.set_batch_size(4);
        let report = send(bulk, async |batch, has_keys| {
            assert!(has_keys);
            if batch.len() == 1 {
                return Err(Error::own(ErrorKind::Response, "x", "lost"));
            }
            Ok(response(json!({
                "successful": [{"id": "x7", "customerID": "b2"}, {"customerID": "nobody"}],
                "failed": [
                    {"customerID": "a1", "messages": ["customer a1: no such warehouse"]},
                    {"customerID": "d4", "message": "customer d4: no such warehouse"},
                ],
            })))
        })
        .unwrap();
        let counts = Counts { succeeded: 1, failed: 2, unaccounted: 1, unknown: 0, refused: 0, not_sent: 1 };
        assert_eq!((report.counts(), report.unmatched()), (counts, 1));
        assert_eq!(report.reasons(), [Reason { text: "customer …: no such warehouse".to_owned(), count: 2, first: 0 }]);
        assert!(!format!("{report:?} {:?}", report.outcomes().collect::<Vec<_>>()).contains("warehouse"));
        let again: Vec<_> = report.into_retry().iter().map(|record| record.key().unwrap().to_owned()).collect();
        assert_eq!(again, ["c3", "e5"]);
    }

    #[test]
    fn a_vendor_without_an_id_goes_out_alone() {
        let records = [
            json!({"vendorID": "V1"}),
            json!({"vendorID": "V2"}),
            json!({"vendorID": null}),
            json!({}),
            json!({"vendorID": "V3"}),
        ];
        let bulk =
            Bulk::new("vendor_bulk_upsert", records.map(|record| serde_json::from_value::<Vendor>(record).unwrap()));
        let sizes = std::cell::RefCell::new(Vec::new());
        let report = send(bulk, async |batch: &[Vendor], has_keys| {
            sizes.borrow_mut().push((batch.len(), has_keys));
            Ok(response(match batch[0].key() {
                Some(_) => json!({"successful": batch.iter().map(|v| json!({"id": "i", "vendorID": v.key()})).collect::<Vec<_>>(), "failed": null}),
                None => json!({"successful": [{"id": "new", "vendorID": "V77"}], "failed": []}),
            }))
        })
        .unwrap();
        assert_eq!(*sizes.borrow(), [(2, true), (1, false), (1, false), (1, true)]);
        assert!(report.all_succeeded());
    }

    proptest! {
        /// Records sent before a stop have outcomes by index, and the rest is not sent, at every position of the stop.
        #[test]
        fn a_stop_cuts_the_account_where_it_comes(count in 0usize..60, size in 1usize..10, stop_after in 0usize..12) {
            let keys: Vec<String> = (0..count).map(|n| format!("k{n}")).collect();
            let mut bulk = customers(&keys.iter().map(String::as_str).collect::<Vec<_>>());
            bulk.set_batch_size(size);
            let told = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
            let seen = std::sync::Arc::clone(&told);
            bulk.on_progress(move |progress| seen.lock().unwrap().push(progress.clone()));
            let calls = std::cell::Cell::new(0);
            let report = futures_executor::block_on(bulk.send(|| calls.get() >= stop_after, |batch, _| {
                calls.set(calls.get() + 1);
                let written: Vec<_> = batch.iter().map(|record| json!({"customerID": record.key()})).collect();
                async move { Ok(response(json!({"successful": written, "failed": []}))) }
            })).unwrap();
            let sent = (stop_after * size).min(count);
            for (index, outcome) in report.outcomes().enumerate() {
                prop_assert_eq!(*outcome == RecordOutcome::NotSent, index >= sent);
                prop_assert_eq!(matches!(outcome, RecordOutcome::Succeeded { .. }), index < sent);
            }
            prop_assert_eq!(report.is_stopped(), sent < count);
            let told = told.lock().unwrap();
            prop_assert_eq!(told.len(), sent.div_ceil(size));
            for progress in told.iter() {
                prop_assert_eq!(progress.counts.succeeded, progress.batch.end);
                prop_assert_eq!(progress.counts.succeeded + progress.counts.not_sent, count);
            }
        }

        /// Each record has one outcome for every response, and the records to retry are a subset of the input.
        #[test]
        fn the_account_adds_up(count in 0usize..40, size in 1usize..10,
                               picks in prop::collection::vec((any::<bool>(), 0usize..60), 0..60)) {
            let keys: Vec<String> = (0..count).map(|n| format!("k{n}")).collect();
            let mut bulk = customers(&keys.iter().map(String::as_str).collect::<Vec<_>>());
            bulk.set_batch_size(size);
            let entry = |ok: bool| picks.iter().filter(move |pick| pick.0 == ok)
                .map(|pick| json!({"customerID": format!("k{}", pick.1), "messages": ["no"]})).collect::<Vec<_>>();
            let said = json!({"successful": entry(true), "failed": entry(false)});
            let report = send(bulk, async |_, _| Ok(response(said.clone()))).unwrap();
            let counts = report.counts();
            prop_assert_eq!(counts.succeeded + counts.failed + counts.unaccounted, count);
            for (record, outcome) in report.records() {
                let key = record.key().unwrap();
                let named = |ok: bool| picks.iter().any(|pick| pick.0 == ok && format!("k{}", pick.1) == key);
                match outcome {
                    RecordOutcome::Failed { .. } => prop_assert!(named(false)),
                    RecordOutcome::Succeeded { .. } => prop_assert!(named(true) && !named(false)),
                    _ => prop_assert!(!named(true) && !named(false)),
                }
            }
            let unaccounted = counts.unaccounted;
            prop_assert_eq!(report.into_retry().len(), unaccounted);
        }
    }
}
