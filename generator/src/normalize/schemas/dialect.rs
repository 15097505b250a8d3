//! The schemas of OpenAPI 3.1 and of careless tools, written in OpenAPI 3.0.

use serde_json::{Map, Value, json};

use super::{is_nullable, nullable};
use crate::{document::schemas::each_schema, normalize::Log};

/// The member of a number that a server may write as a string.
const NUMERIC_STRING: &str = "x-perenso-numeric-string";

/// Translates every schema.
pub(crate) fn translate(root: &mut Value, log: &mut Log<'_>) {
    each_schema(root, &mut |schema, pointer| {
        let Some(map) = schema.as_object_mut() else {
            if *schema != Value::Bool(true) && !pointer.ends_with("/additionalProperties") {
                log.lost(pointer, "the schema is no object: it is any JSON value");
            }
            *schema = json!({});
            return;
        };
        translate_one(map, pointer, log);
        if map.contains_key("$ref") {
            *schema = reference(map);
        } else {
            unwrap_null(schema);
        }
    });
}

/// Writes a reference without members beside it, or as a part of `allOf` where those describe more.
fn reference(map: &Map<String, Value>) -> Value {
    let alone = json!({ "$ref": map["$ref"] });
    if ["properties", "allOf", "oneOf", "anyOf"].iter().any(|keyword| map.contains_key(*keyword)) {
        let mut rest = map.clone();
        rest.remove("$ref");
        infer_type(&mut rest);
        return json!({ "allOf": [alone, rest] });
    }
    if map.get("nullable") == Some(&Value::Bool(true)) { nullable(alone) } else { alone }
}

fn translate_one(map: &mut Map<String, Value>, pointer: &str, log: &mut Log<'_>) {
    for (name, valid) in [
        ("properties", Value::is_object as fn(&Value) -> bool),
        ("enum", Value::is_array),
        ("format", Value::is_string),
        ("description", Value::is_string),
        ("nullable", Value::is_boolean),
        ("required", Value::is_array),
    ] {
        // Some documents write a Boolean as a string, or `required` at a field instead of at its object.
        if map.get(name).is_some_and(|value| !valid(value)) {
            let is_true = map.remove(name).is_some_and(|value| value == "true");
            if name == "nullable" {
                map.insert(name.into(), json!(is_true));
            } else if name != "required" && name != "description" {
                log.lost(pointer, format!("`{name}` has a wrong type: it is ignored"));
            }
        }
    }
    for name in ["allOf", "oneOf", "anyOf"] {
        if map.get(name).is_some_and(|value| value.as_array().is_none_or(Vec::is_empty)) {
            map.remove(name);
        }
    }
    translate_values(map);
    if let Some(found) = map.remove("type") {
        translate_type(&found, map, pointer, log);
    }
    infer_type(map);
    if ["integer", "number"].iter().any(|kind| map.get("type") == Some(&json!(kind))) && has_words_only(map) {
        log.changed(pointer, "the values of the enum are strings, and so is the type");
        map.insert("type".into(), json!("string"));
        map.remove("format");
    }
    match map.get("type").and_then(Value::as_str) {
        Some("array") if !map.get("items").is_some_and(Value::is_object) => {
            if map.contains_key("items") || map.contains_key("prefixItems") {
                log.lost(pointer, "the items are a tuple: they are any JSON value");
            }
            map.insert("items".into(), json!({}));
        }
        Some("object") => {
            if let Some(required) = map.get_mut("required").and_then(Value::as_array_mut) {
                required.retain(Value::is_string);
            }
            if let Some(Value::Object(patterns)) = map.remove("patternProperties")
                && !map.contains_key("properties")
            {
                let mut schemas = patterns.into_iter().map(|(_, schema)| schema);
                let only = schemas.next().filter(|_| schemas.next().is_none()).unwrap_or_else(|| json!({}));
                map.insert("additionalProperties".into(), only);
            }
        }
        _ => {}
    }
}

/// Returns true if a schema has an enum of strings that are no numbers.
fn has_words_only(map: &Map<String, Value>) -> bool {
    let values = map.get("enum").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut values = values.iter().filter(|value| !value.is_null()).peekable();
    let is_word = |value: &Value| value.as_str().is_some_and(|text| text.trim().parse::<f64>().is_err());
    values.peek().is_some() && values.all(is_word)
}

/// Translates keywords that OpenAPI 3.0 has other words for.
fn translate_values(map: &mut Map<String, Value>) {
    if let Some(value) = map.remove("const") {
        map.insert("enum".into(), json!([value]));
    }
    let encoding = map.remove("contentEncoding");
    let media_type = map.remove("contentMediaType");
    if !map.contains_key("format") && (encoding.is_some() || media_type.is_some()) {
        map.insert("format".into(), json!(if encoding.is_some() { "byte" } else { "binary" }));
    }
    if map.get("x-nullable") == Some(&Value::Bool(true)) {
        map.insert("nullable".into(), json!(true));
    }
}

