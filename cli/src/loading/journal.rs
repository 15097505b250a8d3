//! The journal of a load: what has been sent and what came back, on disk before anything else happens.

use std::{
    ffi::OsString,
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::results::Results;
use crate::{output::Failure, sheet::Version};

/// The identity of a load, which tells it from others.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Identity {
    /// The bulk call.
    pub(crate) call: String,
    /// The show, by its address and its id.
    pub(crate) show: String,
    /// The columns and rules.
    pub(crate) settings: Value,
    /// The SHA-256 of the cells.
    pub(crate) content: String,
}

/// The outcome of a row.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// With the id of the record, if the response names it.
    Succeeded(Option<String>),
    /// With the reason.
    Failed(String),
    /// The response was lost.
    Unknown,
    /// The response says nothing about the row; with what it says.
    Unaccounted(String),
    /// The row did not reach the show.
    NotSent,
}

/// The state of a row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum State {
    #[default]
    NotSent,
    /// Its batch was begun, and there is no outcome.
    InFlight,
    Ended(Outcome),
}

impl State {
    /// Returns true if the row was sent, and nothing is known of it.
    fn is_open(&self) -> bool {
        matches!(self, Self::InFlight | Self::Ended(Outcome::Unknown))
    }
}

/// A line of the journal.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Entry {
    Begin(Identity),
    /// A batch is about to be sent: the numbers of its rows.
    Send(Vec<u32>),
    /// Outcomes of rows.
    Outcomes(Vec<(u32, Outcome)>),
    /// All result files are written, with their versions.
    End(Vec<Option<Version>>),
}

/// The journal of a load, locked against other commands.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    identity: Option<Identity>,
    states: Vec<State>,
    /// The versions of the result files, once they are written.
    written: Option<Vec<Option<Version>>>,
}

