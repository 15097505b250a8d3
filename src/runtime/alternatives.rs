//! Values that are of one of several types.

use serde::{
    Serialize, Serializer,
    de::DeserializeOwned,
    ser::{Error as _, SerializeMap},
};
use serde_json::Value;

use super::record::{Record, RecordWriter};

/// Reads a value as one alternative of a union: of this JSON type, with one of these values of a property, and with all of these
/// fields. Returns nothing for a value that is none.
pub fn alternative<T: DeserializeOwned>(
    value: &Value,
    kind: &str,
    property: Option<(&str, &[&str])>,
    fields: &[&str],
) -> Option<T> {
    if fits(value, kind, property, fields) { T::deserialize(value).ok() } else { None }
}

fn fits(value: &Value, kind: &str, property: Option<(&str, &[&str])>, fields: &[&str]) -> bool {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    found == kind
        && property.is_none_or(|(name, values)| value[name].as_str().is_some_and(|found| values.contains(&found)))
        && fields.iter().all(|name| value.get(name).is_some())
}

/// Serializes a record that is an alternative of a union. A property that has none of the values is `sent`.
///
/// # Errors
/// The error of the serializer.
#[doc(hidden)]
pub fn write_tagged<R: Record, S: Serializer>(
    record: &R,
    property: &'static str,
    values: &'static [&'static str],
    sent: &'static str,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    let mut tagged = TaggedMap { map: &mut map, property, values, sent, is_written: false };
    RecordWriter::write(record, &mut tagged)?;
    if !tagged.is_written {
        map.serialize_entry(property, sent)?;
    }
    map.end()
}

/// Serializes a map that is an alternative of a union, as [`write_tagged`] does.
///
/// # Errors
/// The error of the serializer, or a value that is no JSON.
#[doc(hidden)]
pub fn write_tagged_map<T: Serialize, S: Serializer>(
    value: &T,
    property: &'static str,
    values: &'static [&'static str],
    sent: &'static str,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut json = serde_json::to_value(value).map_err(S::Error::custom)?;
    if let Value::Object(map) = &mut json
        && !is_one_of(map.get(property), values)
    {
        map.insert(property.to_owned(), sent.into());
    }
    json.serialize(serializer)
}

fn is_one_of(value: Option<&Value>, values: &[&str]) -> bool {
    value.and_then(Value::as_str).is_some_and(|value| values.contains(&value))
}

/// A map that replaces a value of one of its entries.
struct TaggedMap<'a, M> {
    map: &'a mut M,
    property: &'static str,
    values: &'static [&'static str],
    sent: &'static str,
    is_written: bool,
}

impl<M: SerializeMap> SerializeMap for TaggedMap<'_, M> {
    type Ok = ();
    type Error = M::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), M::Error> {
        self.map.serialize_key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), M::Error> {
        self.map.serialize_value(value)
    }

    fn serialize_entry<K: Serialize + ?Sized, V: Serialize + ?Sized>(
        &mut self,
        key: &K,
        value: &V,
    ) -> Result<(), M::Error> {
        if serde_json::to_value(key).map_err(M::Error::custom)? == self.property {
            self.is_written = true;
            let value = serde_json::to_value(value).map_err(M::Error::custom)?;
            if !is_one_of(Some(&value), self.values) {
                return self.map.serialize_entry(key, self.sent);
            }
        }
        self.map.serialize_entry(key, value)
    }

    fn end(self) -> Result<(), M::Error> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_alternative_has_a_type_a_property_and_fields() {
        let value = json!({ "kind": "a", "x": null });
        let is = |property, fields: &[&str]| alternative::<Value>(&value, "object", property, fields).is_some();
        assert!(is(None, &[]) && is(Some(("kind", &["b", "a"])), &["x"]));
        assert!(!is(Some(("kind", &["b"])), &[]) && !is(Some(("x", &["a"])), &[]) && !is(None, &["y"]));
        assert_eq!(alternative::<String>(&json!(1), "string", None, &[]), None);
        assert_eq!(alternative::<i64>(&json!(1.5), "number", None, &[]), None);
        assert_eq!(alternative::<i64>(&json!(1), "number", None, &[]), Some(1));
    }
}
