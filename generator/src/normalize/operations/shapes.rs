//! The values of parameters: scalars, lists of scalars, and maps of scalars in a query.

use serde_json::{Map, Value, json};

use crate::{
    document::operations::operations,
    normalize::{
        Log,
        schemas::{describe, put_components, references::target, take_components},
    },
};

/// The objects in one another that become parameters. A schema may contain itself.
const DEPTH: usize = 4;

/// Flattens the parameters of each operation: objects become a parameter per field, and lists are lists of scalars. Only a style
/// that is not the usual one of its place stays.
pub(crate) fn flatten(root: &mut Value, log: &mut Log<'_>) {
    let schemas = take_components(root);
    for operation in operations(root) {
        let Some(list) = operation.node.get_mut("parameters").and_then(Value::as_array_mut) else { continue };
        let mut flat: Vec<Value> = Vec::new();
        for (index, parameter) in std::mem::take(list).into_iter().enumerate() {
            let place = format!("{}/parameters/{index}", operation.pointer);
            for parameter in (Shape { schemas: &schemas, place: &place, depth: 0 }).one(parameter, log) {
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

#[derive(Clone, Copy)]
struct Shape<'a> {
    schemas: &'a Map<String, Value>,
    place: &'a str,
    depth: usize,
}

impl Shape<'_> {
    /// Returns the parameters that a parameter becomes.
    fn one(self, mut parameter: Value, log: &mut Log<'_>) -> Vec<Value> {
        let style = parameter["style"].as_str().unwrap_or_default().to_string();
        let explode = parameter["explode"].as_bool();
        let kind = parameter["in"].as_str().unwrap_or_default().to_string();
        if let Some(map) = parameter.as_object_mut() {
            map.remove("style");
            map.remove("explode");
        }
        let schema = target(self.schemas, &parameter["schema"]).clone();
        match (schema["type"].as_str().unwrap_or_default(), kind.as_str()) {
            (_, "path") if ["label", "matrix"].contains(&style.as_str()) => {
                log.lost(self.place, format!("the style `{style}` is not known: the parameter is passed as a string"));
                as_string(&mut parameter);
            }
            ("string", _) if schema["format"] == "binary" => parameter["schema"] = json!({ "type": "string" }),
            ("string" | "integer" | "number" | "boolean", _) => without_null(&mut parameter["schema"]),
            ("array", "query" | "header" | "path") => {
                parameter["schema"] = json!({ "type": "array", "items": self.scalar(&schema["items"], "list", log) });
                let separated = ["spaceDelimited", "pipeDelimited"].contains(&style.as_str());
                if kind == "query" && !explode.unwrap_or(!separated) {
                    parameter["style"] = json!(if separated { &style } else { "form" });
                    parameter["explode"] = json!(false);
                }
            }
            ("object", "query") if style == "deepObject" || explode != Some(false) => {
                let is_deep = style == "deepObject";
                if schema["properties"].as_object().is_some_and(|fields| !fields.is_empty()) {
                    return self.fields(&parameter, &schema, is_deep, log);
                }
                let values = self.scalar(&schema["additionalProperties"], "object", log);
                parameter["schema"] = json!({ "type": "object", "additionalProperties": values });
                if is_deep {
                    parameter["style"] = json!(style);
                    parameter["explode"] = json!(true);
                }
            }
            (found, _) => {
                let what = match found {
                    "object" => "an object",
                    "array" => "a list",
                    _ => "any value",
                };
                log.lost(self.place, format!("the parameter is {what}: it is passed as a string"));
                as_string(&mut parameter);
            }
        }
        vec![parameter]
    }

    /// Returns the schema of the values of a list or a map, which are strings if they are no scalars.
    fn scalar(self, values: &Value, of: &str, log: &mut Log<'_>) -> Value {
        let kind = target(self.schemas, values)["type"].as_str();
        if kind.is_none_or(|kind| kind == "array" || kind == "object") {
            log.lost(self.place, format!("the values of the {of} are no scalars: they are passed as strings"));
            return json!({ "type": "string" });
        }
        let mut values = values.clone();
        without_null(&mut values);
        values
    }

    /// Returns a parameter per field of an object. Only the style of deep objects has a form for objects inside of it.
    fn fields(self, parameter: &Value, schema: &Value, is_deep: bool, log: &mut Log<'_>) -> Vec<Value> {
        log.changed(self.place, format!("the object {} is a parameter per field", parameter["name"]));
        let required = |name: &str| {
            parameter["required"] == true
                && schema["required"].as_array().is_some_and(|names| names.iter().any(|n| n == name))
        };
        let mut found = Vec::new();
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            let outer = parameter["name"].as_str().unwrap_or_default();
            let full = if is_deep { format!("{outer}[{name}]") } else { name.clone() };
            let mut inner = json!({ "name": full, "in": "query", "schema": field });
            if let Some(description) = field.get("description") {
                inner["description"] = description.clone();
            }
            if required(name) {
                inner["required"] = json!(true);
            }
            if is_deep && self.depth < DEPTH {
                inner["style"] = json!("deepObject");
            } else if target(self.schemas, field)["type"] == "object" {
                log.lost(self.place, format!("the field `{name}` is an object: it is passed as a string"));
                as_string(&mut inner);
            }
            found.extend(Shape { depth: self.depth + 1, ..self }.one(inner, log));
        }
        found
    }
}

fn as_string(parameter: &mut Value) {
    parameter["schema"] = json!({ "type": "string" });
    if let Some(map) = parameter.as_object_mut() {
        describe(map, "The value, as the server expects it.");
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
                    "sub": { "type": "object" }, "range": { "type": "object", "properties": { "from": { "type": "integer" } } } } },
                    "Node": { "type": "object", "properties": { "next": { "$ref": "#/components/schemas/Node" } } },
                    "State": { "type": "string", "enum": ["a"] }
                } },
                "paths": { "/a": { "get": { "parameters": [parameter] } } }
            }),
        );
        let list = root["paths"]["/a"]["get"]["parameters"].clone();
        // A flat parameter stays as it is.
        for parameter in list.as_array().unwrap() {
            let (again, effects) = run(
                flatten,
                json!({
                    "components": { "schemas": { "State": { "type": "string" } } },
                    "paths": { "/a": { "get": { "parameters": [parameter] } } }
                }),
            );
            assert_eq!((&again["paths"]["/a"]["get"]["parameters"][0], effects), (parameter, vec![]));
        }
        (list, effects.into_iter().map(|(effect, _)| effect).collect())
    }

    #[test]
    fn lists_keep_their_style_where_it_is_not_the_usual_one() {
        let states = json!({ "type": "array", "items": { "$ref": "#/components/schemas/State" } });
        let of = |kind: &str, more: Value| {
            let mut parameter = json!({ "name": "s", "in": kind, "schema": states });
            parameter.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            flat(parameter)
        };
        let separated = |style: &str| json!({ "style": style, "explode": false });
        for (kind, given, kept) in [
            ("query", json!({}), json!({})),
            ("query", json!({ "style": "form", "explode": true }), json!({})),
            ("query", json!({ "style": "pipeDelimited", "explode": true }), json!({})),
            ("query", json!({ "explode": false }), separated("form")),
            ("query", json!({ "style": "pipeDelimited" }), separated("pipeDelimited")),
            ("query", separated("spaceDelimited"), separated("spaceDelimited")),
            ("header", json!({}), json!({})),
            ("path", json!({ "style": "simple", "explode": true }), json!({})),
        ] {
            let mut expected = json!([{ "name": "s", "in": kind, "schema": states }]);
            expected[0].as_object_mut().unwrap().extend(kept.as_object().unwrap().clone());
            assert_eq!(of(kind, given), (expected, vec![]));
        }
        for (kind, style) in [("path", "matrix"), ("cookie", "form")] {
            let (list, effects) = of(kind, json!({ "style": style }));
            assert_eq!((&list[0]["schema"], effects), (&json!({ "type": "string" }), vec![Effect::Lost]));
        }
    }

    #[test]
    fn objects_are_a_parameter_per_field() {
        let schema = json!({ "$ref": "#/components/schemas/Filter" });
        let (deep, effects) = flat(json!({ "name": "filter", "in": "query", "style": "deepObject", "schema": schema }));
        let text = json!({ "type": "string" });
        let any = json!({ "type": "object", "additionalProperties": text });
        assert_eq!(
            deep,
            json!([
                { "name": "filter[name]", "in": "query", "schema": text },
                { "name": "filter[range][from]", "in": "query", "schema": { "type": "integer" } },
                { "name": "filter[sub]", "in": "query", "schema": any, "style": "deepObject", "explode": true },
                { "name": "filter[tags]", "in": "query", "schema": { "type": "array", "items": { "type": "integer" } } }
            ])
        );
        assert_eq!(effects, [Effect::Changed, Effect::Changed, Effect::Lost]);
        let (form, _) = flat(json!({ "name": "filter", "in": "query", "schema": schema }));
        assert_eq!((&form[0]["name"], &form[2]["schema"]), (&json!("name"), &text));
        let (value, effects) = flat(json!({ "name": "filter", "in": "query", "explode": false, "schema": schema }));
        assert_eq!((&value[0]["schema"], effects), (&text, vec![Effect::Lost]));
    }

    #[test]
    fn an_object_in_itself_ends_and_one_without_fields_is_a_map() {
        let node = json!({ "$ref": "#/components/schemas/Node" });
        let (deep, _) = flat(json!({ "name": "n", "in": "query", "style": "deepObject", "schema": node }));
        assert_eq!(deep[0]["name"], "n[next][next][next][next][next]");
        let numbers = json!({ "type": "object", "additionalProperties": { "type": "integer" } });
        let (map, effects) = flat(json!({ "name": "n", "in": "query", "schema": numbers }));
        assert_eq!((map, effects), (json!([{ "name": "n", "in": "query", "schema": numbers }]), vec![]));
    }

    #[test]
    fn scalars_stay_without_null() {
        let (list, _) = flat(json!({ "name": "a", "in": "header", "schema": { "type": "integer", "nullable": true } }));
        assert_eq!(list[0]["schema"], json!({ "type": "integer" }));
        let (list, effects) = flat(json!({ "name": "a", "in": "query", "schema": {} }));
        assert_eq!((list[0]["schema"].clone(), effects), (json!({ "type": "string" }), vec![Effect::Lost]));
    }
}
