//! The parts of bodies that have several.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::{
    document::{
        operations::operations,
        pointer::{schema_name, schema_reference},
        schemas::MULTIPART,
    },
    normalize::{
        Log,
        names::{type_name, unique},
        schemas::{is_nullable, is_record, nullable, put_components, references::target, scalars, take_components},
    },
};

/// The member of a request body that keeps the media types of its parts, by name.
pub(crate) const PART_TYPES: &str = "x-perenso-part-types";

/// Returns the media types that `encoding` gives parts, without those that only limit what a file may be.
pub(super) fn media_types(entry: &Value, place: &str, log: &mut Log<'_>) -> Map<String, Value> {
    let mut types = Map::new();
    for (name, encoding) in entry.get("encoding").and_then(Value::as_object).into_iter().flatten() {
        let is_sent = |text: &&str| {
            text.contains('/') && !text.contains([',', '*']) && text.bytes().all(|b| b.is_ascii_graphic())
        };
        if let Some(media_type) = encoding.get("contentType").and_then(Value::as_str).filter(is_sent) {
            types.insert(name.clone(), json!(media_type));
        }
        if encoding.get("headers").and_then(Value::as_object).is_some_and(|headers| !headers.is_empty()) {
            log.lost(place, format!("the headers of the part `{name}` are not sent"));
        }
    }
    types
}

/// Makes the files among the parts a type of their own. The record of the parts may be that of JSON as well, which has strings in
/// their place: then the form gets a record of its own.
pub(crate) fn name_files(root: &mut Value, log: &mut Log<'_>) {
    let mut uses = BTreeMap::new();
    count(root, false, &mut uses);
    let mut schemas = take_components(root);
    let mut taken: BTreeSet<String> = schemas.keys().map(|name| type_name(name)).collect();
    let (mut file, mut typed) = (None, BTreeMap::<String, Value>::new());
    for operation in operations(root) {
        let place = format!("{}/requestBody", operation.pointer);
        let Some(body) = operation.node.get_mut("requestBody").and_then(Value::as_object_mut) else { continue };
        let types = body.get(PART_TYPES).cloned().unwrap_or_default();
        let Some(schema) = body.get_mut(MULTIPART) else { continue };
        // A form is never null.
        if let Some([only]) = schema.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
            *schema = only.clone();
        }
        schema.as_object_mut().map(|schema| schema.remove("nullable"));
        let form = target(&schemas, schema);
        if !is_record(form) {
            let unknown = json!({ "type": "object", "additionalProperties": {} });
            if *schema != unknown {
                log.lost(&place, "the parts of the body are not known");
                *schema = unknown;
            }
            continue;
        }
        let mut own = form.clone();
        let mut files = 0;
        for part in own["properties"].as_object_mut().into_iter().flat_map(|parts| parts.values_mut()) {
            let part = match target(&schemas, part)["type"] == "array" {
                true => {
                    let mut list = target(&schemas, part).clone();
                    let is_list = is_file(target(&schemas, &list["items"]));
                    if is_list {
                        if is_nullable(part) {
                            list["nullable"] = json!(true);
                        }
                        *part = list;
                    }
                    part.get_mut("items").filter(|_| is_list)
                }
                false => Some(part),
            };
            if let Some(part) = part.filter(|part| is_file(target(&schemas, part))) {
                files += 1;
                let name = file.get_or_insert_with(|| unique("File", &mut taken));
                let reference = schema_reference(name);
                *part = if is_nullable(part) { nullable(reference) } else { reference };
            }
        }
        match schema_name(schema) {
            Some(name) if uses.get(&name).is_some_and(|uses| uses[0] == 0) => {
                let known = typed.entry(name.clone()).or_insert_with(|| types.clone());
                if *known != types {
                    log.lost(
                        &place,
                        "another operation has the same parts with other media types: they are sent with those",
                    );
                    body.remove(PART_TYPES);
                    body.extend(known.is_object().then(|| (PART_TYPES.to_string(), known.clone())));
                }
                schemas.insert(name, own);
            }
            Some(_) if files == 0 && types.is_null() => {}
            _ => *schema = own,
        }
    }
    if let Some(name) = file {
        schemas.insert(
            name,
            json!({ "type": "string", "format": "binary", "description": "A file.", (scalars::TYPE): "file" }),
        );
    }
    put_components(root, schemas);
}

fn is_file(schema: &Value) -> bool {
    schema["type"] == "string" && schema["format"] == "binary" && schema.get(scalars::TYPE).is_none()
}

/// Counts the references to each component: outside of forms of several parts, and as one of them.
fn count(node: &Value, is_form: bool, uses: &mut BTreeMap<String, [usize; 2]>) {
    match node {
        Value::Object(map) => {
            if let Some(name) = schema_name(node) {
                uses.entry(name).or_default()[usize::from(is_form)] += 1;
            }
            map.iter().for_each(|(name, inner)| count(inner, name == MULTIPART, uses));
        }
        Value::Array(items) => items.iter().for_each(|inner| count(inner, false, uses)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalize::tests::run;

    fn named(form: Value, other: Value) -> Value {
        let body = json!({ "x-perenso-multipart": form });
        let file = json!({ "type": "string", "format": "binary" });
        let root = json!({
            "components": { "schemas": {
                "Upload": { "type": "object", "properties": {
                    "file": { "$ref": "#/components/schemas/IFormFile" },
                    "more": { "type": "array", "items": file, "nullable": true },
                    "title": { "type": "string" }
                } },
                "IFormFile": file
            } },
            "paths": { "/a": { "post": { "requestBody": body, "x-note": other } } }
        });
        let (mut root, effects) = run(name_files, root);
        assert_eq!(effects, []);
        json!([
            root["paths"]["/a"]["post"]["requestBody"]["x-perenso-multipart"].take(),
            root["components"]["schemas"]["Upload"].take()
        ])
    }

    #[test]
    fn files_are_a_type_of_their_own() {
        let file = schema_reference("File");
        let typed = json!({ "type": "object", "properties": {
            "file": file, "more": { "type": "array", "items": file, "nullable": true }, "title": { "type": "string" }
        } });
        let upload = schema_reference("Upload");
        assert_eq!(named(upload.clone(), json!(1)), json!([upload, typed]));
        // The record is that of JSON as well.
        let found = named(upload.clone(), upload);
        assert_eq!(found[0], typed);
        assert_eq!(found[1]["properties"]["file"], schema_reference("IFormFile"));
    }

    #[test]
    fn the_media_type_of_a_part_is_one() {
        let entry = json!({ "encoding": {
            "a": { "contentType": "image/png" }, "b": { "contentType": "image/*" }, "c": { "contentType": "a/b, c/d" },
            "d": { "style": "form" }, "e": 7
        } });
        let (root, _) = run(|root, log| *root = Value::Object(media_types(root, "", log)), entry);
        assert_eq!(root, json!({ "a": "image/png" }));
    }
}
