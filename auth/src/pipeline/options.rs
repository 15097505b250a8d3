//! The options of calls: idempotency, timeouts, headers.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::stop::Stop;
use crate::policy::RetryPolicy;

/// The idempotency of a call (RFC 9110 section 9.2). It decides whether the call is retried when its outcome is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Idempotency {
    /// Changes nothing, like a GET.
    Safe,
    /// Sending it twice has the same effect as once, like a PUT or an upsert by key.
    Idempotent,
    /// Sending it twice may act twice, like a POST that creates. It is retried only if it was certainly not processed: the
    /// connection or the token was refused, or the status was 429.
    NotRepeatable,
}

/// The timeouts of calls. All but `idle` end once the response headers have arrived, so they never cut a long body.
///
/// ```
/// use std::time::Duration;
/// use perenso_auth::Timeouts;
///
/// let timeouts = Timeouts::default()
///     .connect(Duration::from_secs(3))
///     .overall(Duration::from_secs(60));
/// assert_eq!(timeouts.attempt, Duration::from_secs(60)); // the default
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// The time to connect: TCP and TLS.
    pub connect: Duration,
    /// The time for one attempt, until the response headers.
    pub attempt: Duration,
    /// The time for all attempts and the waits between them. Waiting for the rate budget is not counted.
    pub overall: Duration,
    /// The time between two chunks of a body.
    pub idle: Duration,
    /// The time to wait for a permit of the rate budget.
    pub budget: Duration,
}

impl Default for Timeouts {
    /// Connect 10 s, attempt 60 s, overall 180 s, idle 60 s, budget 300 s.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            attempt: Duration::from_secs(60),
            overall: Duration::from_secs(180),
            idle: Duration::from_secs(60),
            budget: Duration::from_secs(300),
        }
    }
}

impl Timeouts {
    /// Sets the connect timeout: TCP and TLS.
    #[must_use]
    pub fn connect(mut self, limit: Duration) -> Self {
        self.connect = limit;
        self
    }

    /// Sets the timeout of one attempt, until the response headers.
    #[must_use]
    pub fn attempt(mut self, limit: Duration) -> Self {
        self.attempt = limit;
        self
    }

    /// Sets the timeout of all attempts and the waits between them.
    #[must_use]
    pub fn overall(mut self, limit: Duration) -> Self {
        self.overall = limit;
        self
    }

    /// Sets the timeout between two chunks of a body.
    #[must_use]
    pub fn idle(mut self, limit: Duration) -> Self {
        self.idle = limit;
        self
    }

    /// Sets the timeout for a permit of the rate budget.
    #[must_use]
    pub fn budget(mut self, limit: Duration) -> Self {
        self.budget = limit;
        self
    }
}

/// The options of one call, or of all calls of one handle.
///
/// ```
/// use std::time::Duration;
/// use perenso_auth::{CallOptions, RetryPolicy};
///
/// let options = CallOptions::new()
///     .deadline(Duration::from_secs(600))
///     .retry(RetryPolicy::default().attempts(8));
/// # let _ = options;
/// ```
#[derive(Clone, Debug, Default)]
pub struct CallOptions {
    pub(crate) deadline: Option<Duration>,
    pub(crate) attempt: Option<Duration>,
    pub(crate) headers: HeaderMap,
    pub(crate) retry: Option<RetryPolicy>,
    pub(crate) idempotency: Option<Idempotency>,
    pub(crate) stop: Option<Stop>,
}

impl CallOptions {
    /// Creates options that change nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the deadline, from the start of the call until the response headers. It includes waiting for the rate budget, for
    /// a token, and between attempts.
    #[must_use]
    pub fn deadline(mut self, limit: Duration) -> Self {
        self.deadline = Some(limit);
        self
    }

    /// Sets the timeout of one attempt, until the response headers.
    #[must_use]
    pub fn attempt_timeout(mut self, limit: Duration) -> Self {
        self.attempt = Some(limit);
        self
    }

    /// Sets a header, in place of one of the same name. A call with `Authorization`, `Host`, `Content-Length` or
    /// `Transfer-Encoding` fails: the token layer sets the first, and the others would change the request.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Sets the retry policy.
    #[must_use]
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = Some(policy);
        self
    }

    /// Stops the call when `future` completes: no further attempt is sent, and waiting for the rate budget, for a token or
    /// for a `Retry-After` ends at once. A request in flight is completed. The call fails with the error of its last attempt,
    /// or with [`ErrorKind::Stopped`](crate::ErrorKind::Stopped) if there was none.
    ///
    /// One future serves all calls with these options. A second stop does not replace the first: either ends the call.
    ///
    /// ```
    /// use perenso_auth::CallOptions;
    ///
    /// let (shutdown, requested) = tokio::sync::oneshot::channel::<()>();
    /// let options = CallOptions::new().stop_when(async { drop(requested.await) });
    /// assert!(!options.is_stopped());
    /// drop(shutdown);
    /// assert!(options.is_stopped());
    /// ```
    #[must_use]
    #[doc(alias("cancel", "cancellation", "shutdown", "ctrl_c"))]
    pub fn stop_when(mut self, future: impl Future<Output = ()> + Send + 'static) -> Self {
        let stop = Stop::new(future);
        self.stop = Some(match self.stop {
            Some(first) => first.or(stop),
            None => stop,
        });
        self
    }

    /// Returns true once the future of [`stop_when`](Self::stop_when) has completed.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stop.as_ref().is_some_and(Stop::is_requested)
    }

    /// Merges these options over `base`: each option that is not set here is taken from `base`. Headers of both are sent; for
    /// the same name, those set here.
    #[must_use]
    pub fn over(self, base: &Self) -> Self {
        let mut headers = base.headers.clone();
        for (name, value) in &self.headers {
            headers.insert(name, value.clone());
        }
        Self {
            deadline: self.deadline.or(base.deadline),
            attempt: self.attempt.or(base.attempt),
            headers,
            retry: self.retry.or(base.retry),
            idempotency: self.idempotency.or(base.idempotency),
            stop: match (self.stop, &base.stop) {
                (Some(own), Some(base)) => Some(own.or(base.clone())),
                (own, base) => own.or_else(|| base.clone()),
            },
        }
    }

    /// Sets the idempotency of the call, in place of that of its operation.
    #[must_use]
    pub fn idempotency(mut self, idempotency: Idempotency) -> Self {
        self.idempotency = Some(idempotency);
        self
    }

    /// Sets the idempotency unless it is set already.
    #[must_use]
    pub fn idempotency_by_default(mut self, idempotency: Idempotency) -> Self {
        self.idempotency.get_or_insert(idempotency);
        self
    }
}
