//! Copies referenced path items, parameters, bodies and responses to where they are used.

use serde_json::{Map, Value, json};

use crate::{
    document::{
        operations::{METHODS, pointer},
        pointer::{resolve, segment},
    },
    normalize::Log,
};

/// The members of an operation that are kept, besides extensions.
const KEPT: [&str; 9] = [
    "tags",
    "summary",
    "description",
    "operationId",
    "parameters",
    "requestBody",
    "responses",
    "deprecated",
    "security",
];

/// Inlines all references but those to schemas, and removes the components that nothing refers to any more.
pub(crate) fn inline(root: &mut Value, log: &mut Log<'_>) {
    let source = root.clone();
    let mut paths = Map::new();
    for (path, item) in source["paths"].as_object().into_iter().flatten() {
        if path.starts_with("x-") {
            continue;
        }
        let place = format!("/paths/{}", segment(path));
        match inline_item(&source, path, item, log) {
            Ok(item) if item.is_empty() => {}
            Ok(item) => drop(paths.insert(path.clone(), Value::Object(item))),
            Err(reason) => log.left_out(&place, format!("the path is left out: {reason}")),
        }
    }
    root["paths"] = Value::Object(paths);
    if let Some(components) = root["components"].as_object_mut() {
        components.retain(|name, value| ["schemas", "securitySchemes"].contains(&name.as_str()) && value.is_object());
    }
}

fn inline_item(source: &Value, path: &str, item: &Value, log: &mut Log<'_>) -> Result<Map<String, Value>, String> {
    // OpenAPI 3.1 lets a path item have members beside its reference.
    let base = resolve(source, item)?;
    let member = |name: &str| item.get(name).or_else(|| base.get(name));
    if !base.is_object() {
        return Err("an object is expected".to_string());
    }
    let mut operations = Map::new();
    for method in METHODS {
        let Some(node) = member(method) else { continue };
        let place = pointer(path, method);
        match inline_operation(source, member("parameters"), node, &place, log) {
            Ok(operation) => drop(operations.insert(method.to_string(), operation)),
            Err(reason) => log.left_out(&place, format!("the operation is left out: {reason}")),
        }
    }
    if member("servers").is_some() {
        log.lost(&format!("/paths/{}/servers", segment(path)), "servers of a path are ignored");
    }
    Ok(operations)
}

fn inline_operation(
    source: &Value,
    shared: Option<&Value>,
    node: &Value,
    place: &str,
    log: &mut Log<'_>,
) -> Result<Value, String> {
    let mut operation = node.as_object().ok_or("an object is expected")?.clone();
    for (name, message) in [
        ("callbacks", "callbacks are requests of the server: no code is generated for them"),
        ("servers", "servers of an operation are ignored"),
    ] {
        if operation.contains_key(name) {
            log.lost(&format!("{place}/{name}"), message);
        }
    }
    operation.retain(|name, value| match name.as_str() {
        "summary" | "description" | "operationId" => value.is_string(),
        "deprecated" => value.is_boolean(),
        "security" => value.as_array().is_some_and(|needs| {
            needs.iter().all(|needs| needs.as_object().is_some_and(|needs| needs.values().all(Value::is_array)))
        }),
        name => KEPT.contains(&name) || name.starts_with("x-"),
    });
    let own = operation.remove("parameters");
    operation.insert("parameters".into(), parameters(source, [shared, own.as_ref()])?);
    if let Some(body) = operation.get_mut("requestBody") {
        *body = resolve(source, body)?.clone();
        if !body.is_object() {
            return Err("its body is not an object".to_string());
        }
    }
    let mut responses = Map::new();
    for (status, response) in operation.get("responses").and_then(Value::as_object).into_iter().flatten() {
        if status.starts_with("x-") {
            continue;
        }
        // A response whose reference is broken is documented all the same: its body is unknown.
        let response = resolve(source, response).cloned().unwrap_or_else(|reason| {
            log.lost(&format!("{place}/responses/{status}"), format!("the response has no type: {reason}"));
            json!({ "description": "" })
        });
        responses.insert(status.clone(), if response.is_object() { response } else { json!({ "description": "" }) });
    }
    operation.insert("responses".into(), Value::Object(responses));
    Ok(Value::Object(operation))
}

/// Returns the parameters of the path and the operation, where one of the operation replaces its namesake.
fn parameters(source: &Value, lists: [Option<&Value>; 2]) -> Result<Value, String> {
    let mut found: Vec<Value> = Vec::new();
    for parameter in lists.into_iter().flatten().filter_map(Value::as_array).flatten() {
        let parameter = resolve(source, parameter)?.clone();
        let key = |parameter: &Value| [parameter.get("in").cloned(), parameter.get("name").cloned()];
        match found.iter_mut().find(|other| key(other) == key(&parameter)) {
            Some(other) => *other = parameter,
            None => found.push(parameter),
        }
    }
    Ok(Value::Array(found))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Effect, normalize::tests::run};

    #[test]
    fn parts_are_copied_to_where_they_are_used() {
        let (root, effects) = run(
            inline,
            json!({
                "paths": { "/a": {
                    "parameters": [{ "$ref": "#/components/parameters/Page" }, { "name": "q", "in": "query" }],
                    "get": {
                        "parameters": [{ "name": "q", "in": "query", "required": true }],
                        "responses": { "200": { "$ref": "#/components/responses/Ok" } }
                    },
                    "post": { "requestBody": { "$ref": "#/components/requestBodies/New" } }
                }},
                "components": {
                    "parameters": { "Page": { "name": "page", "in": "query" } },
                    "responses": { "Ok": { "description": "fine" } },
                    "requestBodies": { "New": { "required": true } }
                }
            }),
        );
        let page = json!({ "name": "page", "in": "query" });
        assert_eq!(
            root,
            json!({
                "paths": { "/a": {
                    "get": {
                        "parameters": [page, { "name": "q", "in": "query", "required": true }],
                        "responses": { "200": { "description": "fine" } }
                    },
                    "post": {
                        "parameters": [page, { "name": "q", "in": "query" }],
                        "requestBody": { "required": true },
                        "responses": {}
                    }
                }},
                "components": {}
            })
        );
        assert_eq!(effects, []);
    }

    #[test]
    fn an_operation_with_a_broken_reference_is_left_out_and_named() {
        let broken = json!({ "$ref": "#/components/none" });
        let (root, effects) = run(
            inline,
            json!({ "components": {}, "paths": {
                "/a": { "get": { "parameters": [broken] }, "put": { "requestBody": broken }, "post": 7 },
                "/b": broken,
                "/c": { "get": { "responses": { "200": broken } } }
            }}),
        );
        assert_eq!(root["paths"].as_object().unwrap().keys().collect::<Vec<_>>(), ["/c"]);
        let out = |place: &str| (Effect::LeftOut, place.to_string());
        assert_eq!(
            effects,
            [
                out("/paths/~1a/get"),
                out("/paths/~1a/put"),
                out("/paths/~1a/post"),
                out("/paths/~1b"),
                (Effect::Lost, "/paths/~1c/get/responses/200".to_string())
            ]
        );
    }

    #[test]
    fn a_path_item_may_be_a_reference() {
        let (root, _) = run(
            inline,
            json!({
                "paths": { "/a": { "$ref": "#/components/pathItems/A", "put": {} } },
                "components": { "pathItems": { "A": { "get": {} } } }
            }),
        );
        assert_eq!(root["paths"]["/a"].as_object().unwrap().keys().collect::<Vec<_>>(), ["get", "put"]);
    }
}
