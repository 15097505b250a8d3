//! The switches of a stand-in.

use std::time::Duration;

use crate::model::tokens::{Rotation, TokenTerms};
use crate::show::behavior::Rate;

/// The behavior of a stand-in. The crate's documentation lists the defaults of each system.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StandInBehavior {
    /// The lifetime of an access token.
    pub token_lifetime: Duration,
    /// The lifetime of a refresh token; `None`: until it is used or revoked.
    pub refresh_token_lifetime: Option<Duration>,
    /// The lifetime of an authorization code, which can be exchanged once; `None`: until it is used or revoked.
    pub code_lifetime: Option<Duration>,
    /// The effect of a refresh on the refresh token that it uses.
    pub rotation: Rotation,
    /// Treats a reused refresh token or code as stolen: all access and refresh tokens of the same grant are revoked. For
    /// refresh tokens it needs [`Rotation::Replace`].
    pub detect_reuse: bool,
    /// A new access token revokes the earlier ones.
    pub one_live_token: bool,
    /// Grants that can return a refresh token do.
    pub refresh_tokens: bool,
    /// The format of the body of a token request. Others are rejected.
    pub token_body: TokenBody,
    /// Id and secret in a Basic header are form-encoded first (RFC 6749, section 2.3.1).
    pub form_encoded_basic: bool,
    /// The rate limit of API calls, or `None`. Rejected calls and token requests do not count.
    pub rate: Option<Rate>,
    /// The response of the example call, instead of made-up data.
    pub example_response: Option<ExampleResponse>,
}

impl Default for StandInBehavior {
    /// Tokens live for an hour, refresh tokens are replaced, token requests are forms, and there is no rate limit.
    fn default() -> Self {
        Self {
            token_lifetime: Duration::from_secs(3600),
            refresh_token_lifetime: None,
            code_lifetime: None,
            rotation: Rotation::Replace,
            detect_reuse: false,
            one_live_token: false,
            refresh_tokens: true,
            token_body: TokenBody::Form,
            form_encoded_basic: false,
            rate: None,
            example_response: None,
        }
    }
}

impl StandInBehavior {
    pub(crate) fn token_terms(&self) -> TokenTerms {
        TokenTerms {
            token_lifetime: self.token_lifetime,
            refresh_token_lifetime: self.refresh_token_lifetime,
            rotation: self.rotation,
            detect_reuse: self.detect_reuse,
            one_live_token: self.one_live_token,
        }
    }
}

/// The format of the body of a token request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenBody {
    /// `application/x-www-form-urlencoded`
    Form,
    /// `application/json`
    Json,
}

/// A response body with its content type.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExampleResponse {
    /// The content type, as `application/xml`.
    pub content_type: String,
    /// The body.
    pub body: Vec<u8>,
}

impl ExampleResponse {
    /// Returns a body with this content type.
    pub fn new(content_type: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self { content_type: content_type.into(), body: body.into() }
    }
}
