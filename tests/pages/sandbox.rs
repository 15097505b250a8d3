//! The sandbox with every plausible vendor.

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};
use perenso::{
    ErrorKind, Perenso,
    auth::clock::ManualClock,
    exports::{Cursor, Paging},
    types::Customer,
};
use perenso_sandbox::{Fault, PastTheEnd, Sandbox};
use serde_json::Value;

use crate::{builder, kept, read};

async fn capped(customers: usize, cap: usize) -> (Sandbox, Perenso) {
    let sandbox = Sandbox::builder().customers(customers).page_cap(cap).unlimited().start().await.unwrap();
    let show = show_of(&sandbox).build().unwrap();
    (sandbox, show)
}

fn show_of(sandbox: &Sandbox) -> perenso::Builder {
    builder(sandbox.url(), &sandbox.token_url(), sandbox.client_id(), sandbox.client_secret())
}

async fn pages(show: &Perenso, paging: Paging) -> perenso::exports::Pages<Customer> {
    show.exports().run("Get API Customers").pages(paging).await.unwrap()
}

fn ids(sandbox: &Sandbox) -> Vec<String> {
    sandbox.customers().iter().map(|customer| customer["id"].as_str().unwrap().to_owned()).collect()
}

fn id(customer: &Customer) -> String {
    customer.id.as_deref().unwrap().to_owned()
}

/// Returns the cursor and the limit of each run, in order.
fn runs(sandbox: &Sandbox) -> Vec<(i64, i64)> {
    let runs = sandbox.journal().into_iter().filter(|request| request.path.starts_with("/Export/"));
    runs.map(|run| {
        let body: Value = serde_json::from_str(&run.body).unwrap();
        (body["Cursor"].as_i64().unwrap(), body["Limit"].as_i64().unwrap())
    })
    .collect()
}

#[tokio::test]
async fn a_stream_reads_on_behind_pages_that_the_server_caps() {
    let (sandbox, show) = capped(45, 10).await;
    let mut customers = pages(&show, Paging::by_page().limit(20)).await;
    assert!(runs(&sandbox).is_empty(), "nothing is sent before it is polled");
    let (read, error) = read(&mut customers).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(read.iter().map(id).collect::<Vec<_>>(), ids(&sandbox));
    assert_eq!(runs(&sandbox), (1..=6).map(|page| (page, 20)).collect::<Vec<_>>());
    let report = customers.report();
    assert_eq!((report.pages, report.rows, report.page_size, report.largest, report.short), (5, 45, 20, 10, 5));
}

#[tokio::test]
async fn an_offset_advances_by_the_rows_that_came() {
    let (sandbox, show) = capped(45, 10).await;
    sandbox.set_behavior(|behavior| behavior.cursor_is_offset = true);
    let mut customers = pages(&show, Paging::by_offset().limit(20)).await;
    let mut rows = Vec::new();
    for _ in 0..41 {
        rows.push(customers.try_next().await.unwrap().unwrap());
    }
    let asked = || runs(&sandbox).into_iter().map(|(cursor, _)| cursor).collect::<Vec<_>>();
    crate::eventually(|| asked() == [0, 10, 20, 30, 40, 50]).await;
    let (rest, error) = read(&mut customers).await;
    assert!(error.is_none(), "{error:?}");
    rows.extend(rest);
    assert_eq!(rows.iter().map(id).collect::<Vec<_>>(), ids(&sandbox));
    assert_eq!(asked(), [0, 10, 20, 30, 40, 50, 45], "one forecast was wrong: the last page is a short one");
    assert_eq!((customers.report().discarded, customers.cursor()), (1, Cursor::offset(45)));
}

#[tokio::test]
async fn the_meaning_that_the_server_does_not_have_is_found_out() {
    let (sandbox, show) = capped(45, 10).await;
    sandbox.set_behavior(|behavior| behavior.cursor_is_offset = true);
    let (rows, error) = read(&mut pages(&show, Paging::by_page()).await).await;
    let error = error.unwrap();
    assert_eq!((rows.len(), error.kind()), (10, ErrorKind::Paging));
    assert!(error.to_string().contains("expects something other than a page number"), "{error}");
}

