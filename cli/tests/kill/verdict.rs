//! What must be true after the last run of a load.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs,
    path::Path,
};

use perenso_sandbox::Show;
use serde_json::{Map, Value};

use crate::{
    journal::{Journal, RowState},
    moment::{INPUT, JOURNAL},
    proxy::Sent,
    rows::{Expected, Resource, Row, Rows},
};

/// The result files, and their names in a sentence.
pub(crate) const RESULTS: [(&str, &str); 3] =
    [("rows-succeeded.csv", "succeeded"), ("rows-failed.csv", "failed"), ("rows-unknown.csv", "unknown")];

/// A row of a result file: the name of the file, the cells of the input, and the note.
type Result = (&'static str, Vec<String>, String);

/// All that is known of a load.
pub(crate) struct Verdict<'a> {
    pub(crate) rows: &'a Rows,
    pub(crate) show: &'a Show,
    /// The records before the load.
    pub(crate) before: &'a [Value],
    pub(crate) directory: &'a Path,
    pub(crate) sent: &'a [Sent],
    /// The rows without an outcome when a run was killed.
    pub(crate) in_flight_at_kills: &'a BTreeSet<u32>,
    /// The rows that were in the show before a run, and its number.
    pub(crate) written: &'a BTreeMap<u32, u32>,
}

