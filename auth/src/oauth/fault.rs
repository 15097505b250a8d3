//! Why there is no token: shared by all who waited for it, so it says nothing about any one call.

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use http::StatusCode;

use crate::{profile::grant::Grant, store::StoreError, wire::connection::Cause};

/// A server that asks for more is asked again after this.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What a token endpoint says when it refuses: RFC 6749 section 5.2, made fit to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) error: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) body: ErrorBody,
}

/// The start of the body of an error response, without secrets of the request; `Debug` does not show it.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct ErrorBody(pub(crate) Bytes);

impl fmt::Debug for ErrorBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl ErrorBody {
    fn hint(&self) -> &'static str {
        if self.0.is_empty() { "" } else { "; the body of the response may say why" }
    }
}

impl Refusal {
    /// Whether the grant itself, the refresh token or the code, is no good any more.
    pub(crate) fn is_invalid_grant(&self) -> bool {
        self.error.as_deref() == Some("invalid_grant")
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({})", self.status.as_u16())?;
        for words in [&self.error, &self.description].into_iter().flatten() {
            write!(f, ": {words}")?;
        }
        Ok(())
    }
}

/// The end of a token exchange that brought none.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("the token endpoint refused the grant {0}")]
    Refused(Refusal),

    #[error("{}", person(*.grant, .refused.as_ref()))]
    PersonNeeded {
        grant: Grant,
        /// What was sent with which grant, and what came; nothing where there was nothing left to send.
        refused: Option<(Grant, Refusal)>,
    },

    #[error(
        "the token store is away, and nothing is risked that only a person could replace: {0} (`memory_only` takes the risk)"
    )]
    StoreAway(#[source] StoreError),

    #[error("the credentials cannot be used: {detail}")]
    Credentials {
        detail: String,
        #[source]
        source: Option<Arc<dyn std::error::Error + Send + Sync>>,
    },

    #[error(
        "the token endpoint {url} responded with {status}, which says nothing about the credentials: check the token URL, \
         and any proxy or firewall before it{}", body.hint()
    )]
    UnexpectedStatus { status: StatusCode, url: String, body: ErrorBody },

    #[error("the token endpoint's answer ({}) cannot be used: {detail}", .status.as_u16())]
    Unreadable { status: StatusCode, detail: String },

    #[error("the token endpoint redirects ({}) to {to}; secrets follow no redirect: set the token URL to where it really is", .status.as_u16())]
    Redirected { status: StatusCode, to: String },

    #[error("the token endpoint is not available: {detail}")]
    Unavailable {
        detail: String,
        status: Option<StatusCode>,
        retry_after: Option<Duration>,
        /// Nobody knows whether the request was processed.
        lost: bool,
        #[source]
        source: Option<Arc<reqwest::Error>>,
    },

    #[error("tokens of this server live {} s, and one that lives {} s longer was asked for", .lifetime.as_secs(), .asked.as_secs())]
    TooShort { lifetime: Duration, asked: Duration },

    #[error("the task that asked for the token ended without a word, again and again: is the runtime shutting down?")]
    Abandoned,
}

impl Fault {
    /// Whether the server gave its answer: asking again at once would bring the same.
    pub(crate) const fn is_answer(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::PersonNeeded { .. } | Self::Unreadable { .. } | Self::Redirected { .. })
    }

    /// Returns whether the connection failed for a reason that is none of the moment.
    pub(crate) fn is_permanent(&self) -> bool {
        matches!(self, Self::UnexpectedStatus { .. }) || self.cause().is_some_and(Cause::is_permanent)
    }

    /// Why no connection was made, or why it broke.
    pub(crate) fn cause(&self) -> Option<Cause> {
        match self {
            Self::Unavailable { source: Some(source), .. } => Some(Cause::of(source)),
            _ => None,
        }
    }

    /// How long the server asks to be left alone, within reason: longer than an exchange can wait by itself.
    pub(crate) fn pause(&self) -> Option<Duration> {
        match self {
            Self::Unavailable { retry_after, .. } => retry_after.map(|pause| pause.min(LONGEST_PAUSE)),
            _ => None,
        }
    }

    /// Whether a refresh token that went out must not go out again: it was refused, or perhaps exchanged for another.
    pub(crate) const fn spends_the_refresh_token(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Unreadable { .. } | Self::Unavailable { lost: true, .. })
    }

    /// Whether nobody knows what became of the request: it may have been processed.
    pub(crate) const fn is_lost(&self) -> bool {
        matches!(self, Self::Unreadable { .. } | Self::Unavailable { lost: true, .. })
    }

    /// What the server said when it refused.
    pub(crate) const fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::PersonNeeded { refused: Some((_, refusal)), .. } => Some(refusal),
            _ => None,
        }
    }

    /// The body of the error response, where it is kept.
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
    let anew = format!("a person has to allow access anew, and a new {what} is needed (`{setter}`)");
    match refused {
        Some((Grant::RefreshToken, refusal)) => {
            format!("the token endpoint refused the refresh token {refusal}; {anew}")
        }
        Some((_, refusal)) => format!(
            "the token endpoint refused the authorization code {refusal}; unless it was mistyped, or issued for another \
             redirect URI, {anew}"
        ),
        None => format!("the {what} of the credentials is used up, and no refresh token is left; {anew}"),
    }
}
