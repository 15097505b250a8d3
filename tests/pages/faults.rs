//! Faults between rows: the error follows the rows before it, and the cursor resumes after them.

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::StreamExt;
use http::StatusCode;
use perenso::{
    CallErrorKind, CallOptions, ErrorKind, RetryPolicy,
    exports::{Cursor, PageEnd, Paging},
};

use crate::{
    export::{Export, array, assert_once, behind, cut, ids, numbered, page},
    kept, read,
    server::Reply,
};

/// Reads to the end, and resumes at the stored cursor after every error. Returns the rows and the errors.
async fn read_all(export: &Export, paging: Paging) -> (Vec<crate::export::Thing>, Vec<perenso::Error>) {
    let (mut rows, mut errors) = (Vec::new(), Vec::new());
    let mut pages = export.pages(paging.clone()).await;
    loop {
        let (more, error) = read(&mut pages).await;
        rows.extend(more);
        let Some(error) = error else { return (rows, errors) };
        errors.push(error);
        assert!(errors.len() < 20, "it gets nowhere");
        pages = export.pages(paging.clone().start(kept(pages.cursor()))).await;
    }
}

#[tokio::test]
async fn a_cut_in_the_middle_of_a_page_loses_and_doubles_nothing() {
    for bytes in [0, 1, 5, 10, 25, 40, 80] {
        for by_page in [true, false] {
            let broken = AtomicBool::new(false);
            let export = Export::start(move |asked, _| {
                let rows = if by_page { numbered(asked, 45, 10) } else { behind(asked, 45, 10) };
                if rows.start == 20 && !broken.swap(true, Ordering::Relaxed) {
                    return cut(rows, bytes);
                }
                page(rows)
            })
            .await;
            let paging = if by_page { Paging::by_page() } else { Paging::by_offset() };
            let (rows, errors) = read_all(&export, paging.limit(20)).await;
            assert_once(&rows, 45);
            assert!(errors.iter().all(|error| error.kind() == ErrorKind::Call(CallErrorKind::Broken)), "{errors:?}");
        }
    }
}

#[tokio::test]
async fn a_page_fetched_ahead_that_breaks_before_its_first_row_is_no_error() {
    let broken = AtomicBool::new(false);
    let export = Export::start(move |asked, _| {
        if asked.cursor == 3 && !broken.swap(true, Ordering::Relaxed) {
            return cut(numbered(asked, 45, 10), 1);
        }
        page(numbered(asked, 45, 10))
    })
    .await;
    let mut pages = export.pages(Paging::by_page()).await;
    let (rows, error) = read(&mut pages).await;
    assert!(error.is_none(), "{error:?}");
    assert_once(&rows, 45);
    assert_eq!(pages.report().retries, 1);
    let mut asked = export.asked();
    asked.sort_unstable();
    assert_eq!(asked, [1, 2, 3, 3, 4, 5, 6]);
}

/// The rejected page is requested again once its rows are needed.
#[tokio::test]
async fn a_page_fetched_ahead_that_is_refused_in_passing_is_no_error() {
    let broken = AtomicBool::new(false);
    let export = Export::start(move |asked, _| {
        if asked.cursor == 3 && !broken.swap(true, Ordering::Relaxed) {
            return Reply::status(503);
        }
        page(numbered(asked, 45, 10))
    })
    .await;
    let once = export.show.with_options(CallOptions::new().retry(RetryPolicy::never()));
    let mut pages = once.exports().run("Things").pages(Paging::by_page()).await.unwrap();
    let (rows, error) = read(&mut pages).await;
    assert!(error.is_none(), "{error:?}");
    assert_once(&rows, 45);
    assert_eq!((pages.report().retries, export.asked().iter().filter(|page| **page == 3).count()), (1, 2));
}

