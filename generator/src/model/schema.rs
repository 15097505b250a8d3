//! The records and enums of the document, in the form that the rewrites need.

use serde_json::Value;

use super::{Model, text};
use crate::{
    document::pointer::schema_name,
    normalize::schemas::{
        alternatives::{RULES, has_rules},
        enums::DESCRIPTIONS,
    },
};

/// The words that make the last word of a name personal or secret, although it is an id or a code.
const PRIVATE: [&str; 21] = [
    "access",
    "activation",
    "auth",
    "authorization",
    "backup",
    "email",
    "government",
    "invite",
    "license",
    "national",
    "otp",
    "passport",
    "pin",
    "post",
    "postal",
    "reset",
    "security",
    "session",
    "social",
    "tax",
    "zip",
];

/// A schema with properties.
pub(crate) struct Record {
    pub(crate) name: String,
    pub(crate) fields: Vec<Field>,
    pub(crate) place: String,
    shown: Shown,
}

/// A property of a record.
pub(crate) struct Field {
    pub(crate) wire: String,
    /// The name in the prepared document, which differs if the field would collide with that of unknown fields.
    pub(crate) key: String,
    pub(crate) description: String,
    pub(crate) required: bool,
    pub(crate) list: bool,
    /// True if it is a number, or a list of numbers, that a server may write as a string.
    pub(crate) numeric_string: bool,
}

/// The fields of a record that `Debug` shows.
enum Shown {
    All,
    Listed(Vec<String>),
    /// The document does not say: ids, codes and statuses.
    Keys(Vec<String>),
}

/// A schema whose values are strings or integers with names.
pub(crate) struct Enum {
    pub(crate) name: String,
    pub(crate) values: Vec<Value>,
    pub(crate) descriptions: Vec<String>,
}

/// A schema whose values are of one of several types.
pub(crate) struct Union {
    pub(crate) name: String,
    pub(crate) alternatives: Vec<Alternative>,
}

/// A type of a union, and what tells a value of it.
pub(crate) struct Alternative {
    /// The schema that it refers to, otherwise its JSON type.
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) property: Option<(String, Vec<String>)>,
    pub(crate) fields: Vec<String>,
    /// The value of the property that is sent if it has none of its values.
    pub(crate) sent: Option<String>,
    /// True if it is a record.
    pub(crate) is_record: bool,
}

impl Record {
    /// Returns the field with this name in the prepared document, and its index.
    pub(crate) fn field(&self, key: &str) -> Option<(usize, &Field)> {
        self.fields.iter().enumerate().find(|(_, field)| field.key == key)
    }

    /// Returns true if `Debug` may show a field.
    pub(crate) fn shows(&self, wire: &str) -> bool {
        match &self.shown {
            Shown::All => true,
            Shown::Listed(names) | Shown::Keys(names) => names.iter().any(|name| name == wire),
        }
    }
}

/// Returns the records of the document.
pub(crate) fn records(model: &Model) -> Vec<Record> {
    let records = model.schemas().filter(|(_, schema)| is_record(schema));
    records
        .map(|(name, schema)| {
            let (required, written) = (texts(schema, "required"), model.order(name));
            let properties = schema.get("properties").and_then(Value::as_object);
            let mut fields: Vec<_> = properties
                .into_iter()
                .flatten()
                .map(|(wire, property)| Field {
                    wire: wire.clone(),
                    key: key(wire),
                    description: text(property, "description").to_string(),
                    required: required.contains(wire),
                    list: text(property, "type") == "array",
                    numeric_string: [Some(property), property.get("items")]
                        .into_iter()
                        .flatten()
                        .any(|schema| schema.get("x-perenso-numeric-string") == Some(&Value::Bool(true))),
                })
                .collect();
            fields.sort_by_key(|field| written.iter().position(|name| *name == field.wire));
            let place = format!("/components/schemas/{}", crate::document::pointer::segment(name));
            Record { name: name.clone(), fields, place, shown: shown(schema) }
        })
        .collect()
}

/// Returns the name of a property in the prepared document.
pub(crate) fn key(wire: &str) -> String {
    // The generated field for unknown fields has this name.
    if wire.eq_ignore_ascii_case("extra") { format!("{wire}_field") } else { wire.to_string() }
}

/// Returns the enums of the document.
pub(crate) fn enums(model: &Model) -> Vec<Enum> {
    let enums = model.schemas().filter(|(_, schema)| schema.get("enum").is_some());
    enums
        .map(|(name, schema)| Enum {
            name: name.clone(),
            values: schema["enum"].as_array().cloned().unwrap_or_default(),
            descriptions: texts(schema, DESCRIPTIONS),
        })
        .collect()
}

