//! The rate limit: a sliding window of API calls.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

use chrono::{DateTime, Utc};

use super::behavior::Rate;
use crate::model::timestamp::saturating_add;

/// The times of the calls in the window, by key.
#[derive(Debug, Default)]
pub(crate) struct RateLimiter {
    keys: HashMap<RateKey, VecDeque<DateTime<Utc>>>,
}

/// The calls that are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum RateKey {
    Show,
    Token(String),
    Address(Option<IpAddr>),
}

/// The state of a key after a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RateStatus {
    /// When the next call is allowed, if this one was rejected.
    pub(crate) rejected_until: Option<DateTime<Utc>>,
    pub(crate) remaining: usize,
    /// When all calls so far have left the window.
    pub(crate) reset: DateTime<Utc>,
}

impl RateLimiter {
    /// Counts one call. A rejected call counts only if `counts_rejected` is set.
    pub(crate) fn check(&mut self, key: RateKey, rate: Rate, counts_rejected: bool, now: DateTime<Utc>) -> RateStatus {
        let requests = rate.requests as usize;
        // Unused keys are forgotten, since tokens come and go.
        self.keys.retain(|_, calls| calls.back().is_some_and(|call| saturating_add(*call, rate.per) > now));
        let calls = self.keys.entry(key).or_default();
        while calls.front().is_some_and(|call| saturating_add(*call, rate.per) <= now) {
            calls.pop_front();
        }
        let is_rejected = calls.len() >= requests;
        if !is_rejected || counts_rejected {
            calls.push_back(now);
        }
        // There may be more calls than the limit, if it was lowered or rejected calls count. All but the last few have to
        // leave the window first.
        let blocking = calls.len().saturating_sub(requests);
        let free = calls.get(blocking).map_or(now, |call| saturating_add(*call, rate.per));
        RateStatus {
            rejected_until: is_rejected.then_some(free),
            remaining: requests.saturating_sub(calls.len()),
            reset: calls.back().map_or(now, |call| saturating_add(*call, rate.per)),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn second(n: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(n)
    }

    fn rate(requests: u32) -> Rate {
        Rate::new(requests, std::time::Duration::from_secs(10))
    }

    #[test]
    fn a_lowered_limit_counts_the_calls_so_far() {
        let mut rate_limiter = RateLimiter::default();
        let mut spend = |limit, now| rate_limiter.check(RateKey::Show, rate(limit), false, second(now)).rejected_until;
        for n in 0..4 {
            assert_eq!(spend(4, n), None);
        }
        assert_eq!(spend(4, 5), Some(second(10)));
        assert_eq!(spend(2, 5), Some(second(12)));
        assert_eq!(spend(2, 12), None);
    }

    #[test]
    fn rejected_calls_that_count_keep_a_client_out() {
        for (counts, free) in [(false, second(10)), (true, second(19))] {
            let mut rate_limiter = RateLimiter::default();
            for n in 0..10 {
                let status = rate_limiter.check(RateKey::Show, rate(1), counts, second(n));
                assert_eq!(status.rejected_until.is_some(), n > 0);
            }
            let status = rate_limiter.check(RateKey::Show, rate(1), false, second(9));
            assert_eq!(status.rejected_until, Some(free));
        }
    }

    #[test]
    fn keys_without_calls_in_the_window_are_forgotten() {
        let mut rate_limiter = RateLimiter::default();
        for n in 0..100 {
            rate_limiter.check(RateKey::Token(n.to_string()), rate(5), false, second(n));
        }
        assert_eq!(rate_limiter.keys.len(), 10);
    }

    #[test]
    fn a_status_has_the_remaining_calls_and_the_reset() {
        let mut rate_limiter = RateLimiter::default();
        rate_limiter.check(RateKey::Show, rate(3), false, second(1));
        let status = rate_limiter.check(RateKey::Show, rate(3), false, second(4));
        assert_eq!(status, RateStatus { rejected_until: None, remaining: 1, reset: second(14) });
    }

    #[test]
    fn addresses_have_separate_keys() {
        let mut rate_limiter = RateLimiter::default();
        let address = |last| RateKey::Address(Some(IpAddr::from([127, 0, 0, last])));
        let mut is_rejected = |key| rate_limiter.check(key, rate(1), false, second(0)).rejected_until.is_some();
        assert!(!is_rejected(address(1)));
        assert!(!is_rejected(address(2)));
        assert!(is_rejected(address(1)));
    }
}