#[tokio::test]
async fn an_error_page_comes_behind_the_rows_before_it_and_is_not_shown() {
    let html = "<html>s3cr3t</html>";
    for (reply, kind, says) in [
        (
            Reply::Whole(200, vec![("content-type", "text/html".to_owned())], html.into()),
            ErrorKind::Response,
            "page 3: the response (200, of content type `text/html`) cannot be read",
        ),
        (Reply::json(200, html), ErrorKind::Response, "page 3: the response (200, of content type `application/json`)"),
        (Reply::json(200, ""), ErrorKind::Response, "page 3: the response (200, of content type `application/json`)"),
        (
            Reply::Whole(422, vec![("content-type", "text/html".to_owned())], html.into()),
            ErrorKind::Call(CallErrorKind::Status),
            "422",
        ),
        (
            Reply::Whole(500, vec![("content-type", "text/html".to_owned())], html.into()),
            ErrorKind::Call(CallErrorKind::Status),
            "500",
        ),
    ] {
        let export = Export::start(move |asked, _| match asked.cursor {
            3 => reply.clone(),
            _ => page(numbered(asked, 45, 10)),
        })
        .await;
        let mut pages = export.pages(Paging::by_page()).await;
        let (rows, error) = read(&mut pages).await;
        let error = error.unwrap();
        assert_eq!(ids(&rows), (0..20).collect::<Vec<_>>(), "the rows before come first");
        assert_eq!((error.kind(), pages.cursor()), (kind, Cursor::page(2, 10, 100)), "{error}");
        assert!(error.to_string().contains(says), "{error}");
        assert!(!format!("{error} {error:?} {pages:?}").contains("s3cr3t"));
        assert!(!export.asked().contains(&4), "{:?}", export.asked());
    }
}

