//! Finds the parts of a document that progenitor cannot take. It names none, so parts are tried alone.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{Step, attempt};
use crate::{document::pointer::segment, error::Fault, generate::prepare::TWIN, model::reach};

/// An operation: its path, its method, and itself.
type Part<'a> = (&'a str, &'a str, &'a Value);

/// Returns the faults of the schemas, else of the operations, that fail. There is always one.
pub(crate) fn find(document: &Value, step: Step<'_>, what: &str) -> Vec<Fault> {
    let mut found = Vec::new();
    let mut bare = document.clone();
    bare["paths"] = json!({});
    if attempt(&with_schemas(&bare, &[]), step).is_ok() {
        let schemas = document.pointer("/components/schemas").and_then(Value::as_object);
        let names: Vec<_> = schemas.into_iter().flat_map(|schemas| schemas.keys().cloned()).collect();
        halve(&names, &|names| attempt(&with_schemas(&bare, names), step), &mut found);
        let mut found: Vec<Fault> = causes(document, found)
            .into_iter()
            .map(|(name, what)| Fault::new(format_args!("/components/schemas/{}", segment(&name)), what))
            .collect();
        if !found.is_empty() {
            return found;
        }
        let paths = document.get("paths").and_then(Value::as_object);
        let parts: Vec<Part<'_>> = paths
            .into_iter()
            .flatten()
            .flat_map(|(path, item)| {
                item.as_object().into_iter().flatten().map(move |(method, node)| (&**path, &**method, node))
            })
            .collect();
        let mut failed = Vec::new();
        halve(&parts, &|parts| attempt(&only(document, parts), step), &mut failed);
        found.extend(failed.into_iter().map(|((path, method, _), what)| {
            Fault::new(format_args!("/paths/{}/{method}", segment(path.strip_suffix(TWIN).unwrap_or(path))), what)
        }));
        if !found.is_empty() {
            return found;
        }
    }
    vec![Fault::new("/", what)]
}

/// Looks for parts that fail alone, by halves.
fn halve<T: Clone, O>(parts: &[T], attempt: &dyn Fn(&[T]) -> Result<O, String>, found: &mut Vec<(T, String)>) {
    let Err(what) = attempt(parts) else { return };
    match parts {
        [] => {}
        [part] => found.push((part.clone(), what)),
        parts => {
            let (before, after) = parts.split_at(parts.len() / 2);
            halve(before, attempt, found);
            halve(after, attempt, found);
        }
    }
}

/// Leaves out the schemas that only fail because they need one that does.
fn causes(document: &Value, failed: Vec<(String, String)>) -> Vec<(String, String)> {
    let names: BTreeSet<_> = failed.iter().map(|(name, _)| name.clone()).collect();
    let is_cause = |name: &String| {
        let mut root = document.clone();
        reach::keep(&mut root, BTreeSet::from([name.clone()]));
        let needed = root.pointer("/components/schemas").and_then(Value::as_object);
        needed.is_some_and(|needed| needed.keys().all(|other| other == name || !names.contains(other)))
    };
    let causes: Vec<_> = failed.iter().filter(|(name, _)| is_cause(name)).cloned().collect();
    // Schemas that need each other fail together.
    if causes.is_empty() { failed } else { causes }
}

/// Returns the document with these operations only, and the schemas that they need.
fn only(document: &Value, parts: &[Part<'_>]) -> Value {
    let mut paths = Map::new();
    for (path, method, node) in parts {
        let item = paths.entry(*path).or_insert_with(|| json!({}));
        item[*method] = (*node).clone();
    }
    let mut root = document.clone();
    root["paths"] = Value::Object(paths);
    reach::keep_used(&mut root);
    root
}

/// Returns the document with these schemas only, and those that they need.
fn with_schemas(document: &Value, names: &[String]) -> Value {
    let mut root = document.clone();
    reach::keep(&mut root, names.iter().cloned().collect());
    root
}
