//! One kind of successful response, and one media type per response.

use serde_json::{Map, Value, json};

use super::media_types::{MediaKind, best};
use crate::{
    document::{operations::operations, schemas::OTHERS},
    normalize::Log,
};

/// Chooses the type of each response, and the one of success.
pub(crate) fn choose(root: &mut Value, log: &mut Log<'_>) {
    for operation in operations(root) {
        let place = format!("{}/responses", operation.pointer);
        let responses = operation.node.remove("responses");
        let mut kept = Map::new();
        let mut default = None;
        for (status, response) in responses.as_ref().and_then(Value::as_object).into_iter().flatten() {
            let here = format!("{place}/{status}");
            match class(status) {
                Some((_, '2' | '4' | '5')) if operation.method == "head" => {
                    kept.insert(status.to_ascii_uppercase(), with_content(response, json!({})));
                }
                Some((status, class @ ('2' | '4' | '5'))) => {
                    let response = choose_content(&status, response, class == '2', &here, log);
                    kept.insert(status, response);
                }
                Some(_) => log.changed(&here, "the client follows no redirect: the response is an error"),
                None if status == "default" => default = Some(response),
                None => log.lost(&here, "the status is no number and no range: the response is ignored"),
            }
        }
        if kept.keys().any(|status| status.starts_with('2')) {
            if default.is_some() {
                log.changed(&format!("{place}/default"), "the default response counts as an error");
            }
            let others = unify_success(&mut kept, &place, log);
            if !others.is_empty() {
                operation.node.insert(OTHERS.into(), Value::Object(others));
            }
        } else {
            let response = match default {
                Some(response) => choose_content("2XX", response, true, &format!("{place}/default"), log),
                None => {
                    log.changed(&place, "no successful response is declared: it is bytes");
                    with_content(&Value::Null, bytes("application/octet-stream"))
                }
            };
            kept.insert("2XX".into(), response);
        }
        operation.node.insert("responses".into(), Value::Object(kept));
    }
}

/// Returns a status in its usual form, and its first digit.
fn class(status: &str) -> Option<(String, char)> {
    let status = status.trim().to_ascii_uppercase();
    let mut chars = status.chars();
    let first = chars.next().filter(|first| ('1'..='5').contains(first))?;
    let rest = chars.as_str();
    let known = rest == "XX" || (rest.len() == 2 && rest.bytes().all(|byte| byte.is_ascii_digit()));
    known.then(|| (status.clone(), first))
}

fn choose_content(status: &str, response: &Value, success: bool, place: &str, log: &mut Log<'_>) -> Value {
    let content = response.get("content").and_then(Value::as_object).filter(|content| !content.is_empty());
    let Some((name, entry, kind)) = content.and_then(best) else {
        // Many servers write a body that their document does not mention. Bytes lose nothing.
        if success && !["204", "205"].contains(&status) {
            log.changed(place, "the response has no type: it is bytes");
            return with_content(response, bytes("application/octet-stream"));
        }
        return with_content(response, json!({}));
    };
    let schema = entry.get("schema").cloned().filter(|schema| schema.is_object() || schema.is_boolean());
    let text = schema.as_ref().filter(|schema| schema["type"] == "string");
    let content = match kind {
        // A file, or a text that is no JSON.
        MediaKind::Json | MediaKind::Any
            if text.is_some_and(|schema| kind == MediaKind::Any || schema["format"] == "binary") =>
        {
            log.changed(place, format!("a string of type `{name}` is bytes"));
            bytes("application/octet-stream")
        }
        MediaKind::Json | MediaKind::Any => {
            if schema.is_none() && success {
                log.lost(place, "the response has no schema: it is any JSON value");
            }
            json!({ "application/json": { "schema": schema.unwrap_or_else(|| json!({})) } })
        }
        _ if name.contains('*') => bytes("application/octet-stream"),
        _ => bytes(name.split(';').next().unwrap_or_default().trim()),
    };
    if let Some(content) = response.get("content").and_then(Value::as_object)
        && content.len() > 1
        && success
    {
        log.changed(place, format!("of several media types the client reads `{name}`"));
    }
    with_content(response, content)
}

fn bytes(media_type: &str) -> Value {
    json!({ media_type: { "schema": { "type": "string", "format": "binary" } } })
}

fn with_content(response: &Value, content: Value) -> Value {
    let description = response.get("description").and_then(Value::as_str).unwrap_or_default();
    let mut chosen = json!({ "description": description });
    for (name, value) in response.as_object().into_iter().flatten().filter(|(name, _)| name.starts_with("x-")) {
        chosen[name] = value.clone();
    }
    if content.as_object().is_some_and(|content| !content.is_empty()) {
        chosen["content"] = content;
    }
    chosen
}

