//! Files of other programs are read, and files for other programs are read by them: openpyxl, Python's csv, pyarrow.

use std::{fs, path::Path, process::Command};

use perenso_sandbox::{Export, Sandbox};

use crate::process::{Ran, perenso, sandbox};

/// Writes a workbook as a person would type it: numbers that are shown with zeros, dates, text, an empty cell.
const WRITE: &str = r#"
import datetime, openpyxl
book = openpyxl.Workbook()
sheet = book.active
sheet.append(["id", "Order Qty", "Delivery Date", "notes"])
sheet.append([940, 12, datetime.date(2026, 7, 22), "Zürich, \"West\""])
sheet["A2"].number_format = "0000"
sheet.append(["011", 3, datetime.datetime(2026, 7, 23, 8, 30), None])
book.save("lines.xlsx")
"#;

/// Reads the files of an export, and prints the same rows for each.
const READ: &str = r#"
import csv, openpyxl, pyarrow.parquet
rows = [[str(cell.value) for cell in row] for row in openpyxl.load_workbook("rows.xlsx").active.iter_rows()]
with open("rows.csv", newline="", encoding="utf-8") as file:
    assert [row[:2] for row in csv.reader(file)] == [row[:2] for row in rows], "csv"
table = pyarrow.parquet.read_table("rows.parquet")
assert [str(value) for value in table.column(0).to_pylist()] == [row[0] for row in rows[1:]], "parquet"
with open("lines-failed.csv", newline="", encoding="utf-8-sig") as file:
    print([row["id"] for row in csv.DictReader(file)], len(rows) - 1)
"#;

/// Runs a script of Python; `None` where there is no Python with the readers.
#[allow(clippy::print_stdout, reason = "a skipped test says so")]
fn python(directory: &Path, script: &str) -> Option<Ran> {
    let python = std::env::var_os("PERENSO_PYTHON").unwrap_or_else(|| "python3".into());
    let is_required = std::env::var_os("PERENSO_REQUIRE_READERS").is_some();
    let has = Command::new(&python).args(["-c", "import openpyxl, pyarrow.parquet"]).output();
    if !has.is_ok_and(|has| has.status.success()) {
        assert!(!is_required, "PERENSO_REQUIRE_READERS is set, and there is no Python with openpyxl and pyarrow");
        println!("skipped: no Python with openpyxl and pyarrow");
        return None;
    }
    Some(Command::new(python).current_dir(directory).args(["-c", script]).output().unwrap().into())
}

#[test]
fn readback_other_programs_write_and_read_the_files() {
    let (_server, sandbox) = sandbox(Sandbox::builder().exports([Export::order_lines(700)]));
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let Some(written) = python(home, WRITE) else { return };
    assert_eq!(written.code, 0, "{written:?}");
    let run = |arguments: &[&str]| -> Ran {
        let mut command = perenso(&home.join("config"));
        command.current_dir(home).envs(sandbox.vars()).args(arguments).output().unwrap().into()
    };
    let dry = run(&["orders", "load", "lines.xlsx", "--dry-run", "--empty", "keep"]);
    let first = "the first row to send: id \"0940\", deliveryDate \"2026-07-22T00:00:00\", orderQty 12, notes \"Zürich, \\\"West\\\"\"";
    assert!(dry.code == 0 && dry.stdout.contains(first), "{dry:?}");
    // Neither of the two lines is one of the show.
    assert_eq!(run(&["orders", "load", "lines.xlsx", "--empty", "keep"]).code, 3);
    for name in ["rows.xlsx", "rows.csv", "rows.parquet"] {
        let ran = run(&["export", "run", "Order Lines", "--pages", "--param", "Limit=500", "-o", name]);
        assert_eq!(ran.code, 0, "{ran:?}");
    }
    let read = python(home, READ).unwrap();
    assert_eq!((read.code, read.stdout.as_str()), (0, "['0940', '011'] 700\n"), "{read:?}");
    assert!(fs::read(home.join("lines-failed.csv")).unwrap().starts_with("\u{feff}".as_bytes()));
}
