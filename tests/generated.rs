//! The generated records: they keep all data, report the path of an error, and show no personal data.

#![allow(clippy::unwrap_used)]

use perenso::{
    Decimal, Field, Reveal, Timestamp,
    types::{
        BulkAnswer, Customer, CustomerV2, ExportDataType, ExportDescriptor, Order, OrderLine, Product, Vendor, builder,
    },
};
use perenso_openapi::{Document, Overlay};
use proptest::prelude::*;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

fn read<T: DeserializeOwned>(json: Value) -> T {
    serde_json::from_value(json).unwrap()
}

fn write(record: &impl Serialize) -> Value {
    serde_json::to_value(record).unwrap()
}

/// Returns the path and the message of the error on reading.
fn mistake<T: DeserializeOwned>(json: Value) -> (String, String) {
    let text = json.to_string();
    let error = serde_path_to_error::deserialize::<_, T>(&mut serde_json::Deserializer::from_str(&text));
    let error = error.err().unwrap();
    (error.path().to_string(), error.inner().to_string())
}

#[test]
fn a_field_is_left_alone_cleared_or_set() {
    let customer: Customer =
        read(json!({"customerID": "5000", "street2": null, "salesReps": [], "orderingGroups": null}));
    assert_eq!(customer.customer_id.as_deref(), Some("5000"));
    assert!(customer.street1.is_unset());
    assert!(customer.street2.is_null());
    assert_eq!(customer.sales_reps, Field::Value(Vec::new()));
    assert!(customer.ordering_groups.is_null());
    assert!(customer.ordering_groups.as_slice().is_empty());
    assert_eq!(
        serde_json::to_string(&customer).unwrap(),
        r#"{"customerID":"5000","street2":null,"salesReps":[],"orderingGroups":null}"#
    );
}

