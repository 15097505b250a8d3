//! The next page is fetched while this one is read: at most one page, without duplicated rows.

use std::time::Duration;

use futures_util::StreamExt;
use perenso::exports::Paging;

use crate::{
    eventually,
    export::{Export, assert_once, behind, ids, numbered, page},
    read,
    server::Reply,
};

#[tokio::test]
async fn the_next_page_is_asked_for_when_the_first_row_of_this_one_came_and_no_further() {
    let export = Export::start(|asked, _| page(numbered(asked, 45, 10))).await;
    let mut pages = export.pages(Paging::by_page()).await;
    for page in 1..=5 {
        pages.next().await.unwrap().unwrap();
        eventually(|| export.asked().len() == page + 1).await;
        for _ in 1..if page == 5 { 5 } else { 10 } {
            pages.next().await.unwrap().unwrap();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(export.asked(), (1..=page as i64 + 1).collect::<Vec<_>>(), "one page ahead at most");
    }
    assert!(pages.next().await.is_none());
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(export.asked(), [1, 2, 3, 4, 5, 6], "nothing behind the empty page");
}

#[tokio::test]
async fn fetching_ahead_can_be_switched_off() {
    for paging in [Paging::by_page(), Paging::by_offset()] {
        let by_page = format!("{paging:?}").contains("Page");
        let export =
            Export::start(move |asked, _| page(if by_page { numbered(asked, 45, 10) } else { behind(asked, 45, 10) }))
                .await;
        let mut pages = export.pages(paging.fetch_ahead(false)).await;
        for row in 0..45 {
            pages.next().await.unwrap().unwrap();
            if row % 10 == 5 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            assert_eq!(export.asked().len(), row / 10 + 1);
        }
        assert!(pages.next().await.is_none());
        assert_eq!(export.asked().len(), 6);
    }
}

#[tokio::test]
async fn an_offset_is_foreseen_from_the_second_page_on() {
    let export = Export::start(|asked, _| page(behind(asked, 40, 10))).await;
    let mut pages = export.pages(Paging::by_offset().limit(20)).await;
    pages.next().await.unwrap().unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(export.asked(), [0], "how many rows the server gives is not known yet");
    for _ in 1..=10 {
        pages.next().await.unwrap().unwrap();
    }
    eventually(|| export.asked() == [0, 10, 20]).await;
    assert_eq!(read(&mut pages).await.0.len(), 29);
    assert_eq!(export.asked(), [0, 10, 20, 30, 40], "every forecast came true");
    assert_eq!(pages.report().discarded, 0);
}

#[tokio::test]
async fn every_wrong_forecast_costs_one_request_and_no_row() {
    // The page sizes alternate between 10 and 4.
    let export = Export::start(|asked, _| {
        let size = if asked.cursor % 7 == 0 && asked.cursor % 14 == 0 { 10 } else { 4 };
        page(behind(asked, 70, size))
    })
    .await;
    let mut pages = export.pages(Paging::by_offset().limit(50)).await;
    let (rows, error) = read(&mut pages).await;
    assert!(error.is_none(), "{error:?}");
    assert_once(&rows, 70);
    let report = pages.report();
    assert_eq!((report.pages, report.largest), (10, 10));
    assert_eq!(report.discarded, 9, "after each page but the first another number was expected");
}

#[tokio::test]
async fn a_stream_that_is_dropped_ends_its_task() {
    let export = Export::start(|asked, _| match asked.cursor {
        1 => page(0..10),
        _ => Reply::Never,
    })
    .await;
    let metrics = tokio::runtime::Handle::current().metrics();
    let mut pages = export.pages(Paging::by_page()).await;
    pages.next().await.unwrap().unwrap();
    eventually(|| export.asked() == [1, 2]).await;
    let alive = metrics.num_alive_tasks();
    drop(pages);
    eventually(|| metrics.num_alive_tasks() < alive).await;
}

#[tokio::test]
async fn an_error_of_the_page_fetched_ahead_waits_for_its_place() {
    let export = Export::start(|asked, _| match asked.cursor {
        1 => page(0..10),
        _ => Reply::status(422),
    })
    .await;
    let mut pages = export.pages(Paging::by_page()).await;
    let mut rows = vec![pages.next().await.unwrap().unwrap()];
    eventually(|| export.asked() == [1, 2]).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    for _ in 1..10 {
        rows.push(pages.next().await.unwrap().unwrap());
    }
    assert_eq!(ids(&rows), (0..10).collect::<Vec<_>>());
    assert_eq!(pages.next().await.unwrap().unwrap_err().status().map(|status| status.as_u16()), Some(422));
    assert_eq!(export.asked(), [1, 2]);
}
