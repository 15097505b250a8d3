//! The document as the steps see it: its operations, and what was found to be wrong with it.

mod check;
pub(crate) mod order;
pub(crate) mod reach;
pub(crate) mod schema;
mod tidy;

use serde_json::{Map, Value};

use crate::{document::pointer::segment, error::Fault};
use order::Order;

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// A document that was read and checked.
#[derive(Clone)]
pub(crate) struct Model {
    pub(crate) root: Value,
    order: Order,
}

/// An operation and its place in the document.
pub(crate) struct Operation<'a> {
    pub(crate) place: String,
    pub(crate) id: &'a str,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) node: &'a Value,
}

impl Model {
    /// Takes a normalised document. The errors are all places that no client can be generated from. `order` is that of
    /// the properties as they were written.
    pub(crate) fn new(mut root: Value, order: Order) -> Result<Self, Vec<Fault>> {
        tidy::texts(&mut root);
        check::document(&root)?;
        tidy::required(&mut root);
        Ok(Self { root, order })
    }

    /// Returns the schemas by name.
    pub(crate) fn schemas(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.root.pointer("/components/schemas").and_then(Value::as_object).into_iter().flatten()
    }

    /// Returns the operations, in the order of the document.
    pub(crate) fn operations(&self) -> Vec<Operation<'_>> {
        operations(&self.root).filter_map(Result::ok).collect()
    }

    /// Removes the operations at these places, and those that need a schema at one of them. Returns them with the reasons.
    pub(crate) fn leave_out(&mut self, faults: &[Fault]) -> Vec<Fault> {
        let mut gone = Vec::new();
        for Fault { place, what } in faults {
            let schema = place.strip_prefix("/components/schemas/").map(|rest| rest.split('/').next().unwrap_or(rest));
            for operation in self.operations() {
                let needed = schema.is_some_and(|name| reach::uses(&self.root, operation.node, name));
                if needed || operation.place == *place {
                    let what = if needed { format!("it needs {place}: {what}") } else { what.clone() };
                    gone.push(Fault::new(&operation.place, what));
                }
            }
        }
        for Fault { place, .. } in &gone {
            let Some((path, method)) = place.rsplit_once('/') else { continue };
            self.root.pointer_mut(path).and_then(Value::as_object_mut).map(|item| item.remove(method));
        }
        let schemas = faults.iter().any(|fault| fault.place.starts_with("/components/"));
        if schemas {
            let before = self.schemas().count();
            reach::keep_used(&mut self.root);
            if gone.is_empty() && self.schemas().count() < before {
                gone.extend(faults.iter().cloned());
            }
        }
        gone
    }

    /// Returns the properties of a schema in the order of the document, which a `Value` does not keep.
    fn order(&self, schema: &str) -> &[String] {
        self.order.get(schema).map_or(&[], Vec::as_slice)
    }
}

impl Operation<'_> {
    /// Returns the idempotency class. Only a read is repeated unless the document says more.
    pub(crate) fn idempotency(&self) -> &str {
        let read = ["get", "head"].contains(&self.method);
        let class = if read { "safe" } else { "not-repeatable" };
        self.node.get("x-idempotency").and_then(Value::as_str).unwrap_or(class)
    }

    /// Returns true if the call stays inside the crate that includes the client.
    pub(crate) fn is_sealed(&self) -> bool {
        self.node.get("x-sealed") == Some(&Value::Bool(true))
    }

    /// Returns the summary, or the words of the id.
    pub(crate) fn summary(&self) -> String {
        let summary = text(self.node, "summary").trim();
        if !summary.is_empty() {
            return summary.to_string();
        }
        let words = self.id.replace('_', " ");
        let mut letters = words.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
    }

    /// Returns the tag: the first of the document, or the first fixed segment of the path.
    pub(crate) fn tag(&self) -> &str {
        let first = self.node.get("tags").and_then(|tags| tags.get(0)).and_then(Value::as_str);
        let fixed = self.path.split('/').find(|part| part.starts_with(|c: char| c.is_ascii_alphabetic()));
        first.filter(|tag| tag.contains(char::is_alphanumeric)).or(fixed).unwrap_or("Api")
    }
}

/// Returns the operations of a document, and the paths that are no objects.
fn operations(root: &Value) -> impl Iterator<Item = Result<Operation<'_>, Fault>> {
    let paths = root.get("paths").and_then(Value::as_object).into_iter().flatten();
    paths.flat_map(|(path, item)| {
        let place = format!("/paths/{}", segment(path));
        let malformed = (!item.is_object()).then(|| Err(Fault::new(&place, "an object is expected here")));
        malformed.into_iter().chain(METHODS.iter().filter_map(move |method| {
            let node = item.get(*method)?;
            let id = text(node, "operationId");
            Some(Ok(Operation { place: format!("{place}/{method}"), id, method, path, node }))
        }))
    })
}

/// Returns a member that is a string, or the empty string.
pub(crate) fn text<'a>(node: &'a Value, name: &str) -> &'a str {
    node.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Returns the object at a JSON pointer, if there is one.
pub(crate) fn object<'a>(root: &'a Value, pointer: &str) -> Option<&'a Map<String, Value>> {
    root.pointer(pointer).and_then(Value::as_object)
}
