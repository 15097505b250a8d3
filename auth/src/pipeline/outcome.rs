//! The classification of attempts, without effects.

use std::time::Duration;

use http::StatusCode;

use super::options::Idempotency;

/// The outcome of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AttemptOutcome {
    Responded(StatusCode),
    /// No connection was made. Nothing was sent.
    NotConnected,
    /// No connection was made, and another attempt would fail in the same way.
    NotConnectable,
    /// The connection broke after it was made. The request may have been processed.
    Broken,
    /// The attempt timed out. The request may have been processed.
    TimedOut,
}

/// The decision after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RetryDecision {
    /// Return the response.
    Done,
    /// The token was refused: replay with another.
    Reauthorise,
    /// Retry if the policy has an attempt left.
    Retry,
    /// Return the error.
    Fail,
}

impl AttemptOutcome {
    pub(crate) fn decide(self, idempotency: Idempotency) -> RetryDecision {
        let if_repeatable =
            if idempotency == Idempotency::NotRepeatable { RetryDecision::Fail } else { RetryDecision::Retry };
        match self {
            Self::Responded(status) if status.is_success() => RetryDecision::Done,
            Self::Responded(StatusCode::UNAUTHORIZED) => RetryDecision::Reauthorise,
            Self::Responded(StatusCode::TOO_MANY_REQUESTS) | Self::NotConnected => RetryDecision::Retry,
            Self::Responded(status) if is_transient(status) => if_repeatable,
            Self::Responded(_) | Self::NotConnectable => RetryDecision::Fail,
            Self::Broken | Self::TimedOut => if_repeatable,
        }
    }

    /// Returns true if a write may have been carried out.
    pub(crate) fn may_have_written(self, idempotency: Idempotency) -> bool {
        let processed = match self {
            Self::NotConnected | Self::NotConnectable => false,
            Self::Broken | Self::TimedOut => true,
            Self::Responded(status) => {
                // A redirect after a POST often points to the result.
                let is_done = status.is_success() || status.is_redirection();
                is_done || status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT
            }
        };
        processed && idempotency != Idempotency::Safe
    }
}

/// Returns true if this status shows that the API accepted the token. A 429 or a redirect may be sent by a proxy.
pub(crate) fn proves_the_token(status: StatusCode) -> bool {
    let of_the_request = [
        StatusCode::FORBIDDEN,
        StatusCode::NOT_FOUND,
        StatusCode::CONFLICT,
        StatusCode::GONE,
        StatusCode::UNPROCESSABLE_ENTITY,
    ];
    status.is_success() || of_the_request.contains(&status)
}

/// Returns true for statuses of transient failures.
fn is_transient(status: StatusCode) -> bool {
    let is_permanent = matches!(status, StatusCode::NOT_IMPLEMENTED | StatusCode::HTTP_VERSION_NOT_SUPPORTED);
    (status.is_server_error() && !is_permanent) || status == StatusCode::REQUEST_TIMEOUT
}

/// Returns the delay before the next attempt: `Retry-After`, but at least the backoff. Returns `None` if `Retry-After` exceeds
/// the maximum.
pub(crate) fn retry_delay(backoff: Duration, asked: Option<Duration>, max_retry_after: Duration) -> Option<Duration> {
    match asked {
        Some(asked) if asked > max_retry_after => None,
        Some(asked) => Some(asked.max(backoff)),
        None => Some(backoff),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn responded(status: u16) -> AttemptOutcome {
        AttemptOutcome::Responded(StatusCode::from_u16(status).unwrap())
    }

    #[test]
    fn the_decision_after_each_outcome() {
        use RetryDecision::{Done, Fail, Reauthorise, Retry};
        for (outcome, safe, idempotent, not_repeatable) in [
            (responded(200), Done, Done, Done),
            (responded(204), Done, Done, Done),
            (responded(301), Fail, Fail, Fail),
            (responded(304), Fail, Fail, Fail),
            (responded(400), Fail, Fail, Fail),
            (responded(401), Reauthorise, Reauthorise, Reauthorise),
            (responded(403), Fail, Fail, Fail),
            (responded(404), Fail, Fail, Fail),
            (responded(408), Retry, Retry, Fail),
            (responded(422), Fail, Fail, Fail),
            (responded(429), Retry, Retry, Retry),
            (responded(500), Retry, Retry, Fail),
            (responded(501), Fail, Fail, Fail),
            (responded(503), Retry, Retry, Fail),
            (AttemptOutcome::NotConnected, Retry, Retry, Retry),
            (AttemptOutcome::NotConnectable, Fail, Fail, Fail),
            (AttemptOutcome::Broken, Retry, Retry, Fail),
            (AttemptOutcome::TimedOut, Retry, Retry, Fail),
        ] {
            assert_eq!(outcome.decide(Idempotency::Safe), safe, "{outcome:?}");
            assert_eq!(outcome.decide(Idempotency::Idempotent), idempotent, "{outcome:?}");
            assert_eq!(outcome.decide(Idempotency::NotRepeatable), not_repeatable, "{outcome:?}");
        }
    }

    #[test]
    fn a_write_may_have_happened_unless_the_outcome_rules_it_out() {
        for (outcome, perhaps) in [
            (responded(422), false),
            (responded(429), false),
            (AttemptOutcome::NotConnected, false),
            (AttemptOutcome::NotConnectable, false),
            (responded(500), true),
            (responded(200), true),
            (AttemptOutcome::Broken, true),
            (AttemptOutcome::TimedOut, true),
        ] {
            assert_eq!(outcome.may_have_written(Idempotency::NotRepeatable), perhaps, "{outcome:?}");
            assert_eq!(outcome.may_have_written(Idempotency::Idempotent), perhaps, "{outcome:?}");
            assert!(!outcome.may_have_written(Idempotency::Safe), "{outcome:?}");
        }
    }

    #[test]
    fn retry_after_is_used_between_the_backoff_and_the_maximum() {
        let (short, long, limit) = (Duration::from_secs(1), Duration::from_secs(60), Duration::from_secs(90));
        assert_eq!(retry_delay(short, None, limit), Some(short));
        assert_eq!(retry_delay(short, Some(long), limit), Some(long));
        assert_eq!(retry_delay(short, Some(Duration::ZERO), limit), Some(short));
        assert_eq!(retry_delay(short, Some(Duration::from_secs(91)), limit), None);
    }
}