/// Returns the unions of the document.
pub(crate) fn unions(model: &Model) -> Vec<Union> {
    let unions = model.schemas().filter(|(_, schema)| is_union(schema));
    let list = |schema: &Value, name: &str| schema[name].as_array().cloned().unwrap_or_default();
    unions
        .map(|(name, schema)| {
            let parts = list(schema, "oneOf").into_iter().zip(list(schema, RULES));
            let alternatives = parts.map(|(part, rule)| {
                let property = text(&rule, "property");
                let named = schema_name(&part).and_then(|name| model.schemas().find(|(known, _)| **known == name));
                Alternative {
                    name: schema_name(&part).unwrap_or_else(|| text(&rule, "type").to_string()),
                    sent: rule.get("sent").and_then(Value::as_str).map(str::to_string),
                    is_record: named.is_some_and(|(_, schema)| is_record(schema)),
                    kind: text(&rule, "type").to_string(),
                    property: (!property.is_empty()).then(|| (property.to_string(), texts(&rule, "values"))),
                    fields: texts(&rule, "fields"),
                }
            });
            Union { name: name.clone(), alternatives: alternatives.collect() }
        })
        .collect()
}

/// Returns true if a schema becomes a struct with named fields.
pub(crate) fn is_record(schema: &Value) -> bool {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.is_some_and(|properties| !properties.is_empty()) && marked(schema).is_none()
}

/// Returns true if a schema becomes an enum of several types.
pub(crate) fn is_union(schema: &Value) -> bool {
    has_rules(schema) && marked(schema).is_none()
}

/// Returns the schemas with hand-written types, and these types.
pub(crate) fn hand_written(model: &Model) -> impl Iterator<Item = (&str, &'static str)> {
    model.schemas().filter_map(|(name, schema)| Some((name.as_str(), by_hand(marked(schema)?)?)))
}

/// Returns the marker of a schema with a hand-written type.
pub(crate) fn marked(schema: &Value) -> Option<&str> {
    schema.get("x-perenso-type").map(|marker| marker.as_str().unwrap_or_default())
}

/// Returns the hand-written type of a marker.
pub(crate) fn by_hand(marker: &str) -> Option<&'static str> {
    match marker {
        "timestamp" => Some("Timestamp"),
        "decimal" => Some("Decimal"),
        "id" => Some("Id"),
        "messages" => Some("Messages"),
        "file" => Some("File"),
        _ => None,
    }
}

/// Returns the strings of a list.
pub(crate) fn texts(schema: &Value, list: &str) -> Vec<String> {
    let items = schema.get(list).and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_string).collect()
}

fn shown(schema: &Value) -> Shown {
    if schema.get("x-shown").is_some() {
        return Shown::Listed(texts(schema, "x-shown"));
    }
    match schema.get("x-personal") {
        Some(Value::Bool(false)) => Shown::All,
        Some(Value::Bool(true)) => Shown::Listed(Vec::new()),
        _ => {
            let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
            let keys = properties.filter(|(name, property)| is_key(name) && !holds_json(property));
            Shown::Keys(keys.map(|(name, _)| name.clone()).collect())
        }
    }
}

/// Returns true for any JSON value, a map, or a list of them, whose `Debug` shows everything. A reference has a `Debug` of its own.
fn holds_json(property: &Value) -> bool {
    match text(property, "type") {
        "array" => property.get("items").is_none_or(holds_json),
        "object" => true,
        "" => !["$ref", "allOf", "enum"].iter().any(|keyword| property.get(*keyword).is_some()),
        _ => false,
    }
}

/// Returns true if a name is that of an id, a code or a status.
fn is_key(name: &str) -> bool {
    let words = words(name);
    let Some((last, before)) = words.split_last() else { return false };
    ["id", "code", "status"].contains(&last.as_str()) && !before.iter().any(|word| PRIVATE.contains(&word.as_str()))
}

/// Returns the words of a name in any case, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut before = ' ';
    for letter in name.chars() {
        if letter.is_alphanumeric() {
            if !before.is_alphanumeric() || (letter.is_uppercase() && !before.is_uppercase()) {
                words.push(String::new());
            }
            if let Some(word) = words.last_mut() {
                word.extend(letter.to_lowercase());
            }
        }
        before = letter;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_codes_and_statuses_are_shown_unless_they_are_private() {
        for name in ["id", "ID", "orderID", "order_id", "currencyCode", "status", "x-order-id"] {
            assert!(is_key(name), "{name}");
        }
        for name in ["name", "paid", "sessionId", "postal_code", "zipCode", "ids", "statusText", "codes", ""] {
            assert!(!is_key(name), "{name}");
        }
    }
}
