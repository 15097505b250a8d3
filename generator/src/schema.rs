//! The records and enums of the document, in the form that the rewrites need.

use serde_json::Value;

use crate::{fault::Fault, generate, model::Document};

/// A schema with properties.
pub(crate) struct Record {
    pub(crate) name: String,
    pub(crate) fields: Vec<Field>,
    pub(crate) personal: bool,
    shown: Vec<String>,
}

/// A property of a record.
pub(crate) struct Field {
    pub(crate) wire: String,
    pub(crate) description: String,
    pub(crate) required: bool,
    pub(crate) list: bool,
}

/// A schema whose values are named strings.
pub(crate) struct Enum {
    pub(crate) name: String,
    pub(crate) values: Vec<String>,
}

impl Record {
    /// Returns the field with this JSON name, and its index.
    pub(crate) fn field(&self, wire: &str) -> Option<(usize, &Field)> {
        self.fields.iter().enumerate().find(|(_, field)| field.wire == wire)
    }

    /// Returns true if `Debug` may show a field.
    pub(crate) fn shows(&self, wire: &str) -> bool {
        !self.personal || self.shown.iter().any(|shown| shown == wire)
    }
}

/// Returns the records of the document.
pub(crate) fn records(document: &Document) -> Result<Vec<Record>, Fault> {
    let order = document.written_order()?;
    let mut records = Vec::new();
    for (name, schema) in document.schemas()? {
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else { continue };
        let required = texts(schema, "required");
        let written = order.get(name).map_or(&[][..], Vec::as_slice);
        let mut record = Record {
            name: name.clone(),
            fields: properties
                .iter()
                .map(|(wire, property)| Field {
                    wire: wire.clone(),
                    description: property["description"].as_str().unwrap_or_default().to_string(),
                    required: required.contains(wire),
                    list: property["type"] == "array",
                })
                .collect(),
            personal: personal(schema),
            shown: texts(schema, "x-shown"),
        };
        record.fields.sort_by_key(|field| written.iter().position(|name| *name == field.wire));
        for (list, names) in [("required", &required), ("x-shown", &record.shown)] {
            if let Some(unknown) = names.iter().find(|name| record.field(name).is_none()) {
                let place = format!("/components/schemas/{name}/{list}");
                return Err(Fault::new(place, format_args!("there is no property `{unknown}`")));
            }
        }
        records.push(record);
    }
    Ok(records)
}

/// Returns the enums of the document.
pub(crate) fn enums(document: &Document) -> Result<Vec<Enum>, Fault> {
    Ok(document
        .schemas()?
        .iter()
        .filter(|(_, schema)| schema.get("enum").is_some())
        .map(|(name, schema)| Enum { name: name.clone(), values: texts(schema, "enum") })
        .collect())
}

/// Returns the names of schemas that the generator wraps: neither records nor enums nor hand-written types.
pub(crate) fn wrappers(document: &Document) -> Result<Vec<String>, Fault> {
    let plain = |(name, schema): &(&String, &Value)| {
        schema.get("properties").is_none() && schema.get("enum").is_none() && !generate::by_hand(name)
    };
    Ok(document.schemas()?.iter().filter(plain).map(|(name, _)| name.clone()).collect())
}

fn personal(schema: &Value) -> bool {
    schema.get("x-personal") == Some(&Value::Bool(true))
}

fn texts(schema: &Value, list: &str) -> Vec<String> {
    let items = schema.get(list).and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_string).collect()
}
