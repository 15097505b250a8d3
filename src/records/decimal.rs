//! Decimal numbers: money, weights and shares, digit by digit.

use std::{fmt, ops::Deref, str::FromStr};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, MapAccess, Unexpected, Visitor},
    ser,
};

use super::Field;

/// A decimal number that keeps its digits: a
/// [`rust_decimal::Decimal`](https://docs.rs/rust_decimal/1/rust_decimal/struct.Decimal.html) that is a number in JSON.
///
/// Deserializes from numbers and numeric strings, and serializes as a number. A JSON number keeps 15 significant digits
/// reliably. Serializing a number that would be rounded is an error.
///
/// ```
/// use perenso::Decimal;
///
/// let price: Decimal = serde_json::from_str("12.10")?;
/// assert_eq!(price, "12.1".parse()?);
/// assert_eq!(serde_json::to_string(&price)?, "12.1");
/// assert_eq!(serde_json::to_string(&Decimal::from(3))?, "3");
///
/// let long: Decimal = "0.1234567890123456789".parse()?;
/// assert!(serde_json::to_string(&long).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal(rust_decimal::Decimal);

/// The error of a string that is not a decimal number, or has more than about 28 digits.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("a decimal number of at most 28 digits is expected")]
pub struct InvalidDecimal(());

impl Decimal {
    /// Returns the number as a `rust_decimal::Decimal`.
    #[must_use]
    pub const fn get(self) -> rust_decimal::Decimal {
        self.0
    }

    /// Returns the nearest `f64`, if it converts back to this number.
    fn to_float(self) -> Option<f64> {
        let float: f64 = self.0.to_string().parse().ok()?;
        (Self::from_float(float) == Some(self)).then_some(float)
    }

    /// Returns the shortest decimal number that parses to this `f64`.
    fn from_float(float: f64) -> Option<Self> {
        // `Display` of floats writes no exponent, and the fewest digits that identify the number.
        float.to_string().parse().ok()
    }
}

impl Deref for Decimal {
    type Target = rust_decimal::Decimal;

    fn deref(&self) -> &rust_decimal::Decimal {
        &self.0
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Decimal {
    type Err = InvalidDecimal;

    fn from_str(text: &str) -> Result<Self, InvalidDecimal> {
        rust_decimal::Decimal::from_str_exact(text).map(Self).map_err(|_| InvalidDecimal(()))
    }
}

impl TryFrom<&str> for Decimal {
    type Error = InvalidDecimal;

    fn try_from(text: &str) -> Result<Self, InvalidDecimal> {
        text.parse()
    }
}

impl From<Decimal> for rust_decimal::Decimal {
    fn from(number: Decimal) -> Self {
        number.0
    }
}

macro_rules! from {
    ($($number:ty),*) => {$(
        impl From<$number> for Decimal {
            fn from(number: $number) -> Self {
                Self(number.into())
            }
        }

        impl From<$number> for Field<Decimal> {
            fn from(number: $number) -> Self {
                Self::Value(number.into())
            }
        }
    )*};
}

from!(rust_decimal::Decimal, i32, i64, u32, u64);

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_integer() {
            if let Ok(number) = i64::try_from(self.0) {
                return serializer.serialize_i64(number);
            }
            if let Ok(number) = u64::try_from(self.0) {
                return serializer.serialize_u64(number);
            }
        }
        match self.to_float() {
            Some(number) => serializer.serialize_f64(number),
            None => Err(ser::Error::custom("a decimal number has more digits than a JSON number keeps")),
        }
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Decimal;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a decimal number of at most 28 digits")
            }

            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Decimal, E> {
                Ok(number.into())
            }

            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Decimal, E> {
                Ok(number.into())
            }

            fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Decimal, E> {
                Decimal::from_float(number).ok_or_else(|| E::custom(InvalidDecimal(())))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Decimal, E> {
                text.trim().parse().map_err(E::custom)
            }

            // With the feature `arbitrary_precision`, which any crate of a build can enable, serde_json passes a number as a
            // map of one entry: this key, and the digits.
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Decimal, A::Error> {
                let entry = map.next_entry::<String, String>()?;
                let digits = entry.filter(|(key, _)| key == "$serde_json::private::Number").map(|(_, digits)| digits);
                let digits = digits.ok_or_else(|| A::Error::invalid_type(Unexpected::Map, &self))?;
                // An exponent or too many digits: parsed as the nearest float, as without the feature.
                let nearest = || digits.parse().ok().and_then(Decimal::from_float);
                let exact = || digits.parse().ok().map(|Decimal(number)| Decimal(number.normalize()));
                exact().or_else(nearest).ok_or_else(|| A::Error::custom(InvalidDecimal(())))
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

perenso_auth::__readable_debug!(InvalidDecimal);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize as _;

    use super::Decimal;

    fn through_json(text: &str) -> Result<String, serde_json::Error> {
        serde_json::to_string(&serde_json::from_str::<Decimal>(text)?)
    }

    #[test]
    fn integers_have_no_fraction() {
        assert_eq!(through_json("3").unwrap(), "3");
        assert_eq!(through_json("3.0").unwrap(), "3");
        assert_eq!(through_json("-9223372036854775808").unwrap(), "-9223372036854775808");
        assert_eq!(through_json("18446744073709551615").unwrap(), "18446744073709551615");
    }

    #[test]
    fn texts_are_read_and_numbers_written() {
        assert_eq!(through_json(r#"" 12.50 ""#).unwrap(), "12.5");
        for wrong in [r#""""#, r#""twelve""#, "true", "null", "1e300", "1e-40"] {
            through_json(wrong).unwrap_err();
        }
    }

    #[test]
    fn numbers_of_arbitrary_precision_are_read() {
        type Map = std::collections::BTreeMap<&'static str, &'static str>;
        let read = |key, digits| {
            let map = Map::from([(key, digits)]).into_iter();
            Decimal::deserialize(serde::de::value::MapDeserializer::<_, serde::de::value::Error>::new(map))
        };
        for (digits, number) in [("12.10", "12.1"), ("-0", "0"), ("1.25e2", "125")] {
            // Exactly as without the feature.
            assert_eq!(read("$serde_json::private::Number", digits).unwrap().to_string(), number, "{digits}");
        }
        read("$serde_json::private::Number", "1e300").unwrap_err();
        read("amount", "12.10").unwrap_err();
    }

    #[test]
    fn zeros_at_the_end_change_nothing() {
        // The vendor writes some prices with eight decimals: more than 15 digits in all, most of them zeros.
        assert_eq!(through_json("123456789.12000000").unwrap(), "123456789.12");
        assert_eq!(through_json("7205759403.79280000000").unwrap(), "7205759403.7928");
    }

    #[test]
    fn too_many_digits_are_refused() {
        let long: Decimal = "1.00000000000000000001".parse().unwrap();
        let error = serde_json::to_string(&long).unwrap_err();
        assert_eq!(error.to_string(), "a decimal number has more digits than a JSON number keeps");
    }

    proptest! {
        #[test]
        fn fifteen_digits_survive(digits in 0_i64..1_000_000_000_000_000, scale in 0_u32..=20, zeros in 0_usize..8, negative: bool) {
            let number = rust_decimal::Decimal::new(if negative { -digits } else { digits }, scale);
            let mut text = number.to_string();
            if scale > 0 {
                text.push_str(&"0".repeat(zeros));
            }
            let read: Decimal = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(read.get(), number);
            let written = serde_json::to_string(&read).unwrap();
            prop_assert_eq!(serde_json::from_str::<Decimal>(&written).unwrap(), read);
        }

        #[test]
        fn a_decimal_is_read_as_it_was_written(digits: i128, scale in 0_u32..=28) {
            let Ok(number) = rust_decimal::Decimal::try_from_i128_with_scale(digits >> 32, scale) else { return Ok(()) };
            if let Ok(written) = serde_json::to_string(&Decimal::from(number)) {
                prop_assert_eq!(serde_json::from_str::<Decimal>(&written).unwrap().get(), number);
            }
        }

        #[test]
        fn unknown_fields_keep_fifteen_digits(digits in 0_i64..1_000_000_000_000_000, scale in 0_u32..=15) {
            let number = rust_decimal::Decimal::new(digits, scale).normalize().to_string();
            let value: serde_json::Value = serde_json::from_str(&number).unwrap();
            let written: Decimal = serde_json::from_str(&serde_json::to_string(&value).unwrap()).unwrap();
            prop_assert_eq!(written, number.parse().unwrap());
        }
    }
}
