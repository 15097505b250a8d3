//! Orders and their filters.

#![allow(clippy::unwrap_used)]

#[path = "support/call.rs"]
mod call;

use std::collections::BTreeSet;

use call::Caller;
use perenso_sandbox::Sandbox;
use reqwest::Method;
use serde_json::{Value, json};

async fn start(orders: usize) -> (Sandbox, Caller) {
    let sandbox = Sandbox::builder().customers(5).products(6).orders(orders).start().await.unwrap();
    let caller = Caller::new(&sandbox);
    (sandbox, caller)
}

async fn list(caller: &Caller, query: &str) -> Vec<Value> {
    let (status, body) = caller.get(&format!("/Order?{query}")).await;
    assert_eq!(status, 200, "{query}: {body}");
    body.as_array().unwrap().clone()
}

fn ids(orders: &[Value]) -> Vec<&str> {
    orders.iter().map(|order| order["id"].as_str().unwrap()).collect()
}

/// Returns the orders of the list.
fn kept(sandbox: &Sandbox) -> Vec<Value> {
    let mut orders = sandbox.orders();
    for order in &mut orders {
        order.as_object_mut().unwrap().remove("modifiedDate");
    }
    orders
}

fn lines(order: &Value) -> &[Value] {
    order["items"].as_array().unwrap()
}

#[tokio::test]
async fn lines_refer_to_records_of_the_show() {
    let (sandbox, caller) = start(60).await;
    let orders = list(&caller, "").await;
    assert_eq!(orders.len(), 60);
    assert_eq!(orders, kept(&sandbox));
    let find = |records: &[Value], field: &str, key: &Value| {
        records.iter().find(|record| record[field] == *key).cloned().unwrap_or_else(|| panic!("no {field} {key}"))
    };
    let (customers, products, vendors) = (sandbox.customers(), sandbox.products(), sandbox.vendors());
    let warehouses = caller.get("/Warehouse").await.1;
    let mut seen: [BTreeSet<String>; 3] = Default::default();
    for ((order, kept), order_number) in orders.iter().zip(sandbox.orders()).zip(1..) {
        assert!(!lines(order).is_empty());
        for (number, line) in lines(order).iter().enumerate() {
            let customer = find(&customers, "customerID", &line["customer"]["id"]);
            assert_eq!(customer["customerName"], line["customer"]["name"]);
            let product = find(&products, "productID", &line["product"]["id"]);
            assert_eq!(product["description"], line["product"]["description"]);
            assert_eq!(product["vendorID"], line["vendor"]["id"]);
            let vendor = find(&vendors, "vendorID", &line["vendor"]["id"]);
            assert_eq!(vendor["vendorName"], line["vendor"]["name"]);
            let warehouse = find(warehouses.as_array().unwrap(), "warehouseID", &line["warehouse"]["id"]);
            assert_eq!(warehouse["description"], line["warehouse"]["description"]);
            let units = products.iter().filter(|record| record["productID"] == product["productID"]);
            assert!(units.map(|record| &record["orderUnit"]).any(|unit| *unit == line["orderUnit"]));
            assert_eq!(line["orderLineID"], format!("{order_number}{}", number + 1));
            assert_eq!(line["modifiedDate"], kept["modifiedDate"]);
            assert!(line["price"].as_f64().unwrap() <= line["basePrice"].as_f64().unwrap());
            seen[0].insert(line["customer"]["id"].to_string());
            seen[1].insert(line["product"]["id"].to_string());
            seen[2].insert(line["warehouse"]["id"].to_string());
        }
    }
    assert_eq!(seen.map(|keys| keys.len()), [5, 6, 3], "all of them are ordered");
}

#[tokio::test]
async fn a_string_filter_finds_orders_with_a_matching_line() {
    let (sandbox, caller) = start(60).await;
    let orders = kept(&sandbox);
    for (name, place) in [
        ("customerid", "/customer/id"),
        ("productid", "/product/id"),
        ("vendorid", "/vendor/id"),
        ("ordertype", "/orderType"),
        ("ponumber", "/purchaseOrder/id"),
    ] {
        let wanted = lines(&orders[7]).last().unwrap().pointer(place).unwrap().as_str().unwrap();
        let has = |order: &&Value| lines(order).iter().any(|line| line.pointer(place).unwrap() == wanted);
        let expected: Vec<Value> = orders.iter().filter(has).cloned().collect();
        assert!(name == "ordertype" || expected.len() < 60, "{name} is not much of a filter");
        assert_eq!(list(&caller, &format!("{name}={wanted}")).await, expected, "{name}={wanted}");
        assert!(list(&caller, &format!("{name}=none")).await.is_empty(), "{name}");
    }
    for status in ["Open", "Closed"] {
        let expected: Vec<Value> = orders.iter().filter(|order| order["status"] == status).cloned().collect();
        assert!((10..50).contains(&expected.len()));
        assert_eq!(list(&caller, &format!("status={status}")).await, expected);
    }
}

