//! Reads a saved catalog.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::error::Error;

const EXPECTED: &str = "expected the JSON response of `GET /Export`, an array of exports";

pub(crate) struct Export {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) parameters: Vec<Parameter>,
}

pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) data_type: String,
    pub(crate) description: String,
}

impl Export {
    /// Returns the name and id of the export, for errors.
    pub(crate) fn shown(&self) -> String {
        format!("export {} of id {}", shown(&self.name), shown(&self.id))
    }
}

/// Returns a string on one line, truncated, for errors.
pub(crate) fn shown(text: &str) -> String {
    const LONGEST: usize = 80;
    let mut shown: String = text.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// Reads a catalog. The error lists all problems.
pub(crate) fn read(json: &str) -> Result<Vec<Export>, Error> {
    // Some editors and shells write a byte order mark.
    let json = json.strip_prefix('\u{feff}').unwrap_or(json);
    let value: Value =
        serde_json::from_str(json).map_err(|error| Error::new(format!("{EXPECTED}; found something else: {error}")))?;
    let Value::Array(values) = value else {
        return Err(Error::new(format!("{EXPECTED}; found {}", kind(&value))));
    };
    let mut problems = Vec::new();
    let exports: Vec<Export> =
        values.iter().enumerate().filter_map(|(place, value)| export(place + 1, value, &mut problems)).collect();
    problems.extend(duplicates(&exports));
    if problems.is_empty() { Ok(exports) } else { Err(Error::several("the catalog cannot be used", problems)) }
}

fn export(place: usize, value: &Value, problems: &mut Vec<String>) -> Option<Export> {
    // Names the export by what is known of it.
    let whose = match (value["name"].as_str(), value["id"].as_str()) {
        (Some(name), _) => format!("export {place}, {}", shown(name)),
        (None, Some(id)) => format!("export {place}, of id {}", shown(id)),
        (None, None) => format!("export {place}"),
    };
    let before = problems.len();
    let id = text(value, "id", &whose, problems);
    let name = text(value, "name", &whose, problems);
    let parameters = match &value["parameters"] {
        Value::Null => Vec::new(),
        Value::Array(parameters) => parameters
            .iter()
            .enumerate()
            .map(|(place, value)| {
                let whose = match value["name"].as_str() {
                    Some(name) => format!("{whose}: parameter {}", shown(name)),
                    None => format!("{whose}: parameter {}", place + 1),
                };
                Parameter {
                    name: text(value, "name", &whose, problems),
                    data_type: text(value, "dataType", &whose, problems),
                    description: match &value["description"] {
                        Value::Null => String::new(),
                        _ => text(value, "description", &whose, problems),
                    },
                }
            })
            .collect(),
        other => {
            problems.push(format!("{whose}: `parameters`: expected an array; found {}", kind(other)));
            Vec::new()
        }
    };
    (problems.len() == before).then_some(Export { id, name, parameters })
}

/// Returns the string in a field. Adds a problem if there is none.
fn text(value: &Value, field: &str, whose: &str, problems: &mut Vec<String>) -> String {
    match value.get(field) {
        Some(Value::String(text)) => return text.clone(),
        Some(other) => problems.push(format!("{whose}: `{field}`: expected a string; found {}", kind(other))),
        None => problems.push(format!("{whose}: `{field}`: expected a string; found nothing")),
    }
    String::new()
}

/// Returns the problems of ids and parameters that occur twice, which are ambiguous in a run.
fn duplicates(exports: &[Export]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut ids: BTreeMap<&str, &Export> = BTreeMap::new();
    for export in exports {
        if let Some(first) = ids.insert(&export.id, export) {
            problems.push(format!(
                "{} and {} have the same id; expected unique ids: remove one of them",
                first.shown(),
                export.shown()
            ));
        }
        let mut names: BTreeMap<&str, usize> = BTreeMap::new();
        for parameter in &export.parameters {
            *names.entry(&parameter.name).or_default() += 1;
        }
        for (name, times) in names.into_iter().filter(|(_, times)| *times > 1) {
            problems.push(format!(
                "{}: expected the parameter {} once; found it {times} times: such an export cannot be run, remove it",
                export.shown(),
                shown(name)
            ));
        }
    }
    problems
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
