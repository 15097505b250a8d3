//! `oneOf` and `anyOf`: one type for all alternatives.

use serde_json::{Map, Value, json};

use super::{dialect::is_note, is_nullable, is_record, put_components, references::target, take_components};
use crate::{
    document::schemas::{each_part, each_schema},
    normalize::Log,
};

/// The unions that may refer to one another.
const CHAIN: usize = 16;

/// Merges the alternatives of each union. Objects become one record with the fields of all: an enum would have to guess which
/// alternative a server means, and fail for one that is new.
pub(crate) fn merge(root: &mut Value, log: &mut Log<'_>) {
    for _ in 0..CHAIN {
        let schemas = take_components(root);
        put_components(root, schemas.clone());
        let mut waiting = 0;
        each_schema(root, &mut |schema, pointer| {
            if parts(schema).is_none() {
                return;
            }
            match merge_one(schema, &schemas, 0) {
                Some(Merged { schema: merged, message }) => {
                    if let Some(message) = message {
                        log.lost(pointer, message);
                    }
                    *schema = merged;
                }
                None => waiting += 1,
            }
        });
        if waiting == 0 {
            return;
        }
    }
    each_schema(root, &mut |schema, pointer| {
        if parts(schema).is_some() {
            *schema = json!({});
            log.lost(pointer, "the alternatives refer to one another: it is any JSON value");
        }
    });
}

struct Merged {
    schema: Value,
    message: Option<String>,
}

fn parts(schema: &Value) -> Option<&Vec<Value>> {
    ["oneOf", "anyOf"].iter().find_map(|name| schema.get(*name)?.as_array())
}

/// Returns true if there is a union anywhere in a schema.
fn has_union(schema: &Value) -> bool {
    let mut found = false;
    each_part(&mut schema.clone(), &mut String::new(), &mut |part, _| found |= parts(part).is_some());
    found
}

/// Merges one union. Returns nothing if an alternative is a union that is not merged yet.
fn merge_one(schema: &Value, schemas: &Map<String, Value>, depth: usize) -> Option<Merged> {
    let mut rest = schema.as_object().cloned().unwrap_or_default();
    let parts = parts(schema)?;
    rest.retain(|keyword, _| !["oneOf", "anyOf", "discriminator"].contains(&keyword.as_str()));
    // Alternatives that only say what is required are limits.
    let mut typed: Vec<&Value> = Vec::new();
    for part in parts {
        let is_limit = part.as_object().is_none_or(|part| part.keys().all(|key| is_note(key) || key == "required"));
        let is_known = typed.contains(&part) || is_limit && rest.contains_key("type");
        if !is_known {
            typed.push(part);
        }
    }
    if typed.is_empty() {
        return Some(Merged { schema: Value::Object(rest), message: None });
    }
    // The fields of the union itself belong to each alternative.
    let own = rest.iter().filter(|(key, _)| !is_note(key)).map(|(key, value)| (key.clone(), value.clone()));
    let own = Value::Object(own.collect());
    if own.get("properties").is_some() {
        typed.push(&own);
    }
    let targets: Vec<&Value> = typed.iter().map(|part| target(schemas, part)).collect();
    if targets.iter().any(|target| has_union(target)) {
        return None;
    }
    let admits_null = is_nullable(schema) || typed.iter().chain(&targets).any(|part| is_nullable(part));
    let mut merged = match typed.as_slice() {
        [only] => Merged { schema: (*only).clone(), message: None },
        _ => alternatives(&targets, schemas, depth),
    };
    if let Some(map) = merged.schema.as_object_mut().filter(|map| !map.contains_key("$ref")) {
        for (key, value) in rest.into_iter().filter(|(key, _)| is_note(key)) {
            map.entry(key).or_insert(value);
        }
    }
    if admits_null && !is_nullable(&merged.schema) {
        merged.schema = super::nullable(merged.schema);
    }
    Some(merged)
}

fn alternatives(targets: &[&Value], schemas: &Map<String, Value>, depth: usize) -> Merged {
    let count = targets.len();
    let is = |names: &[&str]| targets.iter().all(|target| names.contains(&target["type"].as_str().unwrap_or_default()));
    let (schema, message) = match () {
        () if is(&["string"]) => (strings(targets), None),
        () if is(&["integer"]) => (json!({ "type": "integer" }), None),
        () if is(&["integer", "number"]) => (json!({ "type": "number" }), None),
        () if is(&["boolean"]) => (json!({ "type": "boolean" }), None),
        () if is(&["array"]) => {
            let items: Vec<&Value> = targets.iter().map(|target| &target["items"]).collect();
            (
                json!({ "type": "array", "items": either(&items, schemas, depth) }),
                Some("arrays with items of any of them"),
            )
        }
        () if is(&["object"]) && targets.iter().all(|target| is_record(target)) => {
            (record(targets, schemas, depth), Some("one record with the fields of all"))
        }
        () if is(&["object"]) => {
            (json!({ "type": "object", "additionalProperties": {} }), Some("a map of JSON values"))
        }
        () => (json!({}), Some("any JSON value")),
    };
    Merged { schema, message: message.map(|message| format!("{count} alternatives are {message}")) }
}

