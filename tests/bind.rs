//! Structs that are bound to exports: what fits, what is refused and why, and that no value of them goes out wrong.

#![allow(clippy::unwrap_used)]
// Many a type is bound, and never made.
#![allow(dead_code)]

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

/// One field of a type of choice.
#[derive(Serialize, JsonSchema)]
struct One<V> {
    field: V,
}

const TYPES: [&str; 5] = ["Integer", "Text", "DateTime", "Boolean", "Money"];

/// Checks that a field of this type fits these data types and no other.
fn fits<V: Serialize + JsonSchema>(expected: &[&str]) {
    let fitting: Vec<&str> =
        TYPES.into_iter().filter(|data_type| export(&[("field", data_type)]).bind::<One<V>>().is_ok()).collect();
    assert_eq!(fitting, expected, "{}", std::any::type_name::<V>());
}

/// What is found, and said about it, where a field of this type meets this data type.
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

/// With docs, schemars writes an enum in another form.
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

/// A newtype that leads back to itself: its schema is a reference to itself.
#[derive(Serialize, JsonSchema)]
struct Itself(Box<Itself>);

#[test]
fn integers_of_every_width_are_integers() {
    fits::<i8>(&["Integer"]);
    fits::<i16>(&["Integer"]);
    fits::<i32>(&["Integer"]);
    fits::<i64>(&["Integer"]);
    fits::<i128>(&["Integer"]);
    fits::<isize>(&["Integer"]);
    fits::<u8>(&["Integer"]);
    fits::<u16>(&["Integer"]);
    fits::<u32>(&["Integer"]);
    fits::<u64>(&["Integer"]);
    fits::<u128>(&["Integer"]);
    fits::<usize>(&["Integer"]);
    fits::<NonZeroU8>(&["Integer"]);
    fits::<NonZeroU64>(&["Integer"]);
    fits::<NonZeroI128>(&["Integer"]);
    fits::<Wrapping<u32>>(&["Integer"]);
}

#[test]
fn text_is_whatever_a_schema_calls_a_string() {
    fits::<String>(&["Text"]);
    fits::<&str>(&["Text"]);
    fits::<Cow<'static, str>>(&["Text"]);
    fits::<Box<str>>(&["Text"]);
    fits::<char>(&["Text"]);
    fits::<std::net::IpAddr>(&["Text"]);
    fits::<Size>(&["Text"]);
    fits::<Documented>(&["Text"]);
    fits::<Weekday>(&["Text"]);
    fits::<rust_decimal::Decimal>(&["Text"]);
}

#[test]
fn a_moment_is_a_date_time_and_nothing_else_is() {
    fits::<DateTime<Utc>>(&["DateTime"]);
    fits::<DateTime<Local>>(&["DateTime"]);
    fits::<DateTime<FixedOffset>>(&["DateTime"]);
    fits::<NaiveDateTime>(&["Text"]);
    fits::<NaiveDate>(&["Text"]);
    fits::<NaiveTime>(&["Text"]);
    fits::<TimeDelta>(&[]);
    fits::<Duration>(&[]);
    let no_moment = "it names no moment, a `DateTime` of chrono does";
    assert_eq!(found::<NaiveDateTime>("DateTime"), format!("a time without a zone: {no_moment}"));
    assert_eq!(found::<NaiveDate>("DateTime"), format!("a date: {no_moment}"));
    assert_eq!(found::<NaiveTime>("DateTime"), format!("a time of day: {no_moment}"));
    assert_eq!(
        found::<String>("DateTime"),
        "text: take a `DateTime` of chrono, or say `#[schemars(with = \"DateTime<Utc>\")]` of text that is one"
    );
    assert_eq!(
        found::<DateTime<Utc>>("Text"),
        "a time: say `#[schemars(with = \"String\")]` where it is meant as text"
    );
    assert_eq!(found::<i64>("DateTime"), "an integer");
}

