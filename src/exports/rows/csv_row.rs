//! A deserializer for CSV records. Fields are strings unless a type asks for something else.

use csv::StringRecord;
use perenso_auth::decode::Shape;
use serde::{
    Deserializer,
    de::{self, Error as _, IntoDeserializer, Unexpected, Visitor, value::MapDeserializer},
    forward_to_deserialize_any,
};

/// A CSV record with its header. The deserializer of the csv crate would infer numbers, and `0940` would lose its zero.
#[derive(Clone, Copy)]
pub(crate) struct CsvRow<'r> {
    pub(crate) header: &'r StringRecord,
    pub(crate) fields: &'r StringRecord,
}

impl<'de> Deserializer<'de> for CsvRow<'de> {
    type Error = Shape;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Shape> {
        let fields = self.header.iter().zip(self.fields.iter().map(CsvField));
        visitor.visit_map(MapDeserializer::new(fields))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Shape> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Shape> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// A field of a CSV record.
#[derive(Clone, Copy)]
struct CsvField<'r>(&'r str);

impl<'de> IntoDeserializer<'de, Shape> for CsvField<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! parsed {
    ($($method:ident $visit:ident $number:ty)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Shape> {
            match self.0.parse::<$number>() {
                Ok(number) => visitor.$visit(number),
                Err(_) => Err(self.invalid_type(&visitor)),
            }
        }
    )*};
}

/// Returns true for literal `inf` and `NaN`.
fn is_infinity_or_nan(text: &str) -> bool {
    !text.bytes().any(|byte| byte.is_ascii_digit())
}

impl CsvField<'_> {
    fn invalid_type(self, expected: &dyn de::Expected) -> Shape {
        let found = if self.0.is_empty() { Unexpected::Other("nothing") } else { Unexpected::Str(self.0) };
        Shape::invalid_type(found, expected)
    }
}

impl<'de> Deserializer<'de> for CsvField<'de> {
    type Error = Shape;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Shape> {
        visitor.visit_borrowed_str(self.0)
    }

    parsed! {
        deserialize_i8 visit_i8 i8
        deserialize_i16 visit_i16 i16
        deserialize_i32 visit_i32 i32
        deserialize_i64 visit_i64 i64
        deserialize_i128 visit_i128 i128
        deserialize_u8 visit_u8 u8
        deserialize_u16 visit_u16 u16
        deserialize_u32 visit_u32 u32
        deserialize_u64 visit_u64 u64
        deserialize_u128 visit_u128 u128
    }

    // `parse` turns a number out of range into infinity.
    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Shape> {
        match self.0.parse::<f32>() {
            Ok(number) if number.is_finite() || is_infinity_or_nan(self.0) => visitor.visit_f32(number),
            _ => Err(self.invalid_type(&visitor)),
        }
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Shape> {
        match self.0.parse::<f64>() {
            Ok(number) if number.is_finite() || is_infinity_or_nan(self.0) => visitor.visit_f64(number),
            _ => Err(self.invalid_type(&visitor)),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Shape> {
        match self.0 {
            text if text.eq_ignore_ascii_case("true") => visitor.visit_bool(true),
            text if text.eq_ignore_ascii_case("false") => visitor.visit_bool(false),
            _ => Err(self.invalid_type(&visitor)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Shape> {
        if self.0.is_empty() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Shape> {
        if self.0.is_empty() { visitor.visit_unit() } else { Err(self.invalid_type(&visitor)) }
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
        visitor.visit_enum(self.0.into_deserializer())
    }

    forward_to_deserialize_any! {
        char str string bytes byte_buf unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}
