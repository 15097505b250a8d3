//! Contract checks: requests that violate the document, for every operation of the document.
#![allow(clippy::unwrap_used)]

#[path = "support/call.rs"]
mod call;

use call::Caller;
use perenso_sandbox::Sandbox;
use reqwest::Method;
use serde_json::{Map, Value, json};

/// One operation of the document.
struct Operation {
    method: Method,
    /// The path with a value for its parameter.
    path: String,
    /// The required query parameters.
    query: String,
    parameters: Vec<Value>,
    /// The name of the schema of its body, and true if the body is an array of these.
    body: Option<(String, bool)>,
    takes_body: bool,
}

fn document() -> Value {
    serde_json::from_str(include_str!("../openapi/perenso.json")).unwrap()
}

fn operations() -> Vec<Operation> {
    let document = document();
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let required = parameters.iter().filter(|p| p["in"] == "query" && p["required"] == true);
            let query: Vec<String> = required.map(|p| format!("{}=x", p["name"].as_str().unwrap())).collect();
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            let name = |schema: &Value| schema["$ref"].as_str().map(|name| name.rsplit('/').next().unwrap().to_owned());
            operations.push(Operation {
                method: method.to_uppercase().parse().unwrap(),
                path: path.replace("{id}", "79aag9"),
                query: query.join("&"),
                parameters,
                body: name(schema).map(|name| (name, false)).or(name(&schema["items"]).map(|name| (name, true))),
                takes_body: operation["requestBody"].is_object(),
            });
        }
    }
    assert!(operations.len() >= 14);
    operations
}

async fn start(strict: bool) -> (Sandbox, Caller) {
    let sandbox = Sandbox::builder().unlimited().start().await.unwrap();
    sandbox.set_behavior(|behavior| behavior.strict = strict);
    let caller = Caller::new(&sandbox);
    (sandbox, caller)
}

#[tokio::test]
async fn undocumented_methods_are_rejected_with_the_documented_ones() {
    let (_sandbox, caller) = start(false).await;
    let all = operations();
    for operation in &all {
        let documented: Vec<&Method> = all.iter().filter(|o| o.path == operation.path).map(|o| &o.method).collect();
        for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::TRACE] {
            if documented.contains(&&method) {
                continue;
            }
            let response =
                caller.request(method.clone(), &operation.path).header("content-length", "0").send().await.unwrap();
            assert_eq!(response.status(), 405, "{method} {}", operation.path);
            let allowed = response.headers()["allow"].to_str().unwrap().to_owned();
            for method in &documented {
                assert!(allowed.split(", ").any(|allowed| allowed == method.as_str()), "{}: {allowed}", operation.path);
            }
        }
    }
}

#[tokio::test]
async fn bodies_that_are_not_json_are_rejected() {
    let (_sandbox, caller) = start(false).await;
    for operation in operations().iter().filter(|operation| operation.takes_body) {
        let path = format!("{}?{}", operation.path, operation.query);
        let send = |content_type: &'static str, body: &'static str| {
            caller.request(operation.method.clone(), &path).header("content-type", content_type).body(body).send()
        };
        for content_type in
            ["text/plain", "application/x-www-form-urlencoded", "application/xml", "multipart/form-data"]
        {
            assert_eq!(send(content_type, "{}").await.unwrap().status(), 415, "{path}: {content_type}");
        }
        let response = send("application/json", "{\"a\":\n  nil}").await.unwrap();
        assert_eq!(response.status(), 400, "{path}");
        let body: Value = response.json().await.unwrap();
        assert!(body["message"].as_str().unwrap().contains("line 2, column"), "{body}");
        for text in ["5", "\"text\"", "null", "true"] {
            assert_eq!(send("application/json", text).await.unwrap().status(), 400, "{path}: {text}");
        }
    }
}

/// Returns an invalid value for each field of a schema, with the path of the field.
fn wrong_fields(document: &Value, schema: &str) -> Vec<(String, Value)> {
    let mut wrong = Vec::new();
    for (name, field) in document["components"]["schemas"][schema]["properties"].as_object().unwrap() {
        let value = match field["type"].as_str() {
            Some("string") => json!(5),
            Some("integer" | "number") => json!("5"),
            Some("boolean") => json!("true"),
            Some("array") => json!({}),
            _ => continue,
        };
        wrong.push((name.clone(), value));
    }
    wrong
}

#[tokio::test]
async fn a_field_of_the_wrong_type_is_rejected_by_its_path() {
    let (sandbox, caller) = start(false).await;
    let document = document();
    let id = sandbox.add_customer(json!({"customerID": "1"})).unwrap();
    let mut checked = 0;
    for operation in operations() {
        let Some((schema, is_bulk)) = operation.body else { continue };
        let path = operation.path.replace("79aag9", &id);
        let fields = document["components"]["schemas"][&schema]["properties"].as_object();
        if fields.is_none() {
            continue;
        }
        for (name, value) in wrong_fields(&document, &schema) {
            let record = Value::Object(Map::from_iter([(name.clone(), value)]));
            let body = if is_bulk { json!([record]) } else { record };
            let (status, response) = caller.call(operation.method.clone(), &path, Some(body)).await;
            if is_bulk {
                // Each record is checked by itself.
                assert_eq!((status, response["failed"].as_array().map(Vec::len)), (200, Some(1)), "{path} {name}");
                assert!(response["failed"][0].to_string().contains(&format!("{name}: expected")), "{response}");
            } else {
                assert_eq!((status, &response["fields"]), (422, &json!([name])), "{path} {name}: {response}");
                assert!(response["message"].as_str().unwrap().starts_with(&format!("{name}: expected")), "{response}");
            }
            checked += 1;
        }
    }
    assert!(checked > 60, "{checked}");
}

