//! What came, went or changed since a catalog was saved, as data and as text.

use std::fmt;

use serde::Serialize;
use serde_json::Value as Json;

use crate::exports::values::name::{clean, shown};

/// What came, went or changed since a catalog was saved: [`SavedCatalog::compare`](crate::exports::SavedCatalog::compare) finds it.
///
/// `Display` gives a line for each change, with a mark at those that break; serialised it is their list. The order in
/// which the exports are listed means nothing, and is not looked at.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let sandbox = perenso_sandbox::Sandbox::start().await?;
/// # let show = perenso::Perenso::from_vars(sandbox.vars())?;
/// use perenso::exports::SavedCatalog;
///
/// let saved = SavedCatalog::from_json(r#"[{"id": "79aag9", "name": "Get API Customers", "parameters": [
///     {"name": "Cursor", "dataType": "Integer"}, {"name": "Limit", "dataType": "Text"}]}]"#)?;
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
    /// The id of the export: that of the saved catalog, or its own if it is new.
    pub id: String,
    /// Its name, likewise.
    pub name: String,
    /// What changed.
    #[serde(flatten)]
    pub kind: ChangeKind,
    /// Whether a run that the saved catalog accepts, by name, by id or by generated struct, is refused by the live one or
    /// reaches another export.
    pub breaks: bool,
}

/// What changed of an export. Kinds may be added.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChangeKind {
    /// It is new. That breaks only where it takes an id or a name of another: the two cannot be told apart then.
    ExportNew,
    /// It is gone.
    ExportGone,
    /// Its id has another name: what runs it by name breaks.
    ExportRenamed {
        /// The name now.
        to: String,
    },
    /// Its name has another id: what runs it by id breaks.
    IdChanged {
        /// The id now.
        to: String,
    },
    /// A run must be given one more value.
    ParameterNew {
        /// The name of the parameter.
        parameter: String,
        /// Its data type.
        data_type: String,
    },
    /// A run must no longer be given a value.
    ParameterGone {
        /// The name of the parameter.
        parameter: String,
        /// The data type that it had.
        data_type: String,
    },
    /// A parameter has another data type.
    ParameterRetyped {
        /// The name of the parameter.
        parameter: String,
        /// The data type in the saved catalog.
        expected: String,
        /// The data type now.
        found: String,
    },
    /// The parameters stand in another order.
    ParametersReordered,
    /// A parameter is described in other words.
    DescriptionChanged {
        /// The name of the parameter.
        parameter: String,
        /// The description in the saved catalog.
        from: Option<String>,
        /// The description now.
        to: Option<String>,
    },
    /// A field that the SDK does not know came, went or changed.
    FieldChanged {
        /// The name of the parameter; none for a field of the export itself.
        parameter: Option<String>,
        /// The name of the field.
        field: String,
        /// Its value in the saved catalog.
        from: Option<Json>,
        /// Its value now.
        to: Option<Json>,
    },
}

impl Drift {
    /// Whether nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Whether a change breaks what was built upon the saved catalog.
    #[must_use]
    pub fn breaks(&self) -> bool {
        self.changes.iter().any(|change| change.breaks)
    }

    /// The changes in the order of the saved catalog, and then what is new.
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

/// One line, without the mark.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): ", clean(&self.name, 80), clean(&self.id, 80))?;
        let clean = |text: &str| clean(text, 80);
        match &self.kind {
            ChangeKind::ExportNew if self.breaks => f.write_str("new, with an id or a name that another export has"),
            ChangeKind::ExportNew => f.write_str("new"),
            ChangeKind::ExportGone => f.write_str("gone"),
            ChangeKind::ExportRenamed { to } => write!(f, "renamed to {}", shown(to)),
            ChangeKind::IdChanged { to } => write!(f, "has the id {} now", shown(to)),
            ChangeKind::ParameterNew { parameter, data_type } => {
                write!(f, "parameter {}: new, {}", shown(parameter), clean(data_type))
            }
            ChangeKind::ParameterGone { parameter, data_type } => {
                write!(f, "parameter {}: gone, was {}", shown(parameter), clean(data_type))
            }
            ChangeKind::ParameterRetyped { parameter, expected, found } => {
                write!(f, "parameter {}: expected {}, found {}", shown(parameter), clean(expected), clean(found))
            }
            ChangeKind::ParametersReordered => f.write_str("parameters in another order"),
            ChangeKind::DescriptionChanged { parameter, .. } => {
                write!(f, "parameter {}: another description", shown(parameter))
            }
            ChangeKind::FieldChanged { parameter, field, from, to } => {
                if let Some(parameter) = parameter {
                    write!(f, "parameter {}: ", shown(parameter))?;
                }
                let how = match (from, to) {
                    (None, _) => "new",
                    (_, None) => "gone",
                    _ => "changed",
                };
                write!(f, "field {} {how}", shown(field))
            }
        }
    }
}
