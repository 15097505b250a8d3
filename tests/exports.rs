//! Custom exports over real sockets: checks, runs and responses.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use chrono::{DateTime, Utc};
use httpmock::{Method::GET, Method::POST, MockServer};
use perenso::{
    CallErrorKind, ErrorKind, Perenso, RetryPolicy,
    exports::{ExportResponse, ParameterValue},
    types::Customer,
};
use perenso_sandbox::{Fault, RecordedRequest, Sandbox};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

fn client(url: &str, token_url: &str, id: &str, secret: &str) -> Perenso {
    Perenso::builder().client_id(id).client_secret(secret).api_url(url).token_url(token_url).build().unwrap()
}

async fn start() -> (Sandbox, Perenso) {
    let sandbox = Sandbox::start().await.unwrap();
    let show = client(sandbox.url(), &sandbox.token_url(), sandbox.client_id(), sandbox.client_secret());
    (sandbox, show)
}

fn calls(sandbox: &Sandbox, method: &str, path: &str) -> Vec<RecordedRequest> {
    let journal = sandbox.journal().into_iter();
    journal.filter(|request| request.method == method && request.path.starts_with(path)).collect()
}

#[tokio::test]
async fn the_catalog_is_printed_and_read_once() {
    let (sandbox, show) = start().await;
    let catalog = show.exports().catalog().await.unwrap();
    assert_eq!(
        catalog.to_string(),
        "Vendors (739da9)\n  no parameters\nGet API Customers (79aag9)\n  \
         Cursor  Integer  Index of the current set of paged customers\n  \
         Limit   Integer  Number of customers to return per export\n\
         Get Available Booths for Login (j96479)\n  no parameters"
    );
    let clone = show.with_options(perenso::CallOptions::new().deadline(Duration::from_secs(5)));
    clone.exports().catalog().await.unwrap();
    clone.exports().run("Vendors").send().await.unwrap();
    assert_eq!(calls(&sandbox, "GET", "/Export").len(), 1);
    show.exports().refresh().await.unwrap();
    assert_eq!(calls(&sandbox, "GET", "/Export").len(), 2);
}

#[tokio::test]
async fn an_export_runs_by_name_and_by_id() {
    let (sandbox, show) = start().await;
    let by_name =
        show.exports().run("Get API Customers").value("Cursor", 1).value("Limit", 15_u64).send().await.unwrap();
    let by_id = show.exports().run_id("79aag9").text("Cursor", "1").raw("Limit", 15).send().await.unwrap();
    let by_struct = show.exports().run_id("79aag9").values(&json!({"Cursor": 1, "Limit": 15})).send().await.unwrap();
    assert_eq!(by_name.content_type(), Some("application/json"));
    assert_eq!(by_name.rows::<Customer>().unwrap().len(), 15);
    assert_eq!((by_name.bytes(), by_name.bytes()), (by_id.bytes(), by_struct.bytes()));
    for run in calls(&sandbox, "POST", "/Export/79aag9") {
        assert_eq!(run.body, r#"{"Cursor":1,"Limit":15}"#);
        assert_eq!(run.header("content-type"), Some("application/json"));
    }
}

#[tokio::test]
async fn every_customer_is_read_once_page_by_page() {
    let (sandbox, show) = start().await;
    let mut ids = Vec::new();
    for cursor in 1.. {
        let run = show.exports().run("Get API Customers").value("Cursor", cursor).value("Limit", 20);
        let page: Vec<Value> = run.send().await.unwrap().rows().unwrap();
        if page.is_empty() {
            break;
        }
        ids.extend(page.into_iter().map(|row| row["id"].clone()));
    }
    let expected: Vec<Value> = sandbox.customers().into_iter().map(|customer| customer["id"].clone()).collect();
    assert_eq!(ids, expected);
}

#[tokio::test]
async fn a_mistake_is_caught_before_anything_is_sent() {
    let (sandbox, show) = start().await;
    show.exports().catalog().await.unwrap();
    sandbox.clear_journal();
    let run = || show.exports().run("Get API Customers");
    let quoted = run().value("Cursor", 1).value("Limit", "15").send().await.unwrap_err();
    assert_eq!(quoted.kind(), ErrorKind::Input);
    assert_eq!(
        quoted.problems(),
        ["`Limit`: expected Integer of 64 bits such as `15`, without quotes; found a string"]
    );
    let json = run().values(&json!({"Cursor": 1, "Limit": "15"})).send().await.unwrap_err();
    assert_eq!(json.problems(), quoted.problems());
    for (run, problems) in [
        (run(), 2),
        (run().value("Cursor", 1).value("Limit", u64::MAX), 1),
        (run().values(&json!({"Cursor": 1, "Limit": 15.0})), 1),
        (run().values(&json!({"Cursor": 1, "Limit": null})), 1),
        (run().value("Cursor", 1).value("Limit", 15).value("Cursor", 1), 1),
        (run().value("Cursor", 1).value("Limit", 15).values(&json!({"limit": 15})), 1),
        (run().text("Cursor", "+1").text("Limit", "15 "), 2),
        (run().values(&[1]), 3),
    ] {
        let shown = format!("{run:?}");
        let error = run.send().await.unwrap_err();
        assert_eq!((error.kind(), error.problems().len()), (ErrorKind::Input, problems), "{shown} {error}");
    }
    assert_eq!(sandbox.journal(), []);
}

#[tokio::test]
async fn the_catalog_is_read_again_for_an_unknown_export() {
    let (sandbox, show) = start().await;
    show.exports().catalog().await.unwrap();
    let error = show.exports().run("Get API Customer").send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Export);
    assert!(error.to_string().contains("there are `Get API Customers`, "), "{error}");
    assert_eq!(calls(&sandbox, "GET", "/Export").len(), 2);
    for id in ["739DA9", "", "..", "739da9/x"] {
        assert_eq!(show.exports().run_id(id).send().await.unwrap_err().kind(), ErrorKind::Export);
    }
    assert_eq!(calls(&sandbox, "POST", "/Export").len(), 0);
}

