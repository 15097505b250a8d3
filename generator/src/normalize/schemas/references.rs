//! References to schemas: each names a component.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::{
    document::{
        pointer::{local, look_up, schema_name, schema_reference},
        schemas::{each_part, each_schema},
    },
    normalize::{
        Log,
        names::{type_name, unique},
        schemas::{put_components, take_components},
    },
};

/// Makes every reference to a schema one to a component. What another pointer names becomes a component; what does not exist
/// becomes any JSON value.
pub(crate) fn unify(root: &mut Value, log: &mut Log<'_>) {
    let source = root.clone();
    let mut made = BTreeSet::new();
    each_schema(root, &mut |schema, pointer| unify_one(&source, schema, pointer, &mut made, log));
    let mut schemas = take_components(root);
    let mut taken = schemas.keys().cloned().collect();
    // A new component may refer to others that are new as well.
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    while let Some(reference) = made.iter().find(|reference| !names.contains_key(*reference)).cloned() {
        let name = unique(&suggestion(&reference), &mut taken);
        names.insert(reference.clone(), name.clone());
        let Ok(mut schema) = look_up(&source, &reference).cloned() else { continue };
        let mut place = reference.trim_start_matches('#').to_string();
        each_part(&mut schema, &mut place, &mut |schema, pointer| unify_one(&source, schema, pointer, &mut made, log));
        schemas.insert(name, schema);
    }
    put_components(root, schemas);
    if !names.is_empty() {
        each_schema(root, &mut |schema, _| {
            if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|reference| names.get(reference)) {
                let name = schema_reference(name);
                if let Value::Object(map) = schema {
                    map.insert("$ref".into(), name["$ref"].clone());
                }
            }
        });
    }
}

fn unify_one(source: &Value, schema: &mut Value, pointer: &str, made: &mut BTreeSet<String>, log: &mut Log<'_>) {
    let Some(map) = schema.as_object_mut() else { return };
    let Some(reference) = map.get("$ref") else { return };
    let Some(reference) = reference.as_str().map(str::to_string) else {
        map.remove("$ref");
        return log.lost(pointer, "the reference is no string: it is ignored");
    };
    match look_up(source, &reference) {
        // A pointer into the same component ends when this schema does.
        Ok(target) if target.is_object() => match schema_name(&json!({ "$ref": reference })) {
            Some(name) if source["components"]["schemas"].get(&name).is_some() => {
                map.insert("$ref".into(), schema_reference(&name)["$ref"].clone());
            }
            _ => drop(made.insert(reference)),
        },
        Ok(target) if target.is_boolean() => *schema = json!({}),
        Ok(_) => {
            *schema = json!({});
            log.lost(pointer, format!("`{reference}` is no schema: it is any JSON value"));
        }
        Err(reason) => {
            *schema = json!({});
            log.lost(pointer, format!("{reason}: it is any JSON value"));
        }
    }
}

/// Returns a name for the schema at a pointer: its last names that are no keywords.
fn suggestion(reference: &str) -> String {
    const KEYWORDS: [&str; 12] = [
        "components",
        "schemas",
        "properties",
        "items",
        "allOf",
        "oneOf",
        "anyOf",
        "content",
        "schema",
        "paths",
        "responses",
        "application~1json",
    ];
    let pointer = local(reference).unwrap_or_default();
    let names: Vec<_> = pointer.split('/').filter(|name| !name.is_empty() && !KEYWORDS.contains(name)).collect();
    type_name(&names[names.len().saturating_sub(3)..].join("-"))
}

/// Follows the references of a schema to the component that is none.
pub(crate) fn target<'a>(schemas: &'a Map<String, Value>, schema: &'a Value) -> &'a Value {
    let mut schema = schema;
    for _ in 0..16 {
        let next = match schema.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
            Some([only]) => only,
            _ => schema,
        };
        match schema_name(next).and_then(|name| schemas.get(&name)) {
            Some(target) => schema = target,
            None => return schema,
        }
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Effect, normalize::tests::run};

    #[test]
    fn every_reference_names_a_component() {
        let (root, effects) = run(
            unify,
            json!({ "paths": {}, "components": { "schemas": {
                "Page`1": { "properties": { "id": { "properties": { "a": {} } }, "next": { "$ref": "#/components/schemas/Page%601" } } },
                "B": { "items": { "$ref": "#/components/schemas/Page%601/properties/id" } },
                "D": { "items": { "$ref": "#/components/schemas/B" } }
            }}}),
        );
        assert_eq!(
            root["components"]["schemas"],
            json!({
                "Page`1": { "properties": {
                    "id": { "properties": { "a": {} } }, "next": { "$ref": "#/components/schemas/Page`1" }
                } },
                "Page1Id": { "properties": { "a": {} } },
                "B": { "items": { "$ref": "#/components/schemas/Page1Id" } },
                "D": { "items": { "$ref": "#/components/schemas/B" } }
            })
        );
        assert_eq!(effects, []);
    }

    #[test]
    fn a_broken_reference_is_any_value() {
        let (root, effects) = run(
            unify,
            json!({ "components": { "schemas": {
                "A": { "items": { "$ref": "#/components/schemas/None" } },
                "B": { "$ref": "#/info" },
                "C": { "items": { "$ref": 7 } },
                "D": { "items": { "$ref": "other.json#/E" } }
            }}}),
        );
        assert_eq!(
            root["components"]["schemas"],
            json!({ "A": { "items": {} }, "B": {}, "C": { "items": {} }, "D": { "items": {} } })
        );
        assert_eq!(effects.len(), 4);
        assert!(effects.iter().all(|(effect, _)| *effect == Effect::Lost));
    }

    #[test]
    fn new_components_may_refer_to_themselves() {
        let (root, _) = run(
            unify,
            json!({ "components": { "schemas": {
                "A": { "properties": { "tree": { "properties": { "sub": { "$ref": "#/components/schemas/A/properties/tree" } } } } }
            }}}),
        );
        let tree = json!({ "properties": { "sub": { "$ref": "#/components/schemas/ATree" } } });
        assert_eq!(root["components"]["schemas"], json!({ "A": { "properties": { "tree": tree } }, "ATree": tree }));
    }
}
