//! OpenAPI Overlay 1.0: changes to a document that stay beside it, so that the vendor's file is never edited.

mod action;

use std::{error::Error, fmt, fs, path::Path};

use serde_json::Value;

use self::action::Action;
pub(crate) use self::action::merge;

/// A list of changes to a document, in the format of the
/// [OpenAPI Overlay Specification 1.0](https://spec.openapis.org/overlay/v1.0.0.html).
///
/// An action selects parts of the document by a JSONPath (RFC 9535), and merges a value into each of them or removes them. An
/// object is merged field by field, and an array takes the value as its last entry. A target that selects nothing is an error,
/// which quotes the `description` of the action: the document has changed.
///
/// ```
/// use perenso_openapi::{Document, Overlay};
///
/// let document = Document::from_json(
///     r#"{
///         "openapi": "3.0.3",
///         "info": {"title": "Shop", "version": "1"},
///         "paths": {"/Order": {"put": {"responses": {}}}}
///     }"#,
/// )?;
/// let overlay = Overlay::from_json(
///     r#"{
///         "overlay": "1.0.0",
///         "info": {"title": "Known of the shop", "version": "1"},
///         "actions": [{
///             "target": "$.paths['/Order'].put",
///             "update": {"x-idempotency": "idempotent"}
///         }]
///     }"#,
/// )?;
/// let document = overlay.apply(&document)?;
/// let put = &document.root()["paths"]["/Order"]["put"];
/// assert_eq!(put["x-idempotency"], "idempotent");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Overlay {
    actions: Vec<Action>,
}

/// All problems of an overlay, each with its place in the overlay.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OverlayError {
    /// The problems, in the order of the actions.
    pub problems: Vec<String>,
}

impl Overlay {
    /// Reads an overlay from a file. A name that ends in `.yaml` or `.yml` is read as YAML, which needs the feature `yaml`.
    ///
    /// # Errors
    /// The file cannot be read, or its text is not an overlay.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, OverlayError> {
        let text =
            fs::read_to_string(&path).map_err(|error| OverlayError::of(format!("it cannot be read: {error}")))?;
        let value = crate::document::parse(path.as_ref(), &text).map_err(OverlayError::of)?;
        Self::from_value(&value)
    }

    /// Reads an overlay from JSON.
    ///
    /// # Errors
    /// The text is not JSON, or not an overlay.
    pub fn from_json(text: &str) -> Result<Self, OverlayError> {
        let value = crate::document::parse_json(text).map_err(OverlayError::of)?;
        Self::from_value(&value)
    }

    /// Reads an overlay from a JSON value.
    ///
    /// # Errors
    /// The value is not an overlay.
    pub fn from_value(value: &Value) -> Result<Self, OverlayError> {
        let version = value.get("overlay").and_then(Value::as_str).unwrap_or_default();
        if !version.starts_with("1.0.") {
            let found = if version.is_empty() { "none".to_owned() } else { format!("`{version}`") };
            return Err(OverlayError::of(format!("/overlay: expected a version 1.0.x, found {found}")));
        }
        let actions = value.get("actions").and_then(Value::as_array);
        let Some(actions) = actions.filter(|actions| !actions.is_empty()) else {
            return Err(OverlayError::of("/actions: expected at least one action"));
        };
        let (mut parsed, mut problems) = (Vec::new(), Vec::new());
        for (index, action) in actions.iter().enumerate() {
            match Action::parse(index, action) {
                Ok(action) => parsed.push(action),
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() { Ok(Self { actions: parsed }) } else { Err(OverlayError { problems }) }
    }

    /// Returns the document with all changes.
    ///
    /// # Errors
    /// A target selects nothing, or something that cannot be changed; or the result is not a document.
    pub fn apply(&self, document: &crate::Document) -> Result<crate::Document, OverlayError> {
        let mut root = document.root().clone();
        self.apply_to(&mut root)?;
        crate::Document::from_value(root).map_err(OverlayError::of)
    }

    /// Changes a JSON value. If there is an error, the other actions have been applied.
    ///
    /// # Errors
    /// A target selects nothing, or something that cannot be changed.
    pub fn apply_to(&self, root: &mut Value) -> Result<(), OverlayError> {
        let problems: Vec<String> = self.actions.iter().flat_map(|action| action.apply(root)).collect();
        if problems.is_empty() { Ok(()) } else { Err(OverlayError { problems }) }
    }
}

impl OverlayError {
    fn of(problem: impl fmt::Display) -> Self {
        Self { problems: vec![problem.to_string()] }
    }
}

impl fmt::Display for OverlayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the overlay does not fit: {}", self.problems.join("; "))
    }
}

