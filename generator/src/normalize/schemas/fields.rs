//! Fields of records: distinct Rust names, and a place for unknown fields.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::is_record;
use crate::{
    document::schemas::each_schema,
    normalize::{Log, names::snake},
};

/// Lets every record keep unknown fields, and removes fields whose Rust name is taken: they are unknown fields then.
pub(crate) fn separate(root: &mut Value, log: &mut Log<'_>) {
    each_schema(root, &mut |schema, pointer| {
        if let Some(map) = schema.as_object_mut()
            && let Some(Value::Array(required)) = map.get("required").cloned()
        {
            let known = map.get("properties").and_then(Value::as_object);
            let is_known =
                |name: &Value| known.is_some_and(|known| name.as_str().is_some_and(|n| known.contains_key(n)));
            let mut kept: Vec<Value> = Vec::new();
            required.into_iter().filter(is_known).for_each(|name| {
                if !kept.contains(&name) {
                    kept.push(name)
                }
            });
            match kept.is_empty() {
                true => drop(map.remove("required")),
                false => drop(map.insert("required".into(), Value::Array(kept))),
            }
        }
        if !is_record(schema) {
            // A map of anything is written in one way.
            if schema["type"] == "object"
                && let Some(map) = schema.as_object_mut()
            {
                map.remove("properties");
                if !map.get("additionalProperties").is_some_and(Value::is_object) {
                    map.insert("additionalProperties".into(), json!({}));
                }
            }
            return;
        }
        if schema.get("additionalProperties").is_some_and(|extra| extra.is_object() && *extra != json!({})) {
            log.lost(pointer, "unknown fields are any JSON values");
        }
        schema["additionalProperties"] = json!({});
        let Some(fields) = schema["properties"].as_object_mut() else { return };
        // The generated field of unknown fields has this name.
        let mut taken = BTreeSet::from(["extra".to_string()]);
        // A name that is written as in Rust has the better claim to it.
        let (exact, others): (Vec<_>, Vec<_>) = fields.keys().cloned().partition(|name| snake(name) == *name);
        let gone: Vec<_> = exact.into_iter().chain(others).filter(|name| !taken.insert(snake(name))).collect();
        for name in &gone {
            fields.remove(name);
            log.lost(
                pointer,
                format!("the Rust name of the field `{name}` is taken: read it among the unknown fields"),
            );
        }
        if fields.is_empty() {
            schema.as_object_mut().map(|map| map.remove("properties"));
        }
        if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
            required.retain(|name| !gone.iter().any(|gone| name == gone));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Effect, normalize::tests::run_on_schema};

    #[test]
    fn fields_have_distinct_names() {
        let (schema, effects) = run_on_schema(
            separate,
            json!({
                "type": "object", "additionalProperties": false, "required": ["orderId", "order_id", "none"],
                "properties": { "orderId": {}, "order_id": {}, "extra": {} }
            }),
        );
        assert_eq!(
            schema,
            json!({
                "type": "object", "additionalProperties": {}, "required": ["order_id"], "properties": { "order_id": {} }
            })
        );
        assert_eq!(effects.iter().map(|(effect, _)| *effect).collect::<Vec<_>>(), [Effect::Lost; 2]);
    }

    #[test]
    fn records_keep_unknown_fields() {
        assert_eq!(
            run_on_schema(separate, json!({ "type": "object", "properties": { "a": {} } })).0,
            json!({ "type": "object", "properties": { "a": {} }, "additionalProperties": {} })
        );
    }

    #[test]
    fn maps_keep_the_type_of_their_values() {
        let map = json!({ "type": "object", "additionalProperties": { "type": "string" } });
        assert_eq!(run_on_schema(separate, map.clone()).0, map);
        assert_eq!(
            run_on_schema(separate, json!({ "type": "object" })).0,
            json!({ "type": "object", "additionalProperties": {} })
        );
    }
}
