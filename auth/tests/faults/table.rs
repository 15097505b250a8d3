//! Reading a table, and holding it against what happens.

use futures_util::StreamExt;

use crate::{
    cell::{Cell, Ending, Grant, Shown},
    endpoint::Wire,
};

/// The number of cells that are filled concurrently.
const AT_ONCE: usize = 32;

/// A line of a table before it is filled.
pub struct Fault {
    pub name: &'static str,
    pub wire: Wire,
    /// The text of the error, where there is one.
    pub reads: &'static str,
}

/// A JSON response.
pub fn json(status: &'static str, headers: &'static str, body: &str) -> Wire {
    Wire::Answer(status, headers, body.to_owned())
}

/// The names in the first column.
pub fn names(table: &'static str) -> Vec<&'static str> {
    lines(table).skip(1).map(|line| line[0]).collect()
}

/// Fills each cell, and fails with all that are not as the table has them.
pub async fn check(table: &'static str, faults: &[Fault], times: usize, shown: Shown) {
    let mut lines = lines(table);
    assert_eq!(lines.next().unwrap()[1..], Grant::ALL.map(Grant::name), "the columns");
    let lines: Vec<_> = lines.collect();
    let in_table: Vec<_> = lines.iter().map(|line| line[0]).collect();
    let known: Vec<_> = faults.iter().map(|fault| fault.name).collect();
    assert_eq!(in_table, known, "each fault has its line");
    let cells = lines.iter().zip(faults).flat_map(|(line, fault)| {
        assert_eq!(line.len(), Grant::ALL.len() + 1, "{}", fault.name);
        Grant::ALL.iter().zip(&line[1..]).map(move |(grant, expected)| (fault, *grant, *expected))
    });
    let wrong = futures_util::stream::iter(cells).map(|(fault, grant, expected)| async move {
        let ending = Cell::start(grant).await.run(fault.wire.clone(), times, shown).await;
        compare(fault, grant, expected, &ending)
    });
    let wrong: Vec<_> = wrong.buffered(AT_ONCE).flat_map(futures_util::stream::iter).collect().await;
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn compare(fault: &Fault, grant: Grant, expected: &str, ending: &Ending) -> Vec<String> {
    let mut wrong = ending.oddities.clone();
    if ending.cell != expected {
        wrong.push(format!("ends as `{}` and not as `{expected}`", ending.cell));
    }
    let reads = match &ending.error {
        None => String::new(),
        Some(_) if ending.cell.starts_with("person") => format!("token: {}", person(grant, fault.reads)),
        Some(_) => format!("token: {}", fault.reads),
    };
    if ending.error.as_deref().unwrap_or_default() != reads {
        wrong.push(format!("reads `{:?}` and not `{reads}`", ending.error));
    }
    wrong.into_iter().map(|what| format!("{} | {}: {what}", fault.name, grant.name())).collect()
}

/// Returns the message of a refusal after which a person is needed.
fn person(grant: Grant, refusal: &str) -> String {
    let words = refusal.trim_start_matches("the token endpoint refused the grant ");
    let anew = "a person has to grant access again, and a new authorization code is needed (`Credentials::code`)";
    match grant {
        Grant::Code => format!(
            "the token endpoint refused the authorization code {words}; unless it was mistyped, or issued for another \
             redirect URI, {anew}"
        ),
        _ => format!("the token endpoint refused the refresh token {words}; {anew}"),
    }
}

fn lines(table: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    table.lines().filter(|line| !line.is_empty()).map(|line| line.split('|').map(str::trim).collect())
}
