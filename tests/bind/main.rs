//! Structs bound to exports: accepted and rejected types, and the check of their values.

#![allow(clippy::unwrap_used)]
// Many types are bound and never constructed.
#![allow(dead_code)]

mod fields;
mod types;
mod values;

use std::{
    borrow::Cow,
    cell::Cell,
    collections::{BTreeMap, HashMap},
    num::{NonZeroI128, NonZeroU8, NonZeroU64, Wrapping},
    time::Duration,
};

use chrono::{
    DateTime, FixedOffset, Local, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, TimeDelta, Utc, Weekday,
};
use perenso::{
    ErrorKind,
    exports::{Bound, Catalog, Descriptor},
    schemars::{self, JsonSchema, Schema, SchemaGenerator, json_schema},
};
use perenso_sandbox::Sandbox;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

fn export(parameters: &[(&str, &str)]) -> Descriptor {
    let parameters: Vec<Value> =
        parameters.iter().map(|(name, data_type)| json!({"name": name, "dataType": data_type})).collect();
    serde_json::from_value(json!({"id": "79aag9", "name": "Get API Customers", "parameters": parameters})).unwrap()
}

fn customers() -> Descriptor {
    export(&[("Cursor", "Integer"), ("Limit", "Integer")])
}

fn problems<T: Serialize + JsonSchema>(export: &Descriptor) -> Vec<String> {
    match export.bind::<T>() {
        Ok(_) => Vec::new(),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Input, "{error}");
            error.problems().to_vec()
        }
    }
}

/// A struct with one field.
#[derive(Serialize, JsonSchema)]
struct One<V> {
    field: V,
}

const TYPES: [&str; 5] = ["Integer", "Text", "DateTime", "Boolean", "Money"];

/// Asserts that a field of this type fits exactly these data types.
fn fits<V: Serialize + JsonSchema>(expected: &[&str]) {
    let fitting: Vec<&str> =
        TYPES.into_iter().filter(|data_type| export(&[("field", data_type)]).bind::<One<V>>().is_ok()).collect();
    assert_eq!(fitting, expected, "{}", std::any::type_name::<V>());
}

/// Returns the found part of the problem for a field of this type and a data type that it does not fit.
fn found<V: Serialize + JsonSchema>(data_type: &str) -> String {
    let problems = problems::<One<V>>(&export(&[("field", data_type)]));
    assert_eq!(problems.len(), 1, "{problems:?}");
    let (expected, found) = problems[0].split_once("; found ").unwrap();
    assert!(expected.starts_with("`field`: expected "), "{expected}");
    found.to_owned()
}

#[derive(Serialize, JsonSchema)]
struct Newtype<V>(V);

#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
struct Transparent<V> {
    inner: V,
}

#[derive(Serialize, JsonSchema)]
enum Size {
    Small,
    Large,
}

/// schemars describes an enum with docs by another schema.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Documented {
    /// Little.
    Small,
    /// Much.
    Large,
}

#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
enum Untagged {
    Number(i32),
    Text(String),
}

#[derive(Serialize, JsonSchema)]
enum Data {
    None,
    Number(i32),
    Pair(i32, i32),
    Named { number: i32 },
}

#[derive(Serialize, JsonSchema)]
#[serde(tag = "kind")]
enum Tagged {
    A { number: i32 },
    B { text: String },
}

#[derive(Serialize, JsonSchema)]
enum Never {}

#[derive(Serialize, JsonSchema)]
struct Pair(i32, i32);

#[derive(Serialize, JsonSchema)]
struct Tree {
    children: Vec<Tree>,
    first: Option<Box<Tree>>,
}

/// A recursive newtype, whose schema is a reference to itself.
#[derive(Serialize, JsonSchema)]
struct Itself(Box<Itself>);

#[test]
fn an_export_that_no_struct_fits_is_rejected() {
    let twice = export(&[("field", "Integer"), ("field", "Integer")]);
    assert_eq!(twice.bind::<One<u8>>().unwrap_err().kind(), ErrorKind::Export);
    let nowhere: Descriptor = serde_json::from_value(json!({"id": "..", "name": "Up", "parameters": []})).unwrap();
    assert_eq!(nowhere.bind::<()>().unwrap_err().kind(), ErrorKind::Export);
    assert_eq!(Catalog::default().bind::<()>("Vendors").unwrap_err().kind(), ErrorKind::Export);
}

/// A bound struct accepts values with shorter lifetimes, on any thread.
#[test]
fn a_bound_struct_may_borrow() {
    #[derive(Serialize, JsonSchema)]
    struct City<'c> {
        field: &'c str,
    }
    fn is_shared<T: Send + Sync + Clone>(_: &T) {}
    let bound = export(&[("field", "Text")]).bind::<City>().unwrap();
    for number in 0..3 {
        let city = format!("Exampleville {number}");
        let request = bound.check(&City { field: &city }).unwrap();
        assert_eq!(request.body().unwrap()["field"], city);
    }
    is_shared(&bound);
    let cells: Bound<One<Cell<u8>>> = export(&[("field", "Integer")]).bind().unwrap();
    is_shared(&cells.clone());
    assert_eq!(cells.descriptor().name(), "Get API Customers");
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
struct GetApiCustomers {
    cursor: u64,
    limit: u64,
}

#[tokio::test]
async fn a_bound_struct_is_sent_only_if_its_values_fit() {
    let sandbox = Sandbox::start().await.unwrap();
    let show = perenso::Perenso::from_vars(sandbox.vars()).unwrap();
    let exports = show.exports();
    let customers = exports.bind::<GetApiCustomers>("Get API Customers").await.unwrap();
    let page = exports.send(customers.check(&GetApiCustomers { cursor: 1, limit: 5 }).unwrap()).await.unwrap();
    assert_eq!(page.rows::<Value>().unwrap().len(), 5);

    sandbox.clear_journal();
    customers.check(&GetApiCustomers { cursor: 1, limit: u64::MAX }).unwrap_err();
    assert_eq!(exports.bind::<One<i32>>("Get API Customers").await.unwrap_err().problems().len(), 3);
    assert_eq!(sandbox.journal(), []);
    // The cached catalog does not have the export, so it is read again.
    assert_eq!(exports.bind::<One<i32>>("Nothing").await.unwrap_err().kind(), ErrorKind::Export);
    assert_eq!(sandbox.journal().len(), 1);
}