impl Verdict<'_> {
    /// Returns everything that is wrong.
    pub(crate) fn problems(&self) -> Vec<String> {
        let journal = Journal::read(&self.directory.join(JOURNAL), self.rows.resource.has_keys());
        let mut problems = journal.contradictions.clone();
        if !journal.has_begun || !journal.has_ended {
            problems.push("the journal has no end".to_owned());
        }
        for sent in self.sent {
            let again = sent.rows.iter().filter(|row| self.written.get(row).is_some_and(|run| sent.run >= *run));
            problems.extend(again.map(|row| format!("row {row} was in the show, and run {} sends it", sent.run)));
        }
        let results = self.results(&mut problems);
        for (number, row) in (0..).zip(&self.rows.rows) {
            let Some((file, cells, note)) = results.get(&row.line) else {
                problems.push(format!("line {} is in no result file", row.line));
                continue;
            };
            if *cells != row.cells {
                problems.push(format!("line {} of {file} has other cells: {cells:?}", row.line));
            }
            let says = match self.rows.resource {
                Resource::Customers => customer(row, file),
                Resource::OrderHistory => self.item(number, row, file, &journal.state(number)),
            };
            problems.extend(says.map(|problem| format!("line {}, in {file} ({note}): {problem}", row.line)));
        }
        if results.len() != self.rows.rows.len() {
            problems.push(format!("{} rows in the result files, {} in the input", results.len(), self.rows.rows.len()));
        }
        match self.rows.resource {
            Resource::Customers => self.customers(&results, &mut problems),
            Resource::OrderHistory => self.order_history(&results, &mut problems),
        }
        problems
    }

    /// Reads the result files by line. Nothing else is in the directory.
    fn results(&self, problems: &mut Vec<String>) -> BTreeMap<u64, Result> {
        let mut results = BTreeMap::new();
        for entry in fs::read_dir(self.directory).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name != INPUT && name != JOURNAL && !RESULTS.iter().any(|(file, _)| name == *file) {
                problems.push(format!("`{name}` is left"));
            }
        }
        for (path, name) in RESULTS {
            let Ok(text) = fs::read_to_string(self.directory.join(path)) else { continue };
            let Some(text) = text.strip_prefix('\u{feff}') else {
                problems.push(format!("{path} begins without a byte order mark"));
                continue;
            };
            for row in csv::Reader::from_reader(text.as_bytes()).records() {
                let row = match row {
                    Ok(row) => row,
                    Err(error) => {
                        problems.push(format!("{path} is no CSV: {error}"));
                        break;
                    }
                };
                let mut cells: Vec<String> = row.iter().map(str::to_owned).collect();
                let (line, note) = (cells.remove(0).parse().unwrap_or_default(), cells.pop().unwrap_or_default());
                if results.insert(line, (name, cells, note)).is_some() {
                    problems.push(format!("line {line} is in the result files twice"));
                }
            }
        }
        results
    }

    /// Checks that the show has what it had, and each accepted row once.
    fn customers(&self, results: &BTreeMap<u64, Result>, problems: &mut Vec<String>) {
        let mut there: HashMap<String, Vec<Map<String, Value>>> = HashMap::new();
        for record in self.show.customers() {
            let Value::Object(record) = record else { continue };
            there.entry(text(&record, "customerID")).or_default().push(record);
        }
        let before = self.before.iter().filter_map(Value::as_object);
        let before: HashMap<String, _> = before.map(|record| (text(record, "customerID"), record)).collect();
        for (key, records) in &there {
            if records.len() > 1 {
                problems.push(format!("{key} is there {} times", records.len()));
            }
        }
        let mut expected: HashMap<String, Map<String, Value>> =
            before.iter().map(|(key, record)| (key.clone(), (*record).clone())).collect();
        for row in self.rows.rows.iter().filter(|row| row.expected == Expected::Accepted) {
            expected.entry(row.mark.clone()).or_default().extend(row.record.clone());
            let id = there.get(&row.mark).map(|records| text(&records[0], "id"));
            if results.get(&row.line).map(|(_, _, note)| note) != id.as_ref() {
                problems.push(format!("line {} has not the id {id:?}", row.line));
            }
        }
        for (key, expected) in &expected {
            let Some(records) = there.get(key) else {
                problems.push(format!("{key} is not there"));
                continue;
            };
            let same = |(name, value): (&String, &Value)| name == "modifiedDate" || records[0].get(name) == Some(value);
            if !expected.iter().all(same) {
                problems.push(format!("{key} is {:?} and should be {expected:?}", records[0]));
            }
        }
        let strangers = there.keys().filter(|key| !expected.contains_key(*key));
        problems.extend(strangers.map(|key| format!("{key} is there, and nobody wrote it")));
    }

    /// Checks that each item is there once at most, and as its file says.
    fn order_history(&self, results: &BTreeMap<u64, Result>, problems: &mut Vec<String>) {
        let mut there: HashMap<u32, usize> = HashMap::new();
        for item in self.show.order_history() {
            match self.rows.of_record(&item) {
                Some(row) => {
                    if item.as_object() != Some(&self.rows.rows[row as usize].record) {
                        problems.push(format!("an item is not that of row {row}: {item}"));
                    }
                    *there.entry(row).or_default() += 1;
                }
                None => problems.push(format!("an item of nobody: {item}")),
            }
        }
        for (number, row) in (0..).zip(&self.rows.rows) {
            let (count, file) =
                (there.get(&number).copied().unwrap_or_default(), results.get(&row.line).map(|result| result.0));
            let is_right = match file {
                Some("succeeded") => count == 1,
                Some("failed") => count == 0,
                _ => count <= 1,
            };
            if !is_right {
                problems.push(format!("the item of line {}, in {file:?}, is there {count} times", row.line));
            }
        }
        // A request that was refused as a whole is sent again. No other is.
        let mut received: HashMap<u32, usize> = HashMap::new();
        let kept = self.sent.iter().filter(|sent| sent.is_passed && !matches!(sent.status, Some(400..500)));
        kept.flat_map(|sent| &sent.rows).for_each(|row| *received.entry(*row).or_default() += 1);
        let twice = received.iter().filter(|(_, count)| **count > 1);
        problems.extend(twice.map(|(row, count)| format!("row {row} was sent {count} times")));
    }

    fn item(&self, number: u32, row: &Row, file: &str, state: &RowState) -> Option<String> {
        let was_in_flight = self.in_flight_at_kills.contains(&number);
        match (row.expected, file) {
            (Expected::Mistake, "failed") | (Expected::Accepted, "succeeded") if !was_in_flight => None,
            // Its response was lost, or says nothing about it.
            (Expected::Accepted | Expected::Refused, "unknown")
                if was_in_flight || !matches!(state, RowState::NotSent | RowState::InFlight) =>
            {
                None
            }
            (expected, _) => Some(format!("it is {expected:?}, in flight at a kill: {was_in_flight}")),
        }
    }
}

fn customer(row: &Row, file: &str) -> Option<String> {
    match (row.expected, file) {
        (Expected::Accepted, "succeeded") | (Expected::Mistake | Expected::Refused, "failed") => None,
        (expected, _) => Some(format!("it is {expected:?}")),
    }
}

fn text(record: &Map<String, Value>, name: &str) -> String {
    record.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}
