//! Prepares the document for progenitor, with one named step for each of its limitations.

use serde_json::{Value, json};

use crate::{
    document::schemas::OTHERS,
    model::{Model, Operation, schema, text},
    normalize::schemas::enums::NAMES,
};

/// The tag of the operations that stay inside the crate.
pub(crate) const SEALED_TAG: &str = "Sealed";

/// The suffix of the second operation, with a body, of an operation with an optional body.
pub(crate) const WITH_BODY: &str = "_with";

/// The end of the path of the second operation, which the rewrites remove. Progenitor takes one operation a path and method.
pub(crate) const TWIN: &str = "/perenso-with-body";

/// Returns the document for the client, with successful responses only.
pub(crate) fn for_client(model: &Model) -> Value {
    let mut root = for_mock(model);
    each_operation(&mut root, keep_typed_responses);
    if let Some(components) = root.get_mut("components").and_then(Value::as_object_mut) {
        components.remove("responses");
    }
    root
}

/// Returns the document for the mock, including error responses.
pub(crate) fn for_mock(model: &Model) -> Value {
    let mut root = model.root.clone();
    name_tags(&mut root, model);
    split_optional_bodies(&mut root, model);
    each_operation(&mut root, add_other_responses);
    each_operation(&mut root, respond_with_bytes);
    each_operation(&mut root, simplify_parameters);
    open_records(&mut root);
    name_values(&mut root);
    tag_unions(&mut root);
    unwrap_references(&mut root);
    strip_limits(&mut root);
    strip_nulls(&mut root);
    root
}

/// Returns true if the body of an operation is optional.
pub(crate) fn has_optional_body(operation: &Value) -> bool {
    operation
        .get("requestBody")
        .is_some_and(|body| body.is_object() && body.get("required") != Some(&Value::Bool(true)))
}

/// Gives each operation one tag, and thereby one trait. Operations of the crate have one of their own.
fn name_tags(root: &mut Value, model: &Model) {
    for operation in model.operations() {
        let tag = if operation.is_sealed() { SEALED_TAG } else { operation.tag() };
        if let Some(node) = root.pointer_mut(&operation.place) {
            node["tags"] = json!([tag]);
        }
    }
}

/// Splits operations with an optional body, since progenitor requires every body.
fn split_optional_bodies(root: &mut Value, model: &Model) {
    for Operation { place, id, method, path, node } in model.operations() {
        let Some(mut variant) = root.pointer(&place).filter(|_| has_optional_body(node)).cloned() else { continue };
        variant["operationId"] = json!(format!("{id}{WITH_BODY}"));
        variant["requestBody"]["required"] = json!(true);
        root["paths"][format!("{path}{TWIN}")][method] = variant;
        if let Some(node) = root.pointer_mut(&place).and_then(Value::as_object_mut) {
            node.remove("requestBody");
        }
    }
}

/// Turns responses of any media type into bytes.
fn respond_with_bytes(operation: &mut Value) {
    for response in operation["responses"].as_object_mut().into_iter().flat_map(|map| map.values_mut()) {
        if response.pointer("/content/*~1*").is_some() {
            response["content"] =
                json!({ "application/octet-stream": { "schema": { "type": "string", "format": "binary" } } });
        }
    }
}

/// Removes the styles of parameters, and makes cookies headers: progenitor refuses both, and the runtime writes them.
fn simplify_parameters(operation: &mut Value) {
    let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
    for parameter in parameters.into_iter().flatten().filter_map(Value::as_object_mut) {
        parameter.remove("style");
        parameter.remove("explode");
        if parameter.get("in") == Some(&json!("cookie")) {
            parameter.insert("in".into(), json!("header"));
        }
    }
}

/// Adds the further successful responses, which the mock can send.
fn add_other_responses(operation: &mut Value) {
    let others = operation.get(OTHERS).and_then(Value::as_object).cloned().unwrap_or_default();
    for (status, mut response) in others.into_iter().filter(|(_, response)| response.is_object()) {
        response["description"] = json!(text(&response, "description"));
        operation["responses"][status] = response;
    }
}

