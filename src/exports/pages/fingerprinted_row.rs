//! Rows with the hash of their bytes, which recognises a row of any type.

use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

use csv::StringRecord;
use perenso_auth::decode::{Mismatch, decode};
use serde::de::IgnoredAny;
use siphasher::sip::SipHasher13;

use crate::exports::rows::raw::{FromRow, RawRow, sealed::Sealed};

/// A row or its mismatch, with the hash of its bytes.
///
/// A row that does not fit has a hash as well. Only bytes that are no row at all fail.
pub(crate) struct FingerprintedRow<T> {
    pub(crate) hash: u64,
    pub(crate) row: Result<T, Mismatch>,
    /// The raw row, if [`WithRaw`] requested it.
    pub(crate) raw: Option<RawRow>,
}

/// A fingerprinted row that keeps the raw row.
pub(crate) struct WithRaw<T>(pub(crate) FingerprintedRow<T>);

impl<T: FromRow> Sealed for WithRaw<T> {}

impl<T: FromRow> FromRow for WithRaw<T> {
    fn first(bytes: &[u8]) -> Option<(Self, usize)> {
        let (row, length) = FingerprintedRow::first(bytes)?;
        let raw = RawRow::from_json(&bytes[..length]).ok();
        Some((Self(FingerprintedRow { raw, ..row }), length))
    }

    fn from_json(row: &[u8]) -> Result<Self, Mismatch> {
        let raw = RawRow::from_json(row).ok();
        Ok(Self(FingerprintedRow { raw, ..FingerprintedRow::from_json(row)? }))
    }

    fn from_fields(header: &Arc<StringRecord>, fields: &StringRecord) -> Result<Self, Mismatch> {
        let raw = RawRow::from_fields(header, fields).ok();
        Ok(Self(FingerprintedRow { raw, ..FingerprintedRow::from_fields(header, fields)? }))
    }
}

impl<T: FromRow> Sealed for FingerprintedRow<T> {}

impl<T: FromRow> FromRow for FingerprintedRow<T> {
    fn first(bytes: &[u8]) -> Option<(Self, usize)> {
        let (row, length) = T::first(bytes)?;
        let mut hasher = SipHasher13::new();
        hasher.write(&bytes[..length]);
        Some((Self { hash: hasher.finish(), row: Ok(row), raw: None }, length))
    }

    fn from_json(row: &[u8]) -> Result<Self, Mismatch> {
        let mut hasher = SipHasher13::new();
        hasher.write(row.trim_ascii());
        let read = T::from_json(row);
        if read.is_err() {
            decode::<IgnoredAny>(row)?;
        }
        Ok(Self { hash: hasher.finish(), row: read, raw: None })
    }

    fn from_fields(header: &Arc<StringRecord>, fields: &StringRecord) -> Result<Self, Mismatch> {
        let mut hasher = SipHasher13::new();
        fields.iter().for_each(|field| field.hash(&mut hasher));
        Ok(Self { hash: hasher.finish(), row: T::from_fields(header, fields), raw: None })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn json(text: &str) -> FingerprintedRow<u8> {
        FingerprintedRow::from_json(text.as_bytes()).unwrap()
    }

    fn cells(cells: &[&str]) -> FingerprintedRow<std::collections::BTreeMap<String, String>> {
        let header = Arc::new(StringRecord::from(vec!["a", "b"]));
        FingerprintedRow::from_fields(&header, &StringRecord::from(cells)).unwrap()
    }

    /// A stored cursor contains hashes, and another release of Rust may read it.
    #[test]
    fn a_hash_is_the_same_in_every_release() {
        assert_eq!(json("7").hash, 18_010_829_358_935_688_610);
        assert_eq!(cells(&["x", "y"]).hash, 4_339_354_201_207_603_543);
    }

    #[test]
    fn rows_are_told_apart_by_their_bytes_and_not_by_their_type() {
        assert_eq!(json("7").hash, json(" 7\n").hash);
        assert_ne!(json("7").hash, json("8").hash);
        assert_ne!(json("-1").hash, json("-2").hash);
        assert!(json("-1").row.is_err());
        assert!(FingerprintedRow::<u8>::from_json(b"7]").is_err(), "no row");
        assert_eq!(cells(&["x", "y"]).hash, cells(&["x", "y"]).hash);
        assert_ne!(cells(&["x", "y"]).hash, cells(&["xy", ""]).hash);
        assert_eq!(cells(&["x", "y"]).row.unwrap().len(), 2);
    }
}
