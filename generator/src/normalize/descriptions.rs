//! Descriptions, as they can stand in the comments of Rust code.

use serde_json::{Map, Value, json};

use super::Log;
use crate::document::{operations::operations, schemas::each_schema};

/// Cleans the descriptions: examples in them are no tests of the generated code.
pub(crate) fn clean(root: &mut Value, _log: &mut Log<'_>) {
    clean_members(root.get_mut("info"));
    root.get_mut("tags").and_then(Value::as_array_mut).into_iter().flatten().for_each(|tag| clean_members(Some(tag)));
    for operation in operations(root) {
        clean_map(operation.node);
        let list = operation.node.get_mut("parameters").and_then(Value::as_array_mut);
        list.into_iter().flatten().for_each(|parameter| clean_members(Some(parameter)));
        clean_members(operation.node.get_mut("requestBody"));
        let responses = operation.node.get_mut("responses").and_then(Value::as_object_mut);
        responses.into_iter().flatten().for_each(|(_, response)| clean_members(Some(response)));
    }
    each_schema(root, &mut |schema, _| clean_members(Some(schema)));
}

fn clean_members(node: Option<&mut Value>) {
    if let Some(map) = node.and_then(Value::as_object_mut) {
        clean_map(map);
    }
}

fn clean_map(map: &mut Map<String, Value>) {
    for name in ["summary", "description"] {
        // A parameter may be called so, and then it is an object.
        if let Some(Value::String(text)) = map.get(name) {
            let text = clean_text(text);
            map.insert(name.into(), json!(text));
        }
    }
}

/// Returns a text whose code blocks say that they are no Rust: rustdoc would run them.
fn clean_text(text: &str) -> String {
    let mut is_code = false;
    let mut lines: Vec<String> = Vec::new();
    for line in text.replace("\r\n", "\n").replace('\r', "\n").lines() {
        let trimmed = line.trim_start();
        let fence = trimmed.starts_with("```") || trimmed.starts_with("~~~");
        let indent = line.len() - trimmed.len();
        lines.push(match () {
            () if fence && !is_code && is_rust(trimmed.trim_start_matches(['`', '~'])) => {
                let marks: String = trimmed.chars().take_while(|c| ['`', '~'].contains(c)).collect();
                format!("{marks}text")
            }
            () if !is_code && (indent > 3 || line.contains('\t')) => trimmed.to_string(),
            () => line.trim_end().to_string(),
        });
        is_code ^= fence;
    }
    if is_code {
        lines.push("```".to_string());
    }
    lines.join("\n").trim().to_string()
}

/// Returns true for the word behind a fence that rustdoc takes for Rust.
fn is_rust(word: &str) -> bool {
    const WORDS: [&str; 6] = ["rust", "ignore", "no_run", "should_panic", "compile_fail", "edition"];
    let word = word.trim();
    word.is_empty() || WORDS.iter().any(|known| word.starts_with(known))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalize::tests::run;

    #[test]
    fn examples_are_no_tests() {
        assert_eq!(clean_text("a\r\n```\n{ }\n```\nb"), "a\n```text\n{ }\n```\nb");
        assert_eq!(clean_text("```json\n    1\n```"), "```json\n    1\n```");
        assert_eq!(clean_text("a\n\n    let x;\n\tb"), "a\n\nlet x;\nb");
        assert_eq!(clean_text("```rust\nx"), "```text\nx\n```");
    }

    #[test]
    fn every_description_is_cleaned() {
        let text = "a\r\n    b";
        let (root, _) = run(
            clean,
            json!({
                "info": { "description": text },
                "components": { "schemas": { "A": { "properties": { "description": { "description": text } } } } },
                "paths": { "/a": { "get": {
                    "summary": text, "parameters": [{ "description": text }], "requestBody": { "description": text },
                    "responses": { "200": { "description": text } }
                } } }
            }),
        );
        assert!(!root.to_string().contains("    b"), "{root}");
    }
}
