//! Lists as one response, pages or streams: no record is lost or duplicated, and nothing loops.

use futures_util::{StreamExt, TryStreamExt};
use httpmock::MockServer;
use perenso::{CallErrorKind, Direction, ErrorKind, Position, Timestamp, types::Customer};
use perenso_sandbox::{Fault, PastTheEnd, Sandbox};
use serde_json::{Value, json};

use crate::{
    builder, builder_for, is_call, lines, sandbox,
    server::{Reply, Server},
    show_of,
};

/// Returns a sandbox with a maximum page size, and a client of it.
async fn capped(customers: usize, cap: usize) -> (Sandbox, perenso::Perenso) {
    let sandbox = Sandbox::builder().customers(customers).page_cap(cap).unlimited().start().await.unwrap();
    let show = builder_for(&sandbox).build().unwrap();
    (sandbox, show)
}

fn ids(sandbox: &Sandbox) -> Vec<String> {
    sandbox.customers().iter().map(|customer| customer["id"].as_str().unwrap().to_owned()).collect()
}

fn id(customer: &Customer) -> String {
    customer.id.as_deref().unwrap().to_owned()
}

#[tokio::test]
async fn a_list_is_one_response_where_nothing_is_asked_about_pages() {
    let (sandbox, show) = sandbox(45).await;
    let customers = show.customers().list().send().await.unwrap();
    assert_eq!(customers.iter().map(id).collect::<Vec<_>>(), ids(&sandbox));
    assert_eq!(lines(&sandbox), ["GET /Customer"]);
}

#[tokio::test]
async fn one_page_by_its_number() {
    let (sandbox, show) = sandbox(45).await;
    let list = show.customers().list().page_size(20);
    let last = list.clone().page(3).await.unwrap();
    assert_eq!((last.number, last.items.iter().map(id).collect::<Vec<_>>()), (3, ids(&sandbox)[40..].to_vec()));
    assert!(list.page(4).await.unwrap().items.is_empty());
    assert_eq!(lines(&sandbox)[0], "GET /Customer?page=3&resultsPerPage=20");
}

#[tokio::test]
async fn a_stream_reads_on_behind_pages_that_the_server_caps() {
    let (sandbox, show) = capped(45, 10).await;
    let customers: Vec<_> = show.customers().list().page_size(20).stream().try_collect().await.unwrap();
    assert_eq!(customers.iter().map(id).collect::<Vec<_>>(), ids(&sandbox), "all of them, once, in order");
    let asked: Vec<_> = (1..=6).map(|page| format!("GET /Customer?page={page}&resultsPerPage=20")).collect();
    assert_eq!(lines(&sandbox), asked, "to the first empty page and no further");
}

#[tokio::test]
async fn pages_come_when_they_are_asked_for() {
    let (sandbox, show) = capped(25, 10).await;
    let mut pages = Box::pin(show.customers().list().pages());
    assert!(lines(&sandbox).is_empty());
    let mut seen = Vec::new();
    while let Some(page) = pages.try_next().await.unwrap() {
        seen.push((page.number, page.items.len()));
        assert_eq!(lines(&sandbox).len(), seen.len());
    }
    assert_eq!(seen, [(1, 10), (2, 10), (3, 5)]);
}

#[tokio::test]
async fn a_list_of_nothing_is_no_error() {
    let (_sandbox, show) = sandbox(0).await;
    assert!(show.customers().list().send().await.unwrap().is_empty());
    assert_eq!(show.customers().list().stream().count().await, 0);
}

#[tokio::test]
async fn a_stream_goes_on_where_its_position_was_kept() {
    let (sandbox, show) = capped(45, 10).await;
    let list = show.customers().list().page_size(10);
    for stop in [0, 7, 10, 44, 45] {
        let mut stream = list.clone().stream();
        let mut read = Vec::new();
        for _ in 0..stop {
            read.push(id(&stream.try_next().await.unwrap().unwrap()));
        }
        let kept: Position = serde_json::from_value(serde_json::to_value(stream.position()).unwrap()).unwrap();
        drop(stream);
        let rest: Vec<_> = list.clone().start_at(kept).stream().map_ok(|c| id(&c)).try_collect().await.unwrap();
        read.extend(rest);
        assert_eq!(read, ids(&sandbox), "stopped after {stop}, at {kept:?}");
    }
}

