//! A fault: a failure of one request.

use std::time::Duration;

use crate::error::Error;
use crate::show::behavior::RetryAfter;

/// A failure of one request.
///
/// A fault also has a serialised form, for JSON, TOML and the request header `Sandbox-Fault`:
///
/// | serialised | fault |
/// |---|---|
/// | `503` or `{"status": 503}` | [`Fault::status`] |
/// | `{"status": 503, "body": "down", "content_type": "text/plain", "headers": {"retry-after": "3"}}` | [`Fault::Status`] |
/// | `"unauthorized"` | [`Fault::Unauthorized`] |
/// | `{"too_many_requests": {"retry_after": 30}}`, `{"too_many_requests": {"retry_after_date": 30}}`, `"too_many_requests"` | [`Fault::TooManyRequests`] |
/// | `{"delay": 0.5}` | [`Fault::Delay`] |
/// | `"cut_body"`, `{"cut_after": 1000}` | [`Fault::CutBody`], [`Fault::CutAfter`] |
/// | `{"slow": {"piece": 1, "pause": 0.01}}` | [`Fault::Slow`] |
/// | `"empty_body"` | [`Fault::EmptyBody`] |
/// | `"drop_connection"`, `"drop_answer"` | [`Fault::DropConnection`], [`Fault::DropResponse`] |
/// | `"reset"`, `"reset_answer"` | [`Fault::Reset`], [`Fault::ResetResponse`] |
///
/// A `body` that is not a string is sent as JSON. Binary bodies are `body_base64`. Durations are in seconds.
///
/// ```
/// use perenso_sandbox::Fault;
///
/// let fault: Fault = r#"{"too_many_requests": {"retry_after": 30}}"#.parse()?;
/// assert_eq!(fault, Fault::too_many_requests(std::time::Duration::from_secs(30)));
/// assert_eq!("503".parse::<Fault>()?, Fault::status(503));
/// assert_eq!("drop_answer".parse::<Fault>()?, Fault::DropResponse);
/// # Ok::<(), perenso_sandbox::Error>(())
/// ```
#[doc(alias = "Sandbox-Fault")]
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The request is not processed, and this is the response.
    Status {
        /// The status code. An invalid one causes a 500 that says so.
        code: u16,
        /// The content type. If it is empty, none is sent.
        content_type: String,
        /// The body.
        body: Vec<u8>,
        /// Further headers. A wrong `Content-Length` causes a 500 that says so; for a response that is too short use
        /// [`Fault::CutBody`].
        headers: Vec<(String, String)>,
    },
    /// The request is not processed. The response is the 401 for an unknown access token, or at the token endpoint the one
    /// for an unknown client. The token stays valid.
    Unauthorized,
    /// The request is not processed. The response is the 429 of the sandbox's rate limit. A stand-in for another system
    /// responds with [its own 429](crate::StandIn::too_many_requests) and ignores `retry_after`.
    TooManyRequests {
        /// The wait of the client, rounded up to whole seconds.
        wait: Duration,
        /// The format of `Retry-After`. A date is by the sandbox's clock.
        retry_after: RetryAfter,
    },
    /// The request is processed after this delay in real time, even if the client gives up.
    Delay(Duration),
    /// The request is processed. The response has the `Content-Length` of the whole body, and the connection is closed after
    /// half of it. The whole body is buffered first, even of a long export.
    CutBody,
    /// The request is processed. The response is chunked, and the connection is closed after this many bytes of the body or
    /// at its end, without the last chunk. A slow reader may receive fewer bytes.
    CutAfter(u64),
    /// The request is processed. The response is chunked and sent in pieces, each after a pause.
    Slow {
        /// The maximum size of a piece in bytes. Zero counts as one.
        piece: usize,
        /// The delay before every piece, in real time.
        pause: Duration,
    },
    /// The request is processed. A successful response becomes a 200 with an empty body; an error is unchanged.
    EmptyBody,
    /// The request is *not* processed, and the connection is closed without a response.
    DropConnection,
    /// The request *is* processed, and the connection is closed without a response.
    DropResponse,
    /// The request is *not* processed, and the connection is reset (TCP RST) without a response.
    Reset,
    /// The request *is* processed, and the connection is reset without a response.
    ResetResponse,
}

impl Fault {
    /// Returns a [`Fault::Status`] with a small JSON body.
    #[must_use]
    pub fn status(code: u16) -> Self {
        let body = format!(r#"{{"error":"ordered_fault","message":"a test ordered this {code}"}}"#);
        Self::response(code, "application/json", body.into_bytes())
    }

    /// Returns a [`Fault::Status`] with a small HTML page, as of a proxy or a login form.
    #[must_use]
    pub fn page(code: u16) -> Self {
        let body = format!("<!DOCTYPE html><html><body><h1>A test ordered this {code}</h1></body></html>");
        Self::response(code, "text/html; charset=utf-8", body.into_bytes())
    }

    pub(crate) fn response(code: u16, content_type: &str, body: Vec<u8>) -> Self {
        Self::Status { code, content_type: content_type.to_owned(), body, headers: Vec::new() }
    }

    /// Returns a [`Fault::TooManyRequests`] with `Retry-After` in whole seconds.
    #[must_use]
    pub const fn too_many_requests(wait: Duration) -> Self {
        Self::TooManyRequests { wait, retry_after: RetryAfter::Seconds }
    }

    /// Returns a [`Fault::TooManyRequests`] with `Retry-After` as a date by the sandbox's clock.
    #[must_use]
    pub const fn too_many_requests_until(wait: Duration) -> Self {
        Self::TooManyRequests { wait, retry_after: RetryAfter::Date }
    }

    /// Adds a header to a [`Fault::Status`]. Other faults are unchanged.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        if let Self::Status { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    pub(crate) fn parse(text: &str) -> serde_json::Result<Self> {
        let text = text.trim();
        let is_word = text.starts_with(|first: char| first.is_ascii_alphabetic());
        if is_word { serde_json::from_value(text.into()) } else { serde_json::from_str(text) }
    }

    /// Returns the name in the serialised form, as `drop_answer`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Status { .. } => "status",
            Self::Unauthorized => "unauthorized",
            Self::TooManyRequests { .. } => "too_many_requests",
            Self::Delay(_) => "delay",
            Self::CutBody => "cut_body",
            Self::CutAfter(_) => "cut_after",
            Self::Slow { .. } => "slow",
            Self::EmptyBody => "empty_body",
            Self::DropConnection => "drop_connection",
            Self::DropResponse => "drop_answer",
            Self::Reset => "reset",
            Self::ResetResponse => "reset_answer",
        }
    }
}

impl std::str::FromStr for Fault {
    type Err = Error;

    /// Parses a fault from JSON or from a bare word.
    ///
    /// # Errors
    /// [`Error::Data`] for an invalid fault.
    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text).map_err(|error| Error::data("the fault", error))
    }
}
