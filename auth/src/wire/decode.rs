//! Decodes JSON. An error names the path, the expected type and the type found, but never the value.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{
        self, DeserializeOwned, DeserializeSeed, Expected, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor,
        value,
    },
    forward_to_deserialize_any,
};
use serde_json::Number;

use super::body::without_mark;

/// The maximum length of a path in messages.
const LONGEST_PATH: usize = 200;

const NOT_ACCEPTED: &str = "a value that its type does not accept";
const OUT_OF_RANGE: &str = "a number that is out of range";

/// The first place where a document does not match the type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The path, such as `[1].priceZone`; empty or `.` for the top.
    pub path: String,
    /// The expected type and the type found.
    pub detail: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() || self.path == "." {
            write!(f, "at the top: {}", self.detail)
        } else {
            write!(f, "at `{}`: {}", self.path, self.detail)
        }
    }
}

/// Decodes a whole body or file, with or without a byte order mark.
///
/// # Errors
/// Fails as [`decode`] does.
pub fn decode_body<T: DeserializeOwned>(body: &[u8]) -> Result<T, Mismatch> {
    decode(without_mark(body))
}

/// Decodes a document. It is read again for a detailed error only if it cannot be decoded.
///
/// # Errors
/// [`Mismatch`] if it is not JSON, or does not match the type.
pub fn decode<T: DeserializeOwned>(document: &[u8]) -> Result<T, Mismatch> {
    match serde_json::from_slice(document) {
        Ok(value) => Ok(value),
        Err(_) => Err(explain::<T>(document)),
    }
}

fn explain<T: DeserializeOwned>(document: &[u8]) -> Mismatch {
    let at_top = |detail: String| Mismatch { path: String::new(), detail };
    // Reading the document gives the path, and reading the tree a message without values. If they differ, the path of the
    // document is right.
    let parser = &mut serde_json::Deserializer::from_slice(document);
    let mismatch = serde_path_to_error::deserialize::<_, T>(parser).err();
    let path = mismatch.as_ref().map(|error| shown(&error.path().to_string()));
    let at_path = |detail: &str| Mismatch { path: path.clone().unwrap_or_default(), detail: detail.to_owned() };
    let tree: Tree = match serde_json::from_slice(document) {
        Ok(tree) => tree,
        Err(error) => {
            let what = match error.classify() {
                _ if is_out_of_range(&error) => {
                    return at_path(match mismatch {
                        Some(mismatch) if !is_out_of_range(mismatch.inner()) => NOT_ACCEPTED,
                        _ => OUT_OF_RANGE,
                    });
                }
                serde_json::error::Category::Eof if document.iter().all(u8::is_ascii_whitespace) => {
                    return at_top("expected JSON, found an empty body".to_owned());
                }
                serde_json::error::Category::Eof => "JSON that ends too early: the body is incomplete",
                _ if error.to_string().starts_with("recursion limit") => "JSON that is nested too deeply",
                _ => "invalid JSON",
            };
            return at_top(format!("{what} (line {}, column {})", error.line(), error.column()));
        }
    };
    match serde_path_to_error::deserialize::<_, T>(tree) {
        Err(error) if path.as_ref().is_none_or(|path| *path == shown(&error.path().to_string())) => {
            Mismatch { path: shown(&error.path().to_string()), detail: error.into_inner().0 }
        }
        // A number beyond `f32` fits into the tree, and not into an `f32` of the type.
        _ if mismatch.is_some_and(|error| is_out_of_range(error.inner())) => at_path(OUT_OF_RANGE),
        _ => at_path(NOT_ACCEPTED),
    }
}

/// Returns true if the parser failed at a number that it cannot represent, such as `1e400`.
fn is_out_of_range(error: &serde_json::Error) -> bool {
    error.is_syntax() && error.to_string().starts_with("number out of range")
}

/// Returns a path without control characters and truncated, since its names are from the document.
fn shown(path: &str) -> String {
    let mut shown: String = path.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_PATH).collect();
    if path.chars().nth(LONGEST_PATH).is_some() {
        shown.push('…');
    }
    shown
}

/// An error that contains types and names, but no values.
pub struct Shape(String);

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Shape {}

impl de::Error for Shape {
    // The message of a type may quote the value.
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self(NOT_ACCEPTED.to_owned())
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
        Self(format!("expected one of {}, found another string", expected.join(", ")))
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
        Unexpected::Float(number) if number == 0.0 && number.is_sign_negative() => "negative zero",
        Unexpected::Float(number) if number.fract() == 0.0 => "number that is not written as a 64-bit integer",
        Unexpected::Float(_) => "number with a fraction",
        Unexpected::Char(_) | Unexpected::Str(_) => "string",
        Unexpected::Unit | Unexpected::Option => "null",
        Unexpected::Seq => "array",
        Unexpected::Map => "object",
        _ => "value of another kind",
    }
}

