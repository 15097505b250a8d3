//! Changes since a catalog was saved.

use std::fmt;

use serde::Serialize;
use serde_json::Value as Json;

use crate::error::name::{sanitize, shown};

/// The changes since a catalog was saved, returned by [`SavedCatalog::compare`](crate::exports::SavedCatalog::compare).
///
/// `Display` writes one line for each change and marks the breaking ones. The serialised form is a list of changes. The
/// order of the exports in a catalog is ignored.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let sandbox = perenso_sandbox::Sandbox::start().await?;
/// # let show = perenso::Perenso::from_vars(sandbox.vars())?;
/// use perenso::exports::SavedCatalog;
///
/// let saved = SavedCatalog::from_json(r#"[
///     {"id": "79aag9", "name": "Get API Customers", "parameters": [
///         {"name": "Cursor", "dataType": "Integer"},
///         {"name": "Limit", "dataType": "Text"}]}]"#)?;
/// let drift = saved.compare(&*show.exports().catalog().await?);
/// assert!(drift.breaks());
/// for change in drift.changes() {
///     println!("{change}");
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Drift {
    changes: Vec<Change>,
}

/// One change of one export.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Change {
    /// The id of the export in the saved catalog, or in the live one if the export is new.
    pub id: String,
    /// The name of the export in the same catalog.
    pub name: String,
    /// The kind of change.
    #[serde(flatten)]
    pub kind: ChangeKind,
    /// True if a run that the saved catalog accepts, by name, by id or by generated struct, is rejected by the live one
    /// or reaches another export.
    pub breaks: bool,
}

/// A kind of change. Variants may be added.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChangeKind {
    /// The export is new. This breaks only if it has the id or the name of another export.
    ExportNew,
    /// The export is gone.
    ExportGone,
    /// The id has another name. Runs by name break.
    ExportRenamed {
        /// The new name.
        to: String,
    },
    /// The name has another id. Runs by id break.
    IdChanged {
        /// The new id.
        to: String,
    },
    /// A run requires one more value.
    ParameterNew {
        /// The name of the parameter.
        parameter: String,
        /// The data type.
        data_type: String,
    },
    /// A run no longer accepts a value.
    ParameterGone {
        /// The name of the parameter.
        parameter: String,
        /// The data type in the saved catalog.
        data_type: String,
    },
    /// A parameter has another data type.
    ParameterRetyped {
        /// The name of the parameter.
        parameter: String,
        /// The data type in the saved catalog.
        expected: String,
        /// The new data type.
        found: String,
    },
    /// The parameters are in another order.
    ParametersReordered,
    /// A parameter has another description.
    DescriptionChanged {
        /// The name of the parameter.
        parameter: String,
        /// The description in the saved catalog.
        from: Option<String>,
        /// The new description.
        to: Option<String>,
    },
    /// A field unknown to the SDK was added, removed or changed.
    FieldChanged {
        /// The name of the parameter; `None` for a field of the export itself.
        parameter: Option<String>,
        /// The name of the field.
        field: String,
        /// The value in the saved catalog.
        from: Option<Json>,
        /// The new value.
        to: Option<Json>,
    },
}

impl Drift {
    /// Returns true if nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Returns true if any change breaks a program built for the saved catalog.
    #[must_use]
    pub fn breaks(&self) -> bool {
        self.changes.iter().any(|change| change.breaks)
    }

    /// Returns the changes in the order of the saved catalog, followed by new exports.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    pub(crate) fn of(changes: Vec<Change>) -> Self {
        Self { changes }
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("no changes");
        }
        for (place, change) in self.changes.iter().enumerate() {
            let line = if place == 0 { "" } else { "\n" };
            let mark = if change.breaks { "breaks" } else { "" };
            write!(f, "{line}{mark:6}  {change}")?;
        }
        Ok(())
    }
}

/// Writes one line, without the mark.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): ", sanitize(&self.name, 80), sanitize(&self.id, 80))?;
        let sanitize = |text: &str| sanitize(text, 80);
        match &self.kind {
            ChangeKind::ExportNew if self.breaks => f.write_str("new, with the id or the name of another export"),
            ChangeKind::ExportNew => f.write_str("new"),
            ChangeKind::ExportGone => f.write_str("gone"),
            ChangeKind::ExportRenamed { to } => write!(f, "renamed to {}", shown(to)),
            ChangeKind::IdChanged { to } => write!(f, "id changed to {}", shown(to)),
            ChangeKind::ParameterNew { parameter, data_type } => {
                write!(f, "parameter {}: new, {}", shown(parameter), sanitize(data_type))
            }
            ChangeKind::ParameterGone { parameter, data_type } => {
                write!(f, "parameter {}: gone, was {}", shown(parameter), sanitize(data_type))
            }
            ChangeKind::ParameterRetyped { parameter, expected, found } => {
                write!(f, "parameter {}: expected {}, found {}", shown(parameter), sanitize(expected), sanitize(found))
            }
            ChangeKind::ParametersReordered => f.write_str("order of the parameters changed"),
            ChangeKind::DescriptionChanged { parameter, .. } => {
                write!(f, "parameter {}: description changed", shown(parameter))
            }
            ChangeKind::FieldChanged { parameter, field, from, to } => {
                if let Some(parameter) = parameter {
                    write!(f, "parameter {}: ", shown(parameter))?;
                }
                let change = match (from, to) {
                    (None, _) => "new",
                    (_, None) => "gone",
                    _ => "changed",
                };
                write!(f, "field {} {change}", shown(field))
            }
        }
    }
}
