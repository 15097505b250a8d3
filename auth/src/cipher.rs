//! Encrypts values for a store that others can read. Key and fingerprint are derived from one secret, and a value can be
//! decrypted only under the name it was encrypted for.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead, Generate, KeyInit, Payload},
};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::secret::Secret;

/// The first byte of a encrypted value: the version of the format.
const FORMAT: u8 = 1;
const NONCE_LENGTH: usize = 24;

/// Encrypts and decrypts the values of one owner with one secret.
pub(crate) struct ValueCipher {
    cipher: XChaCha20Poly1305,
    fingerprint: String,
}

/// The reason why a value cannot be encrypted or decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CipherError {
    #[error("the client secret is empty and cannot be used as a key: call `sealing_secret`")]
    NoSecret,
    #[error("the operating system provides no random numbers")]
    Random,
    #[error("expected {FORMAT} as its first byte, found {0:?}: it was written by another version")]
    Format(Option<u8>),
    #[error("it was encrypted with another secret or under another name, or was changed since")]
    Decrypt,
}

impl ValueCipher {
    /// Derives the key of `owner`. Two owners with the same secret have different keys.
    pub(crate) fn new(secret: &Secret, owner: &str) -> Result<Self, CipherError> {
        if secret.expose().is_empty() {
            return Err(CipherError::NoSecret);
        }
        let derived = Hkdf::<Sha256>::new(Some(owner.as_bytes()), secret.expose().as_bytes());
        let key = Zeroizing::new(expand::<32>(&derived, b"perenso-auth 1 sealing key"));
        let fingerprint = URL_SAFE_NO_PAD.encode(expand::<12>(&derived, b"perenso-auth 1 fingerprint"));
        Ok(Self { cipher: XChaCha20Poly1305::new((&*key).into()), fingerprint })
    }

    /// Identifies the secret, without revealing it or the key.
    pub(crate) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Encrypts a value that is stored under the name `place`.
    pub(crate) fn encrypt(&self, place: &str, value: &[u8]) -> Result<Vec<u8>, CipherError> {
        let nonce = XNonce::try_generate().map_err(|_| CipherError::Random)?;
        let payload = Payload { msg: value, aad: place.as_bytes() };
        let encrypted = self.cipher.encrypt(&nonce, payload).map_err(|_| CipherError::Decrypt)?;
        Ok([&[FORMAT], nonce.as_slice(), &encrypted].concat())
    }

    /// Decrypts a value that was stored under the name `place`.
    pub(crate) fn decrypt(&self, place: &str, encrypted: &[u8]) -> Result<Zeroizing<Vec<u8>>, CipherError> {
        let rest = match encrypted.split_first() {
            Some((&FORMAT, rest)) => rest,
            other => return Err(CipherError::Format(other.map(|(format, _)| *format))),
        };
        let (nonce, encrypted) = rest.split_first_chunk::<NONCE_LENGTH>().ok_or(CipherError::Decrypt)?;
        let payload = Payload { msg: encrypted, aad: place.as_bytes() };
        self.cipher.decrypt(nonce.into(), payload).map(Zeroizing::new).map_err(|_| CipherError::Decrypt)
    }
}

impl std::fmt::Debug for ValueCipher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ValueCipher").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}

fn expand<const N: usize>(derived: &Hkdf<Sha256>, info: &[u8]) -> [u8; N] {
    let mut bytes = [0; N];
    if derived.expand(info, &mut bytes).is_err() {
        unreachable!("HKDF-SHA256 gives up to 8160 bytes, and {N} were asked for");
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cipher(secret: &str) -> ValueCipher {
        ValueCipher::new(&Secret::from(secret), "owner").unwrap()
    }

    #[test]
    fn a_value_opens_only_with_its_secret_owner_and_place() {
        let encrypted = cipher("s3cr3t").encrypt("here", b"value").unwrap();
        assert_eq!(cipher("s3cr3t").decrypt("here", &encrypted).unwrap().as_slice(), b"value");
        assert_eq!(cipher("s3cr3t").decrypt("there", &encrypted), Err(CipherError::Decrypt));
        assert_eq!(cipher("other").decrypt("here", &encrypted), Err(CipherError::Decrypt));
        let stranger = ValueCipher::new(&Secret::from("s3cr3t"), "stranger").unwrap();
        assert_eq!(stranger.decrypt("here", &encrypted), Err(CipherError::Decrypt));
    }

    #[test]
    fn a_changed_or_truncated_value_does_not_open() {
        let encrypted = cipher("s3cr3t").encrypt("here", b"value").unwrap();
        for at in 0..encrypted.len() {
            let mut changed = encrypted.clone();
            changed[at] ^= 1;
            assert!(cipher("s3cr3t").decrypt("here", &changed).is_err(), "byte {at}");
            assert!(cipher("s3cr3t").decrypt("here", &encrypted[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn the_first_byte_names_the_format() {
        let mut encrypted = cipher("s3cr3t").encrypt("here", b"value").unwrap();
        encrypted[0] = 2;
        let error = cipher("s3cr3t").decrypt("here", &encrypted).unwrap_err();
        assert_eq!(error, CipherError::Format(Some(2)));
        assert!(error.to_string().contains("another version"), "{error}");
    }

    #[test]
    fn the_same_value_is_encrypted_differently_each_time() {
        let cipher = cipher("s3cr3t");
        assert_ne!(cipher.encrypt("here", b"value").unwrap(), cipher.encrypt("here", b"value").unwrap());
    }

    #[test]
    fn fingerprints_are_stable_and_differ_between_secrets_and_owners() {
        assert_eq!(cipher("s3cr3t").fingerprint(), cipher("s3cr3t").fingerprint());
        assert_ne!(cipher("s3cr3t").fingerprint(), cipher("other").fingerprint());
        let stranger = ValueCipher::new(&Secret::from("s3cr3t"), "stranger").unwrap();
        assert_ne!(cipher("s3cr3t").fingerprint(), stranger.fingerprint());
        assert_eq!(cipher("s3cr3t").fingerprint().len(), 16);
    }

    #[test]
    fn an_empty_secret_is_an_error() {
        let error = ValueCipher::new(&Secret::from(""), "owner").unwrap_err();
        assert!(error.to_string().contains("`sealing_secret`"), "{error}");
    }
}
