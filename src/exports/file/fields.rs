//! The fields of a row, one after the other.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::value::Value;
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
    pub(super) fn each(self, field: impl FnMut(&str, Value<'r>)) -> Result<(), &'static str> {
        match self {
            Self::Json(json) => match Value::of_json(json) {
                Value::Object(json) => object(json, |raw: &'r RawValue| Value::of_json(raw.get()), field),
                other => Err(other.kind()),
            },
            Self::Kept(json) => object(json, |text: Text<'r>| Value::Cell(text.0), field),
            Self::Record(row) => {
                let mut field = field;
                row.fields().into_iter().flatten().for_each(|(name, text)| field(name, Value::Cell(text.into())));
                Ok(())
            }
        }
    }
}

fn object<'r, T: Deserialize<'r>>(
    json: &'r str,
    value: impl Fn(T) -> Value<'r>,
    mut field: impl FnMut(&str, Value<'r>),
) -> Result<(), &'static str> {
    let reader = Reader(|name: &str, read| field(name, value(read)), PhantomData);
    // The reader of rows has read it as JSON before, so this is about names.
    let mut deserializer = serde_json::Deserializer::from_str(json);
    deserializer.deserialize_map(reader).map_err(|_| "an object with a name that is no text")
}

struct Reader<T, F>(F, PhantomData<T>);

impl<'r, T: Deserialize<'r>, F: FnMut(&str, T)> Visitor<'r> for Reader<T, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'r>>(mut self, mut fields: A) -> Result<(), A::Error> {
        while let Some(Text(name)) = fields.next_key()? {
            (self.0)(&name, fields.next_value()?);
        }
        Ok(())
    }
}

/// Text that is borrowed where it stands in the row as it is meant.
struct Text<'r>(Cow<'r, str>);

impl<'r> Deserialize<'r> for Text<'r> {
    fn deserialize<D: Deserializer<'r>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'r> Visitor<'r> for Reader {
            type Value = Text<'r>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'r str) -> Result<Text<'r>, E> {
                Ok(Text(text.into()))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<'r>, E> {
                Ok(Text(text.to_owned().into()))
            }
        }
        deserializer.deserialize_str(Reader)
    }
}