#[tokio::test]
async fn a_row_that_does_not_fit_is_named_by_page_and_row_and_passed() {
    let export = Export::start(|asked, _| match asked.cursor {
        2 => Reply::json(200, r#"[{"id":3},{"id":"s3cr3t"},{"id":5}]"#),
        _ => page(numbered(asked, 9, 3)),
    })
    .await;
    let mut pages = export.pages(Paging::by_page().limit(3)).await;
    let mut seen = Vec::new();
    while let Some(row) = pages.next().await {
        match row {
            Ok(row) => seen.push(row.id),
            Err(error) => {
                assert_eq!((error.kind(), error.row()), (ErrorKind::Row, Some(2)));
                assert_eq!(error.to_string(), "export_run: page 2, row 2, at `id`: expected u64, found string");
                assert_eq!(pages.cursor(), Cursor::page(2, 2, 3), "it counts as handed out");
            }
        }
    }
    assert_eq!(seen, [0, 1, 2, 3, 5, 6, 7, 8]);
    let report = pages.report();
    assert_eq!((report.rows, report.mismatches, report.pages, report.short), (9, 1, 3, 0));
}

#[tokio::test]
async fn a_server_that_takes_no_notice_of_the_cursor_is_found_out() {
    for paging in [Paging::by_page(), Paging::by_offset()] {
        let export = Export::start(|_, _| page(0..10)).await;
        let (rows, error) = read(&mut export.pages(paging.clone()).await).await;
        assert_once(&rows, 10);
        assert_eq!(error.unwrap().kind(), ErrorKind::Paging);
        assert!(export.asked().len() <= 3, "{:?}", export.asked());
    }
}

#[tokio::test]
async fn a_repeated_page_of_rows_that_do_not_fit_is_detected() {
    let export = Export::start(|_, _| Reply::json(200, r#"[{"id":"a"},{"id":"b"}]"#)).await;
    let (_, error) = read(&mut export.pages(Paging::by_page()).await).await;
    assert_eq!(error.unwrap().kind(), ErrorKind::Paging);
}

#[tokio::test]
async fn pages_that_overlap_are_found_out_before_a_row_is_doubled() {
    // A row was inserted before page 2 was read.
    let export = Export::start(|asked, _| match asked.cursor {
        1 => page(0..10),
        2 => Reply::json(200, array([100, 9, 10])),
        _ => page(20..30),
    })
    .await;
    let mut pages = export.pages(Paging::by_page()).await;
    let (rows, error) = read(&mut pages).await;
    let error = error.unwrap();
    assert_eq!(ids(&rows), (0..10).chain([100]).collect::<Vec<_>>());
    assert_eq!((error.kind(), pages.cursor()), (ErrorKind::Paging, Cursor::page(2, 1, 100)));
    let text = error.to_string();
    assert!(text.contains("row 2 of page 2 is also on page 1") && text.contains("rows_may_be_alike"), "{text}");
}

#[tokio::test]
async fn rows_that_may_be_alike_are_compared_as_whole_pages() {
    // Sales without a number: equal rows are different sales.
    let sales: [&[u64]; 7] = [&[1, 1, 2], &[1, 1, 3], &[1, 1], &[1, 1, 1], &[3, 3], &[3], &[]];
    let export = Export::start(move |asked, _| page(sales[asked.cursor.unsigned_abs() as usize - 1].to_vec())).await;
    let (rows, error) = read(&mut export.pages(Paging::by_page().limit(3).rows_may_be_alike()).await).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(ids(&rows), sales.concat());

    let (rows, error) = read(&mut export.pages(Paging::by_page().limit(3)).await).await;
    assert_eq!((rows.len(), error.unwrap().kind()), (3, ErrorKind::Paging), "without that it is no export of records");
}

#[tokio::test]
async fn the_cursor_counts_rows_that_were_held_back_one_by_one() {
    let export = Export::start(|asked, _| match asked.cursor {
        1 => page([1, 1, 1]),
        2 => page([1, 1, 2]),
        _ => page([]),
    })
    .await;
    let paging = Paging::by_page().limit(3).rows_may_be_alike();
    for stop in 0..=6 {
        let mut pages = export.pages(paging.clone()).await;
        assert_eq!((&mut pages).take(stop).count().await, stop);
        let (rest, error) = read(&mut export.pages(paging.clone().start(kept(pages.cursor()))).await).await;
        assert!(error.is_none(), "{error:?}");
        assert_eq!(ids(&rest), [1, 1, 1, 1, 1, 2][stop..]);
    }
}

#[tokio::test]
async fn a_page_that_holds_fewer_rows_than_were_read_of_it_is_an_error() {
    let export = Export::start(|asked, _| page(numbered(asked, 13, 10))).await;
    for (row, rows) in [(3, Some(0)), (4, None), (0, Some(3))] {
        let (read, error) = read(&mut export.pages(Paging::by_page().start(Cursor::page(2, row, 10))).await).await;
        match rows {
            Some(rows) => assert_eq!((read.len(), error.is_none()), (rows, true), "{error:?}"),
            None => {
                let error = error.unwrap();
                assert_eq!((read.len(), error.kind()), (0, ErrorKind::Paging));
                assert!(error.to_string().contains("4 rows were read of page 2, which holds 3"), "{error}");
            }
        }
    }
    let (_, error) = read(&mut export.pages(Paging::by_page().start(Cursor::page(9, 1, 10))).await).await;
    assert_eq!(error.unwrap().kind(), ErrorKind::Paging, "an empty page held rows before");
}

#[tokio::test]
async fn pages_that_start_again_are_an_error_at_the_first_one_and_none_of_its_rows_is_returned() {
    for back_to in [0, 1, 2] {
        // Pages 4, 5, … repeat pages 1 to 3, or the last of these. After page 20 the server responds with an error.
        let by_page = Export::start(move |asked, _| {
            if asked.cursor > 20 {
                return Reply::status(422);
            }
            let page_of = match asked.cursor.unsigned_abs() - 1 {
                known @ 0..3 => known,
                more => back_to + (more - 3) % (3 - back_to),
            };
            page(page_of * 10..page_of * 10 + 10)
        })
        .await;
        let by_offset = Export::start(move |asked, _| {
            let row = asked.cursor.unsigned_abs();
            if row > 200 {
                return Reply::status(422);
            }
            let first = if row < 30 { row } else { back_to * 10 + (row - 30) % (30 - back_to * 10) };
            page(first..first + 10)
        })
        .await;
        for (export, paging) in [(by_page, Paging::by_page()), (by_offset, Paging::by_offset())] {
            for paging in [paging.clone(), paging.clone().rows_may_be_alike(), paging.fetch_ahead(false)] {
                let (rows, error) = read(&mut export.pages(paging.limit(10)).await).await;
                assert_once(&rows, 30);
                let error = error.unwrap();
                assert_eq!(error.kind(), ErrorKind::Paging, "{error}");
                let text = error.to_string();
                assert!(text.contains("repeats") || back_to == 2 && text.contains("also on"), "{text}");
            }
        }
    }
}

/// A resumed job has not read the earlier pages, but its cursor contains a fingerprint of the first one.
#[tokio::test]
async fn a_job_that_goes_on_finds_pages_that_start_again() {
    let first_of = |page: u64| (page - 1) % 3 * 10;
    let by_page = Export::start(move |asked, _| {
        let first = first_of(asked.cursor.unsigned_abs());
        if asked.cursor > 20 { Reply::status(422) } else { page(first..first + 10) }
    })
    .await;
    let by_offset = Export::start(move |asked, _| {
        let first = asked.cursor.unsigned_abs() % 30;
        if asked.cursor > 200 { Reply::status(422) } else { page(first..(first + 10).min(30)) }
    })
    .await;
    for (export, paging) in [(by_page, Paging::by_page()), (by_offset, Paging::by_offset())] {
        for paging in [paging.clone(), paging.clone().rows_may_be_alike(), paging.fetch_ahead(false)] {
            let paging = paging.limit(10);
            for stop in [11, 20, 25, 30] {
                let mut pages = export.pages(paging.clone()).await;
                let mut rows: Vec<_> = (&mut pages).take(stop).map(Result::unwrap).collect().await;
                // A second job resumes after the first one.
                let more = if stop < 25 { 3 } else { 0 };
                let mut pages = export.pages(paging.clone().start(kept(pages.cursor()))).await;
                rows.extend((&mut pages).take(more).map(Result::unwrap).collect::<Vec<_>>().await);
                let (rest, error) = read(&mut export.pages(paging.clone().start(kept(pages.cursor()))).await).await;
                rows.extend(rest);
                assert_once(&rows, 30);
                let error = error.unwrap().to_string();
                assert!(error.contains("repeats the first page"), "{error}");
            }
            // With `allow_repeats`, such pages are not an error.
            let mut pages = export.pages(paging.clone()).await;
            (&mut pages).take(25).count().await;
            let paging = paging.clone().start(kept(pages.cursor())).allow_repeats();
            assert_eq!(
                export.pages(paging).await.take(40).filter(|row| std::future::ready(row.is_ok())).count().await,
                40
            );
        }
    }
}

#[tokio::test]
async fn pages_end_where_the_caller_says_and_no_row_is_lost() {
    let no_content = || Reply::Whole(204, vec![], String::new().into());
    let status = |status| move || Reply::status(status);
    type Last = Box<dyn Fn() -> Reply + Send + Sync>;
    let cases: [(Option<PageEnd>, Last); 5] = [
        (None, Box::new(no_content)),
        (Some(PageEnd::Status(StatusCode::NOT_FOUND)), Box::new(status(404))),
        (Some(PageEnd::Status(StatusCode::BAD_REQUEST)), Box::new(status(400))),
        (Some(PageEnd::RepeatedPage), Box::new(|| page(20..25))),
        (Some(PageEnd::ShortPage), Box::new(status(404))),
    ];
    for (end, last) in cases {
        let export = Export::start(move |asked, _| match asked.cursor {
            1..=3 => page(numbered(asked, 25, 10)),
            _ => last(),
        })
        .await;
        let paging = Paging::by_page().limit(20).fetch_ahead(false);
        let ended = end.map_or(paging.clone(), |end| paging.clone().end(end));
        let (rows, error) = read(&mut export.pages(ended).await).await;
        assert!(error.is_none(), "{end:?} {error:?}");
        assert_once(&rows, 25);
        if end.is_some() {
            let (rows, error) = read(&mut export.pages(paging).await).await;
            assert_once(&rows, 25);
            assert!(error.is_some(), "{end:?} is no end without being said");
        }
    }
    let nothing = Export::start(|_, _| Reply::status(404)).await;
    let paging = Paging::by_page().end(PageEnd::Status(StatusCode::NOT_FOUND));
    assert!(read(&mut nothing.pages(paging).await).await.1.is_some(), "no page at all is no end");
}
