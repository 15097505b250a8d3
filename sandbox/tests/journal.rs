//! The journal: recorded requests, masking, and limits.

#![allow(clippy::unwrap_used)]

#[path = "support/call.rs"]
mod call;

use std::time::Duration;

use call::Caller;
use perenso_sandbox::{Export, Fault, RecordedRequest, Rows, Sandbox, StandIn, Step};
use reqwest::Method;
use serde_json::{Value, json};

async fn start() -> (Sandbox, Caller) {
    let sandbox = Sandbox::builder().customers(3).start().await.unwrap();
    let caller = Caller::new(&sandbox);
    (sandbox, caller)
}

#[tokio::test]
async fn a_request_is_found_by_method_and_path_and_read_as_json() {
    let (sandbox, caller) = start().await;
    sandbox.advance(Duration::from_secs(200));
    let before = sandbox.clock().now();
    caller.call(Method::POST, "/v2/customers/bulk", Some(json!([{ "customerID": "1", "name": "née" }]))).await;
    caller.get("/Customer?page=1&resultsPerPage=2&sort=name%3Aasc").await;
    caller.get("/Customer/unknown").await;

    let sent = sandbox.requests("post", "/v2/customers/bulk/");
    assert_eq!(sent.len(), 1);
    let sent = &sent[0];
    assert_eq!(sent.json()[0]["name"], "née");
    assert!(sent.response_json()["failed"].is_array());
    assert_eq!((sent.status, sent.fault.as_deref(), sent.show.as_str()), (Some(200), None, sandbox.client_id()));
    assert_eq!(sent.header("Content-Type"), Some("application/json"));
    assert_eq!(sent.response_header("Content-Type"), Some("application/json"));
    assert_eq!((sent.header("x"), sent.response_header("x")), (None, None));
    assert!(sent.at >= before && sent.at <= sandbox.clock().now());
    assert!(!sent.body_is_cut && !sent.response_body_is_cut);

    let lists = sandbox.requests("GET", "/Customer");
    assert_eq!(lists.len(), 1, "neither the bulk call nor the customer");
    assert_eq!(lists[0].query("sort").as_deref(), Some("name:asc"));
    assert_eq!(lists[0].query("modifiedAfter"), None);
    assert_eq!(lists[0].json(), Value::Null);
    assert_eq!(sandbox.requests("GET", "/Customer/*")[0].response_json()["error"], "not_found");
    assert_eq!(sandbox.requests("GET", "/**").len(), 2);
}

#[tokio::test]
async fn an_entry_round_trips() {
    let (sandbox, caller) = start().await;
    sandbox.fault(Fault::DropResponse);
    sandbox.fault(Fault::status(503).with_header("x-two", "1").with_header("x-two", "2"));
    assert!(caller.request(Method::GET, "/Customer").send().await.is_err());
    caller.get("/Customer").await;
    let journal = sandbox.journal();
    let data = serde_json::to_string(&journal).unwrap();
    assert_eq!(serde_json::from_str::<Vec<RecordedRequest>>(&data).unwrap(), journal);
    let data: Value = serde_json::from_str(&data).unwrap();
    assert_eq!(data[0]["show"], sandbox.client_id());
    assert_eq!(data[0]["headers"]["authorization"], "Bearer ***");
    assert_eq!((&data[0]["fault"], &data[0]["status"]), (&json!("drop_answer"), &Value::Null));
    assert_eq!((&data[1]["fault"], &data[1]["status"]), (&json!("status"), &json!(503)));
    assert_eq!(data[1]["answer_headers"]["x-two"], json!(["1", "2"]));
}

#[tokio::test]
async fn the_fault_of_a_request_is_recorded_even_if_requested_by_header() {
    let (sandbox, caller) = start().await;
    sandbox.script([Step::new(Fault::Reset).after(1), Step::new(Fault::Unauthorized)]);
    caller.get("/Customer").await;
    assert!(caller.request(Method::GET, "/Customer").send().await.is_err());
    caller.get("/Customer").await;
    caller.request(Method::GET, "/Customer").header("sandbox-fault", "empty_body").send().await.unwrap();
    let faults: Vec<_> = sandbox.journal().into_iter().map(|entry| entry.fault.unwrap_or_default()).collect();
    assert_eq!(faults, ["", "reset", "unauthorized", "empty_body"]);
}

#[tokio::test]
async fn long_bodies_are_cut_and_marked() {
    let (sandbox, caller) = start().await;
    let kept = 64 * 1024;
    for (length, is_cut) in [(kept, false), (kept + 1, true)] {
        sandbox.clear_journal();
        let body = "x".repeat(length);
        caller.request(Method::POST, "/Customer").body(body).send().await.unwrap();
        sandbox.fault(Fault::Status {
            code: 200,
            content_type: String::new(),
            body: vec![b'y'; length],
            headers: Vec::new(),
        });
        caller.request(Method::GET, "/Customer").send().await.unwrap().bytes().await.unwrap();
        let journal = sandbox.journal();
        assert_eq!((journal[0].body.len(), journal[0].body_is_cut), (kept, is_cut), "{length}");
        assert_eq!((journal[1].response_body.len(), journal[1].response_body_is_cut), (kept, is_cut), "{length}");
    }
    // A body is never cut within a character.
    let body = format!("x{}", "é".repeat(kept / 2));
    caller.request(Method::POST, "/Customer").body(body).send().await.unwrap();
    let entry = sandbox.journal().pop().unwrap();
    assert_eq!((entry.body.len(), entry.body_is_cut), (kept - 1, true));
    assert!(entry.body.ends_with('é'));
    // Binary data is cut as well.
    caller.request(Method::POST, "/Customer").body(vec![0x80; kept + 10]).send().await.unwrap();
    assert!(sandbox.journal().pop().unwrap().body_is_cut);
}

