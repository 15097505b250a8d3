//! Files to load: encodings, dialects, workbooks, and files that are none.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::{
    process::{Ran, perenso},
    workbook::{self, DATE, PERCENT, ZEROS, row, text, value},
};

fn dry_run(home: &Path, arguments: &[&str]) -> Ran {
    let mut command = perenso(&home.join("config"));
    command.current_dir(home).args(arguments).arg("--dry-run").output().unwrap().into()
}

#[test]
fn encoding_and_delimiter_are_detected_and_said() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let text = |delimiter: char| format!("customerID{delimiter}city\r\n0940{delimiter}\"Zürich{delimiter} West\"\r\n");
    let utf_16 = |mark: &[u8], bytes: fn(u16) -> [u8; 2]| {
        [mark.to_vec(), text('\t').encode_utf16().flat_map(bytes).collect()].concat()
    };
    let latin: Vec<u8> = text(';').chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    for (bytes, said) in [
        (text(',').into_bytes(), "CSV, UTF-8, delimiter `,`, the header in line 1, 2 columns"),
        ([b"\xEF\xBB\xBF", text(';').as_bytes()].concat(), "CSV, UTF-8, delimiter `;`"),
        ([b"sep=|\n", text('|').as_bytes()].concat(), "CSV, UTF-8, delimiter `|`, the header in line 2"),
        (latin.clone(), "CSV, Windows-1252, delimiter `;`"),
        (utf_16(b"\xFF\xFE", u16::to_le_bytes), "CSV, UTF-16, delimiter tab"),
        (utf_16(b"\xFE\xFF", u16::to_be_bytes), "CSV, UTF-16, delimiter tab"),
        (utf_16(b"", u16::to_le_bytes), "CSV, UTF-16, delimiter tab"),
    ] {
        fs::write(home.join("stores.csv"), bytes).unwrap();
        let ran = dry_run(home, &["customers", "load", "stores.csv"]);
        let first = ran.stdout.replace("\\t", ",").replace([';', '|'], ",");
        let expected =
            "the first row to send: customerID \"0940\", city \"Zürich, West\"\n1 of 1 row to send, 0 refused\n";
        assert_eq!((ran.code, first.as_str()), (0, expected), "{ran:?}");
        assert!(ran.stderr.contains(said), "{ran:?}");
    }
    // What is not detected can be said, and what is wrong is noticed.
    fs::write(home.join("stores.csv"), &latin).unwrap();
    let ran = dry_run(home, &["customers", "load", "stores.csv", "--encoding", "utf-8"]);
    assert!(ran.code == 2 && ran.stderr.contains("is not UTF-8"), "{ran:?}");
    let ran = dry_run(home, &["customers", "load", "stores.csv", "--delimiter", ","]);
    assert!(ran.code == 2 && ran.stderr.contains("by another"), "{ran:?}");
}

#[test]
fn a_file_that_cannot_be_loaded_is_one_sentence() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let long = format!("customerID,city\n1,\"{}\"\n", "x".repeat(20_000_000));
    for (content, sentence) in [
        (&b""[..], "is empty"),
        (b"\n\n", "has no rows"),
        (b"%PDF-1.7\n\0\x01\xE2", "is no spreadsheet"),
        (b"\x89PNG\r\n\x1a\n\0\0", "is no spreadsheet"),
        (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "an old version, or one with a password"),
        (b"PK\x03\x04and nothing of a workbook", "cannot be read as a workbook"),
        (b"customerID,city\n\x81\x8D", "is neither UTF-8 nor Windows-1252"),
        (b"customerID,city,city\n1,2,3\n", "two columns are named `city` in line 1"),
        (b"1,2,3\n4,5,6\n", "a header is expected in line 1, and it holds numbers"),
        (b"Stores of the spring show,\ncustomerID,city\n1,Fargo\n", "Is there another line above the header?"),
        (
            b"customerID,city,Remarks\n1,Fargo,x\n",
            "`Remarks` is no field. Say which field a column is, `--column \"Remarks=FIELD\"`",
        ),
        (b"customerID,city,City\n1,Fargo,x\n", "`city` and `City` are both the field `city`"),
        (b"city\nFargo\n", "no column is the field `customerID`"),
        (b"customerID,city\n1,Fargo\n2,Minot,x\n", "line 3: expected 2 fields, found 3"),
        (b"customerID,city\n1,\"Fargo\" x\n", "line 2: it has characters after the closing quote"),
        (b"customerID,city\n1,\"Fargo\n2,Minot\n", "a quote that is not closed"),
        (long.as_bytes(), "is larger than the limit of 16777216 bytes"),
    ] {
        fs::write(home.join("stores.csv"), content).unwrap();
        let ran = dry_run(home, &["--quiet", "customers", "load", "stores.csv"]);
        assert_eq!((ran.code, ran.stderr.lines().count()), (2, 1), "{ran:?}");
        assert!(ran.stderr.contains(sentence), "{sentence}: {ran:?}");
    }
    let ran = dry_run(home, &["--quiet", "customers", "load", "nowhere.csv"]);
    assert!(ran.code == 1 && ran.stderr.contains("`nowhere.csv` cannot be read"), "{ran:?}");
    let ran = dry_run(home, &["--quiet", "customers", "load", "."]);
    assert!(ran.stderr.contains("`.` is no file of rows") || ran.stderr.contains("cannot be read"), "{ran:?}");
    let ran = dry_run(home, &["--quiet", "customers", "load", "-"]);
    assert!(ran.code == 2 && ran.stderr.contains("save the input in one first"), "{ran:?}");
}

