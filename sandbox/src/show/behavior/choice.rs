//! The values of the switches.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::wire;

/// The place of the client's id and secret in a token request. Both places at once are always rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClientAuthentication {
    /// In the Basic header or in the body.
    Either,
    /// In the Basic header only.
    Basic,
    /// In the body only.
    Body,
}

/// The token requests that must contain the scope, and whether a wrong one is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ScopeRule {
    /// Client credentials in the body need it. A wrong one is always rejected.
    InBody,
    /// Client credentials and refresh need it if the credentials are in the body. A wrong one is always rejected.
    InEveryBody,
    /// No request needs it. A wrong one is rejected.
    Optional,
    /// It is ignored.
    Ignored,
}

/// The `token_type` of a token response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TokenType {
    /// `Bearer`
    Bearer,
    /// `bearer`
    LowerCase,
    /// `BEARER`
    UpperCase,
    /// The member is missing.
    Missing,
}

/// The `expires_in` of a token response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ExpiresIn {
    /// `300`
    Number,
    /// `"300"`
    Text,
    /// The member is missing.
    Missing,
}

/// A number of requests in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Rate {
    /// The number of requests.
    pub requests: u32,
    /// The period, by the sandbox's clock.
    #[serde(with = "wire::seconds")]
    pub per: Duration,
}

impl Rate {
    /// Allows `requests` in any window of length `per`.
    #[must_use]
    pub const fn new(requests: u32, per: Duration) -> Self {
        Self { requests, per }
    }
}

/// The calls that are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RatePer {
    /// All calls of the show.
    Show,
    /// Calls with the same access token.
    Token,
    /// Calls from the same IP address.
    Address,
}

/// The `X-RateLimit-` headers of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RateHeaders {
    /// None.
    Missing,
    /// `X-RateLimit-Limit`, `-Remaining` and `-Reset`: the seconds until all calls are available again.
    Seconds,
    /// The same headers, with `-Reset` as a Unix timestamp by the sandbox's clock.
    Epoch,
}

/// The format of the `Retry-After` header of a 429.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RetryAfter {
    /// Whole seconds, rounded up.
    Seconds,
    /// An HTTP date by the sandbox's clock, rounded up to the second.
    Date,
    /// The header is missing.
    Missing,
}

/// The response to a page after the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PastTheEnd {
    /// An empty array.
    Empty,
    /// 404.
    NotFound,
    /// The last page again.
    LastPageAgain,
}

/// The response to a successful DELETE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DeleteResponse {
    /// 204, no body.
    NoContent,
    /// 200, no body.
    EmptyOk,
    /// 200 and the deleted record.
    Record,
}

/// The format of error bodies of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorBody {
    /// `{"error": code, "message": text}`, and `"fields": [names]` if the error is about fields.
    Json,
    /// The message as `text/plain`.
    Text,
    /// The message in an HTML page.
    Html,
    /// No body.
    Empty,
}
