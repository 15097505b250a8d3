//! A sandbox with another document than the vendored one.

#![allow(clippy::unwrap_used)]

#[path = "support/call.rs"]
mod call;

use call::Caller;
use perenso_sandbox::Sandbox;
use reqwest::Method;
use serde_json::{Value, json};

/// A shop: carts by an integer, lines below them, articles in an envelope, and a report.
fn document() -> Value {
    let json = |schema: Value| json!({"application/json": {"schema": schema}});
    let of = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let ok = |schema: Value| json!({"200": {"description": "d", "content": json(schema)}});
    let gone = json!({"204": {"description": "d"}});
    let list = |schema: Value| json!({"type": "array", "items": schema});
    let id = |name: &str, kind: &str| json!([{"name": name, "in": "path", "required": true, "schema": {"type": kind}}]);
    let body = |schema: Value| json!({"required": true, "content": json(schema)});
    json!({
        "openapi": "3.0.3",
        "info": {"title": "Shop", "version": "1"},
        "paths": {
            "/carts": {
                "get": {"responses": ok(list(of("Cart")))},
                "post": {"requestBody": body(of("NewCart")), "responses": {"201": {"description": "d", "content": json(of("Cart"))}}},
            },
            "/carts/{cartId}": {
                "get": {"parameters": id("cartId", "integer"), "responses": ok(of("Cart"))},
                "put": {"parameters": id("cartId", "integer"), "requestBody": body(of("NewCart")), "responses": ok(of("Cart"))},
                "delete": {"parameters": id("cartId", "integer"), "responses": gone},
            },
            "/carts/{cartId}/lines": {
                "get": {"parameters": id("cartId", "integer"), "responses": ok(list(of("Line")))},
                "post": {"parameters": id("cartId", "integer"), "requestBody": body(of("Line")), "responses": ok(of("Line"))},
            },
            "/carts/{cartId}/lines/{id}": {
                "get": {"parameters": [id("cartId", "integer")[0], id("id", "string")[0]], "responses": ok(of("Line"))},
            },
            "/articles": {"get": {"responses": ok(json!({
                "type": "object", "required": ["total"],
                "properties": {"total": {"type": "integer"}, "data": list(of("Line"))},
            }))}},
            "/articles/{id}": {"get": {"parameters": id("id", "string"), "responses": ok(of("Line"))}},
            "/report": {"get": {
                "parameters": [
                    {"name": "day", "in": "query", "required": true, "schema": {"type": "string"}},
                    {"name": "X-Tenant", "in": "header", "required": true, "schema": {"type": "string", "minLength": 2}},
                ],
                "responses": ok(of("Tree")),
            }},
        },
        "components": {"schemas": {
            "NewCart": {"type": "object", "required": ["title"], "properties": {"title": {"type": "string"}}},
            "Cart": {
                "type": "object",
                "required": ["cart_id", "title", "state"],
                "properties": {
                    "cart_id": {"type": "integer"},
                    "title": {"type": "string"},
                    "state": {"type": "string", "enum": ["open", "paid"]},
                },
            },
            "Line": {"type": "object", "properties": {"id": {"type": "string"}, "units": {"type": "integer"}}},
            "Tree": {"type": "object", "required": ["name"], "properties": {
                "name": {"type": "string", "example": "root"},
                "at": {"type": "string", "format": "date-time"},
                "children": list(of("Tree")),
            }},
        }},
    })
}

async fn start() -> (Sandbox, Caller) {
    let sandbox = Sandbox::builder().document(&document().to_string()).unwrap().start().await.unwrap();
    let caller = Caller::new(&sandbox);
    (sandbox, caller)
}