impl Journal {
    /// Opens the journal beside a file of rows, or creates it. Each show has one of its own.
    pub(crate) fn open(input: &Path, show: Option<&str>) -> Result<Self, Failure> {
        let mut name = OsString::from(".");
        name.push(input.file_name().unwrap_or_default());
        if let Some(show) = show {
            name.push(format!(".{show}"));
        }
        name.push(".journal");
        let path = input.with_file_name(name);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        // Reasons may be personal data.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path).map_err(|error| Failure::file("written", &path, &error))?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => {
                Failure::usage(format!("`{}` is being loaded by another command: wait for it", input.display()))
            }
            TryLockError::Error(error) => Failure::file("locked", &path, &error),
        })?;
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(|error| Failure::file("read", &path, &error))?;
        // A line without an end was being written when the command was killed, and what it says has not happened yet.
        let length = memchr::memrchr(b'\n', &text).map_or(0, |end| end + 1);
        text.truncate(length);
        let mut journal = Self { path, file, identity: None, states: Vec::new(), written: None };
        for (index, line) in text.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.is_empty()) {
            let entry = serde_json::from_slice(line).map_err(|_| {
                let path = journal.path.display();
                Failure::usage(format!("`{path}` is no journal of a load (line {}): move it away", index + 1))
            })?;
            journal.apply(entry);
        }
        let failed = |error| Failure::file("written", &journal.path, &error);
        journal.file.set_len(length as u64).map_err(failed)?;
        journal.file.seek(SeekFrom::End(0)).map_err(failed)?;
        Ok(journal)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the load that the journal is of; `None` for a new one.
    pub(crate) fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// Returns true if that load has ended, with its result files.
    pub(crate) fn is_complete(&self) -> bool {
        self.written.is_some()
    }

    /// Returns the versions of the result files as they were written.
    pub(super) fn written(&self) -> &[Option<Version>] {
        self.written.as_deref().unwrap_or_default()
    }

    /// Returns the number of rows with an outcome, and of those in flight.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let count = |has: fn(&State) -> bool| self.states.iter().filter(|state| has(state)).count() as u64;
        (count(|state| !state.is_open() && *state != State::NotSent), count(State::is_open))
    }

    pub(crate) fn state(&self, row: u32) -> &State {
        self.states.get(row as usize).unwrap_or(&State::NotSent)
    }

    /// Returns true if a row has such a state.
    pub(super) fn has(&self, state: impl Fn(&State) -> bool) -> bool {
        self.states.iter().any(state)
    }

    /// Begins another load.
    pub(crate) fn begin(&mut self, identity: Identity) -> Result<(), Failure> {
        let failed = |error| Failure::file("written", &self.path, &error);
        self.file.set_len(0).map_err(failed)?;
        self.file.seek(SeekFrom::Start(0)).map_err(failed)?;
        (self.identity, self.states, self.written) = (None, Vec::new(), None);
        self.append(Entry::Begin(identity))
    }

    pub(super) fn send(&mut self, rows: Vec<u32>) -> Result<(), Failure> {
        self.append(Entry::Send(rows))
    }

    pub(super) fn outcomes(&mut self, outcomes: Vec<(u32, Outcome)>) -> Result<(), Failure> {
        if outcomes.is_empty() { Ok(()) } else { self.append(Entry::Outcomes(outcomes)) }
    }

    /// Says that all result files are written.
    pub(crate) fn end(&mut self, results: &Results) -> Result<(), Failure> {
        self.append(Entry::End(results.versions()))
    }

    /// Removes the journal.
    pub(crate) fn remove(self) -> Result<(), Failure> {
        std::fs::remove_file(&self.path).map_err(|error| Failure::file("removed", &self.path, &error))
    }

    /// Writes a line to disk, then applies it.
    fn append(&mut self, entry: Entry) -> Result<(), Failure> {
        let mut line = serde_json::to_vec(&entry)
            .map_err(|error| Failure::failed(format!("the journal cannot be written as JSON: {error}")))?;
        line.push(b'\n');
        let written = self.file.write_all(&line).and_then(|()| self.file.sync_data());
        written.map_err(|error| Failure::file("written", &self.path, &error))?;
        self.apply(entry);
        Ok(())
    }

    fn apply(&mut self, entry: Entry) {
        match entry {
            Entry::Begin(identity) => self.identity = Some(identity),
            Entry::Send(rows) => rows.into_iter().for_each(|row| *self.state_mut(row) = State::InFlight),
            Entry::Outcomes(outcomes) => {
                for (row, outcome) in outcomes {
                    *self.state_mut(row) = match outcome {
                        Outcome::NotSent => State::NotSent,
                        outcome => State::Ended(outcome),
                    };
                }
            }
            Entry::End(versions) => self.written = Some(versions),
        }
    }

    fn state_mut(&mut self, row: u32) -> &mut State {
        let index = row as usize;
        if self.states.len() <= index {
            self.states.resize(index + 1, State::NotSent);
        }
        &mut self.states[index]
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn identity(content: &str) -> Identity {
        let (call, show) = ("Customers".to_owned(), "show".to_owned());
        Identity { call, show, settings: Value::Null, content: content.to_owned() }
    }

    #[test]
    fn a_journal_that_was_cut_anywhere_knows_all_that_was_written_before() {
        let directory = tempfile::tempdir().unwrap();
        let input = directory.path().join("rows.csv");
        let mut journal = Journal::open(&input, None).unwrap();
        journal.begin(identity("a")).unwrap();
        journal.send(vec![0, 2]).unwrap();
        journal.outcomes(vec![(0, Outcome::Succeeded(Some("x1".to_owned()))), (2, Outcome::NotSent)]).unwrap();
        journal.send(vec![2]).unwrap();
        journal.outcomes(vec![(2, Outcome::Failed("no such city".to_owned()))]).unwrap();
        journal.end(&Results::of(&input, "")).unwrap();
        let path = journal.path().to_owned();
        drop(journal);
        let whole = fs::read(&path).unwrap();
        let ends: Vec<usize> = memchr::memchr_iter(b'\n', &whole).collect();
        let succeeded = State::Ended(Outcome::Succeeded(Some("x1".to_owned())));
        let failed = State::Ended(Outcome::Failed("no such city".to_owned()));
        for length in 0..=whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            let journal = Journal::open(&input, None).unwrap();
            let lines = ends.iter().filter(|end| **end < length).count();
            let expected = match lines {
                0 | 1 => (State::NotSent, State::NotSent),
                2 => (State::InFlight, State::InFlight),
                3 => (succeeded.clone(), State::NotSent),
                4 => (succeeded.clone(), State::InFlight),
                _ => (succeeded.clone(), failed.clone()),
            };
            assert_eq!((journal.state(0).clone(), journal.state(2).clone()), expected, "{length}");
            assert_eq!((journal.identity().is_some(), journal.is_complete()), (lines > 0, lines == 6), "{length}");
            assert_eq!(journal.state(1), &State::NotSent);
        }
    }

    #[test]
    fn a_journal_is_of_one_command_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let input = directory.path().join("rows.csv");
        let first = Journal::open(&input, None).unwrap();
        assert!(Journal::open(&input, None).unwrap_err().to_string().contains("by another command"));
        drop(first);
        Journal::open(&input, None).unwrap();
    }

    #[test]
    fn another_file_is_no_journal() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(".rows.csv.journal"), "my notes\n").unwrap();
        let error = Journal::open(&directory.path().join("rows.csv"), None).unwrap_err();
        assert!(error.to_string().contains("is no journal of a load (line 1)"), "{error}");
        assert_eq!(fs::read(directory.path().join(".rows.csv.journal")).unwrap(), b"my notes\n");
    }
}