#[test]
fn what_wraps_a_type_counts_as_the_type() {
    fits::<bool>(&["Boolean"]);
    fits::<Newtype<bool>>(&["Boolean"]);
    fits::<Newtype<Newtype<u64>>>(&["Integer"]);
    fits::<Transparent<DateTime<Utc>>>(&["DateTime"]);
    fits::<Newtype<Transparent<Size>>>(&["Text"]);
    fits::<&'static Box<Cell<i32>>>(&["Integer"]);
}

#[test]
fn any_json_is_for_data_types_that_are_not_known() {
    fits::<Value>(&["Money"]);
    fits::<Newtype<Value>>(&["Money"]);
    assert_eq!(found::<Value>("Integer"), "any JSON: give it a type of its own");
    assert_eq!(found::<i64>("Money"), "an integer: give it as a `serde_json::Value`");
    assert_eq!(found::<serde_json::Map<String, Value>>("Money"), "an object: give it as a `serde_json::Value`");
    let problems = problems::<One<String>>(&export(&[("field", "Money")]));
    assert_eq!(
        problems,
        [
            "`field`: expected `Money`, a data type that this version does not know; found text: give it as a `serde_json::Value`"
        ]
    );
}

#[test]
fn what_no_data_type_takes_is_named() {
    for (expected, found) in [
        ("a number with a fraction", found::<f32>("Integer")),
        ("a number with a fraction", found::<f64>("Integer")),
        ("a number with a fraction", found::<serde_json::Number>("Integer")),
        ("text", found::<rust_decimal::Decimal>("Integer")),
        ("a boolean", found::<bool>("Text")),
        ("a list", found::<Vec<i32>>("Integer")),
        ("a list", found::<[i32; 2]>("Integer")),
        ("a list", found::<(i32, String)>("Text")),
        ("a list", found::<Pair>("Text")),
        ("a list", found::<Vec<u8>>("Text")),
        ("an object", found::<BTreeMap<String, i32>>("Integer")),
        ("an object", found::<One<i32>>("Integer")),
        ("an object", found::<Tagged>("Text")),
        ("an object", found::<Tree>("Text")),
        ("an integer or text", found::<Untagged>("Text")),
        ("an integer or text", found::<Untagged>("Integer")),
        ("text or an object", found::<Data>("Text")),
        ("null", found::<()>("Text").split(':').next().unwrap().to_owned()),
        ("a type without values", found::<Never>("Text")),
        ("a type without values", found::<Itself>("Text")),
    ] {
        assert_eq!(found, expected);
    }
    fits::<f64>(&[]);
    fits::<Untagged>(&[]);
    fits::<Data>(&[]);
    fits::<Tree>(&[]);
    fits::<Itself>(&[]);
    fits::<Never>(&[]);
    fits::<()>(&[]);
}

#[test]
fn no_parameter_is_optional() {
    let reason = "every parameter must be given";
    assert_eq!(found::<Option<u8>>("Integer"), format!("an optional integer: {reason}"));
    assert_eq!(found::<Option<Option<String>>>("Text"), format!("optional text: {reason}"));
    assert_eq!(found::<Option<Size>>("Text"), format!("optional text: {reason}"));
    assert_eq!(found::<Newtype<Option<bool>>>("Boolean"), format!("an optional boolean: {reason}"));
    assert_eq!(found::<Option<Newtype<DateTime<Utc>>>>("DateTime"), format!("an optional time: {reason}"));
    assert_eq!(found::<Option<Untagged>>("Text"), format!("an optional integer or text: {reason}"));
    assert_eq!(found::<Option<NaiveDateTime>>("DateTime"), format!("an optional time without a zone: {reason}"));
    assert_eq!(found::<Option<i32>>("Money"), "an optional integer: give it as a `serde_json::Value`");

    #[derive(Serialize, JsonSchema)]
    struct Skipped {
        #[serde(rename = "Cursor", skip_serializing_if = "Option::is_none")]
        cursor: Option<u32>,
        #[serde(rename = "Limit", skip_serializing_if = "is_zero")]
        limit: u32,
    }
    fn is_zero(number: &u32) -> bool {
        *number == 0
    }
    let expected = "Integer, 64 bits, without quotes such as `15`";
    assert_eq!(
        problems::<Skipped>(&customers()),
        [
            format!("`Cursor`: expected {expected}; found an optional integer: {reason}"),
            format!("`Limit`: expected {expected}; found an integer that may be left out: {reason}"),
        ]
    );
}

