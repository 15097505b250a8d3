//! Faults.

#![allow(clippy::unwrap_used)]

#[path = "support/call.rs"]
mod call;

use std::time::{Duration, Instant};

use call::Caller;
use perenso_sandbox::{Error, ErrorBody, Fault, Sandbox, Script, Step, Target};
use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn start() -> (Sandbox, Caller) {
    let sandbox = Sandbox::builder().customers(3).start().await.unwrap();
    let caller = Caller::new(&sandbox);
    (sandbox, caller)
}

/// Sends bytes on a new connection and reads until the server closes it.
async fn raw(sandbox: &Sandbox, request: &str) -> String {
    let address = sandbox.url().trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = Vec::new();
    let read = stream.read_to_end(&mut response);
    tokio::time::timeout(Duration::from_secs(10), read).await.unwrap().unwrap();
    String::from_utf8(response).unwrap()
}

/// Returns a request. With `close` it asks the server to close the connection.
fn post(sandbox: &Sandbox, close: bool) -> String {
    let token = sandbox.issue_token();
    let close = if close { "Connection: close\r\n" } else { "" };
    format!(
        "POST /Customer HTTP/1.1\r\nHost: x\r\n{close}Authorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}"
    )
}

#[tokio::test]
async fn statuses_apply_once_in_order() {
    let (sandbox, caller) = start().await;
    sandbox.fault(Fault::status(503).with_header("Retry-After", "7"));
    sandbox.fault(Fault::Status {
        code: 502,
        content_type: "text/html".into(),
        body: "<h1>Bad Gateway</h1>".into(),
        headers: Vec::new(),
    });
    let health = call::http::client().get(format!("{}/health", sandbox.url())).send();
    assert_eq!(health.await.unwrap().status(), 200);
    let post = || caller.request(Method::POST, "/Customer").json(&json!({})).send();
    let first = post().await.unwrap();
    assert_eq!(first.status(), 503);
    assert_eq!(first.headers()["retry-after"], "7");
    let second = post().await.unwrap();
    assert_eq!(second.status(), 502);
    assert_eq!(second.headers()["content-type"], "text/html");
    assert_eq!(second.text().await.unwrap(), "<h1>Bad Gateway</h1>");
    assert_eq!(sandbox.customers().len(), 3, "neither was processed");
    assert_eq!(post().await.unwrap().status(), 200);
    let statuses: Vec<_> = sandbox.journal().iter().map(|entry| entry.status).collect();
    assert_eq!(statuses, [Some(503), Some(502), Some(200)]);
}

#[tokio::test]
async fn an_invalid_status_is_reported() {
    let (sandbox, caller) = start().await;
    for code in [0, 99, 100, 1000] {
        sandbox.fault(Fault::status(code));
        let response = caller.request(Method::GET, "/Customer").send().await.unwrap();
        assert_eq!(response.status(), 500);
        assert!(response.text().await.unwrap().contains("not valid HTTP"));
    }
}

#[tokio::test]
async fn a_delay_delays() {
    let (sandbox, caller) = start().await;
    let delay = Duration::from_secs(2);
    sandbox.fault(Fault::Delay(delay));
    let begin = Instant::now();
    assert_eq!(caller.get("/Customer").await.0, 200);
    assert!(begin.elapsed() >= delay);
    let begin = Instant::now();
    caller.get("/Customer").await;
    assert!(begin.elapsed() < delay);
}

#[tokio::test]
async fn a_dropped_connection_is_not_processed() {
    let (sandbox, _) = start().await;
    sandbox.fault(Fault::DropConnection);
    assert_eq!(raw(&sandbox, &post(&sandbox, false)).await, "");
    assert_eq!(sandbox.customers().len(), 3);
    assert_eq!(sandbox.journal()[0].status, None);
    assert_eq!(sandbox.journal()[0].path, "/Customer");
}

#[tokio::test]
async fn a_dropped_response_is_processed() {
    let (sandbox, caller) = start().await;
    sandbox.fault(Fault::DropResponse);
    assert_eq!(raw(&sandbox, &post(&sandbox, false)).await, "");
    assert_eq!(sandbox.customers().len(), 4);
    assert_eq!(sandbox.journal()[0].status, None);
    assert!(sandbox.journal()[0].response_body.contains("\"id\""));

    sandbox.fault(Fault::DropResponse);
    let error = caller.request(Method::GET, "/Customer").send().await;
    assert!(error.is_err());
}

