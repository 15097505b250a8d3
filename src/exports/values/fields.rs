//! A serializer that collects the fields of a type.

use std::fmt::Display;

use serde::{
    Serialize, Serializer,
    de::{Deserializer as _, MapAccess, Visitor},
    ser::{self, Impossible, SerializeMap, SerializeStruct},
};
use serde_json::Value as Json;

use super::value::{Input, ParameterValue, kind};

/// Receives the fields of a serialised type.
pub(crate) trait FieldSink {
    /// Receives the next field. A name may occur more than once.
    fn put<V: Serialize + ?Sized>(&mut self, name: &str, value: &V);
}

impl FieldSink for Vec<(String, Input)> {
    fn put<V: Serialize + ?Sized>(&mut self, name: &str, value: &V) {
        self.push((name.to_owned(), Input::Serialized(serialize_value(value))));
    }
}

/// Serialises a type into its fields, or describes why it has none. The messages of its own errors may quote values, so
/// they are dropped.
pub(crate) fn collect_fields(values: &(impl Serialize + ?Sized), sink: &mut impl FieldSink) -> Result<(), String> {
    values.serialize(Object(sink)).map_err(|Mismatch(found)| {
        format!("values: expected an object with a field for every parameter; found {found}")
    })
}

/// Serialises a single value, or returns the kind of value found if it cannot fit.
pub(crate) fn serialize_value(value: &(impl Serialize + ?Sized)) -> Result<ParameterValue, &'static str> {
    value.serialize(Single).map_err(|Mismatch(found)| found)
}

const LIST: &str = "a list";
const OBJECT: &str = "an object";
const UNWRITABLE: &str = "something that cannot be written as JSON";

