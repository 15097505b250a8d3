//! The rate limit: a sliding window of API calls.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

use chrono::{DateTime, Utc};

use super::behavior::Rate;
use crate::model::timestamp::saturating_add;

/// The times of the calls in the window, by account.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    accounts: HashMap<Account, VecDeque<DateTime<Utc>>>,
}

/// The calls that are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Account {
    Show,
    Token(String),
    Address(Option<IpAddr>),
}

/// The state of an account after a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Balance {
    /// When the next call is allowed, if this one was rejected.
    pub(crate) rejected_until: Option<DateTime<Utc>>,
    pub(crate) remaining: usize,
    /// When all calls so far have left the window.
    pub(crate) reset: DateTime<Utc>,
}

impl Budget {
    /// Counts one call. A rejected call counts only if `counts_rejected` is set.
    pub(crate) fn spend(&mut self, account: Account, rate: Rate, counts_rejected: bool, now: DateTime<Utc>) -> Balance {
        let requests = rate.requests as usize;
        // Unused accounts are forgotten, since tokens come and go.
        self.accounts.retain(|_, calls| calls.back().is_some_and(|call| saturating_add(*call, rate.per) > now));
        let calls = self.accounts.entry(account).or_default();
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
        Balance {
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
        let mut budget = Budget::default();
        let mut spend = |limit, now| budget.spend(Account::Show, rate(limit), false, second(now)).rejected_until;
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
            let mut budget = Budget::default();
            for n in 0..10 {
                let balance = budget.spend(Account::Show, rate(1), counts, second(n));
                assert_eq!(balance.rejected_until.is_some(), n > 0);
            }
            let balance = budget.spend(Account::Show, rate(1), false, second(9));
            assert_eq!(balance.rejected_until, Some(free));
        }
    }

    #[test]
    fn accounts_without_calls_in_the_window_are_forgotten() {
        let mut budget = Budget::default();
        for n in 0..100 {
            budget.spend(Account::Token(n.to_string()), rate(5), false, second(n));
        }
        assert_eq!(budget.accounts.len(), 10);
    }

    #[test]
    fn a_balance_has_the_remaining_calls_and_the_reset() {
        let mut budget = Budget::default();
        budget.spend(Account::Show, rate(3), false, second(1));
        let balance = budget.spend(Account::Show, rate(3), false, second(4));
        assert_eq!(balance, Balance { rejected_until: None, remaining: 1, reset: second(14) });
    }

    #[test]
    fn addresses_have_separate_accounts() {
        let mut budget = Budget::default();
        let address = |last| Account::Address(Some(IpAddr::from([127, 0, 0, last])));
        let mut is_rejected = |account| budget.spend(account, rate(1), false, second(0)).rejected_until.is_some();
        assert!(!is_rejected(address(1)));
        assert!(!is_rejected(address(2)));
        assert!(is_rejected(address(1)));
    }
}