#[test]
fn defaults_have_no_bearing_on_what_is_written() {
    #[derive(Serialize, JsonSchema, Default)]
    #[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
    struct Page {
        cursor: u32,
        #[serde(default, skip_deserializing)]
        limit: u32,
    }
    let page = customers().bind::<Page>().unwrap();
    let request = page.check(&Page { cursor: 1, limit: 15 }).unwrap();
    assert_eq!(request.body(), json!({"Cursor": 1, "Limit": 15}).as_object().cloned());
}

#[test]
fn everything_that_differs_is_named_at_once_in_the_words_of_the_struct() {
    #[derive(Serialize, JsonSchema)]
    struct Wrong {
        limit: u32,
        #[serde(rename = "Cursor")]
        cursor: f64,
        #[serde(rename = "Since")]
        since: NaiveDateTime,
        #[serde(rename = "s3cr3t\nname")]
        other: bool,
    }
    let export = export(&[("Cursor", "Integer"), ("Limit", "Integer"), ("Since", "DateTime"), ("Open", "Boolean")]);
    let error = export.bind::<Wrong>().unwrap_err();
    assert_eq!(
        error.problems(),
        [
            "`Cursor`: expected Integer, 64 bits, without quotes such as `15`; found a number with a fraction",
            "`Since`: expected DateTime, with a zone and whole seconds, such as `\"2022-10-31T09:00:00Z\"`; found a time \
             without a zone: it names no moment, a `DateTime` of chrono does",
            "`limit`: the export has no such parameter; did you mean `Limit`? `#[serde(rename = \"Limit\")]` says so",
            "`s3cr3t\u{FFFD}name`: the export has no such parameter; expected `Cursor`, `Limit`, `Since`, `Open`",
            "`Limit`: the type has no such field; expected Integer, 64 bits, without quotes such as `15`",
            "`Open`: the type has no such field; expected Boolean, without quotes such as `true`",
        ]
    );
    assert!(error.to_string().starts_with("export_run: `Wrong` does not fit `Get API Customers`: "), "{error}");
}

#[test]
fn a_name_that_is_taken_was_not_meant() {
    #[derive(Serialize, JsonSchema)]
    #[serde(rename_all = "PascalCase")]
    struct Page {
        cursor: u32,
        limit: u32,
        limits: u32,
    }
    assert_eq!(
        problems::<Page>(&customers()),
        ["`Limits`: the export has no such parameter; expected `Cursor`, `Limit`"]
    );
}

