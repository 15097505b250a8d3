//! Picking one field out of a record without reading the others.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

/// The value of a field of a JSON object; null where there is none.
pub(crate) fn pick(object: &str, field: &str) -> Value {
    let mut reader = serde_json::Deserializer::from_str(object);
    reader.deserialize_map(Pick(field)).unwrap_or_default()
}

struct Pick<'a>(&'a str);

impl<'de> Visitor<'de> for Pick<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut found = Value::Null;
        while let Some(Name(name)) = map.next_key()? {
            if name == self.0 {
                found = map.next_value()?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// A name, borrowed where nothing in it is escaped.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_is_found_whatever_stands_around_it() {
        let text = r#"{"a":{"b":1},"b":[1,{"b":2}],"say \"hi\"":"x","c":null}"#;
        assert_eq!(pick(text, "b"), json!([1, { "b": 2 }]));
        assert_eq!(pick(text, "say \"hi\""), "x");
        assert_eq!(pick(text, "c"), Value::Null);
        assert_eq!(pick(text, "d"), Value::Null);
        assert_eq!(pick("{}", "d"), Value::Null);
    }
}
