//! A second, independent model of the check: accepted values are sent as in the vendor's table, rejected ones are named.
#![allow(clippy::unwrap_used)]

use std::{borrow::Cow, cell::RefCell, collections::BTreeMap};

use chrono::DateTime;
use proptest::{prelude::*, sample::select};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value as Json, json};

use crate::{
    error::{ErrorKind, name::shown},
    exports::{
        catalog::descriptor::Descriptor,
        values::{
            fields::collect_fields,
            value::{Input, ParameterValue},
        },
    },
};

/// A value in one of the forms that the API accepts.
#[derive(Clone, Debug)]
enum Spec {
    Integer(i128),
    Text(String),
    /// Seconds since 1970, and nanoseconds.
    Time(i64, u32),
    Boolean(bool),
    Raw(Json),
    Written(Json),
    Typed(String),
}

impl Spec {
    fn give(&self) -> Input {
        match self {
            Self::Integer(number) => Input::Value((*number).into()),
            Self::Text(text) => Input::Value(text.into()),
            Self::Time(seconds, nanos) => Input::Value(DateTime::from_timestamp(*seconds, *nanos).unwrap().into()),
            Self::Boolean(value) => Input::Value((*value).into()),
            Self::Raw(json) => Input::Value(ParameterValue::raw(json.clone())),
            Self::Typed(text) => Input::Text(text.clone()),
            Self::Written(json) => {
                let mut given = Vec::new();
                collect_fields(&Object(vec![("it".to_owned(), json.clone())]), &mut given).unwrap();
                given.remove(0).1
            }
        }
    }

    /// Returns the JSON sent for a data type; `None` if the value must be rejected.
    fn expected(&self, data_type: &str) -> Option<Json> {
        match (data_type, self) {
            ("Integer", Self::Integer(number)) => i64::try_from(*number).ok().map(Json::from),
            ("Integer", Self::Raw(json) | Self::Written(json)) => {
                let is_integer =
                    json.is_number() && json.to_string().bytes().all(|byte| b"-0123456789".contains(&byte));
                (is_integer && json.to_string().parse::<i64>().is_ok()).then(|| json.clone())
            }
            ("Integer", Self::Typed(text)) => {
                let number: i64 = text.parse().ok()?;
                (number.to_string() == *text || text == "-0").then(|| number.into())
            }
            ("Text", Self::Text(text) | Self::Typed(text)) => Some(json!(text)),
            ("Text", Self::Raw(json) | Self::Written(json)) => json.is_string().then(|| json.clone()),
            ("Boolean", Self::Boolean(value)) => Some(json!(value)),
            ("Boolean", Self::Raw(json) | Self::Written(json)) => json.is_boolean().then(|| json.clone()),
            ("Boolean", Self::Typed(text)) => text.to_ascii_lowercase().parse::<bool>().ok().map(Json::from),
            ("DateTime", Self::Time(seconds, 0)) => format_time(*seconds).map(Json::from),
            ("DateTime", Self::Raw(Json::String(text)) | Self::Written(Json::String(text)) | Self::Typed(text)) => {
                format_time(parse_timestamp(text)?).map(Json::from)
            }
            ("Integer" | "Text" | "Boolean" | "DateTime", _) => None,
            (_, Self::Raw(json)) => Some(json.clone()),
            _ => None,
        }
    }
}

