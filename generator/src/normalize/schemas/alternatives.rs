//! The rules by which a reader tells the alternatives of a union apart.

use serde_json::{Map, Value, json};

use super::references::target;
use crate::{
    document::{pointer::schema_name, schemas::each_schema},
    normalize::{Log, names::pascal},
};

/// The member of a union that stays one, with a rule for each alternative. A value is the first alternative whose JSON `type` it
/// has, whose `property` has one of the `values`, and all of whose `fields` it has. One that is sent with none of the `values` gets
/// `sent` in its place.
pub(crate) const RULES: &str = "x-perenso-union";

/// The member that keeps what a discriminator says of each alternative until the union is merged.
pub(super) const TAGS: &str = "x-perenso-discriminator";

/// The JSON types that a reader can tell apart, in the order in which it tries them.
pub(super) const KINDS: [&[&str]; 5] = [&["string"], &["boolean"], &["number", "integer"], &["array"], &["object"]];

/// Notes the values of each discriminator at its alternatives, while these have the names that it maps to.
pub(crate) fn note(root: &mut Value, _: &mut Log<'_>) {
    each_schema(root, &mut |schema, _| {
        let discriminator = &schema["discriminator"];
        let parts = ["oneOf", "anyOf"].iter().find_map(|name| schema.get(*name)?.as_array());
        let (Some(property), Some(parts)) = (discriminator["propertyName"].as_str(), parts) else { return };
        let mapping: Vec<_> = discriminator["mapping"].as_object().into_iter().flatten().collect();
        let tags: Vec<_> = parts
            .iter()
            .map(|part| {
                let name = schema_name(part.pointer("/allOf/0").unwrap_or(part)).unwrap_or_default();
                let is_target = |target: &Value| {
                    let target = target.as_str().unwrap_or_default();
                    target == name || schema_name(&json!({ "$ref": target })).is_some_and(|target| target == name)
                };
                let values = mapping.iter().filter(|(_, target)| is_target(target)).map(|(value, _)| value.as_str());
                json!({ "name": name, "values": values.collect::<Vec<_>>() })
            })
            .collect();
        let tags = json!({ "property": property, "parts": tags });
        schema.as_object_mut().map(|map| map.insert(TAGS.into(), tags));
    });
}

/// Returns true for a union of several alternatives with a rule for each.
pub(crate) fn has_rules(schema: &Value) -> bool {
    let parts = schema.get("oneOf").and_then(Value::as_array);
    let rules = schema.get(RULES).and_then(Value::as_array);
    let is_rule = |rule: &Value| rule["type"].as_str().is_some_and(|kind| KINDS.iter().any(|kinds| kinds[0] == kind));
    matches!((parts, rules), (Some(parts), Some(rules)) if parts.len() == rules.len() && rules.len() > 1 && rules.iter().all(is_rule))
}

/// Returns the rules of several objects: by the values of one property, else by fields that only one of them has and requires.
pub(super) fn of_objects(
    schemas: &Map<String, Value>,
    targets: &[&Value],
    tags: Option<(&str, Vec<&Value>)>,
    is_exclusive: bool,
) -> Option<Vec<Value>> {
    let by_property = |name: &str, values: Vec<Vec<String>>| {
        let mut all: Vec<_> = values.iter().flatten().collect();
        let before = all.len();
        all.sort();
        all.dedup();
        let is_known = all.len() == before && values.iter().all(|values| !values.is_empty());
        let rule = |values: Vec<String>| json!({ "type": "object", "property": name, "values": values });
        is_known.then(|| values.into_iter().map(rule).collect::<Vec<_>>())
    };
    if let Some((property, parts)) = tags {
        let values = targets.iter().zip(&parts).map(|(target, part)| {
            let mut values = strings(&part["values"]);
            let constants = strings(&self::target(schemas, &target["properties"][property])["enum"]);
            let is_fixed = constants.len() == 1;
            values.extend(constants.into_iter().filter(|_| is_fixed));
            let name = part["name"].as_str().filter(|name| values.is_empty() && !name.is_empty());
            values.extend(name.map(str::to_string));
            values.sort();
            values.dedup();
            values
        });
        let mut rules = by_property(property, values.collect())?;
        for (rule, part) in rules.iter_mut().zip(parts) {
            let (values, name) = (strings(&rule["values"]), part["name"].as_str().unwrap_or_default());
            let same = values.iter().find(|value| pascal(value) == pascal(name));
            rule["sent"] = json!(same.or(values.first()));
        }
        return Some(rules);
    }
    let (first, _) = targets.split_first()?;
    for name in strings(&first["required"]) {
        let is_required = targets.iter().all(|target| strings(&target["required"]).contains(&name));
        let values = targets.iter().map(|target| strings(&self::target(schemas, &target["properties"][&name])["enum"]));
        if let Some(rules) = is_required.then(|| by_property(&name, values.collect())).flatten() {
            return Some(rules);
        }
    }
    // A value of `anyOf` may be several of them at once.
    let own = targets.iter().filter(|_| is_exclusive).enumerate().map(|(index, target)| {
        let others =
            || targets.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, other)| &other["properties"]);
        let fields =
            strings(&target["required"]).into_iter().filter(|name| others().all(|other| other.get(name).is_none()));
        let fields: Vec<_> = fields.collect();
        (!fields.is_empty()).then(|| json!({ "type": "object", "fields": fields }))
    });
    own.collect::<Option<Vec<_>>>().filter(|rules| !rules.is_empty())
}

