//! Dates and timestamps of the vendor, most of them without a time zone.

use std::{cmp::Ordering, fmt};

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, SecondsFormat, TimeZone};
use serde::{Deserialize, Serialize};

use super::Field;

/// A date or timestamp, stored as the string that was received.
///
/// The vendor's timestamps have no documented time zone, so none is assumed. [`Timestamp::local`] returns the timestamp without
/// a zone, and the caller adds that of the show. The string is sent back byte for byte, even if it is not a valid timestamp.
///
/// ```
/// use chrono::NaiveDate;
/// use perenso::Timestamp;
///
/// let changed = Timestamp::from("2025-01-20T04:50:03.61");
/// assert_eq!(changed.date(), NaiveDate::from_ymd_opt(2025, 1, 20));
/// let local = changed.local().map(|time| time.to_string());
/// assert_eq!(local.as_deref(), Some("2025-01-20 04:50:03.610"));
/// assert!(changed.zoned().is_none());
/// assert_eq!(changed.as_str(), "2025-01-20T04:50:03.61");
///
/// let day = NaiveDate::from_ymd_opt(2025, 1, 31).map(Timestamp::from);
/// assert_eq!(day, Some(Timestamp::from("2025-01-31")));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(String);

impl Timestamp {
    /// Returns the string that was received.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the date as written, in its own zone.
    #[must_use]
    pub fn date(&self) -> Option<NaiveDate> {
        NaiveDate::parse_from_str(&self.0, "%Y-%m-%d")
            .ok()
            .or_else(|| self.local().map(|time| time.date()))
            .or_else(|| self.zoned().map(|time| time.date_naive()))
    }

    /// Returns the timestamp, if it has a time and no zone.
    #[must_use]
    pub fn local(&self) -> Option<NaiveDateTime> {
        // RFC 3339 without the zone, with `T` or a space as the separator.
        let shapes = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M"];
        shapes.iter().find_map(|shape| NaiveDateTime::parse_from_str(&self.0, shape).ok())
    }

    /// Returns the timestamp, if it has a time and a zone.
    #[must_use]
    pub fn zoned(&self) -> Option<DateTime<FixedOffset>> {
        DateTime::parse_from_rfc3339(&self.0).ok()
    }
}