#[test]
fn builders_take_plain_values() {
    let customer: Customer = Customer::builder()
        .customer_id("5000")
        .customer_name(String::from("Example Stores"))
        .price_zone(702)
        .test(false)
        .street2(Field::Null)
        .email(Field::or_unset(None))
        .sales_reps(["USER1000", "USER1001"])
        .modified_date("2025-07-28")
        .try_into()
        .unwrap();
    assert_eq!(
        write(&customer),
        json!({"customerID": "5000", "customerName": "Example Stores", "priceZone": 702, "test": false,
            "street2": null, "salesReps": ["USER1000", "USER1001"], "modifiedDate": "2025-07-28"})
    );
    let line: OrderLine =
        OrderLine::builder().price(12).base_price("12.50".parse::<Decimal>().unwrap()).try_into().unwrap();
    assert_eq!(serde_json::to_string(&line).unwrap(), r#"{"price":12,"basePrice":12.5}"#);
    let vendor: Vendor =
        Vendor::builder().booths(vec!["BOOTH1"]).brokers(vec!["BROKER1".to_string()]).try_into().unwrap();
    assert_eq!(write(&vendor), json!({"brokers": ["BROKER1"], "booths": ["BOOTH1"]}));
}

#[test]
fn a_required_value_is_a_parameter_of_the_builder() {
    let error = ExportDescriptor::try_from(builder::ExportDescriptor::default().id("739da9")).unwrap_err();
    assert!(error.to_string().contains("name"), "{error}");
}

#[test]
fn unknown_fields_go_back_as_they_came() {
    let text = r#"{"customerID":"5000","orderingGroups":[{"customers":["5000"],"colour":{"deep":[1,2.5,null]}}],"priority":1.10,"tags":["a"]}"#;
    let customer: Customer = serde_json::from_str(text).unwrap();
    assert_eq!(customer.extra.keys().collect::<Vec<_>>(), ["priority", "tags"]);
    assert_eq!(write(&customer), serde_json::from_str::<Value>(text).unwrap());
}

#[test]
fn fields_may_come_in_any_order_and_twice() {
    let customer: Customer =
        serde_json::from_str(r#"{"zipCode":"1","customerID":"a","id":"x","customerID":"b"}"#).unwrap();
    assert_eq!(write(&customer), json!({"zipCode": "1", "customerID": "b", "id": "x"}));
}

#[test]
fn null_in_place_of_a_list_is_an_empty_list() {
    let response: BulkAnswer = read(json!({"successful": null}));
    assert!(response.successful.is_empty() && response.failed.is_empty());
    let descriptor: ExportDescriptor = read(json!({"id": "739da9", "name": "Vendors", "parameters": null}));
    assert!(descriptor.parameters.is_empty());
    let order: Order = read(json!({"items": null}));
    assert!(order.items.as_slice().is_empty());
}

#[test]
fn a_mistake_is_found_by_its_path() {
    let customers = json!([{"customerID": "1"}, {"customerID": "2"}, {"colour": "red", "priceZone": "north"}]);
    let (path, what) = mistake::<Vec<Customer>>(customers);
    assert_eq!(path, "[2].priceZone");
    assert!(what.starts_with("invalid type: string"), "{what}");

    // The type of a list response, which may be `null`.
    let (path, _) = mistake::<Option<Vec<Customer>>>(json!([{"orderingGroups": [{"customers": ["1", 2]}]}]));
    assert_eq!(path, "[0].orderingGroups[0].customers[1]");
    let (path, _) = mistake::<Vec<Order>>(json!([{"items": [{}, {"price": true}]}]));
    assert_eq!(path, "[0].items[1].price");
    let (path, what) = mistake::<Vec<ExportDescriptor>>(json!([{"id": "1"}]));
    assert_eq!(path, "[0]");
    assert!(what.starts_with("missing field `name`"), "{what}");
    let (path, _) = mistake::<Customer>(json!([]));
    assert_eq!(path, ".");
}

#[test]
fn a_data_type_that_nobody_knows_is_kept() {
    for (text, known) in [
        ("Integer", ExportDataType::Integer),
        ("Text", ExportDataType::Text),
        ("DateTime", ExportDataType::DateTime),
        ("Boolean", ExportDataType::Boolean),
        ("Money", ExportDataType::Other("Money".to_string())),
        ("integer", ExportDataType::Other("integer".to_string())),
        ("", ExportDataType::Other(String::new())),
    ] {
        assert_eq!(read::<ExportDataType>(json!(text)), known);
        assert_eq!(write(&known), json!(text));
        assert_eq!(known.to_string(), text);
        assert_eq!(text.parse::<ExportDataType>(), Ok(known.clone()));
        assert_eq!(ExportDataType::from(text.to_string()), known);
    }
}

#[test]
fn debug_shows_keys_only() {
    let secret = "Ada of 1 Example Street";
    let mut customer: Customer = read(json!({
        "id": "a1b2c3", "customerID": "5000", "customerName": secret, "email": secret, "salesReps": [secret],
        "orderingGroups": [{"orderingGroupName": secret}], "extra1": secret, "somethingNew": secret,
    }));
    assert_eq!(format!("{customer:?}"), r#"Customer { id: "a1b2c3", customer_id: "5000", .. }"#);
    assert!(Reveal(&customer).to_string().contains(secret));
    customer.id = Field::Unset;
    customer.customer_id = Field::Null;
    assert_eq!(format!("{customer:?}"), "Customer { customer_id: null, .. }");
    assert_eq!(format!("{:?}", builder::Customer::from(customer)), "Customer { .. }");

    let response: BulkAnswer = read(json!({"successful": [{"id": "a1", "customerID": "5000", "name": secret}],
        "failed": [{"customerID": "5001", "messages": [secret], "name": secret}], "note": secret}));
    let shown = format!("{response:?}");
    assert!(shown.contains("5000") && shown.contains("5001") && !shown.contains("Ada"), "{shown}");
    let line: OrderLine = read(json!({"orderLineID": "11", "customer": {"id": "5000", "name": secret},
        "purchaseOrder": {"notes": secret}}));
    assert_eq!(format!("{line:?}"), r#"OrderLine { order_line_id: "11", .. }"#);
    assert_eq!(format!("{:?}", line.customer), r#"OrderCustomer { id: "5000", .. }"#);

    let descriptor: ExportDescriptor = read(json!({"id": "739da9", "name": "Vendors", "parameters": []}));
    let shown = format!("{descriptor:?}");
    assert_eq!(shown, r#"ExportDescriptor { id: "739da9", name: "Vendors", parameters: [], .. }"#);
}

/// For every type of the document, `Debug` shows only keys, with any string in any field.
#[test]
fn no_record_with_personal_data_shows_it() {
    let document = Document::from_json(include_str!("../openapi/perenso.json")).unwrap();
    let overlay = Overlay::from_json(include_str!("../openapi/overlay.json")).unwrap();
    let document = overlay.apply(&document).unwrap().root().clone();
    let check = |name: &str, shown: fn(Value) -> Option<String>| {
        let schema = &document["components"]["schemas"][name];
        let mut record = json!({"new": "secret-new"});
        for (property, inner) in schema["properties"].as_object().unwrap() {
            if inner["type"] == "string" {
                record[property] = json!(format!("secret-{property}"));
            }
        }
        let shown = shown(record).unwrap();
        let permitted = schema["x-shown"].as_array().unwrap();
        for property in schema["properties"].as_object().unwrap().keys() {
            let expected = permitted.contains(&json!(property));
            assert_eq!(shown.contains(&format!("\"secret-{property}\"")), expected, "{name}.{property}: {shown}");
        }
        assert!(!shown.contains("secret-new"), "{name}: {shown}");
    };
    macro_rules! check {
        ($($name:ident),*) => {$(
            check(stringify!($name), |json| {
                serde_json::from_value::<perenso::types::$name>(json).ok().map(|record| format!("{record:?}"))
            });
        )*};
    }
    check!(
        Attendee,
        BulkFailure,
        BulkSuccess,
        Customer,
        CustomerV2,
        OrderCustomer,
        OrderVendor,
        OrderingGroup,
        OrderingGroupV2,
        OrderingSubGroupV2,
        PurchaseOrder,
        Vendor
    );
}

#[test]
fn prices_keep_their_digits_and_times_their_text() {
    let product: Product = serde_json::from_str(r#"{"price":123456789.12000000,"msrp":"3.10","netWeight":4}"#).unwrap();
    assert_eq!(product.price.get().unwrap().to_string(), "123456789.12");
    assert_eq!(serde_json::to_string(&product).unwrap(), r#"{"netWeight":4,"price":123456789.12,"msrp":3.1}"#);
    let line: OrderLine = read(json!({"deliveryDate": "2024-07-22T00:00:00", "modifiedDate": "yesterday"}));
    assert_eq!(line.modified_date, Field::Value(Timestamp::from("yesterday")));
    assert_eq!(line.modified_date.get().and_then(Timestamp::date), None);
    assert_eq!(write(&line), json!({"deliveryDate": "2024-07-22T00:00:00", "modifiedDate": "yesterday"}));
}

proptest! {
    #[test]
    fn any_customer_goes_back_as_it_came(
        known in prop::collection::btree_map("customerID|city|extra[1-5]|email", prop_oneof![Just(None), "\\PC{0,8}".prop_map(Some)], 0..6),
        unknown in prop::collection::btree_map("[a-z]{12}", any::<i64>(), 0..4),
        zone in prop::option::of(any::<i64>()),
    ) {
        let mut json = serde_json::Map::new();
        json.extend(known.into_iter().map(|(name, value)| (name, json!(value))));
        json.extend(unknown.into_iter().map(|(name, value)| (name, json!(value))));
        json.insert("priceZone".to_string(), json!(zone));
        let json = Value::Object(json);
        prop_assert_eq!(&write(&read::<CustomerV2>(json.clone())), &json);
        prop_assert_eq!(&write(&read::<Customer>(json.clone())), &json);
    }
}
