//! Corrects what would make the generated code wrong, whatever the document says.

use serde_json::Value;

/// Makes each description fit for a doc comment. A bare carriage return does not compile, and a block of code in it would run as
/// a test.
pub(crate) fn texts(node: &mut Value) {
    match node {
        Value::Object(map) => {
            for (name, inner) in map {
                match inner {
                    Value::String(text) if name == "description" || name == "summary" => *text = prose(text),
                    inner => texts(inner),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(texts),
        _ => {}
    }
}

fn prose(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    if !text.contains(['\n', '\t']) && !text.starts_with(' ') {
        return text;
    }
    let mut fenced = false;
    let lines = text.trim().lines().map(|line| {
        let line = line.trim_end();
        let bare = line.trim_start();
        if bare.starts_with("```") || bare.starts_with("~~~") {
            fenced = !fenced;
            return format!("{}{}", &bare[..3], if fenced { "text" } else { "" });
        }
        // Four spaces are a block of code to Markdown.
        if fenced || line.len() - bare.len() < 4 { line.to_string() } else { bare.to_string() }
    });
    let mut text = lines.collect::<Vec<_>>().join("\n");
    if fenced {
        text.push_str("\n```");
    }
    text
}

/// Makes a property optional that is required and may be `null`, and forgets required properties that do not exist.
pub(crate) fn required(root: &mut Value) {
    let Some(schemas) = root.pointer("/components/schemas").and_then(Value::as_object) else { return };
    let mut optional = Vec::new();
    for (name, schema) in schemas {
        for required in super::schema::texts(schema, "required") {
            let property = schema.get("properties").and_then(|properties| properties.get(&required));
            if property.is_none_or(|property| admits_null(root, property, 0)) {
                optional.push((name.clone(), required));
            }
        }
    }
    for (name, property) in optional {
        let schema = root.get_mut("components").and_then(|parts| parts.get_mut("schemas")?.get_mut(&name));
        if let Some(Value::Array(required)) = schema.and_then(|schema| schema.get_mut("required")) {
            required.retain(|name| *name != *property);
        }
    }
}

/// Returns true if a schema, or one that it refers to, accepts `null`.
fn admits_null(root: &Value, schema: &Value, depth: usize) -> bool {
    if depth > 32 {
        return false;
    }
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        let target = target.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
        return target.is_some_and(|target| admits_null(root, target, depth + 1));
    }
    let parts = ["allOf", "oneOf", "anyOf"].iter().filter_map(|name| schema.get(name)?.as_array()).flatten();
    schema.get("nullable") == Some(&Value::Bool(true))
        || parts.into_iter().any(|part| admits_null(root, part, depth + 1))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_description_is_prose() {
        assert_eq!(prose("One line."), "One line.");
        assert_eq!(prose("One\r\ntwo\rthree "), "One\ntwo\nthree");
        assert_eq!(prose("See:\n\n    let x = 1;\n"), "See:\n\nlet x = 1;");
        assert_eq!(
            prose("See\n```json\n    {}\n```\nand\n~~~\nopen"),
            "See\n```text\n    {}\n```\nand\n~~~text\nopen\n```"
        );
    }

    #[test]
    fn what_may_be_null_or_does_not_exist_is_not_required() {
        let mut root = json!({ "components": { "schemas": {
            "None": { "type": "string", "nullable": true },
            "A": { "required": ["a", "b", "c", "d"], "properties": {
                "a": { "type": "string" }, "b": { "nullable": true }, "c": { "$ref": "#/components/schemas/None" },
            } },
        } } });
        required(&mut root);
        assert_eq!(root["components"]["schemas"]["A"]["required"], json!(["a"]));
    }
}
