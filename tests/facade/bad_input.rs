//! Invalid input: a clear typed error without delay, without leaked or lost data.

use std::time::{Duration, Instant};

use perenso::{
    CallErrorKind, CallOptions, ClientAuth, Error, ErrorKind, Perenso, RetryPolicy, Timeouts,
    generated::{ClientAttendeeExt, ClientCustomerExt, ClientExportExt},
    types::{Customer, ExportDataType, ExportDescriptor},
};
use perenso_sandbox::{Fault, Sandbox};
use serde_json::{Value, json};

use crate::{
    SECRET, builder_for, builder_of, calls, is_call, lines, sandbox,
    server::{Reply, Server},
    show_of,
};

/// Returns all `Display` and `Debug` strings of an error and its sources.
fn texts(error: &Error) -> String {
    let mut text = format!("{error} {error:?} {error:#?}");
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(&format!("\n{error} {error:?}"));
        cause = error.source();
    }
    text
}

#[tokio::test]
async fn a_wrong_secret_is_refused_once_and_not_shown() {
    for (way, in_400) in [(ClientAuth::Body, false), (ClientAuth::Body, true), (ClientAuth::BasicPlain, false)] {
        let sandbox = Sandbox::start().await.unwrap();
        sandbox.set_behavior(|behavior| behavior.body_credentials_answer_400 = in_400);
        let show = builder_for(&sandbox).client_secret("wr0ng/s3cret").client_auth(way).build().unwrap();
        let error = show.customers().get("a1").await.unwrap_err();
        assert!(is_call(&error, CallErrorKind::Refused) && error.is_auth(), "{error:?}");
        assert_eq!(error.status().unwrap().as_u16(), if in_400 { 400 } else { 401 });
        assert!(!error.is_transient() && !error.is_not_found() && !error.may_have_written());
        assert!(!texts(&error).contains("wr0ng"), "{error:?}");
        assert!(show.customers().list().send().await.unwrap_err().is_auth());
        assert_eq!(sandbox.journal().len(), 1, "a rejection is a response, and is recorded");
    }
}

#[tokio::test]
async fn an_id_that_would_lead_elsewhere_is_refused_before_anything_is_sent() {
    let (sandbox, show) = sandbox(3).await;
    let warehouses = show.resource::<Value>("/Warehouse").unwrap();
    for id in ["", ".", "..", "a\nb", "\0", "a\u{7f}"] {
        let customers = show.customers();
        let record = Customer::default();
        let errors = [
            customers.get(id).await.unwrap_err(),
            customers.delete(id).await.unwrap_err(),
            customers.update(id, &record).await.unwrap_err(),
            show.attendees().get(id).await.unwrap_err(),
            warehouses.get(id).await.unwrap_err(),
            warehouses.delete(id).await.unwrap_err(),
            warehouses.update(id, &record).await.unwrap_err(),
            show.api().customer_update().id(id).body(record.clone()).send().await.unwrap_err(),
            show.api().attendee_get().id(id).send().await.unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind(), ErrorKind::Input, "{id:?}: {error:?}");
            assert!(error.to_string().contains("id"), "{error}");
        }
    }
    assert!(sandbox.journal().is_empty(), "not even for a token");
    assert_eq!(sandbox.customers().len(), 3);
}

#[tokio::test]
async fn any_other_id_arrives_encoded_once() {
    let (sandbox, show) = sandbox(0).await;
    for (id, encoded) in [
        ("a/b%c d", "a%2Fb%25c%20d"),
        ("%2F", "%252F"),
        ("../b", "..%2Fb"),
        ("a\\b", "a%5Cb"),
        ("é?#&+", "%C3%A9%3F%23%26%2B"),
        (" ", "%20"),
        ("...", "..."),
    ] {
        sandbox.clear_journal();
        sandbox.add_customer(json!({"id": id, "customerID": "5000"})).unwrap();
        let customers = show.customers();
        assert_eq!(customers.get(id).await.unwrap().id.as_deref(), Some(id));
        customers.update(id, &Customer { city: "New".into(), ..Customer::default() }).await.unwrap();
        let by_path = show.resource::<Value>("/Customer").unwrap();
        assert_eq!(by_path.get(id).await.unwrap()["city"], "New");
        by_path.update(id, &json!({"city": "Newer"})).await.unwrap();
        assert_eq!(show.api().customer_get().id(id).send().await.unwrap().city.as_deref(), Some("Newer"));
        by_path.delete(id).await.unwrap();
        assert!(customers.delete(id).await.unwrap_err().is_not_found());
        let paths: Vec<_> = calls(&sandbox).into_iter().map(|call| call.path).collect();
        assert_eq!(paths, vec![format!("/Customer/{encoded}"); 7]);
        assert!(sandbox.customers().is_empty());
    }
}

