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
        let text = fs::read(path).map_err(|error| Failure::file("read", path, &error))?;
        let wrong = |line: usize, reason: &str| {
            let path = path.display();
            Failure::usage(format!(
                "`{path}` is no mapping: {reason} (line {line}). Under `[columns]`, each line is a column and its field: \
                 \"Store no.\" = \"customerID\""
            ))
        };
        let text = String::from_utf8(text).map_err(|_| wrong(1, "it is not UTF-8"))?;
        if let Some(line) = text.lines().position(|line| line.contains(['\u{201c}', '\u{201d}', '\u{201e}'])) {
            return Err(wrong(line + 1, "it has curly quotes, where straight ones are expected"));
        }
        let text = text.trim_start_matches('\u{feff}');
        toml::from_str(text).map_err(|error: toml::de::Error| {
            let start = error.span().map_or(0, |span| span.start);
            let line = text.get(..start).map_or(1, |before| before.matches('\n').count() + 1);
            wrong(line, error.message().trim())
        })
    }
}
