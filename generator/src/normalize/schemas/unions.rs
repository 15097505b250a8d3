//! `oneOf` and `anyOf`: an enum where a value tells which alternative it is, otherwise one type for all.
//!
//! | alternatives | become |
//! |---|---|
//! | of different JSON types | an enum |
//! | objects with a discriminator, or a required property whose values differ | an enum |
//! | `oneOf` of objects, each of which requires a field that no other has | an enum |
//! | other objects | one record with the fields of all: an enum would have to guess |
//! | strings, or numbers | one type, with the values of all enums |
//! | lists | a list with items of any of them |
//! | values without a type | any JSON value |
//!
//! The alternatives of a union in a union are alternatives of the outer one.
//!
//! Every enum has a variant for values that are none of its alternatives, so that none is an error and nothing is lost. Several
//! alternatives of one JSON type that cannot be told apart are one variant.

use serde_json::{Map, Value, json};

use super::{
    alternatives::{KINDS, RULES, TAGS, has_rules, of_objects},
    dialect::is_note,
    is_nullable, is_record, put_components,
    references::target,
    take_components,
};
use crate::{
    document::{
        pointer::schema_name,
        schemas::{each_part, each_schema},
    },
    normalize::Log,
};

/// Merges the alternatives of each union.
pub(crate) fn merge(root: &mut Value, log: &mut Log<'_>) {
    let mut before = usize::MAX;
    loop {
        let schemas = take_components(root);
        put_components(root, schemas.clone());
        let mut waiting = 0;
        // Alternatives that wait for one another are merged without what they contain of one another.
        let force = before == 0;
        each_schema(root, &mut |schema, pointer| {
            if parts(schema).is_none() {
                return;
            }
            match (Merge { schemas: &schemas, force }).union(schema, 0) {
                Some((merged, message)) => {
                    message.into_iter().for_each(|message| log.lost(pointer, message));
                    *schema = merged;
                }
                None => waiting += 1,
            }
        });
        if waiting == 0 || force {
            return;
        }
        before = if waiting < before { waiting } else { 0 };
    }
}

/// Returns the alternatives of a union that is not merged yet.
fn parts(schema: &Value) -> Option<&Vec<Value>> {
    (!has_rules(schema)).then_some(())?;
    ["oneOf", "anyOf"].iter().find_map(|name| schema.get(*name)?.as_array())
}

/// Returns true if there is a union that is not merged yet anywhere in a schema.
fn has_union(schema: &Value) -> bool {
    let mut found = false;
    each_part(&mut schema.clone(), &mut String::new(), &mut |part, _| found |= parts(part).is_some());
    found
}

struct Merge<'a> {
    schemas: &'a Map<String, Value>,
    force: bool,
}