#[tokio::test]
async fn a_resource_with_the_five_verbs_keeps_its_records() {
    let (sandbox, caller) = start().await;
    assert_eq!(caller.get("/carts").await, (200, json!([])));
    let (status, made) = caller.call(Method::POST, "/carts", Some(json!({"title": "A", "more": 1}))).await;
    // The state is required in a response, so it is made up.
    assert_eq!((status, &made), (201, &json!({"cart_id": 1, "title": "A", "more": 1, "state": "open"})));
    caller.call(Method::POST, "/carts", Some(json!({"title": "B"}))).await;
    let (_, changed) = caller.call(Method::PUT, "/carts/1", Some(json!({"title": "C", "cart_id": 9}))).await;
    assert_eq!(changed, json!({"cart_id": 1, "title": "C", "more": 1, "state": "open"}));
    assert_eq!(caller.get("/carts/1").await, (200, changed.clone()));
    assert_eq!(caller.get("/carts").await.1[1]["title"], "B");
    assert_eq!(caller.call(Method::DELETE, "/carts/1", None).await.0, 204);
    assert_eq!(caller.get("/carts/1").await.0, 404);
    assert_eq!(caller.call(Method::PUT, "/carts/1", Some(json!({"title": "C"}))).await.0, 404);
    assert_eq!(caller.get("/carts").await.1.as_array().unwrap().len(), 1);
    sandbox.reset();
    assert_eq!(Caller::new(&sandbox).get("/carts").await, (200, json!([])));
}

#[tokio::test]
async fn records_below_another_record_belong_to_it_and_lists_may_be_members() {
    let (_sandbox, caller) = start().await;
    let (_, line) = caller.call(Method::POST, "/carts/7/lines", Some(json!({"units": 3}))).await;
    let id = line["id"].as_str().unwrap();
    assert_eq!(caller.get(&format!("/carts/7/lines/{id}")).await, (200, json!({"units": 3, "id": id})));
    assert_eq!(caller.get(&format!("/carts/8/lines/{id}")).await.0, 404);
    assert_eq!(caller.get("/carts/8/lines").await, (200, json!([])));
    assert_eq!(caller.get("/articles").await, (200, json!({"total": 1, "data": []})));
}

#[tokio::test]
async fn requests_are_checked_against_the_document() {
    let (_sandbox, caller) = start().await;
    for (method, path, body, status) in [
        (Method::POST, "/carts", Some(json!({"title": 5})), 422),
        (Method::POST, "/carts", Some(json!({})), 422),
        (Method::POST, "/carts", Some(json!([])), 400),
        (Method::GET, "/carts/seven", None, 400),
        (Method::GET, "/carts?page=1", None, 400),
        (Method::PATCH, "/carts/1", Some(json!({})), 405),
        (Method::GET, "/report", None, 400),
        (Method::GET, "/report?day=2026-01-31", None, 400),
        (Method::GET, "/nowhere", None, 501),
    ] {
        assert_eq!(caller.call(method.clone(), path, body).await.0, status, "{method} {path}");
    }
}

#[tokio::test]
async fn other_operations_have_an_example_that_fits() {
    let (sandbox, _) = start().await;
    let request = reqwest::Client::new().get(format!("{}/report?day=2026-01-31", sandbox.url()));
    let response = request.header("x-tenant", "T1").bearer_auth(sandbox.issue_token()).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let mut tree: Value = response.json().await.unwrap();
    // A type that contains itself ends.
    for _ in 0..20 {
        assert_eq!(tree["name"], "root");
        match tree.pointer_mut("/children/0").map(Value::take) {
            None => return,
            Some(child) => tree = child,
        }
    }
    panic!("endless");
}

#[tokio::test]
async fn the_documents_own_paths_stay_and_the_page_shows_the_document() {
    let mut both = document();
    both["paths"]["/Customer"] = json!({"get": {"responses": {"200": {"description": "d"}}}});
    let sandbox = Sandbox::builder().customers(3).document(&both.to_string()).unwrap().start().await.unwrap();
    assert_eq!(Caller::new(&sandbox).get("/Customer").await.1.as_array().unwrap().len(), 3);
    let served = reqwest::get(format!("{}/openapi.json", sandbox.url())).await.unwrap();
    assert_eq!(served.json::<Value>().await.unwrap()["info"]["title"], "Shop");
}