#[tokio::test]
async fn the_first_run_of_an_unknown_export_reads_the_catalog_once() {
    let (sandbox, show) = start().await;
    show.exports().run("Nothing").send().await.unwrap_err();
    assert_eq!(calls(&sandbox, "GET", "/Export").len(), 1);
}

#[tokio::test]
async fn the_catalog_is_read_again_after_the_server_rejects_a_run() {
    let (sandbox, show) = start().await;
    for (code, reads) in [(400, 1), (404, 2), (422, 3), (409, 4), (409, 4)] {
        show.exports().catalog().await.unwrap();
        assert_eq!(calls(&sandbox, "GET", "/Export").len(), reads, "{code}");
        sandbox.fault(Fault::status(code));
        let error = show.exports().run("Vendors").send().await.unwrap_err();
        assert_eq!(error.status().map(|status| status.as_u16()), Some(code));
        assert!(error.body().is_some_and(|body| body.starts_with(b"{")));
    }
}

#[tokio::test]
async fn a_run_without_parameters_has_an_empty_body() {
    let (sandbox, show) = start().await;
    let vendors = show.exports().run("Vendors").send().await.unwrap();
    assert_eq!(vendors.rows::<Value>().unwrap().len(), sandbox.vendors().len());
    let run = &calls(&sandbox, "POST", "/Export/739da9")[0];
    assert_eq!((run.header("content-length"), run.header("content-type")), (Some("0"), None));
    assert_eq!(run.body, "");
}

#[tokio::test]
async fn a_request_checked_by_a_saved_catalog_is_sent() {
    let (sandbox, show) = start().await;
    let saved = serde_json::to_string(&*show.exports().catalog().await.unwrap()).unwrap();
    sandbox.clear_journal();
    let catalog: perenso::exports::Catalog = serde_json::from_str(&saved).unwrap();
    let request = catalog.by_name("Get API Customers").unwrap().check([("Cursor", 2), ("Limit", 5)]).unwrap();
    let rows: Vec<Customer> = show.exports().send(request).await.unwrap().rows().unwrap();
    assert_eq!((rows.len(), sandbox.journal().len()), (5, 1));
}

#[tokio::test]
async fn an_empty_or_truncated_response_is_an_error() {
    let (sandbox, show) = start().await;
    let quick = show.with_options(perenso::CallOptions::new().retry(RetryPolicy::never()));
    show.exports().catalog().await.unwrap();
    sandbox.fault(Fault::EmptyBody);
    let empty = quick.exports().run("Vendors").send().await.unwrap();
    let error = empty.rows::<Value>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Response);
    assert!(error.to_string().contains("it is empty"), "{error}");
    sandbox.fault(Fault::CutBody);
    let error = quick.exports().run("Vendors").send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Call(CallErrorKind::Broken), "{error}");
}

/// A server with this catalog.
fn server(catalog: Value) -> (MockServer, Perenso) {
    let server = MockServer::start();
    server.mock(|when, then| {
        when.method(POST).path("/token");
        then.status(200).json_body(json!({"access_token": "t", "token_type": "bearer", "expires_in": 300}));
    });
    server.mock(|when, then| {
        when.method(GET).path("/Export");
        then.status(200).json_body(catalog);
    });
    let show = client(&server.base_url(), &server.url("/token"), "show", "secret");
    (server, show)
}

/// Runs the only export of a server that responds with this body.
async fn response(content_type: &str, body: &str) -> ExportResponse {
    let (server, show) = server(json!([{"id": "1", "name": "Zones", "parameters": null}]));
    server.mock(|when, then| {
        when.method(POST).path("/Export/1");
        then.status(200).header("content-type", content_type).body(body);
    });
    show.exports().run("Zones").send().await.unwrap()
}

