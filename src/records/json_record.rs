//! A record whose fields the vendor's pages do not show.

use std::fmt;

use perenso_auth::decode::decode;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::field::Field;
use crate::error::{Error, ErrorKind, name::shown};

/// A record of any fields, for resources whose fields the vendor's pages do not show.
///
/// A field is absent, null or set, as a [`Field`] is. A record that was read goes back to the server with all its fields. `Debug`
/// shows the `id` only: the other fields may be personal data.
///
/// ```
/// use perenso::{Field, JsonRecord};
///
/// let warehouse: JsonRecord =
///     serde_json::from_str(r#"{"id":"a1","area":12,"note":null}"#)?;
/// assert_eq!(warehouse.id(), Some("a1"));
/// assert_eq!(warehouse.field::<i64>("area")?, Field::Value(12));
/// assert_eq!(warehouse.field::<String>("note")?, Field::Null);
/// assert_eq!(warehouse.field::<String>("city")?, Field::Unset);
/// assert_eq!(format!("{warehouse:?}"), r#"JsonRecord { id: "a1", .. }"#);
///
/// let changed = warehouse.with("area", 13).with("note", "new").without("id");
/// assert_eq!(serde_json::to_string(&changed)?, r#"{"area":13,"note":"new"}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JsonRecord(Map<String, Value>);

impl JsonRecord {
    /// Creates a record without fields.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the field `id`, if it is a string.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.0.get("id").and_then(Value::as_str)
    }

    /// Reads a field.
    ///
    /// # Errors
    /// [`ErrorKind::Response`] if the field has another type. The error does not quote it.
    pub fn field<T: DeserializeOwned>(&self, name: &str) -> Result<Field<T>, Error> {
        let Some(value) = self.0.get(name) else { return Ok(Field::Unset) };
        // A decoder that reads bytes describes a mismatch without quoting it.
        decode(value.to_string().as_bytes()).map_err(|mismatch| {
            let detail = format!("field {} of a record: {mismatch}", shown(name));
            Error::own(ErrorKind::Response, "record", detail)
        })
    }

    /// Sets a field. `None` sets it to null.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.0.insert(name.into(), value.into());
        self
    }

    /// Removes a field, so that it is not sent.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.0.remove(name);
        self
    }

    /// Returns all fields.
    #[must_use]
    pub fn fields(&self) -> &Map<String, Value> {
        &self.0
    }

    /// Converts the record to its fields.
    #[must_use]
    pub fn into_fields(self) -> Map<String, Value> {
        self.0
    }
}

impl From<Map<String, Value>> for JsonRecord {
    fn from(fields: Map<String, Value>) -> Self {
        Self(fields)
    }
}

impl fmt::Debug for JsonRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut record = f.debug_struct("JsonRecord");
        if let Some(id) = self.id() {
            record.field("id", &id);
        }
        record.finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_field_of_another_type_is_an_error_that_does_not_quote_it() {
        let record = JsonRecord::new().with("city", "Zebulon").with("gone", None::<String>);
        let error = record.field::<i64>("city").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Response);
        assert!(error.to_string().contains("field `city` of a record") && !error.to_string().contains("Zebulon"));
        assert!(!format!("{record:?} {error:?}").contains("Zebulon"));
        assert_eq!(record.field::<i64>("gone").unwrap(), Field::Null);
        assert_eq!((record.id(), record.fields().len()), (None, 2));
    }
}
