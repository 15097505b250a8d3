//! The steps that change schemas.

pub(super) mod aliases;
pub(super) mod all_of;
pub(crate) mod alternatives;
pub(super) mod constants;
pub(super) mod dialect;
pub(crate) mod enums;
pub(super) mod equal;
pub(super) mod fields;
pub(super) mod hoist;
pub(super) mod limits;
pub(super) mod nulls;
pub(super) mod references;
pub(super) mod rename;
pub(super) mod scalars;
pub(super) mod unions;

use serde_json::{Map, Value, json};

use crate::document::{
    pointer::{schema_name, schema_reference},
    schemas::each_schema,
};

/// Moves the component schemas out of a document, so that a step can change the rest beside them.
pub(super) fn take_components(root: &mut Value) -> Map<String, Value> {
    match root.pointer_mut("/components/schemas").map(Value::take) {
        Some(Value::Object(schemas)) => schemas,
        _ => Map::new(),
    }
}

/// Makes references to component schemas refer to other ones, by the new name of a name that has one.
pub(super) fn redirect(root: &mut Value, new_name: impl Fn(&str) -> Option<String>) {
    each_schema(root, &mut |schema, _| {
        if let Some(name) = schema_name(schema)
            && let Some(new) = new_name(&name)
            && let Some(map) = schema.as_object_mut()
        {
            map.insert("$ref".into(), schema_reference(&new)["$ref"].clone());
        }
    });
}

/// Puts the component schemas back.
pub(super) fn put_components(root: &mut Value, schemas: Map<String, Value>) {
    root["components"]["schemas"] = Value::Object(schemas);
}

/// Returns true if a schema admits `null`.
pub(super) fn is_nullable(schema: &Value) -> bool {
    schema["nullable"] == true
}

/// Returns a schema that admits `null` as well. A reference cannot have members beside it, so `allOf` takes it.
pub(super) fn nullable(schema: Value) -> Value {
    match schema {
        Value::Object(map) if map.contains_key("$ref") => json!({ "allOf": [map], "nullable": true }),
        Value::Object(mut map) => {
            map.insert("nullable".into(), json!(true));
            Value::Object(map)
        }
        other => other,
    }
}

/// Returns true for an object with known fields.
pub(super) fn is_record(schema: &Value) -> bool {
    schema["type"] == "object" && schema["properties"].as_object().is_some_and(|properties| !properties.is_empty())
}

/// Appends a sentence to the description of a schema.
pub(super) fn describe(schema: &mut Map<String, Value>, sentence: &str) {
    let text = match schema.get("description").and_then(Value::as_str) {
        Some(text) if text.contains(sentence) => return,
        Some(text) if !text.trim().is_empty() => format!("{}\n\n{sentence}", text.trim_end()),
        _ => sentence.to_string(),
    };
    schema.insert("description".into(), json!(text));
}
