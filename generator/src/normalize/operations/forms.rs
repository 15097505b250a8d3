//! The fields of URL-encoded forms, which are scalars and lists of them.

use serde_json::{Map, Value, json};

use crate::{
    document::operations::operations,
    normalize::{
        Log,
        schemas::{describe, put_components, references::target, take_components},
    },
};

const FORM: &str = "/requestBody/content/application~1x-www-form-urlencoded/schema";

/// The member of a request body that keeps the separators of lists in a form whose names are not repeated.
pub(crate) const SEPARATORS: &str = "x-perenso-form-separators";

/// Returns the separators that `encoding` gives lists.
pub(super) fn separators(entry: &Value) -> Map<String, Value> {
    let encoding = entry.get("encoding").and_then(Value::as_object).into_iter().flatten();
    let separated = encoding.filter_map(|(name, encoding)| {
        let (separator, explode) = match encoding["style"].as_str() {
            Some("spaceDelimited") => (" ", false),
            Some("pipeDelimited") => ("|", false),
            _ => (",", true),
        };
        let explode = encoding["explode"].as_bool().unwrap_or(explode);
        (!explode).then(|| (name.clone(), json!(separator)))
    });
    separated.collect()
}

/// Makes objects in a form strings. A form whose schema has no known fields becomes a map of strings.
pub(crate) fn flatten(root: &mut Value, log: &mut Log<'_>) {
    let schemas = take_components(root);
    for operation in operations(root) {
        let place = format!("{}{FORM}", operation.pointer);
        let mut node = Value::Object(std::mem::take(operation.node));
        if let Some(schema) = node.pointer_mut(FORM) {
            flatten_one(schema, &schemas, &place, log);
        }
        if let Value::Object(node) = node {
            *operation.node = node;
        }
    }
    put_components(root, schemas);
}

fn flatten_one(schema: &mut Value, schemas: &Map<String, Value>, place: &str, log: &mut Log<'_>) {
    let form = target(schemas, schema);
    let is_scalar =
        |field: &Value| target(schemas, field)["type"].as_str().is_some_and(|kind| kind != "object" && kind != "array");
    let is_list = |field: &Value| {
        let field = target(schemas, field);
        field["type"] == "array" && is_scalar(&field["items"])
    };
    let Some(fields) = form["properties"].as_object().filter(|fields| !fields.is_empty()) else {
        if form["type"] != "object" || !is_scalar(&form["additionalProperties"]) {
            log.lost(place, "the fields of the form are not known: it is a map of strings");
            *schema = json!({ "type": "object", "additionalProperties": { "type": "string" } });
        }
        return;
    };
    let odd: Vec<String> =
        fields.iter().filter(|(_, field)| !is_scalar(field) && !is_list(field)).map(|(name, _)| name.clone()).collect();
    if odd.is_empty() {
        return;
    }
    // The record may be that of a JSON body as well, so the form gets one of its own.
    let mut own = form.clone();
    for name in odd {
        log.lost(place, format!("the field `{name}` of the form is no scalar and no list of them: it is a string"));
        let mut field = json!({ "type": "string" });
        if let Some(map) = field.as_object_mut() {
            describe(map, "The value, as the server expects it.");
        }
        own["properties"][name] = field;
    }
    *schema = own;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalize::tests::run;

    fn form(schema: Value) -> (Value, usize) {
        let (root, effects) = run(
            flatten,
            json!({
                "components": { "schemas": { "A": { "type": "object", "properties": {
                    "a": { "type": "integer" }, "b": { "type": "array", "items": {} }
                } } } },
                "paths": { "/a": { "post": { "requestBody": { "content": {
                    "application/x-www-form-urlencoded": { "schema": schema }
                } } } } }
            }),
        );
        (root["paths"]["/a"]["post"].pointer(FORM).cloned().unwrap(), effects.len())
    }

    #[test]
    fn lists_of_scalars_keep_their_style() {
        let list =
            json!({ "type": "object", "properties": { "a": { "type": "array", "items": { "type": "integer" } } } });
        assert_eq!(form(list.clone()), (list, 0));
        let entry = json!({ "encoding": {
            "a": { "explode": false }, "b": { "style": "pipeDelimited" }, "c": { "style": "form" }, "d": 7,
            "e": { "style": "spaceDelimited", "explode": true }
        } });
        assert_eq!(Value::Object(separators(&entry)), json!({ "a": ",", "b": "|" }));
    }

    #[test]
    fn fields_are_scalars() {
        let text = json!({ "type": "string", "description": "The value, as the server expects it." });
        let record = json!({ "type": "object", "properties": { "a": { "type": "integer" }, "b": text } });
        assert_eq!(form(json!({ "$ref": "#/components/schemas/A" })), (record.clone(), 1));
        assert_eq!(form(record.clone()), (record, 0));
        let map = json!({ "type": "object", "additionalProperties": { "type": "string" } });
        assert_eq!(form(json!({})), (map.clone(), 1));
        assert_eq!(form(map.clone()), (map, 0));
    }
}