#[tokio::test]
async fn the_content_type_selects_the_syntax_of_the_rows() {
    for (content_type, body) in [
        ("application/json", r#"[{"code":"0940","zone":"7"},{"code":"a,b","zone":""}]"#),
        ("application/x-ndjson", "{\"code\":\"0940\",\"zone\":\"7\"}\n{\"code\":\"a,b\",\"zone\":\"\"}\n"),
        ("text/csv; charset=utf-8", "code,zone\n0940,7\n\"a,b\",\n"),
    ] {
        let response = response(content_type, body).await;
        assert_eq!(response.content_type(), Some(content_type));
        assert_eq!(
            response.rows::<Value>().unwrap(),
            [json!({"code": "0940", "zone": "7"}), json!({"code": "a,b", "zone": ""})]
        );
    }
}

#[tokio::test]
async fn a_page_of_html_has_no_rows_and_is_not_shown() {
    let response = response("text/html", "<html>s3cr3t</html>").await;
    let error = response.rows::<Value>().unwrap_err();
    assert!(error.to_string().contains("of content type `text/html`"), "{error}");
    assert!(!format!("{error} {error:?} {response:?}").contains("s3cr3t"));
    assert_eq!(response.text().unwrap(), "<html>s3cr3t</html>");
}

#[tokio::test]
async fn two_exports_with_one_name_run_only_by_id() {
    let catalog = json!([
        {"id": "a", "name": "Zones", "parameters": []},
        {"id": "b/c", "name": "Zones", "parameters": []},
    ]);
    let (server, show) = server(catalog);
    let run = server.mock(|when, then| {
        when.method(POST).path("/Export/b%2Fc");
        then.status(200).header("content-type", "application/json").body("[]");
    });
    let error = show.exports().run("Zones").send().await.unwrap_err();
    assert_eq!((error.kind(), error.problems()), (ErrorKind::Export, &["`a`".to_owned(), "`b/c`".to_owned()][..]));
    run.assert_calls(0);
    show.exports().run_id("b/c").send().await.unwrap();
    run.assert_calls(1);
}

#[tokio::test]
async fn every_data_type_is_sent_in_the_format_of_the_guide() {
    let catalog = json!([{"id": "1", "name": "Sales", "parameters": [
        {"name": "Since", "dataType": "DateTime"},
        {"name": "Open", "dataType": "Boolean"},
        {"name": "City", "dataType": "Text"},
        {"name": "Total", "dataType": "Money"},
    ]}]);
    #[derive(serde::Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Sales {
        since: DateTime<Utc>,
        open: bool,
        city: &'static str,
    }
    let since = DateTime::parse_from_rfc3339("2022-10-31T10:00:00+01:00").unwrap();
    let (server, show) = server(catalog);
    let expected =
        json!({"Since": "2022-10-31T09:00:00Z", "Open": true, "City": "Exampleville", "Total": {"cents": 150}});
    let run = server.mock(|when, then| {
        when.method(POST).path("/Export/1").json_body(expected);
        then.status(200).header("content-type", "application/json").body("[]");
    });
    let total = || json!({"cents": 150});
    let one_by_one =
        show.exports().run("Sales").value("Since", since).value("Open", true).value("City", "Exampleville");
    one_by_one.raw("Total", total()).send().await.unwrap();
    let sales = Sales { since: since.to_utc(), open: true, city: "Exampleville" };
    show.exports().run("Sales").values(&sales).raw("Total", total()).send().await.unwrap();
    run.assert_calls(2);

    let unknown = show.exports().run("Sales").values(&sales).value("Total", 150).send().await.unwrap_err();
    assert!(unknown.problems()[0].contains("`Money`, a data type unknown to this version"), "{unknown}");
    let fraction = Sales { since: since.to_utc() + Duration::from_millis(1), ..sales };
    let error = show.exports().run("Sales").values(&fraction).raw("Total", total()).send().await.unwrap_err();
    assert!(error.problems()[0].ends_with("found a timestamp with a fraction of a second"), "{error}");
    assert!(!format!("{error} {:?}", ParameterValue::from("Exampleville")).contains("Exampleville"));
    run.assert_calls(2);
}

/// A chunked body that ends after a complete line. Only the missing last chunk reveals the truncation.
#[tokio::test]
async fn lines_that_break_off_between_two_rows_are_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut head = vec![0; 4096];
                let length = socket.read(&mut head).await.unwrap();
                let head = String::from_utf8_lossy(&head[..length]).into_owned();
                let json = |body: &str| {
                    let length = body.len();
                    format!(
                        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
                    )
                };
                let response = if head.contains("/token ") {
                    json(r#"{"access_token":"t","token_type":"bearer","expires_in":300}"#)
                } else if head.starts_with("GET ") {
                    json(r#"[{"id":"1","name":"Zones","parameters":[]}]"#)
                } else {
                    "HTTP/1.1 200 OK\r\ncontent-type: application/jsonl\r\ntransfer-encoding: chunked\r\n\r\n8\r\n{\"a\":1}\n\r\n".to_owned()
                };
                socket.write_all(response.as_bytes()).await.unwrap();
                socket.shutdown().await.unwrap();
            });
        }
    });
    let show = client(&url, &format!("{url}/token"), "show", "secret");
    let error = show.exports().run("Zones").send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Call(CallErrorKind::Broken), "{error}");
}
