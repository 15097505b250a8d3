//! Values that are of one of several types.

use serde::de::DeserializeOwned;
use serde_json::Value;

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
