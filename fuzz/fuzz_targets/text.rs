//! Values from text, as `Descriptor::parse` has them, against a reading of the vendor's table of our own, and chrono's.
#![no_main]

use std::sync::LazyLock;

use chrono::DateTime;
use libfuzzer_sys::{Corpus, fuzz_target};
use perenso::exports::{Catalog, Descriptor, ParameterValue};
use serde_json::{Value as Json, json};

static EXPORT: LazyLock<Catalog> = LazyLock::new(|| {
    let types = ["Integer", "Text", "DateTime", "Boolean"];
    let exports = types.map(
        |data_type| json!({"id": data_type, "name": data_type, "parameters": [{"name": "P", "dataType": data_type}]}),
    );
    serde_json::from_value(Json::from(exports.to_vec())).unwrap()
});

/// What a refusal says of any text.
static REFUSALS: LazyLock<String> = LazyLock::new(|| {
    let errors = EXPORT.iter().filter_map(|export| export.parse("P", "?").err());
    errors.map(|error| format!("{error} {error:?}\n")).collect()
});

fuzz_target!(|text: &str| -> Corpus {
    // Longer ones say nothing new.
    if text.len() > 80 {
        return Corpus::Reject;
    }
    agree("Integer", text, integer(text).map(Json::from));
    agree("Boolean", text, boolean(text).map(Json::from));
    agree("Text", text, Some(text.into()));
    let seconds = time(text);
    if let Some(seconds) = seconds {
        let other = DateTime::parse_from_rfc3339(text).map(|time| time.timestamp());
        assert_eq!(other, Ok(seconds), "chrono reads another moment");
    }
    agree("DateTime", text, seconds.map(|seconds| written(seconds).into()));
    Corpus::Keep
});

/// `expected` goes out where the text is accepted, in the same form for a value, its text and its JSON; and a refusal
/// does not repeat the text.
fn agree(data_type: &str, text: &str, expected: Option<Json>) {
    let export = EXPORT.by_id(data_type).unwrap();
    let sent = match export.parse("P", text) {
        Ok(value) => Some(body(export, value.clone()).expect("what was read is not accepted")),
        Err(error) => {
            let shows = text.len() > 3 && format!("{error} {error:?}").contains(text);
            assert!(!shows || REFUSALS.contains(text), "the refusal shows the value");
            None
        }
    };
    assert_eq!(sent, expected, "{data_type}");
    let at_once = export.check_text([("P", text)]).ok().and_then(|request| request.body());
    assert_eq!(at_once.map(|body| body["P"].clone()), expected, "{data_type}");

    if let Some(sent) = &sent {
        let again = sent.as_str().map_or_else(|| sent.to_string(), str::to_owned);
        assert_eq!(
            body(export, export.parse("P", &again).unwrap()).as_ref(),
            Some(sent),
            "it is read as another value"
        );
    }
    // JSON that a caller brings along keeps to the same table.
    match data_type {
        "DateTime" => assert_eq!(body(export, ParameterValue::raw(text)), expected),
        "Text" => assert_eq!(body(export, ParameterValue::raw(text)), expected),
        _ => {
            assert_eq!(body(export, ParameterValue::raw(text)), None, "quoted");
            if let Ok(json) = serde_json::from_str::<Json>(text) {
                let is_one = if data_type == "Integer" { json.as_i64().is_some() } else { json.is_boolean() };
                assert_eq!(body(export, ParameterValue::raw(json.clone())), is_one.then_some(json));
            }
        }
    }
}

fn body(export: &Descriptor, value: ParameterValue) -> Option<Json> {
    Some(export.check([("P", value)]).ok()?.body()?["P"].clone())
}

/// Digits, or digits after a minus sign; no zero before other digits.
fn integer(text: &str) -> Option<i64> {
    let number: i128 = text.parse().ok()?;
    let is_plain = number.to_string() == text || text == "-0";
    is_plain.then_some(i64::try_from(number).ok()?)
}

fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// The seconds since 1970 of a time in RFC 3339 with a known zone and whole seconds, in the years 0000 to 9999.
fn time(text: &str) -> Option<i64> {
    let (date, clock) = text.split_once('T')?;
    let (clock, east) = if let Some(clock) = clock.strip_suffix('Z') {
        (clock, 0)
    } else {
        let (clock, zone) = clock.split_at_checked(8)?;
        let [hours, minutes] = numbers(zone.get(1..)?, ':', [2, 2])?;
        let sign = match (zone.as_bytes()[0], hours, minutes) {
            (b'-', 0, 0) => return None,
            (b'-', ..) => -1,
            (b'+', ..) => 1,
            _ => return None,
        };
        (hours < 24 && minutes < 60).then_some((clock, sign * (hours * 3600 + minutes * 60)))?
    };
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
    let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let february = if is_leap(year) { 29 } else { 28 };
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let length = *months.get(usize::try_from(month).ok()?.checked_sub(1)?)?;
    if !(1..=length).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let before: i64 = months[..usize::try_from(month - 1).ok()?].iter().sum();
    let leaps = |year: i64| if year == 0 { 0 } else { (year - 1) / 4 - (year - 1) / 100 + (year - 1) / 400 + 1 };
    let days = |year: i64| 365 * year + leaps(year);
    let seconds = (days(year) + before + day - 1) * 86_400 + hour * 3600 + minute * 60 + second - east;
    (0..days(10_000) * 86_400).contains(&seconds).then_some(seconds - days(1970) * 86_400)
}

/// Numbers of so many digits each, with this between them.
fn numbers<const N: usize>(text: &str, between: char, digits: [usize; N]) -> Option<[i64; N]> {
    let parts: Vec<&str> = text.split(between).collect();
    let parts: [&str; N] = parts.try_into().ok()?;
    let mut numbers = [0; N];
    for ((number, part), digits) in numbers.iter_mut().zip(parts).zip(digits) {
        let is_plain = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
        *number = is_plain.then(|| part.parse().ok())??;
    }
    Some(numbers)
}

/// The form of the vendor's guide.
fn written(seconds: i64) -> String {
    DateTime::from_timestamp(seconds, 0).unwrap().format("%Y-%m-%dT%H:%M:%SZ").to_string()
}
