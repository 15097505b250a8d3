//! JSON into a type, and when it does not fit: where, what was expected and what kind of thing was there. Never the value.

use std::fmt;

use serde::{
    Deserializer,
    de::{self, DeserializeOwned, DeserializeSeed, Expected, IntoDeserializer, Unexpected, Visitor, value},
    forward_to_deserialize_any,
};
use serde_json::Value;

use crate::answer::without_mark;

/// The most of a path that is shown.
const LONGEST_PATH: usize = 200;

/// Where and how a document does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// Where: `[1].priceZone`; empty or `.` for the top.
    pub path: String,
    /// What was expected and what kind of thing was found.
    pub detail: String,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() || self.path == "." {
            write!(f, "at the top: {}", self.detail)
        } else {
            write!(f, "at `{}`: {}", self.path, self.detail)
        }
    }
}

/// Reads a document, with or without a byte order mark; the search for what is wrong costs only those who have it.
///
/// # Errors
/// When it is no JSON, or does not fit.
pub fn decode<T: DeserializeOwned>(document: &[u8]) -> Result<T, Misfit> {
    let document = without_mark(document);
    match serde_json::from_slice(document) {
        Ok(value) => Ok(value),
        Err(error) => Err(explain::<T>(document, &error)),
    }
}

fn explain<T: DeserializeOwned>(document: &[u8], error: &serde_json::Error) -> Misfit {
    let at_top = |detail: String| Misfit { path: String::new(), detail };
    let value: Value = match serde_json::from_slice(document) {
        Ok(value) => value,
        Err(error) => {
            let what = match error.classify() {
                serde_json::error::Category::Eof if document.iter().all(u8::is_ascii_whitespace) => {
                    return at_top("the body is empty, and JSON was expected".to_owned());
                }
                serde_json::error::Category::Eof => "JSON that ends too early: the body was cut",
                _ if error.to_string().starts_with("recursion limit") => "JSON that is nested too deeply",
                _ => "no JSON",
            };
            return at_top(format!("{what} (line {}, column {})", error.line(), error.column()));
        }
    };
    // The text knows the place, and the tree what is wrong without a value; where they differ, the text is right.
    let text = &mut serde_json::Deserializer::from_slice(document);
    let place = serde_path_to_error::deserialize::<_, T>(text).err().map(|error| error.path().to_string());
    match serde_path_to_error::deserialize::<_, T>(Source(value)) {
        Err(error) if place.as_ref().is_some_and(|place| *place != error.path().to_string()) => Misfit {
            path: shown(&place.unwrap_or_default()),
            detail: "a value that its type does not accept".to_owned(),
        },
        Err(error) => Misfit { path: shown(&error.path().to_string()), detail: error.into_inner().0 },
        // The tree has forgotten something that the text had, such as a key that occurs twice.
        Ok(_) => at_top(format!("JSON of another shape (line {}, column {})", error.line(), error.column())),
    }
}

/// A path fit to be shown: names in it come from the document.
fn shown(path: &str) -> String {
    let mut shown: String = path.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_PATH).collect();
    if path.chars().nth(LONGEST_PATH).is_some() {
        shown.push('…');
    }
    shown
}

/// An error that keeps kinds and names and drops values.
#[derive(Debug)]
pub struct Shape(String);

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Shape {}

impl de::Error for Shape {
    // Whatever a type says about a value may quote it.
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self("a value that its type does not accept".to_owned())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self(format!("expected {expected}, found {}", kind(found)))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self(format!("expected {expected}, found another {}", kind(found)))
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        Self(format!("expected {expected}, found {length} elements"))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self(format!("expected one of {}, found another text", expected.join(", ")))
    }

    fn unknown_field(_: &str, expected: &'static [&'static str]) -> Self {
        Self(format!("a field that is none of {}", expected.join(", ")))
    }

    fn missing_field(field: &'static str) -> Self {
        Self(format!("field `{field}` is missing"))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self(format!("field `{field}` occurs twice"))
    }
}

fn kind(found: Unexpected<'_>) -> &'static str {
    match found {
        Unexpected::Bool(_) => "boolean",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) => "integer",
        Unexpected::Float(_) => "number with a fraction",
        Unexpected::Char(_) | Unexpected::Str(_) => "text",
        Unexpected::Unit | Unexpected::Option => "null",
        Unexpected::Seq => "list",
        Unexpected::Map => "object",
        _ => "value of another kind",
    }
}

/// A JSON tree as a source whose errors are [`Shape`]s.
struct Source(Value);

