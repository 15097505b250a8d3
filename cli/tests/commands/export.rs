//! Exports, and the files of their rows.

use std::{path::Path, process::Stdio, sync::Arc, time::Duration};

use calamine::{Data, DataType, Reader, Xlsx, open_workbook};
use perenso_sandbox::{Export, Fault, RowSyntax, Sandbox};
use serde_json::{Value, json};

#[cfg(unix)]
use crate::process::interrupt;
use crate::process::{Ran, perenso, run, sandbox};

/// Runs `perenso export` against a sandbox, in this directory.
fn export(home: &Path, sandbox: &Arc<Sandbox>, arguments: &[&str]) -> Ran {
    let mut command = perenso(home);
    command.current_dir(home).arg("export").args(arguments).envs(sandbox.vars());
    command.output().unwrap().into()
}

/// Returns the names in a directory, without those of the command's own settings.
fn names(home: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(home).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name != "tokens").collect();
    names.sort();
    names
}

fn stores() -> Export {
    let rows = [
        json!({"code": "0940", "name": "Example, Ltd", "total": 12.5, "open": true, "since": "2025-01-31"}),
        json!({"code": "1e5", "name": "Two\nlines", "total": 100, "open": false, "since": null}),
    ];
    Export::new("st26or", "Stores").rows(rows.to_vec())
}

#[test]
fn exports_are_listed_and_described() {
    let ran = |arguments: &[&str]| {
        let ran = run(&[&["--sandbox", "export"][..], arguments].concat());
        assert_eq!(ran.code, 0, "{ran:?}");
        ran
    };
    let csv = ran(&["list"]);
    assert!(csv.stdout.starts_with("name,id,parameters\n"), "{csv:?}");
    assert!(csv.stdout.contains("Get API Customers,79aag9,\"Cursor, Limit\"\n"), "{csv:?}");
    let all: Vec<Value> = serde_json::from_str(&ran(&["list", "--json"]).stdout).unwrap();
    assert!(all.iter().any(|export| export["parameters"] == json!(["Cursor", "Limit"])), "{all:?}");
    assert!(ran(&["list", "--format", "table"]).stdout.starts_with("name "));
    let described = ran(&["describe", "Get API Customers"]);
    assert!(described.stdout.starts_with("name,type,required,default,expected,description\nCursor,Integer,true,,"));
    assert!(
        described.stderr.contains("perenso export run \"Get API Customers\" --pages -o rows.xlsx"),
        "{described:?}"
    );
    let json: Value = serde_json::from_str(&ran(&["describe", "79aag9", "--json"]).stdout).unwrap();
    assert_eq!((&json["name"], &json["parameters"][1]["type"]), (&"Get API Customers".into(), &"Integer".into()));
}

#[test]
fn every_format_is_read_back() {
    let (_server, sandbox) = sandbox(Sandbox::builder().exports([stores()]));
    let home = tempfile::tempdir().unwrap();
    let written = |arguments: &[&str]| {
        let ran = export(home.path(), &sandbox, &[&["run", "Stores"], arguments].concat());
        assert_eq!(ran.code, 0, "{ran:?}");
        ran
    };
    let ran = written(&["-o", "stores.csv"]);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", "2 rows in stores.csv\n"));
    let path = |name: &str| home.path().join(name);
    let csv = std::fs::read_to_string(path("stores.csv")).unwrap();
    let records: Vec<Vec<String>> =
        csv::Reader::from_reader(csv.as_bytes()).into_deserialize().collect::<Result<_, _>>().unwrap();
    assert_eq!(records[0], ["0940", "Example, Ltd", "true", "2025-01-31", "12.5"]);
    assert_eq!(records[1][1], "Two\nlines");

    written(&["-o", "stores.jsonl"]);
    let lines = std::fs::read_to_string(path("stores.jsonl")).unwrap();
    let rows: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((rows.len(), &rows[0]["code"], &rows[1]["total"]), (2, &"0940".into(), &100.into()));

    let summary: Value = serde_json::from_str(&written(&["-o", "stores.xlsx", "--json"]).stdout).unwrap();
    assert_eq!((&summary["rows"], &summary["columns"][0]["type"]), (&2.into(), &"text".into()));
    let mut book: Xlsx<_> = open_workbook(path("stores.xlsx")).unwrap();
    let sheet = book.worksheet_range("Rows").unwrap();
    let cell = |row: usize, column: usize| sheet.get((row, column)).cloned().unwrap_or_default();
    assert_eq!((cell(1, 0), cell(2, 0)), (Data::String("0940".to_owned()), Data::String("1e5".to_owned())));
    assert_eq!((cell(1, 2).get_bool(), cell(1, 4).get_float()), (Some(true), Some(12.5)));
    assert!(cell(1, 3).is_datetime() && cell(2, 3).is_empty());

    written(&["-o", "stores.parquet"]);
    let parquet = std::fs::read(path("stores.parquet")).unwrap();
    assert!(parquet.starts_with(b"PAR1") && parquet.ends_with(b"PAR1"));

    // Standard output has the same rows.
    assert_eq!(written(&[]).stdout, csv);
    assert_eq!(written(&["-o", "-", "--format", "jsonl"]).stdout, lines);
    assert_eq!(names(home.path()), ["stores.csv", "stores.jsonl", "stores.parquet", "stores.xlsx"]);
}

