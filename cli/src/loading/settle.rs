//! Finds out by reading what became of rows without an outcome.

use std::collections::HashMap;

use perenso::Perenso;
use serde_json::{Map, Value};

use super::{
    input::Input,
    journal::{Journal, Outcome, State},
    show_data::{Comparison, compare, each_record},
};
use crate::output::Failure;

/// The reason of a row that the show neither named nor has.
const NOT_THERE: &str = "the show said nothing about it, and does not have it like this";

/// Reads the show for rows whose response was lost or did not name them, and notes what became of them. Nothing is sent.
/// Returns the number of those rows.
///
/// A row that the show does not have was not written, and is sent later, unless its response came. Rows without a key cannot be
/// found, and stay unknown.
pub(crate) async fn settle(show: &Perenso, input: &Input, journal: &mut Journal) -> Result<usize, Failure> {
    let is_open =
        |state: &State| matches!(state, State::InFlight | State::Ended(Outcome::Unknown | Outcome::Unaccounted(_)));
    let open = journal.rows(is_open);
    if open.is_empty() {
        return Ok(0);
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
    journal.outcomes(outcomes)?;
    Ok(open.len())
}

/// Returns the outcome of a row that the show does not have.
fn absent(state: &State) -> Outcome {
    match state {
        State::Ended(Outcome::Unaccounted(_)) => Outcome::Failed(NOT_THERE.to_owned()),
        _ => Outcome::NotSent,
    }
}
