//! The typed mock: it expects what the document says, ids as they are, and answers in the SDK's types.

#![cfg(feature = "mock")]
#![allow(clippy::unwrap_used)]

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use httpmock::MockServer;
use perenso::{
    Messages,
    mock::MockServerExt,
    types::{BulkAnswer, BulkFailure, Customer, ExportDescriptor},
};
use serde_json::{Value, json};

fn call(server: &MockServer, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
    let body = body.map(|body| body.to_string()).unwrap_or_default();
    let mut stream = TcpStream::connect(server.address()).unwrap();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or_default())
}

#[test]
fn an_id_is_compared_as_it_is() {
    let server = MockServer::start();
    // As a regular expression this would match `aXb` and not itself.
    let mock = server.customer_get(|when, then| {
        when.id("a.b(c/%");
        then.ok(&Customer { customer_id: "5000".into(), ..Customer::default() });
    });
    assert_eq!(call(&server, "GET", "/Customer/aXb", None).0, 404);
    assert_eq!(call(&server, "GET", "/Customer/a.b", None).0, 404);
    let (status, body) = call(&server, "GET", "/Customer/a.b%28c%2F%25", None);
    assert_eq!((status, body), (200, json!({"customerID": "5000"})));
    mock.assert();
}

#[test]
fn without_an_id_any_record_matches_and_nothing_else() {
    let server = MockServer::start();
    let mock = server.customer_delete(|_, then| {
        then.success(204);
    });
    assert_eq!(call(&server, "DELETE", "/Customer/a1", None).0, 204);
    assert_eq!(call(&server, "GET", "/Customer/a1", None).0, 404);
    assert_eq!(call(&server, "DELETE", "/Customer/a1/more", None).0, 404);
    assert_eq!(call(&server, "DELETE", "/v2/Customer/a1", None).0, 404);
    mock.assert();
}

#[test]
fn documented_errors_are_answered() {
    let server = MockServer::start();
    server.customer_create(|when, then| {
        when.create_missing_ordering_groups(true)
            .body(&Customer { city: "Exampleville".into(), ..Customer::default() });
        then.unprocessable_entity(&json!({"error": "no such warehouse"}));
    });
    let path = "/Customer?createMissingOrderingGroups=true";
    let (status, body) = call(&server, "POST", path, Some(json!({"city": "Exampleville"})));
    assert_eq!((status, body), (422, json!({"error": "no such warehouse"})));
    let other = call(&server, "POST", path, Some(json!({"city": "Elsewhere"})));
    assert_eq!(other.0, 404);
}

#[test]
fn bulk_calls_and_exports_are_answered() {
    let server = MockServer::start();
    server.customer_bulk_upsert(|_, then| {
        let failed =
            BulkFailure { customer_id: "5001".into(), messages: Messages::from("no").into(), ..BulkFailure::default() };
        then.ok(&BulkAnswer { failed: vec![failed], ..BulkAnswer::default() });
    });
    server.export_list(|_, then| {
        then.ok(&vec![ExportDescriptor::builder().id("739da9").name("Vendors").try_into().unwrap()]);
    });
    server.export_run(|when, then| {
        when.id("739da9");
        then.ok(json!([{"VendorID": "VEND1000"}]));
    });
    let (_, answer) = call(&server, "POST", "/v2/customers/bulk", Some(json!([])));
    assert_eq!(answer, json!({"successful": [], "failed": [{"customerID": "5001", "messages": ["no"]}]}));
    let (_, catalog) = call(&server, "GET", "/Export", None);
    assert_eq!(catalog, json!([{"id": "739da9", "name": "Vendors", "parameters": []}]));
    let (_, rows) = call(&server, "POST", "/Export/739da9", None);
    assert_eq!(rows, json!([{"VendorID": "VEND1000"}]));
}
