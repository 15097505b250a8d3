//! One fault: something that goes wrong with a request.

use std::time::Duration;

use crate::error::Error;
use crate::show::behavior::RetryAfter;

/// Something that goes wrong with one request.
///
/// It is read from data too, JSON, TOML or the header `Sandbox-Fault` of a request, and written as it is read:
///
/// | in data | what it is |
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
/// A `body` that is not text goes out as JSON, bytes that are no text come as `body_base64`; times are in seconds.
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
    /// The request is not processed; this is the answer.
    Status {
        /// The status code. One that HTTP does not have is answered by a 500 that says so.
        code: u16,
        /// The content type; none is sent when this is empty.
        content_type: String,
        /// The body.
        body: Vec<u8>,
        /// Further headers. A `Content-Length` other than that of the body is answered by a 500 that says so: what makes
        /// an answer shorter than announced is [`Fault::CutBody`].
        headers: Vec<(String, String)>,
    },
    /// The request is not processed; the answer is the 401 for an access token that is not known, at the token endpoint
    /// the one for a client that is not known. The token lives on all the same.
    Unauthorized,
    /// The request is not processed; the answer is a 429 as the sandbox's rate limit gives it. (That of a stand-in for
    /// another system is [its own](crate::StandIn::too_many_requests), in which only the wait counts.)
    TooManyRequests {
        /// How long the client is to wait, rounded up to whole seconds.
        wait: Duration,
        /// What the answer says of that; a date is by the sandbox's clock.
        retry_after: RetryAfter,
    },
    /// The request is processed after this time, real time and not that of the sandbox's clock, although the client may
    /// have given up by then.
    Delay(Duration),
    /// The request is processed; the answer's head announces the whole body, half of it comes, then the connection ends.
    /// (A long export is made as a whole for this.)
    CutBody,
    /// The request is processed; the answer is chunked, and the connection ends after so many bytes of its body, or at
    /// the end of a shorter one, so that no client can take it for whole. What a slow reader has not taken off the
    /// connection by then may be lost with it.
    CutAfter(u64),
    /// The request is processed; the answer is chunked, and its body comes in pieces, each after a pause.
    Slow {
        /// How many bytes a piece has at most; zero counts as one.
        piece: usize,
        /// Before every piece; real time and not that of the sandbox's clock.
        pause: Duration,
    },
    /// The request is processed; a successful answer becomes 200 with an empty body.
    EmptyBody,
    /// The request is *not* processed, and the connection ends without an answer.
    DropConnection,
    /// The request *is* processed, and the connection ends without an answer.
    DropResponse,
    /// The request is *not* processed, and the connection is reset: a TCP RST instead of an end.
    Reset,
    /// The request *is* processed, and the connection is reset instead of an answer.
    ResetResponse,
}

impl Fault {
    /// A [`Fault::Status`] with a small JSON body.
    #[must_use]
    pub fn status(code: u16) -> Self {
        let body = format!(r#"{{"error":"ordered_fault","message":"a test ordered this {code}"}}"#);
        Self::response(code, "application/json", body.into_bytes())
    }

    /// A [`Fault::Status`] with a small HTML page, as a proxy or a login form answers it, with 200 too.
    #[must_use]
    pub fn page(code: u16) -> Self {
        let body = format!("<!DOCTYPE html><html><body><h1>A test ordered this {code}</h1></body></html>");
        Self::response(code, "text/html; charset=utf-8", body.into_bytes())
    }

    pub(crate) fn response(code: u16, content_type: &str, body: Vec<u8>) -> Self {
        Self::Status { code, content_type: content_type.to_owned(), body, headers: Vec::new() }
    }

    /// A [`Fault::TooManyRequests`] with `Retry-After` in whole seconds.
    #[must_use]
    pub const fn too_many_requests(wait: Duration) -> Self {
        Self::TooManyRequests { wait, retry_after: RetryAfter::Seconds }
    }

    /// A [`Fault::TooManyRequests`] with `Retry-After` as a date: so long after the answer, by the sandbox's clock.
    #[must_use]
    pub const fn too_many_requests_until(wait: Duration) -> Self {
        Self::TooManyRequests { wait, retry_after: RetryAfter::Date }
    }

    /// Adds a header to a [`Fault::Status`]; other faults stay as they are.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        if let Self::Status { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    pub(crate) fn read(text: &str) -> serde_json::Result<Self> {
        let text = text.trim();
        let is_word = text.starts_with(|first: char| first.is_ascii_alphabetic());
        if is_word { serde_json::from_value(text.into()) } else { serde_json::from_str(text) }
    }

    /// What it is called in data, as `drop_answer`.
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

    /// Reads a fault from JSON, or from a bare word.
    ///
    /// # Errors
    /// [`Error::Data`], whose source says what is wrong.
    fn from_str(text: &str) -> Result<Self, Error> {
        Self::read(text).map_err(|error| Error::data("the fault", error))
    }
}
