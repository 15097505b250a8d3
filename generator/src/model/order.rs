//! The order of properties as the text has it, which a JSON value does not keep.

use std::collections::BTreeMap;

use openapiv3::{OpenAPI, ReferenceOr, Schema, SchemaKind, Type};

/// The properties of each schema.
pub(crate) type Order = BTreeMap<String, Vec<String>>;

/// Returns the properties of each schema as a JSON text has them. A text that is not OpenAPI 3.0 has no order.
pub(crate) fn written(text: &str) -> Order {
    let document: Option<OpenAPI> = serde_json::from_str(text).ok();
    let schemas = document.and_then(|document| document.components).into_iter().flat_map(|parts| parts.schemas);
    let properties = |schema: ReferenceOr<Schema>| match schema.into_item()?.schema_kind {
        SchemaKind::Type(Type::Object(object)) => Some(object.properties.into_keys().collect()),
        _ => None,
    };
    schemas.filter_map(|(name, schema)| Some((name, properties(schema)?))).collect()
}