#[tokio::test]
async fn two_filters_must_match_the_same_line() {
    let (sandbox, caller) = start(60).await;
    let orders = kept(&sandbox);
    let product = |line: &Value| line["product"]["id"].as_str().unwrap().to_owned();
    let vendor = |line: &Value| line["vendor"]["id"].as_str().unwrap().to_owned();
    let mixed =
        orders.iter().find(|order| lines(order).len() > 1 && vendor(&lines(order)[0]) != vendor(&lines(order)[1]));
    let mixed = mixed.unwrap();
    let query = format!("productid={}&vendorid={}", product(&lines(mixed)[0]), vendor(&lines(mixed)[1]));
    assert!(list(&caller, &query).await.is_empty());
    let query = format!("productid={}&vendorid={}", product(&lines(mixed)[0]), vendor(&lines(mixed)[0]));
    assert!(list(&caller, &query).await.contains(mixed));
}

#[tokio::test]
async fn dates_are_ranges() {
    let (sandbox, caller) = start(60).await;
    let orders = kept(&sandbox);
    let delivery = |order: &Value| lines(order)[0]["deliveryDate"].as_str().unwrap()[..10].to_owned();
    let mut days: Vec<String> = orders.iter().map(delivery).collect();
    days.sort();
    let (from, till) = (days[20].clone(), days[40].clone());
    for (query, expected) in [
        (format!("deliverydate={from}"), orders.iter().filter(|order| delivery(order) == from).collect::<Vec<_>>()),
        (format!("deliverydate={from}T10:00:00"), orders.iter().filter(|order| delivery(order) == from).collect()),
        (format!("deliverydatetill={till}"), orders.iter().filter(|order| delivery(order) <= till).collect()),
        (
            format!("deliverydate={from}&deliverydatetill={till}"),
            orders.iter().filter(|order| (&from..=&till).contains(&&delivery(order))).collect(),
        ),
    ] {
        let found = list(&caller, &query).await;
        assert!(!found.is_empty() && found.len() < 60, "{query}");
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{query}");
    }
    let since = lines(&orders[30])[0]["modifiedDate"].as_str().unwrap();
    assert_eq!(list(&caller, &format!("datelastmodified={since}")).await, orders[30..]);
    assert_eq!(list(&caller, "datelastmodified=2025-01-01").await.len(), 60);
    for name in ["datelastmodified", "deliverydate", "deliverydatetill"] {
        let (status, body) = caller.get(&format!("/Order?{name}=tomorrow")).await;
        assert_eq!((status, &body["fields"]), (400, &json!([name])));
    }
}

#[tokio::test]
async fn orders_are_paged_and_sorted() {
    let (sandbox, caller) = start(45).await;
    let orders = kept(&sandbox);
    for (page, expected) in [(1, &orders[..20]), (3, &orders[40..]), (4, &[])] {
        assert_eq!(list(&caller, &format!("page={page}&resultsPerPage=20")).await, expected);
    }
    let sorted = list(&caller, "sort=deliveryDate:desc&page=2&resultsPerPage=10").await;
    let mut expected = orders.clone();
    expected.sort_by_key(|order| std::cmp::Reverse(lines(order)[0]["deliveryDate"].to_string()));
    assert_eq!(ids(&sorted), ids(&expected[10..20]));
    assert_eq!(
        ids(&list(&caller, "sort=modifiedDate:desc").await),
        ids(&orders.iter().rev().cloned().collect::<Vec<_>>())
    );
    let filtered = list(&caller, "status=Open&page=2&resultsPerPage=5").await;
    let open: Vec<Value> = orders.iter().filter(|order| order["status"] == "Open").cloned().collect();
    assert_eq!(filtered, open[5..10]);
    for (query, name) in
        [("sort=nothing:asc", "sort"), ("modifiedAfter=2025-01-01", "modifiedAfter"), ("customerID=1", "customerID")]
    {
        let (status, body) = caller.get(&format!("/Order?{query}")).await;
        assert_eq!((status, &body["fields"]), (400, &json!([name])), "{query}");
    }
}

