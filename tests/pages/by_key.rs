//! Exports paged by a key of the last row, parameters of type Text, and exports with one page.

use futures_util::{StreamExt, TryStreamExt};
use perenso::{
    ErrorKind, Perenso,
    exports::{Cursor, PageEnd, Pages, Paging, RowFormat},
};
use serde_json::{Value, json};

use crate::{
    builder,
    export::{Thing, array, assert_once, ids, page},
    kept, read,
    server::{Reply, Server},
};

/// Starts a server with one export of these parameters. `reply` returns the response to the values of a run.
async fn export(
    parameters: &[(&str, &str)],
    reply: impl Fn(Value) -> Reply + Send + Sync + 'static,
) -> (Server, Perenso) {
    let parameters: Vec<Value> =
        parameters.iter().map(|(name, data_type)| json!({"name": name, "dataType": data_type})).collect();
    let server = Server::start(move |seen| match seen.method.as_str() {
        "GET" => Reply::json(200, json!([{"id": "1", "name": "Things", "parameters": parameters}]).to_string()),
        _ => reply(serde_json::from_str(&seen.body).unwrap_or_default()),
    })
    .await;
    let show = builder(&server.url, &format!("{}/token", server.url), "SHOWID", "secret").build().unwrap();
    (server, show)
}

/// Returns the value of a parameter in each run so far.
fn asked(server: &Server, parameter: &str) -> Vec<Value> {
    let runs = server.calls().into_iter().filter(|seen| seen.method == "POST");
    runs.map(|seen| serde_json::from_str::<Value>(&seen.body).unwrap_or_default()[parameter].clone()).collect()
}

/// Returns the page after a key, of the rows from 1 to 25.
fn behind(key: u64) -> std::ops::Range<u64> {
    (key + 1).min(26)..(key + 11).min(26)
}

fn zero_based(things: &[Thing]) -> Vec<Thing> {
    things.iter().map(|thing| Thing { id: thing.id - 1 }).collect()
}

#[tokio::test]
async fn an_export_with_nothing_but_a_key_is_read_whole_whatever_the_type_of_key_and_parameter() {
    let rows: fn(u64) -> Reply = |key| page(behind(key));
    let texts: fn(u64) -> Reply = |key| {
        let rows = behind(key).map(|id| json!({"id": id, "key": id.to_string()}));
        Reply::json(200, Value::from_iter(rows).to_string())
    };
    let csv: fn(u64) -> Reply = |key| {
        let rows: String = behind(key).map(|id| format!("{id},k\r\n")).collect();
        Reply::Whole(200, vec![("content-type", "text/csv".to_owned())], format!("id,x\r\n{rows}").into())
    };
    for (data_type, first, column, reply) in [
        ("Integer", json!(0), "id", rows),
        ("Text", json!("0"), "id", rows),
        ("Text", json!("0"), "key", texts),
        ("Integer", json!(0), "key", texts),
        ("Integer", json!(0), "id", csv),
        ("Text", json!("0"), "id", csv),
    ] {
        let is_text = data_type == "Text";
        let (server, show) = export(&[("LastID", data_type)], move |values| {
            let key = &values["LastID"];
            assert_eq!(key.is_string(), is_text, "the data type of the parameter decides");
            reply(key.as_str().map_or_else(|| key.as_u64().unwrap(), |text| text.parse().unwrap()))
        })
        .await;
        let paging = || Paging::by_key(column).cursor_parameter("LastID").without_limit();
        let run = || show.exports().run("Things");
        let first = |run: perenso::exports::Run| run.raw("LastID", first.clone());
        let mut pages: Pages<Thing> = first(run()).pages(paging()).await.unwrap();
        let (things, error) = read(&mut pages).await;
        assert!(error.is_none(), "{error:?}");
        assert_once(&zero_based(&things), 25);
        let sent: Vec<String> = asked(&server, "LastID").iter().map(|key| key.to_string().replace('"', "")).collect();
        assert_eq!(sent, ["0", "10", "20", "25"]);
        let report = pages.report();
        assert_eq!((report.pages, report.largest, report.page_size, report.short), (3, 10, 0, 0));

        for stop in [1, 7, 10, 19, 24, 25] {
            let mut pages: Pages<Thing> = first(run()).pages(paging()).await.unwrap();
            let mut things: Vec<Thing> = (&mut pages).take(stop).try_collect().await.unwrap();
            let paging = paging().start(kept(pages.cursor()));
            let (rest, error) = read(&mut run().pages(paging).await.unwrap()).await;
            assert!(error.is_none(), "{error:?}");
            things.extend(rest);
            assert_once(&zero_based(&things), 25);
        }
    }
}

