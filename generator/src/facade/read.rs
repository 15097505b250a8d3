//! Reads a facade from JSON.

use std::{error::Error, fmt, fs, path::Path};

use serde_json::{Map, Value};

use super::{Facade, Field, Method, Operation, kind::Kind};
use crate::document::operations::METHODS;

/// All problems of a facade, each with its place in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FacadeError {
    /// The problems, in the order of the operations.
    pub problems: Vec<String>,
}

impl FacadeError {
    fn of(problem: impl fmt::Display) -> Self {
        Self { problems: vec![problem.to_string()] }
    }
}

impl fmt::Display for FacadeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the facade cannot be read: {}", self.problems.join("; "))
    }
}

impl Error for FacadeError {}

impl Facade {
    /// Reads a facade from a file.
    ///
    /// # Errors
    /// The file cannot be read, or its text is not a facade.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, FacadeError> {
        Self::from_json(&fs::read_to_string(path).map_err(FacadeError::of)?)
    }

    /// Reads a facade from JSON.
    ///
    /// # Errors
    /// The text is not JSON, or not a facade.
    pub fn from_json(text: &str) -> Result<Self, FacadeError> {
        let root = crate::document::parse_json(text).map_err(FacadeError::of)?;
        let mut reader = Reader { problems: Vec::new() };
        reader.known(&root, "", &["operations", "enums"]);
        let operations = entries(&root, "operations");
        if operations.is_empty() {
            reader.problem("/operations", "at least one operation is expected");
        }
        let operations = operations.iter().filter_map(|(name, node)| reader.operation(name, node)).collect();
        let enums = entries(&root, "enums").iter().map(|(name, values)| (name.clone(), texts(values))).collect();
        let facade = Self { operations, enums };
        reader.fields_agree(&facade);
        if reader.problems.is_empty() { Ok(facade) } else { Err(FacadeError { problems: reader.problems }) }
    }
}

struct Reader {
    problems: Vec<String>,
}

impl Reader {
    fn problem(&mut self, place: &str, what: impl fmt::Display) {
        self.problems.push(format!("{place}: {what}"));
    }

    /// Finds members that have no meaning, most likely with a typing error.
    fn known(&mut self, node: &Value, place: &str, names: &[&str]) {
        for name in node.as_object().into_iter().flatten().map(|(name, _)| name) {
            if !names.contains(&name.as_str()) {
                self.problem(place, format_args!("unknown member `{name}`; expected `{}`", names.join("`, `")));
            }
        }
    }

    fn operation(&mut self, name: &str, node: &Value) -> Option<Operation> {
        let place = format!("/operations/{name}");
        self.known(node, &place, &["id", "update", "body", "response", "methods"]);
        let parts = name.split_once(' ').map(|(method, path)| (method.to_ascii_lowercase(), path.to_owned()));
        let parts = parts.filter(|(method, path)| METHODS.contains(&method.as_str()) && path.starts_with('/'));
        let Some((method, path)) = parts else {
            self.problem(&place, "expected a method and a path, such as `GET /Order`");
            return None;
        };
        let id = node["id"].as_str().unwrap_or_default().to_owned();
        if id.is_empty() {
            self.problem(&place, "`id`, the name of the call, is missing");
        }
        let mut body = |member: &str| node.get(member).and_then(|kind| self.kind(kind, &format!("{place}/{member}")));
        let (body, response) = (body("body"), body("response"));
        let methods: Vec<Method> =
            entries(node, "methods").iter().map(|(name, node)| self.method(name, node, &place)).collect();
        if methods.is_empty() {
            self.problem(&place, "`methods`, those that need the operation, is missing");
        }
        let update = entries(node, "update").clone();
        Some(Operation { name: name.to_owned(), method, path, id, update, body, response, methods })
    }

    fn method(&mut self, name: &str, node: &Value, place: &str) -> Method {
        let place = format!("{place}/methods/{name}");
        self.known(node, &place, &["query", "fields", "only"]);
        let query = entries(node, "query").iter();
        let query = query.filter_map(|(name, kind)| Some((name.clone(), self.kind(kind, &place)?))).collect();
        let mut fields = Vec::new();
        for (field, kind) in entries(node, "fields") {
            match (field.split_once('.'), self.kind(kind, &format!("{place}/fields/{field}"))) {
                (Some((record, name)), Some(kind)) => {
                    fields.push(Field { record: record.to_owned(), name: name.to_owned(), kind });
                }
                (None, _) => self.problem(&place, format_args!("expected a record and its field, found `{field}`")),
                (_, None) => {}
            }
        }
        Method { name: name.to_owned(), query, fields, only: texts(&node["only"]) }
    }

    fn kind(&mut self, kind: &Value, place: &str) -> Option<Kind> {
        let parsed = kind.as_str().and_then(Kind::parse);
        if parsed.is_none() {
            self.problem(place, format_args!("{kind} is no kind, such as `string`, `timestamp!` or `[Order]`"));
        }
        parsed
    }

    /// Checks that all methods use a field with the same kind, since there is one field.
    fn fields_agree(&mut self, facade: &Facade) {
        for operation in &facade.operations {
            for (method, field) in
                operation.methods.iter().flat_map(|method| method.fields.iter().map(move |field| (method, field)))
            {
                let same = |other: &&Field| other.name == field.name;
                if facade.fields_of(&field.record).find(same).is_some_and(|first| first.kind != field.kind) {
                    let place = format!("/operations/{}/methods/{}", operation.name, method.name);
                    self.problem(&place, format_args!("`{}.{}` has another kind elsewhere", field.record, field.name));
                }
            }
        }
    }
}

fn entries<'a>(node: &'a Value, member: &str) -> &'a Map<String, Value> {
    static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    node.get(member).and_then(Value::as_object).unwrap_or(&NONE)
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}
