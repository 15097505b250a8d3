//! The operations of two documents, matched by method and path.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Direction, DocumentChange, Found, resolve, schema};
use crate::document::operations::METHODS;

/// The method and the path of an operation. The names of path parameters do not matter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    path: String,
    method: &'static str,
}

pub(super) struct Operation<'a> {
    method: &'static str,
    path: &'a str,
    parameters: Vec<&'a Value>,
    pub(super) node: &'a Value,
}

impl Key {
    /// Returns true if only the case or a last slash differs.
    pub(super) fn is_similar(&self, other: &Self) -> bool {
        let plain = |path: &str| path.trim_end_matches('/').to_lowercase();
        self.method == other.method && plain(&self.path) == plain(&other.path)
    }
}

impl Operation<'_> {
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.method.to_uppercase(), self.path)
    }
}

/// Returns all operations of a document.
pub(super) fn all(root: &Value) -> BTreeMap<Key, Operation<'_>> {
    let mut all = BTreeMap::new();
    for (path, item) in root["paths"].as_object().into_iter().flatten() {
        for method in METHODS {
            let Some(node) = item.get(method) else { continue };
            let key = Key { path: template(path), method };
            let lists = [&item["parameters"], &node["parameters"]];
            let parameters = lists.into_iter().filter_map(Value::as_array).flatten().map(|node| resolve(root, node));
            all.insert(key, Operation { method, path, parameters: parameters.collect(), node });
        }
    }
    all
}

/// Compares two operations.
pub(super) fn compare(
    old_root: &Value,
    new_root: &Value,
    old: &Operation<'_>,
    new: &Operation<'_>,
    found: &mut Vec<Found>,
) {
    if template(old.path) != template(new.path) {
        found.push((String::new(), DocumentChange::Path { new: new.path.to_owned() }, true));
    }
    compare_parameters(old_root, new_root, old, new, found);
    let (old_body, new_body) =
        (resolve(old_root, &old.node["requestBody"]), resolve(new_root, &new.node["requestBody"]));
    if let (Some(before), Some(after)) = (media_type(old_body), media_type(new_body))
        && before != after
    {
        let change = DocumentChange::Type { old: before.to_owned(), new: after.to_owned() };
        found.push(("request body".to_owned(), change, true));
    }
    match (schema_of(old_body), schema_of(new_body)) {
        (Some(old), Some(new)) => {
            if new_body["required"] == true && old_body["required"] != true {
                found.push(("request body".to_owned(), DocumentChange::Required, true));
            }
            schema::Walk::new(old_root, new_root, found).compare("request", old, new, Direction::Request);
        }
        (Some(_), None) => found.push(("request body".to_owned(), DocumentChange::Removed, true)),
        (None, Some(_)) => {
            found.push(("request body".to_owned(), DocumentChange::Added, new_body["required"] == true));
        }
        (None, None) => {}
    }
    match (response(old_root, old), response(new_root, new)) {
        (Some(old), Some(new)) => {
            schema::Walk::new(old_root, new_root, found).compare("response", old, new, Direction::Response);
        }
        (Some(_), None) => found.push(("response body".to_owned(), DocumentChange::Removed, true)),
        (None, Some(_)) => found.push(("response body".to_owned(), DocumentChange::Added, false)),
        (None, None) => {}
    }
}

/// Returns a path without the names of its parameters, which are not sent.
fn template(path: &str) -> String {
    let segments = path.split('/').map(|segment| if segment.starts_with('{') { "{}" } else { segment });
    segments.collect::<Vec<_>>().join("/")
}

fn compare_parameters(
    old_root: &Value,
    new_root: &Value,
    old: &Operation<'_>,
    new: &Operation<'_>,
    found: &mut Vec<Found>,
) {
    // The names of path parameters are not sent, so these are compared by their place.
    let in_path = |operation: &Operation<'_>| -> Vec<Value> {
        let names = operation.path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
        let is = |node: &Value, name: &str| node["in"] == "path" && node["name"] == name;
        let find = |name| operation.parameters.iter().rfind(|node| is(node, name)).map(|node| (**node).clone());
        names.map(|name| find(name).unwrap_or_default()).collect()
    };
    for (before, after) in in_path(old).iter().zip(&in_path(new)) {
        let part = format!("path parameter `{}`", before["name"].as_str().unwrap_or_default());
        let mut walk = schema::Walk::new(old_root, new_root, found);
        walk.compare(&part, &before["schema"], &after["schema"], Direction::Request);
    }
    // An operation overrides the parameters of its path.
    let named = |operation: &Operation<'_>| -> BTreeMap<(String, String), Value> {
        let key = |node: &Value| [&node["in"], &node["name"]].map(|part| part.as_str().unwrap_or_default().to_owned());
        let named = operation.parameters.iter().map(|node| (key(node).into(), (*node).clone()));
        named.filter(|((place, _), _)| place != "path").collect()
    };
    let (old, mut new) = (named(old), named(new));
    for ((place, name), before) in old {
        let part = format!("{place} parameter `{name}`");
        match new.remove(&(place, name)) {
            None => found.push((part, DocumentChange::Removed, true)),
            Some(after) => {
                if after["required"] == true && before["required"] != true {
                    found.push((part.clone(), DocumentChange::Required, true));
                }
                let mut walk = schema::Walk::new(old_root, new_root, found);
                walk.compare(&part, &before["schema"], &after["schema"], Direction::Request);
            }
        }
    }
    for ((place, name), added) in new {
        let required = added["required"] == true;
        found.push((format!("{place} parameter `{name}`"), DocumentChange::Added, required));
    }
}

/// Returns the only media type.
fn media_type(node: &Value) -> Option<&str> {
    node["content"].as_object()?.keys().next().map(String::as_str)
}

/// Returns the schema of the only media type.
fn schema_of(node: &Value) -> Option<&Value> {
    node["content"].as_object()?.values().next().map(|media| &media["schema"])
}

/// Returns the schema of the first successful response.
fn response<'a>(root: &'a Value, operation: &Operation<'a>) -> Option<&'a Value> {
    let responses = operation.node["responses"].as_object()?;
    let success = responses.iter().find(|(status, _)| status.starts_with('2'))?.1;
    schema_of(resolve(root, success))
}
