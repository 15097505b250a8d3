//! Reads the responses of a token endpoint. It tolerates the deviations from RFC 6749 section 5 of five systems.

use std::time::Duration;

use oauth2::{AccessToken, RefreshToken, Scope, TokenResponse, basic::BasicTokenType};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::Value;

use crate::wire::body::without_mark;

/// The maximum length of an error message of the server, in characters.
const MAX_SHOWN: usize = 200;

/// A token response. `token_type` may be missing or in any case, `expires_in` a number, a numeric string or missing.
pub(crate) struct TokenFields {
    access_token: AccessToken,
    token_type: BasicTokenType,
    expires_in: Option<Duration>,
    refresh_token: Option<RefreshToken>,
    refresh_expires_in: Option<Duration>,
}

impl TokenFields {
    /// The lifetime of the refresh token, if the server states it. There is no standard name for it; two are common.
    pub(crate) fn refresh_expires_in(&self) -> Option<Duration> {
        self.refresh_expires_in
    }
}

#[derive(Deserialize)]
struct Fields {
    access_token: Option<Value>,
    token_type: Option<Value>,
    expires_in: Option<Value>,
    refresh_token: Option<Value>,
    refresh_token_expires_in: Option<Value>,
    refresh_expires_in: Option<Value>,
}

impl<'de> Deserialize<'de> for TokenFields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Fields::deserialize(deserializer)?;
        let access_token = match fields.access_token {
            Some(Value::String(text)) if !text.is_empty() => AccessToken::new(text),
            Some(Value::String(_)) => return Err(D::Error::custom("`access_token` is empty")),
            Some(other) => return Err(D::Error::custom(expected("access_token", "a string", &other))),
            None => return Err(D::Error::custom("no `access_token`")),
        };
        match fields.token_type {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) if text.is_empty() || text.eq_ignore_ascii_case("bearer") => {}
            Some(_) => return Err(D::Error::custom("`token_type` is not bearer")),
        }
        let refresh_token = match fields.refresh_token {
            Some(Value::String(text)) if !text.is_empty() => Some(RefreshToken::new(text)),
            _ => None,
        };
        let expires_in = lifetime(fields.expires_in.as_ref()).map_err(D::Error::custom)?;
        let refresh_expires_in = fields.refresh_token_expires_in.or(fields.refresh_expires_in);
        // Some servers send zero for "unlimited". An invalid value counts as unknown.
        let refresh_expires_in =
            lifetime(refresh_expires_in.as_ref()).ok().flatten().filter(|lifetime| !lifetime.is_zero());
        Ok(Self { access_token, token_type: BasicTokenType::Bearer, expires_in, refresh_token, refresh_expires_in })
    }
}

/// Reads a lifetime in whole seconds. A fraction is dropped, so that a token never expires too late.
fn lifetime(value: Option<&Value>) -> Result<Option<Duration>, String> {
    let seconds = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(number)) => number.as_f64(),
        Some(Value::String(text)) if text.trim().is_empty() => return Ok(None),
        Some(Value::String(text)) => text.trim().parse::<f64>().ok().filter(|seconds| !seconds.is_nan()),
        Some(other) => return Err(expected("expires_in", "a number of seconds", other)),
    };
    match seconds {
        // The cast saturates. `Timeline` limits the lifetime.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Some(seconds) => Ok(Some(Duration::from_secs(seconds.max(0.0) as u64))),
        None => Err("`expires_in` is a string that is not a number".to_owned()),
    }
}

fn expected(field: &str, wanted: &str, found: &Value) -> String {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    format!("`{field}`: expected {wanted}, found {found}")
}

impl std::fmt::Debug for TokenFields {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenFields").field("expires_in", &self.expires_in).finish_non_exhaustive()
    }
}

// Required by a trait of the oauth2 crate. A token response is never serialised.
impl Serialize for TokenFields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

impl TokenResponse for TokenFields {
    type TokenType = BasicTokenType;

    fn access_token(&self) -> &AccessToken {
        &self.access_token
    }

    fn token_type(&self) -> &Self::TokenType {
        &self.token_type
    }

    fn expires_in(&self) -> Option<Duration> {
        self.expires_in
    }

    fn refresh_token(&self) -> Option<&RefreshToken> {
        self.refresh_token.as_ref()
    }

    fn scopes(&self) -> Option<&Vec<Scope>> {
        None
    }
}