#[test]
fn all_pages_are_read_and_values_are_text() {
    let rows = |arguments: &[&str]| {
        let ran = run(&[&["--sandbox", "--quiet", "export", "run", "Get API Customers"][..], arguments].concat());
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
        ran.stdout.lines().count() - 1
    };
    assert_eq!(rows(&["--pages"]), 45);
    assert_eq!(rows(&["--pages", "--param", "Limit=7", "--param", "Cursor=2"]), 38);
    assert_eq!(rows(&["-p", "Cursor=1", "-p", "Limit=7"]), 7);
}

#[test]
fn wrong_arguments_name_what_was_expected() {
    for (arguments, code, texts) in [
        (
            &["Get API Customers", "--param", "Cursor=1", "--param", "Limit=many"][..],
            2,
            &["`Limit`: expected Integer, 64 bits", "found a string"][..],
        ),
        (&["Get API Customers", "--param", "Limti=5", "--pages"], 2, &["did you mean `Limit`?"]),
        (&["Get API Customers"], 2, &["`Cursor`: missing", "with `--pages` all pages are read"]),
        (&["Get API Customer"], 5, &["no export has the name `Get API Customer`; there are `Get API Customers`"]),
        (&["Vendors", "--param", "Limit"], 2, &["expected a name and a value"]),
        (&["Vendors", "-o", "vendors.docx"], 2, &["expected .csv, .jsonl, .parquet or .xlsx"]),
        (&["Vendors", "--format", "xlsx"], 2, &["standard output takes CSV or JSON lines"]),
        (&["Vendors", "--rows", "xml"], 2, &["expected json, jsonl, csv"]),
        (&["Vendors", "--count", "offset"], 2, &["--pages"]),
        (&["Vendors", "-o", "/nowhere/vendors.xlsx"], 1, &["/nowhere/vendors.xlsx", "cannot be written"]),
    ] {
        let ran = run(&[&["--sandbox", "export", "run"][..], arguments].concat());
        assert_eq!(ran.code, code, "{ran:?}");
        assert!(texts.iter().all(|text| ran.stderr.contains(text)), "{ran:?}");
    }
}

#[test]
fn a_failed_export_leaves_no_file_and_the_old_one_as_it_was() {
    let lines = || Export::order_lines(3000);
    let (_server, sandbox) = sandbox(Sandbox::builder().exports([lines()]));
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("old.xlsx"), "the one before").unwrap();
    let pages = ["run", "Order Lines", "--pages", "--param", "Limit=500", "-o"];
    for name in ["new.csv", "new.jsonl", "new.parquet", "new.xlsx", "old.xlsx", "-"] {
        let sandbox = &sandbox;
        // The catalog, then the pages: the fault is in the third one.
        sandbox.fault_after(3, Fault::status(403));
        let failed = export(home.path(), sandbox, &[&pages[..], &[name]].concat());
        assert_eq!((failed.code, failed.stdout.as_str()), (1, ""), "{failed:?}");
    }
    assert_eq!(names(home.path()), ["old.xlsx"]);
    assert_eq!(std::fs::read_to_string(home.path().join("old.xlsx")).unwrap(), "the one before");
}

