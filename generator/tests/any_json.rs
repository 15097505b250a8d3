//! Normalises arbitrary JSON. Whatever it is, the result is OpenAPI 3.0, or a report says what is left out.

use perenso_openapi::{Document, Facade, Generator, NumberType, Options, compare, normalize};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// The words of a document, which make random objects look like one.
const WORDS: [&str; 44] = [
    "$ref",
    "type",
    "properties",
    "items",
    "required",
    "enum",
    "allOf",
    "oneOf",
    "anyOf",
    "additionalProperties",
    "format",
    "nullable",
    "const",
    "description",
    "schema",
    "content",
    "application/json",
    "multipart/form-data",
    "*/*",
    "parameters",
    "requestBody",
    "responses",
    "200",
    "default",
    "name",
    "in",
    "get",
    "post",
    "tags",
    "operationId",
    "/a/{id}",
    "/b?c={d}",
    "components",
    "schemas",
    "A",
    "B",
    "style",
    "explode",
    "discriminator",
    "x-enum-varnames",
    "definitions",
    "consumes",
    "collectionFormat",
    "servers",
];

/// The strings that mean something in a document.
const TEXTS: [&str; 34] = [
    "string",
    "integer",
    "number",
    "object",
    "array",
    "null",
    "boolean",
    "file",
    "date-time",
    "int32",
    "path",
    "query",
    "header",
    "cookie",
    "body",
    "formData",
    "id",
    "send",
    "",
    "a b",
    "#/components/schemas/A",
    "#/components/schemas/B",
    "#/components/schemas/A/properties/B",
    "#/paths/~1a~1{id}/get",
    "#/definitions/A",
    "other.json",
    "#",
    "multi",
    "deepObject",
    "Größe",
    "type",
    "A",
    "2fa",
    "Option",
];

fn any_value() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(&WORDS[..]);
    let leaf = prop_oneof![
        4 => prop::sample::select(&TEXTS[..]).prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i32>().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 96, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((word.clone(), inner), 0..6).prop_map(object),
        ]
    })
}