#[test]
fn rows_with_mistakes_are_listed_with_their_lines() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let content = "customerID,Name,,city\ncustomerID,Name,,city\n1,A,x,Fargo\n\n2,\"B\nB\",,\n3,,,\n";
    fs::write(home.join("stores.csv"), content).unwrap();
    fs::write(home.join("map.toml"), "[columns]\nName = \"customerName\"\n[empty]\n\"*\" = \"keep\"\n").unwrap();
    let ran = dry_run(home, &["customers", "load", "stores.csv", "--map", "map.toml"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert_eq!(
        ran.stdout,
        "line 2: it repeats the header: remove one of the two\n\
         line 3: column 3 has a value and no name\n\
         line 7: it has no value to send\n\
         the first row to send: customerID \"2\", customerName \"B\\nB\"\n\
         1 of 4 rows to send, 3 refused\n"
    );
    for (map, sentence) in [
        ("[columns]\nName = \"nickname\"", "the mapping names a field `nickname`"),
        (
            "[columns]\nNickname = \"customerName\"",
            "there is no column `Nickname`; the header, which is the first line, has: `customerID`, `Name`",
        ),
        ("ignore = [\"Town\"]", "there is no column `Town`"),
        ("columns = 3", "`map.toml` is no mapping"),
        (
            "[columns]\n\u{201c}Name\u{201d} = \"city\"",
            "it has curly quotes, where straight ones are expected (line 2)",
        ),
        ("[columns]\nName of store = \"city\"", "(line 2). Under `[columns]`, each line is a column and its field"),
        ("[empty]\ncity = \"maybe\"", "`map.toml` is no mapping"),
        ("colums = {}", "`map.toml` is no mapping"),
    ] {
        fs::write(home.join("map.toml"), map).unwrap();
        let ran = dry_run(home, &["--quiet", "customers", "load", "stores.csv", "--map", "map.toml"]);
        assert!(ran.code == 2 && ran.stderr.contains(sentence), "{sentence}: {ran:?}");
    }
}

#[test]
fn a_workbook_is_read_as_excel_shows_it() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let header = row(
        1,
        &["A1", "B1", "C1", "D1"].map(|at| {
            text(
                at,
                match at {
                    "A1" => "id",
                    "B1" => "Order Qty",
                    "C1" => "Delivery Date",
                    _ => "notes",
                },
            )
        }),
    );
    let rows = [
        header,
        row(2, &[text("A2", "011"), value("B2", "", "12"), value("C2", DATE, "46225"), text("D2", " two ")]),
        row(3, &[value("A3", "", "12"), value("B3", "", "1.5"), value("C3", "", "46225"), text("D3", "")]),
        row(5, &[text("A5", "13"), value("B5", "t=\"b\"", "1"), value("C5", "t=\"e\"", "#REF!")]),
    ];
    workbook::write(&home.join("lines.xlsx"), &[("Lines", &rows.concat(), ""), ("Empty", "", "")]);
    let ran = dry_run(home, &["orders", "load", "lines.xlsx", "--empty", "keep"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stderr.contains("Excel, the sheet `Lines`, the header in line 1, 4 columns"), "{ran:?}");
    assert!(ran.stderr.contains("`id` has numbers in 1 cell, sent as text such as `12` (line 3)"), "{ran:?}");
    assert_eq!(
        ran.stdout,
        "line 3: `Order Qty`: a whole number is expected, without a fraction and without separators, not `1.5`; `Delivery \
         Date`: a date is expected, not a number: format the column as a date\n\
         line 5: `Order Qty`: a whole number is expected, not true or false; `Delivery Date`: it shows the error #REF!\n\
         the first row to send: id \"011\", deliveryDate \"2026-07-22T00:00:00\", orderQty 12, notes \"two\"\n\
         1 of 3 rows to send, 2 refused\n"
    );
}

#[test]
fn a_workbook_that_is_not_what_it_shows_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let header = row(1, &[text("A1", "customerID"), text("B1", "city")]);
    let plain = header.clone() + &row(2, &[text("A2", "1"), text("B2", "Fargo")]);
    let formula = header.clone() + &row(2, &[text("A2", "1"), "<c r=\"B2\"><f>A1</f><v>7</v></c>".to_owned()]);
    let merged = r#"<mergeCells count="1"><mergeCell ref="A2:A3"/></mergeCells>"#;
    for (sheets, more, sentence) in [
        (vec![("Stores", plain.as_str(), merged)], &[][..], "`Stores` has merged cells, A2 to A3: unmerge them"),
        (vec![("Stores", formula.as_str(), "")], &[], "`Stores` has a formula in B2: copy the cells"),
        (vec![("A", plain.as_str(), ""), ("B", plain.as_str(), "")], &[], "choose one by `--sheet`: `A`, `B`"),
        (vec![("A", plain.as_str(), "")], &["--sheet", "C"], "has no sheet `C`, it has `A`"),
        (vec![("A", "", "")], &[], "has no cells"),
        (vec![("A", plain.as_str(), "")], &["--delimiter", ";"], "are for CSV"),
    ] {
        workbook::write(&home.join("stores.xlsx"), &sheets);
        let arguments = [&["--quiet", "customers", "load", "stores.xlsx"][..], more].concat();
        let ran = dry_run(home, &arguments);
        assert!(ran.code == 2 && ran.stderr.contains(sentence), "{sentence}: {ran:?}");
    }
    workbook::write(&home.join("stores.xlsx"), &[("A", &plain, ""), ("B", &formula, "")]);
    let ran = dry_run(home, &["--json", "customers", "load", "stores.xlsx", "--sheet", "A"]);
    assert_eq!(serde_json::from_str::<Value>(&ran.stdout).unwrap()["would_be_sent"], json!(1), "{ran:?}");
}

