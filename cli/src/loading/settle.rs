//! Finds out by reading what became of rows without an outcome.

use std::collections::{HashMap, HashSet};

use perenso::Perenso;
use serde_json::{Map, Value};

use super::{
    input::Input,
    journal::{Journal, Outcome, State},
    show_data::{Comparison, compare, each_record},
};
use crate::output::{Failure, counted};

/// The reason of a row that the show neither named nor has.
const NOT_THERE: &str = "the show said nothing about it, and does not have it like this";

/// Returns an error if rows that the show has accepted are no longer there: then the journal is of a show that is gone.
///
/// Rows without a key, and resources without a list, are not looked for.
pub(crate) async fn require_accepted(show: &Perenso, input: &Input, journal: &Journal) -> Result<(), Failure> {
    let mut accepted = HashSet::new();
    let mut rows = input.rows()?;
    while let Some((number, row)) = rows.next()? {
        if matches!(journal.state(number), State::Ended(Outcome::Succeeded(_))) {
            accepted.extend(input.record(row).key);
        }
    }
    if accepted.is_empty() || input.target().list.is_none() {
        return Ok(());
    }
    each_record(show, input.target(), |key, _| {
        accepted.remove(key);
    })
    .await?;
    if accepted.is_empty() {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "{} that the show accepted are no longer in it: was it started anew, or were they deleted? To send all rows again, add \
         `--again`",
        counted(accepted.len() as u64, input.target().noun)
    )))
}

/// Reads the show for rows whose response was lost or did not name them, and notes what became of them. Nothing is sent.
///
/// A row that the show does not have was not written, and is sent later, unless its response came. Rows without a key cannot be
/// found, and stay unknown.
pub(crate) async fn settle(show: &Perenso, input: &Input, journal: &mut Journal) -> Result<(), Failure> {
    let is_open =
        |state: &State| matches!(state, State::InFlight | State::Ended(Outcome::Unknown | Outcome::Unaccounted(_)));
    let open = journal.rows(is_open);
    if open.is_empty() {
        return Ok(());
    }
    let mut wanted: HashMap<String, (u32, Map<String, Value>)> = HashMap::new();
    let mut outcomes: Vec<(u32, Outcome)> = Vec::new();
    let mut rows = input.rows()?;
    let mut next = open.iter().copied().peekable();
    while let Some(&wanted_row) = next.peek() {
        let Some((number, row)) = rows.next()? else {
            return Err(Failure::usage(format!(
                "`{}` has rows that the file has not: move it away",
                journal.path().display()
            )));
        };
        if number != wanted_row {
            continue;
        }
        next.next();
        let checked = input.record(row);
        match checked.key.filter(|_| input.target().list.is_some()) {
            Some(key) => drop(wanted.insert(key, (number, checked.record))),
            None if *journal.state(number) == State::InFlight => outcomes.push((number, Outcome::Unknown)),
            None => {}
        }
    }
    if !wanted.is_empty() {
        each_record(show, input.target(), |key, read| {
            let Some((number, sent)) = wanted.get(key) else { return };
            let id = read.get("id").and_then(Value::as_str).map(str::to_owned);
            let outcome = match compare(input.target(), sent, read) {
                Comparison::Equal => Outcome::Succeeded(id),
                Comparison::Different => absent(journal.state(*number)),
                Comparison::Unclear => Outcome::Unknown,
            };
            outcomes.push((*number, outcome));
            wanted.remove(key);
        })
        .await?;
    }
    outcomes.extend(wanted.into_values().map(|(number, _)| (number, absent(journal.state(number)))));
    outcomes.sort_by_key(|(number, _)| *number);
    journal.outcomes(outcomes)
}

/// Returns the outcome of a row that the show does not have.
fn absent(state: &State) -> Outcome {
    match state {
        State::Ended(Outcome::Unaccounted(_)) => Outcome::Failed(NOT_THERE.to_owned()),
        _ => Outcome::NotSent,
    }
}
