//! Enums: strings with distinct Rust names stay, all others become the plain type.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::describe;
use crate::{
    document::schemas::each_schema,
    normalize::{Log, names::pascal},
};

/// Cleans the enums. A plain type lists the values in its description.
pub(crate) fn clean(root: &mut Value, log: &mut Log<'_>) {
    each_schema(root, &mut |schema, pointer| {
        if let Some(map) = schema.as_object_mut()
            && let Some(Value::Array(values)) = map.remove("enum")
        {
            clean_one(map, values, pointer, log);
        }
    });
}

fn clean_one(map: &mut Map<String, Value>, mut values: Vec<Value>, pointer: &str, log: &mut Log<'_>) {
    let before = values.len();
    values.retain(|value| !value.is_null());
    if values.len() < before {
        map.insert("nullable".into(), json!(true));
    }
    if values.is_empty() {
        return;
    }
    let kind = map.get("type").and_then(Value::as_str).unwrap_or_default();
    if kind == "string" && values.iter().all(Value::is_string) && !map.contains_key("format") {
        let mut seen = BTreeSet::new();
        values.retain(|value| seen.insert(value.to_string()));
        let names: BTreeSet<_> = values.iter().filter_map(Value::as_str).map(pascal).collect();
        let has_names =
            values.iter().all(|value| value.as_str().is_some_and(|text| text.chars().any(char::is_alphanumeric)));
        if names.len() == values.len() && has_names {
            map.insert("enum".into(), Value::Array(values));
            return;
        }
        log.lost(pointer, "the values of the enum have no distinct names: it is a string");
    } else {
        log.lost(
            pointer,
            if kind.is_empty() {
                "the enum has no type: it is any JSON value".into()
            } else {
                format!("an enum of type {kind} is the plain type")
            },
        );
    }
    let names = ["x-enum-varnames", "x-enumNames", "x-enum-names"].iter().find_map(|key| map.get(*key)?.as_array());
    let name = |index: usize| names.and_then(|names| names.get(index)).and_then(Value::as_str);
    let known: Vec<_> = values
        .iter()
        .enumerate()
        .map(|(index, value)| match name(index) {
            Some(name) => format!("`{value}` ({name})"),
            None => format!("`{value}`"),
        })
        .collect();
    describe(map, &format!("Known values: {}.", known.join(", ")));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Effect, normalize::tests::run_on_schema};

    fn cleaned(schema: Value) -> Value {
        run_on_schema(clean, schema).0
    }

    #[test]
    fn distinct_strings_stay_an_enum() {
        assert_eq!(
            cleaned(json!({ "type": "string", "enum": ["open", "closed", "open", null] })),
            json!({ "type": "string", "enum": ["open", "closed"], "nullable": true })
        );
    }

    #[test]
    fn integers_keep_their_type_and_their_names() {
        let schema =
            json!({ "type": "integer", "enum": [0, 1], "x-enum-varnames": ["Open", "Closed"], "description": "State" });
        let (schema, effects) = run_on_schema(clean, schema);
        assert_eq!(schema["description"], "State\n\nKnown values: `0` (Open), `1` (Closed).");
        assert_eq!((schema["type"].clone(), schema.get("enum")), (json!("integer"), None));
        assert_eq!(effects, [(Effect::Lost, "/components/schemas/A".to_string())]);
    }

    #[test]
    fn colliding_and_empty_values_make_a_string() {
        for values in [json!(["a-b", "a_b"]), json!(["", "a"]), json!(["+", "-"]), json!(["A", "a"])] {
            let schema = cleaned(json!({ "type": "string", "enum": values }));
            assert_eq!((schema["type"].clone(), schema.get("enum")), (json!("string"), None), "{values}");
        }
        assert_eq!(cleaned(json!({ "enum": [] })), json!({}));
        assert_eq!(cleaned(json!({ "enum": [null] })), json!({ "nullable": true }));
        assert_eq!(cleaned(json!({ "type": "boolean", "enum": [true] }))["type"], "boolean");
    }
}
