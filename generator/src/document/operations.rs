//! Iteration over the operations of a document.

use serde_json::{Map, Value};

use super::pointer::segment;

/// The member of a path parameter whose value is the rest of the path, slashes included.
pub(crate) const REST_OF_PATH: &str = "x-perenso-rest-of-path";

/// The methods that are operations of a path.
pub(crate) const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// An operation and its place in the document.
pub(crate) struct Operation<'a> {
    pub(crate) pointer: String,
    pub(crate) path: &'a str,
    pub(crate) method: &'a str,
    pub(crate) node: &'a mut Map<String, Value>,
}

/// Returns the operations that are objects.
pub(crate) fn operations(root: &mut Value) -> impl Iterator<Item = Operation<'_>> {
    let paths = root.get_mut("paths").and_then(Value::as_object_mut).into_iter().flatten();
    paths.flat_map(|(path, item)| {
        item.as_object_mut().into_iter().flatten().filter_map(move |(method, node)| {
            let node = node.as_object_mut().filter(|_| METHODS.contains(&method.as_str()))?;
            Some(Operation { pointer: pointer(path, method), path, method, node })
        })
    })
}

/// Returns the pointer of an operation.
pub(crate) fn pointer(path: &str, method: &str) -> String {
    format!("/paths/{}/{method}", segment(path))
}

/// Removes the operations at the given paths and methods.
pub(crate) fn remove(root: &mut Value, gone: &[(String, String)]) {
    let Some(paths) = root.get_mut("paths").and_then(Value::as_object_mut) else { return };
    for (path, method) in gone {
        if let Some(item) = paths.get_mut(path).and_then(Value::as_object_mut) {
            item.remove(method);
        }
    }
    paths.retain(|_, item| item.as_object().is_some_and(|item| !item.is_empty()));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn operations_are_the_methods_of_each_path() {
        let mut root = json!({ "paths": {
            "/a/{b}": { "get": {}, "parameters": [], "x-note": {}, "put": 7 },
            "/c": { "post": {} }
        }});
        let found: Vec<_> = operations(&mut root).map(|operation| operation.pointer).collect();
        assert_eq!(found, ["/paths/~1a~1{b}/get", "/paths/~1c/post"]);
        remove(&mut root, &[("/c".into(), "post".into())]);
        assert_eq!(root["paths"].as_object().unwrap().keys().collect::<Vec<_>>(), ["/a/{b}"]);
    }
}
