//! Made-up values that fit the schemas of a vendor's document: OpenAPI 3.0, 3.1 or Swagger 2.0.

use std::cell::Cell;

use serde_json::{Map, Number, Value, json};

use crate::pattern;

/// The depth of references at which optional fields are left out, so that a type that contains itself ends.
const MAX_DEPTH: usize = 3;

/// The keywords that say what a schema without a type is.
const KEYWORDS: [(&str, &str); 5] = [
    ("properties", "object"),
    ("additionalProperties", "object"),
    ("items", "array"),
    ("pattern", "string"),
    ("format", "string"),
];

/// A maker of values for requests.
pub(crate) struct Maker<'a> {
    root: &'a Value,
    /// True if what is optional is left out.
    pub(crate) is_least: bool,
    /// True if a schema admits no value.
    pub(crate) is_impossible: Cell<bool>,
}

impl<'a> Maker<'a> {
    pub(crate) fn new(root: &'a Value, is_least: bool) -> Self {
        Self { root, is_least, is_impossible: Cell::new(false) }
    }

    /// Returns a value that fits a schema.
    pub(crate) fn value(&self, schema: &Value) -> Value {
        self.at(schema, 0, 0)
    }

    /// Returns a value that fits a schema, and another one for each `which` where the schema allows it.
    pub(crate) fn nth(&self, schema: &Value, which: usize) -> Value {
        self.at(schema, 0, which)
    }

    fn at(&self, schema: &Value, depth: usize, which: usize) -> Value {
        let (schema, deeper) = self.flat(schema, 0);
        let depth = depth + deeper;
        if let Some(value) = schema.get("const") {
            return value.clone();
        }
        if schema["type"] == "null" || schema["type"] == json!(["null"]) {
            return Value::Null;
        }
        let kind = kind(&schema);
        if let Some(values) = schema["enum"].as_array().filter(|values| !values.is_empty()) {
            let fitting: Vec<_> = values.iter().filter(|value| !value.is_null()).collect();
            let is_number = ["integer", "number"].contains(&kind);
            self.is_impossible
                .set(self.is_impossible.get() || is_number && fitting.iter().all(|value| value.is_string()));
            return fitting.get(which % fitting.len().max(1)).map_or(Value::Null, |value| (*value).clone());
        }
        match kind {
            "string" => text(&schema, which),
            "integer" | "number" => number(&schema, kind == "integer", which),
            "boolean" => json!(true),
            "array" => {
                let least = usize::try_from(schema["minItems"].as_u64().unwrap_or(0)).unwrap_or_default();
                let wanted = if self.is_least || depth > MAX_DEPTH { least } else { least.max(1) };
                (0..wanted.min(50)).map(|which| self.at(&schema["items"], depth + 1, which)).collect()
            }
            "object" => self.object(&schema, depth).into(),
            _ => json!("any"),
        }
    }

    fn object(&self, schema: &Value, depth: usize) -> Map<String, Value> {
        let is_required =
            |name: &str| schema["required"].as_array().is_some_and(|names| names.iter().any(|n| n == name));
        let mut object = Map::new();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let is_kept = is_required(name) || !self.is_least && depth <= MAX_DEPTH;
            // A property that only responses have must not be sent.
            if is_kept && self.flat(property, 0).0["readOnly"] != true && property["readOnly"] != true {
                object.insert(name.clone(), self.at(property, depth, 0));
            }
        }
        // Some documents require what they do not describe.
        let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        for name in required.filter(|name| schema["properties"].get(name).is_none()) {
            object.insert(name.to_owned(), json!("any"));
        }
        let more = &schema["additionalProperties"];
        if object.is_empty() && more.is_object() && !self.is_least && depth <= MAX_DEPTH {
            object.insert("other".to_owned(), self.at(more, depth + 1, 0));
        }
        object
    }

    /// Returns a schema without references, `allOf` and alternatives, and the number of references that were followed.
    pub(crate) fn flat(&self, schema: &Value, depth: usize) -> (Value, usize) {
        if depth > 20 {
            return (json!({}), depth);
        }
        let mut flat = schema.as_object().cloned().unwrap_or_default();
        let mut followed = 0;
        let mut merge = |flat: &mut Map<String, Value>, part: &Value, step: usize| {
            let (part, deeper) = self.flat(part, depth + 1);
            followed = followed.max(step + deeper);
            for (name, value) in part.as_object().into_iter().flatten() {
                match (flat.get_mut(name), value) {
                    (Some(Value::Object(there)), Value::Object(more)) => {
                        there.extend(more.iter().map(|(name, value)| (name.clone(), value.clone())));
                    }
                    (Some(Value::Array(there)), Value::Array(more)) if name == "required" => {
                        there.extend(more.iter().cloned());
                    }
                    (Some(_), _) => {}
                    (None, _) => _ = flat.insert(name.clone(), value.clone()),
                }
            }
        };
        if let Some(target) = flat.remove("$ref").and_then(|target| self.target(&target).cloned()) {
            merge(&mut flat, &target, 1);
        }
        if let Some(Value::Array(parts)) = flat.remove("allOf") {
            parts.iter().for_each(|part| merge(&mut flat, part, 0));
        }
        for name in ["oneOf", "anyOf"] {
            let Some(Value::Array(parts)) = flat.remove(name) else { continue };
            let is_null = |part: &&Value| part["type"] == "null";
            let Some(part) = parts.iter().find(|part| !is_null(part)) else { continue };
            let named = flat.get("discriminator").and_then(|discriminator| tag(discriminator, part));
            merge(&mut flat, part, 0);
            if let Some((property, value)) = named {
                flat.entry("properties").or_insert_with(|| json!({}))[property] = json!({ "const": value });
            }
        }
        (Value::Object(flat), followed)
    }

    /// Returns true if an object in a value lacks a field that its schema requires. Alternatives are not looked into.
    pub(crate) fn lacks_required(&self, schema: &Value, value: &Value) -> bool {
        let (schema, _) = self.flat(schema, 0);
        let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        match value {
            Value::Object(fields) => {
                required.into_iter().any(|name| !fields.contains_key(name))
                    || fields.iter().any(|(name, value)| {
                        let property = schema["properties"].get(name);
                        property.is_some_and(|property| self.lacks_required(property, value))
                    })
            }
            Value::Array(items) => items.iter().any(|item| self.lacks_required(&schema["items"], item)),
            _ => false,
        }
    }

    /// Returns the node that a reference names.
    pub(crate) fn target(&self, reference: &Value) -> Option<&Value> {
        let pointer = reference.as_str()?.strip_prefix('#')?;
        self.root.pointer(pointer).or_else(|| self.root.pointer(&percent_decoded(pointer)))
    }
}

