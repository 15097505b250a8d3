//! Timestamps as the vendor's samples write them.

use std::time::Duration;

use chrono::{DateTime, FixedOffset, NaiveDateTime, SubsecRound, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// The format of `modifiedDate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ModifiedDate {
    /// `2025-05-07T12:25:00`
    DateTime,
    /// `2025-05-07`
    Date,
}

impl ModifiedDate {
    pub(crate) fn format(self, timestamp: NaiveDateTime) -> String {
        match self {
            Self::DateTime => format_timestamp(timestamp),
            Self::Date => timestamp.date().to_string(),
        }
    }
}

/// Adds a duration, up to the latest timestamp that chrono can represent.
pub(crate) fn saturating_add(time: DateTime<Utc>, duration: Duration) -> DateTime<Utc> {
    let delta = TimeDelta::from_std(duration).ok();
    delta.and_then(|delta| time.checked_add_signed(delta)).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// Converts to the show's local time, cut to hundredths of a second as in the vendor's samples.
pub(crate) fn to_local(time: DateTime<Utc>, offset: FixedOffset) -> NaiveDateTime {
    time.with_timezone(&offset).naive_local().trunc_subsecs(2)
}

/// Formats a timestamp as the vendor's samples do: no zone, and no trailing zeros in the fraction.
pub(crate) fn format_timestamp(timestamp: NaiveDateTime) -> String {
    // A format string takes five times as long, and a large export has millions of timestamps.
    let mut text = format!("{timestamp:?}");
    if text.contains('.') {
        text.truncate(text.trim_end_matches('0').len());
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn timestamps_are_formatted_as_in_the_samples() {
        for text in ["2025-01-20T04:50:03.61", "2025-01-23T18:50:16.4", "2025-05-07T12:25:00", "2025-05-07T10:20:10.05"]
        {
            assert_eq!(format_timestamp(text.parse().unwrap()), text);
        }
    }
}
