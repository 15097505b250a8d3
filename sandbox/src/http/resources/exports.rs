//! Custom exports: the catalog, and runs.

use std::ops::Range;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State as Context};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Map, Value};

use super::row_stream;
use crate::http::api_error::{ApiError, method_not_allowed};
use crate::http::body;
use crate::model::document::Problem;
use crate::model::exports::{Export, Source};
use crate::model::rows::Rows;
use crate::model::table;
use crate::show::Show;
use crate::show::behavior::Behavior;
use crate::show::lists::{capped, page_range};
use crate::show::state::State;

pub(crate) fn routes(show: &Arc<Show>) -> Router {
    Router::new()
        .route("/Export", get(catalog).fallback(method_not_allowed))
        .route("/Export/{id}", post(run).fallback(method_not_allowed))
        .with_state(show.clone())
}

async fn catalog(Context(show): Context<Arc<Show>>) -> Json<Value> {
    Json(show.state().exports.iter().map(Export::json).collect())
}

async fn run(
    Context(show): Context<Arc<Show>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let export = show.state().exports.iter().find(|export| export.id == id).cloned();
    let export = export.ok_or_else(|| ApiError::not_found("export", &id))?;
    let values = values(&export, &headers, &body)?;
    let content_type = HeaderValue::from_str(export.media_type())
        .map_err(|_| broken("invalid_content_type", "the export's content type is not valid HTTP"))?;
    let (rows, range) = match &export.source {
        Source::Table(of) => {
            let State { tables, behavior, .. } = &*show.state();
            let table = of(tables);
            let Range { start, end } = page(&export, &values, table.len(), behavior)?;
            // The range lies within the table, so it fits.
            let records = table.records().skip(start as usize).take((end - start) as usize).cloned().collect();
            (table::rows(records, None), 0..end - start)
        }
        Source::Rows(rows) => {
            // Called without the lock, since the function may use the sandbox.
            let rows = rows(&values);
            let range = page(&export, &values, rows.count(), &show.state().behavior)?;
            (rows, range)
        }
        Source::Body(body) => return Ok(response(content_type, Body::from(body.to_vec()))),
    };
    stream(rows, range, &export, content_type)
}

fn stream(rows: Rows, range: Range<u64>, export: &Export, content_type: HeaderValue) -> Result<Response, ApiError> {
    let body = row_stream::body(rows, range, export.syntax);
    let body = body.map_err(|_| broken("invalid_row", "a row of the export cannot be written in its syntax"))?;
    Ok(response(content_type, body))
}

fn response(content_type: HeaderValue, body: Body) -> Response {
    ([(CONTENT_TYPE, content_type)], body).into_response()
}

/// Reads the values, or reports all problems with them.
fn values(export: &Export, headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, ApiError> {
    if export.parameters.is_empty() {
        return if body.is_empty() {
            Ok(Map::new())
        } else {
            Err(ApiError::bad_request("body_not_empty", "this export has no parameters: its body must be empty"))
        };
    }
    let values = if body.is_empty() { Map::new() } else { body::object(headers, body)? };
    let problems = export.check(&values);
    if problems.is_empty() { Ok(values) } else { Err(invalid(problems)) }
}

/// Returns the rows that a run requests.
fn page(export: &Export, values: &Map<String, Value>, total: u64, behavior: &Behavior) -> Result<Range<u64>, ApiError> {
    let first = if behavior.cursor_is_offset { 0 } else { 1 };
    let Some((cursor, limit)) = export.page(values, first).map_err(invalid)? else {
        return Ok(0..total);
    };
    if behavior.cursor_is_offset {
        let start = cursor.min(total);
        return Ok(start..start + capped(limit, behavior).min(total - start));
    }
    page_range(total, cursor, limit, behavior)
        .ok_or_else(|| ApiError::new(StatusCode::NOT_FOUND, "not_found", "there is no such page of the export"))
}

fn invalid(problems: Vec<Problem>) -> ApiError {
    ApiError::bad_request("invalid_parameters", Problem::join(&problems))
        .with_fields(problems.into_iter().map(|problem| problem.field))
}

/// A mistake in the definition of the export.
fn broken(error: &'static str, message: &str) -> ApiError {
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, error, message)
}
