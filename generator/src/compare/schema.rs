//! The fields of two schemas.

use std::collections::{BTreeSet, HashSet};

use serde_json::Value;

use super::{Direction, DocumentChange, Found, resolve};

/// A walk through two schemas at once.
pub(super) struct Walk<'a, 'f> {
    old: &'a Value,
    new: &'a Value,
    pub(super) found: &'f mut Vec<Found>,
    /// Pairs of references that were compared. A type that occurs again, perhaps in itself, has the same differences.
    compared: HashSet<(&'a str, &'a str)>,
}

impl<'a, 'f> Walk<'a, 'f> {
    pub(super) fn new(old: &'a Value, new: &'a Value, found: &'f mut Vec<Found>) -> Self {
        Self { old, new, found, compared: HashSet::new() }
    }

    /// Compares two schemas. `part` is the start of the names of their fields.
    pub(super) fn compare(&mut self, part: &str, old: &'a Value, new: &'a Value, direction: Direction) {
        self.fields(part, "", old, new, direction);
    }

    fn fields(&mut self, part: &str, path: &str, old: &'a Value, new: &'a Value, direction: Direction) {
        let references = [old, new].map(|node| node["$ref"].as_str().unwrap_or_default());
        let pair = (references[0], references[1]);
        let is_reference = references.iter().any(|reference| !reference.is_empty());
        if is_reference && !self.compared.insert(pair) {
            return;
        }
        let (old, new) = (resolve(self.old, old), resolve(self.new, new));
        let (old_type, new_type) = (JsonType::of(old), JsonType::of(new));
        if old_type != new_type || old["x-perenso-type"] != new["x-perenso-type"] {
            let breaks = match direction {
                Direction::Request => !new_type.takes(old_type),
                Direction::Response => !old_type.takes(new_type),
            };
            let change = DocumentChange::Type { old: name(old, old_type), new: name(new, new_type) };
            self.found.push((named(part, path), change, breaks));
        }
        self.values(&named(part, path), old, new, direction);
        match (old_type, new_type) {
            (JsonType::Object, JsonType::Object) => self.properties(part, path, old, new, direction),
            (JsonType::Array, JsonType::Array) => {
                self.fields(part, &format!("{path}[]"), &old["items"], &new["items"], direction);
            }
            _ => {}
        }
    }

    fn properties(&mut self, part: &str, path: &str, old: &'a Value, new: &'a Value, direction: Direction) {
        let names = |schema: &'a Value| schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name);
        let names: BTreeSet<&String> = names(old).chain(names(new)).collect();
        let is_required = |schema: &Value, name: &str| {
            schema["required"].as_array().into_iter().flatten().any(|required| required == name)
        };
        for name in names {
            let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            let was_required = is_required(old, name);
            let is_gone_duty = direction == Direction::Response && is_required(old, name) && !is_required(new, name);
            let is_new_duty = direction == Direction::Request && is_required(new, name) && !is_required(old, name);
            match (old["properties"].get(name), new["properties"].get(name)) {
                (Some(old), Some(new)) => {
                    if is_new_duty {
                        self.found.push((named(part, &inner), DocumentChange::Required, true));
                    }
                    if is_gone_duty {
                        self.found.push((named(part, &inner), DocumentChange::Optional, true));
                    }
                    self.null(&named(part, &inner), (old, was_required), new, direction);
                    self.fields(part, &inner, old, new, direction);
                }
                (Some(_), None) => self.found.push((named(part, &inner), DocumentChange::Removed, true)),
                (None, _) => self.found.push((named(part, &inner), DocumentChange::Added, is_new_duty)),
            }
        }
        self.additional(part, path, old, new, direction);
    }

    /// Compares the values of fields without names.
    fn additional(&mut self, part: &str, path: &str, old: &'a Value, new: &'a Value, direction: Direction) {
        let (old, new) = (&old["additionalProperties"], &new["additionalProperties"]);
        if old.is_object() && new.is_object() {
            let path = if path.is_empty() { "*".to_owned() } else { format!("{path}.*") };
            self.fields(part, &path, old, new, direction);
        }
    }

    /// Compares the values of enums. Enums of the generated code are open, so a new value in a response breaks nothing.
    fn values(&mut self, part: &str, old: &Value, new: &Value, direction: Direction) {
        let values = |schema: &Value| -> Option<BTreeSet<String>> {
            Some(schema["enum"].as_array()?.iter().filter(|value| !value.is_null()).map(text).collect())
        };
        let (added, removed) = match (values(old), values(new)) {
            (Some(old), Some(new)) => {
                (new.difference(&old).cloned().collect(), old.difference(&new).cloned().collect())
            }
            // All other values are refused now.
            (None, Some(new)) if direction == Direction::Request => {
                (new.into_iter().collect(), vec!["any other".to_owned()])
            }
            _ => (Vec::new(), Vec::new()),
        };
        if !added.is_empty() || !removed.is_empty() {
            let breaks = direction == Direction::Request && !removed.is_empty();
            self.found.push((part.to_owned(), DocumentChange::Values { added, removed }, breaks));
        }
    }

    /// Compares whether a field can be null. An optional field of the generated code always can in a response.
    fn null(&mut self, part: &str, old: (&'a Value, bool), new: &'a Value, direction: Direction) {
        let is_nullable = |root: &'a Value, schema: &'a Value| {
            schema["nullable"] == true || resolve(root, schema)["nullable"] == true
        };
        let ((old, was_required), is_new) = (old, is_nullable(self.new, new));
        match (is_nullable(self.old, old), is_new, direction) {
            (false, true, Direction::Response) => {
                self.found.push((part.to_owned(), DocumentChange::Nullable, was_required))
            }
            (true, false, Direction::Request) => self.found.push((part.to_owned(), DocumentChange::NotNull, true)),
            _ => {}
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn named(part: &str, path: &str) -> String {
    if path.is_empty() { part.to_owned() } else { format!("{part}: `{path}`") }
}

/// A type of JSON values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum JsonType {
    Any,
    String,
    Integer,
    Number,
    Boolean,
    Array,
    Object,
}

impl JsonType {
    fn of(schema: &Value) -> Self {
        match schema["type"].as_str() {
            Some("string") => Self::String,
            Some("integer") => Self::Integer,
            Some("number") => Self::Number,
            Some("boolean") => Self::Boolean,
            Some("array") => Self::Array,
            Some("object") => Self::Object,
            _ if schema["properties"].is_object() => Self::Object,
            _ => Self::Any,
        }
    }

    /// Returns true if a place of this type takes all values of another type.
    fn takes(self, other: Self) -> bool {
        self == Self::Any || self == other || (self, other) == (Self::Number, Self::Integer)
    }
}

/// Returns the name of a type, with the type of the SDK if it has one.
fn name(schema: &Value, json: JsonType) -> String {
    let json = match json {
        JsonType::Any => "any value",
        JsonType::String => "string",
        JsonType::Integer => "integer",
        JsonType::Number => "number",
        JsonType::Boolean => "boolean",
        JsonType::Array => "array",
        JsonType::Object => "object",
    };
    match schema["x-perenso-type"].as_str() {
        Some(sdk) => format!("{json} ({sdk})"),
        None => json.to_owned(),
    }
}