#[tokio::test]
async fn without_customers_or_products_there_are_no_orders() {
    for (customers, products) in [(0, 5), (5, 0)] {
        let sandbox = Sandbox::builder().customers(customers).products(products).start().await.unwrap();
        assert!(sandbox.orders().is_empty(), "{customers} customers, {products} products");
    }
    assert_eq!(Sandbox::start().await.unwrap().orders().len(), 20);
}

#[tokio::test]
async fn an_order_is_read_only() {
    let (_sandbox, caller) = start(3).await;
    for path in ["/order", "/ORDER/"] {
        assert_eq!(caller.get(path).await.0, 200, "{path}");
    }
    assert_eq!(caller.call(reqwest::Method::POST, "/Order", Some(json!({}))).await.0, 405);
}

#[tokio::test]
async fn lines_are_updated_by_their_key_and_others_fail_by_their_row() {
    let (sandbox, caller) = start(3).await;
    let before = sandbox.orders();
    let keys: Vec<&Value> = before.iter().map(|order| &order["items"][0]["orderLineID"]).collect();
    let items = json!({"items": [
        {"id": keys[1], "orderQty": 77, "deliveryDate": "2026-07-22T00:00:00", "notes": "Gate 2", "purchaseOrderId": "PO9"},
        {"id": "nowhere", "orderQty": 2, "deliveryDate": "2026-07-23T00:00:00", "purchaseOrderId": "PO8"},
        {"id": keys[0]},
    ]});
    let (status, answer) = caller.call(Method::PUT, "/Order", Some(items)).await;
    assert_eq!(status, 200);
    assert_eq!(answer["successful"], json!([keys[1], keys[0]]));
    assert_eq!(
        answer["failed"],
        json!([{
            "id": "nowhere", "rownumber": 2, "orderQty": 2, "deliveryDate": "2026-07-23", "purchaseOrder": "PO8",
            "errorDesc": "Order line not found",
        }])
    );
    let mut expected = before.clone();
    let line = &mut expected[1]["items"][0];
    line["quantity"] = json!(77);
    line["deliveryDate"] = json!("2026-07-22T00:00:00");
    line["purchaseOrder"] = json!({"id": "PO9", "notes": "Gate 2"});
    let without_dates = |orders: Vec<Value>| {
        orders
            .into_iter()
            .map(|mut order| {
                order.as_object_mut().unwrap().remove("modifiedDate");
                order["items"]
                    .as_array_mut()
                    .unwrap()
                    .iter_mut()
                    .for_each(|line| drop(line.as_object_mut().unwrap().remove("modifiedDate")));
                order
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(without_dates(sandbox.orders()), without_dates(expected));
    assert_ne!(sandbox.orders()[1]["items"][0]["modifiedDate"], before[1]["items"][0]["modifiedDate"]);
    let (status, order) = caller.get(&format!("/Order/{}", before[1]["id"].as_str().unwrap())).await;
    assert_eq!((status, &order), (200, &sandbox.orders()[1]));
    assert_eq!(caller.get("/Order/nowhere").await.0, 404);
}

#[tokio::test]
async fn order_history_is_created_for_known_customers_up_to_a_thousand_items() {
    let (sandbox, caller) = start(0).await;
    let customer = sandbox.customers()[0]["customerID"].clone();
    let item = |number: usize| json!({"customerid": customer, "bucket": "B", "mainNumber": number});
    let mut items: Vec<Value> = (0..1002).map(item).collect();
    items[3]["customerid"] = json!("nobody");
    let (status, answer) = caller.call(Method::POST, "/OrderHistory", Some(json!({"history": items}))).await;
    assert_eq!((status, &answer["successful"]), (200, &json!(999)));
    assert_eq!(
        answer["failed"],
        json!([
            {"ID": "B", "Message": "Customer Id not found"},
            {"ID": "B", "Message": "at most 1000 history lines are allowed per session"},
        ])
    );
    let kept = sandbox.order_history();
    assert_eq!((kept.len(), &kept[3]), (999, &item(4)));
}
