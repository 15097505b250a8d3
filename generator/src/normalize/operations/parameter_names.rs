//! Names of parameters: distinct, and no names of methods that every builder has.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::{
    document::operations::{METHODS, Operation, operations, pointer},
    normalize::{
        Log,
        names::{is_keyword, snake},
    },
};

/// The member of a parameter that keeps the name that is sent, where Rust needs another one.
const WIRE_NAME: &str = "x-perenso-wire-name";

/// Methods and fields that every builder has, and variables of every method.
const TAKEN: [&str; 6] = ["new", "send", "client", "header_map", "request", "self"];

/// Gives the parameters of each operation distinct names. Names in the path are free, others are sent.
pub(crate) fn separate(root: &mut Value, log: &mut Log<'_>) {
    let mut renamed: Vec<(String, String, String)> = Vec::new();
    for operation in operations(root) {
        let path = one(operation, log);
        renamed.extend(path);
    }
    let Some(paths) = root.get_mut("paths").and_then(Value::as_object_mut) else { return };
    for (path, method, new) in renamed {
        if paths.get(&new).is_some_and(|item| item.get(&method).is_some()) {
            paths.get_mut(&path).and_then(Value::as_object_mut).map(|item| item.remove(&method));
            let place = pointer(&path, &method);
            log.left_out(
                &place,
                format!("the operation is left out: its path equals `{new}`, which has the same method"),
            );
            continue;
        }
        if let Some(operation) =
            paths.get_mut(&path).and_then(Value::as_object_mut).and_then(|item| item.remove(&method))
        {
            paths.entry(new).or_insert_with(|| json!({}))[method] = operation;
        }
    }
    paths
        .retain(|_, item| item.as_object().is_some_and(|item| METHODS.iter().any(|method| item.contains_key(*method))));
}

/// Renames the parameters of one operation. Returns its path and method, and its new path if that changes.
fn one(operation: Operation<'_>, log: &mut Log<'_>) -> Option<(String, String, String)> {
    let Operation { pointer, path, method, node } = operation;
    let mut taken: BTreeSet<String> = TAKEN.iter().map(|name| name.to_string()).collect();
    if node.contains_key("requestBody") {
        taken.insert("body".into());
    }
    let list = node.get_mut("parameters")?.as_array_mut()?;
    let mut new = path.to_string();
    // What is sent has the better claim to its name.
    let (in_path, sent): (Vec<usize>, Vec<usize>) = (0..list.len()).partition(|index| list[*index]["in"] == "path");
    for index in sent.into_iter().chain(in_path) {
        let Some(parameter) = list[index].as_object_mut() else { continue };
        let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default().to_string();
        let is_path = parameter.get("in") == Some(&json!("path"));
        let Some(free) = free(&name, is_path, &mut taken) else { continue };
        if is_path {
            new = new.replace(&format!("{{{name}}}"), &format!("{{{free}}}"));
        } else {
            parameter.insert(WIRE_NAME.into(), json!(name));
        }
        log.changed(&format!("{pointer}/parameters/{index}"), format!("the parameter `{name}` is called `{free}`"));
        rename(parameter, &free);
    }
    (new != path).then(|| (path.to_string(), method.to_string(), new))
}

fn rename(parameter: &mut Map<String, Value>, name: &str) {
    parameter.insert("name".into(), json!(name));
}

/// Returns another name if a parameter needs one.
fn free(name: &str, is_path: bool, taken: &mut BTreeSet<String>) -> Option<String> {
    let wanted = snake(name);
    // Braces and spaces are no part of a template's parameter.
    let is_odd = is_path && !name.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c));
    if !is_odd && !is_keyword(&wanted) && taken.insert(wanted.clone()) {
        return None;
    }
    // The code generator puts an underscore behind a keyword by itself.
    if !is_odd && is_keyword(&wanted) && wanted != "self" && taken.insert(wanted.clone()) {
        return None;
    }
    let suffix = if is_path { "_in_path" } else { "_value" };
    let base = if is_odd { wanted } else { format!("{wanted}{suffix}") };
    let numbered = (2..).map(|number| format!("{base}_{number}"));
    std::iter::once(base.clone()).chain(numbered).find(|name| taken.insert(name.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalize::tests::run;

    fn names(path: &str, parameters: Value, body: bool) -> (String, Vec<Value>) {
        let mut operation = json!({ "parameters": parameters });
        if body {
            operation["requestBody"] = json!({});
        }
        let (root, _) = run(separate, json!({ "paths": { path: { "get": operation } } }));
        let (path, item) = root["paths"].as_object().unwrap().iter().next().unwrap();
        (path.clone(), item["get"]["parameters"].as_array().unwrap().clone())
    }

    fn parameter(name: &str, kind: &str) -> Value {
        json!({ "name": name, "in": kind })
    }

    #[test]
    fn names_in_the_path_are_free() {
        let (path, list) = names(
            "/a/{id}/{x y}",
            json!([parameter("id", "path"), parameter("x y", "path"), parameter("Id", "query")]),
            false,
        );
        assert_eq!(path, "/a/{id_in_path}/{x_y}");
        assert_eq!(list, [parameter("id_in_path", "path"), parameter("x_y", "path"), parameter("Id", "query")]);
    }

    #[test]
    fn names_that_are_sent_are_kept() {
        let (_, list) = names(
            "/a",
            json!([parameter("send", "query"), parameter("page", "query"), parameter("Page", "header")]),
            false,
        );
        let with =
            |name: &str, kind: &str, wire: &str| json!({ "name": name, "in": kind, "x-perenso-wire-name": wire });
        assert_eq!(
            list,
            [with("send_value", "query", "send"), parameter("page", "query"), with("page_value", "header", "Page")]
        );
    }

    #[test]
    fn a_parameter_may_be_called_body_where_there_is_none() {
        assert_eq!(names("/a", json!([parameter("body", "query")]), false).1, [parameter("body", "query")]);
        assert_eq!(names("/a", json!([parameter("body", "query")]), true).1[0]["name"], "body_value");
        assert_eq!(names("/a", json!([parameter("type", "query")]), true).1, [parameter("type", "query")]);
    }
}