/// Sends bytes on a new connection, and returns what was received before the reset.
async fn until_reset(sandbox: &Sandbox, request: &str) -> String {
    let address = sandbox.url().trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = Vec::new();
    let read = stream.read_to_end(&mut response);
    let error = tokio::time::timeout(Duration::from_secs(10), read).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    String::from_utf8(response).unwrap()
}

#[tokio::test]
async fn a_reset_is_visible_and_not_processed() {
    let (sandbox, caller) = start().await;
    sandbox.fault(Fault::Reset);
    assert_eq!(until_reset(&sandbox, &post(&sandbox, false)).await, "");
    assert_eq!(sandbox.customers().len(), 3);
    assert_eq!(sandbox.journal()[0].status, None);
    assert_eq!(caller.get("/Customer").await.0, 200, "the next connection is not reset");
}

#[tokio::test]
async fn a_reset_response_is_processed() {
    let (sandbox, _) = start().await;
    sandbox.fault(Fault::ResetResponse);
    assert_eq!(until_reset(&sandbox, &post(&sandbox, true)).await, "");
    assert_eq!(sandbox.customers().len(), 4);
    assert_eq!(sandbox.journal()[0].status, None);
    assert!(sandbox.journal()[0].response_body.contains("\"id\""));
}

#[tokio::test]
async fn a_reset_also_applies_to_a_reused_connection() {
    let (sandbox, _) = start().await;
    sandbox.fault_after(1, Fault::Reset);
    let both = format!("{}{}", post(&sandbox, false), post(&sandbox, false));
    let address = sandbox.url().trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(both.as_bytes()).await.unwrap();
    let ended = async {
        while stream.read(&mut [0; 1024]).await? > 0 {}
        Ok::<(), std::io::Error>(())
    };
    let error = tokio::time::timeout(Duration::from_secs(10), ended).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(sandbox.customers().len(), 4, "the first one was done");
}

