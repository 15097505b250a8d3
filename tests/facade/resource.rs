//! Resources that the document does not describe, and single calls of any path.

use futures_util::TryStreamExt;
use http::Method;
use perenso::{CallErrorKind, Direction, ErrorKind, JsonRecord};
use perenso_sandbox::Fault;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{builder, lines, sandbox};

#[tokio::test]
async fn five_verbs() {
    let (sandbox, show) = sandbox(0).await;
    let warehouses = show.resource::<Value>("/Warehouse").unwrap();
    assert_eq!(warehouses.list().send().await.unwrap().len(), 3);
    let made = warehouses.create(&json!({"warehouseID": "WH1", "area": 12.125})).await.unwrap();
    let id = made["id"].as_str().unwrap();
    assert_eq!(warehouses.get(id).await.unwrap(), made);
    let changed = warehouses.update(id, &json!({"area": null})).await.unwrap();
    assert_eq!((&changed["warehouseID"], &changed["area"]), (&json!("WH1"), &json!(null)));
    warehouses.delete(id).await.unwrap();
    let error = warehouses.get(id).await.unwrap_err();
    assert!(error.is_not_found(), "{error:?}");
    assert_eq!(error.operation(), "get /Warehouse", "an id is data, and is not shown");
    let one = format!("/Warehouse/{id}");
    assert_eq!(
        lines(&sandbox),
        [
            "GET /Warehouse".to_owned(),
            "POST /Warehouse".to_owned(),
            format!("GET {one}"),
            format!("PUT {one}"),
            format!("DELETE {one}"),
            format!("GET {one}"),
        ]
    );
}

#[tokio::test]
async fn a_resource_has_a_type_and_lists_as_all_lists_do() {
    #[derive(Debug, Serialize, Deserialize)]
    struct Warehouse {
        #[serde(rename = "warehouseID")]
        warehouse_id: String,
    }
    let (sandbox, show) = sandbox(0).await;
    sandbox.set_behavior(|behavior| behavior.page_cap = Some(2));
    let list = show.resource::<Warehouse>("/Warehouse").unwrap().list().sort("warehouseID", Direction::Descending);
    let all: Vec<_> = list.stream().map_ok(|warehouse| warehouse.warehouse_id).try_collect().await.unwrap();
    assert_eq!(all, ["WH0003", "WH0002", "WH0001"]);
    assert_eq!(lines(&sandbox).len(), 3);
}

