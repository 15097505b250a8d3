//! Checks values against the schemas of the document.

use std::collections::BTreeMap;

use regex_lite::Regex;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::problem::{Problem, json_type};

/// The named schemas of the document.
pub(crate) type Schemas = BTreeMap<String, Schema>;

/// The keywords of an OpenAPI schema that the document uses and that a value can violate.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Schema {
    #[serde(rename = "$ref")]
    reference: Option<String>,
    all_of: Vec<Schema>,
    one_of: Vec<Schema>,
    any_of: Vec<Schema>,
    #[serde(rename = "type")]
    schema_type: Option<SchemaType>,
    nullable: bool,
    format: Option<String>,
    properties: BTreeMap<String, Schema>,
    required: Vec<String>,
    items: Option<Box<Schema>>,
    #[serde(rename = "enum")]
    values: Vec<Value>,
    minimum: Option<f64>,
    min_length: Option<usize>,
    #[serde(deserialize_with = "regex")]
    pattern: Option<Regex>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SchemaType {
    String,
    Number,
    Integer,
    Boolean,
    Array,
    Object,
}

fn regex<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Regex>, D::Error> {
    // Another dialect than the one of `regex_lite` is not checked. The patterns of the vendored document have a test.
    Ok(Regex::new(&String::deserialize(deserializer)?).ok())
}

/// Checks values against schemas.
#[derive(Clone, Copy)]
pub(crate) struct Validator<'a> {
    pub(super) schemas: &'a Schemas,
    /// Fields that the document does not have are problems.
    pub(crate) strict: bool,
}

impl Validator<'_> {
    /// Checks a value. Each problem names the field below `path`.
    pub(crate) fn check(&self, schema: &Schema, value: &Value, path: &str) -> Vec<Problem> {
        let mut problems = Vec::new();
        self.check_value(schema, value, path, &mut problems);
        problems
    }

    /// Checks the fields of a record.
    pub(crate) fn check_record(&self, schema: &Schema, record: &Map<String, Value>) -> Vec<Problem> {
        let mut problems = Vec::new();
        self.check_fields(schema, record, "", &mut problems);
        problems
    }

    fn check_value(&self, schema: &Schema, value: &Value, path: &str, problems: &mut Vec<Problem>) {
        let parts = schema.reference.iter().filter_map(|reference| self.named(reference)).chain(&schema.all_of);
        for part in parts {
            self.check_value(part, value, path, problems);
        }
        for choices in [&schema.one_of, &schema.any_of] {
            if !choices.is_empty() && choices.iter().all(|one| !self.check(one, value, path).is_empty()) {
                let message = format!("{} matches none of the documented schemas", json_type(value));
                problems.push(Problem::new(path, message));
            }
        }
        let Some(expected) = schema.schema_type else {
            return;
        };
        if value.is_null() && schema.nullable {
            return;
        }
        if !expected.matches(value) {
            let message = format!("expected {}, found {}", expected.name(), json_type(value));
            problems.push(Problem::new(path, message));
            return;
        }
        problems.extend(schema.violation(value).map(|message| Problem::new(path, message)));
        match value {
            Value::Object(fields) => self.check_fields(schema, fields, path, problems),
            Value::Array(items) => {
                let Some(schema) = &schema.items else {
                    return;
                };
                for (index, item) in items.iter().enumerate() {
                    self.check_value(schema, item, &format!("{path}[{index}]"), problems);
                }
            }
            _ => {}
        }
    }

    fn check_fields(&self, schema: &Schema, fields: &Map<String, Value>, path: &str, problems: &mut Vec<Problem>) {
        for name in schema.required.iter().filter(|name| !fields.contains_key(*name)) {
            problems.push(Problem::new(&join(path, name), "it is missing"));
        }
        for (name, value) in fields {
            match schema.properties.get(name) {
                Some(property) => self.check_value(property, value, &join(path, name), problems),
                None if self.strict && !schema.properties.is_empty() => {
                    let message = "the document has no such field, and unknown fields are rejected";
                    problems.push(Problem::new(&join(path, name), message));
                }
                None => {}
            }
        }
    }

    fn named(&self, reference: &str) -> Option<&Schema> {
        self.schemas.get(reference.rsplit('/').next()?)
    }

    /// Converts a string of a query or path to the type of the schema. It stays a string if it cannot be converted.
    pub(crate) fn parse(&self, schema: &Schema, text: &str) -> Value {
        let string = || Value::String(text.to_owned());
        match self.type_of(schema) {
            Some(SchemaType::Integer) => text.parse::<i64>().map_or_else(|_| string(), Value::from),
            Some(SchemaType::Number) => text.parse::<f64>().map_or_else(|_| string(), Value::from),
            Some(SchemaType::Boolean) => text.parse::<bool>().map_or_else(|_| string(), Value::from),
            _ => string(),
        }
    }

    /// Reads the values of a parameter that is a list.
    pub(crate) fn parse_list<'t>(&self, schema: &Schema, texts: impl Iterator<Item = &'t str>) -> Value {
        let items = self.items_of(schema);
        texts.map(|text| items.map_or_else(|| Value::from(text), |items| self.parse(items, text))).collect()
    }

    fn items_of<'b>(&'b self, schema: &'b Schema) -> Option<&'b Schema> {
        schema.items.as_deref().or_else(|| {
            let mut parts = schema.reference.iter().filter_map(|name| self.named(name)).chain(&schema.all_of);
            parts.find_map(|part| self.items_of(part))
        })
    }

    /// Returns true if values of the schema are arrays.
    pub(crate) fn is_array(&self, schema: &Schema) -> bool {
        self.type_of(schema) == Some(SchemaType::Array)
    }

    /// Returns true if values of the schema are objects.
    pub(crate) fn is_object(&self, schema: &Schema) -> bool {
        self.type_of(schema) == Some(SchemaType::Object)
    }

    fn type_of(&self, schema: &Schema) -> Option<SchemaType> {
        schema.schema_type.or_else(|| {
            let mut parts = schema.reference.iter().filter_map(|name| self.named(name)).chain(&schema.all_of);
            parts.find_map(|part| self.type_of(part))
        })
    }
}

