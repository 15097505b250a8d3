//! The last look: what the model of OpenAPI 3.0 cannot read is left out.

use serde_json::{Value, json};

use super::Log;
use crate::document::{
    operations::{operations, remove},
    pointer::segment,
};

/// The methods that the generated code could not send.
const UNSENT: [&str; 2] = ["options", "trace"];

/// Leaves out operations, and unties schemas, that are not OpenAPI 3.0 after all.
pub(crate) fn check(root: &mut Value, log: &mut Log<'_>) {
    for (name, schema) in root.pointer_mut("/components/schemas").and_then(Value::as_object_mut).into_iter().flatten() {
        if let Err(error) = serde_json::from_value::<openapiv3::Schema>(schema.clone())
            && schema.get("$ref").is_none()
        {
            *schema = json!({});
            log.lost(&format!("/components/schemas/{}", segment(name)), format!("it is any JSON value: {error}"));
        }
    }
    if let Some(schemes) = root["components"].get_mut("securitySchemes").and_then(Value::as_object_mut) {
        schemes.retain(|name, scheme| {
            let read = serde_json::from_value::<openapiv3::SecurityScheme>(scheme.clone());
            if read.is_err() {
                log.lost(
                    &format!("/components/securitySchemes/{}", segment(name)),
                    "the security scheme is none that OpenAPI 3.0 knows: it is ignored",
                );
            }
            read.is_ok()
        });
    }
    let mut gone = Vec::new();
    for operation in operations(root) {
        let read = serde_json::from_value::<openapiv3::Operation>(Value::Object(operation.node.clone()));
        let reason = match read {
            Err(error) => error.to_string(),
            Ok(_) if UNSENT.contains(&operation.method) => {
                format!("the HTTP client has no method for {}", operation.method.to_ascii_uppercase())
            }
            Ok(_) => continue,
        };
        log.left_out(&operation.pointer, format!("the operation is left out: {reason}"));
        gone.push((operation.path.to_string(), operation.method.to_string()));
    }
    remove(root, &gone);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Effect, normalize::tests::run};

    #[test]
    fn what_cannot_be_read_is_named() {
        let (root, effects) = run(
            check,
            json!({
                "components": {
                    "schemas": { "A": { "type": "object", "required": 7 } },
                    "securitySchemes": { "mutual": { "type": "mutualTLS" } }
                },
                "paths": { "/a": { "get": { "responses": {} }, "options": { "responses": {} },
                    "put": { "parameters": 7, "responses": {} } } }
            }),
        );
        assert_eq!(root["components"], json!({ "schemas": { "A": {} }, "securitySchemes": {} }));
        assert_eq!(root["paths"], json!({ "/a": { "get": { "responses": {} } } }));
        assert_eq!(
            effects,
            [
                (Effect::Lost, "/components/schemas/A".into()),
                (Effect::Lost, "/components/securitySchemes/mutual".into()),
                (Effect::LeftOut, "/paths/~1a/options".into()),
                (Effect::LeftOut, "/paths/~1a/put".into())
            ]
        );
    }
}