#[tokio::test]
async fn a_500_with_a_page_for_people() {
    let (sandbox, show) = sandbox(1).await;
    let page = Fault::Status {
        code: 500,
        content_type: "text/html".to_owned(),
        body: b"<html><h1>Oops, person@example.com</h1></html>".to_vec(),
        headers: vec![("x-request-id".to_owned(), "req-77".to_owned())],
    };
    for _ in 0..4 {
        sandbox.fault(page.clone());
    }
    let error = show.customers().get("a1").await.unwrap_err();
    assert!(is_call(&error, CallErrorKind::Status) && error.is_transient(), "{error:?}");
    assert_eq!((error.status().unwrap().as_u16(), error.attempts(), error.request_id()), (500, 4, Some("req-77")));
    assert!(error.to_string().contains("500") && error.to_string().contains("req-77"), "{error}");
    assert!(!texts(&error).contains("person@") && !texts(&error).contains("<html"), "{error:?}");
    assert!(String::from_utf8_lossy(error.body().unwrap()).contains("Oops"));
    assert!(!error.may_have_written(), "a read writes nothing");

    // An HTML page instead of JSON.
    let server =
        Server::start(|_| Reply::Whole(200, vec![("content-type", "text/html".to_owned())], b"<html>".to_vec())).await;
    let error = show_of(&server).customers().get("a1").await.unwrap_err();
    assert!(is_call(&error, CallErrorKind::Decode) && error.to_string().contains("text/html"), "{error}");
}

#[tokio::test]
async fn a_422_says_why_to_those_who_ask() {
    let (sandbox, show) = sandbox(0).await;
    sandbox.set_behavior(|behavior| behavior.check_references = true);
    let customer =
        Customer { warehouse_id: "WH-private".into(), email: "person@example.com".into(), ..Customer::default() };
    let error = show.customers().create(&customer).await.unwrap_err();
    assert!(is_call(&error, CallErrorKind::Status) && !error.is_transient(), "{error:?}");
    assert_eq!((error.status().unwrap().as_u16(), error.attempts(), error.may_have_written()), (422, 1, false));
    assert!(error.to_string().contains("body"), "it says where to look: {error}");
    assert!(!texts(&error).contains("WH-private"), "{error:?}");
    let body: Value = serde_json::from_slice(error.body().unwrap()).unwrap();
    assert!(body["message"].as_str().unwrap().contains("WH-private"), "{body}");
}

#[tokio::test]
async fn a_cut_body_is_never_a_short_one() {
    let (sandbox, show) = sandbox(20).await;
    sandbox.fault(Fault::CutBody);
    assert_eq!(show.customers().list().send().await.unwrap().len(), 20, "a read is sent again");
    let id = sandbox.customers()[0]["id"].as_str().unwrap().to_owned();
    for _ in 0..4 {
        sandbox.fault(Fault::CutBody);
    }
    let error = show.customers().get(id.as_str()).await.unwrap_err();
    assert!(
        is_call(&error, CallErrorKind::Broken) && error.to_string().contains("within the response body"),
        "{error:?}"
    );
    assert_eq!(error.attempts(), 4);
    sandbox.fault(Fault::CutBody);
    let error = show.customers().create(&Customer::default()).await.unwrap_err();
    assert!(is_call(&error, CallErrorKind::Broken) && error.may_have_written(), "{error:?}");
    assert_eq!((error.attempts(), sandbox.customers().len()), (1, 21), "a create is not");

    // Truncated JSON with a matching length.
    for cut in [r#"[{"customerID":"5000"}"#, r#"[{"customerID":"50"#, "[", r#"[{"customerID":"5000"}],"#] {
        let server = Server::start(move |_| Reply::json(200, cut)).await;
        let error = show_of(&server).customers().list().send().await.unwrap_err();
        assert!(is_call(&error, CallErrorKind::Decode), "{error:?}");
        assert!(!texts(&error).contains("50"), "{error:?}");
        assert_eq!(error.body(), Some(cut.as_bytes()));
    }
}

