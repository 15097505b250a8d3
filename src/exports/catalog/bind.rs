//! A struct that is bound to an export: its schema is compared once, its values are checked in every run.

mod kind;
mod schema;

use std::{fmt, marker::PhantomData};

use schemars::JsonSchema;
use serde::Serialize;

use self::{
    kind::Kind,
    schema::{Field, Fields},
};
use super::{
    checked::{CheckedRequest, ExportRunBuilder, runnable, unknown},
    descriptor::Descriptor,
};
use crate::exports::{
    values::fields::{FieldSink, collect_fields, written},
    values::name::{meant, shown},
    values::value::{Input, Value, expectation},
};
use crate::{
    error::{Error, ErrorKind},
    generated::operations::EXPORT_RUN,
    records::Id,
    types::{ExportDataType, ExportParameter},
};

/// A struct that fits an export: [`Catalog::bind`](crate::exports::Catalog::bind) compares the two, once.
///
/// It is cheap to keep and to share, and it stays what it is when the catalog changes: bind anew after a run was refused.
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
/// let catalog: Catalog = serde_json::from_str(r#"[{"id": "1", "name": "Sales", "parameters": [
///     {"name": "Since", "dataType": "DateTime"},
///     {"name": "City", "dataType": "Text"},
///     {"name": "Page", "dataType": "Integer"}]}]"#)?;
/// let sales = catalog.bind::<Sales>("Sales")?;
///
/// let request = sales.check(&Sales { since: DateTime::UNIX_EPOCH, city: "Exampleville", page: 1 })?;
/// assert_eq!(request.body().unwrap_or_default()["Since"], "1970-01-01T00:00:00Z");
///
/// // The type fits, this value does not.
/// let error = sales.check(&Sales { since: DateTime::UNIX_EPOCH, city: "Exampleville", page: u64::MAX }).unwrap_err();
/// assert!(error.problems()[0].ends_with("found an integer beyond 64 bits"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Bound<T> {
    descriptor: Descriptor,
    id: Id,
    // Like a maker of `T`, not like an owner: any lifetime of borrowed values will do, on any thread.
    values: PhantomData<fn() -> T>,
}

impl<T: Serialize + JsonSchema> Bound<T> {
    pub(crate) fn new(descriptor: &Descriptor) -> Result<Self, Error> {
        let id = runnable(descriptor)?;
        match differences(descriptor, &Fields::of::<T>()) {
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
    /// Turns the values of the struct into a request that fits. A type can promise more than its values keep, so each
    /// of them is checked.
    ///
    /// # Errors
    /// All [problems](Error::problems) at once, as [`Descriptor::check`] has them.
    pub fn check(&self, values: &T) -> Result<CheckedRequest, Error> {
        let mut form = Form(ExportRunBuilder::new(&self.descriptor));
        if let Err(problem) = collect_fields(values, &mut form) {
            form.0.problem(problem);
        }
        form.0.finish(self.id.clone())
    }
}

impl<T> Bound<T> {
    /// The export as it was when the struct was compared with it.
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

/// A draft that is filled by a struct. The struct's schema has been compared, so JSON for a data type that the SDK does
/// not know was asked for.
struct Form<'d>(ExportRunBuilder<'d>);

impl FieldSink for Form<'_> {
    fn put<V: Serialize + ?Sized>(&mut self, name: &str, value: &V) {
        self.0.fill(name, |data_type| match data_type {
            ExportDataType::Other(_) => match serde_json::to_value(value) {
                Ok(json) => Input::Value(Value::Raw(json)),
                Err(_) => Input::Written(written(value)),
            },
            _ => Input::Written(written(value)),
        });
    }
}

/// Everything in which a type differs from the parameters of an export, in the words of the type.
fn differences(descriptor: &Descriptor, of: &Fields) -> Vec<String> {
    if !of.kinds.are_only(Kind::Object) && !of.kinds.are_only(Kind::Null) {
        return vec![format!("the type: expected a struct with a field for every parameter; found {}", of.kinds)];
    }
    let mut problems = Vec::new();
    if of.varies {
        problems.push(
            "the type: expected the same fields in every value; found an enum, or one that is flattened".to_owned(),
        );
    }
    if of.is_open {
        problems.push(
            "the type: expected fields that have names; found a map, or one that is flattened, whose keys may be any"
                .to_owned(),
        );
    }
    let parameters = descriptor.parameters();
    let missing: Vec<&ExportParameter> =
        parameters.iter().filter(|parameter| !of.fields.contains_key(&parameter.name)).collect();
    for (name, field) in &of.fields {
        match parameters.iter().find(|parameter| parameter.name == *name) {
            Some(parameter) => problems.extend(difference(parameter, field)),
            None => problems.push(stranger(descriptor, name, &missing)),
        }
    }
    if !of.varies && !of.is_open {
        problems.extend(missing.iter().map(|parameter| {
            let expected = expected(&parameter.data_type);
            format!("{}: the type has no such field; expected {expected}", shown(&parameter.name))
        }));
    }
    problems
}

fn stranger(descriptor: &Descriptor, name: &str, missing: &[&ExportParameter]) -> String {
    let meant = meant(name, missing.iter().map(|parameter| parameter.name.as_str()));
    let problem = unknown(descriptor, name, meant);
    match meant {
        Some(meant) => format!("{problem} `#[serde(rename = {meant:?})]` says so"),
        None => problem,
    }
}

fn difference(parameter: &ExportParameter, field: &Field) -> Option<String> {
    let (found, advice) = match (field.kinds.misfit(&parameter.data_type), field.times) {
        (Some(advice), _) => (field.kinds.to_string(), advice),
        (None, 0) => (format!("{} that may be left out", field.kinds), "every parameter must be given"),
        (None, 1) => return None,
        (None, _) => ("two fields of this name".to_owned(), ""),
    };
    let advice = if advice.is_empty() { String::new() } else { format!(": {advice}") };
    Some(format!("{}: expected {}; found {found}{advice}", shown(&parameter.name), expected(&parameter.data_type)))
}

/// What a data type takes, for a field.
fn expected(data_type: &ExportDataType) -> String {
    match data_type {
        ExportDataType::Other(name) => format!("{}, a data type that this version does not know", shown(name)),
        _ => expectation(data_type),
    }
}
