//! Takes a schema as a kind, if it differs in its notation only.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Facade, bind::Target, kind::Shape};
use crate::{document::pointer::schema_reference, normalize::names::unique};

/// Changes the schema at a place to the shape, so that code of exactly this type is generated. Returns what was found instead if
/// its JSON values are others.
pub(super) fn take(root: &mut Value, facade: &Facade, place: &str, shape: &Shape) -> Result<(), String> {
    let target = Target::of(root, place);
    let node = target.node(root);
    let (ty, marker) = (node["type"].as_str().unwrap_or_default(), node["x-perenso-type"].as_str().unwrap_or_default());
    let is_inline = target.reference.is_none();
    match shape {
        Shape::Any | Shape::Raw => {}
        Shape::String if ty == "string" => {
            if !is_inline || !node["enum"].is_null() || !node["format"].is_null() {
                replace(root, place, json!({ "type": "string" }));
            }
        }
        Shape::Integer if ty == "integer" => {
            if !is_inline || node["format"].as_str().is_some_and(|format| format != "int64") {
                replace(root, place, json!({ "type": "integer", "format": "int64" }));
            }
        }
        Shape::Boolean if ty == "boolean" => {
            if !is_inline {
                replace(root, place, json!({ "type": "boolean" }));
            }
        }
        Shape::Id if marker == "id" => {}
        Shape::Timestamp if marker == "timestamp" => {}
        Shape::Decimal if marker == "decimal" => {}
        Shape::Messages if marker == "messages" => {}
        Shape::Id | Shape::Timestamp if ty == "string" => scalar(root, place, shape),
        Shape::Decimal if ty == "number" || ty == "integer" => scalar(root, place, shape),
        Shape::Messages if ty == "string" || ty.is_empty() || (ty == "array" && node["items"]["type"] == "string") => {
            scalar(root, place, shape);
        }
        Shape::List(inner) if ty == "array" => {
            let items = format!("{}/items", target.pointer);
            return take(root, facade, &items, inner).map_err(|found| format!("a list of {found}"));
        }
        Shape::Map(name) if ty == "object" || ty.is_empty() => {
            if target.component().as_ref() != Some(name) {
                insert(
                    root,
                    name,
                    json!({ "type": "object", "description": "The values.", "additionalProperties": {} }),
                );
                replace(root, place, schema_reference(name));
            }
        }
        Shape::Type(name) => match facade.values_of(name).filter(|_| ty == "string" && marker.is_empty()) {
            Some(values) => return one_of(root, place, name, values),
            None if facade.values_of(name).is_none() && target.component().as_ref() == Some(name) => {}
            None => return Err(describe(&target, node)),
        },
        _ => return Err(describe(&target, node)),
    }
    Ok(())
}

/// Takes a string as an enum. Further values are read as well, as those that the code does not know.
fn one_of(root: &mut Value, place: &str, name: &str, values: &[String]) -> Result<(), String> {
    let target = Target::of(root, place);
    let known = target.node(root)["enum"].as_array().map(Vec::as_slice);
    let missing =
        values.iter().find(|value| known.is_some_and(|known| !known.iter().any(|known| known == value.as_str())));
    if let Some(missing) = missing {
        return Err(format!("an enum without the value `{missing}`"));
    }
    let is_same = known.is_some_and(|known| known.iter().filter(|value| !value.is_null()).count() == values.len());
    if is_same && target.component().as_deref() == Some(name) {
        return Ok(());
    }
    let description =
        target.node(root)["description"].as_str().unwrap_or("One of the known values, or another one.").to_owned();
    insert(root, name, json!({ "type": "string", "enum": values, "description": description }));
    replace(root, place, schema_reference(name));
    Ok(())
}

/// Makes a place refer to a component of a type of the runtime.
fn scalar(root: &mut Value, place: &str, shape: &Shape) {
    let reference = component(root, shape);
    replace(root, place, reference);
}