/// Excel shows 940 as `0940` if the format says so, and people read what it shows.
#[test]
fn a_number_is_the_text_that_excel_shows() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let header = row(1, &[text("A1", "customerID"), text("B1", "phone"), text("C1", "priceZone")]);
    let zeros = header.clone() + &row(2, &[value("A2", ZEROS, "940"), text("B2", "x"), value("C2", ZEROS, "7")]);
    workbook::write(&home.join("stores.xlsx"), &[("A", &zeros, "")]);
    let ran = dry_run(home, &["customers", "load", "stores.xlsx"]);
    assert!(ran.stdout.contains("customerID \"0940\", phone \"x\", priceZone 7"), "{ran:?}");
    let percent = header + &row(2, &[text("A2", "1"), value("B2", PERCENT, "0.12"), value("C2", "", "7")]);
    workbook::write(&home.join("stores.xlsx"), &[("A", &percent, "")]);
    let ran = dry_run(home, &["customers", "load", "stores.xlsx"]);
    assert!(ran.code == 3 && ran.stdout.contains("`phone`: Excel shows this number in another way"), "{ran:?}");
}

/// A limit on the size of files stands in for a full disk, and a directory in the place of a file for one without rights.
#[cfg(unix)]
#[test]
fn a_journal_that_cannot_be_written_stops_a_load_before_it_sends() {
    let (_server, sandbox) = crate::process::sandbox(perenso_sandbox::Sandbox::builder());
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let rows: String = (0..2000).map(|n| format!("F{n},Fargo\n")).collect();
    fs::write(home.join("stores.csv"), format!("customerID,city\n{rows}")).unwrap();
    fs::create_dir(home.join(".stores.csv.journal")).unwrap();
    let mut command = perenso(&home.join("config"));
    command.current_dir(home).envs(sandbox.vars()).args(["--quiet", "customers", "load", "stores.csv"]);
    let ran: Ran = command.output().unwrap().into();
    assert!(ran.code == 1 && ran.stderr.contains("`.stores.csv.journal` cannot be written"), "{ran:?}");
    assert!(sandbox.requests("POST", "/v2/customers/bulk").is_empty());
    fs::remove_dir(home.join(".stores.csv.journal")).unwrap();
    // The disk is full in the middle.
    let script = r#"trap '' XFSZ; ulimit -f 8; exec "$0" "$@""#;
    let mut command = std::process::Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_perenso"), "--quiet", "customers", "load", "stores.csv"]);
    command.args(["--batch-size", "100"]);
    command.current_dir(home).env("PERENSO_CONFIG_DIR", home.join("config")).envs(sandbox.vars());
    let full: Ran = command.output().unwrap().into();
    assert_eq!((full.code, full.stderr.lines().count()), (1, 1), "{full:?}");
    assert!(full.stderr.contains("cannot be written: File too large"), "{full:?}");
    let mut command = perenso(&home.join("config"));
    command.current_dir(home).envs(sandbox.vars());
    let done: Ran = command.args(["customers", "load", "stores.csv"]).output().unwrap().into();
    assert!(done.code == 0 && done.stderr.contains("2000 rows succeeded"), "{done:?}");
    let mut sent: Vec<String> = Vec::new();
    for request in sandbox.requests("POST", "/v2/customers/bulk") {
        let records = request.json();
        sent.extend(records.as_array().unwrap().iter().map(|record| record["customerID"].to_string()));
    }
    let count = sent.len();
    sent.sort();
    sent.dedup();
    assert_eq!((sent.len(), count), (2000, 2000), "no row is sent twice");
}
