//! Reads the body of an error response as JSON: its message, and the fields with problems.
//!
//! Only [`Error::problem_details`](crate::Error::problem_details) returns its strings. The message of an error shows names at
//! most: those of the request, and member names of `errors` that are words. It never shows a value of the body, or a name
//! that could be one.

use std::{collections::BTreeSet, fmt};

use serde_json::{Map, Value};

use crate::wire::body::without_mark;

/// The members that contain problems of single fields.
const LISTS: [&str; 3] = ["errors", "invalid-params", "invalidParams"];
/// The members of such a problem that name its field, and those that explain it.
const NAMES: [&str; 5] = ["field", "name", "parameter", "path", "pointer"];
const MESSAGES: [&str; 7] = ["message", "messages", "detail", "reason", "title", "error", "description"];
const MAX_NAMES: usize = 10;
const MAX_NAME_LEN: usize = 40;

/// The body of an error response, read as JSON: problem details (RFC 9457), or an object with `message`, `error` or `errors`.
///
/// The server's strings may quote records, so `Debug` shows none of them.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProblemDetails {
    /// The member `title`.
    pub title: Option<String>,
    /// The member `detail`.
    pub detail: Option<String>,
    /// The member `message`, else `error` or the message in it.
    pub message: Option<String>,
    /// The problems of single fields, from `errors` or `invalid-params`.
    pub errors: Vec<FieldProblem>,
}

/// The problem of a single field or parameter.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldProblem {
    /// The name of the field, as the server spells it.
    pub name: Option<String>,
    /// The messages of the server.
    pub messages: Vec<String>,
    /// True if the name was the name of a member, false if it was a value.
    is_member: bool,
}

impl ProblemDetails {
    /// Reads the problem in a body. Returns `None` unless the body is a JSON object with one of the known members.
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        let body: Map<String, Value> = serde_json::from_slice(without_mark(body)).ok()?;
        let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
        let error = body.get("error");
        let within = error.and_then(Value::as_object).and_then(|error| texts(error).into_iter().next());
        let problem = Self {
            title: text("title"),
            detail: text("detail"),
            message: text("message").or_else(|| text("error")).or(within),
            errors: LISTS.iter().filter_map(|list| body.get(*list)).flat_map(field_problems).collect(),
        };
        (problem != Self::default()).then_some(problem)
    }

    /// Returns the names that an error may show: those of the request, in its spelling, and member names that are words.
    pub(crate) fn names(&self, of_request: &BTreeSet<String>) -> Vec<String> {
        let mut shown: Vec<String> = Vec::new();
        for problem in &self.errors {
            let Some(name) = &problem.name else { continue };
            for part in name.split(['.', '/', '[', ']', '$']).filter(|part| !part.is_empty()) {
                let known = of_request.iter().find(|known| known.eq_ignore_ascii_case(part));
                let is_shown = problem.is_member && is_word(part);
                let name = known.cloned().or_else(|| is_shown.then(|| part.to_owned()));
                shown.extend(name.filter(|name| !shown.contains(name)));
            }
        }
        shown.truncate(MAX_NAMES);
        shown
    }
}

/// Returns the names of a request: of its query parameters, and of all members of a JSON body.
pub(crate) fn names_of_request(request: &reqwest::Request) -> BTreeSet<String> {
    let query = request.url().query_pairs().map(|(name, _)| name.into_owned());
    let mut names: BTreeSet<String> = query.filter(|name| is_identifier(name)).collect();
    if let Some(body) = request.body().and_then(reqwest::Body::as_bytes)
        && let Ok(body) = serde_json::from_slice(body)
    {
        collect_names(&body, &mut names);
    }
    names
}

fn collect_names(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                if is_identifier(name) && !names.contains(name) {
                    names.insert(name.clone());
                }
                collect_names(value, names);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_names(item, names)),
        _ => {}
    }
}

/// Returns true for letters, digits and `_`. A map whose keys are data, such as email addresses, has other characters.
fn is_identifier(name: &str) -> bool {
    let starts_well = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    starts_well && name.len() <= MAX_NAME_LEN && name.bytes().all(is_plain)
}

