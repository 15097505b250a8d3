//! Exports page by page over real sockets: no row is lost or duplicated, with any server behavior.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, unreachable_pub)]

mod ahead;
mod by_key;
#[path = "../facade/eventually.rs"]
mod eventually;
mod export;
mod faults;
mod input;
mod large;
mod log;
mod sandbox;
#[allow(dead_code)]
#[path = "../facade/server.rs"]
mod server;
mod streaming;

use std::time::Duration;

use eventually::eventually;
use futures_util::StreamExt;
use perenso::{
    Builder, Error, ErrorKind, Perenso, RetryPolicy,
    exports::{Cursor, Pages},
};

fn builder(url: &str, token_url: &str, id: &str, secret: &str) -> Builder {
    Perenso::builder()
        .client_id(id)
        .client_secret(secret)
        .api_url(url)
        .token_url(token_url)
        .unlimited()
        .retry(RetryPolicy::default().backoff(Duration::from_millis(2), Duration::from_millis(10)))
}

/// Returns all rows that fit, and the error that ended them.
async fn read<T: Send + 'static>(pages: &mut Pages<T>) -> (Vec<T>, Option<Error>) {
    let mut rows = Vec::new();
    while let Some(row) = pages.next().await {
        match row {
            Ok(row) => rows.push(row),
            Err(error) if error.kind() == ErrorKind::Row => {}
            Err(error) => {
                assert!(pages.next().await.is_none(), "an error is the end");
                return (rows, Some(error));
            }
        }
    }
    (rows, None)
}

/// Serialises and deserialises a cursor.
fn kept(cursor: Cursor) -> Cursor {
    serde_json::from_str(&serde_json::to_string(&cursor).unwrap()).unwrap()
}
