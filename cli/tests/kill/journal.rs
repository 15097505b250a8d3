//! The journal of a load, as somebody else reads it.

use std::{collections::BTreeSet, fs, path::Path};

use serde::Deserialize;
use serde_json::Value;

/// A line of a journal.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Entry {
    Begin(#[allow(dead_code, reason = "its content is of no interest here")] Value),
    Send(Vec<u32>),
    Outcomes(Vec<(u32, Value)>),
    End(#[allow(dead_code, reason = "its content is of no interest here")] Value),
}

/// The state of a row.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum RowState {
    #[default]
    NotSent,
    InFlight,
    Ended(Value),
}

/// What a journal says.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    states: Vec<RowState>,
    /// The rows of the last batch, if it has no outcomes.
    pub(crate) in_flight: BTreeSet<u32>,
    /// The number of lines about batches that were begun.
    pub(crate) sends: usize,
    /// The number of lines with outcomes.
    pub(crate) outcomes: usize,
    pub(crate) has_begun: bool,
    pub(crate) has_ended: bool,
    /// Lines that contradict earlier ones.
    pub(crate) contradictions: Vec<String>,
}

impl Journal {
    /// Reads all whole lines. Without a file there are none.
    pub(crate) fn read(path: &Path, has_keys: bool) -> Self {
        let text = fs::read(path).unwrap_or_default();
        let length = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let mut journal = Self::default();
        for line in text[..length].split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            match serde_json::from_slice(line) {
                Ok(entry) => journal.apply(entry, has_keys),
                Err(error) => journal.contradictions.push(format!("a line that is no entry: {error}")),
            }
        }
        journal
    }

    pub(crate) fn state(&self, row: u32) -> RowState {
        self.states.get(row as usize).cloned().unwrap_or_default()
    }

    /// Returns the number of rows that were sent.
    pub(crate) fn begun(&self) -> usize {
        self.states.iter().filter(|state| **state != RowState::NotSent).count()
    }

    fn apply(&mut self, entry: Entry, has_keys: bool) {
        match entry {
            Entry::Begin(_) => self.has_begun = true,
            Entry::End(_) => self.has_ended = true,
            Entry::Send(rows) => {
                self.sends += 1;
                for row in &rows {
                    let state = self.state_mut(*row);
                    if *state != RowState::NotSent {
                        let before = format!("row {row} is sent, and was {state:?}");
                        self.contradictions.push(before);
                    }
                    *self.state_mut(*row) = RowState::InFlight;
                }
                self.in_flight = rows.into_iter().collect();
            }
            Entry::Outcomes(outcomes) => {
                self.outcomes += 1;
                for (row, outcome) in outcomes {
                    self.in_flight.remove(&row);
                    let state = self.state_mut(row);
                    // Reading the show settles an unknown row, if it has a key.
                    let is_final = |before: &Value| {
                        let name = before.as_object().and_then(|object| object.keys().next()).map(String::as_str);
                        !has_keys || matches!(name, Some("succeeded" | "failed"))
                    };
                    if let RowState::Ended(before) = &*state
                        && is_final(before)
                    {
                        let text = format!("row {row} is {outcome}, and was {before}");
                        self.contradictions.push(text);
                    }
                    *self.state_mut(row) =
                        if outcome == "not_sent" { RowState::NotSent } else { RowState::Ended(outcome) };
                }
            }
        }
    }

    fn state_mut(&mut self, row: u32) -> &mut RowState {
        let index = row as usize;
        if self.states.len() <= index {
            self.states.resize(index + 1, RowState::NotSent);
        }
        &mut self.states[index]
    }
}
