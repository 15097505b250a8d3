//! Inline records and enums, as components with stable names.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{
    alternatives::{RULES, has_rules},
    is_nullable, is_record, nullable, put_components, take_components,
};
use crate::{
    document::{
        operations::operations,
        pointer::{COMPONENTS, schema_reference, segment},
        schemas::{MULTIPART, OTHERS, each_part},
    },
    normalize::{
        Log,
        names::{pascal, type_name, unique},
    },
};

/// The member by which an overlay names an inline type.
pub(super) const NAME: &str = "x-type-name";

/// Moves inline records and enums to the components. A name consists of the parent and the field, or the operation and the place.
pub(crate) fn hoist(root: &mut Value, log: &mut Log<'_>) {
    let components = take_components(root);
    let mut hoist = Hoist { taken: components.keys().cloned().collect(), made: Map::new(), moved: Vec::new() };
    for (name, mut schema) in components {
        hoist.parts(&mut schema, &name, &format!("{COMPONENTS}{}", segment(&name)));
        hoist.made.insert(name, schema);
    }
    for operation in operations(root) {
        let id = pascal(operation.node.get("operationId").and_then(Value::as_str).unwrap_or_default());
        let place = operation.pointer;
        let parameters = operation.node.get_mut("parameters").and_then(Value::as_array_mut);
        for (index, parameter) in parameters.into_iter().flatten().enumerate() {
            let name = format!("{id}{}", pascal(parameter["name"].as_str().unwrap_or_default()));
            if let Some(schema) = parameter.get_mut("schema") {
                hoist.whole(schema, &name, &format!("{place}/parameters/{index}/schema"));
            }
        }
        if let Some(body) = operation.node.get_mut("requestBody") {
            for (media_type, schema) in content(body) {
                hoist.whole(schema, &format!("{id}Body"), &format!("{place}/requestBody/content/{media_type}/schema"));
            }
            if let Some(schema) = body.get_mut(MULTIPART) {
                hoist.whole(schema, &format!("{id}Form"), &format!("{place}/requestBody/{MULTIPART}"));
            }
        }
        let others = operation.node.get_mut(OTHERS).and_then(Value::as_object_mut);
        for (status, response) in others.into_iter().flatten() {
            for (media_type, schema) in content(response) {
                let here = format!("{place}/responses/{status}/content/{media_type}/schema");
                hoist.whole(schema, &format!("{id}Response{}", pascal(status).trim_start_matches('X')), &here);
            }
        }
        // Responses of one type must be of one type afterwards.
        let mut done: BTreeMap<String, Value> = BTreeMap::new();
        for (status, response) in
            operation.node.get_mut("responses").and_then(Value::as_object_mut).into_iter().flatten()
        {
            for (media_type, schema) in content(response) {
                let here = format!("{place}/responses/{status}/content/{media_type}/schema");
                if !status.starts_with('2') {
                    untype(schema, &here, log);
                    continue;
                }
                let before = schema.to_string();
                match done.get(&before) {
                    Some(same) => *schema = same.clone(),
                    None => {
                        hoist.whole(schema, &format!("{id}Response"), &here);
                        done.insert(before, schema.clone());
                    }
                }
            }
        }
    }
    put_components(root, hoist.made);
    for (name, from) in hoist.moved {
        log.moved(&name, &from);
    }
}

/// Makes inline records of an error any JSON value. The client reads errors as they are, and a type for each would double its size.
fn untype(schema: &mut Value, place: &str, log: &mut Log<'_>) {
    let mut inline = false;
    each_part(schema, &mut String::new(), &mut |part, _| inline |= is_named(part));
    if inline {
        *schema = json!({});
        log.changed(place, "the error has no named schema: it is any JSON value");
    }
}

/// Returns the schemas of a body or response, with their media types as in a pointer.
fn content(node: &mut Value) -> impl Iterator<Item = (String, &mut Value)> {
    let content = node.get_mut("content").and_then(Value::as_object_mut);
    content.into_iter().flatten().filter_map(|(name, entry)| Some((segment(name), entry.get_mut("schema")?)))
}

/// Returns true for a schema that the code generator writes a type for.
fn is_named(schema: &Value) -> bool {
    is_record(schema) || schema.get("enum").is_some() || has_rules(schema)
}

struct Hoist {
    taken: BTreeSet<String>,
    made: Map<String, Value>,
    /// The names of new components, with the pointers of what they were.
    moved: Vec<(String, String)>,
}

