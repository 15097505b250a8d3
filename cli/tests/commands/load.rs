//! Loading rows into a show.

use std::{
    fs,
    path::Path,
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};

use perenso_sandbox::{Fault, Sandbox, Step, Target};
use serde_json::{Value, json};

use crate::{
    process::{Ran, interrupt, perenso, sandbox},
    workbook,
};

/// Loads with these arguments in this directory.
fn load(home: &Path, sandbox: &Arc<Sandbox>, arguments: &[&str]) -> Ran {
    let mut command = perenso(&home.join("config"));
    command.current_dir(home).envs(sandbox.vars()).args(arguments);
    command.output().unwrap().into()
}

/// Returns the records of a list by a field.
fn listed(home: &Path, sandbox: &Arc<Sandbox>, resource: &str, key: &str) -> serde_json::Map<String, Value> {
    let ran = load(home, sandbox, &["--json", resource, "list"]);
    let records: Vec<Value> = serde_json::from_str(&ran.stdout).unwrap();
    let count = records.len();
    let by_key: serde_json::Map<_, _> =
        records.into_iter().map(|record| (record[key].as_str().unwrap_or_default().to_owned(), record)).collect();
    assert_eq!(by_key.len(), count, "a record is there twice");
    by_key
}

/// Returns the rows of a result file without its header.
fn rows(home: &Path, name: &str) -> Vec<Vec<String>> {
    let Ok(text) = fs::read_to_string(home.join(name)) else { return Vec::new() };
    let mut reader = csv::Reader::from_reader(text.strip_prefix('\u{feff}').unwrap().as_bytes());
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

/// Waits for the second batch of customers.
fn second_batch(sandbox: &Arc<Sandbox>) {
    let started = Instant::now();
    while sandbox.requests("POST", "/v2/customers/bulk").len() < 2 {
        assert!(started.elapsed() < Duration::from_secs(30), "the second batch does not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn write(home: &Path, name: &str, text: &str) {
    fs::write(home.join(name), text).unwrap();
}

#[test]
fn mistakes_are_left_out_corrected_and_loaded() {
    let (_server, sandbox) = sandbox(Sandbox::builder());
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    write(
        home,
        "stores.csv",
        "customerID,Customer Name,priceZone,salesReps\nC00001,Trade Store 1,702,\n0940,\"A, \"\"B\"\"\",7,USER0001;USER0002\n\
         X1,First,seven,\nX2,Second,2,\nX2,Second again,3,\n,No id,1,\n",
    );
    let arguments = ["customers", "load", "stores.csv", "--empty", "keep"];
    let first = load(home, &sandbox, &arguments);
    assert_eq!(first.code, 3, "{first:?}");
    assert!(
        first.stderr.contains("2 rows succeeded: stores-succeeded.csv\n4 rows failed: stores-failed.csv"),
        "{first:?}"
    );
    let customers = listed(home, &sandbox, "customers", "customerID");
    assert_eq!(customers.len(), 46);
    assert_eq!(customers["0940"]["customerName"], json!("A, \"B\""));
    assert_eq!(customers["0940"]["salesReps"], json!(["USER0001", "USER0002"]));
    assert_eq!(customers["C00001"]["priceZone"], json!(702));
    let failed = rows(home, "stores-failed.csv");
    let reasons: Vec<_> = failed.iter().map(|row| (row[0].as_str(), row[5].as_str())).collect();
    assert_eq!(
        reasons,
        [
            ("4", "`priceZone`: a whole number is expected, without a fraction and without separators, not `seven`"),
            ("5", "`customerID` X2 is the same as in line 6"),
            ("6", "`customerID` X2 is the same as in line 5"),
            ("7", "`customerID` is empty"),
        ]
    );
    let succeeded = rows(home, "stores-succeeded.csv");
    assert_eq!(succeeded[1][..5], ["3", "0940", "A, \"B\"", "7", "USER0001;USER0002"]);
    assert_eq!(Value::from(succeeded[1][5].as_str()), customers["0940"]["id"]);
    // The same file again sends nothing.
    let calls = sandbox.requests("POST", "/v2/customers/bulk").len();
    let again = load(home, &sandbox, &arguments);
    assert!(again.code == 3 && again.stderr.contains("this file was loaded before"), "{again:?}");
    assert_eq!(sandbox.requests("POST", "/v2/customers/bulk").len(), calls);
    // The file of failed rows is corrected in place, and loaded as it is.
    let text = fs::read_to_string(home.join("stores-failed.csv")).unwrap();
    let text = text.replace("seven", "77").replace("6,X2", "6,X3").replace("7,,No id", "7,X4,No id");
    write(home, "stores-failed.csv", &text);
    let corrected = load(home, &sandbox, &["customers", "load", "stores-failed.csv", "--empty", "keep"]);
    assert_eq!(corrected.code, 0, "{corrected:?}");
    let customers = listed(home, &sandbox, "customers", "customerID");
    assert_eq!((customers.len(), &customers["X3"]["priceZone"]), (50, &json!(3)));
    assert_eq!(rows(home, "stores-failed-succeeded.csv").len(), 4);
    assert!(!home.join("stores-failed-failed.csv").exists());
}

#[test]
fn an_empty_cell_means_what_was_said_and_nothing_by_itself() {
    let (_server, sandbox) = sandbox(Sandbox::builder());
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    sandbox.add_customer(json!({"customerID": "A1", "city": "Fargo", "fax": "555-0100"})).unwrap();
    sandbox.add_customer(json!({"customerID": "A2"})).unwrap();
    write(home, "stores.csv", "customerID,city,fax,state\nA1,,,Ohio\nA2,Minot,,\nA3,,,\n");
    let load = |more: &[&str]| load(home, &sandbox, &[&["customers", "load", "stores.csv"][..], more].concat());
    let undecided = load(&[]);
    assert_eq!(undecided.code, 2, "{undecided:?}");
    assert!(undecided.stderr.contains(
        "`city` has 1 empty cell of records that have a value in the show (the first in line 2), `fax` has 1"
    ));
    assert!(!undecided.stderr.contains("`state`"), "no record has one: {undecided:?}");
    assert!(sandbox.requests("POST", "/v2/customers/bulk").is_empty());
    let offline = load(&["--dry-run", "--empty", "city=keep"]);
    assert!(
        offline.code == 2 && offline.stderr.contains("`state` has 2 empty cells (the first in line 3)"),
        "{offline:?}"
    );
    let unknown = load(&["--empty", "town=keep"]);
    assert!(unknown.code == 2 && unknown.stderr.contains("`town`, which is no column"), "{unknown:?}");
    let ran = load(&["--empty", "city=keep", "--empty", "fax=clear", "--empty", "state=refuse"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    let customers = listed(home, &sandbox, "customers", "customerID");
    assert_eq!((&customers["A1"]["city"], &customers["A1"]["state"]), (&json!("Fargo"), &json!("Ohio")));
    assert!(customers["A1"].get("fax").is_none_or(Value::is_null), "{}", customers["A1"]);
    assert_eq!(rows(home, "stores-failed.csv").len(), 2);
}

#[test]
fn a_dry_run_is_offline_and_a_check_of_the_show_sends_nothing() {
    let (_server, sandbox) = sandbox(Sandbox::builder());
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    write(home, "stores.csv", "customerID,test\nC00001,yes\nN1,no\nN2,maybe\n");
    // There is no show at all.
    let dry: Ran = {
        let mut command = perenso(&home.join("nowhere"));
        command.current_dir(home).args(["--json", "customers", "load", "stores.csv", "--dry-run"]);
        command.output().unwrap().into()
    };
    assert_eq!(dry.code, 3, "{dry:?}");
    let report: Value = serde_json::from_str(&dry.stdout).unwrap();
    assert_eq!((&report["rows"], &report["would_be_sent"]), (&json!(3), &json!(2)));
    assert_eq!(report["problems"][0]["line"], json!(4));
    let fields = load(home, &sandbox, &["--json", "customers", "load", "--fields"]);
    let fields: Value = serde_json::from_str(&fields.stdout).unwrap();
    assert_eq!(fields[0], json!({"name": "customerID", "expects": "text"}));
    let checked = load(home, &sandbox, &["customers", "load", "stores.csv", "--check-show"]);
    assert!(checked.stdout.contains("1 of 2 customers in the show, 1 new"), "{checked:?}");
    assert!(sandbox.requests("POST", "/v2/customers/bulk").is_empty());
    let names: Vec<_> = fs::read_dir(home).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!names.iter().any(|name| name.to_string_lossy().contains("journal")), "{names:?}");
}

#[test]
fn vendors_and_order_lines_are_loaded() {
    let (_server, sandbox) = sandbox(Sandbox::builder());
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let before = listed(home, &sandbox, "vendors", "vendorID").len();
    write(
        home,
        "vendors.csv",
        "vendorID,vendorName,city,active\nV0001,First,Fargo,true\n,New one,Minot,no\n,New two,Minot,no\n",
    );
    let ran = load(home, &sandbox, &["vendors", "load", "vendors.csv"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let vendors = listed(home, &sandbox, "vendors", "vendorID");
    assert_eq!((vendors.len(), &vendors["V0001"]["city"]), (before + 2, &json!("Fargo")));
    let calls = sandbox.requests("POST", "/v2/vendors/bulk");
    assert_eq!(calls.len(), 3, "a vendor without an id goes alone");

    let orders: Vec<Value> =
        serde_json::from_str(&load(home, &sandbox, &["--json", "orders", "list", "--limit", "1"]).stdout).unwrap();
    let line = orders[0]["items"][0]["orderLineID"].as_str().unwrap();
    write(home, "lines.csv", &format!("id;Order qty;Delivery date\n{line};12;22.07.2026\nnobody;1;23.07.2026\n"));
    let ran = load(home, &sandbox, &["orders", "load", "lines.csv", "--date-format", "%d.%m.%Y"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert_eq!(rows(home, "lines-failed.csv")[0][1], "nobody");
    let orders: Vec<Value> =
        serde_json::from_str(&load(home, &sandbox, &["--json", "orders", "list", "--limit", "1"]).stdout).unwrap();
    let line = &orders[0]["items"][0];
    assert_eq!((&line["quantity"], &line["deliveryDate"]), (&json!(12), &json!("2026-07-22T00:00:00")), "{line}");
}

#[test]
fn a_lost_response_is_settled_by_reading() {
    let (_server, sandbox) = sandbox(Sandbox::builder());
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let text: String = (0..6).map(|n| format!("L{n},Fargo\n")).collect();
    write(home, "stores.csv", &format!("customerID,city\n{text}"));
    let run = || load(home, &sandbox, &["customers", "load", "stores.csv", "--batch-size", "2"]);
    // The second batch is written, its response is lost for as often as it is tried.
    let upsert = Target::call("POST", "/v2/customers/bulk");
    sandbox.script(Step::new(Fault::DropResponse).after(1).always().on(upsert));
    let lost = run();
    assert!(lost.code == 8 && lost.stderr.contains("the same command goes on there"), "{lost:?}");
    sandbox.clear_faults();
    let sent = sandbox.requests("POST", "/v2/customers/bulk").len();
    let done = run();
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(rows(home, "stores-succeeded.csv").len(), 6);
    let later: Vec<String> = sandbox.requests("POST", "/v2/customers/bulk")[sent..]
        .iter()
        .map(|request| request.json().to_string())
        .collect();
    assert_eq!(later.len(), 1, "{later:?}");
    assert!(later[0].contains("L4") && later[0].contains("L5"), "{later:?}");
}

#[test]
fn what_cannot_be_read_back_stays_unknown_and_is_not_sent_again() {
    let (_server, sandbox) = sandbox(Sandbox::builder());
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let text: String = (0..3).map(|n| format!("C00001,P0000{n},CS,{n}\n")).collect();
    write(home, "history.csv", &format!("customerid,productid,orderUnit,mainNumber\n{text}"));
    let run = |more: &[&str]| {
        load(home, &sandbox, &[&["order-history", "load", "history.csv", "--batch-size", "1"][..], more].concat())
    };
    sandbox.fault_after(1, Fault::DropResponse);
    let lost = run(&[]);
    assert_eq!(lost.code, 8, "{lost:?}");
    let done = run(&[]);
    assert_eq!(done.code, 8, "{done:?}");
    assert_eq!(sandbox.requests("POST", "/OrderHistory").len(), 3, "each row is sent once");
    let unknown = rows(home, "history-unknown.csv");
    assert_eq!((unknown.len(), unknown[0][0].as_str()), (1, "3"));
    // A corrected file cannot be told from the one before.
    write(home, "history.csv", &format!("customerid,productid,orderUnit,mainNumber\n{text}C00002,P00001,CS,9\n"));
    let twice = run(&[]);
    assert!(twice.code == 2 && twice.stderr.contains("cannot be told from"), "{twice:?}");
    let again = run(&["--again"]);
    assert!(again.code == 2 && again.stderr.contains("whose outcome is unknown"), "{again:?}");
    assert_eq!(sandbox.requests("POST", "/OrderHistory").len(), 3);
}

#[test]
fn a_load_goes_on_only_as_it_was_begun() {
    let (_server, sandbox) = sandbox(Sandbox::builder());
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let begun = |name: &str| {
        write(home, name, "customerID,city\nB1,Fargo\nB2,Minot\n");
        sandbox.fault_after(1, Fault::status(403));
        let ran = load(home, &sandbox, &["customers", "load", name, "--batch-size", "1"]);
        assert!(ran.code == 1 && ran.stderr.contains("the same command goes on"), "{ran:?}");
    };
    begun("a.csv");
    write(home, "a.csv", "customerID,city\nB1,Fargo\nB2,Bismarck\n");
    let changed = load(home, &sandbox, &["customers", "load", "a.csv"]);
    assert!(
        changed.code == 2
            && changed.stderr.contains(
                "`a.csv` has changed since a load of it was interrupted: to load it from its beginning, add `--again`"
            ),
        "{changed:?}"
    );
    begun("b.csv");
    let rules = load(home, &sandbox, &["customers", "load", "b.csv", "--ignore", "city"]);
    assert!(rules.code == 2 && rules.stderr.contains("with other columns or rules"), "{rules:?}");
    let resource = load(home, &sandbox, &["vendors", "load", "b.csv", "--ignore", "customerID"]);
    assert!(resource.code == 2 && resource.stderr.contains("as another resource"), "{resource:?}");
    let (_other_server, other) = self::sandbox(Sandbox::builder());
    let show = load(home, &other, &["customers", "load", "b.csv"]);
    assert!(show.code == 2 && show.stderr.contains("into another show"), "{show:?}");
    assert_eq!(load(home, &sandbox, &["customers", "load", "b.csv"]).code, 0);
    // Another show knows nothing of the rows.
    let loaded = load(home, &other, &["customers", "load", "b.csv"]);
    assert!(loaded.code == 0 && !loaded.stderr.contains("loaded before"), "{loaded:?}");
    assert!(listed(home, &other, "customers", "customerID").contains_key("B2"));
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_behind_the_batch_in_flight() {
    let (_server, sandbox) = sandbox(Sandbox::builder());
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let text: String = (0..10).map(|n| format!("I{n},Fargo\n")).collect();
    write(home, "stores.csv", &format!("customerID,city\n{text}"));
    let arguments = ["customers", "load", "stores.csv", "--batch-size", "2"];
    let mut command = perenso(&home.join("config"));
    command.current_dir(home).envs(sandbox.vars()).args(arguments);
    sandbox.fault_after(1, Fault::Delay(Duration::from_secs(4)));
    let child = command.stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    second_batch(&sandbox);
    interrupt(child.id());
    let ran: Ran = child.wait_with_output().unwrap().into();
    assert!(ran.code == 7 && ran.stderr.contains("the same command goes on there"), "{ran:?}");
    assert_eq!(sandbox.requests("POST", "/v2/customers/bulk").len(), 2);
    assert!(!home.join("stores-succeeded.csv").exists());
    let done = load(home, &sandbox, &arguments);
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(rows(home, "stores-succeeded.csv").len(), 10);
    assert_eq!(sandbox.requests("POST", "/v2/customers/bulk").len(), 5, "no row is sent twice");
}

#[test]
fn a_file_that_changes_while_it_is_loaded_ends_the_load() {
    let (_server, sandbox) = sandbox(Sandbox::builder());
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let text: String = (0..6).map(|n| format!("M{n},Fargo\n")).collect();
    write(home, "stores.csv", &format!("customerID,city\n{text}"));
    let mut command = perenso(&home.join("config"));
    command.current_dir(home).envs(sandbox.vars());
    command.args(["customers", "load", "stores.csv", "--batch-size", "2"]);
    sandbox.fault_after(1, Fault::Delay(Duration::from_secs(3)));
    let child = command.stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    second_batch(&sandbox);
    // Somebody sorts the rows, and saves them.
    let sorted: String = (0..6).rev().map(|n| format!("M{n},Fargo\n")).collect();
    write(home, "stores.csv", &format!("customerID,city\n{sorted}"));
    let ran: Ran = child.wait_with_output().unwrap().into();
    assert!(ran.code == 1 && ran.stderr.contains("has changed while it was read"), "{ran:?}");
    assert_eq!(sandbox.requests("POST", "/v2/customers/bulk").len(), 2);
}

#[test]
fn a_workbook_that_is_saved_unchanged_goes_on() {
    let (_server, sandbox) = sandbox(Sandbox::builder());
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let rows: String = (2..6)
        .map(|n| {
            workbook::row(
                n,
                &[workbook::text(&format!("A{n}"), &format!("W{n}")), workbook::text(&format!("B{n}"), "Fargo")],
            )
        })
        .collect();
    let rows = workbook::row(1, &[workbook::text("A1", "Store no."), workbook::text("B1", "city")]) + &rows;
    let run = || {
        load(
            home,
            &sandbox,
            &["customers", "load", "stores.xlsx", "--column", "store NO=customerID", "--batch-size", "2"],
        )
    };
    workbook::write(&home.join("stores.xlsx"), &[("Stores", &rows, "")]);
    sandbox.fault_after(1, Fault::status(403));
    let begun = run();
    assert!(
        begun.code == 1 && begun.stderr.contains("note: 2 of 4 rows were sent; the same command goes on"),
        "{begun:?}"
    );
    // Saved by a program that writes other bytes.
    workbook::write(&home.join("stores.xlsx"), &[("Stores", &rows, ""), ("Empty", "", "")]);
    let done = run();
    assert!(done.code == 0 && done.stderr.contains("4 rows succeeded"), "{done:?}");
    assert_eq!(sandbox.requests("POST", "/v2/customers/bulk").len(), 3);
}

#[test]
fn a_show_that_was_started_anew_is_noticed() {
    let (_server, sandbox) = sandbox(Sandbox::builder());
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    write(home, "stores.csv", "customerID,city\nR1,Fargo\nR2,Minot\nR3,Fargo\n");
    let run = |more: &[&str]| {
        load(home, &sandbox, &[&["customers", "load", "stores.csv", "--batch-size", "1"][..], more].concat())
    };
    sandbox.fault_after(2, Fault::status(403));
    assert_eq!(run(&[]).code, 1);
    sandbox.reset();
    let gone = run(&[]);
    assert!(
        gone.code == 2 && gone.stderr.contains("2 customers that the show accepted are no longer in it"),
        "{gone:?}"
    );
    // What is begun again is gone on with by the same command.
    sandbox.fault_after(3, Fault::status(403));
    assert_eq!(run(&["--again"]).code, 1);
    let sent = sandbox.requests("POST", "/v2/customers/bulk").len();
    // An error of the show says nothing about its rows.
    sandbox.fault(Fault::status(403));
    assert_eq!(run(&["--again"]).code, 1);
    assert_eq!(sandbox.requests("POST", "/v2/customers/bulk").len(), sent);
    let again = run(&["--again"]);
    assert!(again.code == 0 && again.stderr.contains("3 rows succeeded"), "{again:?}");
    assert!(sandbox.requests("POST", "/v2/customers/bulk").len() < sent + 3, "it begins anew");
    sandbox.reset();
    let loaded = run(&[]);
    assert!(loaded.code == 2 && loaded.stderr.contains("3 customers that the show accepted"), "{loaded:?}");
    assert_eq!(run(&["--again"]).code, 0);
    assert_eq!(listed(home, &sandbox, "customers", "customerID").len(), 48);
}

#[test]
fn corrections_and_trials_are_not_overwritten() {
    let (_server, sandbox) = sandbox(Sandbox::builder());
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let run = |arguments: &[&str]| load(home, &sandbox, &[arguments, &["--empty", "keep"]].concat());
    write(home, "stores.csv", "customerID,priceZone\nK1,1\nK2,two\n");
    assert_eq!(run(&["customers", "load", "stores.csv"]).code, 3);
    // Somebody corrects the failed rows, and then loads another version of the first file.
    let corrected = fs::read_to_string(home.join("stores-failed.csv")).unwrap().replace("two", "2");
    write(home, "stores-failed.csv", &corrected);
    write(home, "stores.csv", "customerID,priceZone\nK1,1\nK2,two\nK3,three\n");
    let refused = run(&["customers", "load", "stores.csv"]);
    assert!(refused.code == 2 && refused.stderr.contains("`stores-failed.csv` was changed since"), "{refused:?}");
    assert_eq!(fs::read_to_string(home.join("stores-failed.csv")).unwrap(), corrected);
    assert_eq!(run(&["customers", "load", "stores-failed.csv"]).code, 0);
    fs::remove_file(home.join("stores-failed.csv")).unwrap();
    assert_eq!(run(&["customers", "load", "stores.csv"]).code, 3);
    // What the command has written itself is replaced, and gone while another load is not at its end.
    write(home, "stores.csv", "customerID,priceZone\nK1,1\nK4,four\n");
    sandbox.fault(Fault::status(403));
    assert_eq!(run(&["customers", "load", "stores.csv"]).code, 1);
    assert!(!home.join("stores-failed.csv").exists() && !home.join("stores-succeeded.csv").exists());
    // A trial is no load of the show.
    let mut trial = perenso(&home.join("config"));
    trial.current_dir(home).args(["--sandbox", "customers", "load", "stores.csv"]);
    let trial: Ran = trial.output().unwrap().into();
    assert!(trial.code == 3 && trial.stderr.contains("stores-sandbox-failed.csv"), "{trial:?}");
    let done = run(&["customers", "load", "stores.csv"]);
    assert!(done.code == 3 && done.stderr.contains("going on with a load"), "{done:?}");
}