#[tokio::test]
async fn operations_that_the_sandbox_lacks_are_added_to_its_resources() {
    let mut own = document();
    let id = json!([{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}]);
    let ok = |schema: Value| json!({"200": {"description": "d", "content": {"application/json": {"schema": schema}}}});
    let record = json!({"type": "object", "properties": {"id": {"type": "string"}}});
    own["paths"]["/Order"] = json!({
        "get": {"responses": ok(json!({"type": "array", "items": record}))},
        "post": {"requestBody": {"content": {"application/json": {"schema": record}}}, "responses": ok(record.clone())},
    });
    own["paths"]["/Order/{id}"] = json!({
        "get": {"parameters": id, "responses": ok(record.clone())},
        "delete": {"parameters": id, "responses": ok(json!({"type": "object", "properties": {}}))},
    });
    own["paths"]["/Attendee"] = json!({"get": {"responses": ok(json!({"type": "array", "items": record}))}});
    own["paths"]["/Attendee/{id}"] = json!({"get": {"parameters": id, "responses": ok(record.clone())}});
    let sandbox = Sandbox::builder().document(&own.to_string()).unwrap().start().await.unwrap();
    let caller = Caller::new(&sandbox);
    let order = sandbox.orders()[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(caller.get("/Order").await.1[0]["id"], *order);
    assert_eq!(caller.get(&format!("/Order/{order}")).await.0, 200);
    // An optional body may be left out.
    let (status, made) = caller.call(Method::POST, "/Order", None).await;
    let made = format!("/Order/{}", made["id"].as_str().unwrap());
    assert_eq!((status, caller.get(&made).await.0), (200, 200));
    assert_eq!(caller.call(Method::DELETE, &made, None).await, (200, json!({})));
    // A path is that of the document, whatever the sandbox has in another case.
    assert_eq!(caller.get("/Attendee").await, (200, json!([])));
}

#[tokio::test]
async fn lists_other_bodies_and_odd_paths_are_those_of_the_document() {
    let no_content = json!({"204": {"description": "d"}});
    let path = |name: &str| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}});
    let numbers = json!({"type": "array", "items": {"type": "integer"}});
    let bytes = json!({"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}});
    let record = json!({"type": "object", "required": ["kind"], "properties": {"id": {"type": "string"}, "kind": {"type": "string"}}});
    let listed = json!({"type": "object", "required": ["free"], "properties": {"free": {"type": "boolean"}, "more": {"type": "string"}}});
    let file = json!({"name": "file", "in": "path", "required": true, "x-perenso-rest-of-path": true});
    let ok = |schema: Value| json!({"200": {"description": "d", "content": {"application/json": {"schema": schema}}}});
    let own = json!({"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {
        "/find": {"get": {"parameters": [
            {"name": "no", "in": "query", "schema": numbers},
            {"name": "in", "in": "query", "explode": false, "schema": numbers},
            {"name": "send_value", "x-perenso-wire-name": "send", "in": "query", "required": true, "schema": {"type": "number"}},
        ], "responses": no_content}},
        "/photos/{name}.{format}": {"put": {
            "parameters": [path("name"), path("format")],
            "requestBody": {"required": true, "x-perenso-media-type": "image/*", "content": bytes},
            "responses": no_content,
        }},
        "/files/{file}": {"get": {"parameters": [file], "responses": no_content}},
        "/halls/{id}/map": {"get": {"parameters": [path("id")], "responses": no_content}},
        "/halls/{hall}/map": {"put": {"parameters": [path("hall")], "responses": no_content}},
        "/bays": {
            "get": {"responses": ok(json!({"type": "array", "items": listed}))},
            "post": {
                "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}},
                "responses": ok(record.clone()),
            },
        },
        "/bays/{id}": {"get": {"parameters": [path("id")], "responses": ok(record)}},
    }});
    let sandbox = Sandbox::builder().document(&own.to_string()).unwrap().start().await.unwrap();
    let caller = Caller::new(&sandbox);
    for (query, status) in [
        ("send=1.5&no=1&no=2&in=1,2", 204),
        ("send=1&no=1&no=x", 400),
        ("send=1&in=1,x", 400),
        ("send=1&send=2", 400),
        ("send_value=1", 400),
    ] {
        assert_eq!(caller.get(&format!("/find?{query}")).await.0, status, "{query}");
    }
    for (media_type, status) in [("image/png", 204), ("text/plain", 415)] {
        let request = caller.request(Method::PUT, "/photos/a.b.png").header("content-type", media_type);
        assert_eq!(request.body("png").send().await.unwrap().status(), status, "{media_type}");
    }
    // One path with two names of its parameter.
    assert_eq!(caller.get("/halls/1/map").await.0, 204);
    assert_eq!(caller.call(Method::PUT, "/halls/1/map", None).await.0, 204);
    // A field that the response has with another type is not a field of the record.
    let (_, made) = caller.call(Method::POST, "/bays", Some(json!({"kind": 7, "more": true}))).await;
    assert_eq!(made, json!({"id": "1", "kind": "text", "more": true}));
    // The list has another type of it.
    let listed = json!({"id": "1", "kind": "text", "free": true});
    assert_eq!(caller.get("/bays").await.1, json!([listed]));
    assert_eq!(caller.get("/files/a/b.c").await.0, 204);
}

