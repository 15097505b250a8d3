//! The kinds of media types that the code generator tells apart.

use serde_json::{Map, Value};

/// A kind of media type. A better one wins where a body has several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum MediaKind {
    Json,
    /// Any type: what has a schema is JSON.
    Any,
    Form,
    Multipart,
    Text,
    Bytes,
}

/// Returns the kind of a media type.
pub(super) fn kind(media_type: &str) -> MediaKind {
    let media_type = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match media_type.as_str() {
        "application/json" | "text/json" => MediaKind::Json,
        "*/*" | "application/*" | "*" => MediaKind::Any,
        "application/x-www-form-urlencoded" => MediaKind::Form,
        "text/plain" => MediaKind::Text,
        other if other.ends_with("+json") => MediaKind::Json,
        other if other.starts_with("multipart/") => MediaKind::Multipart,
        _ => MediaKind::Bytes,
    }
}

/// Returns the best media type of a body, with its entry and kind. Plain JSON wins over its relatives.
pub(super) fn best(content: &Map<String, Value>) -> Option<(&String, &Value, MediaKind)> {
    content
        .iter()
        .map(|(name, entry)| {
            let kind = kind(name);
            let has_schema = entry.get("schema").is_some_and(|schema| !is_bytes(schema));
            (name, entry, if kind == MediaKind::Any && !has_schema { MediaKind::Bytes } else { kind })
        })
        .min_by_key(|(name, _, kind)| (*kind, *name != "application/json"))
}

/// Returns true for the schema of bytes.
pub(super) fn is_bytes(schema: &Value) -> bool {
    schema["type"] == "file" || (schema["type"] == "string" && schema["format"] == "binary")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_has_many_names() {
        for name in ["application/json; charset=utf-8", "text/json", "application/vnd.api+json", "application/*+json"] {
            assert_eq!(kind(name), MediaKind::Json, "{name}");
        }
    }

    #[test]
    fn the_best_type_is_plain_json_and_any_type_needs_a_schema() {
        let best = |content: Value| best(content.as_object().unwrap()).map(|(name, _, kind)| (name.clone(), kind));
        assert_eq!(
            best(json!({ "application/*+json": {}, "application/json": {}, "text/plain": {} })),
            Some(("application/json".to_string(), MediaKind::Json))
        );
        assert_eq!(best(json!({ "*/*": { "schema": {} } })), Some(("*/*".to_string(), MediaKind::Any)));
        assert_eq!(best(json!({ "*/*": {} })), Some(("*/*".to_string(), MediaKind::Bytes)));
    }
}
