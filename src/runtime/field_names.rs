//! Deserialization of field names, known and unknown, in one pass.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, Visitor};

/// The name of a field: its index among the known ones, or the name itself.
pub(super) enum FieldName {
    /// The index of a known name.
    Known(usize),
    /// Another name.
    Unknown(String),
}

/// The known field names of a record. Servers write fields in a fixed order, so the name after the last one is tried first.
pub(super) struct FieldNames {
    names: &'static [&'static str],
    next: usize,
}

impl FieldNames {
    /// Creates the names of a record, in the order in which they are expected.
    #[inline]
    pub(super) fn new(names: &'static [&'static str]) -> Self {
        Self { names, next: 0 }
    }

    #[inline]
    fn find(&mut self, name: &str) -> Option<usize> {
        let found = if self.names.get(self.next) == Some(&name) {
            self.next
        } else {
            self.names.iter().position(|known| *known == name)?
        };
        self.next = found + 1;
        Some(found)
    }
}

impl<'de> DeserializeSeed<'de> for &mut FieldNames {
    type Value = FieldName;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<FieldName, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for &mut FieldNames {
    type Value = FieldName;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field's name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<FieldName, E> {
        Ok(self.find(name).map_or_else(|| FieldName::Unknown(name.to_string()), FieldName::Known))
    }
}
