//! The sandbox's clock: real time plus an offset that a test moves.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use axum::http::HeaderValue;
use chrono::{DateTime, FixedOffset, NaiveDateTime, SubsecRound, TimeDelta, Utc};

/// The clock that token lifetimes, the rate budget and `modifiedDate` go by.
///
/// It runs with real time, ahead by as much as it was [advanced](Clock::advance). Clones are the same clock.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use perenso_sandbox::Sandbox;
///
/// let sandbox = Sandbox::start().await?;
/// let before = sandbox.clock().now();
/// sandbox.advance(Duration::from_secs(301)); // every access token has expired
/// assert!((sandbox.clock().now() - before).num_seconds() >= 301);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Clock {
    ahead_micros: Arc<AtomicI64>,
}

/// The last second of the year 9999: what comes after it has no form in HTTP.
const END: DateTime<Utc> = match DateTime::from_timestamp(253_402_300_799, 0) {
    Some(end) => end,
    None => DateTime::<Utc>::MAX_UTC,
};

impl Clock {
    /// The sandbox's present.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        let ahead = TimeDelta::microseconds(self.ahead_micros.load(Ordering::SeqCst));
        Utc::now().checked_add_signed(ahead).map_or(END, |now| now.min(END))
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        // The closure always gives a value, so the update cannot fail.
        let _ = self
            .ahead_micros
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |ahead| Some(ahead.saturating_add(micros)));
    }

    pub(crate) fn reset(&self) {
        self.ahead_micros.store(0, Ordering::SeqCst);
    }
}

/// A moment as HTTP writes it, to the second.
pub(crate) fn http_date(time: DateTime<Utc>) -> Option<HeaderValue> {
    HeaderValue::from_str(&time.format("%a, %d %b %Y %H:%M:%S GMT").to_string()).ok()
}

/// The moment `later` after `now`, or the end of time.
pub(crate) fn after(now: DateTime<Utc>, later: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(later).ok().and_then(|later| now.checked_add_signed(later)).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// The local time of the show, as coarse as the vendor's samples: hundredths of a second.
pub(crate) fn local(now: DateTime<Utc>, offset: FixedOffset) -> NaiveDateTime {
    now.with_timezone(&offset).naive_local().trunc_subsecs(2)
}

/// Writes a time as the vendor's samples do: no zone, and no zeros at the end of the fraction.
pub(crate) fn written(time: NaiveDateTime) -> String {
    // Not by a format string, which takes five times as long: a big export has millions of times.
    let mut text = format!("{time:?}");
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
    fn times_are_written_as_in_the_samples() {
        for text in ["2025-01-20T04:50:03.61", "2025-01-23T18:50:16.4", "2025-05-07T12:25:00", "2025-05-07T10:20:10.05"]
        {
            assert_eq!(written(text.parse().unwrap()), text);
        }
    }
}