#[tokio::test]
async fn a_text_that_is_no_such_document_is_an_error() {
    for text in ["", "[]", "{}", r#"{"openapi": "3.1.0"}"#, r#"{"swagger": "2.0"}"#] {
        assert!(Sandbox::builder().document(text).is_err(), "{text}");
    }
    let broken = json!({"openapi": "3.0.0", "paths": {"/a": {"get": {"responses": 7}}}});
    let error = Sandbox::builder().document(&broken.to_string()).unwrap_err();
    assert!(std::error::Error::source(&error).unwrap().to_string().contains("get /a"), "{error:?}");
}

/// A document with resources that the sandbox has too, and with the verbs that it lacks.
fn overlapping(id: &str, kind: &str) -> Value {
    let ok = |schema: Value| json!({"200": {"description": "d", "content": {"application/json": {"schema": schema}}}});
    let path = json!([{"name": id, "in": "path", "required": true, "schema": {"type": kind}}]);
    let mut own = document();
    for name in ["Order", "attendee", "Booth"] {
        let record = json!({"$ref": format!("#/components/schemas/{name}")});
        let body = json!({"required": true, "content": {"application/json": {"schema": {"type": "object"}}}});
        own["paths"][format!("/{name}")] = json!({
            "get": {"responses": ok(json!({"type": "array", "items": record}))},
            "post": {"requestBody": body, "responses": ok(json!({"type": "object", "properties": {id: {"type": kind}}}))},
        });
        own["paths"][format!("/{name}/{{{id}}}")] = json!({
            "get": {"parameters": path, "responses": ok(record.clone())},
            "put": {"parameters": path, "requestBody": body, "responses": ok(record.clone())},
            "delete": {"parameters": path, "responses": {"204": {"description": "d"}}},
        });
        own["components"]["schemas"][name] = json!({
            "type": "object",
            "required": [id, "grade"],
            "properties": {id: {"type": kind}, "grade": {"type": "string", "enum": ["A", "B"]}, "status": {"type": "integer"}},
        });
    }
    own["paths"]["/v2/booths"] = json!({"get": {"responses": {"204": {"description": "d"}}}});
    own
}

