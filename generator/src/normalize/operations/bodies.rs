//! One media type per request body.

use serde_json::{Map, Value, json};

use super::{
    forms,
    media_types::{MediaKind, best},
    parts,
};
use crate::{
    document::{operations::operations, schemas::MULTIPART},
    normalize::Log,
};

/// The member of a request body that keeps the media type of bytes, where it is not `application/octet-stream`.
const MEDIA_TYPE: &str = "x-perenso-media-type";

const BYTES: &str = "application/octet-stream";

/// Chooses the media type of each request body: JSON, else a form, else text, else bytes.
pub(crate) fn choose(root: &mut Value, log: &mut Log<'_>) {
    for operation in operations(root) {
        let place = format!("{}/requestBody", operation.pointer);
        let Some(body) = operation.node.remove("requestBody") else { continue };
        let content = body.get("content").and_then(Value::as_object);
        let Some((name, entry, kind)) = content.and_then(best) else {
            log.lost(&place, "the body has no media type: it is ignored");
            continue;
        };
        if content.is_some_and(|content| content.len() > 1) {
            log.changed(&place, format!("of several media types the client sends `{name}`"));
        }
        let mut chosen: Map<String, Value> = body
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(key, _)| key.starts_with("x-"))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        if let Some(Value::String(text)) = body.get("description") {
            chosen.insert("description".into(), json!(text));
        }
        if body.get("required") == Some(&Value::Bool(true)) {
            chosen.insert("required".into(), json!(true));
        }
        let schema = entry.get("schema").cloned().filter(|schema| schema.is_object() || schema.is_boolean());
        let content = match kind {
            MediaKind::Json | MediaKind::Any => {
                if kind == MediaKind::Any || !name.starts_with("application/json") {
                    log.changed(&place, format!("`{name}` is sent as `application/json`"));
                }
                let schema = schema.unwrap_or_else(|| {
                    log.lost(&place, "the body has no schema: it is any JSON value");
                    json!({})
                });
                json!({ "application/json": { "schema": schema } })
            }
            MediaKind::Form if schema.is_some() => {
                let separators = forms::separators(entry);
                if !separators.is_empty() {
                    chosen.insert(forms::SEPARATORS.into(), Value::Object(separators));
                }
                json!({ "application/x-www-form-urlencoded": { "schema": schema } })
            }
            MediaKind::Text => json!({ "text/plain": { "schema": { "type": "string" } } }),
            MediaKind::Form | MediaKind::Multipart | MediaKind::Bytes => {
                if name != BYTES {
                    chosen.insert(MEDIA_TYPE.into(), json!(name));
                }
                match schema.filter(|_| kind == MediaKind::Multipart) {
                    Some(schema) => {
                        let types = parts::media_types(entry, &place, log);
                        if !types.is_empty() {
                            chosen.insert(parts::PART_TYPES.into(), Value::Object(types));
                        }
                        chosen.insert(MULTIPART.into(), schema);
                    }
                    None if name != BYTES => log.lost(&place, format!("the body is bytes of type `{name}`")),
                    None => {}
                }
                json!({ BYTES: { "schema": { "type": "string", "format": "binary" } } })
            }
        };
        chosen.insert("content".into(), content);
        operation.node.insert("requestBody".into(), Value::Object(chosen));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Effect, normalize::tests::run};

    fn chosen(body: Value) -> (Value, Vec<Effect>) {
        let (root, effects) = run(choose, json!({ "paths": { "/a": { "post": { "requestBody": body } } } }));
        (root["paths"]["/a"]["post"]["requestBody"].clone(), effects.into_iter().map(|(effect, _)| effect).collect())
    }

    #[test]
    fn json_wins_and_the_body_stays_optional() {
        let schema = json!({ "schema": { "type": "object" } });
        let (body, effects) = chosen(json!({ "content": { "text/json": schema, "application/json": schema } }));
        assert_eq!(body, json!({ "content": { "application/json": schema } }));
        assert_eq!(effects, [Effect::Changed]);
        let (body, effects) = chosen(json!({ "required": true, "content": { "*/*": schema } }));
        assert_eq!(body, json!({ "required": true, "content": { "application/json": schema } }));
        assert_eq!(effects, [Effect::Changed]);
    }

    #[test]
    fn a_multipart_body_is_bytes_that_keep_their_form() {
        let schema = json!({ "type": "object", "properties": { "file": { "type": "string", "format": "binary" } } });
        let (body, effects) = chosen(
            json!({ "content": { "multipart/form-data": { "schema": schema, "encoding": { "file": { "contentType": "image/png" } } } } }),
        );
        assert_eq!(body["content"]["application/octet-stream"]["schema"]["format"], "binary");
        assert_eq!(body["x-perenso-media-type"], "multipart/form-data");
        assert_eq!(body["x-perenso-multipart"], schema);
        assert_eq!(body["x-perenso-part-types"], json!({ "file": "image/png" }));
        assert_eq!(effects, []);
    }

    #[test]
    fn a_body_without_media_type_is_no_body() {
        assert_eq!(chosen(json!({ "content": {} })), (Value::Null, vec![Effect::Lost]));
    }
}
