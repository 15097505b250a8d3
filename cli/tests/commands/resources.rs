//! The commands that are alike for all resources.

use serde_json::Value;

use crate::process::run;

#[test]
fn a_list_is_written_in_every_format() {
    let ran = |arguments: &[&str]| {
        let ran = run(&[&["--sandbox", "--quiet", "customers", "list"][..], arguments].concat());
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
        ran.stdout
    };
    assert_eq!(serde_json::from_str::<Vec<Value>>(&ran(&["--json"])).unwrap().len(), 45);
    assert_eq!(ran(&["--format", "jsonl", "--page-size", "7"]).lines().count(), 45);
    let csv = ran(&[]);
    assert!(csv.starts_with("id,customerID,customerName,city,"), "{csv}");
    let table = ran(&["--format", "table", "--limit", "2", "--columns", "customerID,city"]);
    assert_eq!(table.lines().count(), 3, "{table}");
    assert!(table.starts_with("customerID  city\nC00001"), "{table}");
    let sorted = ran(&["--format", "csv", "--sort", "customerID:desc", "--limit", "1", "--columns", "customerID"]);
    assert_eq!(sorted, "customerID\nC00045\n");
}

#[test]
fn wrong_arguments_are_usage_errors() {
    for (arguments, text) in [
        (&["list", "--sort", "city:up"][..], "expected a field"),
        (&["list", "--changed-after", "yesterday"], "expected a date such as 2025-01-31"),
        (&["list", "--query", "city"], "expected a name and a value"),
        (&["get", ".."], "an id is expected"),
        (&["create"], "FIELD=VALUE"),
        (&["create", "city"], "expected a field and a value"),
        (&["create", "test:=tr ue"], "expected JSON behind"),
        (&["create", "--file", "/nowhere/record.json"], "cannot be read"),
        (&["changes"], "--since"),
    ] {
        let ran = run(&[&["--sandbox", "--quiet", "customers"][..], arguments].concat());
        let code = if text == "cannot be read" { 1 } else { 2 };
        assert_eq!(ran.code, code, "{ran:?}");
        assert!(ran.stderr.contains(text), "{ran:?}");
    }
}
