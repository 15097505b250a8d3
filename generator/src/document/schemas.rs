//! Visits of the schemas of a document.

use serde_json::Value;

use super::{operations::operations, pointer::segment};

/// The member of a request body that keeps the form of a multipart body.
pub(crate) const MULTIPART: &str = "x-perenso-multipart";

/// The member of an operation that keeps its further successful responses, for which the method has no type.
pub(crate) const OTHERS: &str = "x-perenso-other-responses";

/// The keywords whose value is a schema.
const ONE: [&str; 9] = [
    "items",
    "additionalProperties",
    "not",
    "if",
    "then",
    "else",
    "contains",
    "propertyNames",
    "unevaluatedProperties",
];

/// The keywords whose value is a list of schemas. `items` is one as well in a tuple of older drafts.
const LISTS: [&str; 5] = ["allOf", "oneOf", "anyOf", "prefixItems", "items"];

/// The keywords whose value is an object of schemas.
const MAPS: [&str; 5] = ["properties", "patternProperties", "dependentSchemas", "$defs", "definitions"];

/// Visits every schema of a document whose parameters, bodies and responses are inlined. A schema comes after its parts.
pub(crate) fn each_schema(root: &mut Value, visit: &mut dyn FnMut(&mut Value, &str)) {
    each_root(root, &mut |schema, pointer| each_part(schema, &mut pointer.to_string(), visit));
}

/// Visits the schemas that are not part of another one: the components, and those of operations.
pub(crate) fn each_root(root: &mut Value, visit: &mut dyn FnMut(&mut Value, &str)) {
    let schemas = root.pointer_mut("/components/schemas").and_then(Value::as_object_mut);
    for (name, schema) in schemas.into_iter().flatten() {
        visit(schema, &format!("/components/schemas/{}", segment(name)));
    }
    for operation in operations(root) {
        let place = &operation.pointer;
        let parameters = operation.node.get_mut("parameters").and_then(Value::as_array_mut);
        for (index, parameter) in parameters.into_iter().flatten().enumerate() {
            if let Some(schema) = parameter.get_mut("schema") {
                visit(schema, &format!("{place}/parameters/{index}/schema"));
            }
        }
        if let Some(body) = operation.node.get_mut("requestBody") {
            each_content(body, &format!("{place}/requestBody"), visit);
            if let Some(schema) = body.get_mut(MULTIPART) {
                visit(schema, &format!("{place}/requestBody/{MULTIPART}"));
            }
        }
        for list in ["responses", OTHERS] {
            let responses = operation.node.get_mut(list).and_then(Value::as_object_mut);
            for (status, response) in responses.into_iter().flatten() {
                each_content(response, &format!("{place}/responses/{}", segment(status)), visit);
            }
        }
    }
}

fn each_content(node: &mut Value, place: &str, visit: &mut dyn FnMut(&mut Value, &str)) {
    let content = node.get_mut("content").and_then(Value::as_object_mut);
    for (media_type, entry) in content.into_iter().flatten() {
        if let Some(schema) = entry.get_mut("schema") {
            visit(schema, &format!("{place}/content/{}/schema", segment(media_type)));
        }
    }
}

/// Visits a schema, after its parts.
pub(crate) fn each_part(schema: &mut Value, pointer: &mut String, visit: &mut dyn FnMut(&mut Value, &str)) {
    let length = pointer.len();
    if let Value::Object(map) = schema {
        for (keyword, value) in map.iter_mut() {
            let keyword = keyword.as_str();
            match value {
                Value::Array(parts) if LISTS.contains(&keyword) => {
                    for (index, part) in parts.iter_mut().enumerate() {
                        pointer.push_str(&format!("/{keyword}/{index}"));
                        each_part(part, pointer, visit);
                        pointer.truncate(length);
                    }
                }
                Value::Object(parts) if MAPS.contains(&keyword) => {
                    for (name, part) in parts.iter_mut() {
                        pointer.push_str(&format!("/{keyword}/{}", segment(name)));
                        each_part(part, pointer, visit);
                        pointer.truncate(length);
                    }
                }
                part if ONE.contains(&keyword) => {
                    pointer.push_str(&format!("/{keyword}"));
                    each_part(part, pointer, visit);
                    pointer.truncate(length);
                }
                _ => {}
            }
        }
    }
    visit(schema, pointer);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_schema_is_visited_once_after_its_parts() {
        let mut root = json!({
            "components": { "schemas": { "A": { "properties": { "items": { "type": "string" }, "b": { "items": {} } } } } },
            "paths": { "/a": { "post": {
                "parameters": [{ "schema": { "anyOf": [{}] } }],
                "requestBody": { "content": { "application/json": { "schema": true } } },
                "responses": { "200": { "content": { "text/plain": { "schema": {} } } } }
            }}}
        });
        let mut seen = Vec::new();
        each_schema(&mut root, &mut |_, pointer| seen.push(pointer.to_string()));
        assert_eq!(
            seen,
            [
                "/components/schemas/A/properties/b/items",
                "/components/schemas/A/properties/b",
                "/components/schemas/A/properties/items",
                "/components/schemas/A",
                "/paths/~1a/post/parameters/0/schema/anyOf/0",
                "/paths/~1a/post/parameters/0/schema",
                "/paths/~1a/post/requestBody/content/application~1json/schema",
                "/paths/~1a/post/responses/200/content/text~1plain/schema",
            ]
        );
    }
}
