//! The fields of a row, one after the other.

use memchr::memchr2;

use super::value::{Value, unquoted};
use crate::exports::RawRow;

/// Where a row comes from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fields<'r> {
    /// The text of a JSON value.
    Json(&'r str),
    /// A CSV record.
    Record(&'r RawRow),
    /// A CSV record that was kept as the text of a JSON object.
    Kept(&'r str),
}

impl<'r> Fields<'r> {
    pub(super) fn of(row: &'r RawRow) -> Self {
        row.json().map_or(Self::Record(row), Self::Json)
    }

    /// Hands out every field. The error says what the row is instead of an object.
    pub(super) fn each(self, mut field: impl FnMut(&str, Value<'r>)) -> Result<(), &'static str> {
        match self {
            Self::Json(json) => match Value::of_json(json) {
                Value::Object(json) => object(json, |name, value| field(name, Value::of_json(value))),
                other => Err(other.kind()),
            },
            Self::Kept(json) => object(json, |name, text| {
                field(name, unquoted(text).map_or(Value::Text(text), Value::Cell));
            }),
            Self::Record(row) => {
                row.fields().into_iter().flatten().for_each(|(name, text)| field(name, Value::Cell(text.into())));
                Ok(())
            }
        }
    }
}

/// Takes an object apart. The reader of rows has read it as JSON before, all of it: here is looked for ends only.
fn object<'r>(json: &'r str, mut field: impl FnMut(&str, &'r str)) -> Result<(), &'static str> {
    const BROKEN: &str = "an object that breaks off";
    let mut rest = json.strip_prefix('{').ok_or(BROKEN)?.trim_ascii_start();
    while !rest.starts_with('}') {
        let (name, behind) = rest.split_at_checked(string(rest).ok_or(BROKEN)?).ok_or(BROKEN)?;
        let behind = behind.trim_ascii_start().strip_prefix(':').ok_or(BROKEN)?.trim_ascii_start();
        let (value, behind) = behind.split_at_checked(value(behind).ok_or(BROKEN)?).ok_or(BROKEN)?;
        field(&unquoted(name).ok_or("an object with a name that is no text")?, value);
        rest = behind.trim_ascii_start();
        rest = rest.strip_prefix(',').unwrap_or(rest).trim_ascii_start();
    }
    Ok(())
}

/// How long the value is that stands at the start.
fn value(json: &str) -> Option<usize> {
    match json.as_bytes().first()? {
        b'"' => string(json),
        b'{' | b'[' => nested(json),
        _ => json.bytes().position(|byte| matches!(byte, b',' | b'}' | b' ' | b'\n' | b'\r' | b'\t')),
    }
}

/// How long the string is that stands at the start.
fn string(json: &str) -> Option<usize> {
    let mut end = 1;
    loop {
        end += memchr2(b'"', b'\\', json.as_bytes().get(end..)?)?;
        if json.as_bytes()[end] == b'"' {
            return Some(end + 1);
        }
        end += 2;
    }
}

/// How long the list or object is that stands at the start.
fn nested(json: &str) -> Option<usize> {
    let (mut end, mut depth) = (0, 0_usize);
    loop {
        match json.as_bytes().get(end)? {
            b'"' => end += string(json.get(end..)?)?,
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
        object(json, |name, value| fields.push((name.to_owned(), value.to_owned()))).map(|()| fields)
    }

    #[test]
    fn values_end_where_they_end() {
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
        fn an_object_is_taken_apart_as_serde_json_does_it(
            map in prop::collection::btree_map("[a\"\\\\{}:, é]{0,4}", any_json(), 0..5),
            is_pretty: bool,
        ) {
            let json = if is_pretty { serde_json::to_string_pretty(&map) } else { serde_json::to_string(&map) }.unwrap();
            let expected: BTreeMap<String, &RawValue> = serde_json::from_str(&json).unwrap();
            let expected: Vec<_> = expected.into_iter().map(|(name, raw)| (name, raw.get().to_owned())).collect();
            prop_assert_eq!(fields(&json).unwrap(), expected);
        }

        #[test]
        fn no_text_makes_it_panic_or_go_on_for_ever(text in "[{}\\[\\]\":,\\\\ a1é]{0,20}") {
            let _ = fields(&text);
            let _ = fields(&format!("{{{text}"));
        }
    }
}
