//! Responses to the operations of a document that the sandbox was started with.
//!
//! A path with a list and a path below it with one record are a resource, which keeps what it is sent: in the table of the
//! sandbox, if it has one of this path. Every other operation has an example as its response.

use axum::Json;
use axum::body::{Bytes, to_bytes};
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::NaiveDateTime;
use percent_encoding::percent_decode_str;
use serde::Deserialize as _;
use serde_json::{Map, Value};

use super::api_error::ApiError;
use super::body;
use crate::model::collections::Store;
use crate::model::document::{Document, IdField, Operation, PathItem, Schema};
use crate::show::state::State;

/// A request to an operation of the document, which it fits.
pub(crate) struct Call<'a> {
    pub(crate) document: &'a Document,
    pub(crate) item: &'a PathItem<'a>,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a Bytes,
}

/// The path of a list, and the id of one of its records.
struct Place<'a> {
    list: &'a str,
    id: Option<String>,
    id_field: IdField,
}

impl Call<'_> {
    /// Returns the response. `now` is the timestamp of what it writes.
    pub(crate) fn respond(
        &self,
        operation: &Operation,
        state: &mut State,
        now: NaiveDateTime,
    ) -> Result<Response, ApiError> {
        let success = operation.success();
        let status =
            success.and_then(|(status, _)| status.parse().ok()).and_then(|code| StatusCode::from_u16(code).ok());
        let status = status.unwrap_or(StatusCode::OK);
        let schema = success.and_then(|(_, schema)| schema);
        let value = match self.place() {
            Some(Place { list, id, id_field }) => {
                let mut records = state.tables.store(list, id_field, now, state.behavior.modified_date);
                self.record(id.as_deref(), operation, schema, &mut records)?
            }
            None => schema.map(|schema| self.document.example(schema)),
        };
        Ok(match (value, operation.success_media_type()) {
            (None, _) => status.into_response(),
            (Some(value), None | Some("application/json")) => (status, Json(value)).into_response(),
            (Some(_), Some(other)) => (status, [("content-type", other)], "example").into_response(),
        })
    }

    /// Makes a response of the sandbox's own handlers fit the document, if it has records of a resource.
    pub(crate) async fn fit(&self, operation: &Operation, response: Response) -> Response {
        let schema = operation.success().and_then(|(_, schema)| schema);
        let (Some(schema), Some(place)) = (schema.filter(|_| response.status().is_success()), self.place()) else {
            return response;
        };
        let (mut parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
        let fitting = match serde_json::from_slice(&body) {
            Ok(Value::Array(records)) if place.id.is_none() => self.listed(operation, schema, records),
            Ok(record @ Value::Object(_)) => self.completed(schema, record),
            _ => return Response::from_parts(parts, body.into()),
        };
        parts.headers.remove(CONTENT_LENGTH);
        Response::from_parts(parts, fitting.to_string().into())
    }

    /// Returns the place of the request in a resource: a path that has a list, and records below it.
    fn place(&self) -> Option<Place<'_>> {
        let (list_template, is_one) = match self.item.template.rsplit_once('/')? {
            (list, last) if last.starts_with('{') => (list, true),
            _ => (self.item.template, false),
        };
        let id_field = self.document.id_field(list_template)?;
        let (list, last) = if is_one { self.path.rsplit_once('/')? } else { (self.path, "") };
        let id = is_one.then(|| percent_decode_str(last).decode_utf8_lossy().into_owned());
        Some(Place { list, id, id_field })
    }

    /// Carries out a call on the records of a resource. Returns the body of the response.
    fn record(
        &self,
        id: Option<&str>,
        operation: &Operation,
        schema: Option<&Value>,
        records: &mut Store<'_>,
    ) -> Result<Option<Value>, ApiError> {
        let example = || schema.map(|schema| self.document.example(schema));
        let find = |records: &Store<'_>, id: &str| records.get(id).ok_or_else(|| ApiError::not_found("record", id));
        // A response of another shape than the record, such as an id alone, is an example.
        let name = records.id_field().name.clone();
        let fitting = schema.filter(|schema| self.document.resolve(schema)["properties"].get(&name).is_some());
        match (self.method, id) {
            ("GET" | "HEAD", None) => Ok(Some(self.listed(operation, schema.unwrap_or(&Value::Null), records.all()))),
            ("POST", None) => {
                let fields = self.fields(schema)?;
                let given = fields.get(&name).and_then(|id| records.id_field().parse(id));
                let id = given.unwrap_or_else(|| records.fresh_id());
                let record = records.insert(&id, self.filled(operation, fields));
                Ok(fitting.map(|schema| self.completed(schema, record)).or_else(example))
            }
            ("GET" | "HEAD", Some(id)) => {
                let record = find(records, id)?;
                Ok(Some(schema.map_or(record.clone(), |schema| self.completed(schema, record))))
            }
            ("PUT" | "PATCH", Some(id)) => {
                let Value::Object(mut record) = find(records, id)? else { return Ok(example()) };
                let kept = record.remove(&name);
                record.extend(self.fields(fitting)?);
                record.extend(kept.map(|kept| (name, kept)));
                let record = records.insert(id, record);
                Ok(fitting.map(|schema| self.completed(schema, record)).or_else(example))
            }
            ("DELETE", Some(id)) => {
                let record = find(records, id)?;
                records.remove(id);
                Ok(fitting.map(|schema| self.completed(schema, record)).or_else(example))
            }
            _ => Ok(example()),
        }
    }

    /// Returns a list of records as the response of an operation.
    fn listed(&self, operation: &Operation, schema: &Value, records: Vec<Value>) -> Value {
        let name = self.document.items(operation).unwrap_or_default();
        let whole = self.document.resolve(schema);
        let list = if name.is_empty() { whole } else { self.document.resolve(&whole["properties"][&name]) };
        // A record may have been made by an operation with another type of it.
        let all: Value = records.into_iter().map(|record| self.completed(&list["items"], record)).collect();
        if name.is_empty() {
            return all;
        }
        let mut whole = self.document.example(schema);
        whole[name] = all;
        whole
    }

    /// Returns the fields of the body, without those that the response has with another type. There are none if an optional body
    /// is left out, or if it is not JSON.
    fn fields(&self, response: Option<&Value>) -> Result<Map<String, Value>, ApiError> {
        if self.body.is_empty() || !body::is_json(self.headers) {
            return Ok(Map::new());
        }
        let mut fields = body::object(self.headers, self.body)?;
        if let Some(schema) = response {
            self.retain_fitting(schema, &mut fields);
        }
        Ok(fields)
    }

    /// Removes the fields that a schema has with another type.
    fn retain_fitting(&self, schema: &Value, fields: &mut Map<String, Value>) {
        let properties = &self.document.resolve(schema)["properties"];
        fields.retain(|name, value| {
            let schema = properties.get(name).map(Schema::deserialize);
            schema.is_none_or(|schema| {
                schema.is_ok_and(|schema| self.document.validator(false).check(&schema, value, "").is_empty())
            })
        });
    }

    /// Returns the fields of a new record, with examples for those that its type requires and the request does not have.
    fn filled(&self, operation: &Operation, fields: Map<String, Value>) -> Map<String, Value> {
        let Some(schema) = operation.success().and_then(|(_, schema)| schema) else { return fields };
        match self.completed(schema, fields.into()) {
            Value::Object(fields) => fields,
            _ => Map::new(),
        }
    }

    /// Returns a record with the fields that fit a schema, and examples for those that it requires and the record lacks.
    fn completed(&self, schema: &Value, record: Value) -> Value {
        let Value::Object(mut fields) = record else { return record };
        self.retain_fitting(schema, &mut fields);
        let required = self.document.resolve(schema)["required"].as_array().cloned().unwrap_or_default();
        let missing: Vec<_> =
            required.iter().filter_map(Value::as_str).filter(|name| !fields.contains_key(*name)).collect();
        if !missing.is_empty() {
            let example = self.document.example(schema);
            fields.extend(missing.iter().filter_map(|name| Some(((*name).to_owned(), example.get(name)?.clone()))));
        }
        Value::Object(fields)
    }
}
