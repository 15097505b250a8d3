//! The error of authorised calls.

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use http::StatusCode;

use crate::{oauth::fault::Fault, pipeline::problem_details::ProblemDetails};

type Source = Arc<dyn std::error::Error + Send + Sync>;

/// The kind of an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request could not be built, or its address is not the API's. Nothing was sent.
    Request,
    /// The token endpoint refused the grant: client id, secret or scope are wrong or no longer valid. Its response has an
    /// `error` member, or is a 400 or 401. Not retried; the refusal is remembered for ten seconds. A provider or a file is
    /// then read again, so corrected credentials need no restart.
    Refused,
    /// The refresh token or the authorization code was refused or is used up, and the grant needs a person to provide a new
    /// one. Not retried; remembered for ten seconds.
    PersonNeeded,
    /// There is no token: the token endpoint could not be reached, failed, or sent a response that cannot be read. A 4xx
    /// without an `error` member, other than 400, 401 and 429, is one of these: it points to a wrong token URL, a proxy or a
    /// firewall.
    TokenUnavailable,
    /// The API responded 401 although the token was new.
    Unauthorized,
    /// The API responded 429 until the attempts were used up or `Retry-After` exceeded the limit.
    RateLimited,
    /// The client's rate budget granted no permit in time, for the first attempt or for a retry. That attempt was not sent.
    Budget,
    /// The API responded with another status that is not a success.
    Status,
    /// The API or the token endpoint responded with a redirect. None is followed.
    Redirect,
    /// No connection could be made. Nothing was processed. A certificate that is not accepted and a proxy that requires
    /// authorization are not retried. These two and a host name that does not resolve are not transient.
    Connect,
    /// The connection broke.
    Broken,
    /// A timeout or a deadline has passed.
    Timeout,
    /// The caller stopped the call while no request was in flight: [`CallOptions::stop_when`](crate::CallOptions::stop_when).
    Stopped,
    /// The response does not match the expected type.
    Decode,
    /// The response is larger than the limit.
    TooLarge,
}

