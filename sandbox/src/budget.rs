//! The rate budget: how many API calls may be made in a stretch of time.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State as Context};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, TimeDelta, Utc};

use crate::answer::Refusal;
use crate::bearer;
use crate::behavior::{Rate, RateHeaders, RatePer, RetryAfter};
use crate::clock::{after, http_date};
use crate::show::Show;
use crate::state::State;

/// The moments of the calls that still count, by whose calls they are.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    accounts: HashMap<Account, VecDeque<DateTime<Utc>>>,
}

/// Whose calls are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Account {
    Show,
    Token(String),
    Address(Option<IpAddr>),
}

/// Where a request came from: an extension of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// How an account stands after a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Balance {
    /// When the next call is free, if this one was refused.
    pub(crate) refused_until: Option<DateTime<Utc>>,
    pub(crate) remaining: usize,
    /// When nothing that was made so far counts any more.
    pub(crate) reset: DateTime<Utc>,
}

impl Budget {
    /// Spends one call. One that is refused only counts where that is wanted.
    pub(crate) fn spend(&mut self, account: Account, rate: Rate, counts_refused: bool, now: DateTime<Utc>) -> Balance {
        let requests = rate.requests as usize;
        // Accounts that are not used any more are forgotten, as tokens come and go.
        self.accounts.retain(|_, calls| calls.back().is_some_and(|call| after(*call, rate.per) > now));
        let calls = self.accounts.entry(account).or_default();
        while calls.front().is_some_and(|call| after(*call, rate.per) <= now) {
            calls.pop_front();
        }
        let is_refused = calls.len() >= requests;
        if !is_refused || counts_refused {
            calls.push_back(now);
        }
        // After the limit was lowered, or when refused calls count, more calls than it may stand here, and all but the
        // last few must go first.
        let blocking = calls.len().saturating_sub(requests);
        let free = calls.get(blocking).map_or(now, |call| after(*call, rate.per));
        Balance {
            refused_until: is_refused.then_some(free),
            remaining: requests.saturating_sub(calls.len()),
            reset: calls.back().map_or(now, |call| after(*call, rate.per)),
        }
    }
}

pub(crate) async fn check(Context(show): Context<Arc<Show>>, request: Request, next: Next) -> Response {
    let now = show.clock().now();
    let spent = {
        let State { budget, behavior, .. } = &mut *show.state();
        behavior.rate.map(|rate| {
            let account = account(&request, behavior.rate_per);
            let balance = budget.spend(account, rate, behavior.rate_counts_refused, now);
            let refusal = balance.refused_until.map(|free| too_many(now, free, behavior.retry_after));
            (refusal, headers(balance, rate, behavior.rate_headers, now))
        })
    };
    let (refusal, headers) = spent.unwrap_or_default();
    let mut response = match refusal {
        None => next.run(request).await,
        Some(refusal) => refusal.into_response(),
    };
    response.headers_mut().extend(headers);
    response
}

fn account(request: &Request, per: RatePer) -> Account {
    match per {
        RatePer::Show => Account::Show,
        RatePer::Token => Account::Token(bearer::token(request.headers()).unwrap_or_default().to_owned()),
        RatePer::Address => Account::Address(request.extensions().get::<Peer>().map(|peer| peer.0)),
    }
}

fn headers(balance: Balance, rate: Rate, form: RateHeaders, now: DateTime<Utc>) -> Vec<(HeaderName, HeaderValue)> {
    let reset = match form {
        RateHeaders::Missing => return Vec::new(),
        RateHeaders::Seconds => seconds(balance.reset - now),
        RateHeaders::Epoch => balance.reset.timestamp() + i64::from(balance.reset.timestamp_subsec_nanos() > 0),
    };
    vec![
        (HeaderName::from_static("x-ratelimit-limit"), HeaderValue::from(rate.requests)),
        (HeaderName::from_static("x-ratelimit-remaining"), HeaderValue::from(balance.remaining)),
        (HeaderName::from_static("x-ratelimit-reset"), HeaderValue::from(reset)),
    ]
}

/// Whole seconds, rounded up.
fn seconds(time: TimeDelta) -> i64 {
    time.num_seconds() + i64::from(time.subsec_nanos() > 0)
}

fn too_many(now: DateTime<Utc>, free: DateTime<Utc>, retry_after: RetryAfter) -> Refusal {
    let refusal =
        Refusal::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", "the requests for this time are used up");
    let seconds = seconds(free - now).max(1);
    let value = match retry_after {
        RetryAfter::Missing => return refusal,
        RetryAfter::Seconds => HeaderValue::from(seconds),
        RetryAfter::Date => {
            let date = now + TimeDelta::seconds(seconds + 1);
            match http_date(date) {
                Some(value) => value,
                None => return refusal,
            }
        }
    };
    refusal.with_header(RETRY_AFTER, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(n: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(n)
    }

    fn rate(requests: u32) -> Rate {
        Rate::new(requests, std::time::Duration::from_secs(10))
    }

    #[test]
    fn a_lowered_limit_counts_from_the_calls_that_stand() {
        let mut budget = Budget::default();
        let mut spend = |limit, now| budget.spend(Account::Show, rate(limit), false, second(now)).refused_until;
        for n in 0..4 {
            assert_eq!(spend(4, n), None);
        }
        assert_eq!(spend(4, 5), Some(second(10)));
        assert_eq!(spend(2, 5), Some(second(12)));
        assert_eq!(spend(2, 12), None);
    }

    #[test]
    fn refused_calls_that_count_keep_a_client_out() {
        for (counts, free) in [(false, second(10)), (true, second(19))] {
            let mut budget = Budget::default();
            for n in 0..10 {
                let balance = budget.spend(Account::Show, rate(1), counts, second(n));
                assert_eq!(balance.refused_until.is_some(), n > 0);
            }
            let balance = budget.spend(Account::Show, rate(1), false, second(9));
            assert_eq!(balance.refused_until, Some(free));
        }
    }

    #[test]
    fn calls_that_do_not_count_any_more_are_forgotten() {
        let mut budget = Budget::default();
        for n in 0..100 {
            budget.spend(Account::Token(n.to_string()), rate(5), false, second(n));
        }
        assert_eq!(budget.accounts.len(), 10);
    }

    #[test]
    fn an_account_knows_what_is_left_and_when_all_of_it_is_free() {
        let mut budget = Budget::default();
        budget.spend(Account::Show, rate(3), false, second(1));
        let balance = budget.spend(Account::Show, rate(3), false, second(4));
        assert_eq!(balance, Balance { refused_until: None, remaining: 1, reset: second(14) });
    }

    #[test]
    fn a_reset_is_rounded_up() {
        let now = second(100);
        let reset = second(107) + TimeDelta::milliseconds(1);
        let balance = Balance { refused_until: None, remaining: 2, reset };
        for (form, expected) in [(RateHeaders::Seconds, "8"), (RateHeaders::Epoch, "108")] {
            let headers = headers(balance, rate(3), form, now);
            let values: Vec<&[u8]> = headers.iter().map(|(_, value)| value.as_bytes()).collect();
            assert_eq!(values, [b"3", b"2", expected.as_bytes()]);
        }
    }

    #[test]
    fn addresses_are_told_apart() {
        let mut budget = Budget::default();
        let address = |last| Account::Address(Some(IpAddr::from([127, 0, 0, last])));
        let mut is_refused = |account| budget.spend(account, rate(1), false, second(0)).refused_until.is_some();
        assert!(!is_refused(address(1)));
        assert!(!is_refused(address(2)));
        assert!(is_refused(address(1)));
    }
}
