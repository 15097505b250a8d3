//! Customers: one by one in V1, in bulk in V2.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State as Context;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::{Map, Value, json};

use super::bulk::{self, BulkResponse, BulkResult};
use super::collection::{Collection, read_write};
use crate::http::api_error::{ApiError, method_not_allowed, unprocessable};
use crate::model::document::Problem;
use crate::model::records::ordering_groups::flatten_groups;
use crate::model::table::AbsentFields;
use crate::model::validation::{CUSTOMER_V1, CUSTOMER_V2};
use crate::show::Show;
use crate::show::state::State;

pub(crate) fn routes(show: &Arc<Show>) -> Router {
    let collection = Collection {
        path: "/Customer",
        name: "customer",
        schema: Some(CUSTOMER_V1),
        table: |tables| &mut tables.customers,
        check,
        normalize: |fields, table| flatten_groups(fields, || table.fresh_id()),
    };
    Router::new()
        .route("/v2/customers/bulk", post(upsert).fallback(method_not_allowed))
        .with_state(show.clone())
        .merge(read_write(show, collection))
}

/// Checks a customer before it is written. `id` is its own id if it has one.
fn check(
    id: Option<&str>,
    fields: &Map<String, Value>,
    creates_groups: bool,
    state: &mut State,
) -> Result<(), ApiError> {
    let State { tables, behavior, .. } = state;
    let problems = tables.customer_problems(CUSTOMER_V1, fields, creates_groups, behavior.rules());
    if !problems.is_empty() {
        return Err(unprocessable(problems));
    }
    if behavior.unique_customer_id
        && let Some(Value::String(key)) = fields.get("customerID")
        && let Some(other) = tables.customers.with_key(key).next()
        && Some(other.id()) != id
    {
        let message = "customerID: another customer has it";
        return Err(ApiError::new(StatusCode::CONFLICT, "conflict", message).with_fields(["customerID".to_owned()]));
    }
    if creates_groups {
        tables.create_ordering_groups(fields);
    }
    Ok(())
}

/// Updates the customer with a known `customerID`, and creates any other.
async fn upsert(Context(show): Context<Arc<Show>>, headers: HeaderMap, body: Bytes) -> Result<BulkResponse, ApiError> {
    let State { behavior, tables, .. } = &mut *show.state();
    let now = show.local_now(behavior);
    let mut result = BulkResult::default();
    for record in bulk::records(&headers, &body, behavior)? {
        let mut fields = match bulk::object(record) {
            Ok(fields) => fields,
            Err(problem) => {
                result.failed.push(json!({ "customerID": null, "messages": [problem.to_string()] }));
                continue;
            }
        };
        let key = match fields.get("customerID") {
            Some(Value::String(key)) if !key.is_empty() => Some(key.clone()),
            _ => None,
        };
        let mut problems = tables.customer_problems(CUSTOMER_V2, &fields, false, behavior.rules());
        if key.is_none() && !problems.iter().any(|problem| problem.field == "customerID") {
            problems.push(Problem::new("customerID", "it is missing or empty"));
        }
        let Some(key) = key.filter(|_| problems.is_empty()) else {
            let messages: Vec<String> = problems.iter().map(Problem::to_string).collect();
            let key = fields.get("customerID").and_then(Value::as_str);
            result.failed.push(json!({ "customerID": key, "messages": messages }));
            continue;
        };
        flatten_groups(&mut fields, || tables.customers.fresh_id());
        let known = tables.customers.with_key(&key).next().map(|record| record.id().to_owned());
        let id = match known {
            Some(id) => {
                tables.customers.update(&id, fields, AbsentFields::Keep, now);
                id
            }
            None => {
                let id = tables.customers.fresh_id();
                tables.customers.insert(&id, fields, now);
                id
            }
        };
        result.successful.push(json!({ "id": tables.customers.id_field().value(&id), "customerID": key }));
    }
    Ok(result.into_response(behavior))
}
