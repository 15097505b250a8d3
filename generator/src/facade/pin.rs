//! Names of operations and of path parameters, pinned before the document is normalised.

use serde_json::{Value, json};

use super::Operation;
use crate::{document::pointer, overlay::merge};

/// Gives an operation the name of its call, and merges its update. The names of path parameters are not sent, so they become
/// those of the facade.
pub(super) fn pin(root: &mut Value, operation: &Operation) {
    let Some(path) = find(root, operation) else { return };
    if path != operation.path {
        rename_parameters(root, operation, &path);
    }
    let Some(node) = root.pointer_mut(&operation.pointer()).and_then(Value::as_object_mut) else { return };
    merge(node, &operation.update);
    let before = node.insert("operationId".into(), json!(operation.id));
    if before.is_none_or(|before| before != operation.id.as_str()) {
        // Another operation may have the name.
        node.insert("x-operation-name".into(), json!(operation.id));
    }
}

/// Returns the path of an operation as the document writes it.
fn find(root: &Value, operation: &Operation) -> Option<String> {
    let paths = root.get("paths")?.as_object()?;
    let has =
        |path: &str| paths.get(path).is_some_and(|item| item.get(&operation.method).is_some_and(Value::is_object));
    if has(&operation.path) {
        return Some(operation.path.clone());
    }
    let template = template(&operation.path);
    paths.keys().find(|path| self::template(path) == template && has(path)).cloned()
}

/// Returns a path without the names of its parameters.
fn template(path: &str) -> Vec<&str> {
    path.split('/')
        .map(|segment| if segment.starts_with('{') && segment.ends_with('}') { "{}" } else { segment })
        .collect()
}

/// Moves an operation to the path of the facade.
fn rename_parameters(root: &mut Value, operation: &Operation, path: &str) {
    let item = &root["paths"][path];
    let lists = [&item["parameters"], &item[&operation.method]["parameters"]];
    let mut parameters: Vec<Value> = Vec::new();
    for parameter in lists.into_iter().filter_map(Value::as_array).flatten() {
        let parameter = pointer::resolve(root, parameter).unwrap_or(parameter).clone();
        // An operation overrides the parameters of its path.
        parameters.retain(|other| other["in"] != parameter["in"] || other["name"] != parameter["name"]);
        parameters.push(parameter);
    }
    let name = |segment: &str| segment.trim_start_matches('{').trim_end_matches('}').to_owned();
    for (old, new) in path.split('/').zip(operation.path.split('/')).filter(|(old, new)| old != new) {
        for parameter in
            parameters.iter_mut().filter(|parameter| parameter["in"] == "path" && parameter["name"] == name(old))
        {
            parameter["name"] = json!(name(new));
        }
    }
    let Some(paths) = root["paths"].as_object_mut() else { return };
    let moved = paths.get_mut(path).and_then(Value::as_object_mut).and_then(|item| item.remove(&operation.method));
    if let Some(mut moved) = moved {
        moved["parameters"] = Value::Array(parameters);
        if let Some(item) = paths.entry(operation.path.clone()).or_insert_with(|| json!({})).as_object_mut() {
            item.insert(operation.method.clone(), moved);
        }
    }
}
