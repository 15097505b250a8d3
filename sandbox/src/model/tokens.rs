//! Issued tokens: their grant, their expiry, and whether they were used.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::timestamp::saturating_add;

/// The effect of a refresh on the refresh token that it uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Rotation {
    /// The response holds a new one, and the old one expires.
    Replace,
    /// The response holds a new one, and the old one stays valid.
    Add,
    /// The response holds the same one again.
    Repeat,
    /// The response holds none, and the old one stays valid.
    Omit,
}

/// The terms on which tokens are issued.
pub(crate) struct TokenTerms {
    pub(crate) token_lifetime: Duration,
    /// `None`: valid until it is used or revoked.
    pub(crate) refresh_token_lifetime: Option<Duration>,
    pub(crate) rotation: Rotation,
    pub(crate) detect_reuse: bool,
    pub(crate) one_live_token: bool,
}

/// The limit of refresh tokens, so that the memory of a long-lived process does not grow.
const MAX_REFRESH_TOKENS: usize = 10_000;

/// All tokens that descend from one grant (RFC 9700, section 4.14.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TokenFamily(u64);

struct Token {
    family: TokenFamily,
    expiry: DateTime<Utc>,
    is_used: bool,
}

#[derive(Default)]
pub(crate) struct IssuedTokens {
    /// The prefix of every token.
    prefix: String,
    access: HashMap<String, Token>,
    refresh: HashMap<String, Token>,
    families: u64,
}

impl IssuedTokens {
    /// Issues tokens with this prefix, which tells the tokens of several shows apart even after they expired.
    pub(crate) fn with_prefix(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), ..Self::default() }
    }

    pub(crate) fn is_live(&self, access_token: &str, now: DateTime<Utc>) -> bool {
        self.access.get(access_token).is_some_and(|token| now < token.expiry)
    }

    /// Starts the token family of a new grant.
    pub(crate) fn new_family(&mut self) -> TokenFamily {
        self.families += 1;
        TokenFamily(self.families)
    }

    pub(crate) fn issue_access(&mut self, family: TokenFamily, terms: &TokenTerms, now: DateTime<Utc>) -> String {
        if terms.one_live_token {
            self.access.clear();
        }
        self.access.retain(|_, token| now < token.expiry);
        let text = format!("{}{}", self.prefix, random_letters(48));
        let expiry = saturating_add(now, terms.token_lifetime);
        self.access.insert(text.clone(), Token { family, expiry, is_used: false });
        text
    }

    pub(crate) fn issue_refresh(&mut self, family: TokenFamily, terms: &TokenTerms, now: DateTime<Utc>) -> String {
        self.refresh.retain(|_, token| now < token.expiry);
        if self.refresh.len() >= MAX_REFRESH_TOKENS {
            // The oldest families are forgotten first.
            let oldest = self.refresh.values().map(|token| token.family).min();
            self.refresh.retain(|_, token| Some(token.family) != oldest || token.family == family);
        }
        let text = format!("{}{}", self.prefix, random_secret());
        let expiry =
            terms.refresh_token_lifetime.map_or(DateTime::<Utc>::MAX_UTC, |lifetime| saturating_add(now, lifetime));
        self.refresh.insert(text.clone(), Token { family, expiry, is_used: false });
        text
    }

    /// Uses a refresh token. Returns its family and the refresh token of the response, or `None` if it is not valid.
    pub(crate) fn refresh(
        &mut self,
        given: &str,
        terms: &TokenTerms,
        now: DateTime<Utc>,
    ) -> Option<(TokenFamily, Option<String>)> {
        let token = self.refresh.get_mut(given)?;
        let family = token.family;
        if token.is_used {
            if terms.detect_reuse {
                self.revoke_family(family);
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

    /// Revokes every token of a family.
    pub(crate) fn revoke_family(&mut self, family: TokenFamily) {
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

/// Returns a random secret. As Perenso's do, it contains `+`, `/` and `=`, which a form has to encode.
pub(crate) fn random_secret() -> String {
    format!("{}+{}/{}=", random_letters(14), random_letters(14), random_letters(14))
}

/// Returns random letters and digits.
pub(crate) fn random_letters(count: usize) -> String {
    std::iter::repeat_with(fastrand::alphanumeric).take(count).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_number_of_refresh_tokens_is_limited() {
        let mut tokens = IssuedTokens::default();
        let terms = TokenTerms {
            token_lifetime: Duration::from_secs(300),
            refresh_token_lifetime: None,
            rotation: Rotation::Replace,
            detect_reuse: false,
            one_live_token: false,
        };
        let mut grant = || {
            let family = tokens.new_family();
            tokens.issue_refresh(family, &terms, DateTime::UNIX_EPOCH)
        };
        let first = grant();
        let last = (0..MAX_REFRESH_TOKENS).map(|_| grant()).last().unwrap();
        assert_eq!(tokens.refresh.len(), MAX_REFRESH_TOKENS);
        assert!(tokens.refresh(&first, &terms, DateTime::UNIX_EPOCH).is_none());
        assert!(tokens.refresh(&last, &terms, DateTime::UNIX_EPOCH).is_some());
    }
}
