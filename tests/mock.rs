//! The typed mock: it expects the operations of the document and literal ids, and responds with the types of the SDK.

#![cfg(feature = "mock")]
#![allow(clippy::unwrap_used)]

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use futures_util::TryStreamExt as _;
use httpmock::MockServer;
use perenso::{
    CallErrorKind, ClientAuth, ErrorKind, Messages, TokenPolicy,
    mock::{MockServerExt, MockShow, Token},
    types::{Attendee, BulkAnswer, BulkFailure, Customer, ExportDescriptor, Order},
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
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or_default())
}

#[test]
fn an_id_is_compared_as_it_is() {
    let server = MockServer::start();
    // As a regular expression, this id would match `aXb` but not itself.
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
fn documented_errors_are_returned() {
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
fn bulk_calls_and_exports_have_responses() {
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
    let (_, response) = call(&server, "POST", "/v2/customers/bulk", Some(json!([])));
    assert_eq!(response, json!({"successful": [], "failed": [{"customerID": "5001", "messages": ["no"]}]}));
    let (_, catalog) = call(&server, "GET", "/Export", None);
    assert_eq!(catalog, json!([{"id": "739da9", "name": "Vendors", "parameters": []}]));
    let (_, rows) = call(&server, "POST", "/Export/739da9", None);
    assert_eq!(rows, json!([{"VendorID": "VEND1000"}]));
}

#[tokio::test]
async fn a_client_of_a_mock_server_has_a_token_and_tries_once() {
    let server = MockServer::start_async().await;
    let broken = server.customer_get(|when, then| {
        when.id("a1");
        then.into_inner().status(503);
    });
    let limited = server.customer_list(|_, then| {
        then.too_many_requests(Duration::from_millis(29_100));
    });
    let show = server.show().unwrap();
    assert_eq!(show.customers().get("a1").await.unwrap_err().status().unwrap().as_u16(), 503);
    let error = show.customers().list().send().await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(30)), "in whole seconds, and not too early");
    broken.assert_calls(1);
    limited.assert_calls(1);
}

#[tokio::test]
async fn a_token_is_expected_by_grant_and_client_id_wherever_that_is() {
    for place in [ClientAuth::Body, ClientAuth::BasicPlain] {
        let server = MockServer::start_async().await;
        let other = server.token(|when, then| {
            when.client_id("AUTUMN26");
            then.unauthorized();
        });
        // A token with a lifetime of zero is due immediately, so the second call refreshes it.
        let first = server.token(|when, then| {
            when.client_credentials().client_id("SPRING26");
            then.ok(&Token::new("t1").lifetime(Duration::ZERO).refresh_token("r1"));
        });
        let refresh = server.token(|when, then| {
            when.refresh().refresh_token("r1").client_id("SPRING26");
            then.ok(&Token::new("t2"));
        });
        server.customer_list(|_, then| {
            then.ok(&Vec::new());
        });
        let show = server.builder().client_id("SPRING26").client_auth(place).build().unwrap();
        show.customers().list().send().await.unwrap();
        show.customers().list().send().await.unwrap();
        other.assert_calls(0);
        first.assert_calls(1);
        refresh.assert_calls(1);
    }
}

#[tokio::test]
async fn a_token_of_the_test_s_own_goes_before_that_of_the_client() {
    let server = MockServer::start_async().await;
    let own = server.token(|_, then| {
        then.ok(&Token::new("own"));
    });
    let call = server.customer_list(|when, then| {
        when.into_inner().header("authorization", "Bearer own");
        then.ok(&Vec::new());
    });
    server.show().unwrap().customers().list().send().await.unwrap();
    own.assert();
    call.assert();
}

#[tokio::test]
async fn token_requests_are_refused_as_the_standard_has_it() {
    type Refusal = fn(perenso::mock::TokenThen) -> perenso::mock::TokenThen;
    let refusals: [(Refusal, u16, CallErrorKind); 3] = [
        (|then| then.unauthorized(), 401, CallErrorKind::Refused),
        (|then| then.bad_request("invalid_scope"), 400, CallErrorKind::Refused),
        (|then| then.too_many_requests(Duration::from_secs(600)), 429, CallErrorKind::TokenUnavailable),
    ];
    for (refuse, status, kind) in refusals {
        let server = MockServer::start_async().await;
        server.token(|_, then| {
            refuse(then);
        });
        let policy = TokenPolicy::default().backoff(Duration::from_millis(1), Duration::from_millis(2));
        let show = server.builder().token_policy(policy).build().unwrap();
        let error = show.customers().list().send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Call(kind), "{error}");
        assert_eq!(error.status().unwrap().as_u16(), status);
    }
}

#[tokio::test]
async fn a_list_comes_as_the_pages_it_is_given() {
    let server = MockServer::start_async().await;
    let customer = |id: &str| Customer { id: id.into(), ..Customer::default() };
    let customers = server.pages([vec![customer("a1"), customer("a2")], vec![customer("a3")]]);
    let attendees = server.pages([vec![Attendee { id: "b1".into(), ..Attendee::default() }]]);
    let orders = server.pages::<Order>([]);
    let show = server.show().unwrap();
    let read: Vec<_> = show.customers().list().stream().try_collect().await.unwrap();
    let ids: Vec<_> = read.iter().filter_map(|customer| customer.id.as_deref()).collect();
    assert_eq!(ids, ["a1", "a2", "a3"]);
    assert_eq!(show.attendees().list().stream().try_collect::<Vec<_>>().await.unwrap().len(), 1);
    assert!(show.orders().list().stream().try_collect::<Vec<_>>().await.unwrap().is_empty());
    assert_eq!([customers.len(), attendees.len(), orders.len()], [3, 2, 1]);
    for page in customers.iter().chain(&attendees).chain(&orders) {
        page.assert();
    }
}
