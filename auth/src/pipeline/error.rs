//! The one error of authorised calls, and the one of building a client.

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use http::StatusCode;

use crate::{oauth::fault::Fault, pipeline::problem_details::ProblemDetails};

type Source = Arc<dyn std::error::Error + Send + Sync>;

/// What kind of thing went wrong. Kinds may be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request could not be built, or may not be sent where it points. Nothing left the machine.
    Request,
    /// The token endpoint refused the grant: id, secret or scope are wrong, or no longer right. Its response has an
    /// `error` member, or is a 400 or 401. Not retried; the
    /// refusal is remembered for ten seconds. Where credentials come from a provider or a file, it heals when they do.
    Refused,
    /// The refresh token or the authorization code was finally refused, or is used up, and the grant needs a person: a new code,
    /// or a new refresh token. Not retried; remembered for ten seconds.
    PersonNeeded,
    /// No token could be had: the token endpoint could not be reached, broke, or made no sense. A 4xx of it other than
    /// 400, 401 and 429 that names no `error` is one of these: it comes from a wrong token URL, a proxy or a firewall.
    TokenUnavailable,
    /// The API answered 401 although the token was new.
    Unauthorized,
    /// The API answered 429 until the attempts or the patience were used up.
    RateLimited,
    /// The own rate budget gave no permit in time. Nothing left the machine.
    Budget,
    /// The API answered with another status that is no success.
    Status,
    /// The API, or the token endpoint, answered with a redirect, and none is followed.
    Redirect,
    /// No connection could be made. Nothing was processed. Certificates that are not accepted and a proxy that asks for
    /// authorization are not retried; they, and a host without an address, are not transient.
    Connect,
    /// The connection broke.
    Broken,
    /// A deadline passed, or a timeout of the reqwest builder.
    Timeout,
    /// The caller stopped the call while no request was in flight: [`CallOptions::stop_when`](crate::CallOptions::stop_when).
    Stopped,
    /// The answer does not fit the type that was expected.
    Decode,
    /// The answer is larger than the limit.
    TooLarge,
}

/// Why an authorised call failed.
///
/// The text, and the `Debug` form, which is the text and that of its causes, hold no secret, no token and no value of a body. The body of an error answer, at most
/// 64 KiB of it, is there for those who ask: [`body`](Self::body).
///
/// ```no_run
/// # async fn example(client: perenso_auth::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use perenso_auth::ErrorKind;
///
/// match client.get("/Customer/4ddjf2").send().await {
///     Ok(answer) => println!("{}", answer.text().await?),
///     Err(error) if error.is_not_found() => println!("there is none"),
///     Err(error) if error.kind() == ErrorKind::Refused => eprintln!("look at id and secret: {error}"),
///     Err(error) if error.is_transient() => eprintln!("later: {error}"),
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
    /// It is no fault of the moment, although its kind says so as a rule.
    pub(crate) is_permanent: bool,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: Option<Bytes>,
    pub(crate) source: Option<Source>,
    /// Why there was no token; its words are the detail, so its own cause comes next.
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

    /// What kind of thing went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The name of the operation, as the API's document has it, or method and path.
    #[must_use]
    pub fn operation(&self) -> &str {
        &self.0.operation
    }

    /// The status of the answer, where there was one. For a token error, that of the token endpoint.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// The id that the server gave to the request, for its support.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// How many requests went out for this call.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// The time that the call waited for the rate budget, for `Retry-After` and between attempts.
    #[must_use]
    pub fn waited(&self) -> Duration {
        self.0.waited
    }

    /// Whether a write may have been carried out although the call failed: its answer was lost, could not be read, or
    /// was a 5xx. False for reads, and where it is certain that nothing was processed.
    #[must_use]
    pub fn may_have_written(&self) -> bool {
        self.0.may_have_written
    }

    /// How long the server asked to wait.
    #[must_use]
    #[doc(alias("Retry-After", "429"))]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The body of the error response, at most 64 KiB of it, of the token endpoint too. It may hold personal data, so it
    /// is in no text of the error.
    #[must_use]
    pub fn body(&self) -> Option<&[u8]> {
        self.0.body.as_deref()
    }

    /// The body of the error answer as [`ProblemDetails`], where it is JSON with `title`, `detail`, `message`, `error` or
    /// `errors`. Its texts may hold personal data, so none is in any text of the error, which shows only names: of `errors`, those
    /// that the request has too, and member names of letters and `_`.
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

    /// Whether a deadline passed, of an attempt or of the whole call.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.0.kind == ErrorKind::Timeout
    }

    /// Whether the API says that there is no such thing (404 or 410).
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self.0.status, Some(StatusCode::NOT_FOUND | StatusCode::GONE)) && self.0.kind == ErrorKind::Status
    }

    /// Whether the credentials are the problem: the grant was refused, or fresh tokens are.
    #[must_use]
    pub fn is_auth(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Refused | ErrorKind::PersonNeeded | ErrorKind::Unauthorized)
    }

    /// What the token endpoint said when it refused: `error` and `error_description` of RFC 6749 section 5.2, without
    /// secrets and control characters, at most 200 characters of each. `None` when that is not why the call failed.
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

    /// Whether the same call may go through later: the fault lay in the moment. It says nothing about whether a
    /// repeat is safe; [`may_have_written`](Self::may_have_written) does.
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

    /// The same error, reported by another operation's name.
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

/// The words of a token endpoint that refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenError<'a> {
    /// The code, such as `invalid_grant`.
    pub error: Option<&'a str>,
    /// The text for people.
    pub description: Option<&'a str>,
}
