//! What the end of an attempt means for the call: a pure classification, no effects.

use std::time::Duration;

use http::StatusCode;

use super::options::Idempotency;

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AttemptOutcome {
    Answered(StatusCode),
    /// No connection was made: nothing was sent.
    NotConnected,
    /// No connection was made, and another attempt would fail in the same way.
    NotConnectable,
    /// The connection broke after it was made: nobody knows.
    Broken,
    /// Nothing came in time: nobody knows.
    TimedOut,
}

/// What follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RetryDecision {
    /// An answer to hand on.
    Done,
    /// The token was refused.
    Reauthorise,
    /// Worth another attempt, if the policy has one left.
    Again,
    /// Not worth another attempt, or not allowed one.
    Fail,
}

impl AttemptOutcome {
    pub(crate) fn next(self, idempotency: Idempotency) -> RetryDecision {
        let unless_once =
            if idempotency == Idempotency::NotRepeatable { RetryDecision::Fail } else { RetryDecision::Again };
        match self {
            Self::Answered(status) if status.is_success() => RetryDecision::Done,
            Self::Answered(StatusCode::UNAUTHORIZED) => RetryDecision::Reauthorise,
            Self::Answered(StatusCode::TOO_MANY_REQUESTS) | Self::NotConnected => RetryDecision::Again,
            Self::Answered(status) if is_passing(status) => unless_once,
            Self::Answered(_) | Self::NotConnectable => RetryDecision::Fail,
            Self::Broken | Self::TimedOut => unless_once,
        }
    }

    /// Whether a write may have been carried out all the same.
    pub(crate) fn may_have_written(self, idempotency: Idempotency) -> bool {
        let processed = match self {
            Self::NotConnected | Self::NotConnectable => false,
            Self::Broken | Self::TimedOut => true,
            Self::Answered(status) => {
                // A redirect after a POST says, as often as not, where the result is to be seen.
                let is_done = status.is_success() || status.is_redirection();
                is_done || status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT
            }
        };
        processed && idempotency != Idempotency::Safe
    }
}

/// Whether this answer shows that the API took the token: it looked at the request itself. A 429 or a redirect may come
/// from somebody who stands before it.
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

/// Statuses that say something about the moment, not about the request.
fn is_passing(status: StatusCode) -> bool {
    let for_ever = matches!(status, StatusCode::NOT_IMPLEMENTED | StatusCode::HTTP_VERSION_NOT_SUPPORTED);
    (status.is_server_error() && !for_ever) || status == StatusCode::REQUEST_TIMEOUT
}

/// The pause before the next attempt: what the server asks for, at least the policy's own. `None` when the server asks
/// for more than the policy bears.
pub(crate) fn pause(backoff: Duration, asked: Option<Duration>, longest_asked: Duration) -> Option<Duration> {
    match asked {
        Some(asked) if asked > longest_asked => None,
        Some(asked) => Some(asked.max(backoff)),
        None => Some(backoff),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16) -> AttemptOutcome {
        AttemptOutcome::Answered(StatusCode::from_u16(status).unwrap())
    }

    #[test]
    fn the_table_of_endings() {
        use RetryDecision::{Again, Done, Fail, Reauthorise};
        for (ending, safe, keyed, once) in [
            (answered(200), Done, Done, Done),
            (answered(204), Done, Done, Done),
            (answered(301), Fail, Fail, Fail),
            (answered(304), Fail, Fail, Fail),
            (answered(400), Fail, Fail, Fail),
            (answered(401), Reauthorise, Reauthorise, Reauthorise),
            (answered(403), Fail, Fail, Fail),
            (answered(404), Fail, Fail, Fail),
            (answered(408), Again, Again, Fail),
            (answered(422), Fail, Fail, Fail),
            (answered(429), Again, Again, Again),
            (answered(500), Again, Again, Fail),
            (answered(501), Fail, Fail, Fail),
            (answered(503), Again, Again, Fail),
            (AttemptOutcome::NotConnected, Again, Again, Again),
            (AttemptOutcome::NotConnectable, Fail, Fail, Fail),
            (AttemptOutcome::Broken, Again, Again, Fail),
            (AttemptOutcome::TimedOut, Again, Again, Fail),
        ] {
            assert_eq!(ending.next(Idempotency::Safe), safe, "{ending:?}");
            assert_eq!(ending.next(Idempotency::Idempotent), keyed, "{ending:?}");
            assert_eq!(ending.next(Idempotency::NotRepeatable), once, "{ending:?}");
        }
    }

    #[test]
    fn a_write_may_have_happened_unless_the_answer_or_its_absence_rules_it_out() {
        for (ending, perhaps) in [
            (answered(422), false),
            (answered(429), false),
            (AttemptOutcome::NotConnected, false),
            (AttemptOutcome::NotConnectable, false),
            (answered(500), true),
            (answered(200), true),
            (AttemptOutcome::Broken, true),
            (AttemptOutcome::TimedOut, true),
        ] {
            assert_eq!(ending.may_have_written(Idempotency::NotRepeatable), perhaps, "{ending:?}");
            assert_eq!(ending.may_have_written(Idempotency::Idempotent), perhaps, "{ending:?}");
            assert!(!ending.may_have_written(Idempotency::Safe), "{ending:?}");
        }
    }

    #[test]
    fn the_server_decides_on_the_pause_within_bounds() {
        let (short, long, limit) = (Duration::from_secs(1), Duration::from_secs(60), Duration::from_secs(90));
        assert_eq!(pause(short, None, limit), Some(short));
        assert_eq!(pause(short, Some(long), limit), Some(long));
        assert_eq!(pause(short, Some(Duration::ZERO), limit), Some(short));
        assert_eq!(pause(short, Some(Duration::from_secs(91)), limit), None);
    }
}