/// Returns the path of a field below `path`.
fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

impl Schema {
    pub(crate) fn is_array(&self) -> bool {
        self.schema_type == Some(SchemaType::Array)
    }

    pub(crate) fn has(&self, field: &str) -> bool {
        self.properties.contains_key(field)
    }

    /// Returns the rule that a value of the right type violates.
    fn violation(&self, value: &Value) -> Option<String> {
        let is_int64 = self.format.as_deref() == Some("int64");
        match value {
            Value::Number(number) if is_int64 && number.as_i64().is_none() => {
                Some("expected an integer of at most 64 bits".to_owned())
            }
            Value::Number(number) => {
                let minimum = self.minimum.filter(|minimum| number.as_f64().is_some_and(|number| number < *minimum))?;
                Some(format!("expected {minimum} or more"))
            }
            Value::String(text) => {
                if self.min_length.is_some_and(|least| text.chars().count() < least) {
                    return Some(format!("expected at least {} characters", self.min_length.unwrap_or_default()));
                }
                if let Some(pattern) = self.pattern.as_ref().filter(|pattern| !pattern.is_match(text)) {
                    return Some(format!("expected a string that matches {pattern}"));
                }
                let is_known = self.values.is_empty() || self.values.contains(value);
                (!is_known).then(|| "expected one of the documented values".to_owned())
            }
            _ => None,
        }
    }
}

