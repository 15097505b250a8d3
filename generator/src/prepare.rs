//! Prepares the document for the generator, with one named step for each of its limitations.

use serde_json::{Value, json};

use crate::{fault::Fault, model::Document};

/// The tag of the operations that stay inside the crate.
pub(crate) const SEALED_TAG: &str = "Sealed";

/// The suffix of the second operation, with a body, of an operation with an optional body.
pub(crate) const WITH_BODY: &str = "_with";

/// Returns the document for the client, with successful responses only.
pub(crate) fn for_client(document: &Document) -> Result<Value, Fault> {
    let mut root = for_mock(document)?;
    each_operation(&mut root, take_out_errors);
    if let Some(components) = root.get_mut("components").and_then(Value::as_object_mut) {
        components.remove("responses");
    }
    Ok(root)
}

/// Returns the document for the mock, including error responses.
pub(crate) fn for_mock(document: &Document) -> Result<Value, Fault> {
    let mut root = document.root.clone();
    split_optional_bodies(&mut root, document)?;
    each_operation(&mut root, respond_with_bytes);
    each_operation(&mut root, retag_sealed);
    unwrap_references(&mut root);
    strip_limits(&mut root);
    strip_nulls(&mut root);
    Ok(root)
}

/// Returns true if the body of an operation is optional.
pub(crate) fn has_optional_body(operation: &Value) -> bool {
    operation.get("requestBody").is_some_and(|body| body.get("required") != Some(&Value::Bool(true)))
}

/// Splits operations with an optional body, since the generator requires every body. The path of the second one differs in the
/// name of its parameter only.
fn split_optional_bodies(root: &mut Value, document: &Document) -> Result<(), Fault> {
    for operation in document.operations()?.iter().filter(|operation| has_optional_body(operation.node)) {
        let variant_id = format!("{}{WITH_BODY}", operation.id);
        if !operation.path.contains("{id}") {
            return Err(Fault::new(&operation.place, "an optional body needs a path with `{id}`"));
        }
        let mut variant = operation.node.clone();
        variant["operationId"] = json!(variant_id);
        variant["requestBody"]["required"] = json!(true);
        for parameter in variant["parameters"].as_array_mut().into_iter().flatten() {
            if parameter["name"] == "id" {
                parameter["name"] = json!("record_id");
            }
        }
        root["paths"][operation.path.replace("{id}", "{record_id}")] = json!({ operation.method: variant });
        if let Some(node) = root.pointer_mut(&operation.place).and_then(Value::as_object_mut) {
            node.remove("requestBody");
        }
    }
    Ok(())
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

/// Gives crate-private operations a tag of their own, and thereby a trait.
fn retag_sealed(operation: &mut Value) {
    if operation.get("x-sealed") == Some(&Value::Bool(true)) {
        operation["tags"] = json!([SEALED_TAG]);
    }
}

/// Removes error responses: the generator supports one type of error body only, and the bridge reads errors itself.
fn take_out_errors(operation: &mut Value) {
    if let Some(responses) = operation["responses"].as_object_mut() {
        responses.retain(|status, _| status.starts_with('2'));
    }
}

/// Replaces `allOf` with one reference, by which OpenAPI 3.0 adds a description to a reference, by the reference. The generator
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

/// Removes limits, since the generated code would also enforce them on responses.
fn strip_limits(root: &mut Value) {
    const LIMITS: [&str; 9] = [
        "maxLength",
        "minLength",
        "pattern",
        "maximum",
        "minimum",
        "maxItems",
        "minItems",
        "uniqueItems",
        "multipleOf",
    ];
    strip(root, &LIMITS);
}

/// Removes `nullable`. An optional field becomes a `Field`, which includes `null`, and the generator would add an `Option`.
fn strip_nulls(root: &mut Value) {
    strip(root, &["nullable"]);
}

fn strip(schema: &mut Value, keywords: &[&str]) {
    match schema {
        Value::Object(map) => {
            if map.contains_key("type") || map.contains_key("$ref") {
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
