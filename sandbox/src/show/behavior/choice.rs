//! Choices: what the switches of a behavior can be set to.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::wire;

/// Where a token request may have the client's id and secret. Both places at once are always refused.
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

/// When a token request must name the scope, and whether a wrong one is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ScopeRule {
    /// Client credentials in the body need it; a wrong one is refused everywhere.
    InBody,
    /// Client credentials and refresh need it when the credentials come in the body; a wrong one is refused everywhere.
    InEveryBody,
    /// Nothing needs it; a wrong one is refused.
    Optional,
    /// Nobody looks at it.
    Ignored,
}

/// How an answer with a token names the token's type.
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
    /// Not at all.
    Missing,
}

/// How an answer with a token tells its lifetime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ExpiresIn {
    /// `300`
    Number,
    /// `"300"`
    Text,
    /// Not at all.
    Missing,
}

/// So many requests in so much time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Rate {
    /// How many requests.
    pub requests: u32,
    /// In which time, by the sandbox's clock.
    #[serde(with = "wire::seconds")]
    pub per: Duration,
}

impl Rate {
    /// `requests` in any stretch of time as long as `per`.
    #[must_use]
    pub const fn new(requests: u32, per: Duration) -> Self {
        Self { requests, per }
    }
}

/// Whose calls are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RatePer {
    /// All calls of the show.
    Show,
    /// Those with the same access token.
    Token,
    /// Those from the same IP address.
    Address,
}

/// Which `X-RateLimit-` headers an answer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RateHeaders {
    /// None.
    Missing,
    /// `X-RateLimit-Limit`, `-Remaining` and `-Reset`, which is in how many seconds all calls are free again.
    Seconds,
    /// The same three; `-Reset` is a Unix time by the sandbox's clock.
    Epoch,
}

/// What the `Retry-After` header of a 429 holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RetryAfter {
    /// Whole seconds, rounded up.
    Seconds,
    /// An HTTP date by the sandbox's clock, rounded up to the second.
    Date,
    /// There is no such header.
    Missing,
}

/// What a list answers for a page after its last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PastTheEnd {
    /// An empty array.
    Empty,
    /// 404.
    NotFound,
    /// The last page once more.
    LastPageAgain,
}

/// What a DELETE that worked answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DeleteResponse {
    /// 204, no body.
    NoContent,
    /// 200, no body.
    EmptyOk,
    /// 200 and the record as it was.
    Record,
}

/// How the body of a refused API call is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorBody {
    /// `{"error": code, "message": text}`, and `"fields": [names]` where fields are to blame.
    Json,
    /// The message as `text/plain`.
    Text,
    /// The message in a page, as `text/html`.
    Html,
    /// Nothing.
    Empty,
}
