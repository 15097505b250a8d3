//! The reason why there is no token. All callers that waited for it share it, so it contains nothing about a call.

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use http::StatusCode;

use crate::{profile::grant::Grant, store::StoreError, wire::connection::Cause};

/// The maximum cooldown of token requests. A longer `Retry-After` is cut to it.
const MAX_COOLDOWN: Duration = Duration::from_secs(60);

/// The error response of a token endpoint (RFC 6749 section 5.2), without secrets and truncated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) error: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) body: ErrorBody,
}

/// The start of the body of an error response, without secrets of the request. `Debug` does not show it.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct ErrorBody(pub(crate) Bytes);

impl fmt::Debug for ErrorBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl ErrorBody {
    fn hint(&self) -> &'static str {
        if self.0.is_empty() { "" } else { "; the response body may say why" }
    }
}

impl Refusal {
    /// Returns true if the refresh token or the code is no longer valid.
    pub(crate) fn is_invalid_grant(&self) -> bool {
        self.error.as_deref() == Some("invalid_grant")
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({})", self.status.as_u16())?;
        for part in [&self.error, &self.description].into_iter().flatten() {
            write!(f, ": {part}")?;
        }
        Ok(())
    }
}

/// The reason why a token exchange returned no token.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("the token endpoint refused the grant {0}")]
    Refused(Refusal),

    #[error("{}", person(*.grant, .refused.as_ref()))]
    PersonNeeded {
        grant: Grant,
        /// The grant that was sent and its refusal, or `None` if there was nothing left to send.
        refused: Option<(Grant, Refusal)>,
    },

    #[error(
        "the token store is unavailable: {0}; no token is requested, since a lost refresh token would need a person \
         (`memory_only` accepts that)"
    )]
    StoreAway(#[source] StoreError),

    #[error("the credentials cannot be used: {detail}")]
    Credentials {
        detail: String,
        #[source]
        source: Option<Arc<dyn std::error::Error + Send + Sync>>,
    },

    #[error(
        "the token endpoint {url} responded with {status}, which does not mean that the credentials are wrong: check the token \
         URL, and any proxy or firewall in between{}", body.hint()
    )]
    UnexpectedStatus { status: StatusCode, url: String, body: ErrorBody },

    #[error("the response of the token endpoint ({}) cannot be used: {detail}", .status.as_u16())]
    Unreadable { status: StatusCode, detail: String },

    #[error("the token endpoint redirects ({}) to {to}; no redirect is followed: set the token URL to its final address", .status.as_u16())]
    Redirected { status: StatusCode, to: String },

    #[error("the token endpoint is not available: {detail}")]
    Unavailable {
        detail: String,
        status: Option<StatusCode>,
        retry_after: Option<Duration>,
        /// The request may have been processed.
        lost: bool,
        #[source]
        source: Option<Arc<reqwest::Error>>,
    },

    #[error("tokens of this server are valid for {} s, but one valid for at least {} s was requested", .lifetime.as_secs(), .asked.as_secs())]
    TooShort { lifetime: Duration, asked: Duration },

    #[error("the task that requests the token ended repeatedly without a result: the runtime may be shutting down")]
    Abandoned,
}

impl Fault {
    /// Returns true if the server responded in a way that a retry would not change.
    pub(crate) const fn is_final(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::PersonNeeded { .. } | Self::Unreadable { .. } | Self::Redirected { .. })
    }

    /// Returns true if the failure is not transient.
    pub(crate) fn is_permanent(&self) -> bool {
        matches!(self, Self::UnexpectedStatus { .. }) || self.cause().is_some_and(Cause::is_permanent)
    }

    /// The cause of a failed connection.
    pub(crate) fn cause(&self) -> Option<Cause> {
        match self {
            Self::Unavailable { source: Some(source), .. } => Some(Cause::of(source)),
            _ => None,
        }
    }

    /// The cooldown that the server asked for, at most [`MAX_COOLDOWN`].
    pub(crate) fn cooldown(&self) -> Option<Duration> {
        match self {
            Self::Unavailable { retry_after, .. } => retry_after.map(|asked| asked.min(MAX_COOLDOWN)),
            _ => None,
        }
    }

    /// Returns true if the refresh token must not be sent again: it was refused, or may have been exchanged.
    pub(crate) const fn spends_the_refresh_token(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Unreadable { .. } | Self::Unavailable { lost: true, .. })
    }

    /// Returns true if the request may have been processed.
    pub(crate) const fn is_lost(&self) -> bool {
        matches!(self, Self::Unreadable { .. } | Self::Unavailable { lost: true, .. })
    }

    /// The error response of the server.
    pub(crate) const fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::PersonNeeded { refused: Some((_, refusal)), .. } => Some(refusal),
            _ => None,
        }
    }

    /// The body of the error response, if it is kept.
    pub(crate) fn body(&self) -> Option<&Bytes> {
        let body = match self {
            Self::UnexpectedStatus { body, .. } => body,
            _ => &self.refusal()?.body,
        };
        Some(&body.0)
    }

    pub(crate) fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Unreadable { status, .. }
            | Self::Redirected { status, .. }
            | Self::UnexpectedStatus { status, .. } => Some(*status),
            Self::Unavailable { status, .. } => *status,
            Self::Refused(_) | Self::PersonNeeded { .. } => self.refusal().map(|refusal| refusal.status),
            Self::Credentials { .. } | Self::StoreAway(_) | Self::TooShort { .. } | Self::Abandoned => None,
        }
    }
}

fn person(grant: Grant, refused: Option<&(Grant, Refusal)>) -> String {
    let (what, setter) = match grant {
        Grant::RefreshToken => ("refresh token", "Credentials::refresh_token"),
        _ => ("authorization code", "Credentials::code"),
    };
    let remedy = format!("a person has to grant access again, and a new {what} is needed (`{setter}`)");
    match refused {
        Some((Grant::RefreshToken, refusal)) => {
            format!("the token endpoint refused the refresh token {refusal}; {remedy}")
        }
        Some((_, refusal)) => format!(
            "the token endpoint refused the authorization code {refusal}; unless it was mistyped, or issued for another \
             redirect URI, {remedy}"
        ),
        None => format!("the {what} of the credentials is used up, and no refresh token is left; {remedy}"),
    }
}
