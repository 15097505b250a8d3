//! Security definitions of Swagger 2.0.

use serde_json::{Map, Value, json};

use crate::{document::pointer::segment, normalize::Log};

/// Converts the security definitions.
pub(super) fn schemes(definitions: &Map<String, Value>, log: &mut Log<'_>) -> Value {
    let mut converted = Map::new();
    for (name, definition) in definitions {
        match scheme(definition) {
            Some(scheme) => drop(converted.insert(name.clone(), scheme)),
            None => log.lost(
                &format!("/securityDefinitions/{}", segment(name)),
                "the security definition is none that Swagger 2.0 knows: it is ignored",
            ),
        }
    }
    Value::Object(converted)
}

fn scheme(definition: &Value) -> Option<Value> {
    let text = |name: &str| definition.get(name).and_then(Value::as_str);
    let mut scheme = match text("type")? {
        "basic" => json!({ "type": "http", "scheme": "basic" }),
        "apiKey" => json!({ "type": "apiKey", "name": text("name")?, "in": text("in")? }),
        "oauth2" => {
            let (name, addresses): (_, &[&str]) = match text("flow")? {
                "implicit" => ("implicit", &["authorizationUrl"]),
                "password" => ("password", &["tokenUrl"]),
                "application" => ("clientCredentials", &["tokenUrl"]),
                "accessCode" => ("authorizationCode", &["authorizationUrl", "tokenUrl"]),
                _ => return None,
            };
            let scopes = definition.get("scopes").filter(|scopes| scopes.is_object()).cloned();
            let mut flow = json!({ "scopes": scopes.unwrap_or_else(|| json!({})) });
            for address in addresses {
                flow[*address] = json!(text(address)?);
            }
            json!({ "type": "oauth2", "flows": { name: flow } })
        }
        _ => return None,
    };
    if let Some(description) = text("description") {
        scheme["description"] = json!(description);
    }
    Some(scheme)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_become_schemes() {
        assert_eq!(scheme(&json!({ "type": "basic" })), Some(json!({ "type": "http", "scheme": "basic" })));
        let key = json!({ "type": "apiKey", "name": "key", "in": "query", "description": "d" });
        assert_eq!(scheme(&key), Some(key));
        assert_eq!(
            scheme(&json!({ "type": "oauth2", "flow": "application", "tokenUrl": "/token", "scopes": { "a": "b" } })),
            Some(json!({ "type": "oauth2", "flows": {
                "clientCredentials": { "tokenUrl": "/token", "scopes": { "a": "b" } }
            } }))
        );
        assert_eq!(scheme(&json!({ "type": "oauth2", "flow": "application" })), None);
        assert_eq!(scheme(&json!({ "type": "openIdConnect" })), None);
    }
}
