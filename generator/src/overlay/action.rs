//! An action of an overlay: a target, and a change of what it selects.

use serde_json::{Map, Value};
use serde_json_path::JsonPath;

/// The fields of an action, apart from extensions.
const FIELDS: [&str; 4] = ["target", "description", "update", "remove"];

#[derive(Clone, Debug)]
pub(super) struct Action {
    index: usize,
    description: Option<String>,
    target: String,
    path: JsonPath,
    change: Change,
}

#[derive(Clone, Debug)]
enum Change {
    Update(Value),
    Remove,
}

impl Action {
    /// Parses the action at an index. The error names its place in the overlay.
    pub(super) fn parse(index: usize, action: &Value) -> Result<Self, String> {
        let problem = |what: &str| format!("/actions/{index}: {what}");
        let action = action.as_object().ok_or_else(|| problem("expected an object"))?;
        let is_known = |name: &str| FIELDS.contains(&name) || name.starts_with("x-");
        if let Some(unknown) = action.keys().find(|name| !is_known(name)) {
            return Err(problem(&format!("unknown field `{unknown}`; expected `target` with `update` or `remove`")));
        }
        let target = action.get("target").and_then(Value::as_str).ok_or_else(|| problem("expected a `target`"))?;
        let path = JsonPath::parse(target)
            .map_err(|error| problem(&format!("expected a JSONPath as its `target`, found `{target}`: {error}")))?;
        let change = match (action.get("remove"), action.get("update")) {
            (Some(Value::Bool(true)), _) => Change::Remove,
            (None | Some(Value::Bool(false)), Some(update)) => Change::Update(update.clone()),
            (Some(Value::Bool(_)) | None, None) => return Err(problem("expected `update` or `remove: true`")),
            (Some(_), _) => return Err(problem("expected true or false as `remove`")),
        };
        let description = action.get("description").and_then(Value::as_str).map(str::to_owned);
        Ok(Self { index, description, target: target.to_owned(), path, change })
    }

    /// Changes everything that the target selects. Returns the problems.
    pub(super) fn apply(&self, root: &mut Value) -> Vec<String> {
        let selected: Vec<String> =
            self.path.query_located(root).locations().map(|location| location.to_json_pointer()).collect();
        if selected.is_empty() {
            let target = &self.target;
            return vec![
                self.problem(format!("the target `{target}` selects nothing: correct it, or remove the action")),
            ];
        }
        // From the last one, so that the indexes of those before stay valid.
        let changed = selected.iter().rev().map(|pointer| match &self.change {
            Change::Remove => remove(root, pointer),
            // A part of a list may have been reached twice, and changed with its parent.
            Change::Update(update) => {
                root.pointer_mut(pointer).map_or(Ok(()), |node| merge_into(node, pointer, update))
            }
        });
        changed.filter_map(Result::err).map(|problem| self.problem(problem)).collect()
    }

    fn problem(&self, what: String) -> String {
        let description =
            self.description.as_ref().map(|description| format!(" ({})", description.trim_end_matches('.')));
        format!("/actions/{}{}: {what}", self.index, description.unwrap_or_default())
    }
}

fn remove(root: &mut Value, pointer: &str) -> Result<(), String> {
    let (parent, name) = pointer.rsplit_once('/').ok_or("the whole document cannot be removed")?;
    match root.pointer_mut(parent) {
        Some(Value::Object(fields)) => drop(fields.remove(&name.replace("~1", "/").replace("~0", "~"))),
        Some(Value::Array(entries)) => {
            if let Some(index) = name.parse().ok().filter(|index| *index < entries.len()) {
                entries.remove(index);
            }
        }
        // It went with its parent.
        _ => {}
    }
    Ok(())
}

fn merge_into(node: &mut Value, pointer: &str, update: &Value) -> Result<(), String> {
    match (node, update) {
        (Value::Object(fields), Value::Object(update)) => {
            merge(fields, update);
            Ok(())
        }
        (Value::Object(_), other) => {
            Err(format!("expected an object as the update of `{pointer}`, which is an object, found {}", kind(other)))
        }
        (Value::Array(entries), entry) => {
            entries.push(entry.clone());
            Ok(())
        }
        (other, _) => {
            Err(format!("expected an object or an array at `{pointer}`, found {}: target its parent", kind(other)))
        }
    }
}

/// Merges objects recursively, appends the entries of arrays, and replaces everything else.
pub(crate) fn merge(fields: &mut Map<String, Value>, update: &Map<String, Value>) {
    for (name, value) in update {
        match (fields.get_mut(name), value) {
            (Some(Value::Object(fields)), Value::Object(update)) => merge(fields, update),
            (Some(Value::Array(entries)), Value::Array(update)) => entries.extend(update.iter().cloned()),
            _ => drop(fields.insert(name.clone(), value.clone())),
        }
    }
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
