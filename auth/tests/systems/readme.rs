//! The README's table: every cell leads to a test, and every link to one that exists.

use std::{fs, path::Path};

/// The targets of the links in a text.
fn links(text: &str) -> Vec<&str> {
    text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target).collect()
}

#[test]
fn every_cell_of_the_table_links_to_a_test_that_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let table = readme.lines().skip_while(|line| !line.starts_with("| | Perenso |")).skip(2);
    let rows: Vec<Vec<_>> = table
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect();
    assert!(rows.len() >= 10, "the table was not found");
    for row in &rows {
        assert_eq!(row.len(), 6, "a feature and five systems: {row:?}");
        for (cell, system) in row[1..].iter().zip(["perenso", "priava", "perspio", "event_bookings", "tourpaq"]) {
            let targets = links(cell);
            assert!(!targets.is_empty(), "no test for {}: {cell}", row[0]);
            for target in targets {
                let own = format!("tests/systems/{system}.rs#");
                let of_all = ["tests/systems/secrecy.rs#", "tests/systems/unusable.rs#"];
                assert!(target.starts_with(&own) || of_all.iter().any(|file| target.starts_with(file)), "{target}");
            }
        }
    }
    let tests: Vec<_> = links(&readme).into_iter().filter_map(|target| target.split_once(".rs#")).collect();
    assert!(tests.len() >= 50);
    for (file, test) in tests {
        let source = fs::read_to_string(root.join(file).with_extension("rs")).unwrap();
        let attributes = ["#[test]\nfn ", "#[tokio::test]\nasync fn "];
        let exists = attributes.iter().any(|attribute| source.contains(&format!("{attribute}{test}()")));
        assert!(exists, "{file}.rs has no test {test}");
    }
    for target in links(&readme).into_iter().filter(|target| target.starts_with("examples/")) {
        assert!(root.join(target).is_file(), "{target}");
    }
}