/// A JSON document as a deserializer whose errors are [`Shape`]s. Unlike [`serde_json::Value`], it keeps duplicate keys.
enum Tree {
    Null,
    Bool(bool),
    Number(Number),
    String(String),
    Array(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Number(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Tree, E> {
        Number::from_f64(value).map(Tree::Number).ok_or_else(|| E::custom(OUT_OF_RANGE))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element()? {
            all.push(item);
        }
        Ok(Tree::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Tree, A::Error> {
        let mut all = Vec::new();
        while let Some(field) = fields.next_entry()? {
            all.push(field);
        }
        // With its feature `arbitrary_precision`, serde_json represents a number as such a map.
        match &all[..] {
            [(name, Tree::String(digits))] if name == "$serde_json::private::Number" => {
                digits.parse().map(Tree::Number).map_err(de::Error::custom)
            }
            _ => Ok(Tree::Object(all)),
        }
    }
}

impl<'de> IntoDeserializer<'de, Shape> for Tree {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Tree {
    type Error = Shape;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Shape> {
        match self {
            Self::Null => visitor.visit_unit(),
            Self::Bool(value) => visitor.visit_bool(value),
            Self::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(value), _, _) => visitor.visit_u64(value),
                // Under `arbitrary_precision`, `Number` reads `-0` as an integer, and the parser reads it as a float.
                (_, Some(0), Some(zero)) => visitor.visit_f64(zero),
                (_, Some(value), _) => visitor.visit_i64(value),
                (_, _, Some(value)) => visitor.visit_f64(value),
                _ => Err(Shape(OUT_OF_RANGE.to_owned())),
            },
            Self::String(text) => visitor.visit_string(text),
            Self::Array(items) => visitor.visit_seq(value::SeqDeserializer::new(items.into_iter())),
            Self::Object(fields) => visitor.visit_map(value::MapDeserializer::new(fields.into_iter())),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Shape> {
        if matches!(self, Self::Null) { visitor.visit_none() } else { visitor.visit_some(self) }
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
        match self {
            Self::String(text) => visitor.visit_enum(text.into_deserializer()),
            Self::Object(fields) if fields.len() == 1 => match fields.into_iter().next() {
                Some((name, content)) => visitor.visit_enum(Variant(name, content)),
                None => Err(Shape("expected a variant, found an empty object".to_owned())),
            },
            other => other.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct identifier ignored_any
    }
}

struct Variant(String, Tree);

impl<'de> de::EnumAccess<'de> for Variant {
    type Error = Shape;
    type Variant = Tree;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Tree), Shape> {
        let name: value::StringDeserializer<Shape> = self.0.into_deserializer();
        Ok((seed.deserialize(name)?, self.1))
    }
}

impl<'de> de::VariantAccess<'de> for Tree {
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

    fn mismatch<T: DeserializeOwned>(document: &str) -> String {
        match decode::<T>(document.as_bytes()) {
            Ok(_) => panic!("{document} was read"),
            Err(mismatch) => mismatch.to_string(),
        }
    }

    #[test]
    fn errors_name_the_path_and_types_but_not_the_value() {
        for (document, text) in [
            (r#"[{"id":"a"},{"id":"b","priceZone":"s3cr3t"}]"#, "at `[1].priceZone`: expected i64, found string"),
            (r#"[{"id":4711}]"#, "at `[0].id`: expected a string, found integer"),
            (r#"[{"priceZone":1}]"#, "at `[0]`: field `id` is missing"),
            (r#"[{"id":"a","priceZone":1.5}]"#, "at `[0].priceZone`: expected i64, found number with a fraction"),
            (r#"[{"id":"a","kind":"s3cr3t"}]"#, "at `[0].kind`: expected one of Plain, Special, found another string"),
            (r#"[{"id":"a","kind":{"Special":"s3cr3t"}}]"#, "at `[0].kind.Special`: expected u8, found string"),
            (r#"{"error":"s3cr3t"}"#, "at the top: expected a sequence, found object"),
            (r#""s3cr3t""#, "at the top: expected a sequence, found string"),
            ("", "at the top: expected JSON, found an empty body"),
            (r#"[{"id":"s3cr3t"#, "at the top: JSON that ends too early: the body is incomplete (line 1, column 14)"),
            ("<html>s3cr3t", "at the top: invalid JSON (line 1, column 1)"),
        ] {
            let shown = mismatch::<Vec<Record>>(document);
            assert_eq!(shown, text);
            assert!(!shown.contains("s3cr3t") && !shown.contains("4711"));
        }
    }

    #[test]
    fn errors_of_unusual_numbers_and_duplicate_keys_name_the_path() {
        #[derive(Debug, Deserialize)]
        #[serde(rename_all = "camelCase")]
        #[allow(dead_code)]
        struct Priced {
            price: Option<f64>,
            price_zone: Option<i64>,
            other: Option<serde_json::Value>,
        }
        for (document, text) in [
            (r#"[{"price":1},{"price":1e400}]"#, "at `[1].price`: a number that is out of range"),
            (r#"[{"priceZone":-1e999}]"#, "at `[0].priceZone`: a number that is out of range"),
            (r#"[{"other":{"a":[1e400]}}]"#, "at `[0].other.a[0]`: a number that is out of range"),
            // Two mismatches: the first one is reported.
            (r#"[{"price":"s3cr3t"},{"price":1e400}]"#, "at `[0].price`: a value that its type does not accept"),
            (r#"[{"price":1},{"price":1,"priceZone":2,"price":3}]"#, "at `[1]`: field `price` occurs twice"),
            (r#"[{"priceZone":-0}]"#, "at `[0].priceZone`: expected i64, found negative zero"),
            (r#"[{"priceZone":-0.0}]"#, "at `[0].priceZone`: expected i64, found negative zero"),
            (
                r#"[{"priceZone":4711e2}]"#,
                "at `[0].priceZone`: expected i64, found number that is not written as a 64-bit integer",
            ),
            (
                r#"[{"priceZone":4711.0}]"#,
                "at `[0].priceZone`: expected i64, found number that is not written as a 64-bit integer",
            ),
            (r#"[{"priceZone":4711.5}]"#, "at `[0].priceZone`: expected i64, found number with a fraction"),
        ] {
            assert_eq!(mismatch::<Vec<Priced>>(document), text, "{document}");
        }
        assert_eq!(mismatch::<serde_json::Value>("[1e400]"), "at `[0]`: a number that is out of range");
        assert_eq!(mismatch::<f64>("1e400"), "at the top: a number that is out of range");
        // A field that is not read may have any value.
        assert_eq!(decode::<Vec<Priced>>(br#"[{"x":1e400,"x":2}]"#).unwrap().len(), 1);
    }

    /// serde alone reads it as infinity.
    #[test]
    fn a_number_beyond_f32_is_out_of_range_for_f32() {
        #[derive(Debug, Deserialize, PartialEq)]
        struct Price(Option<f32>);
        #[derive(Debug, Deserialize)]
        struct Priced {
            price: Price,
            #[serde(default)]
            more: Vec<f32>,
        }
        for number in ["1e39", "-1e39", "3.5e38", "400000000000000000000000000000000000000"] {
            for (document, path) in [
                (format!(r#"[{{"price":{number}}}]"#), "[0].price"),
                (format!(r#"[{{"price":1,"more":[0,{number}]}}]"#), "[0].more[1]"),
            ] {
                assert_eq!(mismatch::<Vec<Priced>>(&document), format!("at `{path}`: a number that is out of range"));
            }
            assert!(decode::<f64>(number.as_bytes()).unwrap().is_finite());
        }
        let largest = decode::<Vec<Priced>>(br#"[{"price":3.4028234e38,"more":[-1e-60]}]"#).unwrap();
        assert_eq!((&largest[0].price, &largest[0].more[..]), (&Price(Some(f32::MAX)), &[0.0][..]));
    }

    #[test]
    fn bytes_after_the_document_are_an_error() {
        assert!(mismatch::<Vec<u8>>("[1,2]]").contains("invalid JSON"));
    }

    #[test]
    fn the_message_of_a_type_is_not_shown() {
        struct Picky;
        impl<'de> Deserialize<'de> for Picky {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Err(de::Error::custom(format!("not to my taste: {text}")))
            }
        }
        assert!(!mismatch::<Vec<Picky>>(r#"["s3cr3t"]"#).contains("s3cr3t"));
    }

    proptest! {
        /// The detailed error is found with the tree, so the tree must decode as the document does.
        #[test]
        fn the_tree_decodes_as_the_document_does(map in prop::collection::btree_map("[a-z]{0,4}", prop::option::of(any::<i64>()), 0..6),
                                          list in prop::collection::vec(any::<bool>(), 0..4)) {
            let value = serde_json::json!({"map": map, "list": list, "kind": {"Special": 7}});
            #[derive(Debug, Deserialize, PartialEq)]
            struct Whole { map: BTreeMap<String, Option<i64>>, list: Vec<bool>, kind: Kind }
            let from_text: Whole = serde_json::from_str(&value.to_string()).unwrap();
            let tree: Tree = serde_json::from_str(&value.to_string()).unwrap();
            let from_tree = Whole::deserialize(tree).unwrap();
            prop_assert_eq!(from_text, from_tree);
        }
    }
}
