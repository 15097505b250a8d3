//! The error response of a token endpoint (RFC 6749, section 5.2).

use axum::http::StatusCode;
use serde_json::{Value, json};

#[derive(Debug)]
pub(crate) struct OAuthError {
    pub(crate) status: StatusCode,
    pub(crate) error: &'static str,
    pub(crate) description: String,
}

impl OAuthError {
    pub(crate) fn new(error: &'static str, description: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error, description: description.into() }
    }

    /// The error for a refresh token that is not valid.
    pub(crate) fn invalid_refresh_token() -> Self {
        Self::new("invalid_grant", "the refresh token is unknown, used, expired or revoked")
    }

    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Returns the body of the RFC.
    pub(crate) fn body(&self) -> Value {
        json!({ "error": self.error, "error_description": self.description })
    }
}
