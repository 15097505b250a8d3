//! The parameters that a generated method can have: path, query, header and cookie, each with a schema.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::{document::operations::operations, normalize::Log};

/// The headers that the client sets itself.
const OWN_HEADERS: [&str; 5] = ["accept", "content-type", "content-length", "host", "user-agent"];

/// The headers that carry credentials, whatever the document calls them.
const CREDENTIALS: [&str; 3] = ["authorization", "proxy-authorization", "cookie"];

/// Removes parameters that a method cannot have, and gives the others one form.
pub(crate) fn clean(root: &mut Value, log: &mut Log<'_>) {
    let keys = api_keys(root);
    for operation in operations(root) {
        let Some(list) = operation.node.get_mut("parameters").and_then(Value::as_array_mut) else { continue };
        let mut seen = BTreeSet::new();
        let mut kept = Vec::new();
        for (index, mut parameter) in std::mem::take(list).into_iter().enumerate() {
            let place = format!("{}/parameters/{index}", operation.pointer);
            let Some((name, kind)) = identity(&parameter) else {
                log.lost(&place, "the parameter has no name or no known place: it is ignored");
                continue;
            };
            match refusal(&name, kind, &keys) {
                Some((true, reason)) => log.changed(&place, format!("`{name}` is ignored: {reason}")),
                Some((false, reason)) => log.lost(&place, format!("`{name}` is ignored: {reason}")),
                None if !seen.insert((name.clone(), kind)) => {
                    log.changed(&place, format!("`{name}` is declared twice: the first one counts"));
                }
                None => {
                    if let Some(map) = parameter.as_object_mut() {
                        shape(map, &name, kind, &place, log);
                    }
                    kept.push(parameter);
                }
            }
        }
        *list = kept;
    }
}

/// Returns the names of the API keys of the security schemes, with their places.
fn api_keys(root: &Value) -> BTreeSet<(String, String)> {
    let schemes = root.pointer("/components/securitySchemes").and_then(Value::as_object);
    let keys = schemes.into_iter().flatten().filter(|(_, scheme)| scheme["type"] == "apiKey");
    keys.filter_map(|(_, scheme)| Some((scheme["name"].as_str()?.to_ascii_lowercase(), scheme["in"].as_str()?.into())))
        .collect()
}

fn identity(parameter: &Value) -> Option<(String, &'static str)> {
    let name = parameter.get("name")?.as_str()?.trim();
    let kind = parameter.get("in")?.as_str()?.to_ascii_lowercase();
    let kind = ["path", "query", "header", "cookie"].into_iter().find(|known| *known == kind)?;
    (!name.is_empty()).then(|| (name.to_string(), kind))
}

/// Returns why a parameter is ignored, and whether nothing is lost by it.
fn refusal(name: &str, kind: &str, keys: &BTreeSet<(String, String)>) -> Option<(bool, &'static str)> {
    let lower = name.to_ascii_lowercase();
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    match kind {
        "header" if OWN_HEADERS.contains(&lower.as_str()) => Some((true, "the client sets this header itself")),
        "header" if CREDENTIALS.contains(&lower.as_str()) => Some((true, "the token layer sends the credentials")),
        "header" | "cookie" if !name.chars().all(is_token) => Some((false, "it is no name of a header or cookie")),
        "header" | "query" | "cookie" if keys.contains(&(lower.clone(), kind.to_string())) => {
            Some((true, "it is the API key of a security scheme, which the token layer sends"))
        }
        _ => None,
    }
}

fn shape(map: &mut Map<String, Value>, name: &str, kind: &str, place: &str, log: &mut Log<'_>) {
    let mut schema = map.remove("schema").filter(Value::is_object).unwrap_or(Value::Null);
    if schema.is_null() && map.get("content").is_some_and(|content| content.as_object().is_some_and(|c| !c.is_empty()))
    {
        log.lost(place, "the parameter is a document of its own: it is passed as a string");
        schema = json!({ "type": "string" });
    }
    if schema.is_null() {
        // Some tools write the type of a parameter as Swagger 2.0 had it.
        let members = ["type", "format", "items", "enum"];
        let found: Map<_, _> =
            members.iter().filter_map(|key| Some(((*key).to_string(), map.get(*key)?.clone()))).collect();
        schema = if found.contains_key("type") { Value::Object(found) } else { json!({ "type": "string" }) };
    }
    let required = kind == "path" || map.get("required") == Some(&Value::Bool(true));
    let deprecated = map.get("deprecated") == Some(&Value::Bool(true));
    map.retain(|key, value| match key.as_str() {
        "description" | "style" => value.is_string(),
        "explode" => value.is_boolean(),
        key => key.starts_with("x-"),
    });
    map.insert("name".into(), json!(name));
    map.insert("in".into(), json!(kind));
    map.insert("schema".into(), schema);
    if required {
        map.insert("required".into(), json!(true));
    }
    if deprecated {
        map.insert("deprecated".into(), json!(true));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Effect, normalize::tests::run};

    fn cleaned(parameters: Value) -> (Value, Vec<Effect>) {
        let (root, effects) = run(
            clean,
            json!({
                "components": { "securitySchemes": { "key": { "type": "apiKey", "in": "header", "name": "X-Api-Key" },
                    "session": { "type": "apiKey", "in": "cookie", "name": "session" } } },
                "paths": { "/a": { "get": { "parameters": parameters } } }
            }),
        );
        (root["paths"]["/a"]["get"]["parameters"].clone(), effects.into_iter().map(|(effect, _)| effect).collect())
    }

    #[test]
    fn credentials_and_own_headers_are_no_parameters() {
        let parameters: Vec<_> = ["authorization", "x-api-key", "Accept", "X-Tenant"]
            .map(|name| json!({ "name": name, "in": "header", "schema": { "type": "string" } }))
            .into();
        let kept = json!([parameters[3]]);
        assert_eq!(cleaned(json!(parameters)), (kept, vec![Effect::Changed; 3]));
    }

    #[test]
    fn cookies_are_parameters_unless_they_are_credentials() {
        let cookie = |name: &str| json!({ "name": name, "in": "cookie", "schema": { "type": "string" } });
        let kept = json!([cookie("locale")]);
        assert_eq!(cleaned(json!([cookie("session"), cookie("locale")])), (kept, vec![Effect::Changed]));
    }

    #[test]
    fn what_cannot_be_sent_is_reported_as_lost() {
        let parameters =
            json!([{ "name": "a;b", "in": "cookie" }, { "name": "a b", "in": "header" }, { "in": "query" }]);
        assert_eq!(cleaned(parameters), (json!([]), vec![Effect::Lost; 3]));
    }

    #[test]
    fn every_parameter_has_a_schema() {
        let parameters = json!([
            { "name": "a", "in": "query" },
            { "name": "b", "in": "query", "type": "integer", "example": 1 },
            { "name": "c", "in": "query", "content": { "application/json": {} } },
            { "name": "d", "in": "Path", "required": false }
        ]);
        let schema = |name: &str, kind: &str| json!({ "name": name, "in": "query", "schema": { "type": kind } });
        let path = json!({ "name": "d", "in": "path", "required": true, "schema": { "type": "string" } });
        assert_eq!(
            cleaned(parameters),
            (json!([schema("a", "string"), schema("b", "integer"), schema("c", "string"), path]), vec![Effect::Lost])
        );
    }
}