/// Keeps the successful responses of one type: JSON before bytes before none, then the smallest status. Returns the others.
fn unify_success(kept: &mut Map<String, Value>, place: &str, log: &mut Log<'_>) -> Map<String, Value> {
    let kind = |response: &Value| match response.get("content").and_then(Value::as_object) {
        Some(content) => content.get("application/json").map_or((1, Value::Null), |entry| (0, entry["schema"].clone())),
        None => (2, Value::Null),
    };
    let success = |status: &str| status.starts_with('2');
    let best = kept.iter().filter(|(status, _)| success(status)).map(|(_, response)| kind(response));
    let Some(best) = best.min_by_key(|(rank, _)| *rank) else { return Map::new() };
    let (good, others): (Map<_, _>, Map<_, _>) =
        std::mem::take(kept).into_iter().partition(|(status, response)| !success(status) || kind(response) == best);
    *kept = good;
    let is_json = best.0 == 0;
    for status in others.keys() {
        let what = match is_json {
            true => "another successful response is `Success::Other`, with its body as it came",
            // The method returns the response as it is.
            false => "another successful response has no body",
        };
        log.changed(&format!("{place}/{status}"), what);
    }
    others
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Effect, normalize::tests::run};

    fn chosen(responses: Value) -> (Value, Vec<(Effect, String)>) {
        let (root, effects) = run(choose, json!({ "paths": { "/a": { "get": { "responses": responses } } } }));
        let place = "/paths/~1a/get/responses";
        let effects = effects.into_iter().map(|(effect, at)| (effect, at.replace(place, ""))).collect();
        (root["paths"]["/a"]["get"].clone(), effects)
    }

    fn of(content: Value) -> Value {
        json!({ "description": "", "content": content })
    }

    #[test]
    fn one_kind_of_success_stays() {
        let json_a = json!({ "application/json": { "schema": { "type": "string" } } });
        let (operation, effects) = chosen(json!({
            "200": of(json!({ "text/json": { "schema": { "type": "string" } } })), "201": of(json_a.clone()), "204": {},
            "default": {}, "404": {}
        }));
        assert_eq!(
            operation["responses"],
            json!({ "200": of(json_a.clone()), "201": of(json_a), "404": { "description": "" } })
        );
        assert_eq!(operation["x-perenso-other-responses"], json!({ "204": { "description": "" } }));
        assert_eq!(effects, [(Effect::Changed, "/default".into()), (Effect::Changed, "/204".into())]);
    }

    #[test]
    fn the_default_counts_where_nothing_else_does() {
        let (operation, _) = chosen(json!({ "default": of(json!({ "*/*": { "schema": {} } })), "302": {} }));
        assert_eq!(operation["responses"], json!({ "2XX": of(json!({ "application/json": { "schema": {} } })) }));
    }

    #[test]
    fn what_has_no_type_is_bytes_or_any_json() {
        let bytes = |name: &str| of(json!({ name: { "schema": { "type": "string", "format": "binary" } } }));
        assert_eq!(chosen(json!({ "200": {} })).0["responses"], json!({ "200": bytes("application/octet-stream") }));
        assert_eq!(chosen(json!({})).0["responses"], json!({ "2XX": bytes("application/octet-stream") }));
        assert_eq!(chosen(json!({ "204": {} })).0["responses"], json!({ "204": { "description": "" } }));
        assert_eq!(
            chosen(json!({ "200": of(json!({ "text/csv": {} })) })).0["responses"],
            json!({ "200": bytes("text/csv") })
        );
        // A file that is said to be JSON, and a string of any type.
        for content in [
            json!({ "application/json": { "schema": { "type": "string", "format": "binary" } } }),
            json!({ "*/*": { "schema": { "type": "string", "format": "byte" } } }),
        ] {
            let (operation, effects) = chosen(json!({ "200": of(content) }));
            assert_eq!(operation["responses"]["200"], bytes("application/octet-stream"));
            assert_eq!(effects, [(Effect::Changed, "/200".into())]);
        }
        let (operation, effects) = chosen(json!({ "200": of(json!({ "application/json": {} })) }));
        assert_eq!(operation["responses"]["200"], of(json!({ "application/json": { "schema": {} } })));
        assert_eq!(effects, [(Effect::Lost, "/200".into())]);
    }
}
