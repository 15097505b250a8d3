//! The values of parameters: scalars, and lists of scalars in a query.

use serde_json::{Map, Value, json};

use crate::{
    document::operations::operations,
    normalize::{
        Log,
        schemas::{describe, put_components, references::target, take_components},
    },
};

/// Flattens the parameters of each operation: objects become a parameter per field, lists that are one value become a string.
pub(crate) fn flatten(root: &mut Value, log: &mut Log<'_>) {
    let schemas = take_components(root);
    for operation in operations(root) {
        let Some(list) = operation.node.get_mut("parameters").and_then(Value::as_array_mut) else { continue };
        let mut flat: Vec<Value> = Vec::new();
        for (index, parameter) in std::mem::take(list).into_iter().enumerate() {
            let place = format!("{}/parameters/{index}", operation.pointer);
            for parameter in one(parameter, &schemas, &place, log) {
                let same = |other: &Value| other["name"] == parameter["name"] && other["in"] == parameter["in"];
                if !flat.iter().any(same) {
                    flat.push(parameter);
                }
            }
        }
        *list = flat;
    }
    put_components(root, schemas);
}

fn one(mut parameter: Value, schemas: &Map<String, Value>, place: &str, log: &mut Log<'_>) -> Vec<Value> {
    let style = parameter["style"].as_str().unwrap_or_default().to_string();
    let explode = parameter["explode"].as_bool();
    let in_query = parameter["in"] == "query";
    if let Some(map) = parameter.as_object_mut() {
        map.remove("style");
        map.remove("explode");
    }
    let schema = target(schemas, &parameter["schema"]).clone();
    let kind = schema["type"].as_str().unwrap_or_default();
    match kind {
        "string" if schema["format"] == "binary" => parameter["schema"] = json!({ "type": "string" }),
        "string" | "integer" | "number" | "boolean" => without_null(&mut parameter["schema"]),
        "array" => {
            let item = target(schemas, &schema["items"]);
            let is_scalar = item["type"].as_str().is_some_and(|kind| kind != "array" && kind != "object");
            let repeated = in_query && explode.unwrap_or(true) && ["", "form", "deepObject"].contains(&style.as_str());
            if repeated {
                let mut items = if is_scalar { schema["items"].clone() } else { json!({ "type": "string" }) };
                without_null(&mut items);
                if !is_scalar {
                    log.lost(place, "the values of the list are no scalars: they are passed as strings");
                }
                parameter["schema"] = json!({ "type": "array", "items": items });
            } else {
                let separator = match style.as_str() {
                    "spaceDelimited" => "spaces",
                    "pipeDelimited" => "`|`",
                    _ => "commas",
                };
                log.lost(place, format!("the list is one value: pass a string with {separator} between the values"));
                as_string(&mut parameter, &format!("The values, with {separator} between them."));
            }
        }
        "object" if in_query && schema["properties"].as_object().is_some_and(|fields| !fields.is_empty()) => {
            return fields(&parameter, &schema, style == "deepObject", schemas, place, log);
        }
        _ => {
            let what = if kind == "object" { "an object" } else { "any value" };
            log.lost(place, format!("the parameter is {what}: it is passed as a string"));
            as_string(&mut parameter, "The value, as the server expects it.");
        }
    }
    vec![parameter]
}

fn as_string(parameter: &mut Value, sentence: &str) {
    parameter["schema"] = json!({ "type": "string" });
    if let Some(map) = parameter.as_object_mut() {
        describe(map, sentence);
    }
}

/// Removes `nullable`: a parameter without value is not sent.
fn without_null(schema: &mut Value) {
    if let Some(map) = schema.as_object_mut() {
        map.remove("nullable");
        if let Some(Value::Array(parts)) = map.get("allOf")
            && let [only] = parts.as_slice()
        {
            *schema = only.clone();
        }
    }
}

