//! Faults and compression of response bodies.

#![allow(clippy::unwrap_used)]

#[path = "support/call.rs"]
mod call;

use std::time::{Duration, Instant};

use call::Caller;
use perenso_sandbox::{DeleteResponse, Export, Fault, Rows, Sandbox};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const SHORT: &str = "/Export/sh0rt1";
const LONG: &str = "/Export/l0ng01";
/// The response of the short export.
const TEXT: &str = r#"[{"number":0},{"number":1}]"#;

fn rows(count: u64) -> Rows {
    Rows::generated(count, |number| json!({ "number": number }))
}

async fn start() -> (Sandbox, Caller) {
    let builder = Sandbox::builder()
        .export(Export::new("sh0rt1", "Short").rows(rows(2)))
        .export(Export::new("l0ng01", "Long").rows(rows(8_000)));
    let sandbox = builder.start().await.unwrap();
    let caller = Caller::new(&sandbox);
    (sandbox, caller)
}

fn long() -> Vec<u8> {
    let rows: Vec<Value> = (0..8_000).map(|number| json!({ "number": number })).collect();
    serde_json::to_vec(&rows).unwrap()
}

fn post(path: &str) -> String {
    format!("POST {path}")
}

/// Sends a request on a new connection and reads until the server closes it. Returns the head and the rest.
async fn raw(sandbox: &Sandbox, request: &str, header: &str) -> (String, Vec<u8>) {
    let token = sandbox.issue_token();
    let request =
        format!("{request} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: 0\r\n{header}\r\n");
    let mut stream = TcpStream::connect(sandbox.url().trim_start_matches("http://")).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = Vec::new();
    let read = stream.read_to_end(&mut response);
    tokio::time::timeout(Duration::from_secs(30), read).await.unwrap().unwrap();
    let end = response.windows(4).position(|part| part == b"\r\n\r\n").unwrap();
    (String::from_utf8(response[..end].to_vec()).unwrap(), response[end + 4..].to_vec())
}

/// Returns the sizes of the chunks, their content, and whether the last one was received.
fn chunks(mut body: &[u8]) -> (Vec<usize>, Vec<u8>, bool) {
    let (mut sizes, mut content) = (Vec::new(), Vec::new());
    while let Some(end) = body.windows(2).position(|part| part == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&body[..end]).unwrap(), 16).unwrap();
        if size == 0 {
            return (sizes, content, true);
        }
        sizes.push(size);
        content.extend_from_slice(&body[end + 2..end + 2 + size]);
        body = &body[end + 4 + size..];
    }
    (sizes, content, false)
}

async fn run(caller: &Caller, path: &str) -> reqwest::Result<Vec<u8>> {
    let response = caller.request(Method::POST, path).header("content-length", "0").send().await?;
    assert_eq!(response.status(), 200);
    Ok(response.bytes().await?.into())
}

#[tokio::test]
async fn a_body_is_cut_after_a_number_of_bytes_without_a_last_chunk() {
    let (sandbox, caller) = start().await;
    let long = long();
    for (path, whole) in [(SHORT, TEXT.as_bytes()), (LONG, &long)] {
        for after in [0, 1, 10, whole.len() - 1, whole.len(), whole.len() + 1, usize::MAX] {
            sandbox.fault(Fault::CutAfter(after as u64));
            let (head, body) = raw(&sandbox, &post(path), "").await;
            assert!(head.starts_with("HTTP/1.1 200 OK") && head.contains("transfer-encoding: chunked"), "{head}");
            let (_, content, has_end) = chunks(&body);
            assert!(!has_end, "{path} {after}");
            assert!(content == whole[..after.min(whole.len())], "{path} {after}: {} bytes", content.len());
            sandbox.fault(Fault::CutAfter(after as u64));
            assert!(run(&caller, path).await.is_err(), "{path} {after}");
        }
        assert!(run(&caller, path).await.unwrap() == whole);
    }
}

