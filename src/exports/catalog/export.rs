//! Exports as Rust types, generated from a saved catalog.

use serde::Serialize;

use super::{Catalog, descriptor::Descriptor};
use crate::error::name::shown;
use crate::{
    error::{Error, ErrorKind},
    generated::operations::EXPORT_RUN,
};

/// Dependencies of generated code, re-exported so that its users need no others.
#[doc(hidden)]
pub mod __codegen {
    pub use chrono;
    pub use schemars;
    pub use serde;
    pub use serde_json;

    /// Returns the schema of a generated struct. The derive macro is not used because its attributes fail under a user's
    /// `forbid(unused)`.
    #[must_use]
    pub fn schema<E: crate::exports::Export>(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let properties: serde_json::Map<_, _> = E::PARAMETERS
            .iter()
            .map(|(name, data_type)| {
                let schema = match *data_type {
                    "Integer" => generator.subschema_for::<i64>(),
                    "Text" => generator.subschema_for::<String>(),
                    "Boolean" => generator.subschema_for::<bool>(),
                    "DateTime" => generator.subschema_for::<chrono::DateTime<chrono::Utc>>(),
                    _ => generator.subschema_for::<serde_json::Value>(),
                };
                ((*name).to_owned(), schema.to_value())
            })
            .collect();
        let required: Vec<_> = E::PARAMETERS.iter().map(|(name, _)| name).collect();
        schemars::json_schema!({"type": "object", "properties": properties, "required": required})
    }
}

/// A struct that holds the parameter values of one export.
///
/// `perenso-codegen` generates implementations in a build script, from a
/// [`SavedCatalog`](crate::exports::SavedCatalog), so that a renamed or retyped parameter breaks the build.
///
/// The struct must serialise as an object with one field for each of [`PARAMETERS`](Self::PARAMETERS), under its exact
/// name. [`Exports::run_export`](crate::exports::Exports::run_export) relies on this.
pub trait Export: Serialize {
    /// The id of the export in the saved catalog.
    const ID: &'static str;
    /// The name of the export in the saved catalog.
    const NAME: &'static str;
    /// The parameters of the export: name and data type.
    const PARAMETERS: &'static [(&'static str, &'static str)];
}

/// The declaration of an export by a type, to be compared with the catalog of the show.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ExportDeclaration {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) parameters: &'static [(&'static str, &'static str)],
}

impl ExportDeclaration {
    pub(crate) fn of<E: Export>() -> Self {
        Self { id: E::ID, name: E::NAME, parameters: E::PARAMETERS }
    }

    /// Finds the export by id, or by name in the catalog of a show that does not have the id. Fails if its parameters are
    /// not the declared ones.
    pub(crate) fn find<'a>(&self, catalog: &'a Catalog) -> Result<&'a Descriptor, Error> {
        let has_id = catalog.iter().any(|export| export.id() == self.id);
        let has_name = catalog.iter().any(|export| export.name() == self.name);
        let found = match (has_id, has_name) {
            (true, _) => catalog.by_id(self.id)?,
            (false, true) => catalog.by_name(self.name)?,
            (false, false) => {
                let detail = format!("no export has the id {} or the name {}", shown(self.id), shown(self.name));
                return Err(drift_error(detail, Vec::new()));
            }
        };
        if has_name && found.name() != self.name {
            let detail = format!(
                "the id {} belongs to {} and the name {} to another export",
                shown(self.id),
                shown(found.name()),
                shown(self.name)
            );
            return Err(drift_error(detail, Vec::new()));
        }
        let problems = self.differences(found);
        if problems.is_empty() {
            return Ok(found);
        }
        Err(drift_error(
            format!("the parameters of {} are not those of the saved catalog", shown(found.name())),
            problems,
        ))
    }

    /// Returns the differences in the order of the declaration, followed by new parameters.
    pub(crate) fn differences(&self, live: &Descriptor) -> Vec<String> {
        let declared = self.parameters.iter().filter_map(|(name, data_type)| {
            let mut found = live.parameters().iter().filter(|parameter| parameter.name == *name);
            match found.next().map(|parameter| parameter.data_type.as_str()) {
                Some(found) if found == *data_type => None,
                Some(found) => Some(format!("{}: expected {}; found {}", shown(name), shown(data_type), shown(found))),
                None => {
                    Some(format!("{}: expected {}; the export has no such parameter", shown(name), shown(data_type)))
                }
            }
        });
        let is_new = |name: &str| self.parameters.iter().all(|(declared, _)| *declared != name);
        let new = live.parameters().iter().filter(|parameter| is_new(&parameter.name)).map(|parameter| {
            format!(
                "{}: not in the saved catalog; found {}",
                shown(&parameter.name),
                shown(parameter.data_type.as_str())
            )
        });
        declared.chain(new).collect()
    }
}

fn drift_error(detail: String, problems: Vec<String>) -> Error {
    let detail = format!("{detail}; save the catalog again and rebuild");
    Error::several(ErrorKind::Export, EXPORT_RUN.id, detail, problems)
}
