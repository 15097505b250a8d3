//! Gives the records and enums of a plain document the names by which hand-written methods know them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{
    Facade,
    kind::{Presence, Shape},
};
use crate::{
    Effect, Problem, Report,
    document::pointer::{COMPONENTS, local, schema_reference, segment, unescape},
    normalize::names::{snake, unique},
};

const SCHEMAS: &str = "/components/schemas";

/// The component schemas of each name.
type Bound = BTreeMap<String, BTreeSet<String>>;

/// Names the types in all bodies of the facade. Types with one name become one, with the fields of all of them.
pub(super) fn name_types(root: &mut Value, facade: &Facade, report: &mut Report) {
    let mut bound = Bound::new();
    for (pointer, shape) in bodies(root, facade) {
        collect(root, facade, &pointer, shape, &mut bound);
    }
    unify(root, &bound, report);
    // A type that has several names is several types now, so each place refers to its own.
    for (pointer, shape) in bodies(root, facade) {
        direct(root, facade, &pointer, shape);
    }
    for name in bound.keys() {
        for field in facade.fields_of(name) {
            direct(root, facade, &property(name, &field.name), &field.kind.shape);
        }
        if relax(root, facade, name) {
            let message = "the fields are required that hand-written methods require, and no others";
            report.problems.push(problem(Effect::Changed, component(name), message.to_owned()));
        }
    }
}

fn bodies<'a>(root: &Value, facade: &'a Facade) -> Vec<(String, &'a Shape)> {
    facade.operations.iter().flat_map(|operation| operation.bodies(root)).collect()
}

/// Returns the pointer of a component schema.
pub(super) fn component(name: &str) -> String {
    format!("{COMPONENTS}{}", segment(name))
}

/// Returns the pointer of a field of a component schema.
pub(super) fn property(record: &str, field: &str) -> String {
    format!("{}/properties/{}", component(record), segment(field))
}

/// A schema at the end of references.
pub(super) struct Target {
    /// The pointer of the schema.
    pub(super) pointer: String,
    /// The pointer of the last reference to it.
    pub(super) reference: Option<String>,
}

impl Target {
    /// Follows references, alone or in an `allOf` of one.
    pub(super) fn of(root: &Value, pointer: &str) -> Self {
        let mut target = Self { pointer: pointer.to_owned(), reference: None };
        // Longer chains are circles.
        for _ in 0..32 {
            let Some(node) = root.pointer(&target.pointer) else { break };
            if let Some(next) = node["$ref"].as_str().and_then(local) {
                target.reference = Some(target.pointer);
                target.pointer = next;
            } else if node["allOf"].as_array().is_some_and(|parts| parts.len() == 1) && node["properties"].is_null() {
                target.pointer.push_str("/allOf/0");
            } else {
                break;
            }
        }
        target
    }

    /// Returns the name of the component schema that this is.
    pub(super) fn component(&self) -> Option<String> {
        let name = self.pointer.strip_prefix(COMPONENTS)?;
        (!name.contains('/')).then(|| unescape(name))
    }

    pub(super) fn node<'a>(&self, root: &'a Value) -> &'a Value {
        root.pointer(&self.pointer).unwrap_or(&Value::Null)
    }
}

/// Returns true for a schema that can have the name of a type of the facade: an enum for one, otherwise a record.
fn is_type(schema: &Value, facade: &Facade, name: &str) -> bool {
    let is_record = schema["properties"].as_object().is_some_and(|fields| !fields.is_empty());
    schema["x-perenso-type"].is_null()
        && if facade.values_of(name).is_some() { schema["enum"].is_array() } else { is_record }
}

/// Collects the components of each name. No other component may have the name, so that one is noted without any too.
fn collect(root: &Value, facade: &Facade, pointer: &str, shape: &Shape, bound: &mut Bound) {
    let target = Target::of(root, pointer);
    let node = target.node(root);
    let (name, fits) = match shape {
        Shape::List(inner) => return collect(root, facade, &format!("{}/items", target.pointer), inner, bound),
        Shape::Type(name) => (name, is_type(node, facade, name)),
        Shape::Map(name) => (name, node["type"] == "object" && node["properties"].is_null()),
        _ => return,
    };
    let components = bound.entry(name.clone()).or_default();
    if let Some(component) = target.component().filter(|_| fits)
        && components.insert(component.clone())
    {
        for field in facade.fields_of(name) {
            collect(root, facade, &property(&component, &field.name), &field.kind.shape, bound);
        }
    }
}

fn problem(effect: Effect, pointer: String, message: String) -> Problem {
    Problem { step: "hand-written methods", effect, pointer, message }
}

