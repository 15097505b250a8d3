//! The ledger: which tokens were handed out, from which grant, and until when.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::clock::after;

/// What becomes of a refresh token that is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Rotation {
    /// The answer holds a new one, and the old one dies.
    Replace,
    /// The answer holds a new one, and the old one goes on.
    Add,
    /// The answer holds the same one again.
    Repeat,
    /// The answer holds none, and the old one goes on.
    Omit,
}

/// On which terms tokens are handed out.
pub(crate) struct Terms {
    pub(crate) token_lifetime: Duration,
    /// `None`: until it is used or revoked.
    pub(crate) refresh_token_lifetime: Option<Duration>,
    pub(crate) rotation: Rotation,
    pub(crate) detect_reuse: bool,
    pub(crate) one_live_token: bool,
}

/// How many refresh tokens are remembered, so that a process that runs for weeks does not grow.
const MOST_REFRESH_TOKENS: usize = 10_000;

/// All tokens that descend from one grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Family(u64);

struct Token {
    family: Family,
    expiry: DateTime<Utc>,
    is_used: bool,
}

#[derive(Default)]
pub(crate) struct Ledger {
    /// What every token of this ledger begins with.
    tag: String,
    access: HashMap<String, Token>,
    refresh: HashMap<String, Token>,
    families: u64,
}

impl Ledger {
    /// A ledger whose tokens can be told from those of other ledgers, also when they are long dead.
    pub(crate) fn tagged(tag: &str) -> Self {
        Self { tag: tag.to_owned(), ..Self::default() }
    }

    pub(crate) fn is_live(&self, access_token: &str, now: DateTime<Utc>) -> bool {
        self.access.get(access_token).is_some_and(|token| now < token.expiry)
    }

    /// The family of a new grant.
    pub(crate) fn found(&mut self) -> Family {
        self.families += 1;
        Family(self.families)
    }

    pub(crate) fn issue(&mut self, family: Family, terms: &Terms, now: DateTime<Utc>) -> String {
        if terms.one_live_token {
            self.access.clear();
        }
        self.access.retain(|_, token| now < token.expiry);
        let text = format!("{}{}", self.tag, letters(48));
        let expiry = after(now, terms.token_lifetime);
        self.access.insert(text.clone(), Token { family, expiry, is_used: false });
        text
    }

    pub(crate) fn issue_refresh(&mut self, family: Family, terms: &Terms, now: DateTime<Utc>) -> String {
        self.refresh.retain(|_, token| now < token.expiry);
        if self.refresh.len() >= MOST_REFRESH_TOKENS {
            // Nobody comes back for that many: the oldest families go first.
            let oldest = self.refresh.values().map(|token| token.family).min();
            self.refresh.retain(|_, token| Some(token.family) != oldest || token.family == family);
        }
        let text = format!("{}{}", self.tag, secret());
        let expiry = terms.refresh_token_lifetime.map_or(DateTime::<Utc>::MAX_UTC, |lifetime| after(now, lifetime));
        self.refresh.insert(text.clone(), Token { family, expiry, is_used: false });
        text
    }

    /// Uses a refresh token: gives its family, and the refresh token that the answer holds. `None` when it is no good.
    pub(crate) fn refresh(
        &mut self,
        given: &str,
        terms: &Terms,
        now: DateTime<Utc>,
    ) -> Option<(Family, Option<String>)> {
        let token = self.refresh.get_mut(given)?;
        let family = token.family;
        if token.is_used {
            if terms.detect_reuse {
                self.end(family);
            }
            return None;
        }
        if token.expiry <= now {
            return None;
        }
        token.is_used = terms.rotation == Rotation::Replace;
        let next = match terms.rotation {
            Rotation::Replace | Rotation::Add => Some(self.issue_refresh(family, terms, now)),
            Rotation::Repeat => Some(given.to_owned()),
            Rotation::Omit => None,
        };
        Some((family, next))
    }

    /// Ends every token of a family.
    pub(crate) fn end(&mut self, family: Family) {
        self.access.retain(|_, token| token.family != family);
        self.refresh.retain(|_, token| token.family != family);
    }

    pub(crate) fn revoke_access(&mut self) {
        self.access.clear();
    }

    pub(crate) fn revoke_refresh(&mut self) {
        self.refresh.clear();
    }
}

/// A made-up secret that holds, as Perenso's do, what has to be encoded in a form: `+`, `/` and `=`.
pub(crate) fn secret() -> String {
    format!("{}+{}/{}=", letters(14), letters(14), letters(14))
}

/// So many random letters and digits.
pub(crate) fn letters(count: usize) -> String {
    std::iter::repeat_with(fastrand::alphanumeric).take(count).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::behavior::Behavior;

    #[test]
    fn refresh_tokens_of_weeks_do_not_pile_up() {
        let mut ledger = Ledger::default();
        let terms = Behavior::default().terms();
        let mut grant = || {
            let family = ledger.found();
            ledger.issue_refresh(family, &terms, DateTime::UNIX_EPOCH)
        };
        let first = grant();
        let last = (0..MOST_REFRESH_TOKENS).map(|_| grant()).last().unwrap();
        assert_eq!(ledger.refresh.len(), MOST_REFRESH_TOKENS);
        assert!(ledger.refresh(&first, &terms, DateTime::UNIX_EPOCH).is_none());
        assert!(ledger.refresh(&last, &terms, DateTime::UNIX_EPOCH).is_some());
    }
}
