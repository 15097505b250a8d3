//! Made-up values that fit a schema of the document.

use serde_json::{Map, Value, json};

use super::Document;

/// The depth of references at which optional fields are left out, so that a type that contains itself ends.
const MAX_DEPTH: usize = 4;

impl Document {
    /// Returns a value that fits a schema of this document: its own example, or a made-up one.
    pub(crate) fn example(&self, schema: &Value) -> Value {
        self.example_at(schema, 0)
    }

    fn example_at(&self, schema: &Value, depth: usize) -> Value {
        if let Some(named) = self.referenced(schema) {
            return self.example_at(named, depth + 1);
        }
        if depth > 2 * MAX_DEPTH {
            return Value::Null;
        }
        if let Some(own) = ["example", "default"].into_iter().find_map(|name| schema.get(name)) {
            return own.clone();
        }
        let first = |name: &str| schema[name].as_array().and_then(|list| list.first());
        if let Some(value) = first("enum") {
            return value.clone();
        }
        if let Some(choice) = ["oneOf", "anyOf"].into_iter().find_map(first) {
            return self.example_at(choice, depth);
        }
        if let Some(parts) = schema["allOf"].as_array() {
            return parts.iter().fold(Value::Null, |whole, part| match (whole, self.example_at(part, depth)) {
                (Value::Object(whole), Value::Object(part)) => {
                    whole.into_iter().chain(part).collect::<Map<_, _>>().into()
                }
                (Value::Null, part) | (part, _) => part,
            });
        }
        match schema["type"].as_str() {
            Some("string") => match schema["format"].as_str() {
                Some("date-time") => json!("2026-01-31T09:00:00Z"),
                Some("date") => json!("2026-01-31"),
                Some("uuid") => json!("123e4567-e89b-42d3-a456-426614174000"),
                Some("uri" | "url") => json!("https://example.com/"),
                Some("email") => json!("buyer@example.com"),
                _ if schema["x-perenso-type"] == "timestamp" => json!("2026-01-31T09:00:00Z"),
                _ => {
                    let length = schema["minLength"].as_u64().and_then(|length| usize::try_from(length).ok());
                    json!(format!("{:x<1$}", "text", length.unwrap_or_default().min(1000)))
                }
            },
            Some("integer") => json!(schema["minimum"].as_f64().map_or(1, |least| least.ceil() as i64)),
            Some("number") => json!(schema["minimum"].as_f64().unwrap_or(1.5)),
            Some("boolean") => json!(true),
            Some("array") if depth <= MAX_DEPTH => json!([self.example_at(&schema["items"], depth)]),
            Some("array") => json!([]),
            Some("object") => self.example_object(schema, depth).into(),
            _ if schema["properties"].is_object() => self.example_object(schema, depth).into(),
            _ => json!({}),
        }
    }

    fn example_object(&self, schema: &Value, depth: usize) -> Map<String, Value> {
        let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
        let properties = schema["properties"].as_object().into_iter().flatten();
        let kept =
            properties.filter(|(name, _)| depth <= MAX_DEPTH || required.iter().any(|required| *required == **name));
        kept.map(|(name, property)| (name.clone(), self.example_at(property, depth))).collect()
    }

    /// Returns the schema that a reference names.
    fn referenced(&self, schema: &Value) -> Option<&Value> {
        self.root.pointer(schema["$ref"].as_str()?.strip_prefix('#')?)
    }

    /// Returns a schema with its reference resolved.
    pub(crate) fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        self.referenced(schema).map_or(schema, |named| self.resolve_again(named, MAX_DEPTH))
    }

    fn resolve_again<'a>(&'a self, schema: &'a Value, left: usize) -> &'a Value {
        match self.referenced(schema) {
            Some(named) if left > 0 => self.resolve_again(named, left - 1),
            _ => schema,
        }
    }
}
