//! Swagger 2.0, converted to OpenAPI 3.0.

mod parameters;
mod security;

use serde_json::{Map, Value, json};

use super::Log;
use crate::document::{
    operations::{METHODS, pointer},
    pointer::{resolve, segment},
};

/// Converts a document with `swagger: 2.0`. Other documents stay as they are.
pub(crate) fn convert(root: &mut Value, log: &mut Log<'_>) {
    if root.get("swagger").is_none() || root.get("openapi").is_some() {
        return;
    }
    let source = std::mem::take(root);
    let mut converted = Map::new();
    for (name, value) in source.as_object().into_iter().flatten() {
        if ["info", "tags", "security"].contains(&name.as_str()) || name.starts_with("x-") {
            converted.insert(name.clone(), value.clone());
        }
    }
    converted.insert("openapi".into(), json!("3.0.3"));
    converted.insert("servers".into(), servers(&source));
    for name in source.get("definitions").and_then(Value::as_object).into_iter().flat_map(Map::keys) {
        log.moved(name, &format!("/definitions/{}", segment(name)));
    }
    let mut components = json!({ "schemas": source.get("definitions").cloned().unwrap_or_else(|| json!({})) });
    if let Some(schemes) = source.get("securityDefinitions").and_then(Value::as_object) {
        components["securitySchemes"] = security::schemes(schemes, log);
    }
    converted.insert("components".into(), components);
    let mut paths = Map::new();
    for (path, item) in source.get("paths").and_then(Value::as_object).into_iter().flatten() {
        let mut operations = Map::new();
        for method in METHODS {
            let Some(node) = item.get(method) else { continue };
            match operation(&source, item, node, &pointer(path, method), log) {
                Ok(operation) => drop(operations.insert(method.to_string(), operation)),
                Err(reason) => log.left_out(&pointer(path, method), format!("the operation is left out: {reason}")),
            }
        }
        paths.insert(path.clone(), Value::Object(operations));
    }
    converted.insert("paths".into(), Value::Object(paths));
    *root = Value::Object(converted);
    rewrite_references(root);
}

/// Returns the addresses that schemes, host and base path give.
fn servers(source: &Value) -> Value {
    let text = |name: &str| source.get(name).and_then(Value::as_str).unwrap_or_default();
    let (host, base) = (text("host"), text("basePath").trim_end_matches('/'));
    if host.is_empty() {
        return json!([{ "url": if base.is_empty() { "/" } else { base } }]);
    }
    let schemes: Vec<_> =
        source.get("schemes").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let schemes = if schemes.is_empty() { vec!["https"] } else { schemes };
    schemes.iter().map(|scheme| json!({ "url": format!("{scheme}://{host}{base}") })).collect()
}

fn operation(source: &Value, item: &Value, node: &Value, place: &str, log: &mut Log<'_>) -> Result<Value, String> {
    let mut operation = node.as_object().ok_or("an object is expected")?.clone();
    let media_types = |name: &str| {
        let own = node.get(name).or_else(|| source.get(name)).and_then(Value::as_array);
        own.into_iter().flatten().filter_map(Value::as_str).map(str::to_string).collect::<Vec<_>>()
    };
    let lists = [item.get("parameters"), operation.remove("parameters").as_ref()].map(|list| list.cloned());
    let converted = parameters::convert(source, &lists, &media_types("consumes"), place, log)?;
    operation.insert("parameters".into(), Value::Array(converted.parameters));
    if let Some(body) = converted.body {
        operation.insert("requestBody".into(), body);
    }
    let produces = media_types("produces");
    for (_, response) in operation.get_mut("responses").and_then(Value::as_object_mut).into_iter().flatten() {
        // A broken reference is reported when responses are inlined.
        if let Ok(resolved) = resolve(source, response).cloned() {
            *response = convert_response(resolved, &produces);
        }
    }
    for name in ["consumes", "produces", "schemes"] {
        operation.remove(name);
    }
    Ok(Value::Object(operation))
}

fn convert_response(mut response: Value, produces: &[String]) -> Value {
    let Some(map) = response.as_object_mut() else { return response };
    map.remove("examples");
    map.remove("headers");
    if let Some(schema) = map.remove("schema") {
        let is_file = schema["type"] == "file";
        let content: Map<_, _> = match produces {
            [] if is_file => [("application/octet-stream".to_string(), json!({}))].into_iter().collect(),
            [] => [("application/json".to_string(), json!({ "schema": schema }))].into_iter().collect(),
            types if is_file => types.iter().map(|name| (name.clone(), json!({}))).collect(),
            types => types.iter().map(|name| (name.clone(), json!({ "schema": schema }))).collect(),
        };
        map.insert("content".into(), Value::Object(content));
    }
    response
}

/// Rewrites references to definitions.
fn rewrite_references(node: &mut Value) {
    match node {
        Value::Object(map) => {
            if let Some(Value::String(reference)) = map.get_mut("$ref")
                && let Some(name) = reference.strip_prefix("#/definitions/")
            {
                *reference = format!("#/components/schemas/{name}");
            }
            map.values_mut().for_each(rewrite_references);
        }
        Value::Array(items) => items.iter_mut().for_each(rewrite_references),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalize::tests::run;

    #[test]
    fn a_document_is_converted() {
        let (root, effects) = run(
            convert,
            json!({
                "swagger": "2.0",
                "info": { "title": "Orders" },
                "host": "example.com", "basePath": "/v1/", "schemes": ["https", "http"],
                "produces": ["application/json"],
                "definitions": { "Order": { "properties": { "next": { "$ref": "#/definitions/Order" } } } },
                "responses": { "Found": { "description": "found", "schema": { "$ref": "#/definitions/Order" } } },
                "paths": { "/orders": { "get": { "responses": {
                    "200": { "$ref": "#/responses/Found" }, "404": { "description": "none" }
                } } } }
            }),
        );
        let order = json!({ "$ref": "#/components/schemas/Order" });
        assert_eq!(
            root,
            json!({
                "openapi": "3.0.3",
                "info": { "title": "Orders" },
                "servers": [{ "url": "https://example.com/v1" }, { "url": "http://example.com/v1" }],
                "components": { "schemas": { "Order": { "properties": { "next": order } } } },
                "paths": { "/orders": { "get": { "parameters": [], "responses": {
                    "200": { "description": "found", "content": { "application/json": { "schema": order } } },
                    "404": { "description": "none" }
                } } } }
            })
        );
        assert_eq!(effects, []);
    }

    #[test]
    fn a_file_is_bytes() {
        let response = |produces: &[&str]| {
            let produces: Vec<_> = produces.iter().map(|name| name.to_string()).collect();
            convert_response(json!({ "schema": { "type": "file" } }), &produces)["content"].clone()
        };
        assert_eq!(response(&[]), json!({ "application/octet-stream": {} }));
        assert_eq!(response(&["application/pdf"]), json!({ "application/pdf": {} }));
    }

    #[test]
    fn other_documents_stay() {
        let document = json!({ "openapi": "3.0.0", "definitions": {} });
        assert_eq!(run(convert, document.clone()).0, document);
    }
}