fn strings(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalize::tests::run_on_schema;

    fn rules(targets: Value, is_exclusive: bool) -> Option<Vec<Value>> {
        let targets: Vec<_> = targets.as_array().unwrap().iter().collect();
        of_objects(&Map::new(), &targets, None, is_exclusive)
    }

    fn object(required: &[&str], fields: Value) -> Value {
        json!({ "type": "object", "required": required, "properties": fields })
    }

    #[test]
    fn a_discriminator_is_noted_at_its_alternatives() {
        let reference = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
        let (schema, _) = run_on_schema(
            note,
            json!({
                "oneOf": [reference("B"), { "allOf": [reference("C")], "nullable": true }, { "type": "object" }],
                "discriminator": { "propertyName": "kind", "mapping": { "b": "B", "b2": "#/components/schemas/B", "d": "D" } }
            }),
        );
        let tag = |name: &str, values: Value| json!({ "name": name, "values": values });
        assert_eq!(
            schema[TAGS],
            json!({ "property": "kind", "parts": [tag("B", json!(["b", "b2"])), tag("C", json!([])), tag("", json!([]))] })
        );
    }

    #[test]
    fn a_discriminator_has_a_value_that_is_sent() {
        let targets = [json!({}), json!({})];
        let tags = [
            json!({ "name": "CarFerry", "values": ["a", "car_ferry"] }),
            json!({ "name": "Tug", "values": ["b", "c"] }),
        ];
        let rules = of_objects(&Map::new(), &targets.each_ref(), Some(("kind", tags.iter().collect())), true);
        let rule =
            |values: [&str; 2], sent| json!({ "type": "object", "property": "kind", "values": values, "sent": sent });
        assert_eq!(rules, Some(vec![rule(["a", "car_ferry"], "car_ferry"), rule(["b", "c"], "b")]));
    }

    #[test]
    fn objects_differ_by_a_value_or_by_fields() {
        let kind = |value: &str| object(&["kind"], json!({ "kind": { "type": "string", "enum": [value] } }));
        let rule = |value: &str| json!({ "type": "object", "property": "kind", "values": [value] });
        assert_eq!(rules(json!([kind("a"), kind("b")]), false), Some(vec![rule("a"), rule("b")]));
        assert_eq!(rules(json!([kind("a"), kind("a")]), true), None);
        let (card, cash) = (
            object(&["card", "sum"], json!({ "card": {}, "sum": {} })),
            object(&["cash"], json!({ "cash": {}, "sum": {} })),
        );
        let rule = |name: &str| json!({ "type": "object", "fields": [name] });
        assert_eq!(rules(json!([card, cash]), true), Some(vec![rule("card"), rule("cash")]));
        assert_eq!(rules(json!([card, cash]), false), None);
        assert_eq!(rules(json!([card, object(&[], json!({ "cash": {} }))]), true), None);
    }
}
