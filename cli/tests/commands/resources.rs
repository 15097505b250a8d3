//! The commands that are alike for all resources.

use perenso_sandbox::{Fault, Sandbox};
use serde_json::Value;

use crate::process::{Ran, perenso, run, sandbox};

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
        (&["list", "--columns", ""], "a value is required"),
        (&["list", "-o", "customers.docx"], "names no format: expected .xlsx, .csv"),
        (&["list", "-o", "/nowhere/customers.csv"], "`/nowhere/customers.csv` cannot be written"),
    ] {
        let ran = run(&[&["--sandbox", "--quiet", "customers"][..], arguments].concat());
        let code = if text.contains("cannot be") { 1 } else { 2 };
        assert_eq!(ran.code, code, "{ran:?}");
        assert!(ran.stderr.contains(text), "{ran:?}");
    }
}

#[test]
fn a_column_that_no_record_has_is_named() {
    let ran = run(&["--sandbox", "customers", "list", "--limit", "1", "--columns", "customerID,ctiy"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "customerID,ctiy\nC00001,\n"), "{ran:?}");
    assert!(ran.stderr.contains("note: no record has the field `ctiy`"), "{ran:?}");
}

#[test]
fn a_file_is_whole_or_not_there() {
    let (_server, sandbox) = sandbox(Sandbox::builder());
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("customers.csv");
    std::fs::write(&file, "the one before").unwrap();
    let list = || -> Ran {
        let mut command = perenso(home.path());
        command.args(["customers", "list", "--page-size", "10", "-o", file.to_str().unwrap()]);
        command.envs(sandbox.vars()).output().unwrap().into()
    };
    sandbox.fault_after(2, Fault::status(403));
    let failed = list();
    assert_eq!(failed.code, 1, "{failed:?}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "the one before");
    assert_eq!(list().code, 0);
    assert_eq!(std::fs::read_to_string(&file).unwrap().lines().count(), 46);
    // Nothing else is left beside it, other than the tokens.
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 2);
}

#[cfg(unix)]
#[test]
fn a_file_is_replaced_behind_its_link_and_keeps_its_permissions() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let folder = tempfile::tempdir().unwrap();
    let [file, link] = ["customers.csv", "today.csv"].map(|name| folder.path().join(name));
    std::fs::write(&file, "").unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o640)).unwrap();
    symlink("customers.csv", &link).unwrap();
    let list = |to: &str| run(&["--sandbox", "--quiet", "customers", "list", "--format", "csv", "-o", to]);
    let ran = list(link.to_str().unwrap());
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(std::fs::read_to_string(&file).unwrap().lines().count(), 46);
    // Neither a directory nor a device is replaced.
    std::fs::create_dir(folder.path().join("directory")).unwrap();
    let ran = list(folder.path().join("directory").to_str().unwrap());
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.starts_with("error: `") && ran.stderr.contains("it is not a regular file"), "{ran:?}");
}

#[test]
fn a_watermark_is_kept_only_when_the_records_are() {
    let (_server, sandbox) = sandbox(Sandbox::builder());
    let home = tempfile::tempdir().unwrap();
    let changes = |more: &[&str]| -> Ran {
        let mut command = perenso(home.path());
        command.current_dir(home.path()).envs(sandbox.vars());
        command.args(["customers", "changes", "--watermark", "mark", "--format", "jsonl"]).args(more);
        command.output().unwrap().into()
    };
    assert_eq!(changes(&[]).code, 2);
    let failed = changes(&["--since", "2020-01-01", "-o", "nowhere/changed.jsonl"]);
    assert!(failed.code == 1 && !home.path().join("mark").exists(), "{failed:?}");
    let first = changes(&["--since", "2020-01-01"]);
    assert_eq!((first.code, first.stdout.lines().count()), (0, 45), "{first:?}");
    sandbox.add_customer(serde_json::json!({"customerID": "0940"})).unwrap();
    let next = changes(&[]);
    assert_eq!((next.code, next.stdout.lines().count()), (0, 1), "{next:?}");
    assert!(next.stdout.contains("\"0940\""), "{next:?}");
    std::fs::write(home.path().join("mark"), "{}").unwrap();
    let wrong = changes(&[]);
    assert!(wrong.code == 2 && wrong.stderr.contains("`mark` is no watermark file"), "{wrong:?}");
}