/// The `error` and `error_description` of an error response (RFC 6749 section 5.2), without secrets and truncated.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ErrorFields {
    pub(crate) error: Option<String>,
    pub(crate) description: Option<String>,
}

impl ErrorFields {
    /// Reads the `error` member of a body: a string, an object with a code, or a field of a form. Returns `None` if there is
    /// none. Removes `secrets` that the server echoes.
    pub(crate) fn read(body: &[u8], secrets: &[&str]) -> Option<Self> {
        let body = without_mark(body).trim_ascii();
        let fields = match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => fields,
            Ok(_) => return None,
            Err(_) => form(body)?,
        };
        let error = fields.get("error").filter(|error| is_set(error))?;
        let inside = |names: &[&str]| names.iter().find_map(|name| scalar(error.get(name)?));
        let code = scalar(error).or_else(|| inside(&["code", "error", "status", "type"]));
        let described = fields.get("error_description").and_then(scalar);
        let description = described.or_else(|| inside(&["error_description", "description", "message"]));
        let shown = |message: String| shown(&message, secrets);
        Some(Self { error: code.map(shown), description: description.map(shown) })
    }

    /// Returns true if the error is a code of RFC 6749 section 5.2, by which the grant is refused. Another code in a 5xx
    /// response often only repeats the status.
    pub(crate) fn is_final(&self) -> bool {
        let of_rfc = [
            "invalid_request",
            "invalid_client",
            "invalid_grant",
            "unauthorized_client",
            "unsupported_grant_type",
            "invalid_scope",
        ];
        self.error.as_deref().is_some_and(|error| of_rfc.contains(&error))
    }
}

/// Returns false for an `error` that is null, false or empty, which some servers send in every response.
fn is_set(error: &Value) -> bool {
    match error {
        Value::Null | Value::Bool(false) => false,
        Value::Bool(true) => true,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}

/// Returns a string or a number as a string, or `None` if it is empty or of another type.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Returns the fields of a form-encoded body, or `None` for anything else, such as HTML.
fn form(body: &[u8]) -> Option<serde_json::Map<String, Value>> {
    let is_form = body.contains(&b'=') && body.iter().all(|byte| byte.is_ascii_graphic() && !b"<>\"{}".contains(byte));
    let fields = |body| form_urlencoded::parse(body).map(|(name, value)| (name.into_owned(), value.into()));
    is_form.then(|| fields(body).collect())
}

/// Returns a form encoding with its hexadecimal digits in lower case, as some servers write them.
fn lower(encoded: &str) -> String {
    let mut parts = encoded.split('%');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let (digits, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        format!("{text}%{}{rest}", digits.to_ascii_lowercase())
    })
}

/// Removes secrets from a string of the server: as they are, form-encoded, and as in JSON.
pub(crate) fn redact(text: &str, secrets: &[&str]) -> String {
    let mut text = text.to_owned();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        let encoded: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let in_json = Value::from(*secret).to_string();
        let in_json = in_json.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(secret);
        for form in [secret, encoded.as_str(), &lower(&encoded), in_json] {
            text = text.replace(form, "…");
        }
    }
    text
}

