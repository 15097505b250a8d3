use serde_json::{Value, json};

use super::*;
use crate::Generator;

const FACADE: &str = r#"{
    "operations": {
        "GET /Order": {
            "id": "order_list",
            "update": {"x-idempotency": "safe"},
            "response": "[Order]",
            "methods": {
                "orders().list()": {"query": {"page": "any", "sort": "any?"}, "fields": {"Order.id": "string", "Order.note": "messages?"}},
                "orders().changes()": {"query": {"page": "any"}, "fields": {"Order.changed": "timestamp", "Order.state": "State"}}
            }
        },
        "PUT /Order/{id}": {
            "id": "order_update",
            "body": "Order!",
            "response": "Answer",
            "methods": {"orders().update()": {
                "query": {"force": "boolean"},
                "fields": {"Answer.lines": "[Line]!", "Line.row": "integer", "Line.reasons": "messages", "Line.sum": "decimal"},
                "only": ["Line"]
            }}
        },
        "POST /Run/{id}": {"id": "run", "body": "{Values}", "response": "raw", "methods": {"run()": {}}}
    },
    "enums": {"State": ["open", "shut"]}
}"#;

fn facade() -> Facade {
    Facade::from_json(FACADE).unwrap()
}

fn json_body(schema: Value) -> Value {
    json!({"content": {"application/json": {"schema": schema}}})
}

/// A document as a tool exports it: no names, nothing but inline types, and other names of path parameters.
fn exported() -> Value {
    let order = |more: Value| {
        let mut order = json!({"type": "object", "required": ["id"], "properties": {
            "id": {"type": "string"}, "changed": {"type": "string"}, "state": {"type": "string"}
        }});
        crate::overlay::merge(order["properties"].as_object_mut().unwrap(), more.as_object().unwrap());
        order
    };
    let id = json!({"name": "orderNumber", "in": "path", "required": true, "schema": {"type": "string"}});
    let force = json!({"name": "force", "in": "query", "schema": {"type": "boolean"}});
    let line = json!({"type": "object", "properties": {
        "row": {"type": "integer", "format": "int32"}, "sum": {"type": "number"}, "reasons": {"type": "array", "items": {"type": "string"}}
    }});
    let answer = json!({"type": "object", "properties": {"lines": {"type": "array", "items": line}}});
    let response = |schema: Value| {
        let mut response = json_body(schema);
        response["description"] = json!("d");
        json!({"200": response})
    };
    json!({
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {
            "/Order": {"get": {
                "tags": ["Orders of the shop"],
                "parameters": [
                    {"name": "page", "in": "query", "schema": {"type": "string"}},
                    {"name": "sort", "in": "query", "schema": {"type": "string"}}
                ],
                "responses": response(json!({"type": "array", "items": order(json!({"note": {"type": "string"}, "size": {"type": "integer"}}))}))
            }},
            "/Order/{orderNumber}": {"put": {
                "parameters": [id, force],
                "requestBody": json_body(order(json!({"colour": {"type": "string"}, "size": {"type": "string"}}))),
                "responses": response(answer)
            }},
            "/Run/{id}": {"post": {
                "requestBody": json_body(json!({"type": "object", "properties": {"from": {"type": "string"}}})),
                "responses": response(json!({"type": "array", "items": {"type": "object", "properties": {"a": {"type": "string"}}}}))
            }}
        }
    })
}

fn messages(root: Value) -> Vec<String> {
    facade().check(&Document::from_value(root).unwrap()).iter().map(ToString::to_string).collect()
}

/// Returns the sentences on the exported document with this change.
fn changed(change: impl FnOnce(&mut Value)) -> Vec<String> {
    let mut root = exported();
    change(&mut root);
    messages(root)
}

fn remove(root: &mut Value, pointer: &str) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match root.pointer_mut(parent).unwrap() {
        Value::Object(map) => drop(map.remove(&crate::document::pointer::unescape(name)).unwrap()),
        list => drop(list.as_array_mut().unwrap().remove(name.parse().unwrap())),
    }
}

fn set(root: &mut Value, pointer: &str, value: Value) {
    *root.pointer_mut(pointer).unwrap() = value;
}

const LIST: &str = "/paths/~1Order/get";
const RECORD: &str = "/paths/~1Order/get/responses/200/content/application~1json/schema/items/properties";
const UPDATE: &str = "/paths/~1Order~1{orderNumber}/put";
const ANSWER: &str = "/paths/~1Order~1{orderNumber}/put/responses/200/content/application~1json/schema";
const LINE: &str = "/paths/~1Order~1{orderNumber}/put/responses/200/content/application~1json/schema/properties/lines/items/properties";