/// Returns the schema of a field that the document lacks.
pub(super) fn absent(root: &mut Value, shape: &Shape) -> Value {
    match shape {
        Shape::String => json!({ "type": "string", "nullable": true }),
        Shape::Integer => json!({ "type": "integer", "format": "int64", "nullable": true }),
        Shape::Boolean => json!({ "type": "boolean", "nullable": true }),
        Shape::Id | Shape::Timestamp | Shape::Decimal | Shape::Messages => {
            json!({ "allOf": [component(root, shape)], "nullable": true })
        }
        _ => json!({}),
    }
}

/// Returns a reference to the component of a type of the runtime.
fn component(root: &mut Value, shape: &Shape) -> Value {
    let (marker, name, schema) = match shape {
        Shape::Id => ("id", "Id", json!({ "type": "string", "description": "An id." })),
        Shape::Timestamp => ("timestamp", "Timestamp", json!({ "type": "string", "description": "A timestamp." })),
        Shape::Decimal => ("decimal", "Decimal", json!({ "type": "number", "description": "A decimal number." })),
        _ => (
            "messages",
            "Messages",
            json!({
                "oneOf": [{ "type": "string", "nullable": true }, { "type": "array", "items": { "type": "string" } }],
                "description": "Texts."
            }),
        ),
    };
    let schemas = root.pointer("/components/schemas").and_then(Value::as_object);
    let mut names = schemas.into_iter().flatten();
    if let Some((name, _)) = names.find(|(_, schema)| schema["x-perenso-type"] == marker) {
        return schema_reference(name);
    }
    let mut taken: BTreeSet<String> = schemas.into_iter().flatten().map(|(name, _)| name.clone()).collect();
    let name = unique(name, &mut taken);
    let mut schema = schema;
    schema["x-perenso-type"] = json!(marker);
    insert(root, &name, schema);
    schema_reference(&name)
}

fn insert(root: &mut Value, name: &str, schema: Value) {
    if let Some(schemas) = root.pointer_mut("/components/schemas").and_then(Value::as_object_mut) {
        schemas.insert(name.to_owned(), schema);
    }
}

/// Replaces the schema at a place, and keeps what it says of the place.
fn replace(root: &mut Value, place: &str, schema: Value) {
    let target = Target::of(root, place);
    let nullable = target.node(root)["nullable"] == true;
    let Some(node) = root.pointer_mut(place) else { return };
    let nullable = nullable || node["nullable"] == true;
    let mut kept = serde_json::Map::new();
    if let Some(description) = node.get("description") {
        kept.insert("description".into(), description.clone());
    }
    if nullable {
        kept.insert("nullable".into(), json!(true));
    }
    *node = match schema {
        schema if kept.is_empty() => schema,
        // A reference cannot have members beside it.
        schema if schema["$ref"].is_string() => {
            kept.insert("allOf".into(), json!([schema]));
            Value::Object(kept)
        }
        Value::Object(schema) => {
            kept.extend(schema);
            Value::Object(kept)
        }
        other => other,
    };
}

/// Names what was found.
fn describe(target: &Target, node: &Value) -> String {
    let of_marker = match node["x-perenso-type"].as_str() {
        Some("timestamp") => "a timestamp",
        Some("decimal") => "a number",
        Some("id") => "an id",
        Some("messages") => "a string or a list of strings",
        _ => "",
    };
    if !of_marker.is_empty() {
        return of_marker.to_owned();
    }
    match (node["type"].as_str().unwrap_or_default(), target.component()) {
        ("string", _) => "a string".to_owned(),
        ("integer", _) => "an integer".to_owned(),
        ("number", _) => "a number".to_owned(),
        ("boolean", _) => "a boolean".to_owned(),
        ("array", _) => "a list".to_owned(),
        ("object", Some(name)) if node["properties"].is_object() => format!("the record `{name}`"),
        ("object", _) => "an object without known fields".to_owned(),
        _ => "any value".to_owned(),
    }
}