#[tokio::test]
async fn a_cut_response_was_processed() {
    let (sandbox, caller) = start().await;
    sandbox.fault(Fault::CutAfter(1));
    let create = caller.request(Method::POST, "/Customer").json(&json!({ "customerID": "cut" })).send();
    assert!(create.await.unwrap().text().await.is_err());
    assert_eq!(sandbox.customers().last().unwrap()["customerID"], "cut");
    assert!(sandbox.journal()[0].response_body.contains("\"cut\""));
    let id = sandbox.customers()[0]["id"].as_str().unwrap().to_owned();
    sandbox.fault(Fault::CutAfter(0));
    let delete = caller.request(Method::DELETE, &format!("/Customer/{id}")).send();
    assert!(delete.await.unwrap().text().await.is_err());
}

#[tokio::test]
async fn faults_apply_to_long_bodies() {
    let (sandbox, caller) = start().await;
    let long = long();
    sandbox.fault(Fault::CutBody);
    let (head, body) = raw(&sandbox, &post(LONG), "").await;
    let length = format!("content-length: {}", long.len());
    assert!(head.contains(&length), "{head}");
    assert!(body == long[..long.len() / 2]);
    sandbox.fault(Fault::EmptyBody);
    assert_eq!(run(&caller, LONG).await.unwrap(), b"");
    sandbox.fault(Fault::DropResponse);
    assert!(run(&caller, LONG).await.is_err());
    sandbox.fault(Fault::Delay(Duration::from_millis(1)));
    assert!(run(&caller, LONG).await.unwrap() == long);
}

#[tokio::test]
async fn a_body_is_sent_in_pieces_of_any_size() {
    let (sandbox, caller) = start().await;
    for (piece, sizes) in [(0, vec![1; 27]), (1, vec![1; 27]), (10, vec![10, 10, 7]), (27, vec![27]), (99, vec![27])] {
        sandbox.fault(Fault::Slow { piece, pause: Duration::ZERO });
        let (head, body) = raw(&sandbox, &post(SHORT), "Connection: close\r\n").await;
        assert!(head.contains("transfer-encoding: chunked"), "{head}");
        assert_eq!(chunks(&body), (sizes, TEXT.as_bytes().to_vec(), true));
    }
    sandbox.fault(Fault::Slow { piece: 1, pause: Duration::ZERO });
    assert!(run(&caller, LONG).await.unwrap() == long());
    // Every piece contains rows.
    sandbox.fault(Fault::Slow { piece: 40_000, pause: Duration::ZERO });
    let (_, body) = raw(&sandbox, &post(LONG), "Connection: close\r\n").await;
    let (sizes, content, has_end) = chunks(&body);
    assert!(has_end && content == long() && sizes.iter().all(|size| *size <= 40_000), "{sizes:?}");
}

#[tokio::test]
async fn every_piece_is_delayed() {
    let (sandbox, caller) = start().await;
    let pause = Duration::from_millis(100);
    sandbox.fault(Fault::Slow { piece: 6, pause });
    let begin = Instant::now();
    let mut response = caller.request(Method::POST, SHORT).header("content-length", "0").send().await.unwrap();
    let mut read = Vec::new();
    let mut pieces = 0;
    while let Some(piece) = response.chunk().await.unwrap() {
        read.extend_from_slice(&piece);
        pieces += 1;
        assert!(begin.elapsed() >= pause * (read.len() as u32).div_ceil(6), "{pieces}");
    }
    assert_eq!((read.as_slice(), pieces), (TEXT.as_bytes(), 5));
    // Advancing the sandbox's clock does not shorten it.
    sandbox.fault(Fault::Slow { piece: 27, pause });
    let begin = Instant::now();
    sandbox.advance(Duration::from_secs(100));
    assert_eq!(run(&caller, SHORT).await.unwrap(), TEXT.as_bytes());
    assert!(begin.elapsed() >= pause);
}

