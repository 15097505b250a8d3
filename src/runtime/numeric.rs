//! Numbers that some servers write as strings.

use std::{fmt, marker::PhantomData, str::FromStr};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error, IntoDeserializer, MapAccess, Unexpected, Visitor},
};

use crate::records::Field;

/// A number, or several, read from JSON numbers and from numeric strings.
#[doc(hidden)]
pub trait Numbers: Sized {
    /// Reads the numbers.
    ///
    /// # Errors
    /// The value is no number and no numeric string.
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

/// Deserializes by [`Numbers`].
struct Numeric<T>(T);

impl<'de, T: Numbers> Deserialize<'de> for Numeric<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read(deserializer).map(Self)
    }
}

/// Reads a field of numbers that may be missing.
///
/// # Errors
/// The value does not fit the field.
#[doc(hidden)]
pub fn read_field_of_numbers<'de, T, A>(slot: &mut T, map: &mut A) -> Result<(), A::Error>
where
    T: Numbers,
    A: MapAccess<'de>,
{
    *slot = map.next_value::<Numeric<T>>()?.0;
    Ok(())
}

/// Reads a required field of a number.
///
/// # Errors
/// The value does not fit the field.
#[doc(hidden)]
pub fn read_required_of_numbers<'de, T, A>(slot: &mut Option<T>, map: &mut A) -> Result<(), A::Error>
where
    T: Numbers,
    A: MapAccess<'de>,
{
    *slot = Some(map.next_value::<Numeric<T>>()?.0);
    Ok(())
}

/// Reads a required list of numbers. Some servers write `null` for an empty one.
///
/// # Errors
/// The value does not fit the field.
#[doc(hidden)]
pub fn read_list_of_numbers<'de, T, A>(slot: &mut T, map: &mut A) -> Result<(), A::Error>
where
    T: Numbers + Default,
    A: MapAccess<'de>,
{
    *slot = map.next_value::<Numeric<Option<T>>>()?.0.unwrap_or_default();
    Ok(())
}

struct Reader<T>(PhantomData<T>);

impl<'de, T: FromStr + DeserializeOwned> Visitor<'de> for Reader<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number or a numeric string")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        T::deserialize(number.into_deserializer())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        T::deserialize(number.into_deserializer())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        T::deserialize(number.into_deserializer())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.trim().parse().map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
    }

    // With the feature `arbitrary_precision` of serde_json, a number is a map of one entry: this key, and the digits.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        let entry = map.next_entry::<String, String>()?;
        let digits = entry.filter(|(key, _)| key == "$serde_json::private::Number").map(|(_, digits)| digits);
        let digits = digits.ok_or_else(|| A::Error::invalid_type(Unexpected::Map, &self))?;
        digits.parse().map_err(|_| A::Error::invalid_value(Unexpected::Other("another number"), &self))
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Numbers for $number {
            fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(Reader(PhantomData))
            }
        }
    )*};
}

numbers!(i32, i64, f64);

impl<T: Numbers> Numbers for Option<T> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Option::<Numeric<T>>::deserialize(deserializer)?;
        Ok(value.map(|Numeric(value)| value))
    }
}

impl<T: Numbers> Numbers for Field<T> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Field::<Numeric<T>>::deserialize(deserializer)?.map(|Numeric(value)| value))
    }
}

impl<T: Numbers> Numbers for Vec<T> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let values = Vec::<Numeric<T>>::deserialize(deserializer)?;
        Ok(values.into_iter().map(|Numeric(value)| value).collect())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read<T: Numbers>(json: &str) -> Result<T, serde_json::Error> {
        serde_json::from_str(json).map(|Numeric(value)| value)
    }

    #[test]
    fn numbers_and_numeric_strings_are_read() {
        assert_eq!((read::<i32>("-7").unwrap(), read::<i32>("\"-7\"").unwrap()), (-7, -7));
        assert_eq!((read::<f64>("1").unwrap(), read::<f64>("\" 1.5 \"").unwrap()), (1.0, 1.5));
        assert_eq!(read::<Field<i64>>("null").unwrap(), Field::Null);
        assert_eq!(read::<Field<i64>>("\"7\"").unwrap(), Field::Value(7));
        assert_eq!(read::<Option<Vec<i64>>>("[1, \"2\"]").unwrap(), Some(vec![1, 2]));
    }

    #[test]
    fn anything_else_is_an_error() {
        for json in ["\"\"", "\"seven\"", "\"1.5\"", "1.5", "3000000000", "{}", "null", "true"] {
            assert!(read::<i32>(json).is_err(), "{json}");
        }
    }
}
