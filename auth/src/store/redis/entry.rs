//! The keys and encrypted values of one identity in Redis.

use std::time::Duration;

use zeroize::Zeroizing;

use crate::{
    cipher::{CipherError, ValueCipher},
    secret::Secret,
    store::{StoreError, StoreErrorKind, StoredAccessToken, StoredRefreshToken, StoredTokens, identity::Identity},
};

/// The maximum lifetime in Redis: longer than that of any token, and within its integers.
const MAX_LIFETIME: Duration = Duration::from_secs(100 * 365 * 86_400);

/// A value in Redis and its remaining milliseconds, which are -1 if it does not expire.
pub(super) type Found = (Option<Vec<u8>>, i64);

/// A value to write. `None` deletes it. Without a term it does not expire.
#[derive(Default)]
pub(super) struct Write {
    pub(super) value: Option<Vec<u8>>,
    pub(super) term: Option<u64>,
}

/// The keys of one identity.
#[derive(Debug)]
pub(super) struct Entry {
    cipher: ValueCipher,
    pub(super) lock: String,
    access: String,
    refresh: String,
    spent: String,
}

impl Entry {
    pub(super) fn new(prefix: &str, identity: &Identity, sealing: Option<&Secret>) -> Result<Self, StoreError> {
        let secret = sealing.unwrap_or_else(|| identity.client_secret());
        let cipher = ValueCipher::new(secret, identity.key()).map_err(cannot_encrypt)?;
        // The hash tag in braces keeps the keys of one identity in one slot of a cluster.
        let key = |kind| format!("{prefix}{{{}}}:{}:{kind}", identity.key(), cipher.fingerprint());
        let (lock, access, refresh, spent) = (key("lock"), key("access"), key("refresh"), key("spent"));
        Ok(Self { cipher, lock, access, refresh, spent })
    }

    /// The keys of the values, in the order in which they are read and written.
    pub(super) fn places(&self) -> [&str; 3] {
        [&self.access, &self.refresh, &self.spent]
    }

    /// Decrypts the tokens. A value that cannot be used is left out. If no other value is left, that is an error.
    pub(super) fn read(&self, [access, refresh, spent]: &[Found; 3]) -> Result<Option<StoredTokens>, StoreError> {
        let mut problem = None;
        let tokens = StoredTokens {
            access_token: usable(self.access_token(access), &mut problem),
            refresh_token: usable(self.refresh_token(refresh), &mut problem),
            spent: usable(self.spent(spent), &mut problem),
        };
        let is_empty = tokens.access_token.is_none() && tokens.refresh_token.is_none() && tokens.spent.is_none();
        match problem {
            Some(problem) if is_empty => return Err(problem),
            Some(problem) => {
                tracing::warn!(target: "perenso_auth::store", %problem, "a stored value cannot be used")
            }
            None => {}
        }
        Ok((!is_empty).then_some(tokens))
    }

    /// Encrypts the tokens, in the order of [`places`](Self::places).
    pub(super) fn write(&self, tokens: &StoredTokens) -> Result<[Write; 3], StoreError> {
        let mut writes = [Write::default(), Write::default(), Write::default()];
        let [access, refresh, spent] = &mut writes;
        if let Some(kept) = &tokens.access_token {
            let left = millis(kept.expires_in());
            let lifetime = left.saturating_add(millis(kept.age));
            let value = Zeroizing::new([&lifetime.to_be_bytes(), kept.token.expose().as_bytes()].concat());
            *access = self.sealed(&self.access, &value, Some(left))?;
        }
        if let Some(kept) = &tokens.refresh_token {
            *refresh = self.sealed(&self.refresh, kept.token.expose().as_bytes(), kept.expires_in.map(millis))?;
        }
        if let Some(fingerprint) = &tokens.spent {
            *spent = self.sealed(&self.spent, fingerprint.as_bytes(), None)?;
        }
        Ok(writes)
    }

    fn sealed(&self, place: &str, value: &[u8], term: Option<u64>) -> Result<Write, StoreError> {
        if term == Some(0) {
            return Ok(Write::default());
        }
        Ok(Write { value: Some(self.cipher.encrypt(place, value).map_err(cannot_encrypt)?), term })
    }

    /// Decrypts the access token. Its age is its lifetime less the time that Redis has left for it, so the clocks of the machines
    /// do not matter.
    fn access_token(&self, (value, left): &Found) -> Result<Option<StoredAccessToken>, StoreError> {
        let Some(plain) = self.open(&self.access, value.as_deref())? else { return Ok(None) };
        let Some((lifetime, token)) = plain.split_first_chunk() else {
            return Err(unusable(&self.access, "it is too short"));
        };
        let Ok(left) = u64::try_from(*left) else {
            // -1: its expiry was removed. -2: it has just expired.
            return if *left == -1 { Err(unusable(&self.access, "it does not expire")) } else { Ok(None) };
        };
        let lifetime = Duration::from_millis(u64::from_be_bytes(*lifetime));
        let age = lifetime.saturating_sub(Duration::from_millis(left));
        Ok(Some(StoredAccessToken::new(secret(&self.access, token)?, lifetime, age)))
    }

    fn refresh_token(&self, (value, left): &Found) -> Result<Option<StoredRefreshToken>, StoreError> {
        let Some(plain) = self.open(&self.refresh, value.as_deref())? else { return Ok(None) };
        let expires_in = u64::try_from(*left).ok().map(Duration::from_millis);
        Ok(Some(StoredRefreshToken::new(secret(&self.refresh, &plain)?, expires_in)))
    }

    fn spent(&self, (value, _): &Found) -> Result<Option<String>, StoreError> {
        let Some(plain) = self.open(&self.spent, value.as_deref())? else { return Ok(None) };
        Ok(Some(text(&self.spent, &plain)?.to_owned()))
    }

    fn open(&self, place: &str, value: Option<&[u8]>) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        value.map(|value| self.cipher.decrypt(place, value).map_err(|error| unusable(place, error))).transpose()
    }
}

/// Returns the value, or `None` after it has moved its problem to `problem`.
fn usable<T>(value: Result<Option<T>, StoreError>, problem: &mut Option<StoreError>) -> Option<T> {
    value.unwrap_or_else(|error| {
        *problem = Some(error);
        None
    })
}

fn secret(place: &str, plain: &[u8]) -> Result<Secret, StoreError> {
    text(place, plain).map(Secret::from)
}

fn text<'a>(place: &str, plain: &'a [u8]) -> Result<&'a str, StoreError> {
    std::str::from_utf8(plain).map_err(|_| unusable(place, "it is not UTF-8"))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.min(MAX_LIFETIME).as_millis()).unwrap_or(u64::MAX)
}

fn unusable(place: &str, why: impl std::fmt::Display) -> StoreError {
    let detail = format!("the value of `{place}` in Redis is ignored, and the next renewal replaces it: {why}");
    StoreError::new(StoreErrorKind::Unusable, detail)
}

fn cannot_encrypt(error: CipherError) -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, format!("tokens cannot be stored in Redis: {error}"))
}