impl Error for OverlayError {}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn overlay(actions: Value) -> Result<Overlay, OverlayError> {
        Overlay::from_value(&json!({"overlay": "1.0.0", "info": {"title": "t", "version": "1"}, "actions": actions}))
    }

    fn applied(mut root: Value, actions: Value) -> Value {
        overlay(actions).unwrap().apply_to(&mut root).unwrap();
        root
    }

    #[test]
    fn an_object_is_merged_field_by_field() {
        let root = json!({"a": {"kept": 1, "list": [1], "deep": {"x": 1, "y": 2}, "text": "old"}});
        let update = json!({"list": [2, 3], "deep": {"y": 3, "z": {"new": true}}, "text": null});
        assert_eq!(
            applied(root, json!([{"target": "$.a", "update": update}])),
            json!({"a": {"kept": 1, "list": [1, 2, 3], "deep": {"x": 1, "y": 3, "z": {"new": true}}, "text": null}})
        );
    }

    #[test]
    fn an_array_takes_an_entry_and_a_wildcard_changes_every_match() {
        let root = json!({"tags": [{"name": "a"}], "paths": {"/x": {"get": {}, "put": {}}, "/y": {"get": {"z": 1}}}});
        let actions = json!([
            {"target": "$.tags", "update": {"name": "b"}},
            {"target": "$.paths.*.get", "update": {"x-idempotency": "safe"}},
            {"target": "$.tags[?@.name == 'a']", "update": {"description": "A"}},
        ]);
        let safe = json!("safe");
        assert_eq!(
            applied(root, actions),
            json!({
                "tags": [{"name": "a", "description": "A"}, {"name": "b"}],
                "paths": {"/x": {"get": {"x-idempotency": safe}, "put": {}}, "/y": {"get": {"z": 1, "x-idempotency": safe}}},
            })
        );
    }

    #[test]
    fn parts_are_removed_from_objects_and_from_lists() {
        let root = json!({"paths": {"/in~ner/x": {}, "/y": {}}, "list": [0, 1, 2, 3, 4]});
        let actions = json!([
            {"target": "$.paths['/in~ner/x']", "remove": true},
            {"target": "$.list[1:4]", "remove": true},
        ]);
        assert_eq!(applied(root, actions), json!({"paths": {"/y": {}}, "list": [0, 4]}));
    }

    #[test]
    fn every_problem_of_an_overlay_is_listed() {
        let problems = |actions: Value| overlay(actions).unwrap_err().problems;
        let all = problems(json!([
            {"target": "$.a", "update": {}},
            {"target": "paths", "update": {}},
            {"target": "$.a"},
            {"target": "$.a", "updates": {}},
            {"update": {}},
            7,
        ]));
        let places: Vec<&str> = all.iter().map(|problem| problem.split(':').next().unwrap()).collect();
        assert_eq!(places, ["/actions/1", "/actions/2", "/actions/3", "/actions/4", "/actions/5"], "{all:?}");
        for (value, expected) in [
            (json!({"overlay": "2.0.0", "actions": [{}]}), "expected a version 1.0.x, found `2.0.0`"),
            (json!([]), "expected a version 1.0.x, found none"),
            (json!({"overlay": "1.0.0", "actions": []}), "expected at least one action"),
        ] {
            assert!(Overlay::from_value(&value).unwrap_err().to_string().contains(expected));
        }
    }

    #[test]
    fn a_target_that_selects_nothing_or_cannot_be_changed_is_an_error() {
        let mut root = json!({"a": "text", "list": []});
        let overlay = overlay(json!([
            {"target": "$.b.c", "description": "`Orders::list` needs it.", "update": {}},
            {"target": "$.a", "update": {}},
            {"target": "$", "remove": true},
            {"target": "$", "update": [1]},
            {"target": "$.list", "update": 1},
        ]));
        let problems = overlay.unwrap().apply_to(&mut root).unwrap_err().problems;
        assert_eq!(
            problems,
            [
                "/actions/0 (`Orders::list` needs it): the target `$.b.c` selects nothing: correct it, or remove the action",
                "/actions/1: expected an object or an array at `/a`, found a string: target its parent",
                "/actions/2: the whole document cannot be removed",
                "/actions/3: expected an object as the update of ``, which is an object, found an array",
            ]
        );
        assert_eq!(root, json!({"a": "text", "list": [1]}));
    }

    #[test]
    fn a_document_is_changed_and_stays_a_document() {
        let document = crate::Document::from_json(r#"{"openapi": "3.0.3", "info": {}, "paths": {}}"#).unwrap();
        let changed =
            overlay(json!([{"target": "$.info", "update": {"title": "T"}}])).unwrap().apply(&document).unwrap();
        assert_eq!(changed.root()["info"], json!({"title": "T"}));
        let error = overlay(json!([{"target": "$.openapi", "remove": true}])).unwrap().apply(&document).unwrap_err();
        assert_eq!(error.problems.len(), 1);
    }

    proptest! {
        /// Any target and any update end with a result or with problems.
        #[test]
        fn nothing_panics(target in "\\$[.\\[\\]a-z*'?@0-9:]{0,12}", number in any::<i64>(), remove in any::<bool>()) {
            let mut root = json!({"a": [1, {"b": {"c": null}}], "b": {"a": "x"}});
            if let Ok(overlay) = overlay(json!([{"target": target, "update": {"a": number}, "remove": remove}])) {
                let _ = overlay.apply_to(&mut root);
            }
        }
    }
}
