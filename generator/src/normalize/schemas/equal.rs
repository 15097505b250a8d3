//! Inline types of operations that are equal, such as the record of a resource in each of its calls.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{hoist::NAME, put_components, redirect, take_components};
use crate::{
    document::pointer::{COMPONENTS, segment, unescape},
    normalize::{
        Log,
        names::{pascal, type_name},
    },
};

/// The members of a schema that say nothing of its type.
const PROSE: [&str; 5] = ["description", "title", "example", "examples", NAME];

/// Makes equal inline types of a resource one type, with the name of the resource and of the fields that lead to the type:
/// `Warehouse`, `WarehouseState`. A pinned name stays. Equal types of several resources or fields stay apart.
pub(crate) fn share(root: &mut Value, log: &mut Log<'_>) {
    // Types that contain others are equal once their parts are one.
    loop {
        let mut schemas = take_components(root);
        let mut groups: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
        for (name, schema) in &schemas {
            if let Some(resource) = resource(&log.origin(&pointer(name))) {
                groups.entry((resource, of_type(schema).to_string())).or_default().push(name.clone());
            }
        }
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        for ((resource, _), group) in groups.into_iter().filter(|(_, group)| group.len() > 1) {
            let pinned = group.iter().find(|name| schemas[*name].get(NAME).is_some());
            let is_free = !schemas.contains_key(&resource);
            let shortest = group.iter().min_by_key(|name| (name.len(), *name));
            let Some(one) = pinned.or(shortest).cloned() else { continue };
            let shared = if pinned.is_none() && is_free { resource } else { one.clone() };
            for name in &group {
                let schema = schemas.remove(name);
                if *name == one {
                    schemas.extend(schema.map(|schema| (shared.clone(), schema)));
                    log.moved(&shared, &pointer(name));
                } else {
                    log.changed(
                        &pointer(name),
                        format!("it equals other types of the resource, and is one with them: `{shared}`"),
                    );
                }
                names.insert(name.clone(), shared.clone());
            }
        }
        put_components(root, schemas);
        if names.is_empty() {
            return;
        }
        redirect(root, |name| names.get(name).cloned());
    }
}

fn pointer(name: &str) -> String {
    format!("{COMPONENTS}{}", segment(name))
}

/// Returns a schema without its prose.
fn of_type(schema: &Value) -> Value {
    match schema {
        Value::Object(map) => {
            let members = map.iter().filter(|(name, _)| !PROSE.contains(&name.as_str()));
            members
                .map(|(name, member)| {
                    (name.clone(), if name == "properties" { of_fields(member) } else { of_type(member) })
                })
                .collect()
        }
        Value::Array(parts) => parts.iter().map(of_type).collect(),
        other => other.clone(),
    }
}

/// Returns fields without the prose of their schemas. A field may have the name of prose.
fn of_fields(fields: &Value) -> Value {
    match fields {
        Value::Object(fields) => fields.iter().map(|(name, schema)| (name.clone(), of_type(schema))).collect(),
        other => other.clone(),
    }
}

/// Returns the last fixed segment of the path of an operation, and the fields that lead to one of its types, as a name. `None` for
/// the pointer of another part.
fn resource(origin: &str) -> Option<String> {
    let segments: Vec<String> = origin.strip_prefix("/paths/")?.split('/').map(unescape).collect();
    let (path, rest) = segments.split_first()?;
    let resource = path.split('/').rfind(|segment| !segment.is_empty() && !segment.contains('{'))?;
    let rest: Vec<&String> = rest.iter().skip_while(|segment| *segment != "schema").collect();
    let fields = rest.windows(2).filter(|pair| pair[0] == "properties").map(|pair| pascal(pair[1]));
    Some(type_name(&std::iter::once(pascal(resource)).chain(fields).collect::<String>()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use crate::{Document, Options, normalize};

    /// Normalises a document with these operations of `/Warehouse` and others.
    fn schemas(paths: serde_json::Value) -> (serde_json::Value, serde_json::Value) {
        let document = json!({"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": paths});
        let root = normalize(&Document::from_value(document).unwrap(), &Options::default()).root;
        (root["components"]["schemas"].clone(), root["paths"].clone())
    }

    fn response(schema: serde_json::Value) -> serde_json::Value {
        json!({"200": {"description": "d", "content": {"application/json": {"schema": schema}}}})
    }

    fn record(description: &str) -> serde_json::Value {
        json!({"type": "object", "description": description, "properties": {
            "name": {"type": "string"}, "state": {"type": "string", "enum": ["open", "closed"], "description": description},
        }})
    }

    fn names(schemas: &serde_json::Value) -> Vec<&str> {
        schemas.as_object().unwrap().keys().map(String::as_str).collect()
    }

    #[test]
    fn the_record_of_a_resource_is_one_type_with_its_name() {
        let body = json!({"content": {"application/json": {"schema": record("to send")}}});
        let id = json!([{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}]);
        let (schemas, paths) = schemas(json!({
            "/Warehouse": {
                "get": {"responses": response(json!({"type": "array", "items": record("one of many")}))},
                "post": {"requestBody": body, "responses": response(record("created"))},
            },
            "/Warehouse/{id}": {"get": {"parameters": id, "responses": response(record("one"))}},
        }));
        assert_eq!(names(&schemas), ["Warehouse", "WarehouseState"]);
        let reference = &paths["/Warehouse/{id}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        assert_eq!(reference["$ref"], "#/components/schemas/Warehouse");
    }

    #[test]
    fn types_of_several_resources_stay_apart_and_so_do_those_that_differ() {
        let other = json!({"type": "object", "properties": {"name": {"type": "integer"}}});
        let plain = json!({"type": "object", "properties": {"name": {"type": "string"}}});
        let (schemas, _) = schemas(json!({
            "/a": {"get": {"operationId": "long_name", "responses": response(plain.clone())}},
            "/b": {"get": {"operationId": "short", "responses": response(plain)}},
            "/b/{id}": {"get": {"operationId": "apart", "responses": response(other)}},
        }));
        assert_eq!(names(&schemas), ["ApartResponse", "LongNameResponse", "ShortResponse"]);
    }

    #[test]
    fn a_pinned_name_is_that_of_all() {
        let mut pinned = record("pinned");
        pinned["x-type-name"] = json!("Depot");
        let (schemas, _) = schemas(json!({
            "/a": {"get": {"responses": response(record("a"))}, "put": {"responses": response(pinned)}},
        }));
        assert_eq!(names(&schemas), ["AState", "Depot"]);
    }
}
