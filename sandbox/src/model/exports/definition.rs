//! Definitions: exports as JSON, as the vendor's catalog shows them and with their rows.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use serde::de::{Deserialize, Deserializer, Error as _};
use serde_json::value::RawValue;

use super::row_file::RowFile;
use super::{DataType, Export, Parameter, RowSyntax, Rows};
use crate::error::Error;

/// What stands in a file.
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

/// A parameter as the catalog has it.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Declared {
    name: String,
    #[serde(rename = "dataType")]
    data_type: String,
    description: Option<String>,
}

impl Definition {
    /// The export, but for rows that stand in a file.
    fn export(self) -> Result<Export, &'static str> {
        let content_type = self.content_type.as_deref();
        if self.id.is_empty() || self.id.contains('/') {
            return Err("an id must not be empty or hold a slash");
        }
        if content_type.is_some_and(|content_type| !is_header_value(content_type)) {
            return Err("the content_type is none that HTTP allows");
        }
        let mut export = Export::new(self.id, self.name).syntax(self.syntax);
        export.parameters = self.parameters.into_iter().map(Parameter::from).collect();
        export.content_type = self.content_type;
        export.cursor = self.cursor.unwrap_or(export.cursor);
        export.limit = self.limit.unwrap_or(export.limit);
        Ok(match self.rows {
            Some(rows) => export.rows(written(rows)),
            None => export,
        })
    }
}

/// Whether a header may have this value (RFC 9110, section 5.5).
pub(crate) fn is_header_value(value: &str) -> bool {
    value.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t'))
}

impl From<Declared> for Parameter {
    fn from(declared: Declared) -> Self {
        let Declared { name, data_type, description } = declared;
        Self { name, data_type: DataType::named(data_type), description }
    }
}

/// Rows as they were written, each on one line.
fn written(rows: Vec<Box<RawValue>>) -> Rows {
    let rows: Vec<String> = rows.iter().map(|row| on_one_line(row.get())).collect();
    let count = rows.len() as u64;
    Rows::written(count, move |number, buffer| {
        // Nobody asks for a row beyond the count, which is that of the list.
        buffer.extend_from_slice(rows[number as usize].as_bytes());
        Ok(())
    })
}

/// JSON without the white space between its tokens; numbers and texts keep their digits and letters.
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

/// Reads one definition or a list of them.
fn definitions(text: &str) -> serde_json::Result<Vec<Definition>> {
    if text.trim_start().starts_with('[') { serde_json::from_str(text) } else { Ok(vec![serde_json::from_str(text)?]) }
}

fn wrong(what: impl Display, message: &str) -> Error {
    Error::data(what, serde_json::Error::custom(message))
}

impl Export {
    /// Reads exports from a JSON file: one, or a list of them. Each is written as the catalog shows it, with its rows
    /// beside that:
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
    /// Instead of `rows` there may be `rows_file`: a file of JSON lines (`.jsonl`, `.ndjson`) or CSV (`.csv`, all cells
    /// are texts), its path relative to that of the definition. Such rows are looked at once at the start, and read
    /// while they are sent, so that there may be any number of them. Further keys, all optional: `form` (`"array"`,
    /// `"lines"` or `"csv"`), `content_type`, and `cursor` and `limit`, the names of the parameters that make pages.
    ///
    /// # Errors
    /// [`Error::File`] when a file cannot be read, [`Error::Data`] when what it holds is not as described here; the
    /// error's source says where.
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

    /// Reads exports from JSON: the same as [`read`](Self::read) without files.
    ///
    /// # Errors
    /// [`Error::Data`] when it is not as described there.
    pub fn from_json(text: &str) -> Result<Vec<Self>, Error> {
        let definitions = definitions(text).map_err(|error| Error::data("export", error))?;
        let export = |definition: Definition| {
            if definition.rows_file.is_some() {
                return Err(wrong("export", "rows_file is for definitions that stand in a file themselves"));
            }
            definition.export().map_err(|message| wrong("export", message))
        };
        definitions.into_iter().map(export).collect()
    }
}

/// As [`Export::from_json`] reads one.
impl<'de> Deserialize<'de> for Export {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let definition = Definition::deserialize(deserializer)?;
        if definition.rows_file.is_some() {
            return Err(D::Error::custom("rows_file is for definitions that stand in a file themselves"));
        }
        definition.export().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_goes_only_where_it_means_nothing() {
        for (json, expected) in [
            ("{ \"a\" :\n\t1.50 , \"b c\": [ 1 , 2 ] }", r#"{"a":1.50,"b c":[1,2]}"#),
            (r#"{ "quote": "a \" b \\" , "c": " \\\" " }"#, r#"{"quote":"a \" b \\","c":" \\\" "}"#),
        ] {
            assert_eq!(on_one_line(json), expected);
        }
    }
}
