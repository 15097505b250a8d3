//! Contract tests: every operation of the vendored document, through the SDK.
//!
//! They use their own sandbox or, if `PERENSO_API_URL` is an address of this machine, the server that the environment names
//! (see `Perenso::from_env`). So the same tests run through a proxy that checks requests and responses against the document.
//! They write and delete, so they must not use the credentials of a live show in the environment.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;

use futures_util::TryStreamExt;
use perenso::{
    Direction, Field, Perenso, RecordOutcome, Timestamp,
    types::{
        Customer, CustomerV2, OrderHistoryItem, OrderLineUpdate, OrderingGroup, OrderingGroupV2, OrderingSubGroupV2,
        Vendor,
    },
};
use perenso_sandbox::Sandbox;
use serde_json::{Map, Value};

/// A client, and its sandbox if there is one, which must outlive it.
struct Service {
    show: Perenso,
    sandbox: Option<Sandbox>,
}

async fn service() -> Service {
    if std::env::var("PERENSO_API_URL").is_ok_and(|url| is_loopback(&url)) {
        return Service { show: Perenso::from_env().unwrap(), sandbox: None };
    }
    local().await
}

fn is_loopback(url: &str) -> bool {
    url.parse::<http::Uri>().is_ok_and(|url| matches!(url.host(), Some("127.0.0.1" | "[::1]" | "localhost")))
}

#[test]
fn a_live_show_is_never_written_to() {
    for (url, is_ours) in [
        ("http://127.0.0.1:8080", true),
        ("http://[::1]:8080/", true),
        ("http://localhost:8080", true),
        ("https://tradeshow.perenso.net", false),
        ("http://127.0.0.1.example.com", false),
        ("http://127.0.0.1@example.com", false),
        ("", false),
    ] {
        assert_eq!(is_loopback(url), is_ours, "{url}");
    }
}

async fn local() -> Service {
    let sandbox = Sandbox::start().await.unwrap();
    let show = Perenso::builder_from_vars(sandbox.vars()).unwrap();
    Service { show: show.build().unwrap(), sandbox: Some(sandbox) }
}

/// Returns a key that no other test and no other run uses.
fn key(of: &str) -> String {
    let elapsed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    format!("{of}-{:x}", elapsed.as_nanos())
}

/// Returns the first customer. New customers use its references, which must exist.
async fn model(show: &Perenso) -> Customer {
    show.customers().list().page_size(1).page(1).await.unwrap().items.remove(0)
}

#[tokio::test]
async fn one_customer_is_created_read_changed_cleared_and_deleted() {
    one_customer(&service().await.show).await;
}