/// Returns the seconds since 1970, by counting the days of each month.
fn parse_timestamp(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let number = |range: std::ops::Range<usize>| {
        let digits = bytes.get(range)?;
        digits
            .iter()
            .all(u8::is_ascii_digit)
            .then(|| digits.iter().fold(0, |number, byte| number * 10 + i64::from(byte - b'0')))
    };
    let signs = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if signs.iter().any(|(place, sign)| bytes.get(*place) != Some(sign)) {
        return None;
    }
    let [year, month, day] = [number(0..4)?, number(5..7)?, number(8..10)?];
    let [hour, minute, second] = [number(11..13)?, number(14..16)?, number(17..19)?];
    let offset = match *bytes.get(19)? {
        b'Z' if bytes.len() == 20 => 0,
        sign @ (b'+' | b'-') if bytes.len() == 25 && bytes[22] == b':' => {
            let (hours, minutes) = (number(20..22)?, number(23..25)?);
            if hours > 23 || minutes > 59 || (sign == b'-' && hours == 0 && minutes == 0) {
                return None;
            }
            (hours * 3600 + minutes * 60) * if sign == b'+' { 1 } else { -1 }
        }
        _ => return None,
    };
    if !(1..=12).contains(&month)
        || !(1..=month_length(year, month)).contains(&day)
        || hour > 23
        || minute > 59
        || second > 59
    {
        return None;
    }
    let days = days_before(year) + (1..month).map(|month| month_length(year, month)).sum::<i64>() + day - 1;
    Some(days * 86400 + hour * 3600 + minute * 60 + second - offset)
}

fn format_time(seconds: i64) -> Option<String> {
    let (mut days, clock) = (seconds.div_euclid(86400), seconds.rem_euclid(86400));
    let year = (-1..=10_000).rev().find(|year| days_before(*year) <= days)?;
    days -= days_before(year);
    let month = (1..=12).find(|month| {
        let is_over = days >= month_length(year, *month);
        days -= if is_over { month_length(year, *month) } else { 0 };
        !is_over
    })?;
    let (hour, minute, second) = (clock / 3600, clock / 60 % 60, clock % 60);
    (0..10_000)
        .contains(&year)
        .then(|| format!("{year:04}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}Z", days + 1))
}

fn is_leap(year: i64) -> bool {
    year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0)
}

fn month_length(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Returns the days from 1970 to the beginning of a year.
fn days_before(year: i64) -> i64 {
    let leaps = |year: i64| (year - 1).div_euclid(4) - (year - 1).div_euclid(100) + (year - 1).div_euclid(400);
    (year - 1970) * 365 + leaps(year) - leaps(1970)
}

/// Returns true if the JSON is valid by the vendor's "Data Type Reference".
fn is_in_the_table(data_type: &str, json: &Json) -> bool {
    let text = json.to_string();
    match data_type {
        "Integer" => text.parse::<i64>().is_ok(),
        "Text" => text.starts_with('"'),
        "Boolean" => text == "true" || text == "false",
        "DateTime" => {
            let form = text.bytes().map(|byte| if byte.is_ascii_digit() { '0' } else { char::from(byte) });
            form.eq("\"0000-00-00T00:00:00Z\"".chars())
        }
        _ => true,
    }
}

fn times() -> impl Strategy<Value = String> {
    let day = (select(vec![0, 1, 1600, 1900, 1999, 2000, 2022, 2024, 9999]), 0..14u8, 0..33u8);
    let clock = (0..25u8, select(vec![0u8, 30, 59, 60]), select(vec![0u8, 1, 59, 60, 61]));
    let zones = [
        "Z", "Z", "Z", "+01:00", "-01:00", "+13:45", "-23:59", "+23:59", "+24:00", "-00:00", "+00:00", "", ".5Z",
        ".000Z", "z", "+1", " Z", "+0100", "Zé",
    ];
    (day, clock, select(zones.to_vec()), select(vec!["T", "T", "T", " ", "t"])).prop_map(
        |((year, month, day), (hour, minute, second), zone, t)| {
            format!("{year:04}-{month:02}-{day:02}{t}{hour:02}:{minute:02}:{second:02}{zone}")
        },
    )
}

fn strings() -> impl Strategy<Value = String> {
    let odd =
        ["", "-", "-0", "00", "+1", " 1", "1 ", "0940", "1e3", "1.0", "true", "False", "TRUE ", "9223372036854775808"];
    prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        any::<bool>().prop_map(|value| value.to_string()),
        select(odd.to_vec()).prop_map(str::to_owned),
        "\\PC{0,8}",
        times(),
    ]
}