/// Returns the type and the format that a name means, also one that is none.
fn type_of(name: &str) -> Option<(&'static str, Option<&'static str>)> {
    Some(match name.trim().to_ascii_lowercase().as_str() {
        "string" | "text" | "str" | "uuid" | "email" | "url" | "uri" | "password" | "char" | "enum" => ("string", None),
        "datetime" | "date-time" | "timestamp" => ("string", Some("date-time")),
        "date" => ("string", Some("date")),
        "file" | "binary" => ("string", Some("binary")),
        "integer" | "int" | "int32" | "int64" | "long" | "short" => ("integer", None),
        "number" | "float" | "double" | "decimal" | "numeric" => ("number", None),
        "boolean" | "bool" => ("boolean", None),
        "array" | "list" => ("array", None),
        "object" | "map" | "dict" | "json" => ("object", None),
        _ => return None,
    })
}

fn translate_type(found: &Value, map: &mut Map<String, Value>, pointer: &str, log: &mut Log<'_>) {
    let names: Vec<&str> = match found {
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        other => other.as_str().into_iter().collect(),
    };
    if names.iter().any(|name| name.eq_ignore_ascii_case("null")) || names.is_empty() {
        map.insert("nullable".into(), json!(true));
    }
    let mut types: Vec<(&str, Option<&str>)> = Vec::new();
    for name in names.into_iter().filter(|name| !name.eq_ignore_ascii_case("null")) {
        match type_of(name) {
            Some(known) if types.contains(&known) => {}
            Some(known) => types.push(known),
            None => return log.lost(pointer, format!("the type `{name}` is unknown: it is any JSON value")),
        }
    }
    let is = |name: &str| types.iter().any(|(kind, _)| *kind == name);
    let scalar = |format: &str| ["int32", "int64", "float", "double", "decimal"].contains(&format);
    let written_as_number =
        map.contains_key("pattern") || map.get("format").and_then(Value::as_str).is_some_and(scalar);
    let (kind, format) = match types.as_slice() {
        [only] => *only,
        // Nothing but null: the step for enums knows it by this.
        [] => return drop(map.insert("enum".into(), json!([null]))),
        [_, _] if is("integer") && is("number") => ("number", None),
        types if (is("integer") || is("number")) && is("string") && written_as_number && types.len() <= 3 => {
            log.changed(pointer, "a number that may be written as a string is a number, and a string is read as one");
            map.remove("pattern");
            map.insert(NUMERIC_STRING.into(), json!(true));
            (if is("number") { "number" } else { "integer" }, None)
        }
        _ => {
            for keyword in ["properties", "required", "items", "additionalProperties", "enum", "format"] {
                map.remove(keyword);
            }
            return log.lost(pointer, "the schema has several types: it is any JSON value");
        }
    };
    if found.as_str().is_some_and(|found| found != kind) {
        log.changed(pointer, format!("the type {found} is written `{kind}`"));
    }
    map.insert("type".into(), json!(kind));
    if let Some(format) = format {
        map.insert("format".into(), json!(format));
    }
}

/// Adds the type that the other keywords show.
pub(super) fn infer_type(map: &mut Map<String, Value>) {
    if map.contains_key("type") || map.contains_key("$ref") {
        return;
    }
    let has = |name: &str| map.contains_key(name);
    let combined = has("allOf") || has("oneOf") || has("anyOf");
    let texts = map.get("enum").and_then(Value::as_array).is_some_and(|values| {
        values.iter().any(Value::is_string) && values.iter().all(|value| value.is_string() || value.is_null())
    });
    let kind = match () {
        () if has("properties") && !combined => "object",
        () if has("additionalProperties") && !combined => "object",
        () if has("items") && !combined => "array",
        () if texts => "string",
        () => return,
    };
    map.insert("type".into(), json!(kind));
}

/// Removes members of `oneOf` and `anyOf` that admit nothing but null. The schema admits it then.
fn unwrap_null(schema: &mut Value) {
    for name in ["oneOf", "anyOf"] {
        let Some(Value::Array(parts)) = schema.get_mut(name).map(Value::take) else { continue };
        let (nulls, others): (Vec<_>, Vec<_>) = parts.into_iter().partition(|part| part["enum"] == json!([null]));
        match others.as_slice() {
            [] => drop(schema.as_object_mut().map(|map| map.remove(name))),
            [only] if schema.as_object().is_some_and(|map| map.keys().all(|key| is_note(key) || key == name)) => {
                let admits_null = !nulls.is_empty() || is_nullable(schema);
                *schema = if admits_null { nullable(only.clone()) } else { only.clone() };
            }
            _ => {
                schema[name] = Value::Array(others);
                if !nulls.is_empty() {
                    schema["nullable"] = json!(true);
                }
            }
        }
    }
}