#[test]
fn a_document_without_names_gets_those_of_the_facade() {
    assert_eq!(messages(exported()), [""; 0]);
    let document = Document::from_value(exported()).unwrap();
    let generated = Generator::new("vendor.json").facade(facade()).generate_from(&document).unwrap();
    assert_eq!(generated.unmet, []);
    let schemas = &generated.document["components"]["schemas"];
    let fields = |name: &str| -> Vec<&String> { schemas[name]["properties"].as_object().unwrap().keys().collect() };
    // One record for both operations, in which nothing is required, and the field with two types has any.
    assert_eq!(fields("Order"), ["changed", "colour", "id", "note", "size", "state"]);
    assert_eq!((&schemas["Order"]["required"], &schemas["Order"]["properties"]["size"]), (&Value::Null, &json!({})));
    let lost: Vec<String> = generated.report.lost().map(ToString::to_string).collect();
    assert_eq!(
        lost,
        [
            "/components/schemas/Order/properties/size: it has several types, and is any JSON value (hand-written methods)"
        ]
    );
    let changed: Vec<&str> = generated.report.changed().map(|problem| problem.message.as_str()).collect();
    assert!(changed.iter().any(|message| message.starts_with("it is one type with the fields of ")), "{changed:?}");
    assert!(changed.contains(&"the fields are required that hand-written methods require, and no others"));
    assert_eq!(schemas["State"]["enum"], json!(["open", "shut"]));
    assert_eq!(schemas["Answer"]["required"], json!(["lines"]));
    assert_eq!(fields("Line"), ["reasons", "row", "sum"]);
    assert_eq!(schemas["Line"]["properties"]["row"]["format"], "int64");
    let put = &generated.document["paths"]["/Order/{id}"]["put"];
    assert_eq!((&put["operationId"], &put["requestBody"]["required"]), (&json!("order_update"), &json!(true)));
    for part in [
        "pub changed: perenso::runtime::Field<perenso::runtime::Timestamp>",
        "pub reasons: perenso::runtime::Field<perenso::runtime::Messages>",
        "pub sum: perenso::runtime::Field<perenso::runtime::Decimal>",
        "fn order_list(",
        "fn order_update(",
        "fn run_with(",
    ] {
        assert!(generated.client.contains(part), "{part}");
    }
}

#[test]
fn a_plain_document_that_fits_stays_as_it_is() {
    let document = Document::from_value(exported()).unwrap();
    let plain = Generator::new("vendor.json").facade(facade()).generate_from(&document).unwrap();
    let document = Document::from_value(plain.document.clone()).unwrap();
    let again = Generator::new("vendor.json").facade(facade()).plain().generate_from(&document).unwrap();
    assert_eq!((&again.document, &again.client, again.unmet), (&plain.document, &plain.client, vec![]));
}

#[test]
fn types_that_share_a_component_and_components_in_the_way_keep_apart() {
    let mut root = exported();
    let record = root.pointer(&RECORD.replace("/properties", "")).unwrap().clone();
    root["components"] = json!({"schemas": {
        "OrderDto": record,
        "Answer": {"type": "object", "properties": {"mine": {"type": "string"}}}
    }});
    let reference = json!({"$ref": "#/components/schemas/OrderDto"});
    set(&mut root, &RECORD.replace("/properties", ""), reference.clone());
    set(&mut root, &format!("{UPDATE}/requestBody/content/application~1json/schema"), reference);
    root["paths"]["/Mine"] = json!({"get": {"responses": {"200": {
        "description": "d", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Answer"}}}
    }}}});
    let document = Document::from_value(root).unwrap();
    let generated = Generator::new("vendor.json").facade(facade()).generate_from(&document).unwrap();
    assert_eq!(generated.unmet, []);
    let schemas = generated.document["components"]["schemas"].as_object().unwrap();
    assert!(schemas.contains_key("Order") && !schemas.contains_key("OrderDto"));
    assert!(schemas["Answer2"]["properties"]["mine"].is_object(), "{schemas:?}");
    assert!(generated.client.contains("pub mine:"));
}

