//! Seals what is kept where others can read: a key and a name out of one secret, and a value that opens in its place only.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead, Generate, KeyInit, Payload},
};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::secret::Secret;

/// The first byte of a sealed value: how the rest is to be read.
const FORMAT: u8 = 1;
const NONCE_LENGTH: usize = 24;

/// Closes and opens the values of one owner under one secret.
pub(crate) struct Seal {
    cipher: XChaCha20Poly1305,
    fingerprint: String,
}

/// Why a value cannot be sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SealError {
    #[error("there is no client secret to seal with: call `sealing_secret`")]
    Secretless,
    #[error("the operating system gives no random numbers")]
    Random,
    #[error("its first byte should be {FORMAT} and is {0:?}: another version wrote it")]
    Format(Option<u8>),
    #[error("it was sealed with another secret or for another place, or has been changed since")]
    Unopened,
}

impl Seal {
    /// The seal of `owner`: two owners never share a key, even with one secret.
    pub(crate) fn new(secret: &Secret, owner: &str) -> Result<Self, SealError> {
        if secret.expose().is_empty() {
            return Err(SealError::Secretless);
        }
        let derived = Hkdf::<Sha256>::new(Some(owner.as_bytes()), secret.expose().as_bytes());
        let key = Zeroizing::new(expand::<32>(&derived, b"perenso-auth 1 sealing key"));
        let fingerprint = URL_SAFE_NO_PAD.encode(expand::<12>(&derived, b"perenso-auth 1 fingerprint"));
        Ok(Self { cipher: XChaCha20Poly1305::new((&*key).into()), fingerprint })
    }

    /// Names the secret without telling it, and tells nothing of the key.
    pub(crate) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Closes a value that is to be kept at `place`.
    pub(crate) fn close(&self, place: &str, value: &[u8]) -> Result<Vec<u8>, SealError> {
        let nonce = XNonce::try_generate().map_err(|_| SealError::Random)?;
        let payload = Payload { msg: value, aad: place.as_bytes() };
        let closed = self.cipher.encrypt(&nonce, payload).map_err(|_| SealError::Unopened)?;
        Ok([&[FORMAT], nonce.as_slice(), &closed].concat())
    }

    /// Opens a value that was found at `place`.
    pub(crate) fn open(&self, place: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let rest = match sealed.split_first() {
            Some((&FORMAT, rest)) => rest,
            other => return Err(SealError::Format(other.map(|(format, _)| *format))),
        };
        let (nonce, closed) = rest.split_first_chunk::<NONCE_LENGTH>().ok_or(SealError::Unopened)?;
        let payload = Payload { msg: closed, aad: place.as_bytes() };
        self.cipher.decrypt(nonce.into(), payload).map(Zeroizing::new).map_err(|_| SealError::Unopened)
    }
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seal").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
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

    fn seal(secret: &str) -> Seal {
        Seal::new(&Secret::from(secret), "owner").unwrap()
    }

    #[test]
    fn a_value_opens_with_its_secret_its_owner_and_in_its_place_only() {
        let sealed = seal("s3cr3t").close("here", b"value").unwrap();
        assert_eq!(seal("s3cr3t").open("here", &sealed).unwrap().as_slice(), b"value");
        assert_eq!(seal("s3cr3t").open("there", &sealed), Err(SealError::Unopened));
        assert_eq!(seal("other").open("here", &sealed), Err(SealError::Unopened));
        let stranger = Seal::new(&Secret::from("s3cr3t"), "stranger").unwrap();
        assert_eq!(stranger.open("here", &sealed), Err(SealError::Unopened));
    }

    #[test]
    fn no_byte_can_be_changed_and_none_left_out() {
        let sealed = seal("s3cr3t").close("here", b"value").unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(seal("s3cr3t").open("here", &changed).is_err(), "byte {at}");
            assert!(seal("s3cr3t").open("here", &sealed[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn the_first_byte_names_the_format() {
        let mut sealed = seal("s3cr3t").close("here", b"value").unwrap();
        sealed[0] = 2;
        let error = seal("s3cr3t").open("here", &sealed).unwrap_err();
        assert_eq!(error, SealError::Format(Some(2)));
        assert!(error.to_string().contains("another version"), "{error}");
    }

    #[test]
    fn one_value_never_looks_the_same_twice() {
        let seal = seal("s3cr3t");
        assert_ne!(seal.close("here", b"value").unwrap(), seal.close("here", b"value").unwrap());
    }

    #[test]
    fn a_fingerprint_stays_and_tells_secrets_and_owners_apart() {
        assert_eq!(seal("s3cr3t").fingerprint(), seal("s3cr3t").fingerprint());
        assert_ne!(seal("s3cr3t").fingerprint(), seal("other").fingerprint());
        let stranger = Seal::new(&Secret::from("s3cr3t"), "stranger").unwrap();
        assert_ne!(seal("s3cr3t").fingerprint(), stranger.fingerprint());
        assert_eq!(seal("s3cr3t").fingerprint().len(), 16);
    }

    #[test]
    fn without_a_secret_nothing_is_sealed() {
        let error = Seal::new(&Secret::from(""), "owner").unwrap_err();
        assert!(error.to_string().contains("`sealing_secret`"), "{error}");
    }
}
