//! Bulk upserts: each record succeeds or fails by itself.

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};

use crate::http::api_error::ApiError;
use crate::http::body;
use crate::model::document::{Problem, json_type};
use crate::show::behavior::Behavior;

pub(super) type BulkResponse = (StatusCode, Json<Value>);

/// The results of a bulk upsert.
#[derive(Default)]
pub(super) struct BulkResult {
    pub(super) successful: Vec<Value>,
    pub(super) failed: Vec<Value>,
}

impl BulkResult {
    pub(super) fn into_response(self, behavior: &Behavior) -> BulkResponse {
        let status = if behavior.bulk_answers_207 { StatusCode::MULTI_STATUS } else { StatusCode::OK };
        (status, Json(json!({ "successful": self.successful, "failed": self.failed })))
    }
}

/// Reads the records of a bulk upsert.
pub(super) fn records(headers: &HeaderMap, body: &[u8], behavior: &Behavior) -> Result<Vec<Value>, ApiError> {
    capped(body::array(headers, body)?, behavior)
}

/// Reads the records of a bulk call whose body is an object with one list.
pub(super) fn records_in(
    headers: &HeaderMap,
    body: &[u8],
    name: &str,
    behavior: &Behavior,
) -> Result<Vec<Value>, ApiError> {
    match body::object(headers, body)?.remove(name) {
        Some(Value::Array(records)) => capped(records, behavior),
        other => Err(body::wrong_shape("array", &other.unwrap_or_default())),
    }
}

fn capped(records: Vec<Value>, behavior: &Behavior) -> Result<Vec<Value>, ApiError> {
    match behavior.bulk_cap {
        Some(cap) if records.len() > cap => Err(ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_many_records",
            format!("{} records, the maximum is {cap}", records.len()),
        )),
        _ => Ok(records),
    }
}

/// Returns the fields of a record.
pub(super) fn object(record: Value) -> Result<Map<String, Value>, Problem> {
    match record {
        Value::Object(fields) => Ok(fields),
        other => Err(Problem::new("record", format!("expected an object, found {}", json_type(&other)))),
    }
}
