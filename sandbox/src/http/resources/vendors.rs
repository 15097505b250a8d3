//! Vendors, in bulk.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State as Context;
use axum::http::HeaderMap;
use axum::routing::post;
use serde_json::{Value, json};

use super::bulk::{self, BulkResponse, BulkResult};
use crate::http::api_error::{ApiError, method_not_allowed};
use crate::model::document::Problem;
use crate::model::table::AbsentFields;
use crate::show::Show;
use crate::show::state::State;

pub(crate) fn routes(show: &Arc<Show>) -> Router {
    Router::new().route("/v2/vendors/bulk", post(upsert).fallback(method_not_allowed)).with_state(show.clone())
}

/// Creates the vendors without a `vendorID`, and updates those with a known one.
async fn upsert(Context(show): Context<Arc<Show>>, headers: HeaderMap, body: Bytes) -> Result<BulkResponse, ApiError> {
    let State { behavior, tables, .. } = &mut *show.state();
    let now = show.local_now(behavior);
    let mut result = BulkResult::default();
    for record in bulk::records(&headers, &body, behavior)? {
        let mut fields = match bulk::object(record) {
            Ok(fields) => fields,
            Err(problem) => {
                result.failed.push(json!({ "vendorID": null, "message": problem.to_string() }));
                continue;
            }
        };
        let given = fields.get("vendorID").cloned().unwrap_or_default();
        let problems = tables.vendor_problems(&fields, behavior.rules());
        if !problems.is_empty() {
            result.failed.push(json!({ "vendorID": given.as_str(), "message": Problem::join(&problems) }));
            continue;
        }
        let (id, key) = match given {
            Value::String(key) => {
                let known = tables.vendors.with_key(&key).next().map(|record| record.id().to_owned());
                let Some(id) = known else {
                    let message = format!("vendorID: there is no vendor {key:?}");
                    result.failed.push(json!({ "vendorID": key, "message": message }));
                    continue;
                };
                tables.vendors.update(&id, fields, AbsentFields::Keep, now);
                (id, key)
            }
            _ => {
                let id = tables.vendors.fresh_id();
                // The documents do not show how the vendor generates these keys.
                let key = format!("VEND-{id}");
                fields.insert("vendorID".into(), key.clone().into());
                tables.vendors.insert(&id, fields, now);
                (id, key)
            }
        };
        result.successful.push(json!({ "id": tables.vendors.id_field().value(&id), "vendorID": key }));
    }
    Ok(result.into_response(behavior))
}