#[tokio::test]
async fn an_export_goes_on_where_its_cursor_was_kept() {
    let (sandbox, show) = capped(45, 10).await;
    for offset in [false, true] {
        sandbox.set_behavior(|behavior| behavior.cursor_is_offset = offset);
        let paging = || if offset { Paging::by_offset() } else { Paging::by_page() }.limit(10);
        for stop in [0, 7, 10, 19, 44, 45] {
            let mut first = pages(&show, paging()).await;
            let mut read: Vec<String> = (&mut first).take(stop).map_ok(|c| id(&c)).try_collect().await.unwrap();
            let cursor = kept(first.cursor());
            drop(first);
            let rest = pages(&show, paging().start(cursor.clone())).await;
            let rest: Vec<String> = rest.map_ok(|c| id(&c)).try_collect().await.unwrap();
            read.extend(rest);
            assert_eq!(read, ids(&sandbox), "stopped after {stop}, at {cursor}");
        }
    }
}

#[tokio::test]
async fn a_server_that_gives_its_last_page_again_is_found_out() {
    let (sandbox, show) = capped(45, 10).await;
    sandbox.set_behavior(|behavior| behavior.past_the_end = PastTheEnd::LastPageAgain);
    for (paging, what) in [
        (Paging::by_page(), "row 1 of page 6 is also on page 5: "),
        (Paging::by_page().rows_may_be_alike(), "page 6 repeats page 5: "),
    ] {
        let mut customers = pages(&show, paging).await;
        let (rows, error) = read(&mut customers).await;
        let error = error.unwrap();
        assert_eq!(rows.iter().map(id).collect::<Vec<_>>(), ids(&sandbox), "nothing is given out twice");
        assert_eq!(error.kind(), ErrorKind::Paging);
        assert!(error.to_string().contains(what), "{error}");
        assert_eq!(customers.cursor(), Cursor::page(5, 5, 100));
    }
}

#[tokio::test]
async fn a_server_that_knows_no_page_behind_the_last_gives_all_rows_before_its_404() {
    let (sandbox, show) = capped(20, 10).await;
    sandbox.set_behavior(|behavior| behavior.past_the_end = PastTheEnd::NotFound);
    let (rows, error) = read(&mut pages(&show, Paging::by_page()).await).await;
    assert_eq!(rows.len(), 20);
    assert!(error.unwrap().is_not_found(), "only an empty page is an end");
}

#[tokio::test]
async fn an_export_of_nothing_is_no_error() {
    let (sandbox, show) = capped(0, 10).await;
    let mut customers = pages(&show, Paging::by_page()).await;
    assert!(customers.next().await.is_none());
    assert_eq!((runs(&sandbox).len(), customers.report().pages), (1, 0));
}

#[tokio::test]
async fn a_request_that_fails_in_passing_is_repeated_and_counted() {
    let (sandbox, show) = capped(45, 10).await;
    show.exports().catalog().await.unwrap();
    sandbox.fault(Fault::status(503));
    sandbox.fault(Fault::DropResponse);
    let mut customers = pages(&show, Paging::by_page()).await;
    let (rows, error) = read(&mut customers).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!((rows.len(), runs(&sandbox).len(), customers.report().retries), (45, 8, 2));
}

/// Tokens expire between two pages, with and without fetching ahead.
#[tokio::test]
async fn tokens_end_between_the_pages() {
    for ahead in [true, false] {
        let sandbox = Sandbox::builder().customers(45).page_cap(10).unlimited();
        let sandbox = sandbox.token_lifetime(Duration::from_secs(300)).start().await.unwrap();
        let clock = ManualClock::default();
        let show = show_of(&sandbox).clock(clock.clone()).build().unwrap();
        let mut customers = pages(&show, Paging::by_page().fetch_ahead(ahead)).await;
        let mut read = Vec::new();
        while let Some(customer) = customers.try_next().await.unwrap() {
            if read.len() % 10 == 0 {
                // The page fetched ahead was requested with the previous token.
                let expected = read.len() / 10 + if ahead { 2 } else { 1 };
                crate::eventually(|| runs(&sandbox).len() == expected).await;
                clock.advance(Duration::from_secs(301));
                sandbox.advance(Duration::from_secs(301));
            }
            read.push(id(&customer));
        }
        assert_eq!(read, ids(&sandbox));
        assert!(sandbox.token_requests().total() > 4, "{:?}", sandbox.token_requests());
        let calls = sandbox.journal().into_iter().filter(|call| call.path.starts_with("/Export"));
        assert!(calls.map(|call| call.status).all(|status| status == Some(200)), "no call went out with a dead token");
    }
}
