//! Exports from files.

#![allow(clippy::unwrap_used)]

#[path = "support/call.rs"]
mod call;

use std::fmt::Write;
use std::path::PathBuf;

use call::Caller;
use perenso_sandbox::{Error, Export, Sandbox};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn export(&self, definition: &Value) -> Result<Vec<Export>, Error> {
        Export::read(self.file("export.json", &definition.to_string()))
    }
}

async fn start(exports: Vec<Export>) -> (Sandbox, Caller) {
    let builder = exports.into_iter().fold(Sandbox::builder(), perenso_sandbox::Builder::export);
    let sandbox = builder.start().await.unwrap();
    let caller = Caller::new(&sandbox);
    (sandbox, caller)
}

async fn run(caller: &Caller, id: &str, values: Option<Value>) -> String {
    let request = caller.request(Method::POST, &format!("/Export/{id}"));
    let request = match values {
        Some(values) => request.json(&values),
        None => request.header("content-length", "0"),
    };
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    response.text().await.unwrap()
}

/// Returns the message of an error with its source.
fn told(error: &Error) -> String {
    format!("{error}: {}", std::error::Error::source(error).unwrap())
}

#[tokio::test]
async fn a_definition_appears_unchanged_in_the_catalog() {
    let folder = Folder::new();
    let parameters = json!([
        { "name": "Cursor", "dataType": "Integer", "description": "Which page" },
        { "name": "Limit", "dataType": "Integer" },
        { "name": "Colour", "dataType": "Colour" },
        { "name": "Since", "dataType": "DateTime" },
        { "name": "Name", "dataType": "Text" },
        { "name": "All", "dataType": "Boolean" },
    ]);
    let scans = json!({ "id": "b4dg3s", "name": "Badge Scans", "parameters": parameters });
    let (_sandbox, caller) = start(folder.export(&json!([scans, { "id": "e2", "name": "Two" }])).unwrap()).await;
    let (_, catalog) = caller.get("/Export").await;
    assert_eq!(catalog[3], scans);
    assert_eq!(catalog[4], json!({ "id": "e2", "name": "Two", "parameters": [] }));
    assert_eq!(run(&caller, "e2", None).await, "[]");
    let (status, refused) = caller.call(Method::POST, "/Export/b4dg3s", Some(json!({ "Colour": [1] }))).await;
    assert_eq!(status, 400);
    assert_eq!(refused["fields"], json!(["Cursor", "Limit", "Since", "Name", "All"]));
}

