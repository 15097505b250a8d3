//! Documents whose names mean something in Rust, in JSON schema or in generated code: every operation is generated.

#![allow(clippy::expect_used)]

use perenso_openapi::{Document, Generated, Generator};
use serde_json::{Value, json};

fn generated(root: Value) -> Generated {
    let document = Document::from_value(root).expect("a document");
    let generated = Generator::new("openapi.json").generate_from(&document).expect("code");
    let left_out: Vec<_> = generated.report.left_out().map(ToString::to_string).collect();
    assert_eq!(left_out, [""; 0]);
    generated
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn found(schema: Value) -> Value {
    json!({ "200": { "description": "found", "content": { "application/json": { "schema": schema } } } })
}

#[test]
fn records_may_contain_one_another_in_a_circle() {
    let names = ["Aisle", "Bay", "Crate", "Depot"];
    let next = |index: usize| reference(names[(index + 1) % names.len()]);
    let schemas: serde_json::Map<_, _> = (0..names.len())
        .map(|index| (names[index].to_string(), json!({ "type": "object", "properties": { "next": next(index) } })))
        .collect();
    let client = generated(json!({
        "openapi": "3.0.3",
        "components": { "schemas": schemas },
        "paths": { "/aisles": { "get": { "responses": found(reference("Aisle")) } } }
    }))
    .client;
    assert!(client.contains("Field<::std::boxed::Box<"), "an optional field in a circle is a `Field` as well");
}

#[test]
fn fields_and_parameters_may_be_keywords() {
    let words = ["type", "$ref", "default", "pattern", "nullable", "items", "self", "fn", "value", "result", "error"];
    let fields: serde_json::Map<_, _> =
        words.iter().map(|word| (word.to_string(), json!({ "type": "string" }))).collect();
    let parameters: Vec<_> = ["request", "send", "new", "client", "body", "url", "type", "response", "header_map"]
        .iter()
        .map(|name| json!({ "name": name, "in": "query", "schema": { "type": "string" } }))
        .collect();
    let client = generated(json!({
        "openapi": "3.0.3",
        "components": { "schemas": { "Error": { "type": "object", "properties": fields } } },
        "paths": { "/error/{type}": { "put": {
            "operationId": "from",
            "parameters": parameters,
            "requestBody": { "required": true, "content": { "application/json": { "schema": reference("Error") } } },
            "responses": found(reference("Error"))
        } } }
    }))
    .client;
    for word in words {
        assert!(client.contains(&format!("out.field(\"{word}\", ")), "the field `{word}` is missing");
    }
    for sent in ["\"request\"", "\"send\"", "\"body\""] {
        assert!(client.contains(sent), "the parameter {sent} is not sent under its name");
    }
}

#[test]
fn records_and_values_may_have_the_names_of_generated_code() {
    let record = json!({ "type": "object", "properties": { "id": { "type": "integer" } } });
    let client = generated(json!({
        "openapi": "3.0.3",
        "components": { "schemas": {
            "A": record, "D": record, "Reader": record, "State": { "type": "string", "enum": ["Err", "Error", "Ok", "None"] }
        } },
        "paths": { "/states": { "get": { "responses": found(reference("State")) } } }
    }))
    .client;
    // `Self::Err` would be the value as well as the type.
    for ambiguous in ["Self::Err>", "Self::Error>", "<A:", "struct Reader;"] {
        assert!(!client.contains(ambiguous), "`{ambiguous}` is ambiguous");
    }
}

#[test]
fn names_in_other_alphabets_are_names() {
    generated(json!({
        "openapi": "3.1.0",
        "components": { "schemas": {
            "注文": { "type": "object", "properties": { "状態": { "enum": ["新規", "完了"] }, "größe": { "type": "number" } } }
        } },
        "paths": { "/注文/{番号}": { "get": { "tags": ["注文"], "operationId": "注文", "responses": found(reference("注文")) } } }
    }));
}

#[test]
fn values_and_descriptions_may_have_control_characters() {
    let state = json!({ "enum": ["\r", "a\rb", "\n"], "x-enum-descriptions": ["a\rb", "", ""] });
    let kind =
        |value: &str| json!({ "type": "object", "required": ["k\r"], "properties": { "k\r": { "enum": [value] } } });
    let mut responses = found(json!({ "oneOf": [kind("a\r"), kind("b\r")] }));
    responses["202"] = json!({ "description": "a\rb" });
    let client = generated(json!({
        "openapi": "3.1.0",
        "components": { "schemas": { "State": state } },
        "paths": { "/states": { "get": { "responses": responses } } }
    }))
    .client;
    syn::parse_file(&client).expect("code");
}
