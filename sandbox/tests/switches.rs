//! Further switches.

#![allow(clippy::unwrap_used)]

#[path = "support/call.rs"]
mod call;

use std::time::Duration;

use call::Caller;
use perenso_sandbox::{Behavior, ErrorBody, ModifiedDate, Sandbox};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn start(change: impl FnOnce(&mut Behavior)) -> (Sandbox, Caller) {
    let sandbox = Sandbox::builder().customers(3).start().await.unwrap();
    sandbox.set_behavior(change);
    let caller = Caller::new(&sandbox);
    (sandbox, caller)
}

/// Sends a raw request, and returns the raw response.
async fn raw(sandbox: &Sandbox, request: &str) -> String {
    let address = sandbox.url().strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    response
}

#[tokio::test]
async fn a_create_returns_200_or_201_and_an_update_200() {
    for (switch, expected) in [(false, 200), (true, 201)] {
        let (_sandbox, caller) = start(|behavior| behavior.create_answers_201 = switch).await;
        let (status, created) = caller.call(Method::POST, "/Customer", Some(json!({ "customerID": "C9" }))).await;
        assert_eq!((status, &created["customerID"]), (expected, &json!("C9")));
        let path = format!("/Customer/{}", created["id"].as_str().unwrap());
        assert_eq!(caller.call(Method::PUT, &path, Some(json!({ "city": "Sampletown" }))).await.0, 200);
    }
}

#[tokio::test]
async fn a_bulk_call_returns_200_or_207() {
    for (switch, expected) in [(false, 200), (true, 207)] {
        let (_sandbox, caller) = start(|behavior| behavior.bulk_answers_207 = switch).await;
        for (path, record) in [("customers", json!({ "customerID": "C9" })), ("vendors", json!({ "vendorName": "V" }))]
        {
            let (status, response) =
                caller.call(Method::POST, &format!("/v2/{path}/bulk"), Some(json!([record, 7]))).await;
            assert_eq!(status, expected, "{path}");
            let count = |list: &str| response[list].as_array().unwrap().len();
            assert_eq!((count("successful"), count("failed")), (1, 1));
        }
        let (status, _) = caller.call(Method::POST, "/v2/customers/bulk", Some(json!({}))).await;
        assert_eq!(status, 400);
    }
}

#[tokio::test]
async fn a_list_of_modified_records_starts_with_the_newest_or_the_oldest() {
    for (switch, first) in [(true, 2), (false, 0)] {
        let (sandbox, caller) = start(|behavior| behavior.newest_first = switch).await;
        let all = sandbox.customers();
        let (_, list) = caller.get("/Customer?modifiedAfter=2020-01-01").await;
        assert_eq!(list.as_array().unwrap().len(), 3);
        assert_eq!(list[0]["id"], all[first]["id"]);
        assert_eq!(list[2]["id"], all[2 - first]["id"]);
        // An explicit sort takes precedence.
        let (_, sorted) = caller.get("/Customer?modifiedAfter=2020-01-01&sort=customerID:asc").await;
        assert_eq!(sorted[0]["id"], all[0]["id"]);
    }
}

#[tokio::test]
async fn a_modified_date_has_a_time_or_not() {
    for (form, has_time) in [(ModifiedDate::DateTime, true), (ModifiedDate::Date, false)] {
        let (sandbox, caller) = start(|behavior| behavior.modified_date = form).await;
        let (_, created) = caller.call(Method::POST, "/Customer", Some(json!({ "customerID": "C9" }))).await;
        let path = format!("/Customer/{}", created["id"].as_str().unwrap());
        let (_, updated) = caller.call(Method::PUT, &path, Some(json!({ "city": "Sampletown" }))).await;
        let (_, read) = caller.get(&path).await;
        // `modifiedAfter` still compares with the time.
        let now = sandbox.clock().now() - Duration::from_secs(3600);
        let (_, list) = caller.get(&format!("/Customer?modifiedAfter={}", now.format("%Y-%m-%dT%H:%M:%S"))).await;
        assert_eq!(list.as_array().unwrap().len(), 1);
        for record in [&created, &updated, &read, &list[0]] {
            let date = record["modifiedDate"].as_str().unwrap();
            assert_eq!(date.contains('T'), has_time, "{date}");
            assert!(date[..10].parse::<chrono::NaiveDate>().is_ok(), "{date}");
        }
        assert_eq!(read, list[0]);
    }
}

#[tokio::test]
async fn error_bodies_have_four_formats() {
    for (form, content_type) in [
        (ErrorBody::Json, Some("application/json")),
        (ErrorBody::Text, Some("text/plain; charset=utf-8")),
        (ErrorBody::Html, Some("text/html; charset=utf-8")),
        (ErrorBody::Empty, None),
    ] {
        let (sandbox, caller) = start(|behavior| behavior.error_body = form).await;
        let told = |response: Response| async move {
            let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
            let (status, found, challenge) = (response.status(), header("content-type"), header("www-authenticate"));
            assert_eq!(found.as_deref(), content_type, "{form:?}");
            (status, challenge, response.text().await.unwrap())
        };
        let (status, _, body) = told(caller.request(Method::GET, "/Customer/%3Cb%3E").send().await.unwrap()).await;
        assert_eq!(status, 404);
        let message = "there is no customer with the id \"<b>\"";
        match form {
            ErrorBody::Json => assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["message"], message),
            ErrorBody::Text => assert_eq!(body, message),
            ErrorBody::Html => assert!(body.contains("there is no customer with the id \"&lt;b&gt;\"</p>"), "{body}"),
            _ => assert_eq!(body, ""),
        }
        // It also applies to the middleware, whose headers stay.
        let bare = call::http::client().get(format!("{}/Customer", sandbox.url())).send().await.unwrap();
        let (status, challenge, _) = told(bare).await;
        assert_eq!((status.as_u16(), challenge.as_deref()), (401, Some("Bearer")));
        let head = format!("Host: x\r\nConnection: close\r\nAuthorization: Bearer {}\r\n", sandbox.issue_token());
        let response = raw(&sandbox, &format!("POST /Customer HTTP/1.1\r\n{head}\r\n")).await.to_ascii_lowercase();
        let found = response.lines().find_map(|line| line.strip_prefix("content-type: "));
        assert!(response.starts_with("http/1.1 411 ") && found == content_type, "{response}");
        // Successful responses are unchanged.
        assert_eq!(caller.get("/Customer").await.1.as_array().unwrap().len(), 3);
    }
}