/// Makes one component of all that have a name.
fn unify(root: &mut Value, bound: &Bound, report: &mut Report) {
    let Some(Value::Object(schemas)) = root.pointer(SCHEMAS) else { return };
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    for (name, components) in bound {
        for component in components {
            // A component with several names keeps its own for other references.
            if component == name || !names.contains_key(component) {
                names.insert(component.clone(), name.clone());
            }
        }
    }
    let mut taken: BTreeSet<String> = schemas.keys().chain(bound.keys()).cloned().collect();
    for name in bound.keys() {
        if !schemas.contains_key(name) || names.contains_key(name) {
            continue;
        }
        names.insert(name.clone(), unique(name, &mut taken));
    }
    names.retain(|old, new| old != new);
    redirect(root, &names);
    let Some(Value::Object(mut schemas)) = root.pointer_mut(SCHEMAS).map(Value::take) else { return };
    // References have the new names already.
    let mut renamed = schemas.clone();
    for (old, new) in &names {
        renamed.extend(schemas.get(old).map(|schema| (new.clone(), schema.clone())));
    }
    let mut merged = Map::new();
    for (name, components) in bound {
        // The one that has the name already comes first, so that it stays as it is.
        let own = components.get(name).into_iter();
        let mut parts =
            own.chain(components.iter().filter(|other| *other != name)).filter_map(|part| schemas.get(part));
        let Some(mut all) = parts.next().cloned() else { continue };
        for part in parts {
            for field in join_records(&mut all, part, &renamed) {
                let message = "it has several types, and is any JSON value".to_owned();
                report.problems.push(problem(Effect::Lost, property(name, &field), message));
            }
        }
        if components.len() > 1 {
            let parts = components.iter().map(|part| format!("`{part}`")).collect::<Vec<_>>().join(", ");
            let message = format!("it is one type with the fields of {parts}");
            report.problems.push(problem(Effect::Changed, component(name), message));
        }
        merged.insert(name.clone(), all);
    }
    let bound_components: BTreeSet<&String> = bound.values().flatten().collect();
    for (old, new) in &names {
        let schema = schemas.remove(old);
        if !bound_components.contains(old) {
            schemas.extend(schema.map(|schema| (new.clone(), schema)));
        }
    }
    schemas.extend(merged);
    if let Some(place) = root.pointer_mut(SCHEMAS) {
        *place = Value::Object(schemas);
    }
}

fn redirect(node: &mut Value, names: &BTreeMap<String, String>) {
    match node {
        Value::Object(map) => {
            let name = map
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(|target| target.strip_prefix('#')?.strip_prefix(COMPONENTS));
            if let Some(new) = name.and_then(|name| names.get(&unescape(name))) {
                map.insert("$ref".into(), schema_reference(new)["$ref"].clone());
            }
            map.values_mut().for_each(|part| redirect(part, names));
        }
        Value::Array(parts) => parts.iter_mut().for_each(|part| redirect(part, names)),
        _ => {}
    }
}

/// Adds the fields of a record to another one. Returns those that become any value.
fn join_records(all: &mut Value, other: &Value, schemas: &Map<String, Value>) -> Vec<String> {
    let mut lost = Vec::new();
    let fields = all.get_mut("properties").and_then(Value::as_object_mut);
    if let (Some(fields), Some(others)) = (fields, other["properties"].as_object()) {
        for (name, schema) in others {
            match fields.get_mut(name) {
                Some(field) => {
                    let joined = join(field, schema, schemas);
                    if joined == json!({}) && *field != joined {
                        lost.push(name.clone());
                    }
                    *field = joined;
                }
                None => add_field(fields, name, schema.clone()),
            }
        }
    }
    lost
}

/// Adds a field to a record. One with the Rust name of another one stays among the unknown fields.
pub(super) fn add_field(fields: &mut Map<String, Value>, name: &str, schema: Value) {
    if !fields.keys().any(|other| snake(other) == snake(name)) {
        fields.insert(name.to_owned(), schema);
    }
}

/// Returns a schema for the values of two: what both are, or any value.
fn join(one: &Value, other: &Value, schemas: &Map<String, Value>) -> Value {
    let base = |schema: &Value| {
        let name = crate::document::pointer::schema_name(schema.pointer("/allOf/0").unwrap_or(schema));
        name.and_then(|name| schemas.get(&name)).unwrap_or(schema)["type"].as_str().unwrap_or_default().to_owned()
    };
    let is_same = |member: &str| one[member] == other[member];
    if ["$ref", "allOf", "type", "items", "enum", "format"].into_iter().all(is_same) {
        return one.clone();
    }
    match (base(one).as_str(), base(other).as_str()) {
        ("string", "string") => json!({ "type": "string", "nullable": true }),
        ("integer", "integer") => json!({ "type": "integer", "format": "int64", "nullable": true }),
        ("array", "array") if one["items"].is_object() && other["items"].is_object() => {
            json!({ "type": "array", "items": join(&one["items"], &other["items"], schemas), "nullable": true })
        }
        _ => json!({}),
    }
}

/// Makes a place refer to the type of its name.
fn direct(root: &mut Value, facade: &Facade, pointer: &str, shape: &Shape) {
    let target = Target::of(root, pointer);
    match shape {
        Shape::List(inner) => direct(root, facade, &format!("{}/items", target.pointer), inner),
        Shape::Type(name) if is_type(target.node(root), facade, name) => {
            let reference = target.reference.and_then(|reference| root.pointer_mut(&reference));
            if let Some(reference) = reference.and_then(Value::as_object_mut) {
                reference.insert("$ref".into(), schema_reference(name)["$ref"].clone());
            }
        }
        _ => {}
    }
}

/// Requires the fields of a record that hand-written methods require, and no others: a record of several operations has what
/// each of them sends or returns. Returns true if that changes it.
fn relax(root: &mut Value, facade: &Facade, name: &str) -> bool {
    let record = root.pointer_mut(&component(name)).and_then(Value::as_object_mut);
    let Some(record) = record else { return false };
    let Some(fields) = record.get_mut("properties").and_then(Value::as_object_mut) else { return false };
    let mut required: Vec<&String> = Vec::new();
    for field in facade.fields_of(name).filter(|field| field.kind.presence == Presence::Required) {
        if let Some(schema) = fields.get_mut(&field.name).and_then(Value::as_object_mut) {
            schema.remove("nullable");
            if !required.contains(&&field.name) {
                required.push(&field.name);
            }
        }
    }
    let is_same = |before: &Value| {
        let before: BTreeSet<_> = before.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        before == required.iter().map(|name| name.as_str()).collect()
    };
    if is_same(record.get("required").unwrap_or(&Value::Null)) {
        return false;
    }
    match required.is_empty() {
        true => drop(record.remove("required")),
        false => drop(record.insert("required".into(), json!(required))),
    }
    true
}
