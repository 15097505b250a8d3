//! Parts of requests and responses other than the records.

use http::Method;
use perenso::types::{Customer, CustomerV2};
use perenso_sandbox::RecordedRequest;
use serde_json::Value;

use crate::{
    calls, sandbox,
    server::{Reply, Server},
    show_of,
};

/// Makes one call of each kind. Some fail, since the sandbox does not implement them.
async fn one_of_each(show: &perenso::Perenso) {
    let customer = Customer::default();
    let _ = show.customers().list().send().await;
    let _ = show.customers().create(&customer).await;
    let _ = show.customers().update("a1", &customer).await;
    let _ = show.customers().delete("a1").await;
    let keyed = CustomerV2 { customer_id: "5000".into(), ..CustomerV2::default() };
    let _ = show.customers().upsert([keyed]).send().await;
    let _ = show.vendors().upsert([perenso::types::Vendor::default()]).send().await;
    let _ = show.attendees().list().send().await;
    let _ = show.orders().list().send().await;
    let _ = show.booth_products().associate("B1", "P1").await;
    let _ = show.booth_products().associate_many("B1", ["P1"]).await;
    let _ = show.resource::<Value>("/Warehouse").unwrap().create(&customer).await;
    let _ = show.request(Method::DELETE, "/Warehouse/a1").send().await;
    let _ = perenso::generated::ClientExportExt::export_list(show.api()).send().await;
}

fn all(requests: &[RecordedRequest], name: &str, value: impl Fn(&str) -> bool) {
    for request in requests {
        let found = request.header(name).unwrap_or_default();
        assert!(value(found), "{name}: {found:?} in {} {}", request.method, request.path);
    }
}

#[tokio::test]
async fn every_request_says_who_asks_and_what_it_takes() {
    let (sandbox, show) = sandbox(1).await;
    one_of_each(&show).await;
    let journal = sandbox.journal();
    assert_eq!(journal.len(), 14);
    let agent = concat!("perenso/", env!("CARGO_PKG_VERSION"));
    all(&journal, "user-agent", |value| value == agent);
    all(&journal, "accept-encoding", |value| value.contains("gzip"));
    all(&journal, "accept", |value| value.contains("json") || value == "*/*");
    all(&calls(&sandbox), "authorization", |value| value == "Bearer ***");
    for request in &journal {
        let names: Vec<_> = request.headers.iter().map(|(name, _)| name.as_str()).collect();
        assert!(!names.contains(&"api-version"), "{names:?} in {}", request.path);
        let is_token = request.path == "/auth/oauth/token";
        assert_eq!(names.contains(&"authorization"), !is_token, "in {}", request.path);
        if !is_token && (request.method == "POST" || request.method == "PUT") {
            let length: usize = request.header("content-length").unwrap().parse().unwrap();
            assert_eq!(length, request.body.len(), "in {}", request.path);
        }
        let is_json = request.header("content-type") == Some("application/json");
        assert_eq!(is_json, !request.body.is_empty() && !is_token, "in {}", request.path);
    }
    let empty = journal.iter().find(|request| request.path.starts_with("/BoothProduct") && request.method == "POST");
    assert_eq!(empty.unwrap().header("content-length"), Some("0"));
}

#[tokio::test]
async fn a_gzipped_response_is_read() {
    // `[{"customerID":"5000"}]`, compressed with gzip.
    let zipped = [
        31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 139, 174, 86, 74, 46, 45, 46, 201, 207, 77, 45, 242, 116, 81, 178, 82, 50, 53,
        48, 48, 80, 170, 141, 5, 0, 18, 63, 181, 170, 23, 0, 0, 0,
    ];
    let server = Server::start(move |_| {
        let headers = vec![("content-type", "application/json".to_owned()), ("content-encoding", "gzip".to_owned())];
        Reply::Whole(200, headers, zipped.to_vec())
    })
    .await;
    let customers = show_of(&server).customers().list().send().await.unwrap();
    assert_eq!(customers[0].customer_id.as_deref(), Some("5000"));

    // A truncated body is an error instead of a short list.
    let server =
        Server::start(move |_| Reply::Whole(200, vec![("content-encoding", "gzip".to_owned())], zipped[..20].to_vec()))
            .await;
    let error = show_of(&server).customers().list().send().await.unwrap_err();
    assert!(error.to_string().contains("decompressed"), "{error}");

    // The error of a broken connection says so.
    let head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 99\r\n\r\n";
    let server = Server::start(move |_| Reply::Cut([head.as_slice(), &zipped[..20]].concat())).await;
    let error = show_of(&server).customers().list().send().await.unwrap_err();
    assert!(error.to_string().contains("within the response body"), "{error:?}");
}

#[tokio::test]
async fn the_bearer_goes_to_the_api_as_it_was_given() {
    let server = Server::start(|_| Reply::json(200, "[]")).await;
    let show = show_of(&server);
    show.customers().list().send().await.unwrap();
    let seen = server.seen();
    assert_eq!((seen[0].path.as_str(), seen[0].header("authorization")), ("/token", ""));
    assert_eq!((seen[1].path.as_str(), seen[1].header("authorization")), ("/Customer", "Bearer tok-0"));
}