#[test]
fn names_are_those_that_are_serialised() {
    #[derive(Serialize, JsonSchema)]
    #[serde(rename_all(serialize = "PascalCase", deserialize = "snake_case"))]
    struct Page {
        cursor: u32,
        #[serde(rename(serialize = "Limit", deserialize = "size"), alias = "length")]
        number: u32,
        #[serde(skip)]
        _skipped: f64,
        #[serde(skip_serializing)]
        read: String,
    }
    assert_eq!(problems::<Page>(&customers()), [""; 0]);
    let wide = export(&[("Größe (cm)", "Integer"), ("a/b~c%20", "Text"), ("", "Boolean"), ("type", "Text")]);
    #[derive(Serialize, JsonSchema)]
    struct Wide {
        #[serde(rename = "Größe (cm)")]
        size: u8,
        #[serde(rename = "a/b~c%20")]
        path: Size,
        #[serde(rename = "")]
        nameless: bool,
        r#type: &'static str,
    }
    let wide = wide.bind::<Wide>().unwrap();
    let request = wide.check(&Wide { size: 1, path: Size::Small, nameless: true, r#type: "t" }).unwrap();
    assert_eq!(
        request.body(),
        json!({"Größe (cm)": 1, "a/b~c%20": "Small", "": true, "type": "t"}).as_object().cloned()
    );
}

#[test]
fn a_schema_of_a_strange_name_is_found() {
    #[derive(Serialize, JsonSchema)]
    #[schemars(rename = "Größe / a~b %")]
    enum Strange {
        One,
    }
    fits::<Strange>(&["Text"]);
    fits::<Option<Strange>>(&[]);
}

#[test]
fn flattened_structs_are_merged() {
    #[derive(Serialize, JsonSchema)]
    #[serde(rename_all = "PascalCase")]
    struct Place {
        cursor: u64,
    }
    #[derive(Serialize, JsonSchema)]
    #[serde(rename_all = "PascalCase")]
    struct Page {
        limit: u8,
        #[serde(flatten)]
        place: Newtype<Place>,
    }
    let page = customers().bind::<Page>().unwrap();
    let request = page.check(&Page { limit: 15, place: Newtype(Place { cursor: 1 }) }).unwrap();
    assert_eq!(request.body(), json!({"Cursor": 1, "Limit": 15}).as_object().cloned());
    let error = page.check(&Page { limit: 15, place: Newtype(Place { cursor: u64::MAX }) }).unwrap_err();
    assert_eq!(error.problems().len(), 1);

    #[derive(Serialize, JsonSchema)]
    #[serde(rename_all = "PascalCase")]
    struct Perhaps {
        limit: u8,
        #[serde(flatten)]
        place: Option<Place>,
    }
    assert_eq!(
        problems::<Perhaps>(&customers()),
        [
            "`Cursor`: expected Integer, 64 bits, without quotes such as `15`; found an integer that may be left out: every parameter must be given"
        ]
    );
}

#[test]
fn flattened_maps_and_enums_promise_no_names() {
    #[derive(Serialize, JsonSchema)]
    #[serde(rename_all = "PascalCase")]
    struct Open<M> {
        cursor: u32,
        #[serde(flatten)]
        others: M,
    }
    let map = "the type: expected fields that have names; found a map, or one that is flattened, whose keys may be any";
    let choice = "the type: expected the same fields in every value; found an enum, or one that is flattened";
    assert_eq!(problems::<Open<HashMap<String, u32>>>(&customers()), [map]);
    assert_eq!(problems::<Open<BTreeMap<u32, u32>>>(&customers()), [map]);
    assert_eq!(problems::<Open<Value>>(&customers()), [map]);
    assert_eq!(problems::<Open<Option<BTreeMap<String, u32>>>>(&customers()), [map]);
    assert_eq!(problems::<Open<Tagged>>(&customers()), [choice]);
    assert_eq!(problems::<Open<Data>>(&customers()), [choice]);
    assert_eq!(problems::<Open<Size>>(&customers()), [choice]);
    assert_eq!(problems::<Open<Option<Tagged>>>(&customers()), [choice]);
    assert_eq!(problems::<BTreeMap<String, u32>>(&customers()), [map]);
    assert_eq!(problems::<HashMap<String, Value>>(&customers()), [map]);
    assert_eq!(problems::<Tagged>(&customers()), [choice]);
}

#[test]
fn a_type_that_is_no_object_has_no_fields() {
    let no_struct =
        |found: &str| [format!("the type: expected a struct with a field for every parameter; found {found}")];
    assert_eq!(problems::<Pair>(&customers()), no_struct("a list"));
    assert_eq!(problems::<Vec<One<i32>>>(&customers()), no_struct("a list"));
    assert_eq!(problems::<(i32, i32)>(&customers()), no_struct("a list"));
    assert_eq!(problems::<Size>(&customers()), no_struct("text"));
    assert_eq!(problems::<Data>(&customers()), no_struct("text or an object"));
    assert_eq!(problems::<i64>(&customers()), no_struct("an integer"));
    assert_eq!(problems::<Option<One<i32>>>(&customers()), no_struct("an optional object"));
    assert_eq!(problems::<Option<Tree>>(&customers()), no_struct("an optional object"));
    assert_eq!(problems::<Value>(&customers()), no_struct("any JSON"));
    assert_eq!(problems::<Itself>(&customers()), no_struct("a type without values"));
    assert_eq!(problems::<Never>(&customers()), no_struct("a type without values"));
}

#[test]
fn a_newtype_of_a_struct_is_the_struct() {
    let export = export(&[("field", "Integer")]);
    let bound = export.bind::<Newtype<Transparent<One<u8>>>>().unwrap();
    bound.check(&Newtype(Transparent { inner: One { field: 1 } })).unwrap();
    assert_eq!(problems::<Box<One<u8>>>(&export), [""; 0]);
}

#[test]
fn without_parameters_a_struct_has_no_fields() {
    #[derive(Serialize, JsonSchema)]
    struct Unit;
    #[derive(Serialize, JsonSchema)]
    struct Empty {}
    let vendors = export(&[]);
    assert_eq!(vendors.bind::<Unit>().unwrap().check(&Unit).unwrap().body(), None);
    assert_eq!(vendors.bind::<Empty>().unwrap().check(&Empty {}).unwrap().body(), None);
    assert_eq!(vendors.bind::<()>().unwrap().check(&()).unwrap().body(), None);
    assert_eq!(problems::<One<i32>>(&vendors), ["`field`: the export has no such parameter; it has none"]);
    for problems in [problems::<Unit>(&customers()), problems::<Empty>(&customers())] {
        assert_eq!(problems.len(), 2);
        assert!(problems[0].starts_with("`Cursor`: the type has no such field; expected Integer"), "{problems:?}");
    }
}

#[test]
fn two_fields_of_one_name_are_refused() {
    #[derive(Serialize, JsonSchema)]
    struct Inner {
        #[serde(rename = "Limit")]
        limit: u8,
    }
    #[derive(Serialize, JsonSchema)]
    #[serde(rename_all = "PascalCase")]
    struct Twice {
        cursor: u8,
        limit: u8,
        #[serde(flatten)]
        inner: Inner,
    }
    assert_eq!(
        problems::<Twice>(&customers()),
        ["`Limit`: expected Integer, 64 bits, without quotes such as `15`; found two fields of this name"]
    );
}

#[test]
fn a_hand_written_schema_is_read_as_it_stands() {
    macro_rules! schema {
        ($name:ident, $json:tt) => {
            #[derive(Serialize)]
            struct $name;
            impl JsonSchema for $name {
                fn schema_name() -> Cow<'static, str> {
                    stringify!($name).into()
                }
                fn json_schema(_: &mut SchemaGenerator) -> Schema {
                    json_schema!($json)
                }
            }
        };
    }
    schema!(AllOf, {"allOf": [{"type": "string"}, {"format": "date-time", "type": ["string", "null"]}]});
    schema!(Narrowed, {"allOf": [{"type": "number"}], "type": "integer"});
    schema!(OneValue, {"const": 7});
    schema!(Values, {"enum": ["a", "b", null]});
    schema!(Nowhere, {"$ref": "#/$defs/Nothing"});
    schema!(Elsewhere, {"$ref": "https://example.com/schema"});
    schema!(Described, {"description": "anything"});
    schema!(Either, {"anyOf": [{"type": "integer"}, true]});
    schema!(Denied, {"not": {}});
    schema!(Contradiction, {"allOf": [{"type": "integer"}, {"type": "string"}]});
    fits::<AllOf>(&["DateTime"]);
    fits::<Narrowed>(&["Integer"]);
    fits::<OneValue>(&["Integer"]);
    fits::<Described>(&["Money"]);
    fits::<Either>(&["Money"]);
    assert_eq!(found::<Values>("Text"), "optional text: every parameter must be given");
    assert_eq!(found::<Nowhere>("Text"), "a type without values");
    assert_eq!(found::<Elsewhere>("Text"), "a type without values");
    assert_eq!(found::<Denied>("Text"), "a type without values");
    assert_eq!(found::<Contradiction>("Text"), "a type without values");
}

fn quoted<S: Serializer>(number: &u32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}

fn unquoted<S: Serializer>(number: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(number.parse().map_err(serde::ser::Error::custom)?)
}

fn cut<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time.to_rfc3339_opts(SecondsFormat::Secs, true))
}