/// Keeps the successful responses of one type. Progenitor supports one type of error body, and the bridge reads errors itself.
fn keep_typed_responses(operation: &mut Value) {
    let others = operation.get(OTHERS).cloned().unwrap_or_default();
    if let Some(responses) = operation["responses"].as_object_mut() {
        responses.retain(|status, _| status.starts_with('2') && others.get(status).is_none());
    }
}

/// Gives every record a map of unknown fields, and renames the field that would collide with it.
fn open_records(root: &mut Value) {
    let schemas = root.pointer_mut("/components/schemas").and_then(Value::as_object_mut);
    for schema in
        schemas.into_iter().flat_map(|schemas| schemas.values_mut()).filter(|schema| schema::is_record(schema))
    {
        schema["type"] = json!("object");
        schema["additionalProperties"] = json!({});
        if let Some(properties) = schema["properties"].as_object_mut() {
            *properties =
                std::mem::take(properties).into_iter().map(|(name, inner)| (schema::key(&name), inner)).collect();
        }
        for name in schema.get_mut("required").and_then(Value::as_array_mut).into_iter().flatten() {
            *name = json!(schema::key(name.as_str().unwrap_or_default()));
        }
    }
}

/// Makes the names of values the values of an enum, so that progenitor gives them to the variants. It knows enums of strings only.
fn name_values(root: &mut Value) {
    let schemas = root.pointer_mut("/components/schemas").and_then(Value::as_object_mut);
    for schema in schemas.into_iter().flat_map(|schemas| schemas.values_mut()) {
        if schema.get("enum").is_some()
            && let Some(names) = schema.get(NAMES).cloned()
        {
            schema["type"] = json!("string");
            schema["enum"] = names;
        }
    }
}

/// Gives each alternative of a union a tag, so that progenitor writes an enum with the types of all. It would guess without.
fn tag_unions(root: &mut Value) {
    let schemas = root.pointer_mut("/components/schemas").and_then(Value::as_object_mut);
    for schema in schemas.into_iter().flat_map(|schemas| schemas.values_mut()).filter(|schema| schema::is_union(schema))
    {
        for (index, part) in schema["oneOf"].as_array_mut().into_iter().flatten().enumerate() {
            let tag = format!("V{index}");
            *part = json!({
                "type": "object", "required": [tag], "properties": { &tag: part }, "additionalProperties": false
            });
        }
    }
}

/// Replaces `allOf` with one reference, by which OpenAPI 3.0 adds a description to a reference, by the reference. Progenitor
/// would write a type for it.
fn unwrap_references(node: &mut Value) {
    match node {
        Value::Object(map) => {
            if let Some(Value::Array(parts)) = map.get("allOf")
                && let [part] = parts.as_slice()
                && part.get("$ref").is_some()
            {
                *node = part.clone();
                return;
            }
            map.values_mut().for_each(unwrap_references);
        }
        Value::Array(items) => items.iter_mut().for_each(unwrap_references),
        _ => {}
    }
}

/// Removes limits and defaults: the generated code would also enforce them on responses, and send what the caller did not say.
fn strip_limits(root: &mut Value) {
    const LIMITS: [&str; 10] = [
        "maxLength",
        "minLength",
        "pattern",
        "maximum",
        "minimum",
        "maxItems",
        "minItems",
        "uniqueItems",
        "multipleOf",
        "default",
    ];
    strip(root, &LIMITS);
}

/// Removes `nullable`. An optional field becomes a `Field`, which includes `null`, and progenitor would add an `Option`.
fn strip_nulls(root: &mut Value) {
    strip(root, &["nullable"]);
}

fn strip(schema: &mut Value, keywords: &[&str]) {
    match schema {
        Value::Object(map) => {
            // A property may have the name of a keyword.
            if ["type", "$ref"].iter().any(|keyword| map.get(*keyword).is_some_and(Value::is_string)) {
                keywords.iter().for_each(|keyword| drop(map.remove(*keyword)));
            }
            map.values_mut().for_each(|inner| strip(inner, keywords));
        }
        Value::Array(items) => items.iter_mut().for_each(|inner| strip(inner, keywords)),
        _ => {}
    }
}

fn each_operation(root: &mut Value, step: fn(&mut Value)) {
    let items = root["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut());
    items
        .flat_map(|item| item.as_object_mut().into_iter().flat_map(|item| item.values_mut()))
        .filter(|node| node.get("operationId").is_some())
        .for_each(step);
}
