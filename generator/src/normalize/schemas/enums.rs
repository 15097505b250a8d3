//! Enums: strings, and integers whose values have names. All others become the plain type.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::describe;
use crate::{
    document::schemas::each_schema,
    normalize::{
        Log,
        names::{pascal, type_name, unique},
    },
};

/// The member of an enum with the names of its values, where those of integers, or of strings that need others, are kept.
pub(crate) const NAMES: &str = "x-enum-varnames";

/// The member of an enum with the descriptions of its values.
pub(crate) const DESCRIPTIONS: &str = "x-enum-descriptions";

/// The members by which tools name the values of an enum.
const GIVEN_NAMES: [&str; 3] = [NAMES, "x-enumNames", "x-enum-names"];

/// The member by which AutoRest names and describes the values of an enum.
const AUTOREST: &str = "x-ms-enum";

/// The members by which tools describe the values of an enum, in a list or by value.
const GIVEN_DESCRIPTIONS: [&str; 2] = [DESCRIPTIONS, "x-enumDescriptions"];

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

/// A value of an enum, with what the document says of it.
struct Known {
    value: Value,
    name: Option<String>,
    description: Option<String>,
}

fn clean_one(map: &mut Map<String, Value>, values: Vec<Value>, pointer: &str, log: &mut Log<'_>) {
    let mut known = known(map, values);
    let before = known.len();
    known.retain(|known| !known.value.is_null());
    if known.len() < before {
        map.insert("nullable".into(), json!(true));
    }
    if known.is_empty() {
        return;
    }
    if !map.contains_key("type") && known.iter().all(|known| known.value.is_i64()) {
        map.insert("type".into(), json!("integer"));
    }
    let kind = map.get("type").and_then(Value::as_str).unwrap_or_default();
    if kind == "string" && !map.contains_key("format") {
        for Known { value, .. } in known.iter_mut().filter(|known| known.value.is_number() || known.value.is_boolean())
        {
            log.changed(pointer, format!("the value {value} of an enum of strings is written as a string"));
            *value = json!(value.to_string());
        }
    }
    let mut seen = BTreeSet::new();
    known.retain(|known| seen.insert(known.value.to_string()));
    let has_names = known.iter().all(|known| known.name.is_some());
    let fits = match kind {
        "string" => !map.contains_key("format") && known.iter().all(|known| known.value.is_string()),
        "integer" => has_names && known.iter().all(|known| known.value.is_i64()),
        _ => false,
    };
    if fits {
        return keep(map, known, pointer, log);
    }
    log.lost(
        pointer,
        match kind {
            "" => "the enum has no type: it is any JSON value".to_string(),
            "integer" => "the values of the enum have no names: it is an integer".to_string(),
            kind => format!("an enum of type {kind} is the plain type"),
        },
    );
    let known: Vec<_> = known
        .iter()
        .map(|Known { value, name, .. }| match name {
            Some(name) => format!("`{value}` ({name})"),
            None => format!("`{value}`"),
        })
        .collect();
    describe(map, &format!("Known values: {}.", known.join(", ")));
}

/// Returns the values with their names and descriptions, which it removes.
fn known(map: &mut Map<String, Value>, values: Vec<Value>) -> Vec<Known> {
    let mut take = |members: &[&str]| {
        let given: Vec<Value> = members.iter().filter_map(|member| map.remove(*member)).collect();
        given.into_iter().find(|given| given.as_array().is_none_or(|given| given.len() == values.len()))
    };
    let (names, descriptions) = (take(&GIVEN_NAMES), take(&GIVEN_DESCRIPTIONS));
    let of_autorest = map.remove(AUTOREST).unwrap_or_default();
    let autorest = |member: &str| {
        let given = of_autorest["values"].as_array()?.iter();
        let texts = given.map(|given| (key(&given["value"]), given.get(member).cloned().unwrap_or_default()));
        Some(Value::Object(texts.collect()))
    };
    let (names, descriptions) = (names.or_else(|| autorest("name")), descriptions.or_else(|| autorest("description")));
    let of = |given: &Option<Value>, index: usize, value: &Value| {
        let found = given.as_ref().and_then(|given| given.get(index).or_else(|| given.get(key(value).as_str())))?;
        found.as_str().map(|text| text.trim().to_string()).filter(|text| text.chars().any(char::is_alphanumeric))
    };
    let known = values.iter().enumerate().map(|(index, value)| Known {
        value: value.clone(),
        name: of(&names, index, value),
        description: of(&descriptions, index, value),
    });
    known.collect()
}

/// Returns a value as the name of a member.
fn key(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_string)
}

/// Keeps an enum. Values without distinct Rust names of their own get the names that the document gives, or numbers behind theirs.
fn keep(map: &mut Map<String, Value>, known: Vec<Known>, pointer: &str, log: &mut Log<'_>) {
    let own: Vec<_> = known.iter().map(|known| known.value.as_str().and_then(own_name)).collect();
    let distinct: BTreeSet<_> = own.iter().flatten().collect();
    if distinct.len() < known.len() {
        let mut taken = BTreeSet::new();
        let named = known.iter().zip(&own).enumerate().map(|(index, (known, own))| {
            let name = known.name.clone().or_else(|| own.clone());
            let is_empty = known.value.as_str().is_some_and(|text| text.trim().is_empty());
            let name = name.unwrap_or_else(|| if is_empty { "Empty".into() } else { format!("Value{}", index + 1) });
            unique(&type_name(&name), &mut taken)
        });
        let names: Vec<_> = named.collect();
        if known.iter().zip(&names).any(|(known, name)| known.name.as_ref() != Some(name)) {
            log.changed(pointer, format!("the values of the enum are called {}", names.join(", ")));
        }
        map.insert(NAMES.into(), json!(names));
    }
    if known.iter().any(|known| known.description.is_some()) {
        let texts = known.iter().map(|known| known.description.clone().unwrap_or_default());
        map.insert(DESCRIPTIONS.into(), texts.collect());
    }
    if map.get("type") == Some(&json!("integer")) {
        map.remove("format");
    }
    map.insert("enum".into(), known.into_iter().map(|known| known.value).collect());
}