fn object(members: Vec<(&'static str, Value)>) -> Value {
    Value::Object(members.into_iter().map(|(name, value)| (name.to_string(), value)).collect())
}

/// Schemas as careless tools write them.
fn any_schema() -> impl Strategy<Value = Value> {
    let kind = prop::sample::select(vec!["string", "integer", "number", "boolean", "object", "array", "null", "float"]);
    let leaf = prop_oneof![
        4 => kind.prop_map(|kind| json!({ "type": kind })),
        2 => prop::sample::select(vec!["A", "B", "C", "None"]).prop_map(|name| json!({ "$ref": format!("#/components/schemas/{name}") })),
        1 => Just(json!({ "type": "string", "enum": ["a", "b", null] })),
        1 => Just(json!({ "enum": ["a-b", "a_b", 1] })),
        1 => Just(json!({ "enum": ["", "a", "A"] })),
        1 => Just(json!({ "enum": [2, 1, null], "x-enum-varnames": ["a", "A", "b"] })),
        1 => Just(json!({ "type": ["string", "null"], "format": "date-time" })),
        1 => Just(json!(true)),
        1 => prop::sample::select(vec!["a", "b"]).prop_map(|kind| json!({
            "type": "object", "properties": { "kind": { "const": kind }, kind: {} }, "required": ["kind", kind]
        })),
    ];
    leaf.prop_recursive(4, 48, 4, |inner| {
        let field =
            prop::sample::select(vec!["id", "ID", "type", "extra", "items", "fooBar", "foo_bar", "$ref", "1st", "a.b"]);
        let fields = prop::collection::vec((field, inner.clone()), 0..4);
        prop_oneof![
            fields.prop_map(
                |fields| json!({ "type": "object", "properties": object(fields), "required": ["id", "none"] })
            ),
            inner.clone().prop_map(|items| json!({ "type": "array", "items": items })),
            inner.clone().prop_map(|value| json!({ "additionalProperties": value })),
            prop::collection::vec(inner.clone(), 0..3).prop_map(|parts| json!({ "allOf": parts })),
            prop::collection::vec(inner.clone(), 0..3).prop_map(|parts| json!({ "oneOf": parts, "nullable": true })),
            prop::collection::vec(inner.clone(), 0..3).prop_map(|parts| json!({
                "oneOf": parts, "discriminator": { "propertyName": "kind", "mapping": { "a": "A", "b": "#/components/schemas/B" } }
            })),
            prop::collection::vec(inner, 0..3).prop_map(|parts| json!({ "anyOf": parts })),
        ]
    })
}

fn any_document() -> impl Strategy<Value = Value> {
    let schemas = prop::collection::vec(any_schema(), 3);
    let used = prop::collection::vec(any_schema(), 5);
    let place = prop::sample::select(vec!["path", "query", "header", "cookie"]);
    let body =
        prop::sample::select(vec!["application/json", "application/x-www-form-urlencoded", "multipart/form-data"]);
    (schemas, used, prop::collection::vec((place, any::<bool>()), 2), body).prop_map(|(schemas, used, places, body)| {
        let [(first, explode), (second, required)] = places[..] else { return json!({}) };
        let names = ["A", "B", "C"].into_iter().map(str::to_string);
        json!({
            "openapi": "3.1.0",
            "components": { "schemas": names.zip(schemas).collect::<Map<_, _>>() },
            "paths": { "/a/{id}": { "post": {
                "parameters": [
                    { "name": "id", "in": first, "schema": used[0], "explode": explode, "style": "deepObject" },
                    { "name": "ID", "in": second, "schema": used[1], "required": required }
                ],
                "requestBody": { "content": { body: { "schema": used[2] } } },
                "responses": {
                    "200": { "description": "", "content": { "text/json": { "schema": used[3] } } },
                    "201": { "description": "", "content": { "*/*": { "schema": used[4] } } },
                    "400": { "description": "", "content": { "application/json": { "schema": used[3] } } }
                }
            } } }
        })
    })
}

/// Returns the number of operations that are left, after checking the result.
fn checked(root: Value, numbers: NumberType) -> Result<usize, TestCaseError> {
    let Ok(document) = Document::from_value(root) else { return Ok(0) };
    let mut options = Options::default();
    options.numbers = numbers;
    let normalized = normalize(&document, &options);
    let read: openapiv3::OpenAPI =
        serde_json::from_value(normalized.root.clone()).map_err(|error| TestCaseError::fail(error.to_string()))?;
    let left = read.operations().count();
    generates(&document, numbers, left)?;
    // A normalised document has nothing left to normalise.
    let again =
        Document::from_value(normalized.root.clone()).map_err(|error| TestCaseError::fail(error.to_string()))?;
    let again = normalize(&again, &options);
    prop_assert_eq!(again.report.left_out().count(), 0, "{}", again.report.to_markdown());
    prop_assert_eq!(again.report.lost().count(), 0, "{}", again.report.to_markdown());
    prop_assert_eq!(again.root, normalized.root);
    Ok(left)
}

/// Fails unless the client and the mock have every operation that is left, in code that parses.
fn generates(document: &Document, numbers: NumberType, left: usize) -> Result<(), TestCaseError> {
    // A document that is plain already may be anything: it is refused, at most.
    let _ = Generator::new("a.json").plain().generate_from(document);
    let generator = Generator::new("a.json").numbers(numbers);
    let generated = match generator.generate_from(document) {
        Err(error) => {
            prop_assert_eq!(left, 0, "{}", error);
            return Ok(());
        }
        Ok(generated) => generated,
    };
    let operations = |code: &str| code.matches("Operation::new(").count();
    let problems = generated.report.to_markdown();
    prop_assert!(operations(&generated.client) >= left && !problems.contains("the mock has no"), "{}", problems);
    for code in [&generated.client, &generated.mock] {
        syn::parse_file(code).map_err(|error| TestCaseError::fail(error.to_string()))?;
    }
    Ok(())
}

proptest! {
    // Each case generates a client and a mock, so a quarter of the usual number is enough.
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases / 4,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_json_is_normalised(mut root in any_value(), version in prop::sample::select(vec!["3.0.3", "3.1.0", "2.0"])) {
        let Value::Object(map) = &mut root else { return Ok(()) };
        map.insert(if version == "2.0" { "swagger" } else { "openapi" }.into(), json!(version));
        checked(root, NumberType::Decimal)?;
    }

    #[test]
    fn any_paths_are_normalised(paths in any_value(), schemas in any_value()) {
        checked(json!({ "openapi": "3.0.0", "paths": paths, "components": { "schemas": schemas } }), NumberType::F64)?;
        checked(json!({ "swagger": "2.0", "paths": { "/a/{id}": { "get": paths } }, "definitions": schemas }), NumberType::F64)?;
    }

    #[test]
    fn any_schema_is_normalised(root in any_document(), decimal in any::<bool>()) {
        let numbers = if decimal { NumberType::Decimal } else { NumberType::F64 };
        prop_assert_eq!(checked(root, numbers)?, 1);
    }

    #[test]
    fn any_document_with_hand_written_methods_is_generated(root in any_document(), other in any_value()) {
        const FACADE: &str = r#"{"operations": {"POST /a/{id}": {
            "id": "a_create", "body": "B!", "response": "Answer",
            "methods": {"a()": {
                "query": {"id": "any?", "ID": "string?"},
                "fields": {
                    "Answer.id": "timestamp!", "Answer.items": "[B]", "Answer.kind": "State", "Answer.fooBar": "messages?",
                    "B.type": "integer", "B.foo_bar": "decimal", "B.a": "any"
                },
                "only": ["B"]
            }}
        }}, "enums": {"State": ["a", "b"]}}"#;
        let facade = Facade::from_json(FACADE).unwrap();
        let document = Document::from_value(root).unwrap();
        let generated = Generator::new("a.json").facade(facade.clone()).generate_from(&document).unwrap();
        prop_assert!(generated.client.contains("fn a_create("), "{:?}\n{}", generated.unmet, generated.report.to_markdown());
        for code in [&generated.client, &generated.mock] {
            syn::parse_file(code).map_err(|error| TestCaseError::fail(error.to_string()))?;
        }
        let odd = json!({ "openapi": "3.0.3", "paths": { "/a/{b}": { "post": other.clone(), "parameters": other }, "/a/{id}": 7 } });
        let _ = facade.check(&Document::from_value(odd).unwrap());
    }

    #[test]
    fn any_document_equals_itself_and_differs_from_another_without_a_panic(one in any_document(), other in any_document()) {
        let [one, other] = [one, other].map(|root| Document::from_value(root).unwrap());
        prop_assert_eq!(compare(&one, &one).differences, []);
        // One way may have no difference that counts: what becomes optional breaks no caller.
        let _ = (compare(&one, &other), compare(&other, &one));
    }
}
