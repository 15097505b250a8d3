//! Checks the assumptions of later steps, and reports every place where one does not hold.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Operation, object, operations, schema, text};
use crate::{
    document::{pointer::segment, schemas::MULTIPART},
    error::Fault,
};

/// The values of `x-idempotency`, the classes of RFC 9110 section 9.2.
const CLASSES: [&str; 3] = ["safe", "idempotent", "not-repeatable"];

/// Checks a document.
pub(crate) fn document(root: &Value) -> Result<(), Vec<Fault>> {
    let mut faults = Vec::new();
    references(root, root, "", &mut faults);
    if object(root, "/paths").is_none() {
        faults.push(Fault::new("/paths", "an object is expected here"));
    }
    for (name, node) in object(root, "/components/schemas").into_iter().flatten() {
        let place = format!("/components/schemas/{}", segment(name));
        let properties = node.get("properties").and_then(Value::as_object);
        for shown in schema::texts(node, "x-shown") {
            if properties.is_none_or(|properties| !properties.contains_key(&shown)) {
                faults
                    .push(Fault::new(format_args!("{place}/x-shown"), format_args!("there is no property `{shown}`")));
            }
        }
        let known = schema::marked(node).is_none_or(|marker| schema::by_hand(marker).is_some());
        if !known {
            let expected = "expected timestamp, decimal, id, messages or file";
            faults.push(Fault::new(format_args!("{place}/x-perenso-type"), expected));
        }
    }
    let mut ids = BTreeMap::new();
    for operation in operations(root) {
        match operation {
            Ok(operation) => check(&operation, &mut ids, &mut faults),
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

fn check<'a>(operation: &Operation<'a>, ids: &mut BTreeMap<&'a str, String>, faults: &mut Vec<Fault>) {
    let Operation { place, id, node, .. } = operation;
    let mut fault = |member: &str, what: String| faults.push(Fault::new(format_args!("{place}{member}"), what));
    if id.is_empty() {
        fault("", "`operationId` is missing".to_string());
    } else if !is_snake_case(id) {
        fault("/operationId", format!("`{id}` is not snake_case"));
    } else if let Some(other) = ids.insert(id, place.clone()) {
        fault("/operationId", format!("`{id}` is taken by {other}"));
    }
    if let Some(class) = node.get("x-idempotency")
        && !class.as_str().is_some_and(|class| CLASSES.contains(&class))
    {
        fault("/x-idempotency", format!("{class} is not safe, idempotent or not-repeatable"));
    }
    if object(node, "/responses").is_none() {
        fault("/responses", "an object is expected here".to_string());
    }
    for (index, parameter) in node.get("parameters").and_then(Value::as_array).into_iter().flatten().enumerate() {
        if text(parameter, "name").is_empty() {
            fault(&format!("/parameters/{index}"), "`name` is missing".to_string());
        }
    }
}

/// Returns true if the generated function has exactly this name.
fn is_snake_case(id: &str) -> bool {
    let word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    id.starts_with(|c: char| c.is_ascii_lowercase()) && id.split('_').all(word)
}

/// Finds references to nothing.
fn references(root: &Value, node: &Value, place: &str, faults: &mut Vec<Fault>) {
    match node {
        Value::Object(map) => {
            if let Some(Value::String(target)) = map.get("$ref")
                && target.strip_prefix('#').and_then(|pointer| root.pointer(pointer)).is_none()
            {
                faults.push(Fault::new(format_args!("{place}/$ref"), format_args!("there is no `{target}`")));
            }
            // An extension may hold anything, but names of properties and schemas are free.
            let is_named = ["/properties", "/schemas", "/paths"].iter().any(|names| place.ends_with(names));
            let is_schema = |name: &str| is_named || !name.starts_with("x-") || name == MULTIPART;
            for (name, child) in map.iter().filter(|(name, _)| is_schema(name)) {
                references(root, child, &format!("{place}/{}", segment(name)), faults);
            }
        }
        Value::Array(items) => {
            for (index, child) in items.iter().enumerate() {
                references(root, child, &format!("{place}/{index}"), faults);
            }
        }
        _ => {}
    }
}
