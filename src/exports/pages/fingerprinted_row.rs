//! Rows with a mark by which they are known again, whatever they are read into.

use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

use csv::StringRecord;
use perenso_auth::decode::{Mismatch, decode};
use serde::de::IgnoredAny;
use siphasher::sip::SipHasher13;

use crate::exports::rows::raw::{FromRow, RawRow, sealed::Sealed};

/// A row, or why it does not fit, with a mark of the row as it came.
///
/// A row that does not fit has a mark as well, so reading it fails for what is no row at all.
pub(crate) struct FingerprintedRow<T> {
    pub(crate) mark: u64,
    pub(crate) row: Result<T, Mismatch>,
    /// The row as it came, where that was asked for.
    pub(crate) raw: Option<RawRow>,
}

/// A row with its mark, as it came besides.
pub(crate) struct WithRaw<T>(pub(crate) FingerprintedRow<T>);

impl<T: FromRow> Sealed for WithRaw<T> {}

impl<T: FromRow> FromRow for WithRaw<T> {
    fn first(bytes: &[u8]) -> Option<(Self, usize)> {
        let (marked, length) = FingerprintedRow::first(bytes)?;
        let raw = RawRow::from_json(&bytes[..length]).ok();
        Some((Self(FingerprintedRow { raw, ..marked }), length))
    }

    fn from_json(row: &[u8]) -> Result<Self, Mismatch> {
        let marked = FingerprintedRow::from_json(row)?;
        Ok(Self(FingerprintedRow { raw: RawRow::from_json(row).ok(), ..marked }))
    }

    fn from_fields(header: &Arc<StringRecord>, fields: &StringRecord) -> Result<Self, Mismatch> {
        let marked = FingerprintedRow::from_fields(header, fields)?;
        Ok(Self(FingerprintedRow { raw: RawRow::from_fields(header, fields).ok(), ..marked }))
    }
}

impl<T: FromRow> Sealed for FingerprintedRow<T> {}

impl<T: FromRow> FromRow for FingerprintedRow<T> {
    fn first(bytes: &[u8]) -> Option<(Self, usize)> {
        let (row, length) = T::first(bytes)?;
        let mut hasher = SipHasher13::new();
        hasher.write(&bytes[..length]);
        Some((Self { mark: hasher.finish(), row: Ok(row), raw: None }, length))
    }

    fn from_json(row: &[u8]) -> Result<Self, Mismatch> {
        let mut hasher = SipHasher13::new();
        hasher.write(row.trim_ascii());
        let read = T::from_json(row);
        if read.is_err() {
            decode::<IgnoredAny>(row)?;
        }
        Ok(Self { mark: hasher.finish(), row: read, raw: None })
    }

    fn from_fields(header: &Arc<StringRecord>, fields: &StringRecord) -> Result<Self, Mismatch> {
        let mut hasher = SipHasher13::new();
        fields.iter().for_each(|field| field.hash(&mut hasher));
        Ok(Self { mark: hasher.finish(), row: T::from_fields(header, fields), raw: None })
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

    /// A kept cursor holds marks, and the job that goes on may be built by another release of Rust.
    #[test]
    fn a_mark_is_the_same_in_every_release() {
        assert_eq!(json("7").mark, 18_010_829_358_935_688_610);
        assert_eq!(cells(&["x", "y"]).mark, 4_339_354_201_207_603_543);
    }

    #[test]
    fn rows_are_told_apart_by_what_came_and_not_by_what_they_are_read_into() {
        assert_eq!(json("7").mark, json(" 7\n").mark);
        assert_ne!(json("7").mark, json("8").mark);
        assert_ne!(json("-1").mark, json("-2").mark);
        assert!(json("-1").row.is_err());
        assert!(FingerprintedRow::<u8>::from_json(b"7]").is_err(), "no row");
        assert_eq!(cells(&["x", "y"]).mark, cells(&["x", "y"]).mark);
        assert_ne!(cells(&["x", "y"]).mark, cells(&["xy", ""]).mark);
        assert_eq!(cells(&["x", "y"]).row.unwrap().len(), 2);
    }
}
