//! Masking: replaces secrets and tokens in recorded requests.

use serde_json::Value;

use crate::show::headers::{Headers, media_type};

/// The replacement for a secret.
const MASK: &str = "***";

/// Returns true for a path that looks like a token or authorize endpoint.
pub(super) fn is_token_path(path: &str) -> bool {
    let last = path.split('/').rfind(|segment| !segment.is_empty()).unwrap_or_default();
    ["token", "authorize"].iter().any(|name| last.eq_ignore_ascii_case(name))
}

/// Returns the path and the masked query.
pub(super) fn masked_path(path: &str, query: Option<&str>) -> String {
    match query {
        None => path.to_owned(),
        Some(query) if is_token_path(path) => format!("{path}?{}", masked_form(query.as_bytes())),
        Some(query) => {
            let pairs: Vec<String> = query.split('&').map(without_token).collect();
            format!("{path}?{}", pairs.join("&"))
        }
    }
}

/// Returns the masked body of a request.
pub(super) fn masked_body(path: &str, headers: &Headers, body: &[u8]) -> String {
    let content_type = headers.iter().find(|(name, _)| name == "content-type");
    let media_type = content_type.map(|(_, value)| media_type(value));
    match (is_token_path(path), media_type.as_deref()) {
        // The API accepts no forms: this is a token request with a wrong path.
        (_, Some("application/x-www-form-urlencoded")) => masked_form(body),
        (false, _) => String::from_utf8_lossy(body).into_owned(),
        (true, _) if body.is_empty() => String::new(),
        (true, Some("application/json")) => masked_json(body),
        (true, _) => MASK.to_owned(),
    }
}

/// Masks a token or a secret in a query parameter of an API call.
fn without_token(pair: &str) -> String {
    match pair.split_once('=') {
        Some((name @ ("access_token" | "refresh_token" | "client_secret"), _)) => format!("{name}={MASK}"),
        _ => pair.to_owned(),
    }
}

/// Masks the headers that hold credentials.
pub(super) fn masked_headers(headers: Headers) -> Headers {
    let masked = |name: &str, value: String| match (name, value.split_once(' ')) {
        ("authorization", Some((scheme, _))) => format!("{scheme} {MASK}"),
        (
            "authorization"
            | "authorisation"
            | "proxy-authorization"
            | "cookie"
            | "set-cookie"
            | "tid"
            | "ocp-apim-subscription-key",
            _,
        ) => MASK.to_owned(),
        // A redirect may carry an authorization code.
        ("location", _) => match value.split_once('?') {
            Some((address, query)) => format!("{address}?{}", masked_form(query.as_bytes())),
            None => value,
        },
        _ => value,
    };
    headers.into_iter().map(|(name, value)| (name.clone(), masked(&name, value))).collect()
}

/// Masks all fields of a form except those that are known to hold no secret. A faulty client may send a secret anywhere,
/// even as a name.
fn masked_form(form: &[u8]) -> String {
    let fields = form_urlencoded::parse(form).map(|(name, value)| {
        let (name, value) = masked(&name, &value);
        format!("{name}={value}")
    });
    fields.collect::<Vec<_>>().join("&")
}

/// Masks a JSON object of strings in the same way.
fn masked_json(body: &[u8]) -> String {
    let Ok(Value::Object(fields)) = serde_json::from_slice(body) else {
        return MASK.to_owned();
    };
    let fields = fields.iter().map(|(name, value)| {
        let (name, value) = masked(name, value.as_str().unwrap_or(MASK));
        (name.to_owned(), value.into())
    });
    Value::Object(fields.collect()).to_string()
}

fn masked<'a>(name: &'a str, value: &'a str) -> (&'a str, &'a str) {
    match name {
        "grant_type"
        | "scope"
        | "client_id"
        | "redirect_uri"
        | "response_type"
        | "response_mode"
        | "code_challenge_method" => (name, value),
        "client_secret" | "refresh_token" | "code" | "code_verifier" | "code_challenge" | "state" | "username"
        | "password" => (name, MASK),
        _ => (MASK, MASK),
    }
}

/// Masks the tokens in a response body.
pub(super) fn masked_response(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let names = ["access_token", "refresh_token", "id_token"];
    if !names.iter().any(|name| text.contains(name)) {
        return text.into_owned();
    }
    match serde_json::from_str(&text) {
        Ok(Value::Object(mut fields)) => {
            for name in names {
                fields.entry(name).and_modify(|value| *value = MASK.into());
            }
            Value::Object(fields).to_string()
        }
        _ => MASK.to_owned(),
    }
}
