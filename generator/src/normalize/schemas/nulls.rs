//! `null`, admitted where a schema is used and not where it is named.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{is_nullable, nullable, put_components, take_components};
use crate::{
    document::{
        pointer::{COMPONENTS, schema_name, segment},
        schemas::each_schema,
    },
    normalize::Log,
};

/// Moves `nullable` from components to the references to them, so that each component is one type.
pub(crate) fn unify(root: &mut Value, log: &mut Log<'_>) {
    let mut schemas = take_components(root);
    let mut admitting: BTreeSet<String> = BTreeSet::new();
    // Another name of a component that admits null does so as well.
    loop {
        let admits =
            |schema: &Value| is_nullable(schema) || schema_name(schema).is_some_and(|name| admitting.contains(&name));
        let more = schemas.iter().filter(|(name, schema)| admits(schema) && !admitting.contains(*name));
        let more: Vec<_> = more.map(|(name, _)| name.clone()).collect();
        if more.is_empty() {
            break;
        }
        admitting.extend(more);
    }
    for name in &admitting {
        let Some(schema) = schemas.get_mut(name) else { continue };
        schema.as_object_mut().map(|map| map.remove("nullable"));
        // The reference in `allOf` can be alone now.
        if let Some([only]) = schema.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
            *schema = only.clone();
        }
        log.changed(&format!("{COMPONENTS}{}", segment(name)), "null is admitted by the references to it");
    }
    put_components(root, schemas);
    each_schema(root, &mut |schema, pointer| {
        let is_component = pointer.strip_prefix(COMPONENTS).is_some_and(|name| !name.contains('/'));
        if !is_component && schema_name(schema).is_some_and(|name| admitting.contains(&name)) {
            *schema = nullable(schema.take());
        } else if let Some([part]) = schema.get("allOf").and_then(Value::as_array).map(Vec::as_slice)
            && part.get("allOf").is_some()
        {
            *schema = part.clone();
        } else if let Some(map) = schema.as_object_mut().filter(|map| is_any(map)) {
            map.remove("nullable");
        }
    });
}

/// Returns true for a schema that admits any JSON value, null included.
fn is_any(map: &Map<String, Value>) -> bool {
    !map.contains_key("type") && !map.contains_key("oneOf") && !map.contains_key("allOf") && !map.contains_key("$ref")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::normalize::tests::run;

    #[test]
    fn references_admit_what_their_component_does() {
        let reference = json!({ "$ref": "#/components/schemas/A" });
        let (root, _) = run(
            unify,
            json!({ "components": { "schemas": {
                "A": { "type": "string", "nullable": true },
                "B": { "type": "object", "properties": {
                    "a": reference, "b": { "allOf": [reference], "nullable": true }, "c": { "nullable": true }
                } }
            } } }),
        );
        let admitting = json!({ "allOf": [reference], "nullable": true });
        assert_eq!(
            root["components"]["schemas"],
            json!({
                "A": { "type": "string" },
                "B": { "type": "object", "properties": { "a": admitting, "b": admitting, "c": {} } }
            })
        );
    }
}