#[test]
fn a_field_that_rust_cannot_tell_from_another_stays_unknown() {
    let mut root = exported();
    let schema = format!("{UPDATE}/requestBody/content/application~1json/schema/properties");
    root.pointer_mut(&schema).unwrap()["No-te"] = json!({"type": "string"});
    root.pointer_mut(&schema).unwrap()["Changed"] = json!({"type": "string"});
    remove(&mut root, &format!("{schema}/changed"));
    let document = Document::from_value(root).unwrap();
    let generated = Generator::new("vendor.json").facade(facade()).generate_from(&document).unwrap();
    assert_eq!((generated.unmet, generated.report.left_out().count()), (vec![], 0));
    let fields = generated.document["components"]["schemas"]["Order"]["properties"].as_object().unwrap();
    assert!(fields.contains_key("changed") && !fields.contains_key("Changed"), "{fields:?}");
}

#[test]
fn each_difference_is_a_sentence_that_names_the_method() {
    let lists = |what: &str| vec![format!("`orders().changes()` {what}"), format!("`orders().list()` {what}")];
    let one = |what: &str| vec![what.to_owned()];
    assert_eq!(changed(|root| remove(root, "/paths/~1Order")), lists("needs `GET /Order`, which the document lacks"));
    assert_eq!(
        changed(|root| {
            let item = root["paths"]["/Order"].take();
            remove(root, "/paths/~1Order");
            root["paths"]["/order/"] = item;
        }),
        lists("needs `GET /Order`, which the document lacks; it has the path `/order/`")
    );
    assert_eq!(
        changed(|root| remove(root, &format!("{LIST}/parameters/0"))),
        lists("needs the query parameter `page` of `GET /Order`, which the document lacks")
    );
    assert_eq!(
        changed(|root| set(root, &format!("{UPDATE}/parameters/1/schema/type"), json!("integer"))),
        one(
            "`orders().update()` expects the query parameter `force` of `PUT /Order/{id}` to be a boolean, found an integer"
        )
    );
    assert_eq!(
        changed(|root| set(root, &format!("{UPDATE}/parameters/0/schema/type"), json!("integer"))),
        one("`orders().update()` expects the path parameter `id` of `PUT /Order/{id}` to be an id, found an integer")
    );
    assert_eq!(
        changed(|root| set(
            root,
            &format!("{LIST}/parameters/1"),
            json!({"name": "shop", "in": "query", "required": true, "schema": {"type": "string"}})
        ))
        .first()
        .unwrap(),
        "`orders().changes()` does not send the query parameter `shop` of `GET /Order`, which the document requires"
    );
    assert_eq!(
        changed(|root| remove(root, &format!("{RECORD}/changed"))),
        // The other operation has it, but it sends it only.
        [""; 0]
    );
    assert_eq!(
        changed(|root| remove(root, &format!("{LINE}/row"))),
        one("`orders().update()` needs the field `row` of `Line` (`PUT /Order/{id}`), which the document lacks")
    );
    assert_eq!(
        changed(|root| set(root, &format!("{LINE}/row/type"), json!("string"))),
        one(
            "`orders().update()` expects the field `row` of `Line` (`PUT /Order/{id}`) to be an integer, found a string"
        )
    );
    assert_eq!(
        changed(|root| root.pointer_mut(LINE).unwrap()["colour"] = json!({"type": "string"})),
        one("`orders().update()` knows all fields of `Line`, and not `colour`, which the document has")
    );
    assert_eq!(
        changed(|root| set(root, &format!("{RECORD}/state"), json!({"type": "string", "enum": ["open", "closed"]}))),
        [""; 0]
    );
    assert_eq!(
        changed(|root| set(
            root,
            &ANSWER.replace("/schema", ""),
            json!({"schema": {"type": "array", "items": {"type": "string"}}})
        )),
        one("`orders().update()` expects the response of `PUT /Order/{id}` to be `Answer`, found a list")
    );
    assert_eq!(
        changed(|root| remove(root, &format!("{UPDATE}/requestBody"))),
        one("`orders().update()` sends a body to `PUT /Order/{id}`, which takes none in the document")
    );
    assert_eq!(
        changed(|root| root.pointer_mut(LIST).unwrap()["requestBody"] =
            json!({"required": true, "content": {"application/json": {"schema": {"type": "object"}}}})),
        lists("sends no body to `GET /Order`, which the document requires")
    );
}