/// The error of an authorised call.
///
/// `Display` and `Debug` (the message and those of its causes) show no secret, no token and no value of a body.
/// [`body`](Self::body) returns the body of the error response, at most 64 KiB of it.
///
/// ```no_run
/// # async fn example(client: perenso_auth::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use perenso_auth::ErrorKind;
///
/// match client.get("/Customer/4ddjf2").send().await {
///     Ok(response) => println!("{}", response.text().await?),
///     Err(error) if error.is_not_found() => println!("not found"),
///     Err(error) if error.kind() == ErrorKind::Refused => {
///         eprintln!("check client id and secret: {error}");
///     }
///     Err(error) if error.is_transient() => eprintln!("try later: {error}"),
///     Err(error) => return Err(error.into()),
/// }
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
pub(crate) struct Inner {
    pub(crate) kind: ErrorKind,
    pub(crate) operation: Cow<'static, str>,
    pub(crate) detail: String,
    pub(crate) status: Option<StatusCode>,
    pub(crate) request_id: Option<String>,
    pub(crate) attempts: u32,
    pub(crate) waited: Duration,
    pub(crate) may_have_written: bool,
    /// Not transient, although errors of its kind usually are.
    pub(crate) is_permanent: bool,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: Option<Bytes>,
    pub(crate) source: Option<Source>,
    /// The reason there is no token. Its message is `detail`, so its own cause is the next in the chain.
    pub(crate) fault: Option<Arc<Fault>>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, operation: Cow<'static, str>, detail: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            operation,
            detail: detail.into(),
            status: None,
            request_id: None,
            attempts: 0,
            waited: Duration::ZERO,
            may_have_written: false,
            is_permanent: false,
            retry_after: None,
            body: None,
            source: None,
            fault: None,
        }))
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        change(&mut self.0);
        self
    }

    /// The kind of the error.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The name of the operation, as in the API's document, or method and path.
    #[must_use]
    pub fn operation(&self) -> &str {
        &self.0.operation
    }

    /// The status of the response, if there was one. For a token error, that of the token endpoint.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// The id that the server gave to the request, for its support.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// The number of requests sent for this call.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// The time the call waited for the rate budget, for `Retry-After` and between attempts.
    #[must_use]
    pub fn waited(&self) -> Duration {
        self.0.waited
    }

    /// Returns true if a write may have been carried out although the call failed: its response was lost, could not be read,
    /// or was a 5xx. Returns false for reads, and if certainly nothing was processed.
    #[must_use]
    pub fn may_have_written(&self) -> bool {
        self.0.may_have_written
    }

    /// The wait that the server asked for.
    #[must_use]
    #[doc(alias("Retry-After", "429"))]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The body of the error response, also of the token endpoint, at most 64 KiB of it. It may hold personal data, so no
    /// message shows it.
    #[must_use]
    pub fn body(&self) -> Option<&[u8]> {
        self.0.body.as_deref()
    }

    /// Reads the body of the error response as [`ProblemDetails`]. Returns `None` unless it is JSON with `title`, `detail`,
    /// `message`, `error` or `errors`.
    ///
    /// Its strings may hold personal data, so the message of the error shows only names of `errors`: those that the request
    /// has too, and member names of letters and `_`.
    ///
    /// ```no_run
    /// # async fn example(client: perenso_auth::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// if let Err(error) = client.get("/Customer").query("page", 0).send().await
    ///     && let Some(problem) = error.problem_details()
    /// {
    ///     for problem in &problem.errors {
    ///         println!("{:?}: {}", problem.name, problem.messages.join("; "));
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    #[must_use]
    #[doc(alias("RFC 9457", "RFC 7807", "validation errors"))]
    pub fn problem_details(&self) -> Option<ProblemDetails> {
        ProblemDetails::read(self.body()?)
    }

    /// Returns true if a timeout has passed, of an attempt or of the whole call.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.0.kind == ErrorKind::Timeout
    }

    /// Returns true if the API responded 404 or 410.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self.0.status, Some(StatusCode::NOT_FOUND | StatusCode::GONE)) && self.0.kind == ErrorKind::Status
    }

    /// Returns true if the credentials are the problem: the grant or a fresh token was refused.
    #[must_use]
    pub fn is_auth(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Refused | ErrorKind::PersonNeeded | ErrorKind::Unauthorized)
    }

    /// The error response of the token endpoint: `error` and `error_description` of RFC 6749 section 5.2, without secrets and
    /// control characters, at most 200 characters of each. Returns `None` if the call failed for another reason.
    ///
    /// ```no_run
    /// # async fn example(client: perenso_auth::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// if let Err(error) = client.get("/Customer").send().await
    ///     && let Some(refusal) = error.token_error()
    /// {
    ///     eprintln!("the token server says {:?}", refusal.error);
    /// }
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn token_error(&self) -> Option<TokenError<'_>> {
        let refusal = self.0.fault.as_ref()?.refusal()?;
        Some(TokenError { error: refusal.error.as_deref(), description: refusal.description.as_deref() })
    }

    /// Returns true if the same call may succeed later. It does not mean that a retry is safe: see
    /// [`may_have_written`](Self::may_have_written).
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self.0.kind {
            ErrorKind::TokenUnavailable
            | ErrorKind::RateLimited
            | ErrorKind::Budget
            | ErrorKind::Connect
            | ErrorKind::Broken
            | ErrorKind::Timeout => !self.0.is_permanent,
            ErrorKind::Status => self.0.status.is_some_and(|status| status.is_server_error() || status.as_u16() == 408),
            _ => false,
        }
    }

    /// Replaces the name of the operation.
    #[must_use]
    pub fn for_operation(mut self, operation: impl Into<Cow<'static, str>>) -> Self {
        self.0.operation = operation.into();
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0;
        write!(f, "{}: {}", inner.operation, inner.detail)?;
        let mut facts = Vec::new();
        if inner.attempts > 1 {
            facts.push(format!("{} attempts", inner.attempts));
        }
        if let Some(id) = &inner.request_id {
            facts.push(format!("request id {id}"));
        }
        if inner.may_have_written {
            facts.push("the write may have happened".to_owned());
        }
        if !facts.is_empty() {
            write!(f, " [{}]", facts.join(", "))?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.fault {
            Some(fault) => fault.source(),
            None => self.0.source.as_deref().map(|source| source as _),
        }
    }
}

/// The error response of a token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenError<'a> {
    /// The error code, such as `invalid_grant`.
    pub error: Option<&'a str>,
    /// The description, for people.
    pub description: Option<&'a str>,
}
