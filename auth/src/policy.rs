//! How long things may take and how often they are tried: plain values with defaults that say why.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::stop::Stop;

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

/// How often a call is tried, and how long it pauses in between: exponential, with jitter.
///
/// ```
/// use std::time::Duration;
/// use perenso_auth::RetryPolicy;
///
/// let patient = RetryPolicy::default().attempts(8).pauses(Duration::from_millis(500), Duration::from_secs(30));
/// assert_eq!(RetryPolicy::never().attempts, 1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// The most attempts, the first among them. A replay after a 401 is not counted.
    pub attempts: u32,
    /// The pause after the first failed attempt; it doubles from there.
    pub first_pause: Duration,
    /// No pause is longer, unless the server asks for it.
    pub longest_pause: Duration,
    /// A server that asks for a longer pause than this gets none: the call fails and says what was asked.
    pub longest_retry_after: Duration,
}

impl Default for RetryPolicy {
    /// 4 attempts, pauses from 250 ms to 10 s, `Retry-After` up to 90 s: a minute's window and a margin.
    fn default() -> Self {
        Self {
            attempts: 4,
            first_pause: Duration::from_millis(250),
            longest_pause: Duration::from_secs(10),
            longest_retry_after: Duration::from_secs(90),
        }
    }
}

impl RetryPolicy {
    /// One attempt and no other. A replay after a 401 is still made.
    #[must_use]
    pub fn never() -> Self {
        Self::default().attempts(1)
    }

    /// The most attempts, the first among them; zero counts as one.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// The pauses: the first, and the longest.
    #[must_use]
    pub fn pauses(mut self, first: Duration, longest: Duration) -> Self {
        self.first_pause = first;
        self.longest_pause = longest;
        self
    }

    /// The longest pause that a server may ask for.
    #[must_use]
    pub fn longest_retry_after(mut self, limit: Duration) -> Self {
        self.longest_retry_after = limit;
        self
    }

    pub(crate) fn backoff(&self) -> Backoff {
        Backoff::new(self.attempts, self.first_pause, self.longest_pause)
    }
}

/// The pauses between attempts: as many as there are attempts but one, exponential, jittered, none beyond the longest.
#[derive(Debug)]
pub(crate) struct Backoff {
    pauses: ExponentialBackoff,
    longest: Duration,
}

impl Backoff {
    fn new(attempts: u32, first: Duration, longest: Duration) -> Self {
        let pauses = ExponentialBuilder::default()
            .with_min_delay(first)
            .with_max_delay(longest)
            .with_max_times(attempts.saturating_sub(1) as usize)
            .with_jitter()
            .build();
        Self { pauses, longest }
    }
}

impl Iterator for Backoff {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        // The jitter comes on top of what backon takes for the longest delay.
        self.pauses.next().map(|pause| pause.min(self.longest))
    }
}

/// How a token is asked for.
///
/// ```
/// use std::time::Duration;
/// use perenso_auth::TokenPolicy;
///
/// let slow_server = TokenPolicy::default().attempt(Duration::from_secs(30)).total(Duration::from_secs(90));
/// assert_eq!(slow_server.attempts, 4);
/// ```
#[doc(alias("refresh token"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenPolicy {
    /// For one token request, until its answer is read.
    pub attempt: Duration,
    /// For all attempts of an original grant and the pauses between them.
    pub total: Duration,
    /// The most attempts of an original grant. A refresh is tried once.
    pub attempts: u32,
    /// The first pause between them; it doubles from there.
    pub first_pause: Duration,
    /// No pause is longer, unless the server asks for it.
    pub longest_pause: Duration,
}

impl Default for TokenPolicy {
    /// 10 s for an attempt, 4 attempts in 30 s, pauses from 200 ms to 5 s.
    fn default() -> Self {
        Self {
            attempt: Duration::from_secs(10),
            total: Duration::from_secs(30),
            attempts: 4,
            first_pause: Duration::from_millis(200),
            longest_pause: Duration::from_secs(5),
        }
    }
}

impl TokenPolicy {
    pub(crate) fn backoff(&self) -> Backoff {
        Backoff::new(self.attempts, self.first_pause, self.longest_pause)
    }

    /// The longest that an exchange can take: a refresh in one attempt and an original grant, or where a person would be
    /// needed, two refreshes or a refresh and a code, each as patient as an original grant.
    pub(crate) fn longest(&self) -> Duration {
        self.attempt.saturating_add(self.total.saturating_mul(2))
    }

    /// For one token request.
    #[must_use]
    pub fn attempt(mut self, limit: Duration) -> Self {
        self.attempt = limit;
        self
    }

    /// For all attempts of an original grant.
    #[must_use]
    pub fn total(mut self, limit: Duration) -> Self {
        self.total = limit;
        self
    }

    /// The most attempts of an original grant; zero counts as one.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// The pauses: the first, and the longest.
    #[must_use]
    pub fn pauses(mut self, first: Duration, longest: Duration) -> Self {
        self.first_pause = first;
        self.longest_pause = longest;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_differ_from_caller_to_caller_and_have_a_longest() {
        let policy = RetryPolicy::default().attempts(7).pauses(Duration::from_millis(100), Duration::from_secs(1));
        let all: Vec<Vec<Duration>> = (0..20).map(|_| policy.backoff().collect()).collect();
        assert!(all.iter().all(|pauses| pauses.len() == 6));
        assert!(all.iter().flatten().all(|pause| *pause <= Duration::from_secs(1)));
        assert!(all.iter().all(|pauses| pauses[0] < pauses[2] && pauses[5] == Duration::from_secs(1)), "{all:?}");
        assert!(all.iter().any(|pauses| pauses[0] != all[0][0]), "a fleet would come back in step");
        let tokens = TokenPolicy::default().attempts(3).pauses(Duration::from_millis(100), Duration::from_millis(150));
        assert!(tokens.backoff().all(|pause| pause <= Duration::from_millis(150)));
        assert_eq!(tokens.backoff().count(), 2);
    }
}