#[test]
fn a_type_that_writes_something_else_lets_no_wrong_value_out() {
    #[derive(Serialize, JsonSchema)]
    #[serde(rename_all = "PascalCase")]
    struct Lies {
        cursor: u32,
        #[serde(serialize_with = "quoted")]
        limit: u32,
    }
    let lies = customers().bind::<Lies>().unwrap();
    let error = lies.check(&Lies { cursor: 1, limit: 4711 }).unwrap_err();
    assert_eq!(error.problems(), ["`Limit`: expected Integer, 64 bits, without quotes such as `15`; found text"]);
    assert!(!format!("{error} {error:?} {lies:?}").contains("4711"));

    #[derive(JsonSchema)]
    #[serde(rename_all = "PascalCase")]
    struct Renames {
        cursor: u32,
        limit: u32,
    }
    impl Serialize for Renames {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map([("Cursor", 1), ("limit", 15)])
        }
    }
    let renames = customers().bind::<Renames>().unwrap();
    let error = renames.check(&Renames { cursor: 1, limit: 15 }).unwrap_err();
    assert_eq!(error.problems().len(), 2, "{error}");
}

#[test]
fn schemars_is_told_what_serialize_with_writes() {
    mod seconds {
        use super::*;

        pub(super) fn serialize<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_i64(time.timestamp())
        }
    }
    #[derive(Serialize, JsonSchema)]
    #[serde(rename_all = "PascalCase")]
    struct Honest {
        #[serde(serialize_with = "unquoted")]
        #[schemars(with = "i64")]
        number: String,
        #[serde(serialize_with = "cut")]
        time: DateTime<Utc>,
        #[serde(with = "seconds")]
        #[schemars(with = "i64")]
        seconds: DateTime<Utc>,
        #[schemars(with = "DateTime<Utc>")]
        written: &'static str,
        #[schemars(with = "Value")]
        total: u8,
    }
    let export = export(&[
        ("Number", "Integer"),
        ("Time", "DateTime"),
        ("Seconds", "Integer"),
        ("Written", "DateTime"),
        ("Total", "Money"),
    ]);
    let honest = export.bind::<Honest>().unwrap();
    let time = DateTime::from_timestamp(1_667_206_800, 5).unwrap();
    let values = |number: &str, written| Honest { number: number.to_owned(), time, seconds: time, written, total: 7 };
    let request = honest.check(&values("15", "2022-10-31T10:00:00+01:00")).unwrap();
    assert_eq!(
        request.body(),
        json!({
            "Number": 15, "Time": "2022-10-31T09:00:00Z", "Seconds": 1_667_206_800,
            "Written": "2022-10-31T09:00:00Z", "Total": 7
        })
        .as_object()
        .cloned()
    );
    let error = honest.check(&values("s3cr3t", "2022-10-31")).unwrap_err();
    assert_eq!(
        error.problems(),
        [
            "`Number`: expected Integer, 64 bits, without quotes such as `15`; found something that cannot be written as JSON",
            "`Written`: expected DateTime, with a zone and whole seconds, such as `\"2022-10-31T09:00:00Z\"`; found text of another form",
        ]
    );
}