impl Timestamp {
    /// Compares by time.
    ///
    /// Returns `None` if the order is unknown: for invalid timestamps, for one with a zone and one without, and for a date and a
    /// timestamp on that day. `==` compares the strings, so there is no `Ord`.
    ///
    /// ```
    /// use std::cmp::Ordering;
    /// use perenso::Timestamp;
    ///
    /// let order = |a: &str, b: &str| Timestamp::from(a).chronological_cmp(&b.into());
    /// let equal = order("2025-01-23T18:50:16.4", "2025-01-23T18:50:16.40");
    /// assert_eq!(equal, Some(Ordering::Equal));
    /// assert_eq!(order("2025-01-31", "2025-02-01T00:00:00"), Some(Ordering::Less));
    /// assert_eq!(order("2025-01-31", "2025-01-31T09:00:00"), None);
    /// assert_eq!(order("2025-01-31T09:00:00Z", "2025-01-31T09:00:00"), None);
    /// ```
    #[must_use]
    pub fn chronological_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self.zoned(), other.zoned()) {
            (Some(time), Some(other)) => return Some(time.cmp(&other)),
            (None, None) => {}
            _ => return None,
        }
        match (self.local(), other.local()) {
            (Some(time), Some(other)) => Some(time.cmp(&other)),
            (None, None) => Some(self.date()?.cmp(&other.date()?)),
            _ => Some(self.date()?.cmp(&other.date()?)).filter(|order| order.is_ne()),
        }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for Timestamp {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<String> for Timestamp {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Timestamp {
    fn from(text: &str) -> Self {
        Self(text.to_string())
    }
}

impl From<&Timestamp> for Timestamp {
    fn from(time: &Timestamp) -> Self {
        time.clone()
    }
}

/// Converts a date without a time.
impl From<NaiveDate> for Timestamp {
    fn from(date: NaiveDate) -> Self {
        Self(date.format("%Y-%m-%d").to_string())
    }
}

/// Converts a timestamp without a zone.
impl From<NaiveDateTime> for Timestamp {
    fn from(time: NaiveDateTime) -> Self {
        Self(time.format("%Y-%m-%dT%H:%M:%S%.f").to_string())
    }
}

/// Converts a timestamp with its zone: `Z` for UTC, an offset otherwise.
impl<Z: TimeZone> From<DateTime<Z>> for Timestamp {
    fn from(time: DateTime<Z>) -> Self {
        Self(time.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

impl From<&str> for Field<Timestamp> {
    fn from(text: &str) -> Self {
        Self::Value(text.into())
    }
}

impl From<NaiveDate> for Field<Timestamp> {
    fn from(date: NaiveDate) -> Self {
        Self::Value(date.into())
    }
}

impl From<NaiveDateTime> for Field<Timestamp> {
    fn from(time: NaiveDateTime) -> Self {
        Self::Value(time.into())
    }
}

impl<Z: TimeZone> From<DateTime<Z>> for Field<Timestamp> {
    fn from(time: DateTime<Z>) -> Self {
        Self::Value(time.into())
    }
}

#[cfg(test)]
mod tests {
    use chrono::{FixedOffset, NaiveDate, TimeZone, Utc};
    use proptest::prelude::*;

    use super::Timestamp;

    #[test]
    fn the_shapes_of_the_samples() {
        for (text, date, local) in [
            ("2025-01-31", "2025-01-31", None),
            ("2025-05-07T12:25:00", "2025-05-07", Some("2025-05-07 12:25:00")),
            ("2025-01-23T18:50:16.4", "2025-01-23", Some("2025-01-23 18:50:16.400")),
        ] {
            let time = Timestamp::from(text);
            assert_eq!(time.date().unwrap().to_string(), date);
            assert_eq!(time.local().map(|local| local.to_string()).as_deref(), local);
            assert_eq!(time.zoned(), None);
        }
    }

    #[test]
    fn a_zone_is_told_from_none() {
        let time = Timestamp::from("2025-01-31T23:30:00-05:00");
        assert_eq!(time.local(), None);
        assert_eq!(time.zoned().unwrap().with_timezone(&Utc).to_string(), "2025-02-01 04:30:00 UTC");
        assert_eq!(time.date(), NaiveDate::from_ymd_opt(2025, 1, 31));
    }

    #[test]
    fn chrono_values_say_their_zone_or_none() {
        let local = NaiveDate::from_ymd_opt(2025, 1, 31).unwrap().and_hms_opt(9, 0, 0).unwrap();
        assert_eq!(Timestamp::from(local).as_str(), "2025-01-31T09:00:00");
        assert_eq!(Timestamp::from(Utc.from_utc_datetime(&local)).as_str(), "2025-01-31T09:00:00Z");
        let east = FixedOffset::east_opt(3600).unwrap();
        assert_eq!(Timestamp::from(east.from_local_datetime(&local).unwrap()).as_str(), "2025-01-31T09:00:00+01:00");
    }

    proptest! {
        /// The order is antisymmetric and transitive in all forms, and equal strings that are timestamps are equal in time.
        #[test]
        fn the_order_by_time_is_one(texts in proptest::collection::vec("2025-01-0[12](T0[01]:00:0[01](\\.[05]0?)?(Z|\\+01:00)?)?", 3)) {
            let [a, b, c] = [0, 1, 2].map(|place| Timestamp::from(texts[place].as_str()));
            prop_assert_eq!(a.chronological_cmp(&a), Some(std::cmp::Ordering::Equal));
            prop_assert_eq!(a.chronological_cmp(&b), b.chronological_cmp(&a).map(std::cmp::Ordering::reverse));
            let is_less = |a: &Timestamp, b: &Timestamp| a.chronological_cmp(b).is_some_and(std::cmp::Ordering::is_lt);
            prop_assert!(!(is_less(&a, &b) && is_less(&b, &c)) || is_less(&a, &c));
        }

        #[test]
        fn any_string_goes_back_as_it_came(text: String) {
            let json = serde_json::to_string(&text).unwrap();
            let time: Timestamp = serde_json::from_str(&json).unwrap();
            let _ = (time.date(), time.local(), time.zoned());
            prop_assert_eq!(serde_json::to_string(&time).unwrap(), json);
        }
    }
}