/// Returns true for a keyword that says nothing about the type of values.
pub(super) fn is_note(keyword: &str) -> bool {
    const NOTES: [&str; 10] = [
        "nullable",
        "description",
        "title",
        "example",
        "examples",
        "default",
        "deprecated",
        "readOnly",
        "writeOnly",
        "xml",
    ];
    NOTES.contains(&keyword) || keyword.starts_with("x-") && !keyword.starts_with("x-enum")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Effect, normalize::tests::run_on_schema};

    fn translated(schema: Value) -> Value {
        run_on_schema(translate, schema).0
    }

    #[test]
    fn null_is_nullable() {
        let text = json!({ "type": "string", "nullable": true });
        assert_eq!(translated(json!({ "type": ["null", "string"] })), text);
        assert_eq!(translated(json!({ "anyOf": [{ "type": "string" }, { "type": "null" }] })), text);
        assert_eq!(translated(json!({ "oneOf": [{ "const": null }, { "type": "string" }] })), text);
        assert_eq!(translated(json!({ "type": "string", "nullable": "true" })), text);
        let reference = json!({ "$ref": "#/components/schemas/A" });
        assert_eq!(
            translated(json!({ "anyOf": [reference, { "type": "null" }] })),
            json!({ "allOf": [reference], "nullable": true })
        );
        assert_eq!(
            translated(json!({ "anyOf": [{ "type": "string" }, { "type": "integer" }, { "type": "null" }] })),
            json!({ "anyOf": [{ "type": "string" }, { "type": "integer" }], "nullable": true })
        );
    }

    #[test]
    fn numbers_that_may_be_strings_are_numbers() {
        let (schema, effects) = run_on_schema(
            translate,
            json!({ "type": ["integer", "string"], "pattern": "^[0-9]+$", "format": "int32" }),
        );
        assert_eq!(schema, json!({ "type": "integer", "format": "int32", "x-perenso-numeric-string": true }));
        assert_eq!(effects, [(Effect::Changed, "/components/schemas/A".to_string())]);
        assert_eq!(translated(json!({ "type": ["integer", "number"] })), json!({ "type": "number" }));
        assert_eq!(translated(json!({ "type": ["integer", "string"] })), json!({}));
        assert_eq!(
            translated(json!({ "type": ["array", "object", "null"], "items": {} })),
            json!({ "nullable": true })
        );
    }

    #[test]
    fn an_enum_of_words_is_one_of_strings_whatever_its_type() {
        let words = json!({ "type": "string", "enum": ["in", "out", null] });
        assert_eq!(translated(json!({ "type": "number", "format": "double", "enum": ["in", "out", null] })), words);
        for kept in [json!({ "type": "integer", "enum": ["1", "2"] }), json!({ "type": "integer", "enum": [null] })] {
            assert_eq!(translated(kept.clone()), kept);
        }
    }

    #[test]
    fn types_that_are_none_have_a_meaning() {
        assert_eq!(translated(json!({ "type": "String" })), json!({ "type": "string" }));
        assert_eq!(translated(json!({ "type": "float" })), json!({ "type": "number" }));
        assert_eq!(translated(json!({ "type": "datetime" })), json!({ "type": "string", "format": "date-time" }));
        assert_eq!(translated(json!({ "type": "whatever" })), json!({}));
    }

    #[test]
    fn a_missing_type_is_inferred() {
        let inferred = |schema: Value| translated(schema)["type"].clone();
        assert_eq!(inferred(json!({ "properties": {} })), "object");
        assert_eq!(inferred(json!({ "items": {} })), "array");
        assert_eq!(inferred(json!({ "enum": ["a", null] })), "string");
        assert_eq!(inferred(json!({ "const": "a" })), "string");
        assert_eq!(inferred(json!({ "description": "anything" })), Value::Null);
    }

    #[test]
    fn keywords_of_3_1_are_translated() {
        assert_eq!(
            translated(json!({ "type": "string", "contentEncoding": "base64" })),
            json!({ "type": "string", "format": "byte" })
        );
        assert_eq!(
            translated(json!({ "type": "array", "prefixItems": [true] })),
            json!({ "type": "array", "prefixItems": [{}], "items": {} })
        );
        assert_eq!(
            translated(json!({ "type": "object", "patternProperties": { "^x": { "type": "string" } } })),
            json!({ "type": "object", "additionalProperties": { "type": "string" } })
        );
        let reference = json!({ "$ref": "#/components/schemas/A" });
        assert_eq!(translated(json!({ "$ref": reference["$ref"], "description": "d" })), reference);
        assert_eq!(
            translated(json!({ "$ref": reference["$ref"], "properties": { "a": false } })),
            json!({ "allOf": [reference, { "type": "object", "properties": { "a": {} } }] })
        );
    }
}