impl Merge<'_> {
    /// Merges one union. Returns it with what is lost, or nothing if it has to wait for another one.
    fn union(&self, schema: &Value, depth: usize) -> Option<(Value, Option<String>)> {
        let mut rest = schema.as_object().cloned().unwrap_or_default();
        let parts = parts(schema)?;
        rest.retain(|keyword, _| !["oneOf", "anyOf", "discriminator", TAGS].contains(&keyword.as_str()));
        // Alternatives that only say what is required are limits.
        let mut typed: Vec<&Value> = Vec::new();
        let mut tags: Vec<Value> = Vec::new();
        let mut admits_null = is_nullable(schema);
        for (index, part) in parts.iter().enumerate() {
            let is_limit = part.as_object().is_none_or(|part| part.keys().all(|key| is_note(key) || key == "required"));
            let is_known = typed.contains(&part) || is_limit && rest.contains_key("type");
            if is_known {
                continue;
            }
            let inner = target(self.schemas, part);
            if !has_rules(inner) {
                typed.push(part);
                tags.push(schema[TAGS]["parts"][index].clone());
                continue;
            }
            admits_null |= is_nullable(part) || is_nullable(inner);
            for (part, rule) in
                inner["oneOf"].as_array().into_iter().flatten().zip(inner[RULES].as_array().into_iter().flatten())
            {
                if !typed.contains(&part) {
                    typed.push(part);
                    tags.push(
                        json!({ "property": rule["property"], "values": rule["values"], "name": schema_name(part) }),
                    );
                }
            }
        }
        if typed.is_empty() {
            return Some((Value::Object(rest), None));
        }
        // The fields of the union itself belong to each alternative.
        let own = rest.iter().filter(|(key, _)| !is_note(key)).map(|(key, value)| (key.clone(), value.clone()));
        let own = Value::Object(own.collect());
        if own.get("properties").is_some() {
            typed.push(&own);
        }
        let targets: Vec<&Value> = typed.iter().map(|part| target(self.schemas, part)).collect();
        if !self.force && targets.iter().any(|target| self::parts(target).is_some()) {
            return None;
        }
        admits_null |= typed.iter().chain(&targets).any(|part| is_nullable(part));
        let (mut merged, message) = match typed.as_slice() {
            [only] => ((*only).clone(), None),
            _ => {
                let property = schema[TAGS]["property"].as_str();
                let is_exclusive = schema.get("oneOf").is_some();
                let rules = |here: &[usize]| {
                    let targets: Vec<_> = here.iter().map(|index| targets[*index]).collect();
                    let by = |property| {
                        let tags = here.iter().map(|index| &tags[*index]);
                        of_objects(self.schemas, &targets, Some((property, tags.collect())), is_exclusive)
                    };
                    // That of a union inside, where this one has no discriminator.
                    let inner = || here.iter().find_map(|index| tags[*index]["property"].as_str());
                    match property {
                        Some(property) => by(property),
                        None => inner().and_then(by).or_else(|| of_objects(self.schemas, &targets, None, is_exclusive)),
                    }
                };
                // The union's own fields belong to each alternative, which none of them has alone.
                let can_split = depth == 0 && own.get("properties").is_none();
                self.alternatives(&typed, &targets, depth, &|here| can_split.then(|| rules(here)).flatten())?
            }
        };
        if let Some(map) = merged.as_object_mut().filter(|map| !map.contains_key("$ref")) {
            for (key, value) in rest.into_iter().filter(|(key, _)| is_note(key)) {
                map.entry(key).or_insert(value);
            }
        }
        if admits_null && !is_nullable(&merged) {
            merged = super::nullable(merged);
        }
        Some((merged, message))
    }

    /// Merges the alternatives of each JSON type, except objects that `rules` tell apart.
    fn alternatives(
        &self,
        typed: &[&Value],
        targets: &[&Value],
        depth: usize,
        rules: &dyn Fn(&[usize]) -> Option<Vec<Value>>,
    ) -> Option<(Value, Option<String>)> {
        let count = targets.len();
        let lost = |what: &str| Some(format!("{count} alternatives are {what}"));
        let kind = |target: &Value| {
            let kind = target["type"].as_str().unwrap_or_default();
            KINDS.iter().position(|kinds| kinds.contains(&kind))
        };
        if targets.iter().any(|target| kind(target).is_none() || self::parts(target).is_some()) {
            return Some((json!({}), lost("any JSON value")));
        }
        let (mut found, mut told, mut message) = (Vec::new(), Vec::new(), None);
        for (group, kinds) in KINDS.iter().enumerate() {
            let here: Vec<usize> = (0..count).filter(|index| kind(targets[*index]) == Some(group)).collect();
            let group: Vec<&Value> = here.iter().map(|index| targets[*index]).collect();
            match here.as_slice() {
                [] => continue,
                [only] => found.push(without_null(typed[*only])),
                _ if kinds[0] == "object"
                    && let Some(rules) = rules(&here) =>
                {
                    found.extend(here.iter().map(|index| without_null(typed[*index])));
                    told.extend(rules);
                    continue;
                }
                _ => {
                    let (merged, lost) = self.same(&group, depth)?;
                    found.push(merged);
                    message = lost.map(|what| format!("{} alternatives are {what}", group.len())).or(message);
                }
            }
            told.push(json!({ "type": kinds[0] }));
        }
        Some(match found.len() {
            1 => (found.remove(0), message),
            // A list that only one of the fields of merged records has would need a name of its own.
            _ if depth > 0 => (json!({}), message),
            _ => (json!({ "oneOf": found, RULES: told }), message),
        })
    }

    /// Merges alternatives of one JSON type. Returns the type with what is lost.
    fn same(&self, targets: &[&Value], depth: usize) -> Option<(Value, Option<&'static str>)> {
        let is =
            |names: &[&str]| targets.iter().all(|target| names.contains(&target["type"].as_str().unwrap_or_default()));
        Some(match () {
            () if is(&["string"]) => (strings(targets), None),
            () if is(&["integer"]) => (json!({ "type": "integer" }), None),
            () if is(&["integer", "number"]) => (json!({ "type": "number" }), None),
            () if is(&["boolean"]) => (json!({ "type": "boolean" }), None),
            () if is(&["array"]) => {
                let items: Vec<&Value> = targets.iter().map(|target| &target["items"]).collect();
                let items = self.either(&items, depth)?;
                (json!({ "type": "array", "items": items }), Some("a list with items of any of them"))
            }
            () if targets.iter().any(|target| is_record(target)) => {
                (self.record(targets, depth)?, Some("one record with the fields of all"))
            }
            () => (json!({ "type": "object", "additionalProperties": {} }), Some("a map of JSON values")),
        })
    }

    /// Returns a record with the fields of all. What one alternative requires another may lack.
    fn record(&self, targets: &[&Value], depth: usize) -> Option<Value> {
        let mut found: Map<String, Value> = Map::new();
        for (name, _) in targets.iter().filter_map(|target| target["properties"].as_object()).flatten() {
            if !found.contains_key(name) {
                let variants: Vec<&Value> =
                    targets.iter().filter_map(|target| target["properties"].get(name)).collect();
                found.insert(name.clone(), self.either(&variants, depth)?);
            }
        }
        let required = targets.first().and_then(|target| target["required"].as_array());
        let required: Vec<_> = required
            .into_iter()
            .flatten()
            .filter(|name| targets.iter().all(|target| target["required"].as_array().is_some_and(|r| r.contains(name))))
            .collect();
        let mut schema = json!({ "type": "object", "properties": found, "additionalProperties": {} });
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        Some(schema)
    }

    /// Returns a schema for any of several. Only the first level of fields is merged.
    fn either(&self, variants: &[&Value], depth: usize) -> Option<Value> {
        let bare = |schema: &Value| {
            let mut schema = schema.clone();
            let map = schema.as_object_mut().into_iter();
            map.for_each(|map| map.retain(|keyword, _| !is_note(keyword) || keyword == "nullable"));
            schema
        };
        if variants.iter().any(|variant| has_union(variant)) {
            return self.force.then(|| json!({}));
        }
        match variants {
            [] => Some(json!({})),
            [first, others @ ..] if others.iter().all(|other| bare(other) == bare(first)) => Some((*first).clone()),
            _ if depth > 0 => Some(json!({})),
            _ => self.union(&json!({ "oneOf": variants }), depth + 1).map(|(schema, _)| schema),
        }
    }
}

