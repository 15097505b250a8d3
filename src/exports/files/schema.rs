//! The schema of a table and its file.

use std::{collections::HashSet, fmt, fs, path::Path};

use perenso_auth::decode::decode_body;
use serde::{Deserialize, Serialize};

use super::column::Column;
use crate::{
    error::{Error, ErrorKind, FILE, name::shown},
    exports::atomic_file::AtomicFile,
};

/// The schema of a table: its columns in order.
///
/// ```
/// use perenso::exports::files::{Column, ColumnType, TableSchema};
///
/// let orders = TableSchema::new([
///     Column::required("orderNumber", ColumnType::Text),
///     Column::nullable("price", ColumnType::Decimal { precision: 12, scale: 2 }),
/// ])?;
/// let json = r#"{
///   "columns": [
///     {"name":"orderNumber","type":"text","nullable":false},
///     {"name":"price","type":"decimal(12, 2)","nullable":true}
///   ]
/// }
/// "#;
/// assert_eq!(orders.to_string(), json);
/// assert_eq!(serde_json::from_str::<TableSchema>(json)?, orders);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "SchemaDraft")]
pub struct TableSchema {
    columns: Vec<Column>,
}

/// An unvalidated schema.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SchemaDraft {
    columns: Vec<Column>,
}

impl TryFrom<SchemaDraft> for TableSchema {
    type Error = Error;

    fn try_from(draft: SchemaDraft) -> Result<Self, Error> {
        Self::new(draft.columns)
    }
}

impl TableSchema {
    /// Creates a schema.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] for duplicate names and invalid columns, with all problems.
    pub fn new(columns: impl IntoIterator<Item = Column>) -> Result<Self, Error> {
        let columns: Vec<Column> = columns.into_iter().collect();
        let mut names = HashSet::new();
        let mut problems = Vec::new();
        for column in &columns {
            if !names.insert(column.name()) {
                problems.push(format!("column {} occurs twice", shown(column.name())));
            }
            if let Some(problem) = column.problem() {
                problems.push(format!("column {}: {problem}", shown(column.name())));
            }
        }
        if !columns.is_empty() && columns.iter().all(Column::is_omitted) {
            problems.push("every column is omitted; expected at least one other".to_owned());
        }
        if problems.is_empty() {
            return Ok(Self { columns });
        }
        Err(Error::several(ErrorKind::Input, FILE, "the schema is invalid", problems))
    }

    /// Returns the columns in order.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Returns the column with this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name() == name)
    }

    /// Returns the columns that are written.
    pub(super) fn written(&self) -> Self {
        Self { columns: self.columns.iter().filter(|column| !column.is_omitted()).cloned().collect() }
    }

    /// Returns the names of the columns that are not written.
    pub(super) fn omitted(&self) -> HashSet<String> {
        let omitted = self.columns.iter().filter(|column| column.is_omitted());
        omitted.map(|column| column.name().to_owned()).collect()
    }

    /// Reads a schema from a file.
    ///
    /// # Errors
    /// [`ErrorKind::File`] if the file cannot be read or does not hold a schema.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let text = fs::read(path).map_err(|error| Error::of_file("cannot be read", path, error))?;
        let invalid = |reason: &dyn fmt::Display| Error::of_file("holds no schema of a table", path, reason);
        // The error names no values: the file may hold rows.
        let draft: SchemaDraft = decode_body(&text).map_err(|mismatch| invalid(&mismatch))?;
        Self::new(draft.columns).map_err(|error| invalid(&error))
    }

    /// Saves the schema as JSON, with one line for each column. The file is replaced atomically.
    ///
    /// # Errors
    /// [`ErrorKind::File`] if the file cannot be written. An existing file is then unchanged.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let file = AtomicFile::new(path.as_ref())?;
        file.write_bytes(self.to_string().as_bytes())?;
        file.persist()
    }
}

impl fmt::Display for TableSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{\n  \"columns\": [")?;
        for (index, column) in self.columns.iter().enumerate() {
            f.write_str(if index == 0 { "\n    " } else { ",\n    " })?;
            let column = serde_json::to_string(column).map_err(|_| fmt::Error)?;
            f.write_str(&column)?;
        }
        f.write_str("\n  ]\n}\n")
    }
}
