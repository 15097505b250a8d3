//! The identity of a client, by which a store distinguishes tokens.

use sha2::{Digest, Sha256};

use crate::secret::Secret;

/// The number of bytes of a hash in a key, enough to rule out collisions.
const NAME_LENGTH: usize = 16;

/// The identity that tokens belong to: system, token URL, client id, grant, scope, user and tenant. Two clients of the same
/// identity may share tokens. Two clients that differ in any of these never do.
#[derive(Clone)]
pub struct Identity {
    key: String,
    client_id: String,
    client_secret: Secret,
}

impl Identity {
    /// Creates the identity of these parts, in this order. Clients create their own; this is for tests of a store. Each part is
    /// hashed with its length, so different lists of parts never have the same key.
    pub fn new<'a>(
        parts: impl IntoIterator<Item = &'a str>,
        client_id: impl Into<String>,
        client_secret: Secret,
    ) -> Self {
        let client_id = client_id.into();
        let mut hash = Sha256::new();
        let mut add = |part: &str| {
            hash.update(part.len().to_be_bytes());
            hash.update(part.as_bytes());
        };
        parts.into_iter().for_each(&mut add);
        add(&client_id);
        Self { key: hex(&hash.finalize()[..NAME_LENGTH]), client_id, client_secret }
    }

    /// The key of this identity: 32 hexadecimal digits of a hash. The client secret is not a part of it, so the key stays the
    /// same when the secret is rotated.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The client id, for messages.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The client secret, for stores that encrypt tokens.
    #[must_use]
    pub fn client_secret(&self) -> &Secret {
        &self.client_secret
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("key", &self.key).field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// Returns a hash of a secret, to tell whether it has changed.
pub(crate) fn fingerprint(secret: &Secret) -> String {
    hex(&Sha256::digest(secret.expose().as_bytes())[..NAME_LENGTH])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn key(parts: &[&str], client_id: &str, secret: &str) -> String {
        Identity::new(parts.iter().copied(), client_id, Secret::from(secret)).key().to_owned()
    }

    #[test]
    fn every_part_and_its_boundaries_are_in_the_key() {
        let keys: HashSet<_> = [
            key(&["perenso", "https://a.example"], "show-1", "s"),
            key(&["perenso", "https://a.example"], "show-2", "s"),
            key(&["perensoh", "ttps://a.example"], "show-1", "s"),
            key(&["perenso", "https://a.example", ""], "show-1", "s"),
            key(&["perenso"], "show-1", "s"),
        ]
        .into();
        assert_eq!(keys.len(), 5);
        assert!(keys.iter().all(|key| key.len() == 32 && key.bytes().all(|byte| byte.is_ascii_hexdigit())));
    }

    #[test]
    fn the_secret_is_not_in_the_key_and_is_never_shown() {
        assert_eq!(key(&["perenso"], "show-1", "old"), key(&["perenso"], "show-1", "new"));
        let identity = Identity::new(["perenso"], "show-1", Secret::from("s3cr3t"));
        assert!(!format!("{identity:?}").contains("s3cr3t"));
    }
}