impl Hoist {
    /// Hoists a schema that is not a component, or its parts.
    fn whole(&mut self, schema: &mut Value, name: &str, place: &str) {
        if !is_named(schema) {
            return self.parts(schema, name, place);
        }
        let pinned = schema.get(NAME).and_then(Value::as_str);
        let name = unique(&type_name(pinned.unwrap_or(name)), &mut self.taken);
        let admits_null = is_nullable(schema);
        let mut inner = schema.take();
        if let Some(map) = inner.as_object_mut() {
            map.remove("nullable");
        }
        self.moved.push((name.clone(), place.to_string()));
        self.parts(&mut inner, &name, place);
        self.made.insert(name.clone(), inner);
        let reference = schema_reference(&name);
        *schema = if admits_null { nullable(reference) } else { reference };
    }

    /// Hoists the parts of a schema.
    fn parts(&mut self, schema: &mut Value, name: &str, place: &str) {
        let rules = has_rules(schema).then(|| schema[RULES].clone());
        let Some(map) = schema.as_object_mut() else { return };
        for (field, part) in map.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
            let place = format!("{place}/properties/{}", segment(field));
            self.whole(part, &format!("{name}{}", pascal(field)), &place);
        }
        for keyword in ["allOf", "oneOf", "anyOf"] {
            for (index, part) in map.get_mut(keyword).and_then(Value::as_array_mut).into_iter().flatten().enumerate() {
                // Parts of what is not merged yet are no types of their own.
                let place = format!("{place}/{keyword}/{index}");
                match &rules {
                    Some(rules) => {
                        let told = ["values", "fields"].iter().find_map(|by| rules[index][by][0].as_str());
                        let suffix = told.map_or_else(|| format!("Variant{index}"), pascal);
                        self.whole(part, &format!("{name}{suffix}"), &place);
                    }
                    None => self.parts(part, name, &place),
                }
            }
        }
        for (keyword, suffix) in [("items", "Item"), ("additionalProperties", "Value")] {
            if let Some(part) = map.get_mut(keyword).filter(|part| part.is_object()) {
                self.whole(part, &format!("{name}{suffix}"), &format!("{place}/{keyword}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalize::tests::run;

    #[test]
    fn inline_types_of_components_get_names() {
        let (root, _) = run(
            hoist,
            json!({ "components": { "schemas": { "Order": { "type": "object", "properties": {
                "state": { "type": "string", "enum": ["a"], "nullable": true },
                "lines": { "type": "array", "items": { "type": "object", "properties": { "sku": {} } } },
                "pinned": { "type": "object", "x-type-name": "Address", "properties": { "street": {} } },
                "map": { "type": "object", "additionalProperties": { "type": "string" } }
            } } } } }),
        );
        let schemas = root["components"]["schemas"].as_object().unwrap();
        assert_eq!(schemas.keys().collect::<Vec<_>>(), ["Address", "Order", "OrderLinesItem", "OrderState"]);
        assert_eq!(
            schemas["Order"]["properties"],
            json!({
                "state": { "allOf": [{ "$ref": "#/components/schemas/OrderState" }], "nullable": true },
                "lines": { "type": "array", "items": { "$ref": "#/components/schemas/OrderLinesItem" } },
                "pinned": { "$ref": "#/components/schemas/Address" },
                "map": { "type": "object", "additionalProperties": { "type": "string" } }
            })
        );
    }

    #[test]
    fn inline_types_of_operations_get_names() {
        let record = json!({ "type": "object", "properties": { "id": {} } });
        let of = |schema: &Value| json!({ "content": { "application/json": { "schema": schema } } });
        let (root, _) = run(
            hoist,
            json!({ "components": { "schemas": { "GetOrderResponse": {} } }, "paths": { "/a": { "get": {
                "operationId": "get_order",
                "parameters": [{ "name": "sort-by", "schema": { "type": "string", "enum": ["a"] } }],
                "requestBody": of(&record),
                "responses": { "200": of(&record), "201": of(&record), "400": of(&record) }
            } } } }),
        );
        let operation = &root["paths"]["/a"]["get"];
        let reference = |name: &str| schema_reference(name);
        assert_eq!(operation["parameters"][0]["schema"], reference("GetOrderSortBy"));
        assert_eq!(operation["requestBody"], of(&reference("GetOrderBody")));
        assert_eq!(
            operation["responses"],
            json!({ "200": of(&reference("GetOrderResponse2")), "201": of(&reference("GetOrderResponse2")), "400": of(&json!({})) })
        );
    }
}
