//! Chooses operations by tag or path.

use serde_json::Value;

use super::operations::{operations, remove};
use crate::{Document, error::Fault};

/// The wanted tags and beginnings of paths; none for all operations.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) tags: Vec<String>,
    pub(crate) paths: Vec<String>,
}

impl Filter {
    /// Returns the document with the wanted operations only, unless all are wanted.
    pub(crate) fn apply(&self, document: &Document) -> Result<Option<Document>, Vec<Fault>> {
        if self.tags.is_empty() && self.paths.is_empty() {
            return Ok(None);
        }
        let mut root = document.root().clone();
        let (mut tags, mut paths) = (vec![false; self.tags.len()], vec![false; self.paths.len()]);
        let mut gone = Vec::new();
        for operation in operations(&mut root) {
            let own = operation.node.get("tags").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            let mut wanted = mark(&self.tags, &mut tags, |tag| own.iter().any(|own| own == tag));
            wanted |= mark(&self.paths, &mut paths, |path| operation.path.starts_with(path));
            if !wanted {
                gone.push((operation.path.to_string(), operation.method.to_string()));
            }
        }
        remove(&mut root, &gone);
        let unused = |kind: &str, names: &[String], used: &[bool]| -> Vec<Fault> {
            let unused = names.iter().zip(used).filter(|(_, used)| !**used);
            unused.map(|(name, _)| Fault::new("/paths", format_args!("no operation has the {kind} `{name}`"))).collect()
        };
        let mut faults = unused("tag", &self.tags, &tags);
        faults.extend(unused("path", &self.paths, &paths));
        if !faults.is_empty() {
            return Err(faults);
        }
        Document::from_value(root).map(Some).map_err(|error| vec![Fault::new("/", error)])
    }
}

/// Returns true if any name fits, and marks those that do.
fn mark(names: &[String], used: &mut [bool], fits: impl Fn(&str) -> bool) -> bool {
    let mut any = false;
    for (name, used) in names.iter().zip(used) {
        if fits(name) {
            (*used, any) = (true, true);
        }
    }
    any
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn paths(tags: &[&str], paths: &[&str]) -> Result<Vec<String>, Vec<String>> {
        let root = json!({ "openapi": "3.0.3", "paths": {
            "/a": { "get": { "tags": ["A"] }, "put": { "tags": ["B", "C"] } }, "/a/b": { "get": {} }, "/c": { "get": {} },
        } });
        let filter = Filter {
            tags: tags.iter().map(ToString::to_string).collect(),
            paths: paths.iter().map(ToString::to_string).collect(),
        };
        let document = Document::from_value(root).unwrap();
        match filter.apply(&document) {
            Ok(chosen) => {
                let mut root = chosen.unwrap_or(document).root().clone();
                Ok(operations(&mut root).map(|operation| operation.pointer).collect())
            }
            Err(faults) => Err(faults.iter().map(ToString::to_string).collect()),
        }
    }

    #[test]
    fn operations_are_chosen_by_tag_or_path() {
        assert_eq!(paths(&[], &[]).unwrap().len(), 4);
        assert_eq!(paths(&["C"], &[]).unwrap(), ["/paths/~1a/put"]);
        assert_eq!(paths(&["A"], &["/a/"]).unwrap(), ["/paths/~1a/get", "/paths/~1a~1b/get"]);
    }

    #[test]
    fn a_name_that_chooses_nothing_is_an_error() {
        let expected = ["at /paths: no operation has the tag `a`", "at /paths: no operation has the path `/d`"];
        assert_eq!(paths(&["a", "A"], &["/d"]).unwrap_err(), expected);
    }
}