#[tokio::test]
async fn a_success_without_a_body_is_no_record() {
    let (sandbox, show) = sandbox(1).await;
    let id = sandbox.customers()[0]["id"].as_str().unwrap().to_owned();
    for call in 0..3 {
        sandbox.fault(Fault::EmptyBody);
        let error = match call {
            0 => show.customers().get(&id).await.unwrap_err(),
            1 => show.customers().list().send().await.unwrap_err(),
            _ => show.customers().create(&Customer::default()).await.unwrap_err(),
        };
        assert!(is_call(&error, CallErrorKind::Decode) && error.to_string().contains("empty"), "{error}");
        assert_eq!(error.may_have_written(), call == 2, "{error}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_the_token_stays() {
    let elsewhere = Server::start(|_| Reply::json(200, "[]")).await;
    for status in [301, 302, 307, 308] {
        let to = format!("{}/login?session=s3ss10n", elsewhere.url);
        let server = Server::start(move |_| Reply::status(status).with("location", &to)).await;
        let show = show_of(&server);
        let error = show.customers().create(&Customer::default()).await.unwrap_err();
        assert!(is_call(&error, CallErrorKind::Redirect), "{error:?}");
        assert!(error.to_string().contains(&format!("{}/login", elsewhere.url)), "{error}");
        assert!(!texts(&error).contains("s3ss10n"), "{error:?}");
        let error = show.customers().delete("a1").await.unwrap_err();
        assert!(is_call(&error, CallErrorKind::Redirect), "not deleted: {error:?}");
    }
    assert!(elsewhere.seen().is_empty());
}

#[test]
fn a_plain_address_gets_no_secret() {
    let plain = || Perenso::builder().client_id("SHOWID").client_secret(SECRET);
    let both = plain().api_url("http://api.example").token_url("http://id.example/token");
    let error = both.build().unwrap_err();
    assert_eq!((error.kind(), error.problems().len()), (ErrorKind::Config, 2), "{error}");
    assert!(error.to_string().contains(r#"allow_http("api.example")"#), "{error}");
    assert!(!texts(&error).contains(SECRET));
    let named = plain().api_url("http://api.example").token_url("https://id.example/token").allow_http("api.example");
    if cfg!(any(feature = "rustls", feature = "native-tls")) {
        named.build().unwrap();
        plain().build().unwrap();
    }
}

#[test]
fn everything_that_is_missing_is_named_at_once() {
    let builder = Perenso::builder().api_url("no address").client_secret("a").client_secret_file("/nowhere");
    let error = builder.build().unwrap_err();
    assert_eq!((error.kind(), error.operation(), error.problems().len()), (ErrorKind::Config, "client", 3), "{error}");
    for setter in ["client_id", "client_secret_file", "api_url"] {
        assert!(error.to_string().contains(setter), "{error}");
    }
    let error = Perenso::builder().client_id(" ").client_secret("").build().unwrap_err();
    assert_eq!(error.problems().len(), 2, "{error}");
    let error = Perenso::builder().client_id("a").client_secret_file("/nowhere").build().unwrap_err();
    assert!(error.to_string().contains("/nowhere"), "{error}");
}

#[tokio::test]
async fn an_error_page_of_100_mb_is_left_where_it_is() {
    let size = 100 << 20;
    let server = Server::start(move |_| Reply::Huge(500, size)).await;
    let show = builder_of(&server).retry(RetryPolicy::never()).build().unwrap();
    let started = Instant::now();
    let error = show.customers().get("a1").await.unwrap_err();
    assert!(is_call(&error, CallErrorKind::Status), "{error:?}");
    assert_eq!(error.body().unwrap().len(), 64 * 1024);
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    // At most the socket buffers were filled beyond that.
    assert!(server.written() < size / 4, "{} bytes were read", server.written());
}

#[tokio::test]
async fn a_response_that_is_too_large_is_left_where_it_is() {
    let server = Server::start(|_| Reply::Huge(200, 100 << 20)).await;
    let show = builder_of(&server).max_body_bytes(1 << 20).build().unwrap();
    let error = show.customers().create(&Customer::default()).await.unwrap_err();
    assert!(is_call(&error, CallErrorKind::TooLarge) && error.may_have_written(), "{error:?}");
    assert!(error.to_string().contains("1048576 bytes"), "{error}");
    assert!(server.written() < 25 << 20, "{} bytes were read", server.written());
}

#[tokio::test]
async fn a_server_that_never_responds_meets_a_deadline() {
    let server = Server::start(|_| Reply::Never).await;
    let limit = Duration::from_millis(100);
    let timeouts = Timeouts::default().attempt(limit).overall(Duration::from_secs(5));
    let show = builder_of(&server).timeouts(timeouts).build().unwrap();
    let started = Instant::now();
    let error = show.customers().create(&Customer::default()).await.unwrap_err();
    assert!(is_call(&error, CallErrorKind::Timeout) && error.is_timeout() && error.may_have_written(), "{error:?}");
    assert_eq!(error.attempts(), 1);
    let error = show.customers().get("a1").await.unwrap_err();
    assert_eq!((error.attempts(), error.may_have_written()), (4, false), "{error:?}");
    let quick = show.with_options(CallOptions::new().deadline(limit));
    let error = quick.customers().get("a1").await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_body_that_stops_coming_meets_a_limit() {
    let server = Server::start(|_| Reply::Stalled(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n[".to_vec())).await;
    let timeouts = Timeouts::default().idle(Duration::from_millis(100));
    let show = builder_of(&server).timeouts(timeouts).build().unwrap();
    let error = show.customers().list().send().await.unwrap_err();
    assert!(is_call(&error, CallErrorKind::Timeout), "{error:?}");
}

#[tokio::test]
async fn a_token_server_that_never_responds_meets_a_deadline() {
    let silent = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let sandbox = Sandbox::start().await.unwrap();
    let show = builder_for(&sandbox).token_url(format!("http://{}/token", silent.local_addr().unwrap()));
    let show = show.build().unwrap().with_options(CallOptions::new().deadline(Duration::from_millis(100)));
    let error = show.customers().list().send().await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    assert!(sandbox.journal().is_empty());
}

#[tokio::test]
async fn nobody_there_is_certainly_nothing_written() {
    let (sandbox, show) = sandbox(0).await;
    show.token(Duration::ZERO).await.unwrap();
    sandbox.stop().await;
    let error = show.customers().create(&Customer::default()).await.unwrap_err();
    assert!(is_call(&error, CallErrorKind::Connect) && error.is_transient() && !error.may_have_written(), "{error:?}");
    assert_eq!(error.attempts(), 4);
}

#[tokio::test]
async fn unknown_fields_of_a_response_are_kept() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/Export" => Reply::json(
            200,
            r#"[{"id":"1","name":"A","parameters":[{"name":"P","dataType":"Colour","unit":"nm"}],"more":[1]}]"#,
        ),
        _ => Reply::json(200, r#"[{"customerID":"5000","mood":"good","orderingGroups":[{"shade":7}]}]"#),
    })
    .await;
    let show = show_of(&server);
    let customers = show.customers().list().send().await.unwrap();
    assert_eq!(customers[0].extra["mood"], "good");
    assert_eq!(customers[0].ordering_groups.as_slice()[0].extra["shade"], 7);
    let exports: Vec<ExportDescriptor> = show.api().export_list().send().await.unwrap().into_inner();
    assert_eq!(exports[0].parameters[0].data_type, ExportDataType::Other("Colour".to_owned()));
    assert_eq!(serde_json::to_value(&exports[0]).unwrap()["parameters"][0]["dataType"], "Colour");
}

#[tokio::test]
async fn a_field_of_the_wrong_kind_is_named_and_not_quoted() {
    let server =
        Server::start(|_| Reply::json(200, r#"[{},{"customerID":"5000","salesReps":["A",{"name":"Private"}]}]"#)).await;
    let error = show_of(&server).customers().list().send().await.unwrap_err();
    assert!(is_call(&error, CallErrorKind::Decode), "{error:?}");
    assert!(error.to_string().contains("[1].salesReps[1]"), "{error}");
    assert!(!texts(&error).contains("Private"), "{error:?}");
    assert!(error.body().unwrap().starts_with(b"[{}"));
}

#[tokio::test]
async fn a_call_that_the_sandbox_does_not_do_says_so() {
    let (sandbox, show) = sandbox(0).await;
    let error = show.resource::<Value>("/CustomerClass").unwrap().list().send().await.unwrap_err();
    assert!(is_call(&error, CallErrorKind::Status) && error.status().unwrap() == 501, "{error:?}");
    assert_eq!((error.attempts(), lines(&sandbox).len()), (1, 1), "501 does not pass");
}
