//! The refresh tokens that a process has used, kept independently of the store.

use std::collections::VecDeque;

use crate::{
    clock::Now,
    oauth::{
        credentials::{Credentials, GrantCredentials},
        exchange::Outcome,
    },
    secret::Secret,
    store::{
        StoredAccessToken, StoredRefreshToken, StoredTokens,
        identity::{Identity, fingerprint},
    },
};

/// The number of used-up refresh tokens that are remembered.
const REMEMBERED: usize = 64;

/// The refresh token of one identity, and those that are used up.
#[derive(Clone, Debug, Default)]
pub(crate) struct RefreshTokenHistory {
    /// The key of the identity.
    identity_key: String,
    refresh_token: Option<(Secret, Option<Now>)>,
    /// The fingerprint of the code or refresh token in the credentials, once it is used up.
    spent: Option<String>,
    /// The fingerprints of refresh tokens and codes that were exchanged, refused or replaced, oldest first. A store may still
    /// hold one of them after a lost write or from a backup.
    used_up: VecDeque<String>,
}

impl RefreshTokenHistory {
    /// Returns the history if it belongs to this identity, otherwise an empty one.
    pub(crate) fn for_identity(self, identity: &Identity) -> Self {
        if self.belongs_to(identity) {
            self
        } else {
            Self { identity_key: identity.key().to_owned(), ..Self::default() }
        }
    }

    pub(crate) fn belongs_to(&self, identity: &Identity) -> bool {
        self.identity_key == identity.key()
    }

    /// Takes over the refresh token of the store, unless it is known to be used up.
    pub(crate) fn merged_with(mut self, stored: Option<&StoredTokens>, now: Now) -> Self {
        let Some(stored) = stored else { return self };
        let refresh_token = stored.refresh_token.as_ref();
        let refresh_token = refresh_token.filter(|refresh| !self.used_up.contains(&fingerprint(&refresh.token)));
        if let Some(spent) = &stored.spent {
            self.use_up(spent.clone());
            self.spent.get_or_insert_with(|| spent.clone());
        }
        // A server may issue the refresh token of the credentials again, so it is set after `spent`.
        if let Some(StoredRefreshToken { token, expires_in }) = refresh_token {
            self.set_refresh_token(token.clone(), expires_in.map(|left| now.plus(left)));
        }
        self
    }

    /// Records the outcome of an exchange with these credentials and this refresh token.
    pub(crate) fn record(&mut self, outcome: &Outcome, refresh_token: Option<&Secret>, credentials: &Credentials) {
        if let Some(sent) = refresh_token.filter(|_| outcome.refresh_token_is_spent) {
            let sent = fingerprint(sent);
            if credentials.once_only().as_ref() == Some(&sent) {
                self.spent = Some(sent.clone());
            }
            self.use_up(sent);
            self.refresh_token = None;
        }
        if outcome.grant_is_spent {
            self.spent = credentials.once_only();
        }
        if let Ok(granted) = &outcome.result
            && let Some(token) = &granted.refresh_token
        {
            self.set_refresh_token(
                token.clone(),
                granted.refresh_expires_in.map(|lifetime| granted.sent.plus(lifetime)),
            );
        }
    }

    /// The refresh token to use: the newest, or else that of the credentials.
    pub(crate) fn refresh_token(&self, credentials: &Credentials) -> Option<Secret> {
        let own = match &credentials.grant {
            GrantCredentials::RefreshToken(token) if !self.is_spent(credentials) => Some(token.clone()),
            _ => None,
        };
        self.refresh_token.as_ref().map(|(token, _)| token.clone()).or(own)
    }

    /// Returns true if the code or refresh token of the credentials is used up.
    pub(crate) fn is_spent(&self, credentials: &Credentials) -> bool {
        let is_used_up = |brought: &String| self.spent.as_ref() == Some(brought) || self.used_up.contains(brought);
        credentials.once_only().as_ref().is_some_and(is_used_up)
    }

    /// Returns true if the store holds a refresh token of another process.
    pub(crate) fn is_older_than(&self, stored: &StoredTokens) -> bool {
        stored.refresh_token.as_ref().is_some_and(|stored| {
            let stored = fingerprint(&stored.token);
            let is_own = self.refresh_token.as_ref().is_some_and(|(token, _)| fingerprint(token) == stored);
            !is_own && !self.used_up.contains(&stored)
        })
    }

    /// Returns the tokens to store.
    pub(crate) fn stored(&self, access_token: Option<StoredAccessToken>, now: Now) -> StoredTokens {
        let refresh_token = self
            .refresh_token
            .as_ref()
            .map(|(token, ends)| StoredRefreshToken::new(token.clone(), ends.map(|ends| now.until(ends))));
        StoredTokens { access_token, refresh_token, spent: self.spent.clone() }
    }

    /// Replaces the refresh token. The former one is used up unless it is the same.
    fn set_refresh_token(&mut self, token: Secret, ends: Option<Now>) {
        let held = fingerprint(&token);
        if let Some((before, _)) = self.refresh_token.replace((token, ends)) {
            self.use_up(fingerprint(&before));
        }
        // A token that is issued again is valid again.
        self.used_up.retain(|other| *other != held);
    }

    fn use_up(&mut self, fingerprint: String) {
        if !self.used_up.contains(&fingerprint) {
            self.used_up.push_back(fingerprint);
        }
        if self.used_up.len() > REMEMBERED {
            self.used_up.pop_front();
        }
    }
}
