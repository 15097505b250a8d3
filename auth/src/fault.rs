//! Why there is no token: shared by all who waited for it, so it says nothing about any one call.

use std::{sync::Arc, time::Duration};

use http::StatusCode;

/// A server that asks for more is asked again after this.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The end of a token exchange that brought none.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("the token endpoint refused the grant ({}){}", .status.as_u16(), words(.error.as_deref(), .description.as_deref()))]
    Refused { status: StatusCode, error: Option<String>, description: Option<String> },

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
    Vanished,
}

impl Fault {
    /// Whether the server gave its answer: asking again at once would bring the same.
    pub(crate) const fn is_answer(&self) -> bool {
        matches!(self, Self::Refused { .. } | Self::Unreadable { .. } | Self::Redirected { .. })
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
        matches!(self, Self::Refused { .. } | Self::Unreadable { .. } | Self::Unavailable { lost: true, .. })
    }

    pub(crate) const fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Refused { status, .. } | Self::Unreadable { status, .. } | Self::Redirected { status, .. } => {
                Some(*status)
            }
            Self::Unavailable { status, .. } => *status,
            Self::TooShort { .. } | Self::Vanished => None,
        }
    }
}

fn words(error: Option<&str>, description: Option<&str>) -> String {
    match (error, description) {
        (Some(error), Some(description)) => format!(": {error}: {description}"),
        (Some(error), None) => format!(": {error}"),
        (None, Some(description)) => format!(": {description}"),
        (None, None) => String::new(),
    }
}