#[test]
fn a_record_is_created_changed_and_deleted() {
    let (_server, sandbox) = sandbox(Sandbox::builder());
    let home = tempfile::tempdir().unwrap();
    let ran = |arguments: &[&str]| -> Ran {
        let mut command = perenso(home.path());
        command.args(["--quiet", "customers"]).args(arguments).envs(sandbox.vars()).output().unwrap().into()
    };
    let created = ran(&["create", "customerID=0940", "test:=true", "--json"]);
    let record: Value = serde_json::from_str(&created.stdout).unwrap();
    assert_eq!((&record["customerID"], &record["test"]), (&"0940".into(), &true.into()), "{created:?}");
    let id = record["id"].as_str().unwrap();
    let updated = ran(&["update", id, "city=Fargo", "--format", "table", "--columns", "city,customerID"]);
    assert_eq!(updated.stdout, "field       value\ncity        Fargo\ncustomerID  0940\n", "{updated:?}");
    assert_eq!(ran(&["delete", id]).code, 0);
    let gone = ran(&["get", "0940"]);
    assert_eq!(gone.code, 5);
    let expected = "none of the customers has the id `0940`. The id is the show's and not your own number; it is in the list: \
                    `perenso customers list --where customerID=0940 --columns id,customerID`";
    assert!(gone.stderr.contains(expected), "{gone:?}");
    assert_eq!(
        ran(&["list", "--where", "customerID=C00007", "--columns", "customerID"]).stdout,
        "customerID\nC00007\n"
    );
    // The response is lost behind the write.
    sandbox.fault(Fault::DropResponse);
    let lost = ran(&["create", "customerID=0941"]);
    assert_eq!(lost.code, 8, "{lost:?}");
    sandbox.revoke_tokens();
    (0..4).for_each(|_| sandbox.token_fault(Fault::status(401)));
    assert_eq!(ran(&["list"]).code, 4);
}

#[test]
fn an_order_is_a_row_for_each_line_in_a_spreadsheet() {
    let list = |arguments: &[&str]| {
        let ran = run(&[&["--sandbox", "--quiet", "orders", "list"][..], arguments].concat());
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
        ran.stdout
    };
    let orders: Vec<Value> = serde_json::from_str(&list(&["--json"])).unwrap();
    let lines: usize = orders.iter().map(|order| order["items"].as_array().unwrap().len()).sum();
    let csv = list(&[]);
    assert!(csv.starts_with("id,orderLineID,customer.id,customer.name,product.id,quantity,price,"), "{csv}");
    assert!(lines > orders.len() && csv.lines().count() == lines + 1, "{lines} lines of {} orders", orders.len());
    let first = &orders[0]["items"][0];
    let row = list(&["--columns", "id,orderLineID,price", "--limit", "1"]);
    let expected =
        format!("{},{},{}", orders[0]["id"].as_str().unwrap(), first["orderLineID"].as_str().unwrap(), first["price"]);
    assert_eq!(row.lines().nth(1), Some(expected.as_str()), "{row}");
}

#[test]
fn a_list_is_a_workbook_in_which_text_stays_text() {
    use calamine::{Data, Reader, Xlsx, open_workbook};

    let (_server, sandbox) = sandbox(Sandbox::builder().customers(1));
    sandbox.add_customer(serde_json::json!({"customerID": "0940", "priceZone": 702})).unwrap();
    let home = tempfile::tempdir().unwrap();
    let list = |columns: &str| -> Ran {
        let mut command = perenso(&home.path().join("config"));
        command.current_dir(home.path()).envs(sandbox.vars());
        command
            .args(["customers", "list", "-o", "all.xlsx", "--sort", "customerID", "--columns", columns])
            .output()
            .unwrap()
            .into()
    };
    let ran = list("customerID,priceZone");
    assert_eq!(ran.code, 0, "{ran:?}");
    let mut workbook: Xlsx<_> = open_workbook(home.path().join("all.xlsx")).unwrap();
    let name = workbook.sheet_names()[0].clone();
    let range = workbook.worksheet_range(&name).unwrap();
    assert_eq!(range.get((0, 0)), Some(&Data::String("customerID".to_owned())));
    assert_eq!(range.get((1, 0)), Some(&Data::String("0940".to_owned())));
    assert_eq!(range.get((1, 1)), Some(&Data::String("702".to_owned())));
}