async fn one_customer(show: &Perenso) {
    let model = model(show).await;
    let key = key("one");
    let customer = Customer {
        id: Field::Unset,
        modified_date: Field::Unset,
        customer_id: key.clone().into(),
        customer_name: "Example Stores \u{2014} \u{dc}nited".into(),
        street2: Field::Null,
        price_zone: 702.into(),
        test: true.into(),
        placeholder: Field::Null,
        ..model
    };
    let created = show.customers().create(&customer).await.unwrap();
    let id = created.id.as_deref().unwrap();
    let read = show.customers().get(id).await.unwrap();
    assert_eq!((read.customer_id.as_deref(), read.price_zone), (Some(&*key), 702.into()));

    let change = Customer {
        phone: "555-0100".into(),
        price_zone: Field::Null,
        sales_reps: Field::Null,
        ordering_groups: Field::Null,
        modified_date: read.modified_date.clone(),
        ..read
    };
    show.customers().update(id, &change).await.unwrap();
    let read = show.customers().get(id).await.unwrap();
    assert_eq!((read.phone.as_deref(), read.price_zone.get()), (Some("555-0100"), None));

    show.customers().delete(id).await.unwrap();
    assert!(show.customers().get(id).await.unwrap_err().is_not_found());
    let update = show.customers().update(id, &Customer::default()).await.unwrap_err();
    assert!(update.is_not_found(), "{update}");
    assert!(show.customers().delete(id).await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn ordering_groups_are_created_with_a_customer() {
    ordering_groups(&service().await.show).await;
}

async fn ordering_groups(show: &Perenso) {
    let group = OrderingGroup {
        ordering_group_id: "OG0100".into(),
        ordering_group_name: "Frozen".into(),
        ordering_sub_group_id: "6200".into(),
        ordering_sub_group_name: Field::Null,
        customers: Vec::<String>::new().into(),
        ..OrderingGroup::default()
    };
    let customer = Customer {
        id: Field::Unset,
        modified_date: Field::Unset,
        customer_id: key("groups").into(),
        ordering_groups: vec![group].into(),
        ..model(show).await
    };
    let created = show.customers().create_with_ordering_groups(&customer).await.unwrap();
    assert_eq!(created.ordering_groups.get().unwrap()[0].ordering_group_id.as_deref(), Some("OG0100"));
    show.customers().delete(created.id.as_deref().unwrap()).await.unwrap();
}

#[tokio::test]
async fn an_id_of_any_characters_reaches_the_server() {
    for id in ["a/b", "a b%2F", "\u{fc}\"<>", "?x=1", "#", "a;b=c,d&e"] {
        let error = service().await.show.customers().get(id).await.unwrap_err();
        assert!(error.is_not_found(), "{id}: {error}");
    }
}

#[tokio::test]
async fn lists_of_customers_are_sorted_filtered_and_read_in_pages() {
    customer_lists(&service().await.show).await;
}

async fn customer_lists(show: &Perenso) {
    let list = || show.customers().list().sort("customerID", Direction::Descending);
    let page = list().page_size(7).page(2).await.unwrap();
    assert_eq!(page.items.len(), 7);
    assert!(page.items.is_sorted_by(|a, b| a.customer_id.as_deref() >= b.customer_id.as_deref()));
    list().page_size(1000).page(1_000_000).await.map(|page| assert!(page.items.is_empty())).unwrap();
    for since in ["2025-01-31", "2025-01-31T09:00:00", "2025-01-20T04:50:03.61"] {
        list().modified_after(Timestamp::from(since)).send().await.unwrap();
    }
    let all: Vec<Customer> = list().page_size(40).stream().try_collect().await.unwrap();
    assert!(all.len() > 40, "{}", all.len());
}

#[tokio::test]
async fn customers_go_in_bulk_and_each_is_accounted_for() {
    customer_bulk(&service().await.show).await;
}

async fn customer_bulk(show: &Perenso) {
    let model = model(show).await;
    let customer = |key: String| CustomerV2 {
        customer_id: key.into(),
        customer_name: "Example Stores".into(),
        street2: Field::Null,
        allowance_group: model.allowance_group.clone(),
        delivery_group: model.delivery_group.clone(),
        warehouse_id: model.warehouse_id.clone(),
        customer_class_id: model.customer_class_id.clone(),
        order_permission_key: model.order_permission_key,
        primary_sales_rep: model.primary_sales_rep.clone(),
        sales_reps: model.sales_reps.clone(),
        ..CustomerV2::default()
    };
    let grouped = CustomerV2 {
        ordering_groups: vec![OrderingGroupV2 {
            ordering_group_id: "OG0100".into(),
            ordering_group_name: Field::Null,
            ordering_sub_groups: vec![OrderingSubGroupV2 {
                ordering_group_id: "6200".into(),
                ..OrderingSubGroupV2::default()
            }]
            .into(),
            ..OrderingGroupV2::default()
        }]
        .into(),
        ..customer(key("bulk"))
    };
    let keys: Vec<String> = (0..5).map(|number| key(&format!("bulk{number}"))).collect();
    let customers = keys.iter().cloned().map(customer).collect::<Vec<_>>();
    for _ in 0..2 {
        let report = show.customers().upsert(customers.clone()).batch_size(2).send().await.unwrap();
        assert!(report.all_succeeded(), "{report:?}");
    }
    // The group may be missing on the server, so the record may be rejected. Its outcome must be known.
    let report = show.customers().upsert([grouped]).send().await.unwrap();
    assert!(
        report
            .outcomes()
            .all(|outcome| matches!(outcome, RecordOutcome::Succeeded { .. } | RecordOutcome::Failed { .. })),
        "{report:?}"
    );
}

#[tokio::test]
async fn vendors_are_written_in_bulk_and_an_unknown_one_is_refused() {
    vendor_bulk(&service().await.show).await;
}

async fn vendor_bulk(show: &Perenso) {
    let vendor = Vendor {
        vendor_name: "Example Foods".into(),
        city: Field::Null,
        brokers: Field::Null,
        booths: Vec::<String>::new().into(),
        active: true.into(),
        allotted_user_count: 16.into(),
        ..Vendor::default()
    };
    let known = show.exports().run("Vendors").send().await.unwrap().rows::<Value>().unwrap();
    let id = known[0]["vendorID"].as_str().unwrap();
    let update = Vendor { vendor_id: id.into(), phone: "555-0100".into(), ..Vendor::default() };
    let stranger = Vendor { vendor_id: key("none").into(), ..Vendor::default() };
    let report = show.vendors().upsert([vendor, update, stranger]).send().await.unwrap();
    let outcomes: Vec<&RecordOutcome> = report.outcomes().collect();
    assert!(
        matches!(
            outcomes[..],
            [RecordOutcome::Succeeded { .. }, RecordOutcome::Succeeded { .. }, RecordOutcome::Failed { .. }]
        ),
        "{report:?}"
    );
}

#[tokio::test]
async fn exports_run_with_parameters_and_without() {
    exports(&service().await.show).await;
}

async fn exports(show: &Perenso) {
    let catalog = show.exports().refresh().await.unwrap();
    assert!(catalog.iter().count() >= 3);
    let vendors = show.exports().run("Vendors").send().await.unwrap();
    assert!(!vendors.rows::<Value>().unwrap().is_empty());
    let run = show.exports().run("Get API Customers").value("Cursor", 1).value("Limit", 15);
    assert_eq!(run.send().await.unwrap().rows::<Value>().unwrap().len(), 15);
}

#[tokio::test]
async fn attendees_are_listed_and_read() {
    attendees(&service().await.show).await;
}

async fn attendees(show: &Perenso) {
    let list = || show.attendees().list().sort("attendeeID", Direction::Ascending);
    let page = list().page_size(2).page(1).await.unwrap();
    let id = page.items[0].id.as_deref().unwrap();
    assert_eq!(show.attendees().get(id).await.unwrap().id, page.items[0].id);
    assert!(show.attendees().get("none").await.unwrap_err().is_not_found());
    let changed = list().modified_after(Timestamp::from("2020-01-31")).send().await.unwrap();
    assert!(changed.iter().all(|attendee| attendee.modified_date.is_set()), "{changed:?}");
}

#[tokio::test]
async fn orders_are_filtered_by_all_that_the_sample_shows() {
    orders(&service().await.show).await;
}

async fn orders(show: &Perenso) {
    let orders = show.orders().list().page_size(3).page(1).await.unwrap().items;
    let line = orders.iter().filter_map(|order| order.items.get()).flatten().next().unwrap();
    let customer = line.customer.get().unwrap().id.as_deref().unwrap();
    let product = line.product.get().unwrap().id.as_deref().unwrap();
    let vendor = line.vendor.get().unwrap().id.as_deref().unwrap();
    let delivery = line.delivery_date.get().unwrap();
    let list = || show.orders().list().sort("modifiedDate", Direction::Ascending);
    let found = list()
        .customer(customer)
        .product(product)
        .vendor(vendor)
        .order_type(line.order_type.as_deref().unwrap())
        .delivery_date(delivery)
        .delivery_until(delivery)
        .modified_after(Timestamp::from("2000-01-31"));
    assert!(!found.send().await.unwrap().is_empty());
    for list in [list().customer("none"), list().po_number("none"), list().status("none")] {
        assert!(list.send().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn order_lines_are_updated_and_an_unknown_one_is_refused() {
    order_bulk(&service().await.show).await;
}

async fn order_bulk(show: &Perenso) {
    let orders = show.orders().list().page_size(5).page(1).await.unwrap().items;
    let line = &orders[0].items.as_slice()[0];
    // The quantity that it has, so that a real show stays as it is.
    let (id, order_qty) = (line.order_line_id.clone(), line.quantity);
    let update = OrderLineUpdate { id, order_qty, ..OrderLineUpdate::default() };
    let stranger = OrderLineUpdate { id: key("none").into(), ..OrderLineUpdate::default() };
    let report = show.orders().update([update, stranger]).send().await.unwrap();
    let outcomes: Vec<&RecordOutcome> = report.outcomes().collect();
    assert!(matches!(outcomes[..], [RecordOutcome::Succeeded { .. }, RecordOutcome::Failed { .. }]), "{report:?}");
}

#[tokio::test]
async fn order_history_of_an_unknown_customer_is_refused() {
    order_history(&service().await.show).await;
}

async fn order_history(show: &Perenso) {
    let item =
        OrderHistoryItem { customerid: key("none").into(), main_number: 85.into(), ..OrderHistoryItem::default() };
    let report = show.order_history().create([item]).send().await.unwrap();
    assert_eq!(report.succeeded_counts()[0].count, 0);
    assert!(matches!(report.outcomes().next(), Some(RecordOutcome::Failed { .. })), "{report:?}");
}

#[tokio::test]
async fn products_are_brought_to_a_booth() {
    booth_products(&service().await.show).await;
}

async fn booth_products(show: &Perenso) {
    let booths = show.exports().run("Get Available Booths for Login").send().await.unwrap().rows::<Value>().unwrap();
    let booth = booths[0]["boothID"].as_str().unwrap();
    let orders = show.orders().list().page_size(5).page(1).await.unwrap().items;
    let lines = orders.iter().filter_map(|order| order.items.get()).flatten();
    let products: BTreeSet<&str> = lines.map(|line| line.product.get().unwrap().id.as_deref().unwrap()).collect();
    let first = *products.first().unwrap();
    let associated = show.booth_products().associate(booth, first).await.unwrap();
    assert!(associated.iter().all(|unit| unit.product_id.as_deref() == Some(first)) && !associated.is_empty());
    let all = show.booth_products().associate_many(booth, products.iter().copied()).await.unwrap();
    let all: BTreeSet<&str> = all.iter().filter_map(|unit| unit.product_id.as_deref()).collect();
    assert!(products.is_subset(&all), "{products:?}, {all:?}");
    let error = show.booth_products().associate("none", first).await.unwrap_err();
    assert!(error.status().is_some_and(|status| status.is_client_error()), "{error}");
}

/// Returns the method and the path template of every operation of the document.
fn operations() -> BTreeSet<(String, String)> {
    let document: Value = serde_json::from_str(include_str!("../openapi/perenso.json")).unwrap();
    let methods = |(path, item): (&String, &Value)| {
        let methods: Map<String, Value> = serde_json::from_value(item.clone()).unwrap();
        methods.keys().map(|method| (method.to_uppercase(), path.clone())).collect::<Vec<_>>()
    };
    document["paths"].as_object().unwrap().iter().flat_map(methods).collect()
}

/// Returns the operation of a request.
fn operation(operations: &BTreeSet<(String, String)>, method: &str, path: &str) -> (String, String) {
    let path = path.split('?').next().unwrap();
    let is_it = |template: &str| {
        let (asked, written) = (path.split('/'), template.split('/'));
        asked.clone().count() == written.clone().count()
            && asked.zip(written).all(|(asked, written)| written.starts_with('{') || asked == written)
    };
    let found = operations.iter().find(|(known, template)| known == method && is_it(template));
    found.unwrap_or_else(|| panic!("the document has no {method} {path}")).clone()
}

#[tokio::test]
async fn no_operation_of_the_document_is_forgotten() {
    let Service { show, sandbox } = local().await;
    one_customer(&show).await;
    ordering_groups(&show).await;
    customer_lists(&show).await;
    customer_bulk(&show).await;
    vendor_bulk(&show).await;
    exports(&show).await;
    attendees(&show).await;
    orders(&show).await;
    order_bulk(&show).await;
    order_history(&show).await;
    booth_products(&show).await;
    let operations = operations();
    let journal = sandbox.unwrap().journal();
    let calls = journal.iter().filter(|request| request.path != "/auth/oauth/token");
    let called = calls.map(|request| operation(&operations, &request.method, &request.path)).collect();
    assert_eq!(operations, called, "the document has operations that no contract test calls");
}
