//! The policies of retries and of token requests.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

/// The retry policy of calls: the number of attempts, and exponential backoff with jitter.
///
/// ```
/// use std::time::Duration;
/// use perenso_auth::RetryPolicy;
///
/// let policy = RetryPolicy::default()
///     .attempts(8)
///     .backoff(Duration::from_millis(500), Duration::from_secs(30));
/// assert_eq!(policy.attempts, 8);
/// assert_eq!(RetryPolicy::never().attempts, 1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// The maximum number of attempts, including the first. A replay after a 401 is not counted.
    pub attempts: u32,
    /// The backoff after the first failed attempt. It doubles with each further one.
    pub first_backoff: Duration,
    /// The maximum backoff. A `Retry-After` may be longer.
    pub max_backoff: Duration,
    /// The maximum `Retry-After`. If the server asks for more, the call fails, and its error carries the value.
    pub max_retry_after: Duration,
}

impl Default for RetryPolicy {
    /// 4 attempts, backoff from 250 ms to 10 s, `Retry-After` up to 90 s (a window of one minute and a margin).
    fn default() -> Self {
        Self {
            attempts: 4,
            first_backoff: Duration::from_millis(250),
            max_backoff: Duration::from_secs(10),
            max_retry_after: Duration::from_secs(90),
        }
    }
}

impl RetryPolicy {
    /// Returns a policy without retries. A request is still replayed after a 401.
    #[must_use]
    pub fn never() -> Self {
        Self::default().attempts(1)
    }

    /// Sets the maximum number of attempts, including the first. Zero counts as one.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// Sets the first and the maximum backoff.
    #[must_use]
    pub fn backoff(mut self, first: Duration, max: Duration) -> Self {
        self.first_backoff = first;
        self.max_backoff = max;
        self
    }

    /// Sets the maximum `Retry-After`.
    #[must_use]
    pub fn max_retry_after(mut self, limit: Duration) -> Self {
        self.max_retry_after = limit;
        self
    }

    pub(crate) fn delays(&self) -> Backoff {
        Backoff::new(self.attempts, self.first_backoff, self.max_backoff)
    }
}

/// The waits between attempts: exponential with jitter, one fewer than there are attempts, none above the maximum.
#[derive(Debug)]
pub(crate) struct Backoff {
    delays: ExponentialBackoff,
    max: Duration,
}

impl Backoff {
    fn new(attempts: u32, first: Duration, max: Duration) -> Self {
        let delays = ExponentialBuilder::default()
            .with_min_delay(first)
            .with_max_delay(max)
            .with_max_times(attempts.saturating_sub(1) as usize)
            .with_jitter()
            .build();
        Self { delays, max }
    }
}

impl Iterator for Backoff {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        // backon adds the jitter after it has applied the maximum.
        self.delays.next().map(|delay| delay.min(self.max))
    }
}

/// The policy of token requests: timeouts, attempts and backoff.
///
/// ```
/// use std::time::Duration;
/// use perenso_auth::TokenPolicy;
///
/// let slow_server = TokenPolicy::default()
///     .attempt(Duration::from_secs(30))
///     .total(Duration::from_secs(90));
/// assert_eq!(slow_server.attempts, 4);
/// ```
#[doc(alias("refresh token"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenPolicy {
    /// The timeout of one token request, until its response is read.
    pub attempt: Duration,
    /// The timeout of all attempts of an original grant and the waits between them.
    pub total: Duration,
    /// The maximum number of attempts of an original grant. A refresh is tried once.
    pub attempts: u32,
    /// The first backoff between attempts. It doubles with each further one.
    pub first_backoff: Duration,
    /// The maximum backoff. A `Retry-After` may be longer.
    pub max_backoff: Duration,
}

impl Default for TokenPolicy {
    /// 10 s for an attempt, 4 attempts in 30 s, backoff from 200 ms to 5 s.
    fn default() -> Self {
        Self {
            attempt: Duration::from_secs(10),
            total: Duration::from_secs(30),
            attempts: 4,
            first_backoff: Duration::from_millis(200),
            max_backoff: Duration::from_secs(5),
        }
    }
}

impl TokenPolicy {
    pub(crate) fn delays(&self) -> Backoff {
        Backoff::new(self.attempts, self.first_backoff, self.max_backoff)
    }

    /// Returns the maximum duration of an exchange: a refresh in one attempt and an original grant. If the grant needs a
    /// person: two refreshes, or a refresh and a code, each with the timeout of an original grant.
    pub(crate) fn longest(&self) -> Duration {
        self.attempt.saturating_add(self.total.saturating_mul(2))
    }

    /// Sets the timeout of one token request.
    #[must_use]
    pub fn attempt(mut self, limit: Duration) -> Self {
        self.attempt = limit;
        self
    }

    /// Sets the timeout of all attempts of an original grant.
    #[must_use]
    pub fn total(mut self, limit: Duration) -> Self {
        self.total = limit;
        self
    }

    /// Sets the maximum number of attempts of an original grant. Zero counts as one.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// Sets the first and the maximum backoff.
    #[must_use]
    pub fn backoff(mut self, first: Duration, max: Duration) -> Self {
        self.first_backoff = first;
        self.max_backoff = max;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_grows_up_to_the_maximum_and_differs_between_callers() {
        let policy = RetryPolicy::default().attempts(7).backoff(Duration::from_millis(100), Duration::from_secs(1));
        let all: Vec<Vec<Duration>> = (0..20).map(|_| policy.delays().collect()).collect();
        assert!(all.iter().all(|delays| delays.len() == 6));
        assert!(all.iter().flatten().all(|delay| *delay <= Duration::from_secs(1)));
        assert!(all.iter().all(|delays| delays[0] < delays[2] && delays[5] == Duration::from_secs(1)), "{all:?}");
        assert!(all.iter().any(|delays| delays[0] != all[0][0]), "no jitter: a fleet would retry in step");
        let tokens = TokenPolicy::default().attempts(3).backoff(Duration::from_millis(100), Duration::from_millis(150));
        assert!(tokens.delays().all(|delay| delay <= Duration::from_millis(150)));
        assert_eq!(tokens.delays().count(), 2);
    }
}
