//! `allOf`, written as one schema.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{
    dialect::{infer_type, is_note},
    put_components, take_components,
};
use crate::{
    document::{
        pointer::{schema_name, segment},
        schemas::{each_part, each_schema},
    },
    normalize::Log,
};

/// The components that may contain one another by `allOf`.
const DEPTH: usize = 64;

/// Replaces each `allOf` by the fields of its parts. One with a single reference stays a reference.
pub(crate) fn flatten(root: &mut Value, log: &mut Log<'_>) {
    let schemas = take_components(root);
    let mut flat = Flat { source: &schemas, done: BTreeMap::new(), open: BTreeSet::new() };
    for name in schemas.keys() {
        flat.component(name, log);
    }
    each_schema(root, &mut |schema, pointer| flat.one(schema, pointer, log));
    let done = flat.done.into_iter().collect();
    put_components(root, done);
}

/// The components that are flattened already, and those that are being so.
struct Flat<'a> {
    source: &'a Map<String, Value>,
    done: BTreeMap<String, Value>,
    open: BTreeSet<String>,
}

impl Flat<'_> {
    /// Flattens a component. Returns nothing for one that contains itself.
    fn component(&mut self, name: &str, log: &mut Log<'_>) -> Option<&Value> {
        if !self.done.contains_key(name) {
            let mut schema = self.source.get(name)?.clone();
            // Each open component is a level of the stack.
            if self.open.len() > DEPTH || !self.open.insert(name.to_string()) {
                return None;
            }
            let mut place = format!("/components/schemas/{}", segment(name));
            each_part(&mut schema, &mut place, &mut |schema, pointer| self.one(schema, pointer, log));
            self.open.remove(name);
            self.done.insert(name.to_string(), schema);
        }
        self.done.get(name)
    }

    /// Follows the references of a part. Fails with the name of a component that contains itself.
    fn resolved(&mut self, mut part: Value, log: &mut Log<'_>) -> Result<Value, String> {
        let mut last = String::new();
        for _ in 0..DEPTH {
            // A part that admits null has its reference in an `allOf` of its own.
            if let Some([only]) = part.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
                part = only.clone();
            }
            let Some(name) = schema_name(&part) else { return Ok(part) };
            let Some(base) = self.component(&name, log) else { return Err(name) };
            part = base.clone();
            // The description and the discriminator of a base are not those of what extends it.
            if let Some(base) = part.as_object_mut() {
                base.retain(|keyword, _| !is_note(keyword) && keyword != "discriminator");
            }
            last = name;
        }
        Err(last)
    }

    fn one(&mut self, schema: &mut Value, pointer: &str, log: &mut Log<'_>) {
        let Some(map) = schema.as_object_mut() else { return };
        let Some(Value::Array(parts)) = map.remove("allOf") else { return };
        let rest = std::mem::take(map);
        let has_type = rest.keys().any(|keyword| !is_note(keyword) && keyword != "discriminator" && keyword != "type");
        let typed: Vec<_> =
            parts.iter().filter(|part| part.as_object().is_some_and(|part| part.keys().any(|k| !is_note(k)))).collect();
        if let ([only], false) = (typed.as_slice(), has_type)
            && only.get("$ref").is_some()
        {
            let admits_null = rest.get("nullable") == Some(&Value::Bool(true));
            *schema = if admits_null { super::nullable((*only).clone()) } else { (*only).clone() };
            return;
        }
        let mut merged = Map::new();
        for part in parts.into_iter().chain([Value::Object(rest)]) {
            match self.resolved(part, log) {
                Ok(part) => merge(&mut merged, part, pointer, log),
                Err(name) => log.lost(pointer, format!("`{name}` contains itself: its fields are not repeated")),
            }
        }
        if merged.contains_key("enum") {
            merged.remove("format");
        }
        infer_type(&mut merged);
        *schema = Value::Object(merged);
    }
}