#[test]
fn times_are_written_in_the_form_of_the_guide_and_never_cut() {
    let export = export(&[("field", "DateTime")]);
    let bound = export.bind::<One<DateTime<FixedOffset>>>().unwrap();
    let time = DateTime::parse_from_rfc3339("2022-10-31T10:00:00+01:00").unwrap();
    let request = bound.check(&One { field: time }).unwrap();
    assert_eq!(request.body().unwrap()["field"], "2022-10-31T09:00:00Z");
    for (time, found) in [
        (time + TimeDelta::milliseconds(1), "a time with a fraction of a second"),
        (time + TimeDelta::nanoseconds(1), "a time with a fraction of a second"),
        (DateTime::parse_from_rfc3339("2016-12-31T23:59:60Z").unwrap(), "a leap second"),
        (DateTime::<Utc>::MAX_UTC.into(), "text of another form"),
    ] {
        let error = bound.check(&One { field: time }).unwrap_err();
        assert!(error.problems()[0].ends_with(&format!("; found {found}")), "{error}");
    }
}

#[test]
fn a_wide_integer_is_checked_by_its_value() {
    let export = export(&[("field", "Integer")]);
    let bound = export.bind::<One<u128>>().unwrap();
    let most = 1 << 63;
    assert_eq!(bound.check(&One { field: most - 1 }).unwrap().body().unwrap()["field"], i64::MAX);
    for field in [most, u128::from(u64::MAX), u128::MAX] {
        let error = bound.check(&One { field }).unwrap_err();
        assert!(error.problems()[0].ends_with("found an integer beyond 64 bits"), "{error}");
    }
    let signed = export.bind::<One<i128>>().unwrap();
    assert_eq!(signed.check(&One { field: i64::MIN.into() }).unwrap().body().unwrap()["field"], i64::MIN);
    signed.check(&One { field: i128::from(i64::MIN) - 1 }).unwrap_err();
}