#[tokio::test]
async fn the_key_before_all_others_is_the_callers_to_say() {
    let (server, show) = export(&[("Cursor", "Integer")], |_| page([])).await;
    let error = show.exports().run("Things").pages::<Value>(Paging::by_key("id").without_limit()).await.unwrap_err();
    assert_eq!(error.problems(), ["`Cursor`: missing; expected Integer of 64 bits such as `15`, without quotes"]);
    assert!(asked(&server, "Cursor").is_empty());
}

#[tokio::test]
async fn a_key_that_leads_nowhere_or_back_is_an_error_behind_the_rows_of_its_page() {
    for (last, expected) in [
        (
            json!({"id": 3}),
            "the `key` of the last row of page 2 of this stream cannot request the next one: expected a value of `Cursor`, found no such member",
        ),
        (json!({"id": 3, "key": null}), "found null"),
        (json!({"id": 3, "key": [1]}), "found no integer and no string"),
        (json!({"id": 3, "key": 1.5}), "found no integer of 64 bits"),
        (json!({"id": 3, "key": "s3cr3t"}), "found a string that is no integer"),
        // The keys that requested this page and the page before.
        (
            json!({"id": 3, "key": 7}),
            "the `key` of the last row of page 2 of this stream has requested an earlier page",
        ),
        (
            json!({"id": 3, "key": "0"}),
            "the `key` of the last row of page 2 of this stream has requested an earlier page",
        ),
    ] {
        let (server, show) = export(&[("Cursor", "Integer")], move |values| {
            Reply::json(
                200,
                match values["Cursor"].as_u64().unwrap() {
                    0 => json!([{"id": 0, "key": 1}, {"id": 1, "key": 7}]),
                    _ => json!([{"id": 2, "key": 8}, last]),
                }
                .to_string(),
            )
        })
        .await;
        let paging = Paging::by_key("key").without_limit();
        let mut pages = show.exports().run("Things").value("Cursor", 0).pages::<Thing>(paging.clone()).await.unwrap();
        let (things, error) = read(&mut pages).await;
        let error = error.unwrap();
        assert_eq!((ids(&things), error.kind()), (vec![0, 1, 2, 3], ErrorKind::Paging));
        assert!(error.to_string().contains(expected), "{error}");
        assert!(!format!("{error} {error:?} {pages:?}").contains("s3cr3t"));
        assert_eq!(asked(&server, "Cursor"), [0, 7], "no page comes twice");
        assert_eq!(pages.cursor(), Cursor::key(7, 2));

        // If the caller sets the end of the pages, the last row needs no key.
        let ended = paging.end(PageEnd::ShortPage).start(Cursor::key(0, 0));
        let (things, _) = read(&mut show.exports().run("Things").pages::<Thing>(ended).await.unwrap()).await;
        assert_eq!(things.len(), 4);
    }
}

