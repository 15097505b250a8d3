//! Cleans what stands around the operations and schemas.

use serde_json::{Map, Value, json};

use super::Log;

/// The members of a document that are kept, besides extensions.
const KEPT: [&str; 8] = ["openapi", "info", "servers", "paths", "components", "security", "tags", "externalDocs"];

/// Sets the version to 3.0.3 and gives every part of the head the type that it must have.
pub(crate) fn clean(root: &mut Value, log: &mut Log<'_>) {
    if !root.is_object() {
        *root = json!({});
    }
    let Some(map) = root.as_object_mut() else { return };
    if map.get("webhooks").and_then(Value::as_object).is_some_and(|hooks| !hooks.is_empty()) {
        log.lost("/webhooks", "webhooks are requests of the server: no code is generated for them");
    }
    map.retain(|name, _| KEPT.contains(&name.as_str()) || name.starts_with("x-"));
    map.insert("openapi".into(), json!("3.0.3"));
    let text = |name: &str, default: &str| match map.get("info").and_then(|info| info.get(name)) {
        Some(Value::String(text)) => json!(text),
        Some(Value::Number(number)) => json!(number.to_string()),
        _ => json!(default),
    };
    let mut info = json!({ "title": text("title", "API"), "version": text("version", "0") });
    if let Value::String(description) = text("description", "")
        && !description.is_empty()
    {
        info["description"] = json!(description);
    }
    map.insert("info".into(), info);
    map.remove("externalDocs");
    for name in ["paths", "components"] {
        if !map.get(name).is_some_and(Value::is_object) {
            map.insert(name.into(), json!({}));
        }
    }
    keep_items(map, "servers", |server| server.get("url").is_some_and(Value::is_string));
    keep_items(map, "tags", |tag| tag.get("name").is_some_and(Value::is_string));
    keep_items(map, "security", |needs| {
        needs.as_object().is_some_and(|needs| needs.values().all(|scopes| scopes.is_array()))
    });
    clean_servers(map);
    clean_tags(map);
    if !map["components"].get("schemas").is_some_and(Value::is_object) {
        map["components"]["schemas"] = json!({});
    }
}

/// Keeps the items of a list that fulfil a condition. A member that is not a list goes.
fn keep_items(map: &mut Map<String, Value>, name: &str, keep: fn(&Value) -> bool) {
    match map.get_mut(name) {
        Some(Value::Array(items)) => items.retain(keep),
        Some(_) => drop(map.remove(name)),
        None => {}
    }
}

fn clean_servers(map: &mut Map<String, Value>) {
    for server in map.get_mut("servers").and_then(Value::as_array_mut).into_iter().flatten() {
        let Some(server) = server.as_object_mut() else { continue };
        server.retain(|name, value| match name.as_str() {
            "url" => true,
            "description" => value.is_string(),
            "variables" => value.as_object().is_some_and(|variables| {
                variables.values().all(|variable| variable.get("default").is_some_and(Value::is_string))
            }),
            _ => name.starts_with("x-"),
        });
        for variable in server.get_mut("variables").and_then(Value::as_object_mut).into_iter().flatten() {
            let default = variable.1["default"].take();
            *variable.1 = json!({ "default": default });
        }
    }
}

fn clean_tags(map: &mut Map<String, Value>) {
    for tag in map.get_mut("tags").and_then(Value::as_array_mut).into_iter().flatten() {
        let Some(tag) = tag.as_object_mut() else { continue };
        tag.retain(|name, value| ["name", "description"].contains(&name.as_str()) && value.is_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Effect, normalize::tests::run};

    #[test]
    fn the_head_has_the_types_of_openapi_3_0() {
        let (root, effects) = run(
            clean,
            json!({
                "openapi": "3.1.0",
                "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
                "info": { "title": "Orders", "version": 1.2, "license": { "identifier": "MIT" } },
                "servers": [{ "url": "https://example.com" }, { "description": "no address" }],
                "tags": ["Order", { "name": "Order", "x-note": 1 }],
                "webhooks": { "created": {} },
                "paths": []
            }),
        );
        assert_eq!(
            root,
            json!({
                "openapi": "3.0.3",
                "info": { "title": "Orders", "version": "1.2" },
                "servers": [{ "url": "https://example.com" }],
                "tags": [{ "name": "Order" }],
                "components": { "schemas": {} },
                "paths": {}
            })
        );
        assert_eq!(effects, [(Effect::Lost, "/webhooks".to_string())]);
    }
}
