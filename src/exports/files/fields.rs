//! Iteration over the fields of a row.

use memchr::memchr2;

use super::value::{FieldValue, unquoted};
use crate::exports::RawRow;

/// The source of the fields of a row.
#[derive(Clone, Copy, Debug)]
pub(super) enum RowFields<'r> {
    /// A JSON value.
    Json(&'r str),
    /// A CSV record.
    Record(&'r RawRow),
    /// A CSV record that was spooled as a JSON object.
    Spooled(&'r str),
}

impl<'r> RowFields<'r> {
    pub(super) fn of(row: &'r RawRow) -> Self {
        row.json().map_or(Self::Record(row), Self::Json)
    }

    /// Calls a closure for each field. The error names the kind of a row that is not an object.
    pub(super) fn for_each(self, mut field: impl FnMut(&str, FieldValue<'r>)) -> Result<(), &'static str> {
        match self {
            Self::Json(json) => match FieldValue::of_json(json) {
                FieldValue::Object(json) => split_object(json, |name, value| field(name, FieldValue::of_json(value))),
                other => Err(other.kind()),
            },
            Self::Spooled(json) => split_object(json, |name, text| {
                field(name, unquoted(text).map_or(FieldValue::String(text), FieldValue::CsvField));
            }),
            Self::Record(row) => {
                row.fields()
                    .into_iter()
                    .flatten()
                    .for_each(|(name, text)| field(name, FieldValue::CsvField(text.into())));
                Ok(())
            }
        }
    }
}

/// Splits an object into members. The reader of rows has validated the JSON, so this only searches for ends.
fn split_object<'r>(json: &'r str, mut field: impl FnMut(&str, &'r str)) -> Result<(), &'static str> {
    const BROKEN: &str = "an object that breaks off";
    let mut rest = json.strip_prefix('{').ok_or(BROKEN)?.trim_ascii_start();
    while !rest.starts_with('}') {
        let (name, after) = rest.split_at_checked(string_length(rest).ok_or(BROKEN)?).ok_or(BROKEN)?;
        let after = after.trim_ascii_start().strip_prefix(':').ok_or(BROKEN)?.trim_ascii_start();
        let (value, after) = after.split_at_checked(value_length(after).ok_or(BROKEN)?).ok_or(BROKEN)?;
        field(&unquoted(name).ok_or("an object with a name that is not valid Unicode")?, value);
        rest = after.trim_ascii_start();
        rest = rest.strip_prefix(',').unwrap_or(rest).trim_ascii_start();
    }
    Ok(())
}

/// Returns the length of the value at the start.
fn value_length(json: &str) -> Option<usize> {
    match json.as_bytes().first()? {
        b'"' => string_length(json),
        b'{' | b'[' => nested_length(json),
        _ => json.bytes().position(|byte| matches!(byte, b',' | b'}' | b' ' | b'\n' | b'\r' | b'\t')),
    }
}

/// Returns the length of the string at the start.
fn string_length(json: &str) -> Option<usize> {
    let mut end = 1;
    loop {
        end += memchr2(b'"', b'\\', json.as_bytes().get(end..)?)?;
        if json.as_bytes()[end] == b'"' {
            return Some(end + 1);
        }
        end += 2;
    }
}

/// Returns the length of the array or object at the start.
fn nested_length(json: &str) -> Option<usize> {
    let (mut end, mut depth) = (0, 0_usize);
    loop {
        match json.as_bytes().get(end)? {
            b'"' => end += string_length(json.get(end..)?)?,
            byte => {
                end += 1;
                match byte {
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' if depth == 1 => return Some(end),
                    b'}' | b']' => depth -= 1,
                    _ => {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::{Value as Json, value::RawValue};

    use super::*;

    fn fields(json: &str) -> Result<Vec<(String, String)>, &'static str> {
        let mut fields = Vec::new();
        split_object(json, |name, value| fields.push((name.to_owned(), value.to_owned()))).map(|()| fields)
    }

    #[test]
    fn the_ends_of_values_are_found() {
        let json = "{ \"a\\\"\" :\t[1, {\"]\":\"}\\\\\"}, []],\"b\":1.5e3\n,\r\"b\":\"\\\\\\\"\", \"\\u00e9\" : true}";
        let expected = [("a\"", "[1, {\"]\":\"}\\\\\"}, []]"), ("b", "1.5e3"), ("b", "\"\\\\\\\"\""), ("é", "true")];
        assert_eq!(fields(json).unwrap(), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(fields("{}"), Ok(vec![]));
        assert_eq!(fields("{ }"), Ok(vec![]));
    }

    fn any_json() -> impl Strategy<Value = Json> {
        let text = "[a\"\\\\{}\\[\\],: \\n\\x01é😀]{0,6}";
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            any::<f64>().prop_map(Json::from),
            text.prop_map(Json::from),
        ];
        leaf.prop_recursive(3, 24, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
                prop::collection::btree_map(text, inner, 0..4).prop_map(|map| Json::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn an_object_is_split_as_serde_json_does(
            map in prop::collection::btree_map("[a\"\\\\{}:, é]{0,4}", any_json(), 0..5),
            is_pretty: bool,
        ) {
            let json = if is_pretty { serde_json::to_string_pretty(&map) } else { serde_json::to_string(&map) }.unwrap();
            let expected: BTreeMap<String, &RawValue> = serde_json::from_str(&json).unwrap();
            let expected: Vec<_> = expected.into_iter().map(|(name, raw)| (name, raw.get().to_owned())).collect();
            prop_assert_eq!(fields(&json).unwrap(), expected);
        }

        #[test]
        fn no_string_makes_it_panic_or_loop(text in "[{}\\[\\]\":,\\\\ a1é]{0,20}") {
            let _ = fields(&text);
            let _ = fields(&format!("{{{text}"));
        }
    }
}
