//! Values of calls in paths, headers and forms.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue, header::CONTENT_TYPE};
use reqwest::RequestBuilder;
use serde::Serialize;
use serde_json::Value;

use crate::{
    error::Error,
    records::{Id, segment},
};

/// Encodes a value as one segment of a path.
///
/// # Errors
/// The value is empty, `.`, `..`, or has a control character: it would change the path.
pub fn checked_segment(operation: &'static str, name: &str, value: &impl fmt::Display) -> Result<String, Error> {
    match Id::new(value.to_string()) {
        Ok(id) => Ok(segment(id.as_str())),
        Err(error) => Err(Error::invalid_request(operation, format_args!("{name}: {error}"))),
    }
}

/// Encodes a value as the rest of a path, segment by segment. A slash at its start counts as none.
///
/// # Errors
/// A segment is empty, `.`, `..`, or has a control character.
pub fn checked_path(operation: &'static str, name: &str, value: &impl fmt::Display) -> Result<String, Error> {
    let text = value.to_string();
    let segments = text.strip_prefix('/').unwrap_or(&text).split('/');
    let segments: Result<Vec<_>, _> = segments.map(|part| checked_segment(operation, name, &part)).collect();
    Ok(segments?.join("/"))
}

/// Adds a header parameter.
///
/// # Errors
/// The name or the value is not valid in a header.
pub fn append_header(
    headers: &mut HeaderMap,
    operation: &'static str,
    name: &str,
    value: &impl fmt::Display,
) -> Result<(), Error> {
    let invalid = |what| Error::invalid_request(operation, format_args!("{name}: {what}"));
    let header = HeaderName::try_from(name).map_err(|_| invalid("the name is not valid for a header"))?;
    let value = HeaderValue::try_from(value.to_string())
        .map_err(|_| invalid("a value without line breaks and control characters is expected"))?;
    headers.append(header, value);
    Ok(())
}

/// Sets the body of a request as a form. The name of a list is repeated, unless it has a separator.
///
/// # Errors
/// The body is not an object of plain values and lists of them.
pub fn form(
    request: RequestBuilder,
    operation: &'static str,
    body: &(impl Serialize + ?Sized),
    separators: &[(&str, &str)],
) -> Result<RequestBuilder, Error> {
    let expected = "body: an object of plain values is expected for a form";
    let text = form_text(body, separators).ok_or_else(|| Error::invalid_request(operation, expected))?;
    Ok(request.header(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded")).body(text))
}

/// Returns a form. `null` is left out.
pub(super) fn form_text(body: &(impl Serialize + ?Sized), separators: &[(&str, &str)]) -> Option<String> {
    let Ok(Value::Object(fields)) = serde_json::to_value(body) else { return None };
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let scalar = |value: &Value| match value {
        Value::String(text) => Some(encoded(text)),
        Value::Bool(_) | Value::Number(_) => Some(encoded(&value.to_string())),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    };
    let mut pairs = Vec::new();
    for (name, value) in &fields {
        let separator = separators.iter().find(|(known, _)| known == name).map(|(_, separator)| *separator);
        let values = match value {
            Value::Null => continue,
            Value::Array(values) => values.iter().map(scalar).collect::<Option<Vec<_>>>()?,
            value => vec![scalar(value)?],
        };
        match separator {
            Some(_) if values.is_empty() => {}
            // A comma is that of the list where those of its values are encoded.
            Some(",") => pairs.push(format!("{}={}", encoded(name), values.join(","))),
            Some(separator) => pairs.push(format!("{}={}", encoded(name), values.join(&encoded(separator)))),
            None => pairs.extend(values.iter().map(|value| format!("{}={value}", encoded(name)))),
        }
    }
    Some(pairs.join("&"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_value_never_changes_the_path() {
        assert_eq!(checked_segment("get", "no", &7).unwrap(), "7");
        assert_eq!(checked_segment("get", "key", &r"a/b\c d").unwrap(), "a%2Fb%5Cc%20d");
        for value in ["", ".", "..", "a\nb"] {
            let error = checked_segment("get", "key", &value).unwrap_err();
            assert!(error.to_string().starts_with("get: key: an id "), "{error}");
        }
    }

    #[test]
    fn the_rest_of_a_path_keeps_its_slashes() {
        assert_eq!(checked_path("get", "file", &"/a b/c.txt").unwrap(), "a%20b/c.txt");
        for value in ["", "a/../b", "a//b", "a/"] {
            assert!(checked_path("get", "file", &value).is_err(), "{value}");
        }
    }

    #[test]
    fn a_form_repeats_the_names_of_lists() {
        let body =
            serde_json::json!({ "a b": ["x y", 7], "c": [1, 2], "d": ["1,2", "3"], "e": null, "f": [], "g": true });
        assert_eq!(form_text(&body, &[("c", "|"), ("d", ",")]).unwrap(), "a+b=x+y&a+b=7&c=1%7C2&d=1%2C2,3&g=true");
        for body in [serde_json::json!([]), serde_json::json!({ "a": {} }), serde_json::json!({ "a": [[]] })] {
            assert_eq!(form_text(&body, &[]), None, "{body}");
        }
    }

    #[test]
    fn a_header_that_cannot_be_sent_is_an_error() {
        let mut headers = HeaderMap::new();
        append_header(&mut headers, "get", "X-Count", &7).unwrap();
        assert_eq!(headers["x-count"], "7");
        let error = append_header(&mut headers, "get", "X-Count", &"a\r\nb: c").unwrap_err();
        assert!(error.to_string().starts_with("get: X-Count: a value without line breaks"), "{error}");
        assert!(append_header(&mut headers, "get", "X Count", &1).is_err());
    }
}
