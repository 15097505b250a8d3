//! Request bodies: the checks before the fields are read.

use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use axum::http::{HeaderMap, Method, StatusCode};
use serde_json::{Map, Value};

use super::api_error::ApiError;
use crate::model::document::json_type;
use crate::show::headers;

/// Rejects a write without a length, as IIS does. An empty body needs `Content-Length: 0`.
pub(crate) fn require_length(method: &Method, headers: &HeaderMap) -> Result<(), ApiError> {
    let needed = method == Method::POST || method == Method::PUT;
    if needed && !headers.contains_key(CONTENT_LENGTH) && !headers.contains_key(TRANSFER_ENCODING) {
        return Err(ApiError::new(
            StatusCode::LENGTH_REQUIRED,
            "length_required",
            format!("a {method} needs a Content-Length, even if its body is empty"),
        ));
    }
    Ok(())
}

/// Returns the media type in lower case, without its parameters.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<String> {
    Some(headers::media_type(headers.get(CONTENT_TYPE)?.to_str().ok()?))
}

/// Reads a JSON object.
pub(crate) fn object(headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, ApiError> {
    match json(headers, body)? {
        Value::Object(fields) => Ok(fields),
        other => Err(wrong_shape("object", &other)),
    }
}

/// Reads a JSON array.
pub(crate) fn array(headers: &HeaderMap, body: &[u8]) -> Result<Vec<Value>, ApiError> {
    match json(headers, body)? {
        Value::Array(items) => Ok(items),
        other => Err(wrong_shape("array", &other)),
    }
}

/// Checks that a body has a media type, or one of a range such as `*/*`.
pub(crate) fn expect(headers: &HeaderMap, expected: &str) -> Result<(), ApiError> {
    let wanted = headers::media_type(expected);
    let fits = |found: String| match wanted.split_once("/*") {
        Some((kind, "")) => kind == "*" || found.split('/').next() == Some(kind),
        _ => found == wanted,
    };
    match media_type(headers).is_some_and(fits) {
        true => Ok(()),
        false => Err(unsupported(&wanted)),
    }
}

/// Returns true if the body is JSON.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    media_type(headers).is_some_and(|t| t == "application/json" || t.ends_with("+json"))
}

fn unsupported(expected: &str) -> ApiError {
    let message = format!("the body must be {expected}");
    ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message)
}

/// Reads any JSON.
pub(crate) fn json(headers: &HeaderMap, body: &[u8]) -> Result<Value, ApiError> {
    if !is_json(headers) {
        return Err(unsupported("application/json"));
    }
    // The parser's message may quote the body. Its position does not.
    serde_json::from_slice(body).map_err(|error| {
        ApiError::bad_request("invalid_json", format!("not JSON at line {}, column {}", error.line(), error.column()))
    })
}

pub(crate) fn wrong_shape(expected: &str, found: &Value) -> ApiError {
    ApiError::bad_request("invalid_json", format!("expected a JSON {expected}, found {}", json_type(found)))
}
