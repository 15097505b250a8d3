//! The parameters of a token request: read from a form or from JSON, and counted by grant.

use std::collections::HashMap;

use axum::http::{HeaderMap, HeaderValue};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::body::media_type;
use crate::refused::Refused;

pub(crate) const FORM: &str = "application/x-www-form-urlencoded";
pub(crate) const JSON: &str = "application/json";

pub(crate) struct Parameters(HashMap<String, String>);

impl Parameters {
    /// Reads a form, in which nothing may stand twice.
    pub(crate) fn form(headers: &HeaderMap, body: &[u8]) -> Result<Self, Refused> {
        if media_type(headers).as_deref() != Some(FORM) {
            return Err(Refused::new("invalid_request", format!("the content type must be {FORM}")));
        }
        Self::read(body)
    }

    /// Reads a query, or a form whatever its content type.
    pub(crate) fn read(text: &[u8]) -> Result<Self, Refused> {
        let mut fields = HashMap::new();
        for (name, value) in form_urlencoded::parse(text) {
            if fields.insert(name.into_owned(), value.into_owned()).is_some() {
                return Err(Refused::new("invalid_request", "a parameter is given twice"));
            }
        }
        Ok(Self(fields))
    }

    /// Reads a JSON object of strings.
    pub(crate) fn json(headers: &HeaderMap, body: &[u8]) -> Result<Self, Refused> {
        if media_type(headers).as_deref() != Some(JSON) {
            return Err(Refused::new("invalid_request", format!("the content type must be {JSON}")));
        }
        let wrong = |_| Refused::new("invalid_request", "the body must be a JSON object of strings");
        serde_json::from_slice(body).map(Self).map_err(wrong)
    }

    /// A parameter; an empty one counts as missing, as RFC 6749 says.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub(crate) fn need(&self, name: &str) -> Result<&str, Refused> {
        self.get(name).ok_or_else(|| Refused::new("invalid_request", format!("{name} is missing")))
    }
}

/// What stands in a Basic header, without the form encoding of RFC 6749.
pub(crate) fn basic(header: &HeaderValue) -> Option<String> {
    let (scheme, encoded) = header.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()
}

/// The grant type of a token request, where one can be read.
pub(crate) fn grant_type(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    let parameters = Parameters::form(headers, body).or_else(|_| Parameters::json(headers, body)).ok()?;
    parameters.get("grant_type").map(str::to_owned)
}

/// How many token requests arrived, by grant, refused and disturbed ones included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenRequests {
    /// With `grant_type=client_credentials`.
    pub client_credentials: u64,
    /// With `grant_type=authorization_code`.
    pub authorization_code: u64,
    /// With `grant_type=password`.
    pub password: u64,
    /// With `grant_type=refresh_token`.
    pub refresh_token: u64,
    /// With another grant, or none that could be read.
    pub other: u64,
}

impl TokenRequests {
    /// All of them.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.client_credentials + self.authorization_code + self.password + self.refresh_token + self.other
    }

    pub(crate) fn count(&mut self, grant_type: Option<&str>) {
        *match grant_type {
            Some("client_credentials") => &mut self.client_credentials,
            Some("authorization_code") => &mut self.authorization_code,
            Some("password") => &mut self.password,
            Some("refresh_token") => &mut self.refresh_token,
            _ => &mut self.other,
        } += 1;
    }
}
