//! Limits, defaults and examples. Generated code would enforce limits when it reads, and its server knows its defaults.

use serde_json::{Map, Value};

use crate::{document::schemas::each_schema, normalize::Log};

/// The keywords that limit values.
const LIMITS: [&str; 17] = [
    "maximum",
    "minimum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "multipleOf",
    "maxLength",
    "minLength",
    "pattern",
    "maxItems",
    "minItems",
    "uniqueItems",
    "maxProperties",
    "minProperties",
    "not",
    "contains",
    "propertyNames",
    "if",
];

/// Removes what the code generator cannot take or must not enforce.
pub(crate) fn remove(root: &mut Value, log: &mut Log<'_>) {
    each_schema(root, &mut |schema, pointer| {
        let Some(map) = schema.as_object_mut() else { return };
        let limits: Vec<_> = LIMITS.into_iter().filter(|limit| map.contains_key(*limit)).collect();
        if !limits.is_empty() {
            log.changed(pointer, format!("limits are not checked: {}", limits.join(", ")));
        }
        keep_known(map);
        keep_format(map, pointer, log);
    });
}

/// Keeps the keywords that mean something for the type.
fn keep_known(map: &mut Map<String, Value>) {
    let kind = map.get("type").and_then(Value::as_str).unwrap_or_default().to_string();
    if map.contains_key("$ref") {
        return;
    }
    map.retain(|keyword, value| match keyword.as_str() {
        "type" | "nullable" | "enum" => true,
        "description" => value.as_str().is_some_and(|text| !text.trim().is_empty()),
        "deprecated" | "readOnly" | "writeOnly" => value == &Value::Bool(true),
        "allOf" | "oneOf" | "anyOf" => true,
        "discriminator" => value.get("propertyName").is_some_and(Value::is_string),
        "format" => ["string", "integer", "number"].contains(&kind.as_str()),
        "items" => kind == "array",
        "properties" | "required" | "additionalProperties" => kind == "object" || kind.is_empty(),
        // Code generators know this one: a document must not name Rust types.
        "x-rust-type" => false,
        keyword => keyword.starts_with("x-"),
    });
}

/// Keeps the formats that generated types have.
fn keep_format(map: &mut Map<String, Value>, pointer: &str, log: &mut Log<'_>) {
    let Some(format) = map.get("format").and_then(Value::as_str).map(str::to_ascii_lowercase) else { return };
    let kept = match map.get("type").and_then(Value::as_str) {
        Some("string") => match format.as_str() {
            "date-time" | "datetime" => Some("date-time"),
            "date" => Some("date"),
            "binary" => Some("binary"),
            _ => None,
        },
        Some("integer") => match format.as_str() {
            "int32" => Some("int32"),
            "int64" => Some("int64"),
            _ => None,
        },
        // All digits count, so no number is a single-precision one.
        _ => None,
    };
    match kept {
        Some(kept) => drop(map.insert("format".into(), kept.into())),
        None => {
            map.remove("format");
            if !["float", "double", "decimal"].contains(&format.as_str()) {
                log.changed(pointer, format!("the format `{format}` has no type of its own"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::normalize::tests::run_on_schema;

    #[test]
    fn limits_go_and_fields_of_the_same_name_stay() {
        let (schema, effects) = run_on_schema(
            remove,
            json!({
                "type": "object", "minProperties": 1, "example": {}, "x-note": 1, "title": "Titel",
                "properties": { "maximum": { "type": "string", "pattern": ".", "default": "a" } }
            }),
        );
        assert_eq!(schema, json!({ "type": "object", "x-note": 1, "properties": { "maximum": { "type": "string" } } }));
        assert_eq!(effects.len(), 2);
    }

    #[test]
    fn formats_without_a_type_go() {
        let format = |kind: &str, format: &str| {
            run_on_schema(remove, json!({ "type": kind, "format": format })).0["format"].clone()
        };
        assert_eq!(format("string", "date-time"), "date-time");
        assert_eq!(format("string", "uuid"), Value::Null);
        assert_eq!(format("integer", "int64"), "int64");
        assert_eq!(format("number", "float"), Value::Null);
    }
}