#[test]
fn the_syntax_of_rows_can_be_told() {
    let body = r#"{"data":{"items":[{"code":"0940"},{"code":"0941"}]},"total":2}"#;
    let exports = [
        Export::new("aa26aa", "Enveloped").body("text/plain", body),
        Export::new("bb26bb", "Semicolons").body("text/plain", "code;city\n0940;Fargo\n"),
    ];
    let (_server, sandbox) = sandbox(Sandbox::builder().exports(exports));
    let home = tempfile::tempdir().unwrap();
    let rows = |name, syntax| export(home.path(), &sandbox, &["run", name, "--rows", syntax]).stdout;
    assert_eq!(rows("Enveloped", "member:data.items"), "code\r\n0940\r\n0941\r\n");
    assert_eq!(rows("Semicolons", "csv:;"), "code,city\r\n0940,Fargo\r\n");
}

#[test]
fn a_changed_column_is_refused_or_accepted() {
    let home = tempfile::tempdir().unwrap();
    let of = |row: Value, more: &[&str]| {
        let (_server, sandbox) = sandbox(Sandbox::builder().exports([Export::new("st26or", "Stores").rows(vec![row])]));
        let arguments = ["run", "Stores", "-o", "stores.csv", "--schema", "stores.json"];
        export(home.path(), &sandbox, &[&arguments, more].concat())
    };
    assert_eq!(of(json!({"code": "0940"}), &[]).code, 0);
    let refused = of(json!({"code": "0940", "city": "Fargo"}), &[]);
    assert!(refused.code == 1 && refused.stderr.contains("column `city`: not in the schema"), "{refused:?}");
    assert_eq!(of(json!({"code": "0940", "city": "Fargo"}), &["--accept-changes"]).code, 0);
}

#[test]
fn an_interrupted_export_is_resumed() {
    is_resumed(RowSyntax::Array);
}

#[test]
fn an_interrupted_export_of_csv_is_resumed() {
    is_resumed(RowSyntax::Csv);
}

fn is_resumed(syntax: RowSyntax) {
    let (_server, sandbox) = sandbox(Sandbox::builder().exports([Export::order_lines(3000).syntax(syntax)]));
    let home = tempfile::tempdir().unwrap();
    let arguments = ["run", "Order Lines", "--pages", "--param", "Limit=500"];
    let lines = |more: &[&str]| export(home.path(), &sandbox, &[&arguments[..], more].concat());
    assert_eq!(lines(&["-o", "whole.csv"]).code, 0);
    let whole = std::fs::read_to_string(home.path().join("whole.csv")).unwrap();
    for name in ["lines.csv", "lines.xlsx"] {
        let more = ["-o", name, "--resume"];
        sandbox.fault_after(3, Fault::status(403));
        let failed = lines(&more);
        assert!(failed.code == 1 && failed.stderr.contains("rows are kept; the same command goes on"), "{failed:?}");
        assert_eq!(names(home.path())[..2], [format!(".{name}.cursor"), format!(".{name}.rows")]);
        assert!(!home.path().join(name).exists());
        // Other values are another run.
        let other = export(home.path(), &sandbox, &[&["run", "Order Lines", "--pages"][..], &more].concat());
        assert!(other.code == 2 && other.stderr.contains("was begun with another export"), "{other:?}");
        // Rows that were written without their cursor are read again.
        let rows = home.path().join(format!(".{name}.rows"));
        let kept = std::fs::read_to_string(&rows).unwrap();
        std::fs::write(&rows, kept + ",{\"half\":").unwrap();
        let done = lines(&more);
        assert!(done.code == 0 && done.stderr.contains("going on behind"), "{done:?}");
        assert!(done.stderr.contains(&format!("3000 rows in {name}")), "{done:?}");
    }
    assert_eq!(names(home.path()), ["lines.csv", "lines.xlsx", "whole.csv"]);
    assert_eq!(std::fs::read_to_string(home.path().join("lines.csv")).unwrap(), whole);
    let nowhere = lines(&["--resume"]);
    assert!(nowhere.code == 2 && nowhere.stderr.contains("add `-o FILE`"), "{nowhere:?}");
}

