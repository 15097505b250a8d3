//! Resources of a document: a path with a list, and a path below it with one record.

use serde_json::{Value, json};

use super::{Document, Operation};

/// The field of a record that holds its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IdField {
    pub(crate) name: String,
    pub(crate) is_integer: bool,
}

impl IdField {
    /// Returns an id as JSON. One that is no integer stays a string.
    pub(crate) fn value(&self, id: &str) -> Value {
        let number = self.is_integer.then(|| id.parse::<i64>().ok()).flatten();
        number.map_or_else(|| json!(id), |number| json!(number))
    }

    /// Returns the id that a value is, if it has the type of one.
    pub(crate) fn parse(&self, value: &Value) -> Option<String> {
        match value {
            Value::String(id) if !self.is_integer && !id.is_empty() => Some(id.clone()),
            Value::Number(id) if self.is_integer && id.is_i64() => Some(id.to_string()),
            _ => None,
        }
    }
}

impl Default for IdField {
    fn default() -> Self {
        Self { name: "id".to_owned(), is_integer: false }
    }
}

impl Document {
    /// Returns the id field of the records of a resource, by the path of its list. There is none if the path has no list, or no
    /// records below it.
    pub(crate) fn id_field(&self, list: &str) -> Option<IdField> {
        let one = self.path_item(&format!("{list}/{{id}}"))?;
        let list = self.path_item(list)?;
        let parameter = one.template.rsplit_once('/')?.1.trim_matches(['{', '}']);
        list.operation("GET").filter(|operation| self.items(operation).is_some())?;
        let record = one.operation("GET")?.success()?.1.map(|schema| self.resolve(schema))?;
        let properties = record["properties"].as_object()?;
        // A wrapped record, without an id of its own, is an example only.
        let name = properties
            .keys()
            .find(|name| is_same_name(name, parameter))
            .or(properties.get_key_value("id").map(|(id, _)| id))?;
        Some(IdField { name: name.clone(), is_integer: self.resolve(&properties[name])["type"] == "integer" })
    }

    /// Returns the member with the list in the response of an operation: `None` if there is no list, and an empty name if the
    /// response itself is one.
    pub(crate) fn items(&self, operation: &Operation) -> Option<String> {
        let schema = self.resolve(operation.success()?.1?);
        if schema["type"] == "array" {
            return Some(String::new());
        }
        let mut lists =
            schema["properties"].as_object()?.iter().filter(|(_, member)| self.resolve(member)["type"] == "array");
        lists.next().map(|(name, _)| name.clone()).filter(|_| lists.next().is_none())
    }
}

/// Compares names without their case and underscores, such as `orderId` and `order_id`.
fn is_same_name(one: &str, other: &str) -> bool {
    let plain = |name: &str| name.replace(['_', '-'], "").to_lowercase();
    plain(one) == plain(other)
}
