//! The rate budget: how many API calls the show may make in a stretch of time.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::extract::{Request, State as Context};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};

use crate::answer::Refusal;
use crate::behavior::{Rate, RetryAfter};
use crate::clock::after;
use crate::show::Show;

/// The moments of the calls that still count.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    calls: VecDeque<DateTime<Utc>>,
}

impl Budget {
    /// Spends one call, or says when the next one is free.
    pub(crate) fn spend(&mut self, rate: Rate, now: DateTime<Utc>) -> Result<(), DateTime<Utc>> {
        while self.calls.front().is_some_and(|call| after(*call, rate.per) <= now) {
            self.calls.pop_front();
        }
        if self.calls.len() < rate.requests as usize {
            self.calls.push_back(now);
            return Ok(());
        }
        // After the limit was lowered more calls than it may stand here, and all but the last few must go first.
        let blocking = self.calls.len().saturating_sub(rate.requests as usize);
        let call = self.calls.get(blocking).copied().unwrap_or(now);
        Err(after(call, rate.per))
    }
}

pub(crate) async fn check(
    Context(show): Context<Arc<Show>>,
    request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let now = show.clock().now();
    let refused = {
        let mut state = show.state();
        let retry_after = state.behavior.retry_after;
        let spent = state.behavior.rate.map(|rate| state.budget.spend(rate, now));
        spent.and_then(Result::err).map(|free| (free, retry_after))
    };
    match refused {
        None => Ok(next.run(request).await),
        Some((free, retry_after)) => Err(too_many(now, free, retry_after)),
    }
}

fn too_many(now: DateTime<Utc>, free: DateTime<Utc>, retry_after: RetryAfter) -> Refusal {
    let refusal = Refusal::new(
        StatusCode::TOO_MANY_REQUESTS,
        "too_many_requests",
        "the show's requests for this time are used up",
    );
    let wait = free - now;
    let seconds = wait.num_seconds() + i64::from(wait.subsec_nanos() > 0);
    let value = match retry_after {
        RetryAfter::Missing => return refusal,
        RetryAfter::Seconds => HeaderValue::from(seconds.max(1)),
        RetryAfter::Date => {
            let date = now + TimeDelta::seconds(seconds.max(1) + 1);
            let text = date.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
            match HeaderValue::from_str(&text) {
                Ok(value) => value,
                Err(_) => return refusal,
            }
        }
    };
    refusal.with_header(RETRY_AFTER, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lowered_limit_counts_from_the_calls_that_stand() {
        let start = DateTime::<Utc>::UNIX_EPOCH;
        let second = |n| start + TimeDelta::seconds(n);
        let per = std::time::Duration::from_secs(10);
        let mut budget = Budget::default();
        for n in 0..4 {
            assert_eq!(budget.spend(Rate::new(4, per), second(n)), Ok(()));
        }
        assert_eq!(budget.spend(Rate::new(4, per), second(5)), Err(second(10)));
        assert_eq!(budget.spend(Rate::new(2, per), second(5)), Err(second(12)));
        assert_eq!(budget.spend(Rate::new(2, per), second(12)), Ok(()));
    }
}