#[tokio::test]
async fn rows_keep_every_digit_in_every_syntax() {
    let text = r#"{
        "id": "e1", "name": "One",
        "rows": [
            { "zip": "0940", "fee": 12.50, "note": "a  b" },
            {
                "zip": "1", "fee": 123456789012345678901234567890, "note": null }
        ]"#;
    for (form, content_type, expected) in [
        (
            "",
            "application/json",
            r#"[{"zip":"0940","fee":12.50,"note":"a  b"},{"zip":"1","fee":123456789012345678901234567890,"note":null}]"#,
        ),
        (
            r#", "form": "lines", "content_type": "application/jsonl""#,
            "application/jsonl",
            "{\"zip\":\"0940\",\"fee\":12.50,\"note\":\"a  b\"}\n\
             {\"zip\":\"1\",\"fee\":123456789012345678901234567890,\"note\":null}\n",
        ),
        (r#", "form": "csv""#, "text/csv", "zip,fee,note\r\n0940,12.50,a  b\r\n1,123456789012345678901234567890,\r\n"),
    ] {
        let exports = Export::from_json(&format!("{text}{form}}}")).unwrap();
        let (_sandbox, caller) = start(exports).await;
        let request = caller.request(Method::POST, "/Export/e1").header("content-length", "0");
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-type"], content_type);
        assert_eq!(response.text().await.unwrap(), expected);
    }
}

#[tokio::test]
async fn rows_of_a_file_can_be_read_at_any_position_concurrently() {
    let folder = Folder::new();
    let (mut lines, mut table) = (String::from("\n"), String::from("n,text\n"));
    for number in 0..5000 {
        writeln!(lines, "{{\"n\":\"{number}\",\"text\":\"line\\n{number}\"}} ").unwrap();
        if number % 7 == 0 {
            lines.push('\n');
        }
        writeln!(table, "{number},\"line\n{number}\"").unwrap();
    }
    folder.file("rows.jsonl", &lines);
    folder.file("rows.ndjson", lines.trim_end());
    folder.file("rows.csv", &table);
    for file in ["rows.jsonl", "rows.ndjson", "rows.csv"] {
        let export = folder.export(&json!({
            "id": "e1", "name": "One", "rows_file": file, "cursor": "From", "limit": "Count",
            "parameters": [{ "name": "From", "dataType": "Integer" }, { "name": "Count", "dataType": "Integer" }],
        }));
        let (sandbox, caller) = start(export.unwrap()).await;
        sandbox.set_behavior(|behavior| behavior.cursor_is_offset = true);
        let page = async |from: usize, count: usize| {
            let text = run(&caller, "e1", Some(json!({ "From": from, "Count": count }))).await;
            let rows: Vec<Value> = serde_json::from_str(&text).unwrap();
            assert_eq!(rows.len(), count.min(5000_usize.saturating_sub(from)), "{file} {from}");
            for (row, number) in rows.iter().zip(from..) {
                assert_eq!(row, &json!({ "n": number.to_string(), "text": format!("line\n{number}") }), "{file}");
            }
        };
        for from in [4999, 0, 1023, 1024, 1025, 3000, 5000] {
            page(from, 3).await;
        }
        // Each response has its own position in the file.
        let (whole, late, later) = tokio::join!(page(0, 5000), page(2000, 2000), page(2048, 2048));
        assert_eq!((whole, late, later), ((), (), ()));
    }
}

#[tokio::test]
async fn csv_keeps_the_order_of_its_columns() {
    let folder = Folder::new();
    folder.file("rows.csv", "zip,city,age\n0940,\"Sample, Town\",\n");
    let definition = json!({ "id": "e1", "name": "One", "rows_file": "rows.csv", "form": "csv" });
    let (_sandbox, caller) = start(folder.export(&definition).unwrap()).await;
    assert_eq!(run(&caller, "e1", None).await, "zip,city,age\r\n0940,\"Sample, Town\",\r\n");
}

#[tokio::test]
async fn a_file_truncated_later_never_looks_complete() {
    let folder = Folder::new();
    let lines: String = (0..20_000).map(|number| format!("{{\"n\":{number}}}\n")).collect();
    let path = folder.file("rows.jsonl", &lines);
    let exports = folder.export(&json!({ "id": "e1", "name": "One", "rows_file": "rows.jsonl" })).unwrap();
    let (_sandbox, caller) = start(exports).await;
    std::fs::write(path, &lines[..lines.len() - 100]).unwrap();
    let request = caller.request(Method::POST, "/Export/e1").header("content-length", "0");
    // The connection may be closed before the first bytes are sent.
    if let Ok(response) = request.send().await {
        assert!(response.bytes().await.is_err());
    }
}

#[test]
fn mistakes_are_reported_with_their_position() {
    let folder = Folder::new();
    folder.file("broken.jsonl", "{\"n\":1}\n\n{\"secret\n");
    folder.file("letters.jsonl", "{\"n\":1}");
    std::fs::write(folder.0.path().join("letters.jsonl"), b"\"\xff\"").unwrap();
    folder.file("uneven.csv", "a,b\n1,2\n3\n");
    folder.file("rows.txt", "");
    for (definition, said) in [
        (json!({ "id": "e1", "name": "One", "row": [] }), "`row`"),
        (json!({ "id": "e1" }), "`name`"),
        (json!({ "name": "One" }), "`id`"),
        (json!({ "id": "", "name": "One" }), "the id must not be empty"),
        (json!({ "id": "a/b", "name": "One" }), "the id must not be empty or contain a slash"),
        (json!({ "id": "e1", "name": "One", "form": "xml" }), "`xml`"),
        (json!({ "id": "e1", "name": "One", "content_type": "a\nb" }), "content_type"),
        (json!({ "id": "e1", "name": "One", "parameters": [{ "name": "N", "data_type": "Text" }] }), "`data_type`"),
        (json!({ "id": "e1", "name": "One", "rows": [], "rows_file": "rows.csv" }), "exclude each other"),
        (json!({ "id": "e1", "name": "One", "rows_file": "broken.jsonl" }), "not JSON at line 3"),
        (json!({ "id": "e1", "name": "One", "rows_file": "letters.jsonl" }), "not JSON at line 1"),
        (json!({ "id": "e1", "name": "One", "rows_file": "uneven.csv" }), "line: 3"),
        (json!({ "id": "e1", "name": "One", "rows_file": "rows.txt" }), ".jsonl, .ndjson or .csv"),
    ] {
        let error = folder.export(&definition).unwrap_err();
        let told = told(&error);
        assert!(matches!(error, Error::Data { .. }) && told.contains(said), "{definition}: {told}");
        assert!(!told.contains("secret"), "{told}");
    }
    let missing = folder.export(&json!({ "id": "e1", "name": "One", "rows_file": "none.csv" })).unwrap_err();
    assert!(matches!(&missing, Error::File { path, .. } if path.ends_with("none.csv")), "{missing:?}");
    let missing = Export::read(folder.0.path().join("none.json")).unwrap_err();
    assert!(matches!(missing, Error::File { .. }), "{missing:?}");
}

#[test]
fn exports_from_json_cannot_name_files() {
    let definition = json!({ "id": "e1", "name": "One", "rows_file": "rows.csv" });
    let error = Export::from_json(&definition.to_string()).unwrap_err();
    assert!(told(&error).contains("rows_file"));
    let error = serde_json::from_value::<Export>(definition).unwrap_err();
    assert!(error.to_string().contains("rows_file"));
    let rows = json!({ "id": "e1", "name": "One", "rows": [{ "n": 1 }] });
    assert_eq!(serde_json::from_value::<Export>(rows).unwrap().id, "e1");
}
