//! The mapping file: which column is which field.

use std::{collections::BTreeMap, fs, path::Path};

use serde::{Deserialize, Serialize};

use super::columns::EmptyRule;
use crate::output::Failure;

/// The content of a mapping file.
///
/// ```toml
/// date-format = "%d.%m.%Y"
/// ignore = ["Remarks"]
///
/// [columns]
/// "Cust. no." = "customerID"
///
/// [empty]
/// fax = "clear"
/// "*" = "keep"
/// ```
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Mapping {
    /// Columns and their fields.
    pub(super) columns: BTreeMap<String, String>,
    /// Columns that are not loaded.
    pub(super) ignore: Vec<String>,
    /// Columns or fields, and what an empty cell means; `*` for all others.
    pub(super) empty: BTreeMap<String, EmptyRule>,
    pub(super) date_format: Option<String>,
}

impl Mapping {
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let text = fs::read_to_string(path).map_err(|error| Failure::file("read", path, &error))?;
        let text = text.trim_start_matches('\u{feff}');
        toml::from_str(text)
            .map_err(|error| Failure::usage(format!("`{}` is no mapping: {}", path.display(), error.message().trim())))
    }
}
