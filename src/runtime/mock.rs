//! The core of generated mocks: expectations and responses of `httpmock`.

use std::{fmt, time::Duration};

use httpmock::{Then, When};

use serde::Serialize;

use super::values::form_text;
use crate::records::segment;

/// Expects a path with any values. Names of values stand in braces, after an asterisk if the value is the rest of the path.
pub fn path(when: When, path: &str) -> When {
    matches(when, path, |_| None)
}

/// Expects a path with this value at the given place, counted from 0, and any others. The value may contain any characters.
pub fn value_in_path(when: When, path: &str, place: usize, value: impl fmt::Display) -> When {
    let text = value.to_string();
    let encoded = match path.split('{').nth(place + 1).is_some_and(|name| name.starts_with('*')) {
        true => text.trim_start_matches('/').split('/').map(segment).collect::<Vec<_>>().join("/"),
        false => segment(&text),
    };
    let value = literal(&encoded);
    matches(when, path, |index| (index == place).then(|| value.clone()))
}

/// Expects a path with these values at the given place, and commas between them.
pub fn list_in_path<T: fmt::Display>(
    when: When,
    path: &str,
    place: usize,
    values: impl IntoIterator<Item = T>,
) -> When {
    let values: Vec<_> = values.into_iter().map(|value| segment(&value.to_string())).collect();
    let value = literal(&values.join(","));
    matches(when, path, |index| (index == place).then(|| value.clone()))
}

/// Expects each of these values of a query parameter.
pub fn list_in_query<T: fmt::Display>(when: When, name: &str, values: impl IntoIterator<Item = T>) -> When {
    values.into_iter().fold(when, |when, value| when.query_param(name, value.to_string()))
}

/// Expects a query parameter with these values, and the separator between them.
pub fn separated_in_query<T: fmt::Display>(
    when: When,
    name: &str,
    values: impl IntoIterator<Item = T>,
    separator: &str,
) -> When {
    when.query_param(name, joined(values, separator))
}

/// Expects a form, with its lists as the call sends them.
pub fn form(when: When, body: &impl Serialize, separators: &[(&str, &str)]) -> When {
    // A value that is no form cannot be sent, and nothing matches it.
    let text = form_text(body, separators);
    when.is_true(move |request| text.as_deref() == std::str::from_utf8(request.body_ref()).ok())
}

/// Expects a query parameter per entry. With a name, the key follows it in brackets.
pub fn map_in_query<K: fmt::Display, V: fmt::Display>(
    when: When,
    name: Option<&str>,
    entries: impl IntoIterator<Item = (K, V)>,
) -> When {
    let full = |key: K| name.map_or_else(|| key.to_string(), |name| format!("{name}[{key}]"));
    entries.into_iter().fold(when, |when, (key, value)| when.query_param(full(key), value.to_string()))
}

/// Expects a header with these values, and commas between them.
pub fn list_in_header<T: fmt::Display>(when: When, name: &str, values: impl IntoIterator<Item = T>) -> When {
    when.header(name, joined(values, ","))
}

/// Expects a cookie with this value, or no cookie of this name.
pub fn cookie(when: When, name: &str, value: Option<String>) -> When {
    let name = name.to_owned();
    when.is_true(move |request| {
        let headers = request.headers();
        let cookies = headers.get_all("cookie").iter().filter_map(|cookies| cookies.to_str().ok());
        let mut pairs = cookies.flat_map(|cookies| cookies.split("; ")).filter_map(|cookie| cookie.split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value) == value.as_deref()
    })
}

fn joined<T: fmt::Display>(values: impl IntoIterator<Item = T>, separator: &str) -> String {
    values.into_iter().map(|value| value.to_string()).collect::<Vec<_>>().join(separator)
}

/// Responds with status 429. `Retry-After` is in whole seconds, rounded up.
pub fn too_many_requests(then: Then, retry_after: Duration) -> Then {
    let seconds = retry_after.as_secs() + u64::from(retry_after.subsec_nanos() > 0);
    then.status(429).header("retry-after", seconds.to_string())
}

/// Expects a path whose values match these regular expressions, or any segment.
fn matches(when: When, path: &str, value: impl Fn(usize) -> Option<String>) -> When {
    let mut pattern = "^".to_owned();
    let mut rest = path;
    for index in 0.. {
        let Some((before, after)) = rest.split_once('{') else { break };
        let Some((name, after)) = after.split_once('}') else { break };
        let any = if name.starts_with('*') { ".*" } else { "[^/]*" };
        pattern.push_str(&literal(before));
        pattern.push_str(value(index).as_deref().unwrap_or(any));
        rest = after;
    }
    pattern.push_str(&literal(rest));
    pattern.push('$');
    when.path_matches(pattern.as_str())
}

/// Returns a regular expression that matches exactly this text.
fn literal(text: &str) -> String {
    let mut pattern = String::new();
    for letter in text.chars() {
        if letter.is_ascii_punctuation() {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern
}
