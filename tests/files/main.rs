//! Exports written to files, over real sockets.

#![allow(clippy::unwrap_used)]

mod columns;
mod csv;
mod empty;
mod json_lines;
mod omitted;
#[cfg(feature = "parquet")]
mod parquet;
mod place;
mod progress;
#[cfg(feature = "parquet")]
mod readback;
#[cfg(feature = "xlsx")]
mod xlsx;

use std::{fs, path::PathBuf};

use httpmock::{Method::GET, Method::POST, MockServer};
use perenso::{
    Perenso,
    exports::{RawRow, Rows},
};
use serde_json::json;
use tempfile::TempDir;

/// Returns the rows of an export with this response.
async fn rows(content_type: &str, body: impl AsRef<[u8]>) -> Rows<RawRow> {
    let server = MockServer::start_async().await;
    server.mock(|when, then| {
        when.method(POST).path("/token");
        then.status(200).json_body(json!({"access_token": "t", "token_type": "bearer", "expires_in": 300}));
    });
    server.mock(|when, then| {
        when.method(GET).path("/Export");
        then.status(200).json_body(json!([{"id": "1", "name": "Lines", "parameters": []}]));
    });
    server.mock(|when, then| {
        when.method(POST).path("/Export/1");
        then.status(200).header("content-type", content_type).body(body);
    });
    let show = Perenso::builder().client_id("show").client_secret("s3cr3t");
    let show = show.api_url(server.base_url()).token_url(server.url("/token")).build().unwrap();
    show.exports().run("Lines").rows().await.unwrap()
}

/// Returns rows received as JSON lines.
async fn json(lines: impl AsRef<[u8]>) -> Rows<RawRow> {
    rows("application/x-ndjson", lines).await
}

/// Returns rows received as CSV.
async fn table(text: &str) -> Rows<RawRow> {
    rows("text/csv", text).await
}

/// A temporary directory of the test.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Lists the directory, including hidden files.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}
