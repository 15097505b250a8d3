//! The moment of a kill: chosen before, and known afterwards by what is left.

use std::{
    collections::BTreeMap,
    fmt, fs,
    path::Path,
    process::Child,
    thread,
    time::{Duration, Instant, SystemTime},
};

use fastrand::Rng;

use crate::{
    journal::Journal,
    proxy::{Gate, Proxy, Sent, Stage},
};

/// The phase of a load in which it was killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Before the first request.
    Starting,
    /// After a list was asked for, and before the first batch.
    Reading,
    /// A batch is in the journal, and the sandbox has nothing of it.
    BeforeSending,
    /// The sandbox has the request, and the response has not gone back.
    InFlight,
    /// A response has gone back (or the connection was closed) after which the batch, or a part of it, is sent once more.
    BetweenAttempts,
    /// The last response has gone back, and the journal has no outcomes.
    BeforeJournal,
    /// The journal has the outcomes of all batches that were begun.
    BetweenBatches,
    /// Result files are there, temporary or in their places, and the journal has no end.
    RenamingFiles,
    /// The journal has its end.
    AfterEnd,
}

impl Phase {
    pub(crate) const ALL: [Self; 9] = [
        Self::Starting,
        Self::Reading,
        Self::BeforeSending,
        Self::InFlight,
        Self::BetweenAttempts,
        Self::BeforeJournal,
        Self::BetweenBatches,
        Self::RenamingFiles,
        Self::AfterEnd,
    ];

    /// The phases of which each proof needs a number of kills.
    pub(crate) const REQUIRED: [Self; 4] =
        [Self::BeforeSending, Self::InFlight, Self::BeforeJournal, Self::RenamingFiles];

    /// Finds the phase of a run that was killed.
    pub(crate) fn of(before: &Journal, after: &Journal, reads: usize, sent: &[Sent], changed: bool) -> Self {
        if after.has_ended {
            return Self::AfterEnd;
        }
        if changed {
            return Self::RenamingFiles;
        }
        if after.sends == before.sends {
            return if reads > 0 { Self::Reading } else { Self::Starting };
        }
        if after.in_flight.is_empty() {
            return Self::BetweenBatches;
        }
        let of_batch: Vec<_> =
            sent.iter().filter(|sent| sent.rows.iter().any(|row| after.in_flight.contains(row))).collect();
        match of_batch.split_last() {
            None => Self::BeforeSending,
            Some((last, earlier)) if !last.is_passed => {
                if earlier.is_empty() {
                    Self::BeforeSending
                } else {
                    Self::BetweenAttempts
                }
            }
            Some((last, _)) if !last.is_over => Self::InFlight,
            Some((last, _)) => {
                let is_last = last.status == Some(200) && last.rows.len() == after.in_flight.len();
                if is_last { Self::BeforeJournal } else { Self::BetweenAttempts }
            }
        }
    }
}

/// The event before a kill.
#[derive(Clone, Copy, Debug)]
enum Trigger {
    Start,
    Request(Gate),
    /// So many batches of this run are in the journal as sent.
    Sends(usize),
    /// So many batches of this run are in the journal with their outcomes.
    Outcomes(usize),
    /// A result file is there, temporary or in its place.
    File,
    /// A result file is in its place.
    Rename,
}

/// The moment of a kill.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    trigger: Trigger,
    delay: Duration,
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} + {:?}", self.trigger, self.delay)
    }
}

impl Moment {
    /// Chooses a moment while rows are sent.
    pub(crate) fn while_sending(random: &mut Rng) -> Self {
        let nth = random.usize(..4);
        let request = |stage, holds| Trigger::Request(Gate { nth, stage, holds });
        let (trigger, most) = match random.u8(..100) {
            0..12 => (request(Stage::Received, true), 2_000),
            12..25 => (Trigger::Sends(nth + 1), 1_500),
            25..37 => (request(Stage::Response, true), 2_000),
            37..50 => (request(Stage::Passed, false), 5_000),
            50..72 => (request(Stage::Answered, false), 1_500),
            72..80 => (Trigger::Outcomes(nth + 1), 2_000),
            _ => (Trigger::Start, 400_000),
        };
        Self { trigger, delay: Duration::from_micros(random.u64(..most)) }
    }

    /// Chooses a moment while result files are written.
    pub(crate) fn while_writing(random: &mut Rng) -> Self {
        let (trigger, most) = match random.u8(..3) {
            0 => (Trigger::File, 3_000),
            1 => (Trigger::File, 40_000),
            _ => (Trigger::Rename, 2_000),
        };
        Self { trigger, delay: Duration::from_micros(random.u64(..most)) }
    }

    /// Returns the gate of the proxy that it needs.
    pub(crate) fn gate(&self) -> Option<Gate> {
        match self.trigger {
            Trigger::Request(gate) => Some(gate),
            _ => None,
        }
    }

    /// Waits for the moment. Returns false if the command has ended before it.
    pub(crate) fn wait(&self, child: &mut Child, proxy: &Proxy, before: &Journal, directory: &Directory) -> bool {
        let end = Instant::now() + Duration::from_secs(60);
        while !self.has_come(proxy, before, directory) {
            assert!(Instant::now() < end, "the command has not ended after a minute");
            if child.try_wait().unwrap().is_some() {
                return false;
            }
            thread::sleep(Duration::from_micros(150));
        }
        thread::sleep(self.delay);
        true
    }

    fn has_come(&self, proxy: &Proxy, before: &Journal, directory: &Directory) -> bool {
        let read = || Journal::read(directory.journal, proxy.rows().resource.has_keys());
        match self.trigger {
            Trigger::Start => true,
            Trigger::Request(_) => proxy.is_gate_reached(),
            Trigger::Sends(count) => read().sends >= before.sends + count,
            Trigger::Outcomes(count) => read().outcomes >= before.outcomes + count,
            Trigger::File => directory.has_changed(),
            Trigger::Rename => directory.has_new_result(),
        }
    }
}

/// The result files of a directory, temporary or not, before a run.
pub(crate) struct Directory<'a> {
    path: &'a Path,
    pub(crate) journal: &'a Path,
    before: BTreeMap<String, (SystemTime, u64)>,
}

impl<'a> Directory<'a> {
    pub(crate) fn new(path: &'a Path, journal: &'a Path) -> Self {
        Self { path, journal, before: results(path) }
    }

    /// Returns true if a result file is not as it was.
    pub(crate) fn has_changed(&self) -> bool {
        results(self.path) != self.before
    }

    fn has_new_result(&self) -> bool {
        results(self.path).iter().any(|(name, file)| !name.starts_with('.') && self.before.get(name) != Some(file))
    }
}

/// Returns the names of all files of a load but its input and its journal, with their times and lengths.
fn results(directory: &Path) -> BTreeMap<String, (SystemTime, u64)> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap());
    let file = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().unwrap();
        let is_result = name != INPUT && name != JOURNAL;
        // It may have been renamed meanwhile.
        let metadata = entry.metadata().ok().filter(|_| is_result)?;
        Some((name, (metadata.modified().unwrap(), metadata.len())))
    };
    entries.filter_map(file).collect()
}

/// The names of the file to load and of its journal.
pub(crate) const INPUT: &str = "rows.csv";
pub(crate) const JOURNAL: &str = ".rows.csv.journal";