/// The kind of value found, without the value.
#[derive(Debug, thiserror::Error)]
#[error("found {0}")]
struct Mismatch(&'static str);

impl ser::Error for Mismatch {
    fn custom<T: Display>(_: T) -> Self {
        Self(UNWRITABLE)
    }
}

/// Returns true for the struct names that serde_json uses for numbers and raw JSON under its features
/// `arbitrary_precision` and `raw_value`.
fn is_json_text(name: &str) -> bool {
    matches!(name, "$serde_json::private::Number" | "$serde_json::private::RawValue")
}

/// Implements serializer methods that reject every value of one kind.
macro_rules! refuse {
    ($($method:ident($($argument:ty),*) $(-> $compound:ident)? = $found:expr;)*) => {$(
        fn $method(self, $(_: $argument),*) -> Result<refuse!(@ok $($compound)?), Mismatch> {
            Err(Mismatch($found))
        }
    )*};
    (@ok) => { Self::Ok };
    (@ok $compound:ident) => { Self::$compound };
}

/// Serialises one value.
struct Single;

macro_rules! integers {
    ($($method:ident $integer:ty),*) => {$(
        fn $method(self, number: $integer) -> Result<ParameterValue, Mismatch> {
            Ok(number.into())
        }
    )*};
}

impl Serializer for Single {
    type Ok = ParameterValue;
    type Error = Mismatch;
    type SerializeSeq = Impossible<ParameterValue, Mismatch>;
    type SerializeTuple = Impossible<ParameterValue, Mismatch>;
    type SerializeTupleStruct = Impossible<ParameterValue, Mismatch>;
    type SerializeTupleVariant = Impossible<ParameterValue, Mismatch>;
    type SerializeMap = Impossible<ParameterValue, Mismatch>;
    type SerializeStruct = JsonText<ParameterValue>;
    type SerializeStructVariant = Impossible<ParameterValue, Mismatch>;

    integers! {
        serialize_i8 i8, serialize_i16 i16, serialize_i32 i32, serialize_i64 i64, serialize_i128 i128,
        serialize_u8 u8, serialize_u16 u16, serialize_u32 u32, serialize_u64 u64, serialize_u128 u128
    }

    refuse! {
        serialize_bytes(&[u8]) = LIST;
        serialize_none() = kind(&Json::Null);
        serialize_unit() = kind(&Json::Null);
        serialize_unit_struct(&'static str) = kind(&Json::Null);
        serialize_seq(Option<usize>) -> SerializeSeq = LIST;
        serialize_tuple(usize) -> SerializeTuple = LIST;
        serialize_tuple_struct(&'static str, usize) -> SerializeTupleStruct = LIST;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> SerializeTupleVariant = OBJECT;
        serialize_map(Option<usize>) -> SerializeMap = OBJECT;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> SerializeStructVariant = OBJECT;
    }

    fn serialize_bool(self, value: bool) -> Result<ParameterValue, Mismatch> {
        Ok(ParameterValue::Boolean(value))
    }

    fn serialize_f32(self, number: f32) -> Result<ParameterValue, Mismatch> {
        Err(Mismatch(kind(&number.into())))
    }

    fn serialize_f64(self, number: f64) -> Result<ParameterValue, Mismatch> {
        Err(Mismatch(kind(&number.into())))
    }

    fn serialize_char(self, letter: char) -> Result<ParameterValue, Mismatch> {
        Ok(ParameterValue::Text(letter.into()))
    }

    fn serialize_str(self, text: &str) -> Result<ParameterValue, Mismatch> {
        Ok(text.into())
    }

    fn collect_str<T: Display + ?Sized>(self, text: &T) -> Result<ParameterValue, Mismatch> {
        Ok(ParameterValue::Text(text.to_string()))
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<ParameterValue, Mismatch> {
        value.serialize(self)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<ParameterValue, Mismatch> {
        Ok(variant.into())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<ParameterValue, Mismatch> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<ParameterValue, Mismatch> {
        Err(Mismatch(OBJECT))
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<JsonText<ParameterValue>, Mismatch> {
        if is_json_text(name) { Ok(JsonText { read: from_text, done: None }) } else { Err(Mismatch(OBJECT)) }
    }
}

/// Raw JSON from `arbitrary_precision` or `raw_value`.
struct JsonText<T> {
    read: fn(&str) -> Result<T, &'static str>,
    done: Option<T>,
}

impl<T> SerializeStruct for JsonText<T> {
    type Ok = T;
    type Error = Mismatch;

    fn serialize_field<V: Serialize + ?Sized>(&mut self, _: &'static str, value: &V) -> Result<(), Mismatch> {
        match value.serialize(Single)? {
            ParameterValue::Text(text) => self.done = Some((self.read)(&text).map_err(Mismatch)?),
            _ => return Err(Mismatch(UNWRITABLE)),
        }
        Ok(())
    }

    fn end(self) -> Result<T, Mismatch> {
        self.done.ok_or(Mismatch(UNWRITABLE))
    }
}

fn from_text(text: &str) -> Result<ParameterValue, &'static str> {
    match serde_json::from_str(text).map_err(|_| UNWRITABLE)? {
        Json::Number(number) if number.is_i64() => number.as_i64().map(ParameterValue::Integer).ok_or(UNWRITABLE),
        Json::String(text) => Ok(ParameterValue::Text(text)),
        Json::Bool(value) => Ok(ParameterValue::Boolean(value)),
        json => Err(kind(&json)),
    }
}

type Members = Vec<(String, Json)>;

/// Returns the members of an object in order, including duplicates.
fn members(text: &str) -> Result<Members, &'static str> {
    struct Reader;
    impl<'de> Visitor<'de> for Reader {
        type Value = Members;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(OBJECT)
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
            let mut members = Vec::new();
            while let Some(member) = map.next_entry()? {
                members.push(member);
            }
            Ok(members)
        }
    }
    let found = || serde_json::from_str(text).map_or(UNWRITABLE, |json: Json| kind(&json));
    serde_json::Deserializer::from_str(text).deserialize_map(Reader).map_err(|_| found())
}

/// Serialises an object, field by field.
struct Object<'s, S>(&'s mut S);

/// An object during serialisation.
struct Open<'s, S> {
    sink: &'s mut S,
    /// The key of the next value.
    key: String,
    /// Set for an object of raw JSON.
    text: Option<JsonText<Members>>,
}

impl<'s, S: FieldSink> Serializer for Object<'s, S> {
    type Ok = ();
    type Error = Mismatch;
    type SerializeSeq = Impossible<(), Mismatch>;
    type SerializeTuple = Impossible<(), Mismatch>;
    type SerializeTupleStruct = Impossible<(), Mismatch>;
    type SerializeTupleVariant = Impossible<(), Mismatch>;
    type SerializeMap = Open<'s, S>;
    type SerializeStruct = Open<'s, S>;
    type SerializeStructVariant = Impossible<(), Mismatch>;

    refuse! {
        serialize_bool(bool) = "a boolean";
        serialize_i8(i8) = "an integer";
        serialize_i16(i16) = "an integer";
        serialize_i32(i32) = "an integer";
        serialize_i64(i64) = "an integer";
        serialize_i128(i128) = "an integer";
        serialize_u8(u8) = "an integer";
        serialize_u16(u16) = "an integer";
        serialize_u32(u32) = "an integer";
        serialize_u64(u64) = "an integer";
        serialize_u128(u128) = "an integer";
        serialize_f32(f32) = "a number with a fraction";
        serialize_f64(f64) = "a number with a fraction";
        serialize_char(char) = "a string";
        serialize_str(&str) = "a string";
        serialize_bytes(&[u8]) = LIST;
        serialize_none() = kind(&Json::Null);
        serialize_unit_variant(&'static str, u32, &'static str) = "a string";
        serialize_seq(Option<usize>) -> SerializeSeq = LIST;
        serialize_tuple(usize) -> SerializeTuple = LIST;
        serialize_tuple_struct(&'static str, usize) -> SerializeTupleStruct = LIST;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> SerializeTupleVariant = "an enum with fields";
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> SerializeStructVariant = "an enum with fields";
    }

    fn collect_str<T: Display + ?Sized>(self, _: &T) -> Result<(), Mismatch> {
        Err(Mismatch("a string"))
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Mismatch> {
        value.serialize(self)
    }

    /// Serialises no fields, for an export without parameters.
    fn serialize_unit(self) -> Result<(), Mismatch> {
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Mismatch> {
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Mismatch> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Mismatch> {
        self.0.put(variant, value);
        Ok(())
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Open<'s, S>, Mismatch> {
        Ok(Open { sink: self.0, key: String::new(), text: None })
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Open<'s, S>, Mismatch> {
        let text = is_json_text(name).then_some(JsonText { read: members, done: None });
        Ok(Open { sink: self.0, key: String::new(), text })
    }
}

impl<S: FieldSink> SerializeStruct for Open<'_, S> {
    type Ok = ();
    type Error = Mismatch;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Mismatch> {
        match &mut self.text {
            Some(text) => text.serialize_field(name, value)?,
            None => self.sink.put(name, value),
        }
        Ok(())
    }

    fn end(self) -> Result<(), Mismatch> {
        if let Some(text) = self.text {
            text.end()?.iter().for_each(|(name, json)| self.sink.put(name, json));
        }
        Ok(())
    }
}

impl<S: FieldSink> SerializeMap for Open<'_, S> {
    type Ok = ();
    type Error = Mismatch;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Mismatch> {
        self.key = match key.serialize(Single) {
            Ok(ParameterValue::Text(text)) => text,
            _ => match serde_json::to_value(key) {
                Ok(json @ (Json::Number(_) | Json::Bool(_))) => json.to_string(),
                _ => return Err(Mismatch("a map whose keys are not strings")),
            },
        };
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Mismatch> {
        self.sink.put(&self.key, value);
        Ok(())
    }

    fn end(self) -> Result<(), Mismatch> {
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::{borrow::Cow, collections::BTreeMap};

    use chrono::{DateTime, Utc};
    use serde_json::json;

    use super::*;

    type Field = (String, Result<ParameterValue, &'static str>);

    #[derive(Default)]
    struct Collected(Vec<Field>);

    impl FieldSink for Collected {
        fn put<V: Serialize + ?Sized>(&mut self, name: &str, value: &V) {
            self.0.push((name.to_owned(), serialize_value(value)));
        }
    }

    fn fields(values: &(impl Serialize + ?Sized)) -> Result<Vec<Field>, String> {
        let mut collected = Collected::default();
        collect_fields(values, &mut collected).map(|()| collected.0)
    }

    fn names(values: &(impl Serialize + ?Sized)) -> Vec<String> {
        fields(values).unwrap().into_iter().map(|(name, _)| name).collect()
    }

    /// Serialises its pairs as a map, or as a struct with a name.
    struct Pairs(Option<&'static str>, Vec<(&'static str, Json)>);

    impl Serialize for Pairs {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            match self.0 {
                Some(name) => {
                    let mut open = serializer.serialize_struct(name, self.1.len())?;
                    self.1.iter().try_for_each(|(name, json)| open.serialize_field(name, json))?;
                    open.end()
                }
                None => serializer.collect_map(self.1.iter().map(|(name, json)| (name, json))),
            }
        }
    }

    #[test]
    fn a_name_that_a_type_writes_twice_is_not_lost() {
        let twice = || vec![("Limit", json!(1)), ("Limit", json!(2))];
        let collected = [("Limit".to_owned(), Ok(1.into())), ("Limit".to_owned(), Ok(2.into()))];
        assert_eq!(fields(&Pairs(None, twice())).unwrap(), collected);
        assert_eq!(fields(&Pairs(Some("Page"), twice())).unwrap(), collected);
        let text = Pairs(Some("$serde_json::private::RawValue"), vec![("", json!(r#"{"Limit": 1, "Limit": 2}"#))]);
        assert_eq!(fields(&text).unwrap(), collected);
    }

    #[test]
    fn other_kinds_than_objects_are_named() {
        #[derive(Serialize)]
        enum Enum {
            Unit,
            Tuple(i32, i32),
            Struct { limit: i32 },
        }
        let found = |result: Result<_, String>| result.unwrap_err().rsplit("; found ").next().unwrap().to_owned();
        assert_eq!(found(fields(&["s3cr3t"])), "a list");
        assert_eq!(found(fields("s3cr3t")), "a string");
        assert_eq!(found(fields(&'s')), "a string");
        assert_eq!(found(fields(&None::<i32>)), "null");
        assert_eq!(found(fields(&Some(15))), "an integer");
        assert_eq!(found(fields(&15u128)), "an integer");
        assert_eq!(found(fields(&1.5)), "a number with a fraction");
        assert_eq!(found(fields(&true)), "a boolean");
        assert_eq!(found(fields(&DateTime::<Utc>::UNIX_EPOCH)), "a string");
        assert_eq!(found(fields(&Enum::Unit)), "a string");
        assert_eq!(found(fields(&Enum::Tuple(1, 2))), "an enum with fields");
        assert_eq!(found(fields(&Enum::Struct { limit: 1 })), "an enum with fields");
        assert_eq!(found(fields(&BTreeMap::from([(vec![1], 2)]))), "a map whose keys are not strings");
        let text = Pairs(Some("$serde_json::private::RawValue"), vec![("", json!("[1]"))]);
        assert_eq!(found(fields(&text)), "a list");
    }

    #[test]
    fn names_are_those_of_serde_json() {
        #[derive(Serialize)]
        enum Page {
            Limit(u32),
        }
        #[derive(Serialize)]
        struct Newtype(BTreeMap<Cow<'static, str>, u8>);
        #[derive(Serialize)]
        struct Flat {
            #[serde(flatten)]
            newtype: Newtype,
            #[serde(rename = "Cursor")]
            cursor: u8,
        }
        let newtype = || Newtype(BTreeMap::from([("Limit".into(), 1)]));
        assert_eq!(names(&Page::Limit(1)), ["Limit"]);
        assert_eq!(names(&Some(&newtype())), ["Limit"]);
        assert_eq!(names(&Flat { newtype: newtype(), cursor: 1 }), ["Limit", "Cursor"]);
        assert_eq!(names(&BTreeMap::from([(u64::MAX, 1), (7, 2)])), ["7", "18446744073709551615"]);
        assert_eq!(names(&BTreeMap::from([(true, 1)])), ["true"]);
        assert_eq!(names(&BTreeMap::from([('x', 1)])), ["x"]);
        assert_eq!(names(&()), [""; 0]);
    }

    #[test]
    fn numbers_of_arbitrary_precision_are_numbers() {
        let number = |text: &str| Pairs(Some("$serde_json::private::Number"), vec![("", json!(text))]);
        assert_eq!(serialize_value(&number("15")), Ok(15.into()));
        assert_eq!(serialize_value(&number("-9223372036854775808")), Ok(i64::MIN.into()));
        assert_eq!(serialize_value(&number("9223372036854775808")), Err("an integer beyond 64 bits"));
        assert_eq!(serialize_value(&number("15.0")), Err("a number with a fraction"));
        let raw = |text: &str| Pairs(Some("$serde_json::private::RawValue"), vec![("", json!(text))]);
        assert_eq!(serialize_value(&raw(r#""text""#)), Ok("text".into()));
        assert_eq!(serialize_value(&raw("true")), Ok(true.into()));
        assert_eq!(serialize_value(&raw("null")), Err("null"));
        assert_eq!(serialize_value(&raw("{")), Err(UNWRITABLE));
    }

    #[test]
    fn the_message_of_a_types_own_error_is_dropped() {
        struct Broken;
        impl Serialize for Broken {
            fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                Err(ser::Error::custom("s3cr3t"))
            }
        }
        assert_eq!(serialize_value(&Broken), Err(UNWRITABLE));
        assert!(fields(&Broken).unwrap_err().ends_with(UNWRITABLE));
        let one = fields(&BTreeMap::from([("a", Broken)])).unwrap();
        assert_eq!(one, [("a".to_owned(), Err(UNWRITABLE))]);
    }

    #[test]
    fn every_other_kind_is_named() {
        #[derive(Serialize)]
        enum Enum {
            Unit,
            Newtype(i32),
            Tuple(i32, i32),
            Struct { limit: i32 },
        }
        #[derive(Serialize)]
        struct Pair(i32, i32);
        #[derive(Serialize)]
        struct Unit;
        assert_eq!(serialize_value(&Enum::Newtype(1)), Err("an object"));
        assert_eq!(serialize_value(&Enum::Tuple(1, 2)), Err("an object"));
        assert_eq!(serialize_value(&Enum::Struct { limit: 1 }), Err("an object"));
        assert_eq!(serialize_value(&Pair(1, 2)), Err("a list"));
        assert_eq!(serialize_value(&(1, 2)), Err("a list"));
        assert_eq!(serialize_value(&[1]), Err("a list"));
        assert_eq!(serialize_value(&json!({})), Err("an object"));
        assert_eq!(serialize_value(&Unit), Err("null"));
        assert_eq!(serialize_value(&()), Err("null"));
        assert_eq!(serialize_value(&None::<i32>), Err("null"));
        assert_eq!(serialize_value(&f64::NAN), Err("null"));
        assert_eq!(serialize_value(&1.0f32), Err("a number with a fraction"));
        assert_eq!(serialize_value(&'x'), Ok("x".into()));
        assert_eq!(serialize_value(&Some(Some(15))), Ok(15.into()));
        assert_eq!(serialize_value(&Enum::Unit), Ok("Unit".into()));
        assert_eq!(serialize_value(&u64::MAX), Ok(ParameterValue::Beyond));
        assert_eq!(serialize_value(&i128::from(i64::MIN)), Ok(i64::MIN.into()));
    }
}
