//! Documents that differ in one trait each.

use serde_json::{Value, json};

use super::*;

/// Returns a document with one operation, `GET /Order/{id}` or another.
fn document(path: &str, operation: Value) -> Document {
    Document::from_value(json!({
        "openapi": "3.0.3",
        "info": {"title": "Shop", "version": "1"},
        "paths": {path: operation},
    }))
    .unwrap()
}

fn responding(schema: Value) -> Document {
    let response = json!({"description": "d", "content": {"application/json": {"schema": schema}}});
    document("/Order", json!({"get": {"responses": {"200": response}}}))
}

fn requesting(schema: Value) -> Document {
    let body = json!({"content": {"application/json": {"schema": schema}}});
    document("/Order", json!({"post": {"requestBody": body, "responses": {"204": {"description": "d"}}}}))
}

fn object(properties: Value) -> Value {
    json!({"type": "object", "properties": properties})
}

/// Returns the differences as text, each with a mark if it breaks callers.
fn differences(old: &Document, new: &Document) -> Vec<String> {
    let text = |difference: &Difference| format!("{}{difference}", if difference.breaks { "! " } else { "" });
    compare(old, new).differences.iter().map(text).collect()
}

#[test]
fn a_document_equals_itself() {
    let document =
        responding(object(json!({"a": {"type": "string"}, "b": {"type": "array", "items": {"type": "number"}}})));
    assert_eq!(differences(&document, &document), [""; 0]);
}

#[test]
fn operations_come_go_and_move() {
    let empty = json!({"responses": {"204": {"description": "d"}}});
    let old = document("/Order/{id}", json!({"get": empty, "put": empty}));
    let new = document("/Order/{order_id}", json!({"get": empty, "delete": empty}));
    assert_eq!(differences(&old, &new), ["! PUT /Order/{id}: removed", "DELETE /Order/{order_id}: added"]);
    let moved = document("/order/{id}", json!({"get": empty, "put": empty}));
    assert_eq!(
        differences(&old, &moved),
        ["! GET /Order/{id}: the path is `/order/{id}`", "! PUT /Order/{id}: the path is `/order/{id}`"]
    );
}

#[test]
fn fields_of_a_response_are_missed_or_new() {
    let old = responding(object(json!({"city": {"type": "string"}, "zip": {"type": "string"}})));
    let new = responding(object(json!({"city": {"type": "string"}, "fax": {"type": "string"}})));
    assert_eq!(
        differences(&old, &new),
        ["GET /Order: response: `fax`: added", "! GET /Order: response: `zip`: removed"]
    );
}

#[test]
fn fields_of_a_request_are_refused_or_demanded() {
    let old = requesting(object(json!({"city": {"type": "string"}, "zip": {"type": "string"}})));
    let mut demanding =
        object(json!({"city": {"type": "string"}, "fax": {"type": "string"}, "phone": {"type": "string"}}));
    demanding["required"] = json!(["city", "fax"]);
    assert_eq!(
        differences(&old, &requesting(demanding)),
        [
            "! POST /Order: request: `city`: required now",
            "! POST /Order: request: `fax`: added",
            "POST /Order: request: `phone`: added",
            "! POST /Order: request: `zip`: removed",
        ]
    );
}

#[test]
fn types_differ_in_the_direction_in_which_a_value_goes() {
    let integer = || object(json!({"items": {"type": "array", "items": object(json!({"n": {"type": "integer"}}))}}));
    let number = || object(json!({"items": {"type": "array", "items": object(json!({"n": {"type": "number"}}))}}));
    let response = differences(&responding(integer()), &responding(number()));
    assert!(
        response.len() == 1 && response[0].starts_with("! GET /Order: response: `items[].n`: number"),
        "{response:?}"
    );
    assert!(!differences(&responding(number()), &responding(integer()))[0].starts_with('!'));
    assert!(!differences(&requesting(integer()), &requesting(number()))[0].starts_with('!'));
    assert!(differences(&requesting(number()), &requesting(integer()))[0].starts_with('!'));
    // The same JSON type, read as another type of the SDK.
    let text = responding(object(json!({"at": {"type": "string"}})));
    let time = responding(object(json!({"at": {"type": "string", "format": "date-time"}})));
    assert_eq!(differences(&text, &time), ["GET /Order: response: `at`: string (timestamp) instead of string"]);
}

