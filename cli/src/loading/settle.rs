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

/// Reads the show for rows whose response was lost or did not name them, and notes what became of them. Nothing is sent.
///
/// A row that the show does not have was not written, and is sent later, unless its response came. Rows without a key cannot be
/// found, and stay unknown.
pub(crate) async fn settle(show: &Perenso, input: &Input, journal: &mut Journal) -> Result<(), Failure> {
    if journal.has(is_open) { read_back(show, input, journal, false).await.map(drop) } else { Ok(()) }
}

/// Settles a load of an earlier command, and returns the number of accepted rows that the show no longer has. If there are any,
/// the journal is of a show that is gone, and nothing is noted.
pub(crate) async fn resume(show: &Perenso, input: &Input, journal: &mut Journal) -> Result<usize, Failure> {
    read_back(show, input, journal, true).await
}

/// Returns the error of accepted rows that the show no longer has.
pub(crate) fn missing(rows: usize, input: &Input) -> Failure {
    Failure::usage(format!(
        "{} that the show accepted are no longer in it: was it started anew, or were they deleted? To send all rows again, add \
         `--again`",
        counted(rows as u64, input.target().noun)
    ))
}

/// Returns true if nothing is known of a row that was sent.
fn is_open(state: &State) -> bool {
    matches!(state, State::InFlight | State::Ended(Outcome::Unknown | Outcome::Unaccounted(_)))
}

/// Reads the list once, for rows of both kinds. Rows of a load that has ended are not settled any more.
async fn read_back(
    show: &Perenso,
    input: &Input,
    journal: &mut Journal,
    with_accepted: bool,
) -> Result<usize, Failure> {
    let has_list = input.target().list.is_some();
    let mut accepted: HashSet<String> = HashSet::new();
    let mut wanted: HashMap<String, (u32, Map<String, Value>)> = HashMap::new();
    let mut outcomes: Vec<(u32, Outcome)> = Vec::new();
    let mut rows = input.rows()?;
    while let Some((number, row)) = rows.next()? {
        match journal.state(number) {
            State::Ended(Outcome::Succeeded(_)) if with_accepted && has_list => accepted.extend(input.record(row).key),
            state if is_open(state) && !journal.is_complete() => {
                let checked = input.record(row);
                match checked.key.filter(|_| has_list) {
                    Some(key) => drop(wanted.insert(key, (number, checked.record))),
                    None if *state == State::InFlight => outcomes.push((number, Outcome::Unknown)),
                    None => {}
                }
            }
            _ => {}
        }
    }
    if !wanted.is_empty() || !accepted.is_empty() {
        each_record(show, input.target(), |key, read| {
            accepted.remove(key);
            let Some((number, sent)) = wanted.remove(key) else { return };
            let id = read.get("id").and_then(Value::as_str).map(str::to_owned);
            let outcome = match compare(input.target(), &sent, read) {
                Comparison::Equal => Outcome::Succeeded(id),
                Comparison::Different => absent(journal.state(number)),
                Comparison::Unclear => Outcome::Unknown,
            };
            outcomes.push((number, outcome));
        })
        .await?;
    }
    if accepted.is_empty() {
        outcomes.extend(wanted.into_values().map(|(number, _)| (number, absent(journal.state(number)))));
        outcomes.sort_by_key(|(number, _)| *number);
        journal.outcomes(outcomes)?;
    }
    Ok(accepted.len())
}

/// Returns the outcome of a row that the show does not have.
fn absent(state: &State) -> Outcome {
    match state {
        State::Ended(Outcome::Unaccounted(_)) => Outcome::Failed(NOT_THERE.to_owned()),
        _ => Outcome::NotSent,
    }
}