#[tokio::test]
async fn its_calls_are_repeated_as_those_of_the_document_are() {
    let (sandbox, show) = sandbox(0).await;
    let warehouses = show.resource::<Value>("/Warehouse").unwrap();
    sandbox.fault(Fault::DropResponse);
    let error = warehouses.create(&json!({"warehouseID": "WH1"})).await.unwrap_err();
    assert!(error.may_have_written(), "{error:?}");
    assert_eq!(lines(&sandbox).len(), 1);

    let id = warehouses.list().send().await.unwrap()[3]["id"].as_str().unwrap().to_owned();
    sandbox.fault(Fault::DropResponse);
    warehouses.update(&id, &json!({"area": 1})).await.unwrap();
    sandbox.fault(Fault::DropResponse);
    warehouses.delete(&id).await.unwrap();
    assert_eq!(lines(&sandbox).len(), 6, "the answers to both were lost, and the second delete found nothing");
    assert!(warehouses.delete(&id).await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn a_path_that_is_none_is_refused_at_once() {
    let (sandbox, show) = sandbox(0).await;
    for path in [
        "",
        "/",
        "Warehouse",
        "/Warehouse/",
        "//evil.example",
        "/Warehouse?page=1",
        "/Warehouse#top",
        "/a//b",
        "/a/../Customer",
        "/..",
        "/a/%2e%2E/Customer",
        "/a/.",
        "/Ware house",
        "/Ware\\house",
        "/Ware\nhouse",
        "https://evil.example/Warehouse",
    ] {
        let error = show.resource::<Value>(path).expect_err(path);
        assert_eq!(error.kind(), ErrorKind::Input, "{path:?}: {error:?}");
    }
    for path in ["/Warehouse", "/v2/customers", "/a.b/c..d", "/Caf%C3%A9"] {
        show.resource::<Value>(path).unwrap();
    }
    assert!(sandbox.journal().is_empty());
}

#[tokio::test]
async fn any_path_can_be_called_and_none_leads_elsewhere() {
    let (sandbox, show) = sandbox(3).await;
    let customers: Vec<Value> =
        show.request(Method::GET, "/Customer").query("page", 1).query("resultsPerPage", 2).send_json().await.unwrap();
    assert_eq!((customers.len(), lines(&sandbox)[0].as_str()), (2, "GET /Customer?page=1&resultsPerPage=2"));
    let response = show.request(Method::GET, "/Customer?page=2&resultsPerPage=2").send().await.unwrap();
    assert_eq!(response.json::<Vec<Value>>().await.unwrap().len(), 1);

    sandbox.clear_journal();
    for path in
        ["https://evil.example/x", "//evil.example/x", "Customer", "/a/../b", "/a/%2E%2e/b", "/a b", "/a\\b", ""]
    {
        let error = show.request(Method::GET, path).send().await.unwrap_err();
        assert_eq!(error.kind(), CallErrorKind::Request, "{path}");
    }
    assert!(sandbox.journal().is_empty(), "not even for a token");
}

#[tokio::test]
async fn a_base_address_may_have_a_path() {
    let server = crate::server::Server::start(|_| crate::server::Reply::json(200, "{}")).await;
    for base in ["/proxy/show", "/proxy/show/"] {
        let token_url = format!("{}/token", server.url);
        let show = builder(&format!("{}{base}", server.url), &token_url, "SHOWID", "secret").build().unwrap();
        show.customers().get("a1").await.unwrap();
        show.resource::<Value>("/Warehouse").unwrap().get("b1").await.unwrap();
        let calls = server.calls();
        let paths: Vec<_> = calls.iter().rev().take(2).map(|call| call.path.as_str()).collect();
        assert_eq!(paths, ["/proxy/show/Warehouse/b1", "/proxy/show/Customer/a1"], "{base}");
    }
}

#[tokio::test]
async fn resources_with_an_inferred_path_have_methods_and_other_paths_can_be_set() {
    let (sandbox, show) = sandbox(0).await;
    let resources = [
        show.warehouses(),
        show.delivery_groups(),
        show.delivery_ranges(),
        show.delivery_drops(),
        show.sales_reps(),
        show.sales_rep_managers(),
        show.ordering_groups(),
        show.brokers(),
        show.vendors().records(),
        show.vendor_users(),
        show.booths(),
        show.products(),
    ];
    for resource in resources {
        let made = resource.create(&JsonRecord::new().with("area", 12.5)).await.unwrap();
        let id = made.id().unwrap();
        let changed = resource.update(id, &made.clone().with("area", None::<f64>)).await.unwrap();
        assert_eq!(changed.field::<f64>("area").unwrap(), perenso::Field::Null);
        assert_eq!(resource.get(id).await.unwrap(), changed);
        let last = resource.list().stream().try_fold(None, async |_, record| Ok(Some(record))).await.unwrap();
        assert_eq!(last.unwrap().id(), Some(id));
        resource.delete(id).await.unwrap();
        assert!(resource.get(id).await.unwrap_err().is_not_found());
    }
    let before = lines(&sandbox).len();
    let elsewhere = show.products().at("/Warehouse").unwrap();
    assert_eq!(elsewhere.list().send().await.unwrap().len(), 3);
    assert_eq!(lines(&sandbox)[before..], ["GET /Warehouse"]);
    assert_eq!(show.products().at("/a/../b").unwrap_err().kind(), ErrorKind::Input);
}

#[tokio::test]
async fn pages_of_a_named_resource_that_share_a_record_are_an_error() {
    let (sandbox, show) = sandbox(0).await;
    sandbox.set_behavior(|behavior| behavior.past_the_end = perenso_sandbox::PastTheEnd::LastPageAgain);
    let error = show.warehouses().list().page_size(2).stream().try_collect::<Vec<_>>().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Paging);
}

#[tokio::test]
async fn a_single_order_is_read_by_its_id() {
    let (sandbox, show) = sandbox(2).await;
    let order = &sandbox.orders()[1];
    let read = show.orders().get(order["id"].as_str().unwrap()).await.unwrap();
    assert_eq!(&Value::from(read.into_fields()), order);
    assert!(show.orders().get("nowhere").await.unwrap_err().is_not_found());
}
