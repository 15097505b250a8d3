//! Parameters of Swagger 2.0, some of which are bodies.

use serde_json::{Map, Value, json};

use crate::{document::pointer::resolve, normalize::Log};

/// The keywords of a parameter that belong to its schema.
const SCHEMA: [&str; 4] = ["type", "format", "items", "enum"];

const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data";

pub(super) struct Converted {
    pub(super) parameters: Vec<Value>,
    pub(super) body: Option<Value>,
}

/// Converts the parameters of a path and an operation.
pub(super) fn convert(
    source: &Value,
    lists: &[Option<Value>; 2],
    consumes: &[String],
    place: &str,
    log: &mut Log<'_>,
) -> Result<Converted, String> {
    let mut converted = Converted { parameters: Vec::new(), body: None };
    let mut form: Vec<Value> = Vec::new();
    for parameter in lists.iter().flatten().filter_map(Value::as_array).flatten() {
        let parameter = resolve(source, parameter)?;
        match parameter.get("in").and_then(Value::as_str) {
            Some("body") => converted.body = Some(body(parameter, consumes)),
            Some("formData") => form.push(parameter.clone()),
            _ => {
                let key = |parameter: &Value| [parameter.get("in").cloned(), parameter.get("name").cloned()];
                converted.parameters.retain(|other| key(other) != key(parameter));
                converted.parameters.push(plain(parameter, place, log));
            }
        }
    }
    if !form.is_empty() {
        converted.body = Some(form_body(&form, consumes));
    }
    Ok(converted)
}

fn body(parameter: &Value, consumes: &[String]) -> Value {
    let entry = match parameter.get("schema") {
        Some(schema) => json!({ "schema": schema }),
        None => json!({}),
    };
    let names: Vec<&str> =
        if consumes.is_empty() { vec!["application/json"] } else { consumes.iter().map(String::as_str).collect() };
    // A body that is JSON among others has one schema for all of them.
    let content: Map<_, _> = names
        .into_iter()
        .filter(|name| ![FORM, MULTIPART].contains(name) || consumes.len() == 1)
        .map(|name| (name.to_string(), entry.clone()))
        .collect();
    let mut body = json!({ "content": content });
    for name in ["description", "required"] {
        if let Some(value) = parameter.get(name) {
            body[name] = value.clone();
        }
    }
    body
}

/// Returns the body of a form, with a property per field.
fn form_body(fields: &[Value], consumes: &[String]) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for field in fields {
        let Some(name) = field.get("name").and_then(Value::as_str) else { continue };
        let mut schema = schema(field);
        if let Some(description) = field.get("description") {
            schema["description"] = description.clone();
        }
        properties.insert(name.to_string(), schema);
        if field.get("required") == Some(&Value::Bool(true)) {
            required.push(json!(name));
        }
    }
    let has_file = properties.values().any(|schema| schema["format"] == "binary");
    let multipart =
        has_file || consumes.iter().any(|name| name == MULTIPART) && !consumes.iter().any(|name| name == FORM);
    let is_required = !required.is_empty();
    let mut schema = json!({ "type": "object", "properties": properties });
    if is_required {
        schema["required"] = Value::Array(required);
    }
    json!({
        "required": is_required,
        "content": { if multipart { MULTIPART } else { FORM }: { "schema": schema } }
    })
}

fn schema(parameter: &Value) -> Value {
    let mut schema: Map<String, Value> = parameter
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| SCHEMA.contains(&name.as_str()) || name.starts_with("x-"))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    if schema.get("type") == Some(&json!("file")) {
        schema.insert("type".into(), json!("string"));
        schema.insert("format".into(), json!("binary"));
    }
    Value::Object(schema)
}

/// Converts a parameter of the path, the query or the headers.
fn plain(parameter: &Value, place: &str, log: &mut Log<'_>) -> Value {
    let Some(map) = parameter.as_object() else { return parameter.clone() };
    let mut converted: Map<String, Value> = map
        .iter()
        .filter(|(name, _)| {
            ["name", "in", "description", "required"].contains(&name.as_str()) || name.starts_with("x-")
        })
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    // Some tools write a schema here, although it is not allowed.
    converted.insert("schema".into(), map.get("schema").cloned().unwrap_or_else(|| schema(parameter)));
    if map.get("type") == Some(&json!("array")) && map.get("in") == Some(&json!("query")) {
        let (style, explode) = match map.get("collectionFormat").and_then(Value::as_str) {
            Some("multi") => ("form", true),
            Some("ssv") => ("spaceDelimited", false),
            Some("pipes") => ("pipeDelimited", false),
            Some("tsv") => {
                log.lost(place, "a list with tabs between its values is sent with commas");
                ("form", false)
            }
            _ => ("form", false),
        };
        converted.insert("style".into(), json!(style));
        converted.insert("explode".into(), json!(explode));
    }
    Value::Object(converted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalize::{swagger::convert, tests::run};

    fn operation(parameters: Value, consumes: Value) -> Value {
        let (root, _) = run(
            convert,
            json!({
                "swagger": "2.0",
                "parameters": { "Tenant": { "name": "tenant", "in": "header", "type": "string" } },
                "paths": { "/a": { "post": { "parameters": parameters, "consumes": consumes } } }
            }),
        );
        root["paths"]["/a"]["post"].clone()
    }

    #[test]
    fn a_body_has_the_media_types_that_are_consumed() {
        let schema = json!({ "type": "object" });
        let body = json!([{ "name": "order", "in": "body", "required": true, "schema": schema }]);
        let operation = operation(body, json!(["application/json", "application/x-www-form-urlencoded"]));
        assert_eq!(
            operation["requestBody"],
            json!({ "required": true, "content": { "application/json": { "schema": schema } } })
        );
        assert_eq!(operation["parameters"], json!([]));
    }

    #[test]
    fn form_fields_are_one_body() {
        let field = |name: &str, kind: &str| json!({ "name": name, "in": "formData", "type": kind, "required": true });
        let form = operation(json!([field("a", "integer")]), json!([]));
        assert_eq!(
            form["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"],
            json!({ "type": "object", "properties": { "a": { "type": "integer" } }, "required": ["a"] })
        );
        let files = operation(json!([field("a", "file")]), json!([]));
        let schema = &files["requestBody"]["content"]["multipart/form-data"]["schema"];
        assert_eq!(schema["properties"]["a"], json!({ "type": "string", "format": "binary" }));
    }

    #[test]
    fn parameters_get_a_schema_and_a_style() {
        let list = |format: &str| json!({ "name": "ids", "in": "query", "type": "array", "items": { "type": "integer" }, "collectionFormat": format });
        let parameters = |parameter: Value| operation(json!([parameter]), json!([]))["parameters"][0].clone();
        assert_eq!(
            parameters(list("multi")),
            json!({
                "name": "ids", "in": "query", "style": "form", "explode": true,
                "schema": { "type": "array", "items": { "type": "integer" } }
            })
        );
        assert_eq!(parameters(list("csv"))["explode"], false);
        assert_eq!(parameters(list("pipes"))["style"], "pipeDelimited");
        assert_eq!(
            parameters(json!({ "$ref": "#/parameters/Tenant" })),
            json!({ "name": "tenant", "in": "header", "schema": { "type": "string" } })
        );
    }
}