/// Returns a string of the server without secrets and control characters, truncated.
pub(crate) fn shown(text: &str, secrets: &[&str]) -> String {
    let text = redact(text, secrets);
    let mut shown: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_SHOWN).collect();
    if text.chars().nth(MAX_SHOWN).is_some() {
        shown.pop();
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(body: &str) -> Result<TokenFields, String> {
        serde_json::from_str(body).map_err(|error| error.to_string())
    }

    #[test]
    fn the_responses_of_all_systems_are_read() {
        for (body, seconds) in [
            (r#"{"access_token":"a","token_type":"Bearer","expires_in":300,"refresh_token":"r"}"#, Some(300)),
            (r#"{"access_token":"a","token_type":"BEARER","expires_in":21600,"refresh_token":"r"}"#, Some(21600)),
            (r#"{"access_token":"a","refresh_token":"r","expires_in":3600}"#, Some(3600)),
            (r#"{"access_token":"a","token_type":"bearer","expires_in":"1799","refresh_token":"r"}"#, Some(1799)),
            (r#"{"access_token":"a","token_type":null,"expires_in":null,"refresh_token":"r","x":[1]}"#, None),
            (r#"{"access_token":"a","expires_in":299.9,"refresh_token":"r"}"#, Some(299)),
            (r#"{"access_token":"a","expires_in":-5,"refresh_token":"r"}"#, Some(0)),
            (r#"{"access_token":"a","expires_in":1e300,"refresh_token":"r"}"#, Some(u64::MAX)),
        ] {
            let response = read(body).unwrap();
            assert_eq!(response.expires_in(), seconds.map(Duration::from_secs), "{body}");
            assert_eq!(response.access_token().secret(), "a");
            assert_eq!(response.refresh_token().unwrap().secret(), "r");
        }
    }

    #[test]
    fn errors_name_the_field_but_not_its_value() {
        for (body, what) in [
            (r#"{"token":"s3cr3t"}"#, "no `access_token`"),
            (r#"{"access_token":""}"#, "`access_token` is empty"),
            (r#"{"access_token":["s3cr3t"]}"#, "`access_token`: expected a string, found an array"),
            (r#"{"access_token":"s3cr3t","token_type":"mac"}"#, "`token_type` is not bearer"),
            (r#"{"access_token":"s3cr3t","expires_in":"soon"}"#, "`expires_in` is a string that is not a number"),
            (
                r#"{"access_token":"s3cr3t","expires_in":true}"#,
                "`expires_in`: expected a number of seconds, found a boolean",
            ),
        ] {
            let error = read(body).unwrap_err();
            assert!(error.starts_with(what), "{error}");
            assert!(!error.contains("s3cr3t"), "{error}");
        }
    }

    #[test]
    fn an_error_is_truncated_and_loses_control_characters_and_echoed_secrets() {
        let body = br#"{"error":"invalid_client","error_description":"secret a+b/c= (a%2Bb%2Fc%3D)\r\nis wrong"}"#;
        let response = ErrorFields::read(body, &["a+b/c="]).unwrap();
        assert_eq!(response.error.as_deref(), Some("invalid_client"));
        assert_eq!(response.description.as_deref(), Some("secret … (…)  is wrong"));
        let long = format!(r#"{{"error":"{}"}}"#, "ä".repeat(500));
        assert_eq!(ErrorFields::read(long.as_bytes(), &[]).unwrap().error.unwrap().chars().count(), MAX_SHOWN);
    }

    #[test]
    fn an_error_is_read_in_every_form_unless_it_is_empty() {
        for (body, error, description) in [
            (r#"{"error":" invalid_grant ","error_description":"gone"}"#, Some("invalid_grant"), Some("gone")),
            (r#"{"error":{"code":"invalid_grant","message":"gone"}}"#, Some("invalid_grant"), Some("gone")),
            (r#"{"error":{"code":401,"status":"UNAUTHENTICATED"}}"#, Some("401"), None),
            (r#"{"error":{"reason":"gone"}}"#, None, None),
            (r#"{"error":true}"#, None, None),
            ("error=invalid_grant&error_description=long+gone\r\n", Some("invalid_grant"), Some("long gone")),
            ("\u{feff}{\"error\":\"invalid_client\"}", Some("invalid_client"), None),
        ] {
            let read = ErrorFields::read(body.as_bytes(), &[]).unwrap_or_else(|| panic!("{body}"));
            assert_eq!((read.error.as_deref(), read.description.as_deref()), (error, description), "{body}");
        }
        for body in [
            r#"{"error":null}"#,
            r#"{"error":""}"#,
            r#"{"error":false,"access_token":"a"}"#,
            r#"{"error":{}}"#,
            r#"{"message":"error=x"}"#,
            "<a href=/?error=x>",
            "no error=here",
            "page?error=x",
            "[]",
            "",
        ] {
            assert_eq!(ErrorFields::read(body.as_bytes(), &[]), None, "{body}");
        }
    }

    proptest! {
        #[test]
        fn no_body_panics(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = serde_json::from_slice::<TokenFields>(&body);
            let _ = ErrorFields::read(&body, &["x"]);
        }

        #[test]
        fn every_whole_number_of_seconds_is_read_as_a_number_and_as_a_string(seconds in 0u64..1_000_000_000) {
            let plain = read(&format!(r#"{{"access_token":"a","expires_in":{seconds}}}"#)).unwrap();
            let quoted = read(&format!(r#"{{"access_token":"a","expires_in":" {seconds} "}}"#)).unwrap();
            prop_assert_eq!(plain.expires_in(), Some(Duration::from_secs(seconds)));
            prop_assert_eq!(quoted.expires_in(), Some(Duration::from_secs(seconds)));
        }
    }
}
