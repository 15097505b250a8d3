//! Reads the vendored document and checks the assumptions of later steps.

use std::collections::BTreeMap;

use openapiv3::{OpenAPI, ReferenceOr, Schema, SchemaKind, Type};
use serde_json::{Map, Value};

use crate::fault::{Fault, segment};

/// The keywords that the vendor's pages never document, even for parts that they show.
const UNSEEN: [&str; 6] = ["nullable", "format", "pattern", "minLength", "minimum", "maximum"];

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// The vendored document, read and checked.
pub(crate) struct Document {
    pub(crate) root: Value,
    text: String,
}

/// An operation and its place in the document.
pub(crate) struct Operation<'a> {
    pub(crate) place: String,
    pub(crate) id: &'a str,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) idempotency: &'a str,
    pub(crate) sealed: bool,
    pub(crate) node: &'a Value,
}

/// Reads the document. An error names the invalid place.
pub(crate) fn read(text: &str) -> Result<Document, Fault> {
    let root: Value = serde_json::from_str(text)
        .map_err(|error| Fault::new(format_args!("line {}, column {}", error.line(), error.column()), error))?;
    let document = Document { root, text: text.to_string() };
    check_references(&document.root, &document.root, "")?;
    check_schemas(&document)?;
    check_operations(&document)?;
    Ok(document)
}

impl Document {
    /// Returns the schemas by name.
    pub(crate) fn schemas(&self) -> Result<&Map<String, Value>, Fault> {
        object(&self.root, "/components/schemas")
    }

    /// Returns the properties of each schema in the order of the document, which a `Value` does not keep.
    pub(crate) fn written_order(&self) -> Result<BTreeMap<String, Vec<String>>, Fault> {
        let document: OpenAPI = serde_json::from_str(&self.text)
            .map_err(|error| Fault::new("/", format_args!("not OpenAPI 3.0: {error}")))?;
        let schemas = document.components.into_iter().flat_map(|components| components.schemas);
        let properties = |schema: ReferenceOr<Schema>| match schema.into_item()?.schema_kind {
            SchemaKind::Type(Type::Object(object)) => Some(object.properties.into_keys().collect()),
            _ => None,
        };
        Ok(schemas.filter_map(|(name, schema)| Some((name, properties(schema)?))).collect())
    }

    /// Returns the operations, in the order of the document.
    pub(crate) fn operations(&self) -> Result<Vec<Operation<'_>>, Fault> {
        let mut found = Vec::new();
        for (path, item) in object(&self.root, "/paths")? {
            object(&self.root, &format!("/paths/{}", segment(path)))?;
            for method in METHODS {
                let Some(node) = item.get(method) else { continue };
                let place = format!("/paths/{}/{method}", segment(path));
                found.push(Operation {
                    id: text(node, &place, "operationId")?,
                    idempotency: text(node, &place, "x-idempotency")?,
                    sealed: node.get("x-sealed").and_then(Value::as_bool).unwrap_or(false),
                    place,
                    method,
                    path,
                    node,
                });
            }
        }
        Ok(found)
    }
}

/// Returns the object at a JSON pointer.
pub(crate) fn object<'a>(root: &'a Value, pointer: &str) -> Result<&'a Map<String, Value>, Fault> {
    root.pointer(pointer).and_then(Value::as_object).ok_or_else(|| Fault::new(pointer, "an object is expected here"))
}

fn text<'a>(node: &'a Value, place: &str, name: &str) -> Result<&'a str, Fault> {
    match node.get(name) {
        None => Err(Fault::new(place, format_args!("`{name}` is missing"))),
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        Some(_) => Err(Fault::new(format_args!("{place}/{name}"), "a text is expected here")),
    }
}

fn check_references(root: &Value, node: &Value, place: &str) -> Result<(), Fault> {
    match node {
        Value::Object(map) => {
            if let Some(Value::String(target)) = map.get("$ref") {
                let known = target.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
                if known.is_none() {
                    return Err(Fault::new(format_args!("{place}/$ref"), format_args!("there is no `{target}`")));
                }
            }
            map.iter()
                .try_for_each(|(name, child)| check_references(root, child, &format!("{place}/{}", segment(name))))
        }
        Value::Array(items) => items
            .iter()
            .enumerate()
            .try_for_each(|(index, child)| check_references(root, child, &format!("{place}/{index}"))),
        _ => Ok(()),
    }
}

