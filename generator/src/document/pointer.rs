//! JSON pointers, and references by them.

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

/// The references that a chain may have before it counts as a circle.
const CHAIN: usize = 32;

/// The pointer of the component schemas, up to their names.
pub(crate) const COMPONENTS: &str = "/components/schemas/";

/// Escapes a name as a segment of a JSON pointer.
pub(crate) fn segment(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Returns the name that a segment of a JSON pointer stands for.
pub(crate) fn unescape(segment: &str) -> String {
    segment.replace("~1", "/").replace("~0", "~")
}

/// Returns the reference to a component schema.
pub(crate) fn schema_reference(name: &str) -> Value {
    json!({ "$ref": format!("#{COMPONENTS}{}", segment(name)) })
}

/// Returns the name of the component schema that a schema refers to.
pub(crate) fn schema_name(schema: &Value) -> Option<String> {
    let pointer = local(schema.get("$ref")?.as_str()?)?;
    let name = pointer.strip_prefix(COMPONENTS)?;
    (!name.contains('/')).then(|| unescape(name))
}

/// Returns the pointer of a reference into the same document. It is percent-decoded, as it is part of a URI.
pub(crate) fn local(reference: &str) -> Option<String> {
    let pointer = reference.strip_prefix('#')?;
    percent_decode_str(pointer).decode_utf8().ok().map(|pointer| pointer.into_owned())
}

/// Returns the part of a document that a reference names.
pub(crate) fn look_up<'a>(root: &'a Value, reference: &str) -> Result<&'a Value, String> {
    let Some(pointer) = local(reference) else {
        return Err(format!("`{reference}` is outside of the document: bundle the files into one"));
    };
    // Some tools do not escape a percent sign that belongs to the name.
    let found = root.pointer(&pointer).or_else(|| root.pointer(reference.trim_start_matches('#')));
    found.ok_or_else(|| format!("`{reference}` does not exist in the document"))
}

/// Follows the references of a node that is no schema. Members beside `$ref` are ignored, as OpenAPI 3.0 demands.
pub(crate) fn resolve<'a>(root: &'a Value, node: &'a Value) -> Result<&'a Value, String> {
    let mut node = node;
    for _ in 0..CHAIN {
        match node.get("$ref").and_then(Value::as_str) {
            Some(reference) => node = look_up(root, reference)?,
            None => return Ok(node),
        }
    }
    Err("the reference refers to itself".to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_followed_by_pointer_and_percent_code() {
        let root = json!({ "a/b": { "c`1": 7 }, "one": { "$ref": "#/two" }, "two": { "$ref": "#/a~1b" } });
        assert_eq!(look_up(&root, "#/a~1b/c%601"), Ok(&json!(7)));
        assert_eq!(resolve(&root, &json!({ "$ref": "#/one" })), Ok(&json!({ "c`1": 7 })));
    }

    #[test]
    fn a_broken_reference_is_named() {
        let root = json!({ "loop": { "$ref": "#/loop" } });
        let error = |reference: &str| resolve(&root, &json!({ "$ref": reference })).unwrap_err();
        assert_eq!(error("#/none"), "`#/none` does not exist in the document");
        assert_eq!(error("a.json#/b"), "`a.json#/b` is outside of the document: bundle the files into one");
        assert_eq!(error("#/loop"), "the reference refers to itself");
    }

    #[test]
    fn names_of_schemas_survive_their_reference() {
        for name in ["Order", "Page`1[Order]", "a/b~c", "Größe"] {
            assert_eq!(schema_name(&schema_reference(name)).as_deref(), Some(name));
        }
        assert_eq!(schema_name(&json!({ "$ref": "#/components/schemas/A/properties/b" })), None);
    }
}