#[test]
fn parameters_come_go_and_become_required() {
    let with = |parameters: Value| {
        document("/Order", json!({"get": {"parameters": parameters, "responses": {"204": {"description": "d"}}}}))
    };
    let parameter = |name: &str, required: bool, kind: &str| json!({"name": name, "in": "query", "required": required, "schema": {"type": kind}});
    let old = with(json!([
        parameter("page", false, "integer"),
        parameter("sort", false, "string"),
        parameter("q", false, "string")
    ]));
    let new = with(json!([
        parameter("page", true, "string"),
        parameter("q", false, "string"),
        parameter("show", true, "string"),
        parameter("x", false, "string")
    ]));
    assert_eq!(
        differences(&old, &new),
        [
            "! GET /Order: query parameter `page`: required now",
            "! GET /Order: query parameter `page`: string instead of integer",
            "! GET /Order: query parameter `sort`: removed",
            "! GET /Order: query parameter `show`: added",
            "GET /Order: query parameter `x`: added",
        ]
    );
}

#[test]
fn a_type_that_contains_itself_is_compared_once() {
    let with = |kind: &str| {
        Document::from_value(json!({
            "openapi": "3.0.3", "info": {"title": "t", "version": "1"},
            "paths": {"/Node": {"get": {"responses": {"200": {"description": "d", "content": {"application/json": {
                "schema": {"$ref": "#/components/schemas/Node"}}}}}}}},
            "components": {"schemas": {"Node": object(json!({
                "name": {"type": kind}, "children": {"type": "array", "items": {"$ref": "#/components/schemas/Node"}}}))}},
        }))
        .unwrap()
    };
    assert_eq!(
        differences(&with("string"), &with("boolean")),
        ["! GET /Node: response: `name`: boolean instead of string"]
    );
}

#[test]
fn markdown_begins_with_what_breaks_and_names_the_method() {
    let mut old = responding(object(json!({"city": {"type": "string"}}))).root().clone();
    old["paths"]["/Order"]["get"]["x-perenso-method"] = json!("Orders::list");
    let old = Document::from_value(old).unwrap();
    let new = responding(object(json!({"town": {"type": "string"}})));
    assert_eq!(
        compare(&old, &new).to_string(),
        "## May break callers\n\n- `GET /Order`, used by `Orders::list`\n  - response: `city`: removed\n\n\
         ## Other differences\n\n- `GET /Order`, used by `Orders::list`\n  - response: `town`: added\n\n"
    );
}

/// Returns an object with one field.
fn field(schema: Value, required: bool) -> Value {
    let mut object = object(json!({"a": schema}));
    if required {
        object["required"] = json!(["a"]);
    }
    object
}

#[test]
fn a_required_field_of_a_response_that_may_be_missing_or_null_breaks() {
    let text = json!({"type": "string"});
    let null = json!({"type": "string", "nullable": true});
    assert_eq!(
        differences(&responding(field(text.clone(), true)), &responding(field(text.clone(), false))),
        ["! GET /Order: response: `a`: optional now"]
    );
    assert_eq!(
        differences(&responding(field(text.clone(), true)), &responding(field(null.clone(), true))),
        ["! GET /Order: response: `a`: can be null now"]
    );
    let optional = differences(&responding(field(text.clone(), false)), &responding(field(null.clone(), false)));
    assert_eq!(optional, ["GET /Order: response: `a`: can be null now"]);
    assert_eq!(
        differences(&requesting(field(null, false)), &requesting(field(text, false))),
        ["! POST /Order: request: `a`: cannot be null any more"]
    );
}

#[test]
fn values_of_an_enum_break_in_a_request() {
    let of = |values: Value| field(json!({"type": "string", "enum": values}), false);
    let (old, new) = (of(json!(["x", "y"])), of(json!(["y", "z"])));
    assert_eq!(
        differences(&requesting(old.clone()), &requesting(new.clone())),
        ["! POST /Order: request: `a`: values: removed `x` added `z`"]
    );
    assert_eq!(
        differences(&responding(old), &responding(new)),
        ["GET /Order: response: `a`: values: removed `x` added `z`"]
    );
}

#[test]
fn bodies_and_paths_are_compared_as_a_whole() {
    let optional = requesting(object(json!({"a": {"type": "string"}})));
    let mut required = optional.root().clone();
    required["paths"]["/Order"]["post"]["requestBody"]["required"] = json!(true);
    let required = Document::from_value(required).unwrap();
    assert_eq!(differences(&optional, &required), ["! POST /Order: request body: required now"]);
    assert_eq!(differences(&required, &optional), [""; 0]);

    let by = |name: &str, kind: &str| {
        let parameter = json!([{"name": name, "in": "path", "required": true, "schema": {"type": kind}}]);
        let get = json!({"parameters": parameter, "responses": {"204": {"description": "d"}}});
        document(&format!("/Order/{{{name}}}"), json!({ "get": get }))
    };
    assert_eq!(
        differences(&by("id", "string"), &by("order", "integer")),
        ["! GET /Order/{id}: path parameter `id`: integer instead of string"]
    );

    let of = |kind: &str| responding(field(json!({"type": "object", "additionalProperties": {"type": kind}}), false));
    assert_eq!(
        differences(&of("string"), &of("integer")),
        ["! GET /Order: response: `a.*`: integer instead of string"]
    );
}
