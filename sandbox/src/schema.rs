//! A schema of the document: what is wrong with a value, and where.

use std::collections::BTreeMap;

use regex_lite::Regex;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::body::kind;
use crate::problem::Problem;

/// The schemas that others refer to, by name.
pub(crate) type Schemas = BTreeMap<String, Schema>;

/// The part of an OpenAPI schema that the document uses and a value can break.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Schema {
    #[serde(rename = "$ref")]
    reference: Option<String>,
    all_of: Vec<Schema>,
    one_of: Vec<Schema>,
    #[serde(rename = "type")]
    kind: Option<Kind>,
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
pub(crate) enum Kind {
    String,
    Number,
    Integer,
    Boolean,
    Array,
    Object,
}

fn regex<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Regex>, D::Error> {
    let pattern = String::deserialize(deserializer)?;
    Regex::new(&pattern).map(Some).map_err(serde::de::Error::custom)
}

/// A look at values with the eyes of the document.
#[derive(Clone, Copy)]
pub(crate) struct Look<'a> {
    pub(crate) schemas: &'a Schemas,
    /// Whether fields that the document does not know are problems.
    pub(crate) strict: bool,
}

impl Look<'_> {
    /// Everything that is wrong with a value, each problem with its place.
    pub(crate) fn problems(&self, schema: &Schema, value: &Value, place: &str) -> Vec<Problem> {
        let mut problems = Vec::new();
        self.look(schema, value, place, &mut problems);
        problems
    }

    /// The same of the fields of a record.
    pub(crate) fn problems_of(&self, schema: &Schema, record: &Map<String, Value>) -> Vec<Problem> {
        let mut problems = Vec::new();
        self.look_at_fields(schema, record, "", &mut problems);
        problems
    }

    fn look(&self, schema: &Schema, value: &Value, place: &str, problems: &mut Vec<Problem>) {
        let parts = schema.reference.iter().filter_map(|reference| self.named(reference)).chain(&schema.all_of);
        for part in parts {
            self.look(part, value, place, problems);
        }
        if !schema.one_of.is_empty() && !schema.one_of.iter().any(|one| self.problems(one, value, place).is_empty()) {
            problems.push(Problem::new(place, format!("{} is none of the forms that are documented", kind(value))));
        }
        let Some(expected) = schema.kind else {
            return;
        };
        if value.is_null() && schema.nullable {
            return;
        }
        if !expected.takes(value) {
            let message = format!("expected {}, found {}", expected.words(), kind(value));
            problems.push(Problem::new(place, message));
            return;
        }
        problems.extend(schema.limit(value).map(|message| Problem::new(place, message)));
        match value {
            Value::Object(fields) => self.look_at_fields(schema, fields, place, problems),
            Value::Array(items) => {
                let Some(schema) = &schema.items else {
                    return;
                };
                for (index, item) in items.iter().enumerate() {
                    self.look(schema, item, &format!("{place}[{index}]"), problems);
                }
            }
            _ => {}
        }
    }

    fn look_at_fields(&self, schema: &Schema, fields: &Map<String, Value>, place: &str, problems: &mut Vec<Problem>) {
        for name in schema.required.iter().filter(|name| !fields.contains_key(*name)) {
            problems.push(Problem::new(&below(place, name), "it is missing"));
        }
        for (name, value) in fields {
            match schema.properties.get(name) {
                Some(property) => self.look(property, value, &below(place, name), problems),
                None if self.strict && !schema.properties.is_empty() => {
                    let message = "the document has no such field, and unknown ones are refused";
                    problems.push(Problem::new(&below(place, name), message));
                }
                None => {}
            }
        }
    }

    fn named(&self, reference: &str) -> Option<&Schema> {
        self.schemas.get(reference.rsplit('/').next()?)
    }

    /// A value out of a query or a path, in the kind that the schema wants; what does not read as one stays a text, and is
    /// a problem then.
    pub(crate) fn value(&self, schema: &Schema, text: &str) -> Value {
        let text_itself = || Value::String(text.to_owned());
        match self.kind_of(schema) {
            Some(Kind::Integer) => text.parse::<i64>().map_or_else(|_| text_itself(), Value::from),
            Some(Kind::Boolean) => text.parse::<bool>().map_or_else(|_| text_itself(), Value::from),
            _ => text_itself(),
        }
    }

    fn kind_of(&self, schema: &Schema) -> Option<Kind> {
        schema.kind.or_else(|| {
            let mut parts = schema.reference.iter().filter_map(|name| self.named(name)).chain(&schema.all_of);
            parts.find_map(|part| self.kind_of(part))
        })
    }
}

/// The place of a field in a record at `place`.
fn below(place: &str, name: &str) -> String {
    if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") }
}

impl Schema {
    pub(crate) fn is_array(&self) -> bool {
        self.kind == Some(Kind::Array)
    }

    pub(crate) fn has(&self, field: &str) -> bool {
        self.properties.contains_key(field)
    }

    /// What is wrong with a value of the right kind.
    fn limit(&self, value: &Value) -> Option<String> {
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
                    return Some(format!("expected a text of the form {pattern}"));
                }
                let is_known = self.values.is_empty() || self.values.contains(value);
                (!is_known).then(|| "expected one of the values that are documented".to_owned())
            }
            _ => None,
        }
    }
}

impl Kind {
    fn takes(self, value: &Value) -> bool {
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

    fn words(self) -> &'static str {
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
        let look = Look { schemas: &schemas, strict };
        look.problems(&schema, &value, "").iter().map(Problem::to_string).collect()
    }

    #[test]
    fn every_problem_is_named_by_its_place() {
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
            "colour: expected one of the values that are documented",
            "count: expected 1 or more",
            "either: an array is none of the forms that are documented",
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
    fn texts_of_a_query_become_what_the_schema_wants() {
        let schemas: Schemas = serde_json::from_value(json!({"Count": {"type": "integer"}})).unwrap();
        let look = Look { schemas: &schemas, strict: false };
        let read = |schema, text| look.value(&serde_json::from_value(schema).unwrap(), text);
        assert_eq!(read(json!({"$ref": "#/components/schemas/Count"}), "12"), json!(12));
        assert_eq!(read(json!({"type": "integer"}), "1x"), json!("1x"));
        assert_eq!(read(json!({"allOf": [{"type": "boolean"}]}), "true"), json!(true));
        assert_eq!(read(json!({"type": "boolean"}), "True"), json!("True"));
        assert_eq!(read(json!({"type": "string"}), "12"), json!("12"));
    }
}
