//! An optional field of a record: unset, null or a value.

use std::{fmt, marker::PhantomData, ops::Deref};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Visitor};

/// An optional field of a record, which distinguishes a missing field from `null`.
///
/// In a request, [`Field::Unset`] is not sent, [`Field::Null`] clears the field, and [`Field::Value`] sets it. Builders and
/// struct literals accept plain values.
///
/// ```
/// use perenso::{Field, types::Customer};
///
/// let customer = Customer {
///     customer_id: "5000".into(),
///     street2: Field::Null,
///     ..Customer::default()
/// };
/// assert_eq!(customer.customer_id.as_deref(), Some("5000"));
/// assert!(customer.email.is_unset());
/// assert_eq!(
///     serde_json::to_string(&customer)?,
///     r#"{"customerID":"5000","street2":null}"#
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// A record of your own needs these serde attributes. Without them, a missing or unset field is an error, never a silent
/// `null`:
///
/// ```
/// use perenso::Field;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Default, Serialize, Deserialize)]
/// struct Warehouse {
///     #[serde(default, skip_serializing_if = "Field::is_unset")]
///     name: Field<String>,
///     #[serde(default, skip_serializing_if = "Field::is_unset")]
///     city: Field<String>,
/// }
///
/// let change = Warehouse { city: "Fargo".into(), ..Warehouse::default() };
/// assert_eq!(serde_json::to_string(&change)?, r#"{"city":"Fargo"}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field<T> {
    /// Missing: the value of the server is not changed.
    #[default]
    Unset,
    /// `null`: the value of the server is cleared.
    Null,
    /// A value.
    Value(T),
}

impl<T> Field<T> {
    /// Converts an option, with `None` as [`Field::Unset`].
    pub fn or_unset(value: Option<T>) -> Self {
        value.map_or(Self::Unset, Self::Value)
    }

    /// Converts an option, with `None` as [`Field::Null`].
    pub fn or_null(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::Value)
    }

    /// Returns true if the field is missing.
    pub const fn is_unset(&self) -> bool {
        matches!(self, Self::Unset)
    }

    /// Returns true if the field is `null`.
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Returns true if the field has a value.
    pub const fn is_set(&self) -> bool {
        matches!(self, Self::Value(_))
    }

    /// Returns a reference to the value, if there is one.
    pub const fn get(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Unset | Self::Null => None,
        }
    }

    /// Returns a mutable reference to the value, if there is one.
    pub const fn get_mut(&mut self) -> Option<&mut T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Unset | Self::Null => None,
        }
    }

    /// Returns the value, if there is one.
    pub fn into_option(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Unset | Self::Null => None,
        }
    }

    /// Borrows the value of the field.
    pub const fn as_ref(&self) -> Field<&T> {
        match self {
            Self::Unset => Field::Unset,
            Self::Null => Field::Null,
            Self::Value(value) => Field::Value(value),
        }
    }

    /// Returns the dereferenced value, if there is one: a `&str` for a `String`.
    pub fn as_deref(&self) -> Option<&T::Target>
    where
        T: Deref,
    {
        self.get().map(Deref::deref)
    }

    /// Applies a function to the value, if there is one.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Field<U> {
        match self {
            Self::Unset => Field::Unset,
            Self::Null => Field::Null,
            Self::Value(value) => Field::Value(change(value)),
        }
    }

    /// Takes the field and leaves [`Field::Unset`].
    pub fn take(&mut self) -> Self {
        std::mem::take(self)
    }
}

impl<T> Field<Vec<T>> {
    /// Returns the items of a list; empty if the field is missing or `null`.
    pub fn as_slice(&self) -> &[T] {
        self.get().map_or(&[], Vec::as_slice)
    }
}

impl<T: fmt::Debug> fmt::Debug for Field<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unset => f.write_str("unset"),
            Self::Null => f.write_str("null"),
            Self::Value(value) => value.fmt(f),
        }
    }
}

impl<T: Serialize> Serialize for Field<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Value(value) => value.serialize(serializer),
            Self::Null => serializer.serialize_none(),
            // `null` would clear a field that is not to be changed.
            Self::Unset => Err(serde::ser::Error::custom(
                "a `Field` that is unset has no JSON: put #[serde(default, skip_serializing_if = \"Field::is_unset\")] on it",
            )),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Reader<T> {
            type Value = Field<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value or null")
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Field<T>, D::Error> {
                Option::deserialize(deserializer).map(Field::or_null)
            }
        }

        // `deserialize_option` would turn a missing field into `null`. This call reports it as missing, unless it has
        // `#[serde(default)]`.
        deserializer.deserialize_newtype_struct("Field", Reader(PhantomData))
    }
}

impl<T> From<T> for Field<T> {
    fn from(value: T) -> Self {
        Self::Value(value)
    }
}

impl From<&str> for Field<String> {
    fn from(text: &str) -> Self {
        Self::Value(text.to_string())
    }
}

impl From<&String> for Field<String> {
    fn from(text: &String) -> Self {
        Self::Value(text.clone())
    }
}

impl From<crate::Id> for Field<String> {
    fn from(id: crate::Id) -> Self {
        Self::Value(id.into())
    }
}

impl From<Vec<&str>> for Field<Vec<String>> {
    fn from(texts: Vec<&str>) -> Self {
        texts.into_iter().map(str::to_string).collect()
    }
}

impl<const N: usize> From<[&str; N]> for Field<Vec<String>> {
    fn from(texts: [&str; N]) -> Self {
        texts.into_iter().map(str::to_string).collect()
    }
}

impl<T, const N: usize> From<[T; N]> for Field<Vec<T>> {
    fn from(items: [T; N]) -> Self {
        items.into_iter().collect()
    }
}

impl<T> FromIterator<T> for Field<Vec<T>> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self::Value(items.into_iter().collect())
    }
}

impl From<i32> for Field<i64> {
    fn from(number: i32) -> Self {
        Self::Value(number.into())
    }
}

impl From<u32> for Field<i64> {
    fn from(number: u32) -> Self {
        Self::Value(number.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_a_record_without_the_attribute_nothing_is_cleared_in_silence() {
        #[derive(Debug, Serialize, Deserialize)]
        struct Bare {
            name: Field<String>,
        }
        let error = serde_json::from_str::<Bare>("{}").unwrap_err();
        assert!(error.to_string().contains("missing field `name`"), "{error}");
        assert!(serde_json::from_str::<Bare>(r#"{"name":null}"#).unwrap().name.is_null());
        assert_eq!(serde_json::from_str::<Bare>(r#"{"name":"x"}"#).unwrap().name.as_deref(), Some("x"));
        let error = serde_json::to_string(&Bare { name: Field::Unset }).unwrap_err();
        assert!(error.to_string().contains("skip_serializing_if"), "{error}");
    }
}
