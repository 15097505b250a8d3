//! A 128-bit fingerprint of bytes, which recognises a page or a record without keeping it.

use std::hash::Hasher;

use serde::{Deserialize, Serialize};

/// An FNV-1a hash of 128 bits. It is stored, so it is the same in every process and release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(crate) struct Fingerprint(u128);

impl Fingerprint {
    const OFFSET: Self = Self(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d);
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;

    /// Returns the fingerprint of these bytes.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut fingerprint = Self::default();
        fingerprint.write(bytes);
        fingerprint
    }

    /// Returns the fingerprint of several pieces, including their boundaries.
    pub(crate) fn of_all<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut fingerprint = Self::default();
        for piece in pieces {
            fingerprint.write(&piece.len().to_le_bytes());
            fingerprint.write(piece);
        }
        fingerprint
    }
}

impl Default for Fingerprint {
    fn default() -> Self {
        Self::OFFSET
    }
}

/// Hashes bytes. `finish` returns half of the bits; the value itself has all of them.
impl Hasher for Fingerprint {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u128::from(*byte)).wrapping_mul(Self::PRIME);
        }
    }

    #[allow(clippy::cast_possible_truncation, reason = "a half of the bits is what is asked for")]
    fn finish(&self) -> u64 {
        (self.0 >> 64) as u64 ^ self.0 as u64
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        format!("{:032x}", fingerprint.0)
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = std::num::ParseIntError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        u128::from_str_radix(&text, 16).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::Fingerprint;

    #[test]
    fn the_published_values_of_fnv_1a_with_128_bits() {
        assert_eq!(String::from(Fingerprint::of(b"")), "6c62272e07bb014262b821756295c58d");
        assert_eq!(String::from(Fingerprint::of(b"a")), "d228cb696f1a8caf78912b704e4a8964");
    }

    #[test]
    fn pieces_keep_their_bounds_and_json_keeps_the_value() {
        let fingerprint = Fingerprint::of_all([&b"ab"[..], b"c"]);
        assert_ne!(fingerprint, Fingerprint::of_all([&b"a"[..], b"bc"]));
        let json = serde_json::to_string(&fingerprint).unwrap();
        assert_eq!(serde_json::from_str::<Fingerprint>(&json).unwrap(), fingerprint);
        assert!(serde_json::from_str::<Fingerprint>("\"no\"").is_err());
    }
}
