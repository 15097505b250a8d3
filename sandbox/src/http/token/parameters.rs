//! The parameters of a token request, from a form or from JSON.

use std::collections::HashMap;

use axum::http::{HeaderMap, HeaderValue};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::error::OAuthError;
use crate::http::body::media_type;

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

pub(crate) struct Parameters(HashMap<String, String>);

impl Parameters {
    /// Parses a form. No parameter may occur twice.
    pub(crate) fn form(headers: &HeaderMap, body: &[u8]) -> Result<Self, OAuthError> {
        if media_type(headers).as_deref() != Some(FORM) {
            return Err(OAuthError::new("invalid_request", format!("the content type must be {FORM}")));
        }
        Self::parse(body)
    }

    /// Parses a query string, or a form of any content type.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, OAuthError> {
        let mut fields = HashMap::new();
        for (name, value) in form_urlencoded::parse(text) {
            if fields.insert(name.into_owned(), value.into_owned()).is_some() {
                return Err(OAuthError::new("invalid_request", "a parameter is given twice"));
            }
        }
        Ok(Self(fields))
    }

    /// Parses a JSON object of strings.
    pub(crate) fn json(headers: &HeaderMap, body: &[u8]) -> Result<Self, OAuthError> {
        if media_type(headers).as_deref() != Some(JSON) {
            return Err(OAuthError::new("invalid_request", format!("the content type must be {JSON}")));
        }
        let wrong = |_| OAuthError::new("invalid_request", "the body must be a JSON object of strings");
        serde_json::from_slice(body).map(Self).map_err(wrong)
    }

    /// Returns a parameter. An empty one counts as missing (RFC 6749, section 3.2).
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Returns a required parameter.
    pub(crate) fn require(&self, name: &str) -> Result<&str, OAuthError> {
        self.get(name).ok_or_else(|| OAuthError::new("invalid_request", format!("{name} is missing")))
    }
}

/// Decodes a Basic header, without the form encoding of RFC 6749.
pub(crate) fn basic(header: &HeaderValue) -> Option<String> {
    let (scheme, encoded) = header.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()
}

/// Returns the grant type of a token request, if it can be parsed.
pub(crate) fn grant_type(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    let parameters = Parameters::form(headers, body).or_else(|_| Parameters::json(headers, body)).ok()?;
    parameters.get("grant_type").map(str::to_owned)
}
