//! Whose tokens they are: the name under which a store keeps them, and what it may seal them with.

use sha2::{Digest, Sha256};

use crate::secret::Secret;

/// Bytes of a hash that make a name: no two identities of this world share them.
const NAME_LENGTH: usize = 16;

/// One holder of tokens: system, token address, client id, grant, scope, user and tenant. Two clients of the same
/// identity may share tokens; two that differ in any of these never do.
#[derive(Clone)]
pub struct Identity {
    key: String,
    client_id: String,
    client_secret: Secret,
}

impl Identity {
    /// The identity that is made of these parts, in this order; clients make their own, tests of a store make theirs.
    /// Each part counts with its length, so that no two lists of parts run into one.
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

    /// 32 hexadecimal digits that name this identity; nothing can be learned from them. The client secret has no part in
    /// them: a rotated one leads to the same tokens.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The client id, for messages.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The client secret, for stores that seal what they keep.
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

/// What can be told of a secret without telling it: whether it is still the same.
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
    fn every_part_counts_and_none_runs_into_the_next() {
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
    fn a_rotated_secret_leads_to_the_same_tokens_and_is_never_shown() {
        assert_eq!(key(&["perenso"], "show-1", "old"), key(&["perenso"], "show-1", "new"));
        let identity = Identity::new(["perenso"], "show-1", Secret::from("s3cr3t"));
        assert!(!format!("{identity:?}").contains("s3cr3t"));
    }
}