/// Returns true for letters and `_`. A name with a digit or a space may be a value of a record.
fn is_word(name: &str) -> bool {
    name.len() <= MAX_NAME_LEN
        && !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_')
}

fn field_problems(list: &Value) -> Vec<FieldProblem> {
    match list {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| FieldProblem { name: Some(name.clone()), messages: messages(value), is_member: true })
            .collect(),
        Value::Array(items) => items
            .iter()
            .map(|item| {
                let name = NAMES.iter().find_map(|name| item.get(name)).and_then(|name| match name {
                    Value::String(name) => Some(name.clone()),
                    Value::Array(path) => Some(path.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(".")),
                    _ => None,
                });
                FieldProblem { name, messages: messages(item), is_member: false }
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn messages(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(messages).collect(),
        Value::Object(members) => texts(members),
        _ => Vec::new(),
    }
}

fn texts(members: &Map<String, Value>) -> Vec<String> {
    MESSAGES.iter().filter_map(|name| members.get(*name)).flat_map(messages).collect()
}

impl fmt::Debug for ProblemDetails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProblemDetails").field("errors", &self.errors.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for FieldProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FieldProblem").field("messages", &self.messages.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(body: &Value) -> Option<ProblemDetails> {
        ProblemDetails::read(body.to_string().as_bytes())
    }

    #[test]
    fn the_common_forms_are_read() {
        let details = read(&json!({"type": "about:blank", "title": "Bad", "detail": "no such city", "status": 400}));
        let details = details.unwrap();
        assert_eq!((details.title.as_deref(), details.detail.as_deref()), (Some("Bad"), Some("no such city")));
        for body in [json!({"message": "m"}), json!({"error": "m"}), json!({"error": {"code": 7, "message": "m"}})] {
            assert_eq!(read(&body).unwrap().message.as_deref(), Some("m"), "{body}");
        }
        for (errors, names) in [
            (json!({"customerID": ["is missing"], "K0001": "unknown", "Ann Example": []}), vec!["customerID"]),
            (json!([{"field": "CITY", "message": "m"}, {"field": "Ann", "message": "m"}]), vec!["city"]),
            (json!([{"path": ["body", "lines", 3, "city"]}, {"pointer": "/lines/3/city"}]), vec!["lines", "city"]),
            (json!({"$.lines[3].city": "The JSON value could not be converted"}), vec!["lines", "city"]),
            (json!(["free text"]), vec![]),
            (json!("free text"), vec![]),
        ] {
            let of_request = ["city", "lines"].map(str::to_owned).into();
            let shown = read(&json!({"title": "t", "errors": errors})).unwrap().names(&of_request);
            assert_eq!(shown, names, "{errors}");
        }
        for nothing in [json!({}), json!([]), json!({"status": 400}), json!("text")] {
            assert_eq!(read(&nothing), None);
        }
        assert_eq!(ProblemDetails::read(b"<html>"), None);
    }

    /// Any JSON whose strings are marked as values.
    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            "[A-Za-z]{1,8}".prop_map(|text| json!(format!("VALUE{text}"))),
            (9_000_000u32..9_999_999).prop_map(|number| json!(number)),
        ];
        let name = prop_oneof![
            prop::sample::select(
                &["title", "detail", "message", "error", "errors", "field", "name", "path", "reason"][..]
            )
            .prop_map(str::to_owned),
            "[a-z]{1,6}",
        ];
        leaf.prop_recursive(4, 40, 5, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
                prop::collection::btree_map(name.clone(), inner, 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_value_of_a_body_is_shown(errors in values(), rest in values()) {
            let Some(details) = read(&json!({"errors": errors, "error": rest, "title": "VALUE", "detail": rest})) else {
                return Ok(());
            };
            let shown = format!("{details:?} {:?} {:?}", details.errors, details.names(&BTreeSet::from(["city".to_owned()])));
            prop_assert!(!shown.contains("VALUE") && !shown.contains('9'), "{}", shown);
        }
    }
}