#[tokio::test]
async fn a_fault_in_the_middle_is_an_error_and_the_position_is_where_to_go_on() {
    let (sandbox, show) = capped(45, 10).await;
    let list = show.customers().list().page_size(10);
    let mut stream = list.clone().stream();
    let mut read = Vec::new();
    for _ in 0..15 {
        read.push(id(&stream.try_next().await.unwrap().unwrap()));
    }
    sandbox.fault(Fault::status(422));
    let error = loop {
        match stream.try_next().await {
            Ok(Some(customer)) => read.push(id(&customer)),
            Ok(None) => panic!("a fault is not the end of a list"),
            Err(error) => break error,
        }
    };
    assert!(is_call(&error, CallErrorKind::Status), "{error:?}");
    assert_eq!((error.operation(), stream.position()), ("customer_list", Position::new(2, 10, 10)));
    let rest: Vec<_> = list.start_at(stream.position()).stream().map_ok(|c| id(&c)).try_collect().await.unwrap();
    read.extend(rest);
    assert_eq!(read, ids(&sandbox));
}

#[tokio::test]
async fn a_page_whose_response_breaks_is_read_again() {
    let (sandbox, show) = capped(45, 10).await;
    sandbox.fault(Fault::status(503));
    sandbox.fault(Fault::DropResponse);
    let customers: Vec<_> = show.customers().list().stream().try_collect().await.unwrap();
    assert_eq!(customers.len(), 45);
    assert_eq!(lines(&sandbox).len(), 8);
}

