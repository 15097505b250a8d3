//! What a process remembers from one renewal to the next, whatever becomes of the store: the refresh token to use, and
//! which ones never to send again.

use std::collections::VecDeque;

use crate::{
    clock::Now,
    oauth::{
        credentials::{Credentials, Proof},
        exchange::Outcome,
    },
    secret::Secret,
    store::{
        StoredAccessToken, StoredRefreshToken, StoredTokens,
        identity::{Identity, fingerprint},
    },
};

/// So many used-up refresh tokens are told from good ones: a store that was set back further has lost more than that.
const REMEMBERED: usize = 64;

/// The refresh token of one identity, and what came before it.
#[derive(Clone, Debug, Default)]
pub(crate) struct RefreshTokenHistory {
    /// The key of the identity.
    whose: String,
    refresh_token: Option<(Secret, Option<Now>)>,
    /// The fingerprint of what the person brought and is used up.
    spent: Option<String>,
    /// The fingerprints of refresh tokens that were exchanged, refused or replaced, and of what others brought and is used
    /// up; the oldest first. A store may hold one of them all the same: a write was lost, or it came back from a backup.
    used_up: VecDeque<String>,
}

impl RefreshTokenHistory {
    /// What is remembered of this identity: nothing, where it was another's.
    pub(crate) fn of(self, identity: &Identity) -> Self {
        if self.is_of(identity) { self } else { Self { whose: identity.key().to_owned(), ..Self::default() } }
    }

    pub(crate) fn is_of(&self, identity: &Identity) -> bool {
        self.whose == identity.key()
    }

    /// What the store holds, over what is remembered, unless that is known to be used up.
    pub(crate) fn and(mut self, stored: Option<&StoredTokens>, now: Now) -> Self {
        let Some(stored) = stored else { return self };
        let refresh_token = stored.refresh_token.as_ref();
        let refresh_token = refresh_token.filter(|refresh| !self.used_up.contains(&fingerprint(&refresh.token)));
        if let Some(spent) = &stored.spent {
            self.use_up(spent.clone());
            self.spent.get_or_insert_with(|| spent.clone());
        }
        // It may be the very one that the person brought, where the server gives that one again.
        if let Some(StoredRefreshToken { token, expires_in }) = refresh_token {
            self.hold(token.clone(), expires_in.map(|left| now.plus(left)));
        }
        self
    }

    /// What came of an exchange with these credentials, in which this refresh token went out.
    pub(crate) fn learn(&mut self, outcome: &Outcome, refresh_token: Option<&Secret>, credentials: &Credentials) {
        if let Some(sent) = refresh_token.filter(|_| outcome.refresh_token_is_spent) {
            let sent = fingerprint(sent);
            if credentials.once_only().as_ref() == Some(&sent) {
                self.spent = Some(sent.clone());
            }
            self.use_up(sent);
            self.refresh_token = None;
        }
        if outcome.proof_is_spent {
            self.spent = credentials.once_only();
        }
        if let Ok(granted) = &outcome.result
            && let Some(token) = &granted.refresh_token
        {
            self.hold(token.clone(), granted.refresh_expires_in.map(|lifetime| granted.sent.plus(lifetime)));
        }
    }

    /// The refresh token to use: the newest one, else the one that the credentials came with.
    pub(crate) fn refresh_token(&self, credentials: &Credentials) -> Option<Secret> {
        let own = match &credentials.proof {
            Proof::RefreshToken(token) if !self.is_spent(credentials) => Some(token.clone()),
            _ => None,
        };
        self.refresh_token.as_ref().map(|(token, _)| token.clone()).or(own)
    }

    /// Whether what the person brought is used up.
    pub(crate) fn is_spent(&self, credentials: &Credentials) -> bool {
        let is_used_up = |brought: &String| self.spent.as_ref() == Some(brought) || self.used_up.contains(brought);
        credentials.once_only().as_ref().is_some_and(is_used_up)
    }

    /// Returns whether the store holds a refresh token that another process brought.
    pub(crate) fn is_older_than(&self, stored: &StoredTokens) -> bool {
        stored.refresh_token.as_ref().is_some_and(|stored| {
            let stored = fingerprint(&stored.token);
            let is_own = self.refresh_token.as_ref().is_some_and(|(token, _)| fingerprint(token) == stored);
            !is_own && !self.used_up.contains(&stored)
        })
    }

    /// What the store is to hold.
    pub(crate) fn stored(&self, access_token: Option<StoredAccessToken>, now: Now) -> StoredTokens {
        let refresh_token = self
            .refresh_token
            .as_ref()
            .map(|(token, ends)| StoredRefreshToken::new(token.clone(), ends.map(|ends| now.until(ends))));
        StoredTokens { access_token, refresh_token, spent: self.spent.clone() }
    }

    /// A refresh token in the place of the one before, which is used up unless it is the same.
    fn hold(&mut self, token: Secret, ends: Option<Now>) {
        let held = fingerprint(&token);
        if let Some((before, _)) = self.refresh_token.replace((token, ends)) {
            self.use_up(fingerprint(&before));
        }
        // One that is given out again is good again.
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