fn check_schemas(document: &Document) -> Result<(), Fault> {
    for (name, schema) in document.schemas()? {
        let place = format!("/components/schemas/{}", segment(name));
        check_source(document, schema, &place)?;
        check_inferred(schema, schema, &place)?;
        text(schema, &place, "description")?;
        if schema.get("properties").is_some() {
            for (property, inner) in object(&document.root, &format!("{place}/properties"))? {
                let place = format!("{place}/properties/{}", segment(property));
                text(inner, &place, "description")?;
                let required = schema["required"].as_array().is_some_and(|names| names.iter().any(|n| n == property));
                if !required && !admits_null(&document.root, inner) {
                    return Err(Fault::new(&place, "`nullable` is missing: a `Field` may be sent as null"));
                }
            }
            if schema.get("additionalProperties") != Some(&Value::Object(Map::new())) {
                return Err(Fault::new(&place, "`additionalProperties: {}` is missing: unknown fields would be lost"));
            }
        }
        if schema.get("x-personal").is_some() && !schema.get("x-shown").is_some_and(Value::is_array) {
            return Err(Fault::new(&place, "`x-personal` needs `x-shown`, the fields that `Debug` may show"));
        }
    }
    Ok(())
}

fn check_operations(document: &Document) -> Result<(), Fault> {
    let mut seen = BTreeMap::new();
    for operation in document.operations()? {
        let Operation { place, id, idempotency, node, .. } = &operation;
        if !id.starts_with(|c: char| c.is_ascii_lowercase())
            || !id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        {
            return Err(Fault::new(format_args!("{place}/operationId"), format_args!("`{id}` is not snake_case")));
        }
        if let Some(other) = seen.insert(id.to_string(), place.clone()) {
            return Err(Fault::new(format_args!("{place}/operationId"), format_args!("`{id}` is taken by {other}")));
        }
        if !["safe", "idempotent", "not-repeatable"].contains(idempotency) {
            return Err(Fault::new(
                format_args!("{place}/x-idempotency"),
                format_args!("`{idempotency}` is not safe, idempotent or not-repeatable"),
            ));
        }
        text(node, place, "summary")?;
        text(node, place, "description")?;
        check_source(document, node, place)?;
        if node.get("tags").and_then(Value::as_array).map_or(0, Vec::len) != 1 {
            return Err(Fault::new(place, "one tag is expected"));
        }
        object(&document.root, &format!("{place}/responses"))?;
        for (index, parameter) in node.get("parameters").and_then(Value::as_array).into_iter().flatten().enumerate() {
            let place = format!("{place}/parameters/{index}");
            text(parameter, &place, "name")?;
            text(parameter, &place, "description")?;
            if parameter.get("x-source").is_some() {
                check_source(document, parameter, &place)?;
            }
            let source = if parameter.get("x-source").is_some() { parameter } else { node };
            check_inferred(source, &parameter["schema"], &place)?;
            if parameter.get("in").and_then(Value::as_str) == Some("header") {
                return Err(Fault::new(&place, "header parameters are not supported"));
            }
        }
    }
    Ok(())
}

fn check_source(document: &Document, node: &Value, place: &str) -> Result<(), Fault> {
    let source = node.get("x-source").ok_or_else(|| Fault::new(place, "`x-source` is missing"))?;
    let place = format!("{place}/x-source");
    if !["seen", "inferred"].contains(&text(source, &place, "status")?) {
        return Err(Fault::new(format_args!("{place}/status"), "not seen or inferred"));
    }
    let pages = source.get("pages").and_then(Value::as_array).filter(|pages| !pages.is_empty());
    let known = object(&document.root, "/x-pages")?;
    for page in pages.ok_or_else(|| Fault::new(&place, "`pages` is missing"))? {
        if !page.as_str().is_some_and(|page| known.contains_key(page)) {
            return Err(Fault::new(format_args!("{place}/pages"), format_args!("{page} is not in /x-pages")));
        }
    }
    Ok(())
}

/// Returns true if a schema, or one that it refers to, accepts `null`.
fn admits_null(root: &Value, schema: &Value) -> bool {
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        let target = target.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
        return target.is_some_and(|target| admits_null(root, target));
    }
    let parts = ["allOf", "oneOf"].iter().filter_map(|name| schema.get(name)?.as_array()).flatten();
    schema.get("nullable") == Some(&Value::Bool(true)) || parts.into_iter().any(|part| admits_null(root, part))
}

/// Checks that exactly the limits of documented parts are listed as inferred.
fn check_inferred(holder: &Value, schema: &Value, place: &str) -> Result<(), Fault> {
    let source = &holder["x-source"];
    if source["status"] == "inferred" {
        return Ok(());
    }
    let listed: Vec<&str> = source["inferred"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let found: Vec<&str> = UNSEEN.into_iter().filter(|keyword| holds(schema, keyword)).collect();
    if listed == found {
        return Ok(());
    }
    Err(Fault::new(format_args!("{place}/x-source/inferred"), format_args!("expected {found:?}, found {listed:?}")))
}

fn holds(schema: &Value, keyword: &str) -> bool {
    match schema {
        // A property may have the name of a keyword.
        Value::Object(map) => {
            map.get(keyword).is_some_and(|value| !value.is_object()) || map.values().any(|inner| holds(inner, keyword))
        }
        Value::Array(items) => items.iter().any(|inner| holds(inner, keyword)),
        _ => false,
    }
}