#[test]
fn raw_json_goes_out_as_it_is_and_only_where_it_was_asked_for() {
    let export = export(&[("field", "Money")]);
    let bound = export.bind::<One<Value>>().unwrap();
    for field in [json!({"amount": "1.50", "of": [1, null]}), json!(1.5), Value::Null, json!("2022-10-31T09:00:00.5Z")]
    {
        assert_eq!(bound.check(&One { field: field.clone() }).unwrap().body().unwrap()["field"], field);
    }
}

#[test]
fn an_export_that_nothing_fits_is_refused() {
    let twice = export(&[("field", "Integer"), ("field", "Integer")]);
    assert_eq!(twice.bind::<One<u8>>().unwrap_err().kind(), ErrorKind::Export);
    let nowhere: Descriptor = serde_json::from_value(json!({"id": "..", "name": "Up", "parameters": []})).unwrap();
    assert_eq!(nowhere.bind::<()>().unwrap_err().kind(), ErrorKind::Export);
    assert_eq!(Catalog::default().bind::<()>("Vendors").unwrap_err().kind(), ErrorKind::Export);
}

/// What is bound once serves values that live shorter than it, on any thread.
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

#[test]
fn text_is_read_all_at_once() {
    let export = export(&[("Limit", "Integer"), ("Since", "DateTime"), ("Open", "Boolean"), ("City", "Text")]);
    let texts = [("Limit", "15"), ("Since", "2022-10-31T10:00:00+01:00"), ("Open", "TRUE"), ("City", "0940")];
    let request = export.check_text(texts).unwrap();
    assert_eq!(
        request.body(),
        json!({"Limit": 15, "Since": "2022-10-31T09:00:00Z", "Open": true, "City": "0940"}).as_object().cloned()
    );
    let wrong = [("Limit", "s3cr3t"), ("limit", "15"), ("Open", "no"), ("City", ""), ("City", "")];
    let error = export.check_text(wrong).unwrap_err();
    assert_eq!(
        error.problems(),
        [
            "`Limit`: expected Integer, 64 bits, digits only or after a minus sign, such as 15; found text of another form",
            "`limit`: the export has no such parameter; did you mean `Limit`?",
            "`Open`: expected Boolean, true or false; found text of another form",
            "`City`: given twice; expected once",
            "`Since`: missing; expected DateTime, with a zone and whole seconds, such as `\"2022-10-31T09:00:00Z\"`",
        ]
    );
    let accepted: Vec<String> = export.parameters().iter().map(|parameter| parameter.data_type.accepts()).collect();
    assert_eq!(accepted[2], "Boolean, true or false");
    assert_eq!(accepted[1], "DateTime, RFC 3339 with a zone and whole seconds, such as 2022-10-31T09:00:00Z");
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
struct GetApiCustomers {
    cursor: u64,
    limit: u64,
}

#[tokio::test]
async fn a_bound_struct_runs_and_what_does_not_fit_is_not_sent() {
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
    // The catalog that is kept knows no such export: it is read once more.
    assert_eq!(exports.bind::<One<i32>>("Nothing").await.unwrap_err().kind(), ErrorKind::Export);
    assert_eq!(sandbox.journal().len(), 1);
}