#[tokio::test]
async fn an_ordered_401_is_that_of_an_unknown_token_and_leaves_the_token_alone() {
    let (sandbox, caller) = start().await;
    let refused = |response: reqwest::Response| async {
        let challenge = response.headers()["www-authenticate"].to_str().unwrap().to_owned();
        (response.status().as_u16(), challenge, response.text().await.unwrap())
    };
    let get = || caller.request(Method::GET, "/Customer");
    let unknown = call::http::client().get(format!("{}/Customer", sandbox.url())).bearer_auth("unknown");
    let unknown = refused(unknown.send().await.unwrap()).await;
    sandbox.script(Step::new(Fault::Unauthorized).times(2));
    assert_eq!(refused(get().send().await.unwrap()).await, unknown);
    assert_eq!(refused(get().send().await.unwrap()).await, unknown);
    assert_eq!(get().send().await.unwrap().status(), 200);

    let ask = |secret: &str| {
        let form = [("grant_type", "client_credentials")];
        call::http::client().post(sandbox.token_url()).basic_auth(sandbox.client_id(), Some(secret)).form(&form).send()
    };
    let unknown = refused(ask("wrong").await.unwrap()).await;
    sandbox.token_fault(Fault::Unauthorized);
    assert_eq!(refused(ask(sandbox.client_secret()).await.unwrap()).await, unknown);
    assert_eq!(ask(sandbox.client_secret()).await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_429_says_how_long_in_seconds_or_until_when_by_the_clock_of_the_sandbox() {
    let (sandbox, caller) = start().await;
    let ahead = Duration::from_secs(1_000_000);
    sandbox.advance(ahead);
    let wait = Duration::from_secs(30);
    sandbox.fault(Fault::too_many_requests(wait));
    sandbox.fault(Fault::too_many_requests_until(wait));
    sandbox.fault("too_many_requests".parse().unwrap());
    let get = || caller.request(Method::POST, "/Customer").json(&json!({})).send();
    let header = |response: &reqwest::Response| {
        assert_eq!(response.status(), 429);
        response.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned())
    };
    let response = get().await.unwrap();
    assert_eq!(header(&response).as_deref(), Some("30"));
    assert_eq!(response.json::<serde_json::Value>().await.unwrap()["error"], "too_many_requests");
    let before = sandbox.clock().now();
    let date = header(&get().await.unwrap()).unwrap();
    let date = chrono::DateTime::parse_from_rfc2822(&date).unwrap().to_utc();
    assert!(date >= before + wait, "{date}");
    assert!(date <= sandbox.clock().now() + wait + Duration::from_secs(1), "{date}");
    assert_eq!(header(&get().await.unwrap()), None);
    assert_eq!(sandbox.customers().len(), 3, "none was processed");
}

#[tokio::test]
async fn faults_have_the_format_of_other_errors() {
    let (sandbox, caller) = start().await;
    sandbox.set_behavior(|behavior| behavior.error_body = ErrorBody::Empty);
    sandbox.fault(Fault::Unauthorized);
    sandbox.fault(Fault::too_many_requests(Duration::ZERO));
    for status in [401, 429] {
        let response = caller.request(Method::GET, "/Customer").send().await.unwrap();
        assert_eq!((response.status().as_u16(), response.text().await.unwrap().as_str()), (status, ""));
    }
}

#[tokio::test]
async fn a_header_requests_a_fault_for_its_own_request() {
    let (sandbox, caller) = start().await;
    sandbox.fault(Fault::status(500));
    let get = |fault: &str| caller.request(Method::GET, "/Customer").header("Sandbox-Fault", fault).send();
    assert_eq!(get("503").await.unwrap().status(), 503);
    let response = get(r#"{"status": 502, "body": "née", "headers": {"retry-after": 3}}"#).await.unwrap();
    assert_eq!((response.status().as_u16(), response.headers()["retry-after"].as_bytes()), (502, &b"3"[..]));
    assert_eq!(response.text().await.unwrap(), "née");
    assert!(get("drop_connection").await.is_err());
    assert!(get("cut_body").await.unwrap().text().await.is_err());
    assert_eq!(sandbox.faults().len(), 1, "the script has waited");
    assert_eq!(caller.get("/Customer").await.0, 500);

    let token = || call::http::client().post(sandbox.token_url()).header("sandbox-fault", "418");
    assert_eq!(token().header("content-length", "0").send().await.unwrap().status(), 418);
    let health = call::http::client().get(format!("{}/health", sandbox.url())).header("sandbox-fault", "503");
    assert_eq!(health.send().await.unwrap().status(), 200);
    assert_eq!(sandbox.journal()[0].header("sandbox-fault"), Some("503"));
}

#[tokio::test]
async fn an_invalid_fault_header_is_rejected_with_the_reason() {
    let (sandbox, caller) = start().await;
    for (fault, named) in [("cut_bdy", "cut_bdy"), (r#"{"delay": "x"}"#, "x"), ("", "EOF"), ("99", "99")] {
        let request = caller.request(Method::POST, "/Customer").json(&json!({})).header("Sandbox-Fault", fault);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 400);
        let body: serde_json::Value = response.json().await.unwrap();
        assert_eq!(body["error"], "invalid_fault");
        let message = body["message"].as_str().unwrap();
        assert!(message.starts_with("sandbox-fault: ") && message.contains(named), "{message}");
        assert!(message.contains("a fault is a status as `503`"), "{message}");
    }
    assert_eq!(sandbox.customers().len(), 3);
}

#[tokio::test]
async fn a_lost_refresh_response_can_be_scripted() {
    let (sandbox, _) = start().await;
    sandbox.script(Script::parse(r#"[{"fault": "drop_answer", "on": "refresh"}]"#).unwrap());
    let ask = |fields: Vec<(&'static str, String)>| {
        call::http::client()
            .post(sandbox.token_url())
            .basic_auth(sandbox.client_id(), Some(sandbox.client_secret()))
            .form(&fields)
            .send()
    };
    let first = ask(vec![("grant_type", "client_credentials".into())]).await.unwrap();
    let first: serde_json::Value = first.json().await.unwrap();
    let refresh = || {
        let token = first["refresh_token"].as_str().unwrap().to_owned();
        ask(vec![("grant_type", "refresh_token".into()), ("refresh_token", token)])
    };
    assert!(refresh().await.is_err());
    assert_eq!(refresh().await.unwrap().status(), 400, "the token was used up by the refresh whose response is lost");
    assert!(sandbox.faults().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_script_applies_to_the_exact_number_of_concurrent_calls() {
    let sandbox = Sandbox::builder().customers(1).unlimited().start().await.unwrap();
    sandbox.script([
        Step::new(Fault::status(503)).after(20).times(6),
        Step::new(Fault::Unauthorized).times(4),
        Step::new(Fault::status(500)).times(100).on(Target::call("POST", "/Customer")),
    ]);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let caller = Caller::new(&sandbox);
        tasks.spawn(async move {
            let mut statuses = Vec::new();
            for _ in 0..3 {
                statuses.push(caller.get("/Customer").await.0);
            }
            statuses
        });
    }
    let statuses = tasks.join_all().await.concat();
    let count = |status| statuses.iter().filter(|found| **found == status).count();
    assert_eq!((count(200), count(503), count(401), count(500)), (182, 6, 4, 0));
    assert_eq!(sandbox.faults().len(), 1, "what is for other calls stays");
    sandbox.clear_faults();
    assert!(sandbox.faults().is_empty());
}

#[tokio::test]
async fn a_reset_of_the_sandbox_clears_the_script() {
    let (sandbox, caller) = start().await;
    sandbox.script(Step::new(Fault::status(503)).always());
    assert_eq!(caller.get("/Customer").await.0, 503);
    assert_eq!(caller.get("/Customer").await.0, 503);
    sandbox.reset();
    assert!(sandbox.faults().is_empty());
}

#[tokio::test]
async fn a_cut_body_is_shorter_than_its_length() {
    let (sandbox, caller) = start().await;
    sandbox.fault(Fault::CutBody);
    let response = raw(&sandbox, &post(&sandbox, false)).await;
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    let promised: usize = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
    assert_eq!(promised, sandbox.journal()[0].response_body.len());
    assert_eq!(body.len(), promised / 2);
    assert!(sandbox.journal()[0].response_body.starts_with(body));

    sandbox.fault(Fault::CutBody);
    let response = caller.request(Method::GET, "/Customer").send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.text().await.is_err());
}

#[tokio::test]
async fn an_empty_body_is_a_success_without_content() {
    let (sandbox, caller) = start().await;
    sandbox.fault(Fault::EmptyBody);
    let response = caller.request(Method::POST, "/Customer").json(&json!({})).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.bytes().await.unwrap().len(), 0);
    assert_eq!(sandbox.customers().len(), 4);
}

#[tokio::test]
async fn token_faults_apply_to_token_requests_only() {
    let (sandbox, caller) = start().await;
    sandbox.token_fault(Fault::status(500));
    sandbox.token_fault(Fault::DropResponse);
    assert_eq!(caller.get("/Customer").await.0, 200);
    let ask = || {
        call::http::client()
            .post(sandbox.token_url())
            .basic_auth(sandbox.client_id(), Some(sandbox.client_secret()))
            .form(&[("grant_type", "client_credentials")])
            .send()
    };
    assert_eq!(ask().await.unwrap().status(), 500);
    assert!(ask().await.is_err());
    assert_eq!(ask().await.unwrap().status(), 200);
    assert_eq!(sandbox.token_requests().client_credentials, 3);
}

#[tokio::test]
async fn a_write_needs_a_length() {
    let (sandbox, _) = start().await;
    let token = sandbox.issue_token();
    let head = format!("Host: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n");
    for (line, extra, status) in [
        ("POST /Export/739da9", "", 411),
        ("POST /Export/739da9", "Content-Length: 0\r\n", 200),
        ("PUT /Customer/x", "", 411),
        ("POST /auth/oauth/token", "", 411),
        ("GET /Customer", "", 200),
        ("DELETE /Customer/x", "", 404),
    ] {
        let request = format!("{line} HTTP/1.1\r\n{head}{extra}\r\n");
        let response = raw(&sandbox, &request).await;
        assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{line}: {response}");
    }
    let chunked = format!(
        "POST /Customer HTTP/1.1\r\n{head}Content-Type: application/json\r\n\
         Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"
    );
    assert!(raw(&sandbox, &chunked).await.starts_with("HTTP/1.1 200 OK\r\n"));
}

#[tokio::test]
async fn an_endless_body_is_rejected() {
    let (sandbox, caller) = start().await;
    let request = caller.request(Method::POST, "/Customer").body(vec![b' '; 64 * 1024 * 1024 + 1]);
    // The server stops reading, so a broken connection may lose the response.
    if let Ok(response) = request.send().await {
        assert_eq!(response.status(), 413);
    }
    assert_eq!(sandbox.customers().len(), 3);
    assert_eq!(caller.get("/Customer").await.0, 200);
}

#[tokio::test]
async fn the_journal_records_requests_and_drops_the_oldest() {
    let builder = Sandbox::builder().customers(0).journal_cap(2);
    let sandbox = builder.start().await.unwrap();
    let caller = Caller::new(&sandbox);
    caller.get("/Export").await;
    caller.get("/customer?page=1").await;
    caller.call(Method::POST, "/Customer", Some(json!({ "customerID": "1" }))).await;
    let journal = sandbox.journal();
    assert_eq!(journal.len(), 2);
    assert_eq!((journal[0].method.as_str(), journal[0].path.as_str()), ("GET", "/customer?page=1"));
    assert_eq!(journal[0].response_body, "[]");
    assert_eq!(journal[1].body, r#"{"customerID":"1"}"#);
    assert_eq!(journal[1].header("authorization"), Some("Bearer ***"));
    assert_eq!(journal[1].header("content-type"), Some("application/json"));
    sandbox.clear_journal();
    assert_eq!(sandbox.journal().len(), 0);
}

#[tokio::test]
async fn a_stopped_or_dropped_sandbox_is_gone() {
    let (sandbox, caller) = start().await;
    let address = sandbox.url().trim_start_matches("http://").to_owned();
    assert_eq!(caller.get("/Customer").await.0, 200);
    sandbox.stop().await;
    assert!(TcpStream::connect(&address).await.is_err());
    assert!(caller.request(Method::GET, "/Customer").send().await.is_err());

    let (sandbox, _) = start().await;
    let address = sandbox.url().trim_start_matches("http://").to_owned();
    let mut idle = TcpStream::connect(&address).await.unwrap();
    // Makes sure that the server has accepted the connection.
    idle.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    idle.read_exact(&mut [0; 12]).await.unwrap();
    drop(sandbox);
    let mut rest = Vec::new();
    let read = idle.read_to_end(&mut rest);
    tokio::time::timeout(Duration::from_secs(5), read).await.unwrap().unwrap();
    assert!(TcpStream::connect(&address).await.is_err());
}

#[tokio::test]
async fn a_running_request_survives_a_stop() {
    let (sandbox, caller) = start().await;
    sandbox.fault(Fault::Delay(Duration::from_millis(300)));
    let call = tokio::spawn(async move { caller.get("/Customer").await.0 });
    while sandbox.journal().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    sandbox.stop().await;
    assert_eq!(call.await.unwrap(), 200);
}

#[tokio::test]
async fn other_machines_are_rejected_unless_allowed() {
    let anywhere = "0.0.0.0:0".parse().unwrap();
    let refused = Sandbox::builder().listen(anywhere).start().await;
    assert!(matches!(refused, Err(Error::NotLoopback(address)) if address == anywhere));
    let builder = Sandbox::builder().listen(anywhere).allow_remote();
    assert!(builder.start().await.is_ok());
    let taken = Sandbox::start().await.unwrap();
    let port: u16 = taken.url().rsplit(':').next().unwrap().parse().unwrap();
    let refused = Sandbox::builder().port(port).start().await;
    assert!(matches!(refused, Err(Error::Listen { .. })));
}

#[tokio::test]
async fn a_delayed_write_is_processed_after_the_client_gave_up() {
    let (sandbox, _) = start().await;
    sandbox.fault(Fault::Delay(Duration::from_millis(300)));
    let address = sandbox.url().trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(post(&sandbox, false).as_bytes()).await.unwrap();
    while sandbox.journal().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(sandbox.customers().len(), 3);
    drop(stream);
    let written = async {
        while sandbox.customers().len() == 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), written).await.unwrap();
    assert_eq!(sandbox.journal()[0].status, None, "nobody got the response");
}

#[tokio::test]
async fn a_wrong_content_length_is_reported() {
    let (sandbox, caller) = start().await;
    for length in ["3", "30", "5"] {
        sandbox.fault(Fault::Status {
            code: 200,
            content_type: String::new(),
            body: b"hello".to_vec(),
            headers: vec![("Content-Length".to_owned(), length.to_owned())],
        });
        let response = caller.request(Method::GET, "/Customer").send().await.unwrap();
        assert_eq!(response.status().as_u16(), if length == "5" { 200 } else { 500 }, "{length}");
    }
}

#[tokio::test]
async fn a_malformed_chunked_body_is_not_reported_as_too_long() {
    let (sandbox, _) = start().await;
    let token = sandbox.issue_token();
    let head = format!(
        "POST /Customer HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    let response = raw(&sandbox, &format!("{head}not a length\r\n{{}}\r\n0\r\n\r\n")).await;
    assert!(response.starts_with("HTTP/1.1 400 ") && response.contains("\"error\":\"broken_body\""), "{response}");
}

#[tokio::test]
async fn an_empty_body_does_not_turn_an_error_into_a_success() {
    let (sandbox, caller) = start().await;
    let id = sandbox.customers()[0]["id"].as_str().unwrap().to_owned();
    sandbox.revoke_tokens();
    sandbox.fault(Fault::EmptyBody);
    assert_eq!(caller.call(Method::DELETE, &format!("/Customer/{id}"), None).await.0, 401);
    assert_eq!(sandbox.customers().len(), 3);
}
