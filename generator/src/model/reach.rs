//! Finds the schemas that are used, and drops the others.

use std::collections::BTreeSet;

use serde_json::Value;

const SCHEMAS: &str = "#/components/schemas/";

/// Drops the schemas that neither an operation nor a component of another kind needs.
pub(crate) fn keep_used(root: &mut Value) {
    let mut used = BTreeSet::new();
    for (name, part) in root.as_object().into_iter().flatten() {
        if name != "components" {
            references(part, &mut used);
        }
    }
    for (name, part) in root.get("components").and_then(Value::as_object).into_iter().flatten() {
        if name != "schemas" {
            references(part, &mut used);
        }
    }
    keep(root, used);
}

/// Drops the schemas that are neither among these nor needed by one of them.
pub(crate) fn keep(root: &mut Value, mut used: BTreeSet<String>) {
    let Some(schemas) = root.pointer_mut("/components/schemas").and_then(Value::as_object_mut) else { return };
    let mut next: Vec<String> = used.iter().cloned().collect();
    while let Some(name) = next.pop() {
        let mut found = BTreeSet::new();
        schemas.get(&name).into_iter().for_each(|schema| references(schema, &mut found));
        next.extend(found.into_iter().filter(|name| used.insert(name.clone())));
    }
    schemas.retain(|name, _| used.contains(name));
}

/// Returns true if a part of a document needs the schema of this name, which is escaped as in a JSON pointer.
pub(crate) fn uses(root: &Value, part: &Value, schema: &str) -> bool {
    let schema = schema.replace("~1", "/").replace("~0", "~");
    let mut used = BTreeSet::new();
    references(part, &mut used);
    let mut next: Vec<String> = used.iter().cloned().collect();
    while let Some(name) = next.pop() {
        if name == schema {
            return true;
        }
        let mut found = BTreeSet::new();
        let inner = root.get("components").and_then(|parts| parts.get("schemas")?.get(&name));
        inner.into_iter().for_each(|inner| references(inner, &mut found));
        next.extend(found.into_iter().filter(|name| used.insert(name.clone())));
    }
    false
}

fn references(node: &Value, found: &mut BTreeSet<String>) {
    match node {
        Value::Object(map) => {
            if let Some(name) = map.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix(SCHEMAS))
            {
                let name = name.split('/').next().unwrap_or(name);
                found.insert(name.replace("~1", "/").replace("~0", "~"));
            }
            map.values().for_each(|inner| references(inner, found));
        }
        Value::Array(items) => items.iter().for_each(|inner| references(inner, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_schema_that_nothing_reaches_is_dropped() {
        let to = |name: &str| json!({ "$ref": format!("{SCHEMAS}{name}") });
        let mut root = json!({
            "paths": { "/a": { "get": { "schema": to("A") } } },
            "components": {
                "responses": { "no": to("E") },
                "schemas": { "A": { "x": [to("B")] }, "B": to("A"), "C": to("D"), "D": {}, "E": {} },
            },
        });
        keep_used(&mut root);
        assert_eq!(root["components"]["schemas"].as_object().unwrap().keys().collect::<Vec<_>>(), ["A", "B", "E"]);
    }
}