#[tokio::test]
async fn a_server_that_takes_no_notice_of_the_key_or_gives_its_row_again_is_found_out() {
    for (first, expected) in [(json!(0), vec![0, 1, 2]), (json!(2), vec![0, 1, 2])] {
        let (server, show) = export(&[("Cursor", "Integer")], |_| page([0, 1, 2])).await;
        let run = show.exports().run("Things").raw("Cursor", first);
        let (things, error) = read(&mut run.pages(Paging::by_key("id").without_limit()).await.unwrap()).await;
        assert_eq!((ids(&things), error.unwrap().kind()), (expected, ErrorKind::Paging));
        assert!(asked(&server, "Cursor").len() <= 2);
    }
    let (_server, show) = export(&[("Cursor", "Integer")], |values| {
        let first = values["Cursor"].as_u64().unwrap();
        page(first..(first + 3).min(7))
    })
    .await;
    let run = show.exports().run("Things").value("Cursor", 0);
    let (things, error) = read(&mut run.pages(Paging::by_key("id").without_limit()).await.unwrap()).await;
    assert_once(&things, 3);
    assert!(error.unwrap().to_string().contains("row 1 of page 2 of this stream is also on page 1"));
}

#[tokio::test]
async fn the_last_row_of_a_page_is_its_last_one_though_it_does_not_fit() {
    let (_server, show) = export(&[("Cursor", "Text")], |values| match values["Cursor"].as_str().unwrap() {
        "" => Reply::json(200, r#"[{"id":0,"key":"a"},{"id":"no number","key":"b"}]"#),
        "b" => Reply::json(200, r#"[{"id":1,"key":"c"}]"#),
        _ => Reply::Whole(204, vec![], String::new().into()),
    })
    .await;
    let run = show.exports().run("Things").value("Cursor", "");
    let mut pages = run.pages(Paging::by_key("key").without_limit()).await.unwrap();
    let (things, error) = read(&mut pages).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!((ids(&things), pages.report().mismatches), (vec![0, 1], 1));
}

#[tokio::test]
async fn a_key_and_a_limit_and_a_smaller_one_when_it_goes_on() {
    let (server, show) = export(&[("Cursor", "Integer"), ("Limit", "Integer")], |values| {
        let (key, limit) = (values["Cursor"].as_u64().unwrap(), values["Limit"].as_u64().unwrap());
        page(key + 1..(key + 1 + limit).min(26))
    })
    .await;
    let run = || show.exports().run("Things");
    let mut pages: Pages<Thing> = run().value("Cursor", 0).pages(Paging::by_key("id").limit(10)).await.unwrap();
    let mut things: Vec<Thing> = (&mut pages).take(17).try_collect().await.unwrap();
    let paging = Paging::by_key("id").limit(3).start(kept(pages.cursor()));
    let (rest, error) = read(&mut run().pages(paging).await.unwrap()).await;
    assert!(error.is_none(), "{error:?}");
    things.extend(rest);
    assert_once(&zero_based(&things), 25);
    assert_eq!(asked(&server, "Limit")[..4], [json!(10), json!(10), json!(3), json!(3)]);
}

#[tokio::test]
async fn page_and_offset_are_sent_as_digits_where_their_parameters_are_text() {
    for by_page in [true, false] {
        let (server, show) = export(&[("Cursor", "Text"), ("Limit", "Text")], move |values| {
            let number = |name: &str| values[name].as_str().unwrap().parse::<u64>().unwrap();
            let first = if by_page { (number("Cursor") - 1) * number("Limit") } else { number("Cursor") };
            page(first.min(25)..(first + number("Limit")).min(25))
        })
        .await;
        let paging = || if by_page { Paging::by_page() } else { Paging::by_offset() };
        let run = || show.exports().run("Things");
        for stop in [0, 13] {
            let mut pages: Pages<Thing> = run().pages(paging().limit(10)).await.unwrap();
            let mut things: Vec<Thing> = (&mut pages).take(stop).try_collect().await.unwrap();
            let start = paging().limit(10).start(kept(pages.cursor()));
            let (rest, error) = read(&mut run().pages(start).await.unwrap()).await;
            assert!(error.is_none(), "{error:?}");
            things.extend(rest);
            assert_once(&things, 25);
        }
        assert!(asked(&server, "Limit").iter().all(|limit| limit == "10"));
    }
}

#[tokio::test]
async fn pages_without_a_limit_are_read_and_gone_on_with() {
    let (server, show) = export(&[("Cursor", "Integer")], |values| {
        let first = (values["Cursor"].as_u64().unwrap() - 1) * 10;
        page(first.min(25)..(first + 10).min(25))
    })
    .await;
    let paging = || Paging::by_page().without_limit();
    let mut pages: Pages<Thing> = show.exports().run("Things").pages(paging()).await.unwrap();
    let mut things: Vec<Thing> = (&mut pages).take(13).try_collect().await.unwrap();
    let cursor = pages.cursor();
    drop(pages);
    assert_eq!(serde_json::to_value(&cursor).unwrap()["page"], json!({"number": 2, "row": 3}));
    let (rest, error) =
        read(&mut show.exports().run("Things").pages(paging().start(kept(cursor))).await.unwrap()).await;
    assert!(error.is_none(), "{error:?}");
    things.extend(rest);
    assert_once(&things, 25);
    assert!(asked(&server, "Limit").iter().all(Value::is_null));
}

#[tokio::test]
async fn all_rows_are_read_by_one_request_where_an_export_has_no_pages() {
    let (server, show) = export(&[("City", "Text")], |_| page(0..25)).await;
    let run = || show.exports().run("Things").value("City", "Exampleville");
    let mut rows: Pages<Thing> = run().all_rows(Paging::by_page()).await.unwrap();
    let mut things: Vec<Thing> = (&mut rows).take(7).try_collect().await.unwrap();
    let (rest, error) = read(&mut run().all_rows(Paging::by_page().start(kept(rows.cursor()))).await.unwrap()).await;
    assert!(error.is_none(), "{error:?}");
    things.extend(rest);
    assert_once(&things, 25);
    assert_eq!(asked(&server, "City").len(), 2);
    let error = run().all_rows::<Thing>(Paging::by_offset().start(Cursor::offset(3))).await.unwrap_err();
    assert!(error.to_string().contains("not one of an export with one page"), "{error}");

    // The format of the run is used, and the error names the number of the row that does not fit.
    let (_server, show) = export(&[], |_| Reply::json(200, r#"{"data":[{"id":0},{"id":"s3cr3t"},{"id":1}]}"#)).await;
    let mut rows = show.exports().run("Things");
    rows = rows.format(RowFormat::json_member("data"));
    let rows: Vec<_> = rows.all_rows::<Thing>(Paging::by_page()).await.unwrap().collect().await;
    let error = rows[1].as_ref().unwrap_err().to_string();
    assert_eq!(error, "export_run: the only page, row 2, at `id`: expected u64, found string");
    assert_eq!(rows.len(), 3);
}

#[tokio::test]
async fn all_rows_are_read_page_by_page_where_an_export_has_pages_and_refused_where_it_has_half_of_it() {
    let (_server, show) = export(&[("Cursor", "Integer"), ("Limit", "Integer")], |values| {
        let first = (values["Cursor"].as_u64().unwrap() - 1) * 10;
        Reply::json(200, array(first.min(25)..(first + 10).min(25)))
    })
    .await;
    let mut rows: Pages<Thing> = show.exports().run("Things").all_rows(Paging::by_page()).await.unwrap();
    let (things, error) = read(&mut rows).await;
    assert!(error.is_none(), "{error:?}");
    assert_once(&things, 25);
    assert_eq!(rows.report().pages, 3);

    let (server, show) = export(&[("Cursor", "Integer")], |_| page([])).await;
    let run = show.exports().run("Things").value("Cursor", 1);
    let error = run.all_rows::<Thing>(Paging::by_page()).await.unwrap_err();
    assert!(error.to_string().contains("no Integer or Text parameter `Limit`"), "{error}");
    assert!(asked(&server, "Cursor").is_empty());
}