/// Returns the Rust name that a string gives.
fn own_name(text: &str) -> Option<String> {
    text.chars().any(char::is_alphanumeric).then(|| pascal(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Effect, normalize::tests::run_on_schema};

    fn cleaned(schema: Value) -> Value {
        let (schema, _) = run_on_schema(clean, schema);
        // A clean enum stays as it is.
        assert_eq!(run_on_schema(clean, schema.clone()), (schema.clone(), vec![]));
        schema
    }

    #[test]
    fn distinct_strings_stay_an_enum() {
        assert_eq!(
            cleaned(
                json!({ "type": "string", "enum": ["open", "closed", "open", null], "x-enum-varnames": ["a", "b", "c", "d"] })
            ),
            json!({ "type": "string", "enum": ["open", "closed"], "nullable": true })
        );
        assert_eq!(
            cleaned(json!({ "type": "string", "enum": ["a", 7, true] })),
            json!({ "type": "string", "enum": ["a", "7", "true"] })
        );
    }

    #[test]
    fn integers_with_names_stay_an_enum() {
        let schema = json!({ "type": "integer", "format": "int32", "enum": [0, 1, -1], "x-enumNames": ["Open", "in work", "open"],
            "x-enum-descriptions": { "1": "Being done." } });
        assert_eq!(
            cleaned(schema),
            json!({ "type": "integer", "enum": [0, 1, -1], "x-enum-varnames": ["Open", "InWork", "Open2"],
                "x-enum-descriptions": ["", "Being done.", ""] })
        );
        assert_eq!(
            cleaned(json!({ "enum": [1, null], "x-enum-varnames": ["A", "None"] })),
            json!({ "type": "integer", "enum": [1], "x-enum-varnames": ["A"], "nullable": true })
        );
    }

    #[test]
    fn names_may_be_those_of_autorest() {
        let values = json!([
            { "value": 1, "name": "InWork", "description": "Being done." }, { "value": "0", "name": "Open" }, { "name": "x" }
        ]);
        let autorest = json!({ "name": "State", "modelAsString": true, "values": values });
        let schema = json!({ "type": "integer", "enum": [0, 1], "x-ms-enum": autorest });
        let named = json!({ "type": "integer", "enum": [0, 1], "x-enum-varnames": ["Open", "InWork"],
            "x-enum-descriptions": ["", "Being done."] });
        assert_eq!(cleaned(schema.clone()), named);
        let both = json!({ "type": "integer", "enum": [0, 1], "x-enum-varnames": ["A", "B"], "x-ms-enum": autorest });
        assert_eq!(cleaned(both)["x-enum-varnames"], json!(["A", "B"]));
        let unnamed = json!({ "type": "integer", "enum": [0, 7], "x-ms-enum": autorest });
        assert_eq!(run_on_schema(clean, unnamed).1.len(), 1);
        assert_eq!(
            cleaned(json!({ "type": "string", "enum": ["a"], "x-ms-enum": { "name": "State" } }))["enum"],
            json!(["a"])
        );
    }

    #[test]
    fn integers_without_names_keep_their_type() {
        for names in [json!(["A"]), json!(["A", ""]), json!([1, 2]), json!("A")] {
            let schema = json!({ "type": "integer", "enum": [0, 1], "x-enum-varnames": names, "description": "State" });
            let (schema, effects) = run_on_schema(clean, schema);
            assert!(schema["description"].as_str().unwrap().starts_with("State\n\nKnown values: `0`"), "{schema}");
            assert_eq!((schema["type"].clone(), schema.get("enum")), (json!("integer"), None));
            assert_eq!(effects, [(Effect::Lost, "/components/schemas/A".to_string())]);
        }
    }

    #[test]
    fn colliding_and_empty_values_have_names() {
        for (values, names) in [
            (json!(["a-b", "a_b"]), ["Ab", "Ab2"]),
            (json!(["", "a"]), ["Empty", "A"]),
            (json!(["+", "-"]), ["Value1", "Value2"]),
            (json!(["A", "a"]), ["A", "A2"]),
        ] {
            let schema = cleaned(json!({ "type": "string", "enum": values }));
            assert_eq!((&schema["enum"], &schema["x-enum-varnames"]), (&values, &json!(names)));
        }
        let given = cleaned(json!({ "type": "string", "enum": ["<", ">"], "x-enum-varnames": ["Less", "Greater"] }));
        assert_eq!(given["x-enum-varnames"], json!(["Less", "Greater"]));
    }

    #[test]
    fn what_is_no_enum_is_the_plain_type() {
        assert_eq!(cleaned(json!({ "enum": [] })), json!({}));
        assert_eq!(cleaned(json!({ "enum": [null] })), json!({ "nullable": true }));
        assert_eq!(cleaned(json!({ "type": "boolean", "enum": [true] }))["type"], "boolean");
        assert_eq!(cleaned(json!({ "type": "number", "enum": [1.5] })).get("enum"), None);
    }
}