#[test]
fn an_enum_needs_the_values_that_the_code_knows() {
    let with = |values: Value| {
        let state = json!({"type": "string", "enum": values});
        let mut root = exported();
        set(&mut root, &format!("{RECORD}/state"), state.clone());
        set(&mut root, &format!("{UPDATE}/requestBody/content/application~1json/schema/properties/state"), state);
        root
    };
    // Another value is one that the code does not know.
    assert_eq!(messages(with(json!(["shut", "open", "late"]))), [""; 0]);
    assert_eq!(
        messages(with(json!(["open", "closed"]))),
        [
            "`orders().changes()` expects the field `state` of `Order` (`GET /Order`) to be `State`, found an enum without the value `shut`"
        ]
    );
}

#[test]
fn what_a_method_can_do_without_is_optional() {
    let mut root = exported();
    remove(&mut root, &format!("{RECORD}/note"));
    remove(&mut root, &format!("{LIST}/parameters/1"));
    let document = Document::from_value(root).unwrap();
    let generated = Generator::new("vendor.json").facade(facade()).generate_from(&document).unwrap();
    let unmet: Vec<_> = generated.unmet.iter().map(|unmet| (unmet.to_string(), unmet.optional)).collect();
    assert_eq!(
        unmet,
        [
            (
                "`orders().list()` uses the query parameter `sort` of `GET /Order`, which the document lacks"
                    .to_owned(),
                true
            ),
            (
                "`orders().list()` uses the field `note` of `Order` (`GET /Order`), which the document lacks"
                    .to_owned(),
                true
            ),
        ]
    );
    assert!(generated.client.contains("pub note:"));
}

#[test]
fn all_differences_are_named_at_once() {
    let found = changed(|root| {
        remove(root, "/paths/~1Order");
        remove(root, &format!("{LINE}/row"));
        remove(root, "/paths/~1Run~1{id}");
    });
    assert_eq!(found.len(), 4, "{found:?}");
}

#[test]
fn an_operation_for_which_no_code_can_be_generated_is_named() {
    let mut root = exported();
    root["paths"]["/Other"] = json!({"get": {"responses": {"200": {"description": "d"}}}});
    let generator = Generator::new("vendor.json").facade(facade());
    let document = Document::from_value(root).unwrap();
    let mut generated = generator.generate_from(&document).unwrap();
    remove(&mut generated.document, "/paths/~1Run~1{id}");
    let unmet = facade().left_out(&generated.document, &[]);
    assert_eq!(unmet[0].to_string(), "`run()` needs `POST /Run/{id}`, which is left out: see the report");
}

#[test]
fn a_mistake_in_a_facade_is_named_with_its_place() {
    let error = Facade::from_json(
        r#"{"operations": {
            "Order": {},
            "GET /a": {"id": "", "methods": {}, "x": 1},
            "GET /b": {"id": "b", "response": "[text]", "methods": {"b()": {"fields": {"B": "string", "C.d": "string", "C.e": 7}}}},
            "GET /c": {"id": "c", "methods": {"c()": {"fields": {"C.d": "integer"}}}}
        }, "more": 1}"#,
    )
    .unwrap_err();
    assert_eq!(
        error.problems,
        [
            ": unknown member `more`; expected `operations`, `enums`",
            "/operations/GET /a: unknown member `x`; expected `id`, `update`, `body`, `response`, `methods`",
            "/operations/GET /a: `id`, the name of the call, is missing",
            "/operations/GET /a: `methods`, those that need the operation, is missing",
            "/operations/GET /b/response: \"[text]\" is no kind, such as `string`, `timestamp!` or `[Order]`",
            "/operations/GET /b/methods/b(): expected a record and its field, found `B`",
            "/operations/GET /b/methods/b()/fields/C.e: 7 is no kind, such as `string`, `timestamp!` or `[Order]`",
            "/operations/Order: expected a method and a path, such as `GET /Order`",
            "/operations/GET /c/methods/c(): `C.d` has another kind elsewhere",
        ]
    );
}

#[test]
fn a_method_reads_one_type_of_response() {
    let mut root = exported();
    root["paths"]["/Order"]["get"]["responses"]["204"] = json!({"description": "No order."});
    let mut normalized = crate::normalize(&Document::from_value(root).unwrap(), &crate::Options::default()).root;
    assert!(normalized["paths"]["/Order"]["get"]["x-perenso-other-responses"]["204"].is_object());
    facade().fit(&mut normalized, &mut Report::default());
    assert!(normalized["paths"]["/Order"]["get"].get("x-perenso-other-responses").is_none());
}
