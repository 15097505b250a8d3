//! How far a file has come.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use perenso_auth::clock::{Clock, SystemClock};

/// How far a file has come.
///
/// `Display` is a line of it: `1000000 rows, 312.4 MB, 83000 rows/s`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// The rows of this stage so far.
    pub rows: u64,
    /// The bytes of their text as it came: those of the file are fewer in Parquet, and more or fewer in CSV.
    pub bytes: u64,
    /// Since the stage began.
    pub elapsed: Duration,
    /// Whether the file is whole and in its place.
    pub is_done: bool,
}

/// What is being done to make a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// Rows come, and go into the file; or beside it, where all must be seen before the first can be written.
    Receiving,
    /// All rows have come, and go into the file.
    Writing,
}

impl Progress {
    /// Rows per second since the stage began.
    #[must_use]
    pub fn rate(&self) -> f64 {
        let seconds = self.elapsed.as_secs_f64();
        if seconds > 0.0 { self.rows as f64 / seconds } else { 0.0 }
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} rows, {:.1} MB, {:.0} rows/s", self.rows, self.bytes as f64 / 1e6, self.rate())
    }
}

pub(super) type Callback = Box<dyn Fn(&Progress) + Send>;

/// Counts rows, and tells of them now and then.
pub(super) struct Meter {
    pub(super) callback: Option<Callback>,
    pub(super) interval: Duration,
    pub(super) clock: Arc<dyn Clock>,
}

impl Default for Meter {
    fn default() -> Self {
        Self { callback: None, interval: Duration::from_secs(1), clock: Arc::new(SystemClock::default()) }
    }
}

impl Meter {
    pub(super) fn start(&self, stage: Stage) -> Count<'_> {
        let now = self.clock.monotonic();
        let progress = Progress { stage, rows: 0, bytes: 0, elapsed: Duration::ZERO, is_done: false };
        Count { meter: self, progress, start: now, told: now }
    }
}

/// The rows of one stage.
pub(super) struct Count<'m> {
    meter: &'m Meter,
    progress: Progress,
    start: Instant,
    told: Instant,
}

impl Count<'_> {
    pub(super) fn rows(&self) -> u64 {
        self.progress.rows
    }

    pub(super) fn add(&mut self, bytes: usize) {
        self.progress.rows += 1;
        self.progress.bytes += bytes as u64;
    }

    /// Tells, if it is time.
    pub(super) fn tell(&mut self) {
        if self.meter.callback.is_none() {
            return;
        }
        let now = self.meter.clock.monotonic();
        if now.saturating_duration_since(self.told) >= self.meter.interval {
            self.told = now;
            self.report(now);
        }
    }

    /// Tells for the last time.
    pub(super) fn done(mut self) {
        self.progress.is_done = true;
        self.report(self.meter.clock.monotonic());
    }

    fn report(&mut self, now: Instant) {
        self.progress.elapsed = now.saturating_duration_since(self.start);
        if let Some(callback) = &self.meter.callback {
            callback(&self.progress);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use perenso_auth::clock::ManualClock;

    use super::*;

    #[test]
    fn progress_is_told_by_the_clock_and_at_the_end() {
        let clock = ManualClock::default();
        let told: Arc<Mutex<Vec<Progress>>> = Arc::default();
        let heard = Arc::clone(&told);
        let meter = Meter {
            callback: Some(Box::new(move |progress| heard.lock().unwrap().push(*progress))),
            interval: Duration::from_secs(1),
            clock: Arc::new(clock.clone()),
        };
        clock.advance(Duration::from_secs(60));
        let mut count = meter.start(Stage::Receiving);
        for _ in 0..10 {
            clock.advance(Duration::from_millis(400));
            count.add(100_000);
            count.tell();
            count.tell();
        }
        count.done();
        let told = told.lock().unwrap();
        let told: Vec<_> = told.iter().map(|it| (it.rows, it.bytes, it.elapsed.as_millis(), it.is_done)).collect();
        assert_eq!(
            told,
            [
                (3, 300_000, 1200, false),
                (6, 600_000, 2400, false),
                (9, 900_000, 3600, false),
                (10, 1_000_000, 4000, true)
            ]
        );
    }

    #[test]
    fn the_rate_is_that_of_the_stage() {
        let progress =
            |elapsed| Progress { stage: Stage::Writing, rows: 10, bytes: 1_050_000, elapsed, is_done: false };
        assert_eq!(progress(Duration::from_secs(4)).to_string(), "10 rows, 1.1 MB, 2 rows/s");
        assert!((progress(Duration::from_secs(4)).rate() - 2.5).abs() < 1e-9);
        assert!(progress(Duration::ZERO).rate().abs() < 1e-9);
    }
}