impl SchemaType {
    fn matches(self, value: &Value) -> bool {
        match (self, value) {
            (Self::String, Value::String(_))
            | (Self::Number, Value::Number(_))
            | (Self::Boolean, Value::Bool(_))
            | (Self::Array, Value::Array(_))
            | (Self::Object, Value::Object(_)) => true,
            (Self::Integer, Value::Number(number)) => !number.is_f64(),
            _ => false,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::String => "a string",
            Self::Number => "a number",
            Self::Integer => "an integer",
            Self::Boolean => "a boolean",
            Self::Array => "an array",
            Self::Object => "an object",
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn found(schema: Value, value: Value, strict: bool) -> Vec<String> {
        let schemas: Schemas = serde_json::from_value(json!({
            "Text": {"type": "string", "nullable": true, "minLength": 2, "pattern": "^[a-z]*$"},
        }))
        .unwrap();
        let schema: Schema = serde_json::from_value(schema).unwrap();
        let validator = Validator { schemas: &schemas, strict };
        validator.check(&schema, &value, "").iter().map(Problem::to_string).collect()
    }

    #[test]
    fn every_problem_names_its_field() {
        let text = json!({"$ref": "#/components/schemas/Text"});
        let schema = json!({
            "type": "object",
            "required": ["name", "missing"],
            "properties": {
                "name": text,
                "count": {"type": "integer", "format": "int64", "minimum": 1},
                "flags": {"type": "array", "items": {"type": "object", "properties": {"on": {"type": "boolean"}}}},
                "either": {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
                "all": {"allOf": [text]},
                "price": {"type": "number"},
                "colour": {"type": "string", "enum": ["red"]},
            },
        });
        let value = json!({
            "name": 5, "count": 0, "flags": [{"on": true}, {"on": null}, 7], "either": [1], "all": "a", "price": "1",
            "colour": "blue", "more": 1,
        });
        let expected = [
            "missing: it is missing",
            "all: expected at least 2 characters",
            "colour: expected one of the documented values",
            "count: expected 1 or more",
            "either: an array matches none of the documented schemas",
            "flags[1].on: expected a boolean, found null",
            "flags[2]: expected an object, found an integer",
            "name: expected a string, found an integer",
            "price: expected a number, found a string",
        ];
        assert_eq!(found(schema.clone(), value.clone(), false), expected);
        let strict = found(schema.clone(), value, true);
        assert_eq!(strict.len(), expected.len() + 1);
        assert!(strict.iter().any(|problem| problem.starts_with("more: the document has no such field")));

        let good = json!({
            "name": null, "missing": {}, "count": 1, "flags": [{}], "either": ["a"], "all": "ab", "price": 1.5, "colour": "red"
        });
        assert_eq!(found(schema, good, false), [""; 0]);
    }

    #[test]
    fn integers_and_patterns_are_strict() {
        let integer = json!({"type": "integer", "format": "int64"});
        for wrong in [json!(1.5), json!(1.0), json!(9_223_372_036_854_775_808_u64), json!("1")] {
            assert_eq!(found(integer.clone(), wrong.clone(), false).len(), 1, "{wrong}");
        }
        assert_eq!(found(integer, json!(i64::MIN), false), [""; 0]);
        assert_eq!(found(json!({"$ref": "#/components/schemas/Text"}), json!("AB"), false).len(), 1);
    }

    #[test]
    fn query_strings_are_converted_to_the_type_of_the_schema() {
        let schemas: Schemas = serde_json::from_value(json!({"Count": {"type": "integer"}})).unwrap();
        let validator = Validator { schemas: &schemas, strict: false };
        let read = |schema, text| validator.parse(&serde_json::from_value(schema).unwrap(), text);
        assert_eq!(read(json!({"$ref": "#/components/schemas/Count"}), "12"), json!(12));
        assert_eq!(read(json!({"type": "integer"}), "1x"), json!("1x"));
        assert_eq!(read(json!({"allOf": [{"type": "boolean"}]}), "true"), json!(true));
        assert_eq!(read(json!({"type": "boolean"}), "True"), json!("True"));
        assert_eq!(read(json!({"type": "string"}), "12"), json!("12"));
    }
}
