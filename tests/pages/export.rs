//! A server with one export of numbered rows, whose responses a test defines.

use std::{collections::HashSet, ops::Range};

use perenso::{
    Perenso,
    exports::{Pages, Paging},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    builder,
    server::{Reply, Seen, Server},
};

/// A row of the export.
#[derive(Debug, Deserialize, PartialEq)]
pub struct Thing {
    pub id: u64,
}

/// The values of a run.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "PascalCase")]
pub struct Asked {
    pub cursor: i64,
    pub limit: i64,
}

/// A server with one export, and a client of it.
pub struct Export {
    pub server: Server,
    pub show: Perenso,
}

impl Export {
    /// Starts a server that responds to each run with the result of `answer`.
    pub async fn start(response: impl Fn(Asked, &Seen) -> Reply + Send + Sync + 'static) -> Self {
        let server = Server::start(move |seen| match seen.method.as_str() {
            "GET" => Reply::json(
                200,
                json!([{"id": "1", "name": "Things", "parameters": [
                    {"name": "Cursor", "dataType": "Integer"}, {"name": "Limit", "dataType": "Integer"}]}])
                .to_string(),
            ),
            _ => response(serde_json::from_str(&seen.body).unwrap(), seen),
        })
        .await;
        let show = builder(&server.url, &format!("{}/token", server.url), "SHOWID", "secret").build().unwrap();
        Self { server, show }
    }

    pub async fn pages(&self, paging: Paging) -> Pages<Thing> {
        self.show.exports().run("Things").pages(paging).await.unwrap()
    }

    /// Returns the cursors of the runs so far, in order.
    pub fn asked(&self) -> Vec<i64> {
        self.runs().map(|run| run.cursor).collect()
    }

    pub fn runs(&self) -> impl Iterator<Item = Asked> {
        let runs = self.server.calls().into_iter().filter(|seen| seen.method == "POST");
        runs.map(|seen| serde_json::from_str(&seen.body).unwrap())
    }
}

/// Returns the rows of a page by its number, with a maximum page size.
pub fn numbered(asked: Asked, total: u64, cap: u64) -> Range<u64> {
    let size = cap.min(asked.limit.unsigned_abs());
    let first = (asked.cursor.unsigned_abs() - 1) * size;
    first.min(total)..(first + size).min(total)
}

/// Returns the rows of a page by its offset, with a maximum page size.
pub fn behind(asked: Asked, total: u64, cap: u64) -> Range<u64> {
    let first = asked.cursor.unsigned_abs();
    first.min(total)..(first + cap.min(asked.limit.unsigned_abs())).min(total)
}

pub fn array(rows: impl IntoIterator<Item = u64>) -> String {
    Value::from_iter(rows.into_iter().map(|id| json!({"id": id}))).to_string()
}

pub fn page(rows: impl IntoIterator<Item = u64>) -> Reply {
    Reply::json(200, array(rows))
}

/// Returns a response with the first `bytes` of its body, after which the connection is closed.
pub fn cut(rows: Range<u64>, bytes: usize) -> Reply {
    Reply::Cut(part(rows, bytes))
}

/// Returns the head of a complete page, and the first `bytes` of its body.
pub fn part(rows: Range<u64>, bytes: usize) -> Vec<u8> {
    let body = array(rows);
    let head = format!("HTTP/1.1 200 X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), &body.as_bytes()[..bytes]].concat()
}

pub fn ids(things: &[Thing]) -> Vec<u64> {
    things.iter().map(|thing| thing.id).collect()
}

#[track_caller]
pub fn assert_once(things: &[Thing], total: u64) {
    let ids = ids(things);
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len(), "none doubled");
    assert!(ids.iter().copied().eq(0..total), "all, in their order: {} of {total}", ids.len());
}