#[tokio::test]
async fn a_server_that_goes_round_in_circles_is_found_out() {
    let (sandbox, show) = capped(45, 10).await;
    sandbox.set_behavior(|behavior| behavior.past_the_end = PastTheEnd::LastPageAgain);
    let mut stream = show.customers().list().stream();
    let mut read = Vec::new();
    let error = loop {
        match stream.try_next().await {
            Ok(Some(customer)) => read.push(id(&customer)),
            Ok(None) => panic!("nobody said that the list ends"),
            Err(error) => break error,
        }
    };
    assert_eq!((error.kind(), read), (ErrorKind::Paging, ids(&sandbox)), "nothing is given out twice");
    assert!(error.to_string().contains("page 6 repeats page 5"), "{error}");
    assert_eq!(lines(&sandbox).len(), 6);
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn pages_that_start_again_behind_the_last_one_are_found_out() {
    let server = Server::start(|seen| {
        let number: usize =
            seen.path.split("page=").nth(1).and_then(|rest| rest.split('&').next()?.parse().ok()).unwrap();
        assert!(number < 20, "a loop");
        let first = (number - 1) % 3 * 2;
        match seen.path.starts_with("/Order") {
            false => Reply::json(200, format!(r#"[{{"id":"c{first}"}},{{"id":"c{}"}}]"#, first + 1)),
            true => {
                Reply::json(200, format!(r#"[{{"items":[{{"quantity":{first}}}]}},{{"items":[{{"quantity":7}}]}}]"#))
            }
        }
    })
    .await;
    let show = show_of(&server);
    let mut customers = show.customers().list().page_size(2).stream();
    let mut read = Vec::new();
    let error = loop {
        match customers.try_next().await {
            Ok(customer) => read.push(id(&customer.expect("nobody said that the list ends"))),
            Err(error) => break error,
        }
    };
    assert_eq!((error.kind(), read.len()), (ErrorKind::Paging, 6), "none of its records is handed out");
    assert!(error.to_string().contains("page 4 repeats page 1"), "{error}");
    // A job that resumes at a stored position reads no page again either.
    let mut customers = show.customers().list().page_size(2).stream();
    for _ in 0..3 {
        customers.try_next().await.unwrap();
    }
    let kept = serde_json::to_string(&customers.position()).unwrap();
    let rest = show.customers().list().start_at(serde_json::from_str(&kept).unwrap()).stream();
    let (read, error) = rest.fold((0, None), async |(count, _), item| (count + 1, item.err())).await;
    let error = error.expect("nobody said that the list ends").to_string();
    assert_eq!(read, 4, "three records and the error");
    assert!(error.contains("page 4 repeats the first page"), "{error}");
    // Orders have no id, so their pages are compared as a whole.
    let (orders, error) = show
        .orders()
        .list()
        .page_size(2)
        .pages()
        .fold((0, None), async |(count, error), page| match page {
            Ok(page) => (count + page.items.len(), error),
            Err(error) => (count, Some(error)),
        })
        .await;
    assert_eq!((orders, error.unwrap().kind()), (6, ErrorKind::Paging));
}

#[tokio::test]
async fn a_server_that_knows_no_page_behind_the_last_gives_all_records_before_its_404() {
    let (sandbox, show) = capped(20, 10).await;
    sandbox.set_behavior(|behavior| behavior.past_the_end = PastTheEnd::NotFound);
    let mut stream = show.customers().list().stream();
    for expected in ids(&sandbox) {
        assert_eq!(id(&stream.try_next().await.unwrap().unwrap()), expected);
    }
    let error = stream.try_next().await.unwrap_err();
    assert!(error.is_not_found(), "only an empty page is an end: {error:?}");
}

#[tokio::test]
async fn a_server_that_does_not_page_is_found_out() {
    let server = MockServer::start_async().await;
    token(&server);
    let all = server.mock(|when, then| {
        when.method("GET").path("/Order");
        then.status(200).json_body(json!([{"items": [{"orderLineID": "11"}]}]));
    });
    let show = client(&server);
    let mut orders = show.orders().list().stream();
    assert!(orders.try_next().await.unwrap().is_some());
    assert_eq!(orders.try_next().await.unwrap_err().kind(), ErrorKind::Paging);
    all.assert_calls(2);
    assert_eq!(show.orders().list().send().await.unwrap().len(), 1, "as one response it can be read");
}

#[tokio::test]
async fn records_that_move_while_they_are_read_are_noticed() {
    let server = Server::start(|seen| {
        let page = match seen.path.split("page=").nth(1).and_then(|rest| rest.split('&').next()) {
            Some("1") => r#"[{"id":"a"},{"id":"b"}]"#,
            _ => r#"[{"id":"b"},{"id":"c"}]"#,
        };
        Reply::json(200, page)
    })
    .await;
    let mut stream = show_of(&server).customers().list().page_size(2).stream();
    stream.try_next().await.unwrap();
    stream.try_next().await.unwrap();
    let error = stream.try_next().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Paging);
    assert!(error.to_string().contains("sort"), "{error}");
}

#[tokio::test]
async fn sort_and_modified_after_stand_in_the_query() {
    let (sandbox, show) = sandbox(5).await;
    let middle = sandbox.customers()[2]["modifiedDate"].as_str().unwrap().to_owned();
    let list = show.customers().list().modified_after(middle.as_str()).sort("customerID", Direction::Descending);
    let customers = list.send().await.unwrap();
    let found: Vec<_> = customers.iter().filter_map(|customer| customer.customer_id.as_deref()).collect();
    assert_eq!(found, ["C00005", "C00004"]);
    assert!(customers.iter().all(|customer| customer.modified_date.is_set()));
    let encoded = middle.replace(':', "%3A");
    assert_eq!(lines(&sandbox), [format!("GET /Customer?modifiedAfter={encoded}&sort=customerID%3Adesc")]);

    let day = chrono::NaiveDate::from_ymd_opt(2025, 1, 31).unwrap();
    let list = show.attendees().list().sort("attendeeID", Direction::Ascending).modified_after(day);
    list.sort("lastName", Direction::Ascending).send().await.unwrap();
    assert_eq!(
        lines(&sandbox)[1],
        "GET /attendee?modifiedAfter=2025-01-31&sort=lastName%3Aasc",
        "the last sort counts"
    );
}

#[tokio::test]
async fn a_filter_reaches_every_page() {
    let (sandbox, show) = capped(25, 10).await;
    let list = show.customers().list().sort("customerID", Direction::Ascending);
    assert_eq!(list.stream().count().await, 25);
    assert!(lines(&sandbox).iter().all(|line| line.contains("sort=customerID%3Aasc")), "{:?}", lines(&sandbox));
}

#[tokio::test]
async fn null_in_place_of_a_list_is_an_empty_list() {
    let server = Server::start(|_| Reply::json(200, "null")).await;
    let show = show_of(&server);
    assert!(show.customers().list().send().await.unwrap().is_empty());
    assert!(show.attendees().list().page(1).await.unwrap().items.is_empty());
    assert_eq!(show.orders().list().stream().count().await, 0);
    assert_eq!(show.resource::<Value>("/Warehouse").unwrap().list().stream().count().await, 0);
}

#[tokio::test]
async fn attendees_are_listed_and_read() {
    let (_sandbox, show) = sandbox(0).await;
    let attendees = show.attendees().list().send().await.unwrap();
    assert_eq!(attendees.len(), 2);
    let one = show.attendees().get(attendees[0].id.as_deref().unwrap()).await.unwrap();
    assert_eq!((&one.email, one.last_name.as_deref()), (&attendees[0].email, Some("Attendee 0001")));
}

fn token(server: &MockServer) {
    server.mock(|when, then| {
        when.method("POST").path("/token");
        then.status(200).json_body(json!({"access_token": "token", "token_type": "Bearer", "expires_in": 300}));
    });
}

fn client(server: &MockServer) -> perenso::Perenso {
    builder(&server.base_url(), &server.url("/token"), "SHOWID", "secret").build().unwrap()
}

#[tokio::test]
async fn the_filters_of_orders_have_the_names_of_the_vendor() {
    let server = MockServer::start_async().await;
    token(&server);
    let orders = server.mock(|when, then| {
        when.method("GET")
            .path("/Order")
            .query_param("page", "2")
            .query_param("resultsPerPage", "20")
            .query_param("sort", "orderLineID:asc")
            .query_param("customerid", "C 1&2")
            .query_param("productid", "PROD8122")
            .query_param("vendorid", "V1")
            .query_param("status", "open")
            .query_param("ordertype", "REGULAR")
            .query_param("datelastmodified", "2025-01-31T09:00:00")
            .query_param("deliverydate", "2025-02-01")
            .query_param("deliverydatetill", "2025-02-28")
            .query_param("ponumber", "PO+7")
            .query_param_missing("modifiedAfter");
        then.status(200)
            .json_body(json!([{"items": [{"orderLineID": "11", "price": 1.25}], "header": {"kept": true}}]));
    });
    let page = client(&server)
        .orders()
        .list()
        .customer("C 1&2")
        .product("PROD8122")
        .vendor("V1")
        .status("open")
        .order_type("REGULAR")
        .modified_after("2025-01-31T09:00:00")
        .delivery_date(Timestamp::from("2025-02-01"))
        .delivery_until("2025-02-28")
        .po_number("PO+7")
        .sort("orderLineID", Direction::Ascending)
        .page_size(20)
        .page(2)
        .await
        .unwrap();
    orders.assert();
    assert_eq!(page.items[0].items.as_slice()[0].order_line_id.as_deref(), Some("11"));
    assert_eq!(page.items[0].extra["header"], json!({"kept": true}));
}

#[tokio::test]
async fn booths_get_their_products_by_query_and_body() {
    let server = MockServer::start_async().await;
    token(&server);
    let product = json!([{"productID": "PROD8122", "orderUnit": "LB", "price": 12.34567891}]);
    let one = server.mock(|when, then| {
        when.method("POST")
            .path("/BoothProduct")
            .query_param("boothID", "B 1")
            .query_param("productID", "P/1")
            .header("content-length", "0");
        then.status(200).json_body(product.clone());
    });
    let many = server.mock(|when, then| {
        when.method("PUT").path("/BoothProduct").query_param("boothID", "B 1").json_body(json!(["P1", "P2"]));
        then.status(200).body("null");
    });
    let show = client(&server);
    let products = show.booth_products().associate("B 1", "P/1").await.unwrap();
    assert_eq!(serde_json::to_value(&products).unwrap(), product);
    assert!(show.booth_products().associate_many("B 1", ["P1", "P2"]).await.unwrap().is_empty());
    one.assert();
    many.assert();
}

#[tokio::test]
async fn a_place_brings_its_page_size_along_and_another_one_is_refused() {
    let (sandbox, show) = sandbox(45).await;
    let mut stream = show.customers().list().page_size(20).stream();
    for _ in 0..27 {
        stream.try_next().await.unwrap();
    }
    let kept = stream.position();
    assert_eq!(kept, Position::new(2, 7, 20));
    // A list without a page size uses the stored one.
    let rest: Vec<_> = show.customers().list().start_at(kept).stream().map_ok(|c| id(&c)).try_collect().await.unwrap();
    assert_eq!(rest, ids(&sandbox)[27..]);
    sandbox.clear_journal();
    let error = show.customers().list().start_at(kept).page_size(50).stream().try_next().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input, "{error}");
    assert!(sandbox.journal().is_empty());
}

#[tokio::test]
async fn an_invalid_list_request_is_refused_before_it_is_sent() {
    let (sandbox, show) = sandbox(3).await;
    let list = show.customers().list();
    for refused in [
        list.clone().page(0).await.map(drop),
        list.clone().modified_after("yesterday").send().await.map(drop),
        list.clone().modified_after("").page(1).await.map(drop),
        show.orders().list().delivery_date("soon").send().await.map(drop),
    ] {
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Input);
    }
    assert!(sandbox.journal().is_empty());
    // A filter does not override the page parameter.
    list.filter("page", "7").page(1).await.unwrap();
    assert_eq!(lines(&sandbox), ["GET /Customer?page=1&resultsPerPage=100"]);
}
