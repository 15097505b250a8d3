//! Fields of a record: their JSON types, as far as the vendor's samples show them.

use serde_json::{Map, Value};

use crate::body::kind;

/// A field that the samples show.
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
}

/// What a field holds.
pub(crate) enum Shape {
    Text,
    Integer,
    Boolean,
    Texts,
    Objects(&'static [Field]),
}

/// Something about a record that the API does not take.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) field: String,
    pub(crate) message: String,
}

impl Problem {
    pub(crate) fn new(field: &str, message: impl Into<String>) -> Self {
        Self { field: field.to_owned(), message: message.into() }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

/// Finds every known field whose value has the wrong type. Null clears a field; unknown fields may hold anything.
pub(crate) fn check(known: &[Field], record: &Map<String, Value>) -> Vec<Problem> {
    let mut problems = Vec::new();
    check_into(known, record, "", &mut problems);
    problems
}

fn check_into(known: &[Field], record: &Map<String, Value>, path: &str, problems: &mut Vec<Problem>) {
    for field in known {
        let Some(value) = record.get(field.name) else {
            continue;
        };
        field.shape.check(value, &format!("{path}{}", field.name), problems);
    }
}

impl Shape {
    fn check(&self, value: &Value, path: &str, problems: &mut Vec<Problem>) {
        let fits = match (self, value) {
            (_, Value::Null) | (Self::Text, Value::String(_)) | (Self::Boolean, Value::Bool(_)) => true,
            (Self::Integer, Value::Number(number)) => number.is_i64() || number.is_u64(),
            (Self::Texts, Value::Array(items)) => {
                for (index, item) in items.iter().enumerate().filter(|(_, item)| !item.is_string()) {
                    let message = format!("expected a string, found {}", kind(item));
                    problems.push(Problem::new(&format!("{path}[{index}]"), message));
                }
                true
            }
            (Self::Objects(inner), Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    match item {
                        Value::Object(item) => {
                            check_into(inner, item, &format!("{path}[{index}]."), problems);
                        }
                        other => problems.push(Problem::new(
                            &format!("{path}[{index}]"),
                            format!("expected an object, found {}", kind(other)),
                        )),
                    }
                }
                true
            }
            _ => false,
        };
        if !fits {
            let message = format!("expected {}, found {}", self.words(), kind(value));
            problems.push(Problem::new(path, message));
        }
    }

    fn words(&self) -> &'static str {
        match self {
            Self::Text => "a string",
            Self::Integer => "an integer",
            Self::Boolean => "a boolean",
            Self::Texts => "an array of strings",
            Self::Objects(_) => "an array of objects",
        }
    }
}
