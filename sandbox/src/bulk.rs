//! Bulk upserts of V2: every record for itself, successes and failures in one answer.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State as Context;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Map, Value, json};

use crate::answer::{Refusal, wrong_method};
use crate::behavior::Behavior;
use crate::body;
use crate::customer;
use crate::document::DOCUMENT;
use crate::problem::Problem;
use crate::reference::{self, missing};
use crate::show::Show;
use crate::state::State;
use crate::table::Absent;

pub(crate) fn routes(show: &Arc<Show>) -> Router {
    Router::new()
        .route("/v2/customers/bulk", post(customers).fallback(wrong_method))
        .route("/v2/vendors/bulk", post(vendors).fallback(wrong_method))
        .with_state(show.clone())
}

type Answer = (StatusCode, Json<Value>);

/// What became of the records of a call.
#[derive(Default)]
struct Outcome {
    successful: Vec<Value>,
    failed: Vec<Value>,
}

impl Outcome {
    fn answer(self, behavior: &Behavior) -> Answer {
        let status = if behavior.bulk_answers_207 { StatusCode::MULTI_STATUS } else { StatusCode::OK };
        (status, Json(json!({ "successful": self.successful, "failed": self.failed })))
    }
}

fn records(headers: &HeaderMap, body: &[u8], behavior: &Behavior) -> Result<Vec<Value>, Refusal> {
    let records = body::array(headers, body)?;
    match behavior.bulk_cap {
        Some(cap) if records.len() > cap => Err(Refusal::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_many_records",
            format!("{} records, at most {cap} are taken", records.len()),
        )),
        _ => Ok(records),
    }
}

fn as_record(record: Value) -> Result<Map<String, Value>, Problem> {
    match record {
        Value::Object(fields) => Ok(fields),
        other => Err(Problem::new("record", format!("expected an object, found {}", body::kind(&other)))),
    }
}

/// A record with a known `customerID` is updated, any other is created.
async fn customers(Context(show): Context<Arc<Show>>, headers: HeaderMap, body: Bytes) -> Result<Answer, Refusal> {
    let State { behavior, tables, .. } = &mut *show.state();
    let now = show.local_now(behavior);
    let mut outcome = Outcome::default();
    for record in records(&headers, &body, behavior)? {
        let mut fields = match as_record(record) {
            Ok(fields) => fields,
            Err(problem) => {
                outcome.failed.push(json!({ "customerID": null, "messages": [problem.to_string()] }));
                continue;
            }
        };
        let key = match fields.get("customerID") {
            Some(Value::String(key)) if !key.is_empty() => Some(key.clone()),
            _ => None,
        };
        let mut problems = customer::problems(customer::V2, &fields, false, tables, behavior);
        if key.is_none() && !problems.iter().any(|problem| problem.field == "customerID") {
            problems.push(Problem::new("customerID", "it is missing or empty"));
        }
        let Some(key) = key.filter(|_| problems.is_empty()) else {
            let messages: Vec<String> = problems.iter().map(Problem::to_string).collect();
            let key = fields.get("customerID").and_then(Value::as_str);
            outcome.failed.push(json!({ "customerID": key, "messages": messages }));
            continue;
        };
        customer::settle(&mut fields, &mut tables.customers);
        let known = tables.customers.with_key(&key).next().map(|row| row.id().into_owned());
        let id = match known {
            Some(id) => {
                tables.customers.update(&id, fields, Absent::Stay, now);
                id
            }
            None => {
                let id = tables.customers.fresh_id();
                tables.customers.insert(&id, fields, now);
                id
            }
        };
        outcome.successful.push(json!({ "id": id, "customerID": key }));
    }
    Ok(outcome.answer(behavior))
}

/// A record without a `vendorID` is created, one with a `vendorID` is updated and must be known.
async fn vendors(Context(show): Context<Arc<Show>>, headers: HeaderMap, body: Bytes) -> Result<Answer, Refusal> {
    let State { behavior, tables, .. } = &mut *show.state();
    let now = show.local_now(behavior);
    let mut outcome = Outcome::default();
    for record in records(&headers, &body, behavior)? {
        let mut fields = match as_record(record) {
            Ok(fields) => fields,
            Err(problem) => {
                outcome.failed.push(json!({ "vendorID": null, "message": problem.to_string() }));
                continue;
            }
        };
        let given = fields.get("vendorID").cloned().unwrap_or_default();
        let mut problems = DOCUMENT.problems("Vendor", &fields, behavior.strict);
        if problems.is_empty() && behavior.check_references {
            problems.extend(missing(&fields, reference::VENDOR, tables).into_iter().map(Problem::from));
        }
        if !problems.is_empty() {
            let messages: Vec<String> = problems.iter().map(Problem::to_string).collect();
            outcome.failed.push(json!({ "vendorID": given.as_str(), "message": messages.join("; ") }));
            continue;
        }
        let (id, key) = match given {
            Value::String(key) => {
                let known = tables.vendors.with_key(&key).next().map(|row| row.id().into_owned());
                let Some(id) = known else {
                    let message = format!("vendorID: there is no vendor {key:?}");
                    outcome.failed.push(json!({ "vendorID": key, "message": message }));
                    continue;
                };
                tables.vendors.update(&id, fields, Absent::Stay, now);
                (id, key)
            }
            _ => {
                let id = tables.vendors.fresh_id();
                // How the vendor makes these up is not shown anywhere.
                let key = format!("VEND-{id}");
                fields.insert("vendorID".into(), key.clone().into());
                tables.vendors.insert(&id, fields, now);
                (id, key)
            }
        };
        outcome.successful.push(json!({ "id": id, "vendorID": key }));
    }
    Ok(outcome.answer(behavior))
}
