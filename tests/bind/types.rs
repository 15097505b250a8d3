//! Field types and the data types they fit.

use super::*;

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
fn types_with_string_schemas_fit_text() {
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
fn only_timestamps_with_a_zone_fit_date_time() {
    fits::<DateTime<Utc>>(&["DateTime"]);
    fits::<DateTime<Local>>(&["DateTime"]);
    fits::<DateTime<FixedOffset>>(&["DateTime"]);
    fits::<NaiveDateTime>(&["Text"]);
    fits::<NaiveDate>(&["Text"]);
    fits::<NaiveTime>(&["Text"]);
    fits::<TimeDelta>(&[]);
    fits::<Duration>(&[]);
    let no_moment = "it is ambiguous; use chrono's `DateTime`";
    assert_eq!(found::<NaiveDateTime>("DateTime"), format!("a timestamp without a zone: {no_moment}"));
    assert_eq!(found::<NaiveDate>("DateTime"), format!("a date: {no_moment}"));
    assert_eq!(found::<NaiveTime>("DateTime"), format!("a time of day: {no_moment}"));
    assert_eq!(
        found::<String>("DateTime"),
        "a string: use chrono's `DateTime`, or declare `#[schemars(with = \"DateTime<Utc>\")]`"
    );
    assert_eq!(
        found::<DateTime<Utc>>("Text"),
        "a timestamp: declare `#[schemars(with = \"String\")]` to send it as a string"
    );
    assert_eq!(found::<i64>("DateTime"), "an integer");
}

#[test]
fn wrappers_fit_as_the_wrapped_type() {
    fits::<bool>(&["Boolean"]);
    fits::<Newtype<bool>>(&["Boolean"]);
    fits::<Newtype<Newtype<u64>>>(&["Integer"]);
    fits::<Transparent<DateTime<Utc>>>(&["DateTime"]);
    fits::<Newtype<Transparent<Size>>>(&["Text"]);
    fits::<&'static Box<Cell<i32>>>(&["Integer"]);
}

#[test]
fn raw_json_fits_only_unknown_data_types() {
    fits::<Value>(&["Money"]);
    fits::<Newtype<Value>>(&["Money"]);
    assert_eq!(found::<Value>("Integer"), "any JSON: use a specific type");
    assert_eq!(found::<i64>("Money"), "an integer: use a `serde_json::Value`");
    assert_eq!(found::<serde_json::Map<String, Value>>("Money"), "an object: use a `serde_json::Value`");
    let problems = problems::<One<String>>(&export(&[("field", "Money")]));
    assert_eq!(
        problems,
        ["`field`: expected `Money`, a data type unknown to this version; found a string: use a `serde_json::Value`"]
    );
}

#[test]
fn kinds_without_a_data_type_are_named() {
    for (expected, found) in [
        ("a number with a fraction", found::<f32>("Integer")),
        ("a number with a fraction", found::<f64>("Integer")),
        ("a number with a fraction", found::<serde_json::Number>("Integer")),
        ("a string", found::<rust_decimal::Decimal>("Integer")),
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
        ("an integer or a string", found::<Untagged>("Text")),
        ("an integer or a string", found::<Untagged>("Integer")),
        ("a string or an object", found::<Data>("Text")),
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
fn optional_fields_are_rejected() {
    let reason = "every parameter must be given";
    assert_eq!(found::<Option<u8>>("Integer"), format!("an optional integer: {reason}"));
    assert_eq!(found::<Option<Option<String>>>("Text"), format!("an optional string: {reason}"));
    assert_eq!(found::<Option<Size>>("Text"), format!("an optional string: {reason}"));
    assert_eq!(found::<Newtype<Option<bool>>>("Boolean"), format!("an optional boolean: {reason}"));
    assert_eq!(found::<Option<Newtype<DateTime<Utc>>>>("DateTime"), format!("an optional timestamp: {reason}"));
    assert_eq!(found::<Option<Untagged>>("Text"), format!("an optional integer or a string: {reason}"));
    assert_eq!(found::<Option<NaiveDateTime>>("DateTime"), format!("an optional timestamp without a zone: {reason}"));
    assert_eq!(found::<Option<i32>>("Money"), "an optional integer: use a `serde_json::Value`");

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
    let expected = "Integer of 64 bits such as `15`, without quotes";
    assert_eq!(
        problems::<Skipped>(&customers()),
        [
            format!("`Cursor`: expected {expected}; found an optional integer: {reason}"),
            format!("`Limit`: expected {expected}; found an integer that may be left out: {reason}"),
        ]
    );
}

#[test]
fn handwritten_schemas_are_read() {
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
    assert_eq!(found::<Values>("Text"), "an optional string: every parameter must be given");
    assert_eq!(found::<Nowhere>("Text"), "a type without values");
    assert_eq!(found::<Elsewhere>("Text"), "a type without values");
    assert_eq!(found::<Denied>("Text"), "a type without values");
    assert_eq!(found::<Contradiction>("Text"), "a type without values");
}
