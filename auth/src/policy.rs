//! How often things are tried: plain values with defaults that say why.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

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
