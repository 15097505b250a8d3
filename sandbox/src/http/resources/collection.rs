//! The calls of V1 that most resources share: list, create, read, update and delete.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State as Context};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use serde_json::{Map, Value};

use crate::http::api_error::{ApiError, method_not_allowed};
use crate::http::body;
use crate::model::table::{AbsentFields, Table};
use crate::model::tables::TableOf;
use crate::model::timestamp::ModifiedDate;
use crate::show::Show;
use crate::show::behavior::DeleteResponse;
use crate::show::journal::query_parameter;
use crate::show::lists::ListQuery;
use crate::show::state::State;

/// Checks a record with this id, if it has one. The flag says that missing ordering groups are created.
type Check = fn(Option<&str>, &Map<String, Value>, bool, &mut State) -> Result<(), ApiError>;

/// A resource with a table.
#[derive(Clone, Copy)]
pub(super) struct Collection {
    pub(super) path: &'static str,
    /// The name of one record in messages.
    pub(super) name: &'static str,
    /// The schema with all fields to sort by, or `None` if the documents do not show them all.
    pub(super) schema: Option<&'static str>,
    pub(super) table: TableOf,
    pub(super) check: Check,
    /// Converts a record to the shape in which it is stored.
    pub(super) normalize: fn(&mut Map<String, Value>, &mut Table),
}

#[derive(Clone)]
struct Handlers {
    show: Arc<Show>,
    collection: Collection,
}

/// The routes of a resource that can only be read.
pub(super) fn read_only(show: &Arc<Show>, collection: Collection) -> Router {
    routes(show, collection, get(list), get(read))
}

/// The routes of a resource that can be read and written.
pub(super) fn read_write(show: &Arc<Show>, collection: Collection) -> Router {
    routes(show, collection, get(list).post(create), get(read).put(update).delete(delete))
}

fn routes(
    show: &Arc<Show>,
    collection: Collection,
    all: MethodRouter<Handlers>,
    one: MethodRouter<Handlers>,
) -> Router {
    Router::new()
        .route(collection.path, all.fallback(method_not_allowed))
        .route(&format!("{}/{{id}}", collection.path), one.fallback(method_not_allowed))
        .with_state(Handlers { show: show.clone(), collection })
}

async fn list(Context(h): Context<Handlers>, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let query = ListQuery::parse(query.as_deref(), h.collection.schema, &["modifiedAfter"])?;
    let State { tables, behavior, .. } = &mut *h.show.state();
    query.respond((h.collection.table)(tables), h.collection.name, behavior)
}

async fn create(
    Context(h): Context<Handlers>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let mut fields = body::object(&headers, &body)?;
    let creates_groups = creates_groups(query.as_deref())?;
    let state = &mut *h.show.state();
    (h.collection.check)(None, &fields, creates_groups, state)?;
    let (now, date) = (h.show.local_now(&state.behavior), state.behavior.modified_date);
    let status = if state.behavior.create_answers_201 { StatusCode::CREATED } else { StatusCode::OK };
    let table = (h.collection.table)(&mut state.tables);
    (h.collection.normalize)(&mut fields, table);
    let id = table.fresh_id();
    table.insert(&id, fields, now);
    let mut response = h.record(table, &id, date)?;
    *response.status_mut() = status;
    Ok(response)
}

async fn read(Context(h): Context<Handlers>, Path(id): Path<String>) -> Result<Response, ApiError> {
    let State { tables, behavior, .. } = &mut *h.show.state();
    h.record((h.collection.table)(tables), &id, behavior.modified_date)
}

async fn update(
    Context(h): Context<Handlers>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let mut fields = body::object(&headers, &body)?;
    let state = &mut *h.show.state();
    if (h.collection.table)(&mut state.tables).get(&id).is_none() {
        return Err(h.not_found(&id));
    }
    (h.collection.check)(Some(&id), &fields, false, state)?;
    let (now, date) = (h.show.local_now(&state.behavior), state.behavior.modified_date);
    let absent = if state.behavior.put_replaces { AbsentFields::Remove } else { AbsentFields::Keep };
    let table = (h.collection.table)(&mut state.tables);
    (h.collection.normalize)(&mut fields, table);
    table.update(&id, fields, absent, now);
    h.record(table, &id, date)
}

async fn delete(Context(h): Context<Handlers>, Path(id): Path<String>) -> Result<Response, ApiError> {
    let State { tables, behavior, .. } = &mut *h.show.state();
    let table = (h.collection.table)(tables);
    let record = h.record(table, &id, behavior.modified_date)?;
    table.remove(&id);
    Ok(match behavior.delete_answer {
        DeleteResponse::NoContent => StatusCode::NO_CONTENT.into_response(),
        DeleteResponse::EmptyOk => StatusCode::OK.into_response(),
        DeleteResponse::Record => record,
    })
}

impl Handlers {
    /// Returns a record of the table as a response.
    fn record(&self, table: &Table, id: &str, date: ModifiedDate) -> Result<Response, ApiError> {
        let record = table.get(id).ok_or_else(|| self.not_found(id))?;
        Ok(([(CONTENT_TYPE, "application/json")], record.to_json(Some(date))).into_response())
    }

    fn not_found(&self, id: &str) -> ApiError {
        ApiError::not_found(self.collection.name, id)
    }
}

/// Returns true if missing ordering groups of a new customer are created.
fn creates_groups(query: Option<&str>) -> Result<bool, ApiError> {
    let name = "createMissingOrderingGroups";
    match query_parameter(query, name).as_deref().map(str::to_ascii_lowercase).as_deref() {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(ApiError::parameter(name, "expected true or false")),
    }
}
