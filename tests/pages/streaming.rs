//! Rows are returned before their page is complete.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::StreamExt;
use perenso::{
    CallErrorKind, ErrorKind,
    exports::{Cursor, Paging},
};
use perenso_sandbox::{DataType, Parameter, Rows, Sandbox};
use serde_json::json;

use crate::{
    builder, eventually,
    export::{Export, Thing, array, behind, cut, ids, numbered, page, part},
    read,
    server::Reply,
};

/// The next page is requested before this one ends, so that a slow reader and a slow server overlap.
#[tokio::test]
async fn the_next_page_is_asked_for_before_this_one_was_read_to_its_end() {
    let export = Export::start(|asked, _| match asked.cursor {
        1 => Reply::Stalled(part(0..10, 25)),
        _ => page(numbered(asked, 20, 10)),
    })
    .await;
    let mut pages = export.pages(Paging::by_page()).await;
    assert_eq!(pages.next().await.unwrap().unwrap().id, 0);
    eventually(|| export.asked() == [1, 2]).await;
    assert_eq!(pages.next().await.unwrap().unwrap().id, 1);
    assert_eq!((pages.cursor(), pages.report().pages), (Cursor::page(1, 2, 100), 0));
}

/// Pages of 100 MB, of which the sockets buffer a part. Neither this page nor the next one is read faster than its rows are
/// requested.
#[tokio::test]
async fn a_page_that_is_not_read_waits_with_the_server() {
    const PAGE: u64 = 100_000;
    let made = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&made);
    let rows = Rows::generated(2 * PAGE, move |id| {
        count.fetch_add(1, Ordering::Relaxed);
        json!({"id": id, "text": "x".repeat(1_000)})
    });
    let integer = |name| Parameter::new(name, DataType::Integer);
    let things =
        perenso_sandbox::Export::new("l4rge1", "Things").parameter(integer("Cursor")).parameter(integer("Limit"));
    let sandbox = Sandbox::builder().export(things.rows(rows)).unlimited().start().await.unwrap();
    let show = builder(sandbox.url(), &sandbox.token_url(), sandbox.client_id(), sandbox.client_secret());
    let show = show.build().unwrap();
    let paging = Paging::by_page().limit(PAGE as u32);
    let mut pages = show.exports().run("Things").pages::<Thing>(paging).await.unwrap();
    pages.next().await.unwrap().unwrap();
    // Both pages were requested; then the server stops generating rows.
    eventually(|| sandbox.journal().iter().filter(|call| call.path.starts_with("/Export/")).count() == 2).await;
    let mut before = 0;
    while made.load(Ordering::Relaxed) != before {
        before = made.load(Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(before < PAGE / 2, "{before} rows were made, and one was read");
}

#[tokio::test]
async fn rows_before_a_cut_are_returned_and_the_cursor_is_behind_them() {
    // A body has an opening bracket, and ten bytes for each row with its comma.
    for (bytes, by_page) in [(35, true), (35, false), (75, true)] {
        let export = Export::start(move |asked, _| {
            let rows = if by_page { numbered(asked, 45, 10) } else { behind(asked, 45, 10) };
            if rows.start == 20 { cut(rows, bytes) } else { page(rows) }
        })
        .await;
        let paging = if by_page { Paging::by_page() } else { Paging::by_offset() };
        let mut pages = export.pages(paging).await;
        let (rows, error) = read(&mut pages).await;
        assert_eq!(error.unwrap().kind(), ErrorKind::Call(CallErrorKind::Broken));
        let whole = (bytes as u64 - 1) / 10;
        assert_eq!(ids(&rows), (0..20 + whole).collect::<Vec<_>>());
        let expected = if by_page { Cursor::page(3, whole, 100) } else { Cursor::offset(20 + whole as i64) };
        assert_eq!(pages.cursor(), expected);
    }
}

#[tokio::test]
async fn a_row_that_differs_lets_go_of_all_that_follow() {
    let body = array([1, 2, 1, 1]);
    let part = format!("HTTP/1.1 200 X\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{body}");
    let part = part.trim_end_matches(']').to_owned() + ",";
    let export = Export::start(move |asked, _| match asked.cursor {
        1 => page([1, 1, 1, 1]),
        _ => Reply::Stalled(part.clone().into_bytes()),
    })
    .await;
    let pages = export.pages(Paging::by_page().rows_may_be_alike()).await;
    assert_eq!(pages.take(8).map(|row| row.unwrap().id).collect::<Vec<_>>().await, [1, 1, 1, 1, 1, 2, 1, 1]);
}

#[tokio::test]
async fn a_record_of_another_length_is_a_row_that_does_not_fit() {
    let export = Export::start(|asked, _| {
        let body = ["id\n0\n1\n", "id\n2\n3,3\n4\n", "id\n"][asked.cursor.unsigned_abs() as usize - 1];
        Reply::Whole(200, vec![("content-type", "text/csv".to_owned())], body.into())
    })
    .await;
    let mut pages = export.pages(Paging::by_page()).await;
    let mut seen = Vec::new();
    while let Some(row) = pages.next().await {
        match row {
            Ok(row) => seen.push(row.id),
            Err(error) => {
                assert_eq!((error.kind(), error.row()), (ErrorKind::Row, Some(2)), "{error}");
                assert!(error.to_string().starts_with("export_run: page 2, "), "{error}");
                assert_eq!(pages.cursor(), Cursor::page(2, 2, 100), "it counts as handed out");
            }
        }
    }
    assert_eq!((seen, pages.report().mismatches), (vec![0, 1, 2, 4], 1));
}

#[tokio::test]
async fn a_table_whose_records_cannot_be_read_does_not_come_for_ever() {
    let export = Export::start(|_, _| {
        Reply::Whole(200, vec![("content-type", "text/csv".to_owned())], b"id\n1,2\n1,2,3\n".to_vec())
    })
    .await;
    let (_, error) = read(&mut export.pages(Paging::by_page()).await).await;
    let error = error.unwrap();
    assert_eq!(error.kind(), ErrorKind::Paging, "{error}");
    assert!(error.to_string().contains("page 2 repeats page 1"), "{error}");
}

#[tokio::test]
async fn a_row_that_is_too_large_ends_the_stream_behind_those_before_it() {
    let export = Export::start(|asked, _| match asked.cursor {
        2 => Reply::json(200, format!(r#"[{{"id":10}},{{"id":11,"text":"{}"}}]"#, "x".repeat(100))),
        _ => page(numbered(asked, 10, 10)),
    })
    .await;
    let run = || export.show.exports().run("Things");
    for (run, paging, limit) in [
        (run(), Paging::by_page().row_limit(50), Some(50)),
        (run().row_limit(50), Paging::by_page(), Some(50)),
        (run().row_limit(5), Paging::by_page().row_limit(50), Some(50)),
        (run(), Paging::by_page(), None),
    ] {
        let mut pages = run.pages::<Thing>(paging).await.unwrap();
        let (rows, error) = read(&mut pages).await;
        let Some(limit) = limit else {
            assert_eq!((rows.len(), error.is_none()), (12, true), "{error:?}");
            continue;
        };
        let error = error.unwrap();
        assert_eq!((rows.len(), error.kind(), pages.cursor()), (11, ErrorKind::Response, Cursor::page(2, 1, 100)));
        assert!(error.to_string().contains(&format!("row 2 is larger than the limit of {limit} bytes")), "{error}");
    }
}