/// Returns an alternative without `null`, which the union admits.
fn without_null(part: &Value) -> Value {
    let mut part = part.clone();
    if let Some(map) = part.as_object_mut() {
        map.remove("nullable");
        if let Some([only]) = map.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
            return only.clone();
        }
    }
    part
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
        assert_eq!(merged(json!([text, {}])), json!({}));
        assert_eq!(
            merged(json!([{ "type": "array", "items": text }, { "type": "array", "items": { "type": "integer" } }])),
            json!({ "type": "array", "items": {} })
        );
    }

    #[test]
    fn distinct_json_types_stay_alternatives() {
        let text = json!({ "type": "string" });
        let list = json!({ "type": "array", "items": text });
        let union = json!({ "oneOf": [text, list], "x-perenso-union": [{ "type": "string" }, { "type": "array" }] });
        let (schema, effects) =
            run_on_schema(merge, json!({ "anyOf": [list, text, { "type": "string", "enum": ["a"] }] }));
        assert_eq!((schema, effects), (union.clone(), vec![]));
        assert_eq!(run_on_schema(merge, union.clone()), (union, vec![]));
    }

    #[test]
    fn records_that_contain_one_another_are_merged_once() {
        let reference = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
        let node = json!({ "type": "object", "properties": { "sub": { "oneOf": [reference("A"), reference("B")] } } });
        let leaf = json!({ "type": "object", "properties": { "value": { "type": "string" } } });
        let (root, effects) = run(merge, json!({ "components": { "schemas": { "A": node, "B": leaf } } }));
        assert_eq!(
            root["components"]["schemas"]["A"]["properties"]["sub"]["properties"],
            json!({ "sub": {}, "value": { "type": "string" } })
        );
        assert_eq!(effects.len(), 1);
        // An alternative that is a name only has no such trouble.
        let list =
            json!({ "type": "object", "properties": { "sub": { "oneOf": [reference("A"), { "type": "string" }] } } });
        let (root, effects) = run(merge, json!({ "components": { "schemas": { "A": list } } }));
        let rules = json!([{ "type": "string" }, { "type": "object" }]);
        let union = json!({ "oneOf": [{ "type": "string" }, reference("A")], "x-perenso-union": rules });
        assert_eq!(root["components"]["schemas"]["A"]["properties"]["sub"], union);
        assert_eq!(effects, []);
    }

    #[test]
    fn alternatives_of_what_is_required_are_limits() {
        let record = json!({ "type": "object", "properties": { "a": {}, "b": {} } });
        let mut schema = record.clone();
        schema["anyOf"] = json!([{ "required": ["a"] }, { "required": ["b"] }]);
        assert_eq!(run_on_schema(merge, schema), (record, vec![]));
    }

    #[test]
    fn alternatives_of_a_union_inside_are_alternatives() {
        let reference = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
        let object = |field: &str| json!({ "type": "object", "required": [field], "properties": { field: {} } });
        let tags = json!({ "property": "kind", "parts": [{ "name": "A", "values": ["a"] }, { "name": "B", "values": ["b"] }] });
        let (root, effects) = run(
            merge,
            json!({ "components": { "schemas": {
                "A": object("a"), "B": object("b"), "C": object("c"),
                "D": { "type": "object", "properties": { "kind": { "type": "string", "enum": ["d"] } } },
                "Fields": { "oneOf": [reference("A"), reference("B")] },
                "Tagged": { "oneOf": [reference("A"), reference("B")], "x-perenso-discriminator": tags, "nullable": true },
                "Text": { "oneOf": [reference("Fields"), reference("A"), { "type": "string" }] },
                "More": { "oneOf": [reference("Fields"), reference("C")] },
                "Kinds": { "anyOf": [reference("Tagged"), reference("D")] }
            } } }),
        );
        let (schemas, of) =
            (&root["components"]["schemas"], |fields: &str| json!({ "type": "object", "fields": [fields] }));
        let by = |value: &str| json!({ "type": "object", "property": "kind", "values": [value], "sent": value });
        assert_eq!(effects, []);
        assert_eq!(
            schemas["Text"],
            json!({ "oneOf": [{ "type": "string" }, reference("A"), reference("B")], RULES: [{ "type": "string" }, of("a"), of("b")] })
        );
        assert_eq!(
            schemas["More"],
            json!({ "oneOf": [reference("A"), reference("B"), reference("C")], RULES: [of("a"), of("b"), of("c")] })
        );
        assert_eq!(
            schemas["Kinds"],
            json!({ "oneOf": [reference("A"), reference("B"), reference("D")], RULES: [by("a"), by("b"), by("d")], "nullable": true })
        );
    }

    #[test]
    fn unions_of_unions_and_of_themselves_end() {
        let reference = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
        let (root, _) = run(
            merge,
            json!({ "components": { "schemas": {
                "A": { "oneOf": [reference("B"), { "type": "integer" }] },
                "B": { "oneOf": [{ "type": "integer" }, { "type": "number" }] },
                "C": { "oneOf": [reference("C"), { "type": "integer" }] },
                "D": { "oneOf": [{ "type": "object" }, { "type": "object", "properties": { "a": {} }, "required": ["a"] }] }
            } } }),
        );
        assert_eq!(
            root["components"]["schemas"],
            json!({ "A": { "type": "number" }, "B": { "type": "number" }, "C": {},
                "D": { "type": "object", "properties": { "a": {} }, "additionalProperties": {} } })
        );
    }
}
