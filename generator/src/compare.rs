//! The differences of two documents: what a vendor's new document means for code that was written against the old one.

mod operation;
mod schema;

use std::{collections::BTreeMap, fmt};

use serde_json::Value;

use crate::{Document, Options, document::pointer, normalize};

/// All differences of two documents, operation by operation.
///
/// Both documents are [normalised](crate::normalize) first, so that Swagger 2.0 can be compared with OpenAPI 3.1. Operations
/// are matched by method and path, parameters by name, and fields by their path in the body. `Display` writes Markdown.
///
/// ```
/// use perenso_openapi::{Document, compare};
///
/// let with = |parameter: &str| {
///     Document::from_json(&format!(
///         r#"{{
///             "openapi": "3.0.3",
///             "info": {{"title": "Shop", "version": "1"}},
///             "paths": {{"/Order": {{"get": {{
///                 "parameters": [{parameter}],
///                 "responses": {{"204": {{"description": "Nothing."}}}}
///             }}}}}}
///         }}"#
///     ))
/// };
/// let page = r#"{"name": "page", "in": "query", "schema": {"type": "integer"}}"#;
/// let offset = page.replace("page", "offset");
/// let comparison = compare(&with(page)?, &with(&offset)?);
/// let breaking: Vec<String> =
///     comparison.breaking().map(|difference| difference.to_string()).collect();
/// assert_eq!(breaking, ["GET /Order: query parameter `page`: removed"]);
/// # Ok::<(), perenso_openapi::DocumentError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Comparison {
    /// The differences, in the order of the paths.
    pub differences: Vec<Difference>,
}

/// A difference of two documents.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// The method and the path, such as `GET /Order`.
    pub operation: String,
    /// The part of the operation, such as ``response: `items[].price` ``. Empty for the operation itself.
    pub part: String,
    /// The change.
    pub change: DocumentChange,
    /// Returns true if code that was written against the old document may fail or send what the server does not expect.
    pub breaks: bool,
    /// The hand-written method that uses the operation: `x-perenso-method` of the old document.
    pub method: Option<String>,
}

/// A change from the old document to the new one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DocumentChange {
    /// Only the new document has it.
    Added,
    /// Only the old document has it.
    Removed,
    /// It is required now.
    Required,
    /// It is optional now.
    Optional,
    /// It can be null now.
    Nullable,
    /// It cannot be null any more.
    NotNull,
    /// Values of an enum came and went.
    Values {
        /// The values that only the new document has.
        added: Vec<String>,
        /// The values that only the old document has.
        removed: Vec<String>,
    },
    /// It has another type.
    Type {
        /// The type in the old document.
        old: String,
        /// The type in the new document.
        new: String,
    },
    /// The path is written in another way.
    Path {
        /// The path in the new document.
        new: String,
    },
}

/// Compares an old document with a new one.
#[must_use]
pub fn compare(old: &Document, new: &Document) -> Comparison {
    let [old, new] = [old, new].map(|document| normalize(document, &Options::default()).root);
    let (old_operations, mut new_operations) = (operation::all(&old), operation::all(&new));
    let mut differences = Vec::new();
    for (key, before) in &old_operations {
        let written = new_operations.remove(key);
        let after = written.or_else(|| {
            let similar =
                new_operations.keys().find(|other| other.is_similar(key) && !old_operations.contains_key(*other));
            similar.cloned().and_then(|similar| new_operations.remove(&similar))
        });
        let mut found = Vec::new();
        match after {
            Some(after) => operation::compare(&old, &new, before, &after, &mut found),
            None => found.push((String::new(), DocumentChange::Removed, true)),
        }
        let method = before.node["x-perenso-method"].as_str().map(str::to_owned);
        differences.extend(found.into_iter().map(|(part, change, breaks)| Difference {
            operation: before.name(),
            part,
            change,
            breaks,
            method: method.clone(),
        }));
    }
    differences.extend(new_operations.values().map(|added| Difference {
        operation: added.name(),
        part: String::new(),
        change: DocumentChange::Added,
        breaks: false,
        method: None,
    }));
    Comparison { differences }
}

/// A part of an operation with its change, and true if the change breaks callers.
type Found = (String, DocumentChange, bool);

/// The direction of a body: fields that the new document does not know are refused in a request, and missed in a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Request,
    Response,
}

/// Follows the references of a node. One that leads nowhere is any value.
fn resolve<'a>(root: &'a Value, node: &'a Value) -> &'a Value {
    pointer::resolve(root, node).unwrap_or(&Value::Null)
}

impl Comparison {
    /// Returns the differences that break callers.
    pub fn breaking(&self) -> impl Iterator<Item = &Difference> {
        self.differences.iter().filter(|difference| difference.breaks)
    }
}

/// Writes Markdown: the differences that break callers first, each section by operation.
impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (title, breaks) in [("May break callers", true), ("Other differences", false)] {
            let mut operations: BTreeMap<&str, Vec<&Difference>> = BTreeMap::new();
            for difference in self.differences.iter().filter(|difference| difference.breaks == breaks) {
                operations.entry(&difference.operation).or_default().push(difference);
            }
            if operations.is_empty() {
                continue;
            }
            writeln!(f, "## {title}\n")?;
            for (operation, differences) in operations {
                let method = differences[0].method.as_ref().map(|method| format!(", used by `{method}`"));
                writeln!(f, "- `{operation}`{}", method.unwrap_or_default())?;
                for difference in differences {
                    writeln!(f, "  - {}", difference.text())?;
                }
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

impl Difference {
    fn text(&self) -> String {
        if self.part.is_empty() { self.change.to_string() } else { format!("{}: {}", self.part, self.change) }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.operation, self.text())
    }
}

impl fmt::Display for DocumentChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added => f.write_str("added"),
            Self::Removed => f.write_str("removed"),
            Self::Required => f.write_str("required now"),
            Self::Optional => f.write_str("optional now"),
            Self::Nullable => f.write_str("can be null now"),
            Self::NotNull => f.write_str("cannot be null any more"),
            Self::Values { added, removed } => {
                let list = |name: &str, values: &[String]| match values {
                    [] => String::new(),
                    values => format!(" {name} `{}`", values.join("`, `")),
                };
                write!(f, "values:{}{}", list("removed", removed), list("added", added))
            }
            Self::Type { old, new } => write!(f, "{new} instead of {old}"),
            Self::Path { new } => write!(f, "the path is `{new}`"),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
