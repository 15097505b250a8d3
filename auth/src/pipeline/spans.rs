//! The span of a call. Its fields have the names of OpenTelemetry where there is one.

use tracing::{Span, field};

use crate::{
    clock::millis,
    pipeline::{
        context::{Call, ClientState},
        error::{Error, ErrorKind},
        response::Response,
    },
};

/// The span of one call. Dropped before [`finish`](Self::finish), it records the call as cancelled.
pub(crate) struct CallSpan(Span);

impl CallSpan {
    /// Creates the span. Returns `None` if no subscriber is interested.
    pub(crate) fn of(client: &ClientState, request: &reqwest::Request, call: &Call<'_>) -> Option<Self> {
        let span = tracing::info_span!(
            target: "perenso_auth::call",
            "api_call",
            operation = %call.operation(),
            client = %client.label,
            otel.name = %call.operation(),
            otel.kind = "client",
            otel.status_code = field::Empty,
            http.request.method = %request.method(),
            server.address = client.api_url.host_str(),
            server.port = client.api_url.port_or_known_default(),
            http.response.status_code = field::Empty,
            http.request.resend_count = field::Empty,
            error.type = field::Empty,
            waited_ms = field::Empty,
        );
        (!span.is_disabled()).then_some(Self(span))
    }

    pub(crate) fn span(&self) -> Span {
        self.0.clone()
    }

    /// Records the outcome of the call.
    pub(crate) fn finish(mut self, result: &Result<Response, Error>) {
        let span = std::mem::replace(&mut self.0, Span::none());
        let (status, attempts, waited) = match result {
            Ok(response) => (Some(response.status()), response.attempts(), response.waited()),
            // The status of a token error is that of another server.
            Err(error) => (error.status().filter(|_| !error.kind().is_of_token()), error.attempts(), error.waited()),
        };
        if let Some(status) = status {
            span.record("http.response.status_code", status.as_u16());
        }
        span.record("http.request.resend_count", attempts.saturating_sub(1));
        span.record("waited_ms", millis(waited));
        match result {
            Ok(_) => tracing::debug!(target: "perenso_auth::call", parent: &span, "call done"),
            Err(error) => {
                fail(&span, error.kind().name());
                tracing::debug!(target: "perenso_auth::call", parent: &span, %error, "call failed");
            }
        }
    }
}

impl Drop for CallSpan {
    fn drop(&mut self) {
        if !self.0.is_disabled() {
            fail(&self.0, "cancelled");
            tracing::debug!(target: "perenso_auth::call", parent: &self.0, "call dropped by its caller");
        }
    }
}

fn fail(span: &Span, error_type: &'static str) {
    span.record("error.type", error_type);
    span.record("otel.status_code", "ERROR");
}

impl ErrorKind {
    /// The value of `error.type`.
    const fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Refused => "refused",
            Self::PersonNeeded => "person_needed",
            Self::TokenUnavailable => "token_unavailable",
            Self::Unauthorized => "unauthorized",
            Self::RateLimited => "rate_limited",
            Self::Budget => "budget",
            Self::Status => "status",
            Self::Redirect => "redirect",
            Self::Connect => "connect",
            Self::Broken => "broken",
            Self::Timeout => "timeout",
            Self::Stopped => "stopped",
            Self::Decode => "decode",
            Self::TooLarge => "too_large",
        }
    }

    const fn is_of_token(self) -> bool {
        matches!(self, Self::Refused | Self::PersonNeeded | Self::TokenUnavailable)
    }
}
