//! Alternatives that are one value each, which OpenAPI 3.1 has for the values of an enum with their names.

use serde_json::{Map, Value, json};

use super::{
    dialect::is_note,
    enums::{DESCRIPTIONS, NAMES},
    is_nullable,
};
use crate::{document::schemas::each_schema, normalize::Log};

/// Makes `oneOf` and `anyOf` of integers, or of strings, one enum. The titles of the alternatives are the names of the values.
pub(crate) fn collect(root: &mut Value, log: &mut Log<'_>) {
    each_schema(root, &mut |schema, pointer| {
        let Some(map) = schema.as_object_mut() else { return };
        for keyword in ["oneOf", "anyOf"] {
            if let Some(found) = map.get(keyword).and_then(|parts| of_constants(parts, map, keyword)) {
                map.remove(keyword);
                for (name, value) in found {
                    map.entry(name).or_insert(value);
                }
                log.changed(pointer, "alternatives that are one value each are an enum");
                return;
            }
        }
    });
}

/// Returns the enum of alternatives, with what the schema around them lacks.
fn of_constants(parts: &Value, around: &Map<String, Value>, keyword: &str) -> Option<Map<String, Value>> {
    let parts = parts.as_array().filter(|parts| parts.len() > 1)?;
    let values: Option<Vec<_>> = parts.iter().map(constant).collect();
    let values = values?;
    let kind = match () {
        () if values.iter().all(|value| value.is_i64()) => "integer",
        () if values.iter().all(|value| value.is_string()) => "string",
        () => return None,
    };
    let fits = |schema: &Map<String, Value>| schema.get("type").is_none_or(|found| *found == kind);
    let is_plain = around
        .keys()
        .all(|key| key == keyword || key == "type" || key == "format" || is_note(key) || key.starts_with("x-"));
    if !is_plain || !fits(around) || !parts.iter().filter_map(Value::as_object).all(fits) {
        return None;
    }
    let mut found = Map::from_iter([("type".to_string(), json!(kind)), ("enum".to_string(), json!(values))]);
    for (member, texts) in [(NAMES, "title"), (DESCRIPTIONS, "description")] {
        if parts.iter().any(|part| part[texts].is_string()) {
            found.insert(
                member.into(),
                parts.iter().map(|part| json!(part[texts].as_str().unwrap_or_default())).collect(),
            );
        }
    }
    if parts.iter().any(is_nullable) {
        found.insert("nullable".into(), json!(true));
    }
    Some(found)
}

/// Returns the value of a schema that admits only one.
fn constant(part: &Value) -> Option<&Value> {
    let map = part.as_object()?;
    let is_plain = map
        .keys()
        .all(|key| key == "enum" || key == "type" || key == "format" || is_note(key) || key.starts_with("x-"));
    match part["enum"].as_array().filter(|_| is_plain)?.as_slice() {
        [only] => Some(only),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalize::{
        schemas::{dialect, enums},
        tests::run_on_schema,
    };

    fn collected(schema: Value) -> Value {
        let (schema, _) = run_on_schema(dialect::translate, schema);
        run_on_schema(enums::clean, run_on_schema(collect, schema).0).0
    }

    #[test]
    fn titles_are_the_names_of_values() {
        let parts = json!([
            { "const": 0, "title": "Open" },
            { "const": 1, "title": "in work", "description": "Being done.", "type": "integer" },
            { "type": "null" }
        ]);
        let expected = json!({
            "type": "integer", "enum": [0, 1], "x-enum-varnames": ["Open", "InWork"], "nullable": true,
            "x-enum-descriptions": ["", "Being done."], "description": "d"
        });
        for keyword in ["oneOf", "anyOf"] {
            assert_eq!(collected(json!({ "type": ["integer", "null"], "description": "d", keyword: parts })), expected);
            assert_eq!(collected(json!({ "description": "d", keyword: parts })), expected);
        }
        let words = json!({ "oneOf": [{ "const": "a", "title": "Alpha" }, { "const": "b", "description": "B." }] });
        assert_eq!(
            collected(words),
            json!({ "type": "string", "enum": ["a", "b"], "x-enum-descriptions": ["", "B."] })
        );
    }

    #[test]
    fn other_alternatives_stay_as_they_are() {
        for parts in [
            json!([{ "type": "integer", "enum": [0, 1] }, { "type": "integer", "enum": [2] }]),
            json!([{ "type": "integer", "enum": [0] }, { "type": "string", "enum": ["a"] }]),
            json!([{ "type": "integer", "enum": [0] }, { "type": "integer" }]),
            json!([{ "type": "object", "enum": [0] }, { "type": "integer", "enum": [1] }]),
        ] {
            let schema = json!({ "oneOf": parts });
            assert_eq!(run_on_schema(collect, schema.clone()), (schema, vec![]));
        }
    }
}
