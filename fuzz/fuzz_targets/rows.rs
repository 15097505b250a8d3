//! Rows of JSON in pieces cut anywhere, against serde_json on the whole.
#![no_main]

#[path = "../pieces.rs"]
mod pieces;

use libfuzzer_sys::{Corpus, fuzz_target};
use perenso::exports::{RawRow, RowReader};
use pieces::{Given, given, given_whole};
use serde::{Deserialize, Deserializer as _, de};
use serde_json::{Value as Json, value::RawValue};

/// A row with a field that must be there, one that may be, and others that are passed over.
#[derive(Clone, Debug, Deserialize, PartialEq)]
struct Customer {
    code: String,
    zone: Option<i64>,
}

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let body = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let Some(text) = text_of(body) else { return Corpus::Reject };
    if bytes.len() > 500 {
        return Corpus::Reject;
    }
    let (as_array, as_lines) = (array(&text), lines(&text));
    for (content_type, expected) in [(Some("application/json"), &as_array), (Some("application/x-ndjson"), &as_lines)] {
        let raw = |row: &[u8]| std::str::from_utf8(row).ok().map(str::to_owned);
        compare(content_type, bytes, expected, raw, |row: RawRow| row.json().unwrap().to_owned());
        compare(content_type, bytes, expected, parsed, |row: Customer| row);
    }
    compare(Some("application/json"), bytes, &as_array, parsed, |row: i64| row);
    let by_look = match text.trim_start_matches(BLANKS).as_bytes().first() {
        Some(b'[') => &as_array,
        // One object alone is no row, as it may be an envelope.
        Some(b'{') if as_lines.rows.len() == 1 && as_lines.is_whole => &Expected { rows: Vec::new(), is_whole: false },
        Some(b'{') => &as_lines,
        _ => &Expected { rows: Vec::new(), is_whole: false },
    };
    compare(None, bytes, by_look, parsed, |row: Json| row);
    Corpus::Keep
});

fn parsed<T: de::DeserializeOwned>(row: &[u8]) -> Option<T> {
    serde_json::from_slice(row).ok()
}

/// Characters that stand for bytes that are no UTF-8.
const STRANGE: std::ops::Range<u32> = 0xF_0000..0xF_0100;

fn text_of(bytes: &[u8]) -> Option<String> {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        if chunk.valid().chars().any(|c| STRANGE.contains(&c.into())) {
            return None;
        }
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().filter_map(|byte| char::from_u32(STRANGE.start + u32::from(*byte))));
    }
    Some(text)
}

fn bytes_of(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for c in text.chars() {
        match u32::from(c) {
            strange if STRANGE.contains(&strange) => bytes.push((strange - STRANGE.start) as u8),
            _ => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}

const BLANKS: [char; 4] = [' ', '\t', '\n', '\r'];

/// The texts of the rows as far as serde_json can read, and whether that is to the end.
struct Expected {
    rows: Vec<String>,
    is_whole: bool,
}

fn compare<T, V>(
    content_type: Option<&str>,
    bytes: &[u8],
    expected: &Expected,
    read: impl Fn(&[u8]) -> Option<V>,
    value: impl Fn(T) -> V,
) where
    T: perenso::exports::FromRow,
    V: PartialEq + std::fmt::Debug,
{
    let reader = || RowReader::new(content_type).unwrap();
    let whole: Given<V> = given_whole(&reader, bytes, &value);
    assert_eq!(whole.error.is_none(), expected.is_whole, "{:?}", whole.error);
    // The value before a fault may be given or not: a number may have lacked digits.
    let rows = whole.rows.len();
    assert!(rows == expected.rows.len() || !expected.is_whole && rows + 1 == expected.rows.len(), "{rows} rows");
    for (row, text) in whole.rows.iter().zip(&expected.rows) {
        assert_eq!(row, &read(&bytes_of(text)), "{text}");
    }
    given(&reader, bytes, &value, &whole);
}

fn array(text: &str) -> Expected {
    struct Rows<'r>(&'r mut Vec<String>);
    impl<'de> de::Visitor<'de> for Rows<'_> {
        type Value = ();

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("rows")
        }

        fn visit_seq<A: de::SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
            while let Some(row) = rows.next_element::<&RawValue>()? {
                self.0.push(row.get().to_owned());
            }
            Ok(())
        }
    }
    let mut rows = Vec::new();
    let mut json = serde_json::Deserializer::from_str(text);
    let is_whole = json.deserialize_seq(Rows(&mut rows)).and_then(|()| json.end()).is_ok();
    Expected { rows, is_whole }
}

fn lines(text: &str) -> Expected {
    let mut rows = Vec::new();
    for line in text.split('\n').map(|line| line.trim_matches(BLANKS)).filter(|line| !line.is_empty()) {
        if serde_json::from_str::<&RawValue>(line).is_err() {
            return Expected { rows, is_whole: false };
        }
        rows.push(line.to_owned());
    }
    Expected { rows, is_whole: true }
}