/// Returns the name and the value of the property that tells which alternative a value is.
fn tag(discriminator: &Value, part: &Value) -> Option<(String, String)> {
    let property = discriminator["propertyName"].as_str()?;
    let reference = part["$ref"].as_str()?;
    let mapped = discriminator["mapping"].as_object().into_iter().flatten();
    let mapped = mapped.clone().find(|(_, target)| *target == reference).map(|(name, _)| name.clone());
    let name = mapped.or_else(|| reference.rsplit('/').next().map(ToOwned::to_owned))?;
    Some((property.to_owned(), name))
}

/// Returns the type of a schema: the first one that is not `null`.
pub(crate) fn kind(schema: &Value) -> &str {
    let first = schema["type"].as_array().and_then(|kinds| kinds.iter().find(|kind| *kind != "null"));
    let named = first.unwrap_or(&schema["type"]).as_str();
    named
        .or_else(|| KEYWORDS.iter().find(|(keyword, _)| schema.get(keyword).is_some()).map(|(_, kind)| *kind))
        .unwrap_or("")
}

fn text(schema: &Value, which: usize) -> Value {
    let digit = (which % 10).to_string();
    let limit = |name: &str| schema[name].as_u64().and_then(|length| usize::try_from(length).ok());
    let made = match schema["format"].as_str().unwrap_or_default() {
        "date-time" => format!("2026-01-31T09:00:0{digit}Z"),
        "date" => format!("2026-01-1{digit}"),
        "time" => format!("09:00:0{digit}Z"),
        "duration" => format!("PT{digit}H"),
        "uuid" => format!("123e4567-e89b-42d3-a456-42661417400{digit}"),
        "uri" | "url" | "uri-reference" => format!("https://example.com/{digit}"),
        "email" => format!("buyer{digit}@example.com"),
        "hostname" => format!("example{digit}.com"),
        "ipv4" => format!("192.0.2.{digit}"),
        "ipv6" => format!("2001:db8::{digit}"),
        "byte" => "dGV4dA==".to_owned(),
        _ => {
            if let Some(made) = schema["pattern"].as_str().and_then(pattern::example) {
                return json!(made);
            }
            let made = if which == 0 { "text".to_owned() } else { format!("text{which}") };
            format!("{made:x<0$}", limit("minLength").unwrap_or(0).min(10_000))
        }
    };
    json!(made.chars().take(limit("maxLength").unwrap_or(usize::MAX)).collect::<String>())
}

fn number(schema: &Value, is_integer: bool, which: usize) -> Value {
    let bound = |name: &str, exclusive: &str, step: f64| match (schema[name].as_f64(), &schema[exclusive]) {
        (Some(bound), Value::Bool(true)) => Some(bound + step),
        (bound, other) => bound.or_else(|| other.as_f64().map(|bound| bound + step)),
    };
    let step = schema["multipleOf"].as_f64().filter(|step| !is_integer || step.fract() == 0.0).unwrap_or(1.0);
    let least = bound("minimum", "exclusiveMinimum", step);
    let most = bound("maximum", "exclusiveMaximum", -step).unwrap_or(f64::MAX);
    let first = least.map_or(step, |least| (least / step).ceil() * step).min(most);
    let value = if first + step * which as f64 <= most { first + step * which as f64 } else { first };
    let has_fraction = !is_integer && schema.get("multipleOf").is_none() && value + 0.5 <= most;
    match has_fraction {
        true => Number::from_f64(value + 0.5).map_or(json!(1.5), Value::Number),
        false => json!(value as i64),
    }
}

/// Returns a pointer as it is without percent encoding, which some tools write in references.
fn percent_decoded(pointer: &str) -> String {
    let pair = format!("a={}", pointer.replace('+', "%2B"));
    form_urlencoded::parse(pair.as_bytes()).next().map_or_else(String::new, |(_, value)| value.into_owned())
}