#[tokio::test]
async fn nested_fields_are_named_by_their_path() {
    let (_sandbox, caller) = start(false).await;
    let record = json!({"customerID": "1", "orderingGroups": [{}, {"customers": ["a", 5]}]});
    let (status, response) = caller.call(Method::POST, "/Customer", Some(record)).await;
    assert_eq!((status, &response["fields"]), (422, &json!(["orderingGroups[1].customers[1]"])));
    let record = json!({"customerID": "1", "orderingGroups": [{"orderingSubGroups": [{"orderingGroupName": true}]}]});
    let (_, response) = caller.call(Method::POST, "/v2/customers/bulk", Some(json!([record]))).await;
    let place = "orderingGroups[0].orderingSubGroups[0].orderingGroupName: expected a string, found a boolean";
    assert_eq!(response["failed"][0]["messages"], json!([place]));
}

#[tokio::test]
async fn query_parameters_are_read_by_their_types() {
    let (_sandbox, caller) = start(false).await;
    for operation in operations() {
        let queries = operation.parameters.iter().filter(|parameter| parameter["in"] == "query");
        for parameter in queries {
            let name = parameter["name"].as_str().unwrap();
            let wrong: &[&str] = match (parameter["schema"]["type"].as_str(), name) {
                (Some("integer"), _) => &["0", "-1", "1.5", "x", "", "99999999999999999999"],
                (Some("boolean"), _) => &["1", "yes", ""],
                (_, "sort") => &["", "id", "id:up", ":asc"],
                _ => &[],
            };
            for value in wrong {
                let path = format!("{}?{name}={value}", operation.path);
                let body = operation.takes_body.then(|| json!({}));
                let (status, response) = caller.call(operation.method.clone(), &path, body).await;
                assert_eq!((status, &response["fields"]), (400, &json!([name])), "{path}: {response}");
            }
        }
    }
    for path in ["/Customer?page=1&page=2", "/Customer?pages=1", "/Export?id=5"] {
        assert_eq!(caller.get(path).await.0, 400, "{path}");
    }
    for path in ["/BoothProduct", "/BoothProduct?boothID=BOOTH0001", "/BoothProduct?boothID=&productID=1"] {
        assert_eq!(caller.call(Method::POST, path, None).await.0, 400, "{path}");
    }
}

#[tokio::test]
async fn unknown_fields_are_kept_or_rejected_if_strict() {
    let (sandbox, caller) = start(false).await;
    let record = json!({"customerID": "1", "invented": {"a": [1]}});
    let (status, response) = caller.call(Method::POST, "/Customer?more=1", Some(record.clone())).await;
    assert_eq!((status, &response["invented"]), (200, &record["invented"]));

    sandbox.set_behavior(|behavior| behavior.strict = true);
    let (status, response) = caller.call(Method::POST, "/Customer", Some(record.clone())).await;
    assert_eq!((status, &response["fields"]), (422, &json!(["invented"])));
    let (status, response) = caller.call(Method::POST, "/Customer?more=1", Some(json!({"customerID": "2"}))).await;
    assert_eq!((status, &response["fields"]), (400, &json!(["more"])));
    for path in ["/v2/customers/bulk", "/v2/vendors/bulk"] {
        let (_, response) = caller.call(Method::POST, path, Some(json!([record]))).await;
        assert_eq!(response["successful"], json!([]), "{path}");
        assert!(response["failed"][0].to_string().contains("invented"), "{response}");
    }
    assert_eq!(sandbox.customers().iter().filter(|customer| customer["customerID"] == "1").count(), 1);
}

#[tokio::test]
async fn an_id_with_control_characters_is_rejected() {
    let (_sandbox, caller) = start(false).await;
    assert_eq!(caller.get("/Customer/a%00b").await.0, 400);
    assert_eq!(caller.get("/Customer/a%2Fb+c%25").await.0, 404);
}

#[tokio::test]
async fn an_id_that_is_not_utf_8_is_refused_by_its_name() {
    let (_sandbox, caller) = start(false).await;
    let (status, body) = caller.get("/Customer/%ff").await;
    assert_eq!((status, &body["fields"]), (400, &json!(["id"])));
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let (_sandbox, caller) = start(false).await;
    let response = caller.request(Method::HEAD, "/Customer").send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.text().await.unwrap(), "");
    assert_eq!(caller.request(Method::HEAD, "/v2/customers/bulk").send().await.unwrap().status(), 405);
}
