//! Reading and writing of generated records. The code of a record is little more than a table of its fields.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, MapAccess, Visitor},
    ser::SerializeMap,
};
use serde_json::{Map, Value};

use super::field_names::{FieldName, FieldNames};
use crate::records::Field;

/// A generated record.
#[doc(hidden)]
pub trait Record: Sized {
    /// The record while it is read, with room for missing fields.
    type Draft: Default;
    /// The name of the type.
    const NAME: &'static str;
    /// The names of the fields in JSON.
    const FIELDS: &'static [&'static str];

    /// Reads the value of a field, by its index in `FIELDS`.
    ///
    /// # Errors
    /// The value does not fit the field.
    fn read<'de, A: MapAccess<'de>>(draft: &mut Self::Draft, field: usize, map: &mut A) -> Result<(), A::Error>;

    /// Returns the unknown fields.
    fn extra(draft: &mut Self::Draft) -> &mut Map<String, Value>;

    /// Returns the record.
    ///
    /// # Errors
    /// The name of a required field that is missing.
    fn finish(draft: Self::Draft) -> Result<Self, &'static str>;

    /// Writes all fields.
    fn write<M: SerializeMap>(&self, out: &mut RecordWriter<'_, M>);
}

/// Deserializes a record.
///
/// # Errors
/// A field does not fit, or a required one is missing.
#[doc(hidden)]
#[inline]
pub fn read_record<'de, R: Record, D: Deserializer<'de>>(deserializer: D) -> Result<R, D::Error> {
    deserializer.deserialize_map(RecordVisitor(PhantomData))
}

struct RecordVisitor<R>(PhantomData<R>);

impl<'de, R: Record> Visitor<'de> for RecordVisitor<R> {
    type Value = R;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} as an object", R::NAME)
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<R, A::Error> {
        let mut names = FieldNames::new(R::FIELDS);
        let mut draft = R::Draft::default();
        while let Some(name) = map.next_key_seed(&mut names)? {
            match name {
                FieldName::Known(field) => R::read(&mut draft, field, &mut map)?,
                FieldName::Unknown(name) => {
                    let value = map.next_value()?;
                    R::extra(&mut draft).insert(name, value);
                }
            }
        }
        R::finish(draft).map_err(A::Error::missing_field)
    }
}

/// Reads a field that may be missing.
///
/// # Errors
/// The value does not fit the field.
#[doc(hidden)]
#[inline]
pub fn read_field<'de, T: Deserialize<'de>, A: MapAccess<'de>>(slot: &mut T, map: &mut A) -> Result<(), A::Error> {
    *slot = map.next_value()?;
    Ok(())
}

/// Reads a required field.
///
/// # Errors
/// The value does not fit the field.
#[doc(hidden)]
#[inline]
pub fn read_required<'de, T, A>(slot: &mut Option<T>, map: &mut A) -> Result<(), A::Error>
where
    T: Deserialize<'de>,
    A: MapAccess<'de>,
{
    *slot = Some(map.next_value()?);
    Ok(())
}

/// Reads a required list. Some servers write `null` for an empty one.
///
/// # Errors
/// The value does not fit the field.
#[doc(hidden)]
#[inline]
pub fn read_list<'de, T, A>(slot: &mut T, map: &mut A) -> Result<(), A::Error>
where
    T: Deserialize<'de> + Default,
    A: MapAccess<'de>,
{
    *slot = map.next_value::<Option<T>>()?.unwrap_or_default();
    Ok(())
}

/// Serializes a record. Fields that are unset are left out.
///
/// # Errors
/// The error of the serializer.
#[doc(hidden)]
pub fn write_record<R: Record, S: Serializer>(record: &R, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    RecordWriter::write(record, &mut map)?;
    map.end()
}

/// Writes the fields of a record until one fails.
#[doc(hidden)]
pub struct RecordWriter<'a, M: SerializeMap> {
    map: &'a mut M,
    result: Result<(), M::Error>,
}

impl<'a, M: SerializeMap> RecordWriter<'a, M> {
    /// Writes all fields of a record.
    pub(super) fn write<R: Record>(record: &R, map: &'a mut M) -> Result<(), M::Error> {
        let mut out = Self { map, result: Ok(()) };
        record.write(&mut out);
        out.result
    }

    /// Writes a field unless it is unset.
    #[inline]
    pub fn field<T: Serialize>(&mut self, name: &'static str, value: &Field<T>) {
        if !value.is_unset() {
            self.value(name, value);
        }
    }

    /// Writes a required field.
    #[inline]
    pub fn value<T: Serialize>(&mut self, name: &str, value: &T) {
        if self.result.is_ok() {
            self.result = self.map.serialize_entry(name, value);
        }
    }

    /// Writes the unknown fields.
    pub fn extra(&mut self, fields: &Map<String, Value>) {
        fields.iter().for_each(|(name, value)| self.value(name, value));
    }
}

/// Returns what a builder has set.
///
/// # Errors
/// A value was refused, or a required field is missing.
#[doc(hidden)]
pub fn build<R: Record>(draft: R::Draft, problem: Option<String>) -> Result<R, String> {
    match problem {
        Some(problem) => Err(problem),
        None => R::finish(draft).map_err(|field| format!("`{field}` is required: set it in the builder")),
    }
}
