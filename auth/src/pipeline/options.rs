//! The options of calls: idempotency, deadlines, headers.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::stop::Stop;
use crate::policy::RetryPolicy;

/// The idempotency of a call (RFC 9110 section 9.2): it decides whether the call is sent again when its outcome is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Idempotency {
    /// It changes nothing, like a GET.
    Safe,
    /// Sending it twice has the same effect as once, like a PUT or an upsert by key.
    Idempotent,
    /// Sending it twice may do it twice, like a POST that creates. It is sent again only if it was certainly not processed: the
    /// connection or the token was refused, or the status was 429.
    NotRepeatable,
}

/// Deadlines. All but `idle` end when the headers of an answer are there, so that a long body may take its time.
///
/// ```
/// use std::time::Duration;
/// use perenso_auth::Timeouts;
///
/// let timeouts = Timeouts::default().connect(Duration::from_secs(3)).overall(Duration::from_secs(60));
/// assert_eq!(timeouts.attempt, Duration::from_secs(60)); // as it is without saying
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// For a connection: TCP and TLS.
    pub connect: Duration,
    /// For one attempt, until its headers.
    pub attempt: Duration,
    /// For all attempts and the pauses between them. Waiting for the rate budget does not count.
    pub overall: Duration,
    /// Between two pieces of a body.
    pub idle: Duration,
    /// For a permit of the rate budget.
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
    /// For a connection: TCP and TLS.
    #[must_use]
    pub fn connect(mut self, limit: Duration) -> Self {
        self.connect = limit;
        self
    }

    /// For one attempt, until its headers.
    #[must_use]
    pub fn attempt(mut self, limit: Duration) -> Self {
        self.attempt = limit;
        self
    }

    /// For all attempts and the pauses between them.
    #[must_use]
    pub fn overall(mut self, limit: Duration) -> Self {
        self.overall = limit;
        self
    }

    /// Between two pieces of a body.
    #[must_use]
    pub fn idle(mut self, limit: Duration) -> Self {
        self.idle = limit;
        self
    }

    /// For a permit of the rate budget.
    #[must_use]
    pub fn budget(mut self, limit: Duration) -> Self {
        self.budget = limit;
        self
    }
}

/// What one call, or all calls of one handle, do differently.
///
/// ```
/// use std::time::Duration;
/// use perenso_auth::{CallOptions, RetryPolicy};
///
/// let patient = CallOptions::new().deadline(Duration::from_secs(600)).retry(RetryPolicy::default().attempts(8));
/// # let _ = patient;
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
    /// Nothing different.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// From the moment the call is made until the headers of its answer are there, everything included: waiting for
    /// the rate budget, for a token, and between attempts.
    #[must_use]
    pub fn deadline(mut self, limit: Duration) -> Self {
        self.deadline = Some(limit);
        self
    }

    /// For one attempt, until its headers.
    #[must_use]
    pub fn attempt_timeout(mut self, limit: Duration) -> Self {
        self.attempt = Some(limit);
        self
    }

    /// A header that goes out with the call, in place of one of the same name. `Authorization`, `Host`, `Content-Length`
    /// and `Transfer-Encoding` are refused when the call is made: the first is the token layer's, the others would make
    /// another request of it.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Another retry policy.
    #[must_use]
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = Some(policy);
        self
    }

    /// Stops the call when `future` completes: no further attempt is sent, and waiting for the rate budget, for a token or
    /// for a `Retry-After` ends at once. A request in flight is waited for. The call fails with the error of its last attempt,
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

    /// These options, and where they say nothing, those of `base`. Headers of both go out; of one name, these.
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

    /// Sets the idempotency of this call, in place of that of its operation.
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
