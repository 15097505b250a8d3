//! Structs bound to an export: the schema is compared once, the values are checked in every run.

mod schema;
mod value_kind;

use std::{fmt, marker::PhantomData};

use schemars::JsonSchema;
use serde::Serialize;

use self::{
    schema::{SchemaField, SchemaFields},
    value_kind::ValueKind,
};
use super::{
    checked::{CheckedRequest, ExportRunBuilder, runnable_id, unknown_parameter},
    descriptor::Descriptor,
};
use crate::exports::{
    values::fields::{FieldSink, collect_fields, serialize_value},
    values::value::{Input, ParameterValue, expectation},
};
use crate::{
    error::{
        Error, ErrorKind,
        name::{closest, shown},
    },
    generated::operations::EXPORT_RUN,
    records::Id,
    types::{ExportDataType, ExportParameter},
};

/// A struct type whose schema fits an export. Created by [`Catalog::bind`](crate::exports::Catalog::bind).
///
/// It is cheap to clone and to share. It does not follow changes of the catalog: bind again after the server rejects a
/// run.
///
/// ```
/// use chrono::{DateTime, Utc};
/// use perenso::{exports::Catalog, schemars::{self, JsonSchema}};
/// use serde::Serialize;
///
/// #[derive(Serialize, JsonSchema)]
/// #[serde(rename_all = "PascalCase")]
/// struct Sales<'a> {
///     since: DateTime<Utc>,
///     city: &'a str,
///     page: u64,
/// }
///
/// let catalog: Catalog = serde_json::from_str(r#"[
///     {"id": "1", "name": "Sales", "parameters": [
///         {"name": "Since", "dataType": "DateTime"},
///         {"name": "City", "dataType": "Text"},
///         {"name": "Page", "dataType": "Integer"}]}]"#)?;
/// let bound = catalog.bind::<Sales>("Sales")?;
/// let since = DateTime::UNIX_EPOCH;
/// let mut sales = Sales { since, city: "Exampleville", page: 1 };
///
/// let request = bound.check(&sales)?;
/// assert_eq!(request.body().unwrap_or_default()["Since"], "1970-01-01T00:00:00Z");
///
/// // The type fits, this value does not.
/// sales.page = u64::MAX;
/// let error = bound.check(&sales).unwrap_err();
/// assert!(error.problems()[0].ends_with("found an integer beyond 64 bits"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Bound<T> {
    descriptor: Descriptor,
    id: Id,
    // A function type, so that `Bound` is `Send`, `Sync` and covariant for every `T`.
    values: PhantomData<fn() -> T>,
}

impl<T: Serialize + JsonSchema> Bound<T> {
    pub(crate) fn new(descriptor: &Descriptor) -> Result<Self, Error> {
        let id = runnable_id(descriptor)?;
        match differences(descriptor, &SchemaFields::of::<T>()) {
            problems if problems.is_empty() => Ok(Self { descriptor: descriptor.clone(), id, values: PhantomData }),
            problems => {
                let name = T::schema_name();
                let detail = format!("{} does not fit {}", shown(&name), shown(descriptor.name()));
                Err(Error::several(ErrorKind::Input, EXPORT_RUN.id, detail, problems))
            }
        }
    }
}

impl<T: Serialize> Bound<T> {
    /// Checks the values of a struct and returns the request.
    ///
    /// A type may serialise values that differ from its schema, so each value is checked.
    ///
    /// # Errors
    /// Returns all [problems](Error::problems) in one error, as [`Descriptor::check`] does.
    pub fn check(&self, values: &T) -> Result<CheckedRequest, Error> {
        let mut sink = StructSink(ExportRunBuilder::new(&self.descriptor));
        if let Err(problem) = collect_fields(values, &mut sink) {
            sink.0.problem(problem);
        }
        sink.0.build(self.id.clone())
    }
}

impl<T> Bound<T> {
    /// Returns the export as it was when the struct was bound.
    #[must_use]
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }
}

impl<T> Clone for Bound<T> {
    fn clone(&self) -> Self {
        Self { descriptor: self.descriptor.clone(), id: self.id.clone(), values: PhantomData }
    }
}

impl<T> fmt::Debug for Bound<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bound").field(&self.descriptor.name()).finish()
    }
}

/// Passes the fields of a bound struct to a builder. The schema has been compared, so a field for an unknown data type is
/// meant as raw JSON.
struct StructSink<'d>(ExportRunBuilder<'d>);

impl FieldSink for StructSink<'_> {
    fn put<V: Serialize + ?Sized>(&mut self, name: &str, value: &V) {
        self.0.fill(name, |data_type| match data_type {
            ExportDataType::Other(_) => match serde_json::to_value(value) {
                Ok(json) => Input::Value(ParameterValue::Raw(json)),
                Err(_) => Input::Serialized(serialize_value(value)),
            },
            _ => Input::Serialized(serialize_value(value)),
        });
    }
}

/// Returns every difference between a type and the parameters of an export, in terms of the type.
fn differences(descriptor: &Descriptor, schema: &SchemaFields) -> Vec<String> {
    if !schema.kinds.are_only(ValueKind::Object) && !schema.kinds.are_only(ValueKind::Null) {
        return vec![format!("the type: expected a struct with a field for every parameter; found {}", schema.kinds)];
    }
    let mut problems = Vec::new();
    if schema.varies {
        problems
            .push("the type: expected the same fields in every value; found an enum or a flattened enum".to_owned());
    }
    if schema.is_open {
        problems.push(
            "the type: expected named fields; found a map or a flattened map, whose keys are not fixed".to_owned(),
        );
    }
    let parameters = descriptor.parameters();
    let missing: Vec<&ExportParameter> =
        parameters.iter().filter(|parameter| !schema.fields.contains_key(&parameter.name)).collect();
    for (name, field) in &schema.fields {
        match parameters.iter().find(|parameter| parameter.name == *name) {
            Some(parameter) => problems.extend(difference(parameter, field)),
            None => problems.push(unknown_field(descriptor, name, &missing)),
        }
    }
    if !schema.varies && !schema.is_open {
        problems.extend(missing.iter().map(|parameter| {
            let expected = expected(&parameter.data_type);
            format!("{}: the type has no such field; expected {expected}", shown(&parameter.name))
        }));
    }
    problems
}

fn unknown_field(descriptor: &Descriptor, name: &str, missing: &[&ExportParameter]) -> String {
    let closest = closest(name, missing.iter().map(|parameter| parameter.name.as_str()));
    let problem = unknown_parameter(descriptor, name, closest);
    match closest {
        Some(closest) => format!("{problem} Add `#[serde(rename = {closest:?})]`"),
        None => problem,
    }
}

fn difference(parameter: &ExportParameter, field: &SchemaField) -> Option<String> {
    let (found, advice) = match (field.kinds.mismatch(&parameter.data_type), field.occurrences) {
        (Some(advice), _) => (field.kinds.to_string(), advice),
        (None, 0) => (format!("{} that may be left out", field.kinds), "every parameter must be given"),
        (None, 1) => return None,
        (None, _) => ("two fields of this name".to_owned(), ""),
    };
    let advice = if advice.is_empty() { String::new() } else { format!(": {advice}") };
    Some(format!("{}: expected {}; found {found}{advice}", shown(&parameter.name), expected(&parameter.data_type)))
}

/// Describes the values that a data type accepts from a field.
fn expected(data_type: &ExportDataType) -> String {
    match data_type {
        ExportDataType::Other(name) => format!("{}, a data type unknown to this version", shown(name)),
        _ => expectation(data_type),
    }
}