/// A limit on the size of files stands in for a full disk: the write fails alike.
#[cfg(unix)]
#[test]
fn a_full_disk_is_one_sentence_and_no_file() {
    let (_server, sandbox) = sandbox(Sandbox::builder().exports([Export::order_lines_since(20_000)]));
    let home = tempfile::tempdir().unwrap();
    // The tokens are small enough, the rows are not.
    let script = r#"trap '' XFSZ; ulimit -f 64; exec "$0" "$@""#;
    for name in ["lines.csv", "lines.jsonl", "lines.parquet", "lines.xlsx"] {
        let mut command = std::process::Command::new("sh");
        command.args(["-c", script, env!("CARGO_BIN_EXE_perenso"), "export", "run", "Order Lines Since"]);
        command.args(["--param", "Since=2025-01-01T00:00:00Z", "-o", name]);
        command.current_dir(home.path()).env("PERENSO_CONFIG_DIR", home.path()).envs(sandbox.vars());
        let full: Ran = command.output().unwrap().into();
        assert_eq!((full.code, full.stderr.lines().count()), (1, 1), "{full:?}");
        let expected = format!("{name}` cannot be written: File too large");
        assert!(full.stderr.contains(&expected), "{full:?}");
        assert!(names(home.path()).is_empty(), "{:?}", names(home.path()));
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_export_leaves_nothing_or_what_resume_needs() {
    for (more, left) in [(&[][..], &[][..]), (&["--resume"], &[".lines.xlsx.cursor", ".lines.xlsx.rows"])] {
        let (_server, sandbox) = sandbox(Sandbox::builder().exports([Export::order_lines(3000)]));
        let home = tempfile::tempdir().unwrap();
        let mut command = perenso(home.path());
        command.current_dir(home.path()).envs(sandbox.vars());
        command
            .args(["export", "run", "Order Lines", "--pages", "--param", "Limit=500", "-o", "lines.xlsx"])
            .args(more);
        sandbox.fault_after(3, Fault::Delay(Duration::from_secs(60)));
        let child = command.stderr(Stdio::piped()).spawn().unwrap();
        while sandbox.requests("POST", "/Export/ol26pg").len() < 2 {
            std::thread::sleep(Duration::from_millis(10));
        }
        interrupt(child.id());
        let ran: Ran = child.wait_with_output().unwrap().into();
        assert_eq!(ran.code, 7, "{ran:?}");
        assert_eq!(names(home.path()), left);
    }
}

/// Whenever the command is killed, the rows that it kept are the first rows, and the next run has them all.
#[cfg(unix)]
#[test]
fn a_killed_export_is_resumed() {
    let (_server, sandbox) = sandbox(Sandbox::builder().exports([Export::order_lines(6000)]));
    let home = tempfile::tempdir().unwrap();
    let arguments = ["run", "Order Lines", "--pages", "--param", "Limit=500"];
    let whole = export(home.path(), &sandbox, &[&arguments[..], &["-o", "whole.csv"]].concat());
    assert_eq!(whole.code, 0, "{whole:?}");
    for pages in [1, 4, 9] {
        let mut command = perenso(home.path());
        command.current_dir(home.path()).envs(sandbox.vars()).arg("export").args(arguments);
        let before = sandbox.requests("POST", "/Export/ol26pg").len();
        sandbox.fault_after(pages, Fault::Delay(Duration::from_secs(60)));
        let mut child = command.args(["-o", "lines.csv", "--resume"]).stderr(Stdio::null()).spawn().unwrap();
        let started = std::time::Instant::now();
        while sandbox.requests("POST", "/Export/ol26pg").len() < before + pages {
            assert!(started.elapsed() < Duration::from_secs(60), "page {pages} is not read");
            std::thread::sleep(Duration::from_millis(5));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        sandbox.clear_faults();
    }
    assert!(!home.path().join("lines.csv").exists());
    let done = export(home.path(), &sandbox, &[&arguments[..], &["-o", "lines.csv", "--resume"]].concat());
    assert!(done.code == 0 && done.stderr.contains("6000 rows in lines.csv"), "{done:?}");
    let read = |name: &str| std::fs::read_to_string(home.path().join(name)).unwrap();
    assert_eq!(read("lines.csv"), read("whole.csv"));
}
