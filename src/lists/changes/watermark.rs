//! The timestamp that a read of changes starts from, and the records near it that were already returned.

use std::collections::BTreeSet;

use chrono::{NaiveDate, NaiveDateTime};
use serde::{Deserialize, Serialize};

use crate::{paging::Fingerprint, records::Timestamp};

/// The start of the next read of [changes](crate::Changes): a `modifiedDate` of the server, and fingerprints of the records near
/// it, which are not returned again.
///
/// Create the first one from a date or a timestamp. The serialised form is stable but opaque.
///
/// ```
/// use perenso::Watermark;
///
/// let first = Watermark::from("2025-01-31");
/// let stored = serde_json::to_string(&first).unwrap();
/// assert_eq!(serde_json::from_str::<Watermark>(&stored).unwrap(), first);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Watermark {
    pub(super) modified_date: Timestamp,
    /// The records near the timestamp that were already returned; `None` before the first read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) handed_out: Option<BTreeSet<Fingerprint>>,
}

impl Watermark {
    /// Returns the newest `modifiedDate` read so far, or the timestamp given to the first read.
    #[must_use]
    pub fn modified_date(&self) -> &Timestamp {
        &self.modified_date
    }
}

impl From<Timestamp> for Watermark {
    fn from(modified_date: Timestamp) -> Self {
        Self { modified_date, handed_out: None }
    }
}

impl From<&Watermark> for Watermark {
    fn from(watermark: &Watermark) -> Self {
        watermark.clone()
    }
}

impl From<&str> for Watermark {
    fn from(text: &str) -> Self {
        Timestamp::from(text).into()
    }
}

impl From<String> for Watermark {
    fn from(text: String) -> Self {
        Timestamp::from(text).into()
    }
}

impl From<NaiveDate> for Watermark {
    fn from(date: NaiveDate) -> Self {
        Timestamp::from(date).into()
    }
}

impl From<NaiveDateTime> for Watermark {
    fn from(time: NaiveDateTime) -> Self {
        Timestamp::from(time).into()
    }
}