fn jsons() -> impl Strategy<Value = Json> {
    prop_oneof![
        any::<i64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        any::<bool>().prop_map(Json::from),
        strings().prop_map(Json::from),
        select(vec![json!(null), json!([1]), json!({"a": 1}), json!(15.0), json!(1e300)]),
    ]
}

fn timestamps() -> impl Strategy<Value = Spec> {
    let seconds = prop_oneof![0..4_000_000_000i64, -99_999_999_999..999_999_999_999i64];
    (seconds, select(vec![0, 0, 0, 1, 999_999_999])).prop_map(|(seconds, nanos)| Spec::Time(seconds, nanos))
}

fn specs() -> impl Strategy<Value = Spec> {
    prop_oneof![
        prop_oneof![any::<i64>().prop_map(i128::from), any::<i128>()].prop_map(Spec::Integer),
        strings().prop_map(Spec::Text),
        timestamps(),
        any::<bool>().prop_map(Spec::Boolean),
        jsons().prop_map(Spec::Raw),
        jsons().prop_map(Spec::Written),
        strings().prop_map(Spec::Typed),
    ]
}

/// A value that resembles a fitting one.
fn similar(data_type: &str) -> BoxedStrategy<Spec> {
    match data_type {
        "Integer" => any::<i128>().prop_map(Spec::Integer).boxed(),
        "DateTime" => {
            let text = |of: fn(String) -> Spec| times().prop_map(of);
            let written = text(|time| Spec::Written(time.into()));
            prop_oneof![timestamps(), written, text(|time| Spec::Raw(time.into())), text(Spec::Typed)].boxed()
        }
        _ => specs().boxed(),
    }
}

/// A value that fits, so that some requests are accepted.
fn fitting(data_type: &'static str) -> BoxedStrategy<Spec> {
    specs().prop_filter("fits", move |spec| spec.expected(data_type).is_some()).boxed()
}

const NAMES: [&str; 9] = ["Cursor", "cursor", "Limit", "", " ", "a\nb", "Größe", "$ref", "`x`: y"];
const TYPES: [&str; 7] = ["Integer", "Text", "DateTime", "Boolean", "Money", "integer", ""];

fn names() -> impl Strategy<Value = String> {
    prop_oneof![8 => select(NAMES.to_vec()).prop_map(str::to_owned), 1 => "\\PC{0,6}"]
}

fn parameters() -> impl Strategy<Value = Parameters> {
    prop::collection::vec((names(), select(TYPES.to_vec())), 0..6)
}

type Parameters = Vec<(String, &'static str)>;

/// Parameters and their values: mostly one fitting value for each, sometimes others.
fn cases() -> impl Strategy<Value = (Parameters, Vec<(String, Spec)>)> {
    parameters().prop_flat_map(|parameters| {
        let one_each: Vec<_> = parameters
            .iter()
            .map(|(name, data_type)| {
                let given =
                    prop_oneof![12 => fitting(data_type).prop_map(Some), 2 => similar(data_type).prop_map(Some), 1 => specs().prop_map(Some), 1 => Just(None)];
                (Just(name.clone()), given)
            })
            .collect();
        let more = prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec((names(), specs()), 1..3)];
        let values = (one_each, more).prop_map(|(one_each, more)| {
            let one_each = one_each.into_iter().filter_map(|(name, given)| Some((name, given?)));
            one_each.chain(more).collect::<Vec<_>>()
        });
        (Just(parameters), values.prop_shuffle())
    })
}

fn descriptor(parameters: &[(String, &str)]) -> Descriptor {
    let parameters: Vec<Json> =
        parameters.iter().map(|(name, data_type)| json!({"name": name, "dataType": data_type})).collect();
    serde_json::from_value(json!({"id": "79aag9", "name": "Sales", "parameters": parameters})).unwrap()
}