/// Returns a parameter per field of an object. Objects inside of it have no form in a query.
fn fields(
    parameter: &Value,
    schema: &Value,
    deep: bool,
    schemas: &Map<String, Value>,
    place: &str,
    log: &mut Log<'_>,
) -> Vec<Value> {
    log.changed(place, format!("the object {} is a parameter per field", parameter["name"]));
    let required = |name: &str| {
        parameter["required"] == true
            && schema["required"].as_array().is_some_and(|names| names.iter().any(|n| n == name))
    };
    let mut found = Vec::new();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let full =
            if deep { format!("{}[{name}]", parameter["name"].as_str().unwrap_or_default()) } else { name.clone() };
        let mut inner = json!({ "name": full, "in": "query", "schema": field });
        if let Some(description) = field.get("description") {
            inner["description"] = description.clone();
        }
        if required(name) {
            inner["required"] = json!(true);
        }
        if target(schemas, field)["type"] == "object" {
            log.lost(place, format!("the field `{name}` is an object: it is passed as a string"));
            as_string(&mut inner, "The value, as the server expects it.");
        }
        found.extend(one(inner, schemas, place, log));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Effect, normalize::tests::run};

    fn flat(parameter: Value) -> (Value, Vec<Effect>) {
        let (root, effects) = run(
            flatten,
            json!({
                "components": { "schemas": {
                    "Filter": { "type": "object", "properties": { "name": { "type": "string" }, "tags": { "type": "array", "items": { "type": "integer" } },
                    "sub": { "type": "object" } } },
                    "State": { "type": "string", "enum": ["a"] }
                } },
                "paths": { "/a": { "get": { "parameters": [parameter] } } }
            }),
        );
        (root["paths"]["/a"]["get"]["parameters"].clone(), effects.into_iter().map(|(effect, _)| effect).collect())
    }

    #[test]
    fn lists_are_repeated_or_one_value() {
        let states = json!({ "type": "array", "items": { "$ref": "#/components/schemas/State" } });
        let of = |kind: &str, more: Value| {
            let mut parameter = json!({ "name": "s", "in": kind, "schema": states });
            parameter.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            flat(parameter)
        };
        let repeated = json!([{ "name": "s", "in": "query", "schema": states }]);
        assert_eq!(of("query", json!({})), (repeated.clone(), vec![]));
        assert_eq!(of("query", json!({ "style": "form", "explode": true })), (repeated, vec![]));
        for (kind, more, separator) in [
            ("query", json!({ "explode": false }), "commas"),
            ("query", json!({ "style": "pipeDelimited", "explode": false }), "`|`"),
            ("path", json!({}), "commas"),
        ] {
            let (list, effects) = of(kind, more);
            assert_eq!(list[0]["schema"], json!({ "type": "string" }));
            assert_eq!(list[0]["description"], format!("The values, with {separator} between them."));
            assert_eq!(effects, [Effect::Lost]);
        }
    }

    #[test]
    fn objects_are_a_parameter_per_field() {
        let schema = json!({ "$ref": "#/components/schemas/Filter" });
        let (deep, effects) = flat(json!({ "name": "filter", "in": "query", "style": "deepObject", "schema": schema }));
        let text = json!({ "type": "string" });
        assert_eq!(
            deep,
            json!([
                { "name": "filter[name]", "in": "query", "schema": text },
                { "name": "filter[sub]", "in": "query", "schema": text, "description": "The value, as the server expects it." },
                { "name": "filter[tags]", "in": "query", "schema": { "type": "array", "items": { "type": "integer" } } }
            ])
        );
        assert_eq!(effects, [Effect::Changed, Effect::Lost]);
        let (form, _) = flat(json!({ "name": "filter", "in": "query", "schema": schema }));
        assert_eq!(form[0]["name"], "name");
    }

    #[test]
    fn scalars_stay_without_null() {
        let (list, _) = flat(json!({ "name": "a", "in": "header", "schema": { "type": "integer", "nullable": true } }));
        assert_eq!(list[0]["schema"], json!({ "type": "integer" }));
        let (list, effects) = flat(json!({ "name": "a", "in": "query", "schema": {} }));
        assert_eq!((list[0]["schema"].clone(), effects), (json!({ "type": "string" }), vec![Effect::Lost]));
    }
}