/// Adds the keywords of a part to a schema.
fn merge(merged: &mut Map<String, Value>, part: Value, pointer: &str, log: &mut Log<'_>) {
    let Value::Object(part) = part else { return };
    let kind = |map: &Map<String, Value>| map.get("type").and_then(Value::as_str).map(str::to_string);
    if let (Some(one), Some(other)) = (kind(merged), kind(&part))
        && one != other
    {
        return log.lost(pointer, format!("a part of type {other} does not fit one of type {one}: it is ignored"));
    }
    if part.contains_key("enum") {
        // Other values have other names.
        merged.retain(|keyword, _| !keyword.starts_with("x-enum"));
    }
    for (keyword, value) in part {
        match (keyword.as_str(), merged.get_mut(&keyword), value) {
            ("properties", Some(Value::Object(known)), Value::Object(more)) => {
                for (name, schema) in more {
                    // A part may repeat a field without its type.
                    let is_vague =
                        schema.as_object().is_none_or(|schema| schema.keys().all(|keyword| is_note(keyword)));
                    if !is_vague || !known.contains_key(&name) {
                        known.insert(name, schema);
                    }
                }
            }
            ("required", Some(Value::Array(known)), Value::Array(more)) => {
                more.into_iter().for_each(|name| {
                    if !known.contains(&name) {
                        known.push(name)
                    }
                });
            }
            ("additionalProperties", Some(_), Value::Bool(_)) => {}
            ("oneOf" | "anyOf", Some(_), _) => {
                log.lost(pointer, "of several alternatives the first list counts");
            }
            (_, _, value) => drop(merged.insert(keyword, value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::normalize::tests::run;

    fn flattened(schemas: Value) -> Value {
        run(flatten, json!({ "components": { "schemas": schemas } })).0["components"]["schemas"].take()
    }

    fn reference(name: &str) -> Value {
        json!({ "$ref": format!("#/components/schemas/{name}") })
    }

    #[test]
    fn parts_become_one_record() {
        let schemas = flattened(json!({
            "C": { "allOf": [reference("B"), { "type": "object", "properties": { "c": {} }, "required": ["c"] }] },
            "B": { "description": "b", "allOf": [reference("A")], "type": "object", "properties": { "b": {} } },
            "A": { "type": "object", "properties": { "a": {} }, "required": ["a"], "discriminator": { "propertyName": "a" } }
        }));
        assert_eq!(
            schemas["C"],
            json!({ "type": "object", "properties": { "a": {}, "b": {}, "c": {} }, "required": ["a", "c"] })
        );
        assert_eq!(schemas["B"]["description"], "b");
    }

    #[test]
    fn a_described_reference_stays_a_reference() {
        let schemas = flattened(json!({
            "A": { "type": "object", "properties": {
                "plain": { "description": "d", "allOf": [reference("A")] },
                "null": { "nullable": true, "allOf": [reference("A"), { "description": "d" }] }
            } }
        }));
        assert_eq!(
            schemas["A"]["properties"],
            json!({ "plain": reference("A"), "null": { "allOf": [reference("A")], "nullable": true } })
        );
    }

    #[test]
    fn a_schema_that_contains_itself_ends() {
        let schemas = flattened(json!({
            "A": { "allOf": [reference("B"), { "type": "object", "properties": { "a": {} } }] },
            "B": { "allOf": [reference("A"), { "type": "object", "properties": { "b": {} } }] }
        }));
        assert_eq!(schemas["B"]["properties"], json!({ "b": {} }));
        assert_eq!(schemas["A"]["properties"], json!({ "a": {}, "b": {} }));
    }

    #[test]
    fn what_has_no_type_gets_that_of_its_keywords() {
        let schemas = flattened(json!({ "A": { "additionalProperties": {}, "allOf": [{}] } }));
        assert_eq!(schemas["A"], json!({ "type": "object", "additionalProperties": {} }));
    }

    #[test]
    fn parts_that_do_not_fit_are_reported() {
        let (_, effects) = run(
            flatten,
            json!({ "components": { "schemas": { "A": { "allOf": [{ "type": "string" }, { "type": "object" }] } } } }),
        );
        assert_eq!(effects.len(), 1);
    }
}