/// Returns an enum of all values, or a plain string.
fn strings(targets: &[&Value]) -> Value {
    let mut schema = json!({ "type": "string" });
    let format = &targets[0]["format"];
    if format.is_string() && targets.iter().all(|target| target["format"] == *format) {
        schema["format"] = format.clone();
    }
    let enums: Option<Vec<_>> = targets.iter().map(|target| target["enum"].as_array()).collect();
    if let Some(enums) = enums {
        let mut values: Vec<&Value> = Vec::new();
        enums.into_iter().flatten().for_each(|value| {
            if !values.contains(&value) {
                values.push(value)
            }
        });
        let names: std::collections::BTreeSet<_> =
            values.iter().filter_map(|value| value.as_str()).map(crate::normalize::names::pascal).collect();
        if names.len() == values.len() {
            schema["enum"] = json!(values);
        }
    }
    schema
}

/// Returns a record with the fields of all. What one alternative requires another may lack.
fn record(targets: &[&Value], schemas: &Map<String, Value>, depth: usize) -> Value {
    let mut found: Map<String, Value> = Map::new();
    for (name, _) in targets.iter().filter_map(|target| target["properties"].as_object()).flatten() {
        if !found.contains_key(name) {
            let variants: Vec<&Value> = targets.iter().filter_map(|target| target["properties"].get(name)).collect();
            found.insert(name.clone(), either(&variants, schemas, depth));
        }
    }
    let required = targets[0]["required"].as_array().into_iter().flatten();
    let required: Vec<_> = required
        .filter(|name| targets.iter().all(|target| target["required"].as_array().is_some_and(|r| r.contains(name))))
        .collect();
    let mut schema = json!({ "type": "object", "properties": found, "additionalProperties": {} });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

/// Returns a schema for any of several. Only the first level of fields is merged.
fn either(variants: &[&Value], schemas: &Map<String, Value>, depth: usize) -> Value {
    let bare = |schema: &Value| {
        let mut schema = schema.clone();
        schema
            .as_object_mut()
            .into_iter()
            .for_each(|map| map.retain(|keyword, _| !is_note(keyword) || keyword == "nullable"));
        schema
    };
    match variants {
        [] => json!({}),
        [first, others @ ..] if others.iter().all(|other| bare(other) == bare(first)) => (*first).clone(),
        _ if depth > 0 => json!({}),
        _ => merge_one(&json!({ "oneOf": variants }), schemas, depth + 1)
            .map_or_else(|| json!({}), |merged| merged.schema),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalize::tests::{run, run_on_schema};

    fn merged(parts: Value) -> Value {
        run_on_schema(merge, json!({ "oneOf": parts })).0
    }

    #[test]
    fn objects_are_one_record() {
        let (root, effects) = run(
            merge,
            json!({ "components": { "schemas": {
                "A": { "type": "object", "properties": { "id": { "type": "integer" }, "kind": { "type": "string", "enum": ["a"] },
                    "x": { "type": "string" } }, "required": ["id", "x"] },
                "B": { "type": "object", "properties": { "id": { "type": "integer" }, "kind": { "type": "string", "enum": ["b"] },
                    "x": { "type": "integer" } }, "required": ["id"] },
                "C": { "description": "d", "discriminator": { "propertyName": "kind" },
                    "oneOf": [{ "$ref": "#/components/schemas/A" }, { "$ref": "#/components/schemas/B" }] }
            } } }),
        );
        assert_eq!(
            root["components"]["schemas"]["C"],
            json!({
                "description": "d",
                "type": "object",
                "properties": {
                    "id": { "type": "integer" }, "kind": { "type": "string", "enum": ["a", "b"] }, "x": {}
                },
                "required": ["id"],
                "additionalProperties": {}
            })
        );
        assert_eq!(effects.len(), 1);
    }

    #[test]
    fn scalars_have_a_common_type() {
        let text = json!({ "type": "string" });
        assert_eq!(merged(json!([text, { "type": "string", "enum": ["a"] }])), text);
        assert_eq!(
            merged(json!([{ "type": "string", "enum": ["a"] }, { "type": "string", "enum": ["b", "a"] }])),
            json!({ "type": "string", "enum": ["a", "b"] })
        );
        assert_eq!(merged(json!([{ "type": "integer" }, { "type": "number" }])), json!({ "type": "number" }));
        assert_eq!(merged(json!([text, { "type": "array", "items": text }])), json!({}));
        assert_eq!(
            merged(json!([{ "type": "array", "items": text }, { "type": "array", "items": { "type": "integer" } }])),
            json!({ "type": "array", "items": {} })
        );
    }

    #[test]
    fn alternatives_of_what_is_required_are_limits() {
        let record = json!({ "type": "object", "properties": { "a": {}, "b": {} } });
        let mut schema = record.clone();
        schema["anyOf"] = json!([{ "required": ["a"] }, { "required": ["b"] }]);
        assert_eq!(run_on_schema(merge, schema), (record, vec![]));
    }

    #[test]
    fn unions_of_unions_and_of_themselves_end() {
        let reference = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
        let (root, _) = run(
            merge,
            json!({ "components": { "schemas": {
                "A": { "oneOf": [reference("B"), { "type": "integer" }] },
                "B": { "oneOf": [{ "type": "integer" }, { "type": "number" }] },
                "C": { "oneOf": [reference("C"), { "type": "integer" }] }
            } } }),
        );
        assert_eq!(
            root["components"]["schemas"],
            json!({ "A": { "type": "number" }, "B": { "type": "number" }, "C": {} })
        );
    }
}