impl<'de> IntoDeserializer<'de, Shape> for Source {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Source {
    type Error = Shape;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Shape> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(value),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(value), _, _) => visitor.visit_u64(value),
                (_, Some(value), _) => visitor.visit_i64(value),
                (_, _, Some(value)) => visitor.visit_f64(value),
                _ => Err(Shape("a number that nothing can hold".to_owned())),
            },
            Value::String(text) => visitor.visit_string(text),
            Value::Array(items) => visitor.visit_seq(value::SeqDeserializer::new(items.into_iter().map(Source))),
            Value::Object(fields) => visitor
                .visit_map(value::MapDeserializer::new(fields.into_iter().map(|(name, value)| (name, Source(value))))),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Shape> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Shape> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Shape> {
        match self.0 {
            Value::String(text) => visitor.visit_enum(text.into_deserializer()),
            Value::Object(fields) if fields.len() == 1 => match fields.into_iter().next() {
                Some((name, content)) => visitor.visit_enum(Variant(name, content)),
                None => Err(Shape("expected a variant, found an empty object".to_owned())),
            },
            other => Source(other).deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct identifier ignored_any
    }
}

struct Variant(String, Value);

impl<'de> de::EnumAccess<'de> for Variant {
    type Error = Shape;
    type Variant = Source;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Source), Shape> {
        let name: value::StringDeserializer<Shape> = self.0.into_deserializer();
        Ok((seed.deserialize(name)?, Source(self.1)))
    }
}

impl<'de> de::VariantAccess<'de> for Source {
    type Error = Shape;

    fn unit_variant(self) -> Result<(), Shape> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Shape> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Shape> {
        self.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Shape> {
        self.deserialize_any(visitor)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "camelCase")]
    struct Record {
        #[allow(dead_code)]
        id: String,
        #[allow(dead_code)]
        price_zone: Option<i64>,
        #[serde(default)]
        #[allow(dead_code)]
        kind: Option<Kind>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    enum Kind {
        Plain,
        Special(u8),
    }

    fn misfit<T: DeserializeOwned>(document: &str) -> String {
        match decode::<T>(document.as_bytes()) {
            Ok(_) => panic!("{document} was read"),
            Err(misfit) => misfit.to_string(),
        }
    }

    #[test]
    fn path_expectation_and_kind_are_named_and_the_value_is_not() {
        for (document, text) in [
            (r#"[{"id":"a"},{"id":"b","priceZone":"s3cr3t"}]"#, "at `[1].priceZone`: expected i64, found text"),
            (r#"[{"id":4711}]"#, "at `[0].id`: expected a string, found integer"),
            (r#"[{"priceZone":1}]"#, "at `[0]`: field `id` is missing"),
            (r#"[{"id":"a","priceZone":1.5}]"#, "at `[0].priceZone`: expected i64, found number with a fraction"),
            (r#"[{"id":"a","kind":"s3cr3t"}]"#, "at `[0].kind`: expected one of Plain, Special, found another text"),
            (r#"[{"id":"a","kind":{"Special":"s3cr3t"}}]"#, "at `[0].kind.Special`: expected u8, found text"),
            (r#"{"error":"s3cr3t"}"#, "at the top: expected a sequence, found object"),
            (r#""s3cr3t""#, "at the top: expected a sequence, found text"),
            ("", "at the top: the body is empty, and JSON was expected"),
            (r#"[{"id":"s3cr3t"#, "at the top: JSON that ends too early: the body was cut (line 1, column 14)"),
            ("<html>s3cr3t", "at the top: no JSON (line 1, column 1)"),
        ] {
            let shown = misfit::<Vec<Record>>(document);
            assert_eq!(shown, text);
            assert!(!shown.contains("s3cr3t") && !shown.contains("4711"));
        }
    }

    #[test]
    fn bytes_after_the_document_are_not_passed_over() {
        assert!(misfit::<Vec<u8>>("[1,2]]").contains("no JSON"));
    }

    #[test]
    fn what_a_type_says_of_a_value_is_not_shown() {
        struct Picky;
        impl<'de> Deserialize<'de> for Picky {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Err(de::Error::custom(format!("not to my taste: {text}")))
            }
        }
        assert!(!misfit::<Vec<Picky>>(r#"["s3cr3t"]"#).contains("s3cr3t"));
    }

    proptest! {
        /// The search for the fault uses another source than the first reading: both must read alike.
        #[test]
        fn the_tree_reads_as_the_text_does(map in prop::collection::btree_map("[a-z]{0,4}", prop::option::of(any::<i64>()), 0..6),
                                          list in prop::collection::vec(any::<bool>(), 0..4)) {
            let value = serde_json::json!({"map": map, "list": list, "kind": {"Special": 7}});
            #[derive(Debug, Deserialize, PartialEq)]
            struct Whole { map: BTreeMap<String, Option<i64>>, list: Vec<bool>, kind: Kind }
            let from_text: Whole = serde_json::from_str(&value.to_string()).unwrap();
            let from_tree = Whole::deserialize(Source(value)).unwrap();
            prop_assert_eq!(from_text, from_tree);
        }
    }
}