#[tokio::test]
async fn a_resource_of_both_is_one_store() {
    for (id, kind) in [("id", "string"), ("id", "integer"), ("orderID", "string")] {
        let own = overlapping(id, kind).to_string();
        let sandbox = Sandbox::builder().document(&own).unwrap().start().await.unwrap();
        let caller = Caller::new(&sandbox);
        for path in ["/Order", "/attendee", "/Booth"] {
            let case = format!("{path} by {id}, {kind}");
            let (_, before) = caller.get(path).await;
            let before = before.as_array().unwrap().clone();
            // The made-up records fit the document.
            assert!(before.len() > 1 && before.iter().all(|record| record["grade"] == "A"), "{case}: {before:?}");
            assert!(before.iter().all(|record| record[id].is_i64() == (kind == "integer")), "{case}: {before:?}");
            let (status, made) = caller.call(Method::POST, path, Some(json!({"note": "x", "grade": "B"}))).await;
            assert_eq!(status, 200, "{case}");
            let value = made[id].clone();
            let one = format!("{path}/{}", value.as_str().map_or(value.to_string(), str::to_owned));
            let (_, after) = caller.get(path).await;
            let after = after.as_array().unwrap();
            assert_eq!(after.len(), before.len() + 1, "{case}");
            let listed = after.iter().find(|record| record[id] == value).unwrap();
            assert_eq!((&listed["note"], &listed["grade"]), (&json!("x"), &json!("B")), "{case}");
            assert_eq!(caller.get(&one).await.1["note"], "x", "{case}");
            let (status, changed) = caller.call(Method::PUT, &one, Some(json!({"note": "y"}))).await;
            assert_eq!((status, &changed["note"], &changed[id]), (200, &json!("y"), &value), "{case}");
            assert_eq!(caller.get(&one).await.1["note"], "y", "{case}");
            // A made-up record is changed and deleted by the same calls.
            let old = format!("{path}/{}", before[0][id].as_str().map_or(before[0][id].to_string(), str::to_owned));
            assert_eq!(caller.call(Method::PUT, &old, Some(json!({"note": "z"}))).await.1["note"], "z", "{case}");
            assert_eq!(caller.get(path).await.1[0]["note"], "z", "{case}");
            for gone in [&one, &old] {
                assert_eq!(caller.call(Method::DELETE, gone, None).await.0, 204, "{case}");
                assert_eq!(caller.get(gone).await.0, 404, "{case}");
            }
            assert_eq!(caller.get(path).await.1.as_array().unwrap().len(), before.len() - 1, "{case}");
        }
        sandbox.reset();
        assert_eq!(sandbox.orders().len(), Sandbox::start().await.unwrap().orders().len());
    }
}

#[tokio::test]
async fn records_of_a_document_are_those_of_the_other_calls() {
    let mut own = overlapping("id", "string");
    own["paths"]["/BoothProduct"] = json!({"post": {"responses": {"200": {"description": "d"}}}});
    let sandbox = Sandbox::builder().document(&own.to_string()).unwrap().start().await.unwrap();
    let caller = Caller::new(&sandbox);
    caller.call(Method::POST, "/Booth", Some(json!({"boothID": "B 1"}))).await;
    let product = sandbox.products()[0]["productID"].as_str().unwrap().to_owned();
    let path = format!("/BoothProduct?boothID=B+1&productID={product}");
    assert_eq!(caller.call(Method::POST, &path, None).await.0, 200);
    // An order without lines is in the list, and on the page of examples.
    for order in sandbox.orders() {
        caller.call(Method::DELETE, &format!("/Order/{}", order["id"].as_str().unwrap()), None).await;
    }
    caller.call(Method::POST, "/Order", Some(json!({"items": []}))).await;
    caller.call(Method::POST, "/Order", Some(json!({}))).await;
    assert_eq!(caller.get("/Order").await.1.as_array().unwrap().len(), 2);
    assert_eq!(reqwest::get(format!("{}/openapi.json", sandbox.url())).await.unwrap().status(), 200);
}
