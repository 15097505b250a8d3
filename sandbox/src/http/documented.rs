//! Responses to the operations of a document that the sandbox was started with.
//!
//! A path with a list and a path below it with one record are a resource, which keeps what it is sent. Every other operation
//! has an example as its response.

use axum::Json;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;
use serde::Deserialize as _;
use serde_json::{Map, Value, json};

use super::api_error::ApiError;
use super::body;
use crate::model::collections::Collections;
use crate::model::document::{Document, Operation, PathItem, Schema};

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
    /// The name of the id in records, and true if it is an integer.
    id_field: (String, bool),
}

impl Call<'_> {
    /// Returns the response.
    pub(crate) fn respond(&self, operation: &Operation, records: &mut Collections) -> Result<Response, ApiError> {
        let success = operation.success();
        let status =
            success.and_then(|(status, _)| status.parse().ok()).and_then(|code| StatusCode::from_u16(code).ok());
        let status = status.unwrap_or(StatusCode::OK);
        let schema = success.and_then(|(_, schema)| schema);
        let value = match self.place() {
            Some(place) => self.record(&place, operation, schema, records)?,
            None => schema.map(|schema| self.document.example(schema)),
        };
        Ok(match (value, operation.success_media_type()) {
            (None, _) => status.into_response(),
            (Some(value), None | Some("application/json")) => (status, Json(value)).into_response(),
            (Some(_), Some(other)) => (status, [("content-type", other)], "example").into_response(),
        })
    }

    /// Returns the place of the request in a resource: a path that has a list, and records below it.
    fn place(&self) -> Option<Place<'_>> {
        let (list_template, is_one) = match self.item.template.rsplit_once('/')? {
            (list, last) if last.starts_with('{') => (list, true),
            _ => (self.item.template, false),
        };
        let one = self.document.path_item(&format!("{list_template}/{{id}}"))?;
        let list = self.document.path_item(list_template)?;
        let parameter = one.template.rsplit_once('/')?.1.trim_matches(['{', '}']);
        list.operation("GET").filter(|operation| self.items(operation).is_some())?;
        let record = one.operation("GET")?.success()?.1.map(|schema| self.document.resolve(schema))?;
        let properties = record["properties"].as_object()?;
        // A wrapped record, without an id of its own, is an example only.
        let name = properties
            .keys()
            .find(|name| is_same_name(name, parameter))
            .or(properties.get_key_value("id").map(|(id, _)| id))?;
        let is_integer = self.document.resolve(&properties[name])["type"] == "integer";
        let (path, last) = if is_one { self.path.rsplit_once('/')? } else { (self.path, "") };
        let id = is_one.then(|| percent_decode_str(last).decode_utf8_lossy().into_owned());
        Some(Place { list: path, id, id_field: (name.clone(), is_integer) })
    }

    /// Returns the member with the list in the response of an operation: `None` if there is no list, and an empty name if the
    /// response itself is one.
    fn items<'a>(&'a self, operation: &'a Operation) -> Option<String> {
        let schema = self.document.resolve(operation.success()?.1?);
        if schema["type"] == "array" {
            return Some(String::new());
        }
        let mut lists = schema["properties"]
            .as_object()?
            .iter()
            .filter(|(_, member)| self.document.resolve(member)["type"] == "array");
        lists.next().map(|(name, _)| name.clone()).filter(|_| lists.next().is_none())
    }

    /// Carries out a call on a resource. Returns the body of the response.
    fn record(
        &self,
        place: &Place<'_>,
        operation: &Operation,
        schema: Option<&Value>,
        records: &mut Collections,
    ) -> Result<Option<Value>, ApiError> {
        let example = || schema.map(|schema| self.document.example(schema));
        let not_found = |id: &str| ApiError::not_found("record", id);
        match (self.method, &place.id) {
            ("GET" | "HEAD", None) => {
                let name = self.items(operation).unwrap_or_default();
                let whole = schema.map(|schema| self.document.resolve(schema)).unwrap_or(&Value::Null);
                let list = if name.is_empty() { whole } else { self.document.resolve(&whole["properties"][&name]) };
                // A record may have been made by an operation with another type of it.
                let all = records.all(place.list).into_iter().map(|record| self.completed(&list["items"], record));
                let all: Value = all.collect();
                if name.is_empty() {
                    return Ok(Some(all));
                }
                let mut whole = example().unwrap_or_default();
                whole[name] = all;
                Ok(Some(whole))
            }
            ("POST", None) => {
                let fields = self.fields(schema)?;
                let (name, is_integer) = &place.id_field;
                let id = match fields.get(name) {
                    Some(Value::String(id)) if !is_integer => id.clone(),
                    Some(Value::Number(id)) if *is_integer => id.to_string(),
                    _ => records.next_id().to_string(),
                };
                let value = if *is_integer { json!(id.parse::<u64>().unwrap_or_default()) } else { json!(id) };
                let mut record = self.filled(operation, fields);
                record.insert(name.clone(), value);
                records.insert(place.list, &id, record.clone().into());
                // A response of another shape than the record, such as an id alone.
                Ok(if self.is_record(schema, place) { Some(record.into()) } else { example() })
            }
            ("GET" | "HEAD", Some(id)) => {
                let record = records.get(place.list, id).cloned().ok_or_else(|| not_found(id))?;
                Ok(Some(schema.map_or(record.clone(), |schema| self.completed(schema, record))))
            }
            ("PUT" | "PATCH", Some(id)) => {
                let Some(Value::Object(mut record)) = records.get(place.list, id).cloned() else {
                    return Err(not_found(id));
                };
                let kept = record.get(&place.id_field.0).cloned();
                record.extend(self.fields(schema.filter(|_| self.is_record(schema, place)))?);
                record.extend(kept.map(|kept| (place.id_field.0.clone(), kept)));
                records.insert(place.list, id, record.clone().into());
                Ok(if self.is_record(schema, place) { Some(record.into()) } else { example() })
            }
            ("DELETE", Some(id)) => {
                let record = records.get(place.list, id).cloned().ok_or_else(|| not_found(id))?;
                records.remove(place.list, id);
                Ok(if self.is_record(schema, place) { Some(record) } else { example() })
            }
            _ => Ok(example()),
        }
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

    /// Returns true if a response with this schema is a record.
    fn is_record(&self, schema: Option<&Value>, place: &Place<'_>) -> bool {
        schema.is_some_and(|schema| self.document.resolve(schema)["properties"].get(&place.id_field.0).is_some())
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

/// Compares names without their case and underscores, such as `orderId` and `order_id`.
fn is_same_name(one: &str, other: &str) -> bool {
    let plain = |name: &str| name.replace(['_', '-'], "").to_lowercase();
    plain(one) == plain(other)
}