fn is_twice(parameters: &[(String, &str)]) -> bool {
    let names: BTreeMap<&str, ()> = parameters.iter().map(|(name, _)| (name.as_str(), ())).collect();
    names.len() < parameters.len()
}

/// An object with these members.
struct Object(Vec<(String, Json)>);

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, json)| (name, json)))
    }
}

thread_local! {
    static SCHEMA: RefCell<Json> = const { RefCell::new(Json::Null) };
}

/// A type whose serialised form may differ from its schema.
struct Liar(Object);

impl Serialize for Liar {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl JsonSchema for Liar {
    fn schema_name() -> Cow<'static, str> {
        "Liar".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        SCHEMA.with_borrow(|schema| schema.clone().try_into().unwrap())
    }
}

/// Field schemas and the data types that they fit.
fn schemas() -> Vec<(Json, Option<&'static str>)> {
    vec![
        (json!({"type": "integer"}), Some("Integer")),
        (json!({"type": "string"}), Some("Text")),
        (json!({"type": "string", "enum": ["a"]}), Some("Text")),
        (json!({"type": "string", "format": "date-time"}), Some("DateTime")),
        (json!({"type": "boolean"}), Some("Boolean")),
        (json!(true), Some("Money")),
        (json!({"type": "number"}), None),
        (json!({"type": ["integer", "null"]}), None),
        (json!({"type": "object"}), None),
        (json!({"type": "array"}), None),
        (json!({"$ref": "#"}), None),
        (json!(false), None),
        (json!({"anyOf": [{"type": "integer"}, {"type": "string"}]}), None),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { max_local_rejects: 1_000_000, ..ProptestConfig::default() })]

    #[test]
    fn accepted_values_are_sent_as_in_the_table_and_rejected_ones_are_named((parameters, values) in cases()) {
        let export = descriptor(&parameters);
        let result = export.build_request(values.iter().map(|(name, spec)| (name, spec.give())), Vec::new());
        if is_twice(&parameters) {
            prop_assert_eq!(result.unwrap_err().kind(), ErrorKind::Export);
            return Ok(());
        }
        let of = |name: &str| values.iter().filter(|(other, _)| other == name).map(|(_, spec)| spec).collect::<Vec<_>>();
        let mut expected = Map::new();
        let mut wrong: Vec<&str> = values.iter().map(|(name, _)| name.as_str()).collect();
        wrong.extend(parameters.iter().map(|(name, _)| name.as_str()));
        wrong.retain(|name| {
            let data_type = parameters.iter().find(|(other, _)| other == name).map(|(_, data_type)| *data_type);
            let json = match (data_type, &of(name)[..]) {
                (Some(data_type), [spec]) => spec.expected(data_type),
                _ => None,
            };
            json.map(|json| expected.insert((*name).to_owned(), json)).is_none()
        });
        match result {
            Ok(request) => {
                prop_assert_eq!(wrong, [""; 0]);
                let body = request.body().unwrap_or_default();
                for (name, data_type) in &parameters {
                    prop_assert!(is_in_the_table(data_type, &body[name]), "{}", data_type);
                }
                prop_assert_eq!(body, expected);
                prop_assert_eq!(request.body().is_none(), parameters.is_empty());
            }
            Err(error) => {
                prop_assert_eq!(error.kind(), ErrorKind::Input);
                let names: Vec<String> = wrong.iter().map(|name| format!("{}: ", shown(name))).collect();
                for name in &names {
                    prop_assert!(error.problems().iter().any(|problem| problem.starts_with(name)), "{} {:?}", name, error);
                }
                for problem in error.problems() {
                    prop_assert!(names.iter().any(|name| problem.starts_with(name)), "{}", problem);
                }
            }
        }
    }

    #[test]
    fn a_type_is_bound_if_its_schema_fits_and_sends_no_other_values(
        parameters in parameters(),
        fields in prop::collection::vec((select(schemas()), 0..20u8), 6),
        values in prop::collection::vec(jsons(), 6),
        more in prop::option::weighted(0.2, (names(), jsons())),
    ) {
        let export = descriptor(&parameters);
        // Mostly the fitting schema, mostly required.
        let of: Vec<(Json, bool)> = parameters
            .iter()
            .zip(&fields)
            .map(|((_, data_type), (any, luck))| {
                let is_known = ["Integer", "Text", "DateTime", "Boolean"].contains(data_type);
                let data_type = if is_known { data_type } else { "Money" };
                let right = schemas().into_iter().find(|(_, fits)| *fits == Some(data_type)).unwrap();
                let (schema, fits) = if *luck < 18 { &right } else { any };
                (schema.clone(), *fits == Some(data_type) && *luck > 0)
            })
            .collect();
        let properties: Map<String, Json> =
            parameters.iter().zip(&of).map(|((name, _), (schema, _))| (name.clone(), schema.clone())).collect();
        let required: Vec<&str> =
            parameters.iter().zip(&fields).filter(|(_, (_, luck))| *luck > 0).map(|((name, _), _)| name.as_str()).collect();
        SCHEMA.set(json!({"type": "object", "properties": properties, "required": required}));
        let bound = match export.bind::<Liar>() {
            Err(error) if is_twice(&parameters) => {
                prop_assert_eq!(error.kind(), ErrorKind::Export);
                return Ok(());
            }
            Err(error) => {
                let wrong: Vec<String> = parameters.iter().zip(&of).filter(|(_, (_, fits))| !fits)
                    .map(|((name, _), _)| format!("{}: expected ", shown(name))).collect();
                prop_assert_eq!(wrong.len(), error.problems().len(), "{}", error);
                prop_assert!(wrong.iter().all(|wrong| error.problems().iter().any(|problem| problem.starts_with(wrong))));
                prop_assert!(!wrong.is_empty());
                return Ok(());
            }
            Ok(bound) => bound,
        };
        prop_assert!(of.iter().all(|(_, fits)| *fits));
        let mut members: Vec<(String, Json)> =
            parameters.iter().map(|(name, _)| name.clone()).zip(values.clone()).collect();
        members.extend(more.clone());
        match bound.check(&Liar(Object(members))) {
            Ok(request) => {
                prop_assert!(more.is_none());
                let body = request.body().unwrap_or_default();
                for ((name, data_type), value) in parameters.iter().zip(&values) {
                    prop_assert!(is_in_the_table(data_type, &body[name]));
                    let known = Spec::Written(value.clone()).expected(data_type);
                    prop_assert_eq!(&body[name], &known.unwrap_or_else(|| value.clone()));
                }
            }
            Err(error) => {
                let fit = parameters.iter().zip(&values).all(|((_, data_type), value)| {
                    let is_known = ["Integer", "Text", "DateTime", "Boolean"].contains(data_type);
                    !is_known || Spec::Written(value.clone()).expected(data_type).is_some()
                });
                prop_assert!(!fit || more.is_some(), "{}", error);
            }
        }
    }

    #[test]
    fn serialised_values_fit_wherever_the_same_json_fits(
        members in prop::collection::vec((names(), jsons()), 0..6),
        data_type in select(TYPES[..4].to_vec()),
    ) {
        let mut given = Vec::new();
        collect_fields(&Object(members.clone()), &mut given).unwrap();
        prop_assert_eq!(given.len(), members.len());
        let data_type = data_type.into();
        for ((name, given), (expected, json)) in given.into_iter().zip(members) {
            prop_assert_eq!(name, expected);
            prop_assert_eq!(given.convert(&data_type), Input::Value(ParameterValue::raw(json)).convert(&data_type));
        }
    }
}
