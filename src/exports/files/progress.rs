//! Progress of writing a file.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use perenso_auth::clock::{Clock, SystemClock};

/// The progress of writing a file.
///
/// `Display` writes one line: `1000000 rows, 312.4 MB, 83000 rows/s`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// The current stage.
    pub stage: Stage,
    /// The number of rows in this stage so far.
    pub rows: u64,
    /// The size of these rows as received. The file may be smaller or larger.
    pub bytes: u64,
    /// The time since the stage began.
    pub elapsed: Duration,
    /// True once the file is complete and in place.
    pub is_done: bool,
}

/// A stage of writing a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// Receiving rows and writing them to the file, or to a spool file while the schema is inferred.
    Receiving,
    /// Writing spooled rows to the file.
    Writing,
}

impl Progress {
    /// Returns the rows per second since the stage began.
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

/// Reports progress to a callback at intervals.
pub(super) struct ProgressReporter {
    pub(super) callback: Option<Callback>,
    pub(super) interval: Duration,
    pub(super) clock: Arc<dyn Clock>,
}

impl Default for ProgressReporter {
    fn default() -> Self {
        Self { callback: None, interval: Duration::from_secs(1), clock: Arc::new(SystemClock::default()) }
    }
}

impl ProgressReporter {
    pub(super) fn start(&self, stage: Stage) -> StageProgress<'_> {
        let now = self.clock.monotonic();
        let progress = Progress { stage, rows: 0, bytes: 0, elapsed: Duration::ZERO, is_done: false };
        StageProgress { reporter: self, progress, start: now, last_report: now }
    }
}

/// The progress of one stage.
pub(super) struct StageProgress<'m> {
    reporter: &'m ProgressReporter,
    progress: Progress,
    start: Instant,
    last_report: Instant,
}

impl StageProgress<'_> {
    pub(super) fn rows(&self) -> u64 {
        self.progress.rows
    }

    pub(super) fn add(&mut self, bytes: usize) {
        self.progress.rows += 1;
        self.progress.bytes += bytes as u64;
    }

    /// Calls the callback if the interval has passed.
    pub(super) fn report_if_due(&mut self) {
        if self.reporter.callback.is_none() {
            return;
        }
        let now = self.reporter.clock.monotonic();
        if now.saturating_duration_since(self.last_report) >= self.reporter.interval {
            self.last_report = now;
            self.report(now);
        }
    }

    /// Calls the callback for the last time.
    pub(super) fn finish(mut self) {
        self.progress.is_done = true;
        self.report(self.reporter.clock.monotonic());
    }

    fn report(&mut self, now: Instant) {
        self.progress.elapsed = now.saturating_duration_since(self.start);
        if let Some(callback) = &self.reporter.callback {
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
    fn progress_is_reported_at_intervals_and_at_the_end() {
        let clock = ManualClock::default();
        let told: Arc<Mutex<Vec<Progress>>> = Arc::default();
        let heard = Arc::clone(&told);
        let reporter = ProgressReporter {
            callback: Some(Box::new(move |progress| heard.lock().unwrap().push(*progress))),
            interval: Duration::from_secs(1),
            clock: Arc::new(clock.clone()),
        };
        clock.advance(Duration::from_secs(60));
        let mut progress = reporter.start(Stage::Receiving);
        for _ in 0..10 {
            clock.advance(Duration::from_millis(400));
            progress.add(100_000);
            progress.report_if_due();
            progress.report_if_due();
        }
        progress.finish();
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
