//! Definitions: exports as JSON, in the format of the vendor's catalog, with their rows.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use serde::de::{Deserialize, Deserializer, Error as _};
use serde_json::value::RawValue;

use super::row_file::RowFile;
use super::{DataType, Export, Parameter};
use crate::error::Error;
use crate::model::rows::{RowSyntax, Rows};

/// The JSON of one export.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Definition {
    id: String,
    name: String,
    #[serde(default)]
    parameters: Vec<Declared>,
    rows: Option<Vec<Box<RawValue>>>,
    rows_file: Option<PathBuf>,
    #[serde(default, rename = "form")]
    syntax: RowSyntax,
    content_type: Option<String>,
    cursor: Option<String>,
    limit: Option<String>,
}

/// A parameter in the format of the catalog.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Declared {
    name: String,
    #[serde(rename = "dataType")]
    data_type: String,
    description: Option<String>,
}

impl Definition {
    /// Returns the export, without the rows of a `rows_file`.
    fn export(self) -> Result<Export, &'static str> {
        let content_type = self.content_type.as_deref();
        if self.id.is_empty() || self.id.contains('/') {
            return Err("the id must not be empty or contain a slash");
        }
        if content_type.is_some_and(|content_type| !is_header_value(content_type)) {
            return Err("the content_type is not a valid header value");
        }
        let mut export = Export::new(self.id, self.name).syntax(self.syntax);
        export.parameters = self.parameters.into_iter().map(Parameter::from).collect();
        export.content_type = self.content_type;
        export.cursor = self.cursor.unwrap_or(export.cursor);
        export.limit = self.limit.unwrap_or(export.limit);
        Ok(match self.rows {
            Some(rows) => export.rows(raw_rows(rows)),
            None => export,
        })
    }
}

/// Returns true for a valid header value (RFC 9110, section 5.5).
pub(crate) fn is_header_value(value: &str) -> bool {
    value.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t'))
}

impl From<Declared> for Parameter {
    fn from(declared: Declared) -> Self {
        let Declared { name, data_type, description } = declared;
        Self { name, data_type: DataType::named(data_type), description }
    }
}

/// Returns rows with their original numbers and strings, each on one line.
fn raw_rows(rows: Vec<Box<RawValue>>) -> Rows {
    let rows: Vec<String> = rows.iter().map(|row| on_one_line(row.get())).collect();
    let count = rows.len() as u64;
    Rows::written(count, move |number, buffer| {
        // The number is less than the count, which is that of the list.
        buffer.extend_from_slice(rows[number as usize].as_bytes());
        Ok(())
    })
}

/// Removes the white space between tokens. Numbers and strings are unchanged.
fn on_one_line(json: &str) -> String {
    let (mut in_text, mut is_escaped) = (false, false);
    json.chars()
        .filter(|letter| {
            let is_kept = in_text || !letter.is_ascii_whitespace();
            in_text ^= *letter == '"' && !is_escaped;
            is_escaped = in_text && *letter == '\\' && !is_escaped;
            is_kept
        })
        .collect()
}

/// Parses one definition or a list.
fn definitions(text: &str) -> serde_json::Result<Vec<Definition>> {
    if text.trim_start().starts_with('[') { serde_json::from_str(text) } else { Ok(vec![serde_json::from_str(text)?]) }
}

fn wrong(what: impl Display, message: &str) -> Error {
    Error::data(what, serde_json::Error::custom(message))
}

impl Export {
    /// Reads one export or a list of exports from a JSON file. Each has the format of the catalog, with its rows:
    ///
    /// ```json
    /// {
    ///   "id": "b4dg3s",
    ///   "name": "Badge Scans",
    ///   "parameters": [
    ///     { "name": "Cursor", "dataType": "Integer", "description": "Which page" },
    ///     { "name": "Limit", "dataType": "Integer" }
    ///   ],
    ///   "rows": [{ "scan": 1, "zip": "0940", "fee": 12.50 }]
    /// }
    /// ```
    ///
    /// Instead of `rows` there may be a `rows_file`: JSON lines (`.jsonl`, `.ndjson`) or CSV (`.csv`, all cells are strings),
    /// with a path relative to the definition. It is checked once, then read while it is sent, so it may have any size.
    /// Optional keys: `form` (`"array"`, `"lines"` or `"csv"`), `content_type`, and `cursor` and `limit`, the names of the
    /// paging parameters.
    ///
    /// # Errors
    /// [`Error::File`] if a file cannot be read, [`Error::Data`] if its content is invalid. The source names the position.
    pub fn read(path: impl AsRef<Path>) -> Result<Vec<Self>, Error> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|error| Error::file(path, error))?;
        let definitions = definitions(&text).map_err(|error| Error::data(path.display(), error))?;
        let export = |mut definition: Definition| {
            let file = definition.rows_file.take();
            if file.is_some() && definition.rows.is_some() {
                return Err(wrong(path.display(), "rows and rows_file exclude each other"));
            }
            let export = definition.export().map_err(|message| wrong(path.display(), message))?;
            Ok(match file {
                Some(file) => export.rows(RowFile::open(&path.parent().unwrap_or(Path::new("")).join(file))?),
                None => export,
            })
        };
        definitions.into_iter().map(export).collect()
    }

    /// Parses exports from JSON, as [`read`](Self::read) without files.
    ///
    /// # Errors
    /// [`Error::Data`] for invalid JSON or an invalid definition.
    pub fn from_json(text: &str) -> Result<Vec<Self>, Error> {
        let definitions = definitions(text).map_err(|error| Error::data("export", error))?;
        let export = |definition: Definition| {
            if definition.rows_file.is_some() {
                return Err(wrong("export", "rows_file needs a definition that is a file itself"));
            }
            definition.export().map_err(|message| wrong("export", message))
        };
        definitions.into_iter().map(export).collect()
    }
}

/// Deserialises one export as [`Export::from_json`] does.
impl<'de> Deserialize<'de> for Export {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let definition = Definition::deserialize(deserializer)?;
        if definition.rows_file.is_some() {
            return Err(D::Error::custom("rows_file needs a definition that is a file itself"));
        }
        definition.export().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_insignificant_white_space_is_removed() {
        for (json, expected) in [
            ("{ \"a\" :\n\t1.50 , \"b c\": [ 1 , 2 ] }", r#"{"a":1.50,"b c":[1,2]}"#),
            (r#"{ "quote": "a \" b \\" , "c": " \\\" " }"#, r#"{"quote":"a \" b \\","c":" \\\" "}"#),
        ] {
            assert_eq!(on_one_line(json), expected);
        }
    }
}