#[tokio::test]
async fn a_long_token_request_shows_no_secret() {
    let (sandbox, _) = start().await;
    let filler = "x".repeat(64 * 1024);
    let client = call::http::client();
    let post =
        |kind: &str, body: String| client.post(sandbox.token_url()).header("content-type", kind).body(body).send();
    let form = format!("client_secret=s3cr3t&scope={filler}&client_secret=s3cr3t");
    post("application/x-www-form-urlencoded", form).await.unwrap();
    post("application/json", json!({ "client_secret": "s3cr3t", "scope": filler }).to_string()).await.unwrap();
    for entry in sandbox.journal() {
        assert!(
            !entry.body.contains("s3cr3t") && entry.body_is_cut && entry.body.len() <= 64 * 1024,
            "{}",
            entry.body.len()
        );
    }
}

#[tokio::test]
async fn tokens_and_cookies_in_responses_are_masked() {
    let (sandbox, caller) = start().await;
    let fault = |body: String, name: &str, value: &str| {
        Fault::Status { code: 200, content_type: "application/json".into(), body: body.into(), headers: Vec::new() }
            .with_header(name, value)
    };
    sandbox.fault(fault(r#"{"access_token": "s3cr3t"}"#.to_owned(), "set-cookie", "id=s3cr3t"));
    sandbox.fault(fault(format!(r#"{{"refresh_token": "s3cr3t", "x": "{}"}}"#, "x".repeat(70_000)), "x", "y"));
    sandbox.fault(fault(String::new(), "location", "http://localhost/back?code=s3cr3t&state=s3cr3t&scope=1"));
    for _ in 0..3 {
        caller.request(Method::GET, "/Customer").send().await.unwrap().bytes().await.unwrap();
    }
    let journal = sandbox.journal();
    assert!(!format!("{journal:?}").contains("s3cr3t"), "{journal:?}");
    assert_eq!(journal[0].response_json()["access_token"], "***");
    assert_eq!(journal[2].response_header("location"), Some("http://localhost/back?code=***&state=***&scope=1"));
}

#[tokio::test]
async fn a_streamed_response_is_not_recorded() {
    let rows = Rows::generated(100_000, |number| json!({ "number": number }));
    let export = Export::new("e", "Numbers").rows(rows);
    let sandbox = Sandbox::builder().export(export).start().await.unwrap();
    let caller = Caller::new(&sandbox);
    caller.call(Method::POST, "/Export/e", None).await;
    let entry = sandbox.requests("POST", "/Export/*").pop().unwrap();
    assert_eq!((entry.status, entry.response_body.as_str()), (Some(200), ""));
    assert_eq!(entry.response_header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn each_show_and_each_stand_in_has_its_own_journal() {
    let sandbox = Sandbox::builder().client_id("SPRING26").another_show("AUTUMN26").start().await.unwrap();
    let autumn = sandbox.show("AUTUMN26").unwrap();
    let call =
        |token: String| call::http::client().get(format!("{}/Customer", sandbox.url())).bearer_auth(token).send();
    call(autumn.issue_token()).await.unwrap();
    assert_eq!(sandbox.journal(), []);
    assert_eq!(autumn.requests("GET", "/Customer")[0].show, "AUTUMN26");
    autumn.reset();
    call(autumn.issue_token()).await.unwrap();
    assert_eq!(autumn.journal()[0].show, "AUTUMN26");

    let tourpaq = StandIn::tourpaq().start().await.unwrap();
    call::http::client().get(format!("{}/nowhere?page=2", tourpaq.api_url())).send().await.unwrap();
    let requests = tourpaq.requests("GET", "/nowhere");
    assert_eq!((requests.len(), requests[0].show.as_str()), (1, tourpaq.client_id()));
}

#[tokio::test]
async fn a_response_pending_at_a_reset_is_not_recorded_under_a_later_request() {
    let (sandbox, caller) = start().await;
    sandbox.fault(Fault::Delay(Duration::from_millis(500)));
    let slow = caller.request(Method::GET, "/Customer/none").send();
    let slow = tokio::spawn(slow);
    while sandbox.journal().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    sandbox.reset();
    caller.get("/health").await;
    let token = sandbox.issue_token();
    let list = format!("{}/Customer?page=1", sandbox.url());
    assert_eq!(call::http::client().get(list).bearer_auth(token).send().await.unwrap().status(), 200);
    assert_eq!(slow.await.unwrap().unwrap().status(), 401, "its token died with the reset");
    let journal = sandbox.journal();
    assert_eq!((journal.len(), journal[0].status), (1, Some(200)));
}

#[tokio::test]
async fn a_token_in_a_query_is_masked() {
    let (sandbox, caller) = start().await;
    caller.get("/Customer?page=1&access_token=hidden&sort=id%3Aasc").await;
    assert_eq!(sandbox.journal()[0].path, "/Customer?page=1&access_token=***&sort=id%3Aasc");
}
