//! The switches of a stand-in: where the vendor says nothing, or where a test wants it otherwise.

use std::time::Duration;

use crate::model::tokens::{Rotation, TokenTerms};
use crate::show::behavior::Rate;

/// How a stand-in behaves. What each system starts from stands in the crate's documentation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StandInBehavior {
    /// How long an access token lives.
    pub token_lifetime: Duration,
    /// How long a refresh token lives; with `None` until it is used or revoked.
    pub refresh_token_lifetime: Option<Duration>,
    /// How long an authorization code may be exchanged, which works once; with `None` until it is used or revoked.
    pub code_lifetime: Option<Duration>,
    /// What becomes of a refresh token that is used.
    pub rotation: Rotation,
    /// A refresh token or code that was used before is taken for stolen: all access and refresh tokens that descend
    /// from the same grant die. For refresh tokens it needs [`Rotation::Replace`].
    pub detect_reuse: bool,
    /// A new access token kills the ones before it.
    pub one_live_token: bool,
    /// Grants that come with a refresh token do; without this none does.
    pub refresh_tokens: bool,
    /// How the body of a token request is written; another one is refused.
    pub token_body: TokenBody,
    /// Id and secret in a Basic header are form-encoded first, as RFC 6749 asks.
    pub form_encoded_basic: bool,
    /// How many API calls may be made; `None` lifts the limit. Refused calls and token requests do not count.
    pub rate: Option<Rate>,
    /// What the example call answers instead of the stand-in's own made-up data.
    pub example_response: Option<ExampleResponse>,
}

impl Default for StandInBehavior {
    /// An hour of life, one use for each refresh token, forms, no limits.
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

/// How the body of a token request is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenBody {
    /// `application/x-www-form-urlencoded`
    Form,
    /// `application/json`
    Json,
}

/// An answer with its content type.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExampleResponse {
    /// The content type, as `application/xml`.
    pub content_type: String,
    /// The body.
    pub body: Vec<u8>,
}

impl ExampleResponse {
    /// This body under this content type.
    pub fn new(content_type: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self { content_type: content_type.into(), body: body.into() }
    }
}