#[tokio::test]
async fn an_html_page_interrupts_paging() {
    let builder = Sandbox::builder().export(Export::order_lines(6));
    let sandbox = builder.start().await.unwrap();
    let caller = Caller::new(&sandbox);
    sandbox.fault_after(1, Fault::page(200));
    sandbox.fault_after(0, Fault::page(500));
    let page = async |cursor: u64| {
        let request = caller.request(Method::POST, "/Export/ol26pg").json(&json!({ "Cursor": cursor, "Limit": 3 }));
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let content_type = response.headers()["content-type"].to_str().unwrap().to_owned();
        (status, content_type, response.text().await.unwrap())
    };
    let (status, content_type, rows) = page(1).await;
    assert_eq!((status, content_type.as_str()), (200, "application/json"));
    assert_eq!(serde_json::from_str::<Vec<Value>>(&rows).unwrap().len(), 3);
    for code in [200, 500] {
        let (status, content_type, html) = page(2).await;
        assert_eq!((status, content_type.as_str()), (code, "text/html; charset=utf-8"));
        assert!(html.starts_with("<!DOCTYPE html>") && html.contains(&code.to_string()), "{html}");
    }
    assert!(page(2).await.2.starts_with(r#"[{"lineID":4,"#));
}

#[tokio::test]
async fn responses_are_compressed_if_switched_on_and_accepted() {
    let (sandbox, caller) = start().await;
    let long = long();
    let encoded = |head: &str| head.to_ascii_lowercase().contains("content-encoding: gzip");
    let close = |accept: &str| format!("Connection: close\r\n{accept}");
    for on in [false, true] {
        sandbox.set_behavior(|behavior| behavior.gzip = on);
        for (accept, accepts) in [
            ("Accept-Encoding: gzip\r\n", true),
            ("Accept-Encoding: br, gzip;q=0.5\r\n", true),
            ("Accept-Encoding: gzip;q=0\r\n", false),
            ("Accept-Encoding: br\r\n", false),
            ("", false),
        ] {
            let (head, body) = raw(&sandbox, &post(LONG), &close(accept)).await;
            assert_eq!(encoded(&head), on && accepts, "{on} {accept}");
            let (_, content, has_end) = chunks(&body);
            assert!(has_end);
            assert_eq!(content == long, !(on && accepts));
            assert_eq!(content.starts_with(&[0x1F, 0x8B]) && content.len() < long.len() / 2, on && accepts);
        }
        assert!(encoded(&raw(&sandbox, &post(SHORT), &close("Accept-Encoding: gzip\r\n")).await.0) == on);
        // This client does not accept gzip.
        assert!(run(&caller, LONG).await.unwrap() == long);
        assert_eq!(run(&caller, SHORT).await.unwrap(), TEXT.as_bytes());
        assert_eq!(caller.get("/Customer?page=1&resultsPerPage=3").await.1.as_array().unwrap().len(), 3);
    }
}

#[tokio::test]
async fn a_response_without_a_body_is_not_compressed() {
    let (sandbox, _) = start().await;
    sandbox.set_behavior(|behavior| behavior.gzip = true);
    for (index, response) in [DeleteResponse::NoContent, DeleteResponse::EmptyOk].into_iter().enumerate() {
        sandbox.set_behavior(|behavior| behavior.delete_answer = response);
        let id = sandbox.customers()[index]["id"].as_str().unwrap().to_owned();
        let header = "Connection: close\r\nAccept-Encoding: gzip\r\n";
        let (head, body) = raw(&sandbox, &format!("DELETE /Customer/{id}"), header).await;
        assert!(head.starts_with("HTTP/1.1 20") && !head.contains("content-encoding"), "{head}");
        assert_eq!(body, b"");
    }
}

#[tokio::test]
async fn a_compressed_body_can_be_cut_and_slowed_down() {
    let (sandbox, caller) = start().await;
    sandbox.set_behavior(|behavior| behavior.gzip = true);
    sandbox.fault(Fault::Slow { piece: 1, pause: Duration::ZERO });
    assert!(run(&caller, LONG).await.unwrap() == long());
    for fault in [Fault::CutAfter(1000), Fault::CutBody] {
        sandbox.fault(fault);
        assert!(run(&caller, LONG).await.is_err());
    }
    sandbox.fault(Fault::CutAfter(1000));
    let (_, body) = raw(&sandbox, &post(LONG), "Accept-Encoding: gzip\r\n").await;
    let (_, content, has_end) = chunks(&body);
    assert!(!has_end && content.len() == 1000 && content.starts_with(&[0x1F, 0x8B]));
}
