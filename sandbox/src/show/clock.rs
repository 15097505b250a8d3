//! The clock of a show: real time plus an offset that a test sets.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// The clock for token lifetimes, the rate limit and `modifiedDate`.
///
/// It shows real time plus the offset by which it was [advanced](Clock::advance). Clones share the offset.
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
    offset_micros: Arc<AtomicI64>,
}

/// The last second of the year 9999, the latest date that HTTP can express.
const END: DateTime<Utc> = match DateTime::from_timestamp(253_402_300_799, 0) {
    Some(end) => end,
    None => DateTime::<Utc>::MAX_UTC,
};

impl Clock {
    /// Returns the current time.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        let offset = TimeDelta::microseconds(self.offset_micros.load(Ordering::SeqCst));
        Utc::now().checked_add_signed(offset).map_or(END, |now| now.min(END))
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        // The closure always returns a value, so the update cannot fail.
        let _ = self
            .offset_micros
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |offset| Some(offset.saturating_add(micros)));
    }

    pub(crate) fn reset(&self) {
        self.offset_micros.store(0, Ordering::SeqCst);
    }
}
