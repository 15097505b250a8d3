//! Request bodies: the checks before the first field is looked at.

use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use axum::http::{HeaderMap, Method, StatusCode};
use serde_json::{Map, Value};

use crate::answer::Refusal;

/// Refuses a write that does not say how long its body is, as IIS does: an empty body needs `Content-Length: 0`.
pub(crate) fn has_length(method: &Method, headers: &HeaderMap) -> Result<(), Refusal> {
    let needed = method == Method::POST || method == Method::PUT;
    if needed && !headers.contains_key(CONTENT_LENGTH) && !headers.contains_key(TRANSFER_ENCODING) {
        return Err(Refusal::new(
            StatusCode::LENGTH_REQUIRED,
            "length_required",
            format!("a {method} needs a Content-Length, also when its body is empty"),
        ));
    }
    Ok(())
}

/// The media type without its parameters, in lower case.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let essence = value.split(';').next().unwrap_or_default();
    Some(essence.trim().to_ascii_lowercase())
}

/// Reads a JSON object.
pub(crate) fn object(headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    match json(headers, body)? {
        Value::Object(fields) => Ok(fields),
        other => Err(wrong_shape("object", &other)),
    }
}

/// Reads a JSON array.
pub(crate) fn array(headers: &HeaderMap, body: &[u8]) -> Result<Vec<Value>, Refusal> {
    match json(headers, body)? {
        Value::Array(items) => Ok(items),
        other => Err(wrong_shape("array", &other)),
    }
}

/// Reads any JSON.
pub(crate) fn json(headers: &HeaderMap, body: &[u8]) -> Result<Value, Refusal> {
    let is_json = media_type(headers).is_some_and(|t| t == "application/json" || t.ends_with("+json"));
    if !is_json {
        return Err(Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "the body must be application/json",
        ));
    }
    // The parser's own words may quote the body, its position does not.
    serde_json::from_slice(body).map_err(|error| {
        Refusal::bad_request("invalid_json", format!("not JSON at line {}, column {}", error.line(), error.column()))
    })
}

pub(crate) fn wrong_shape(expected: &str, found: &Value) -> Refusal {
    Refusal::bad_request("invalid_json", format!("expected a JSON {expected}, found {}", kind(found)))
}

/// The JSON kind of a value, in words.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a number with a fraction",
        Value::Number(_) => "an integer",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
