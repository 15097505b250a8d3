//! Files read by pyarrow, DuckDB, polars, and Python's csv and json.

use std::{io::Write, process::Command};

use perenso::exports::files::{Column, ColumnType, TableSchema, ToFile};

use crate::{Folder, json};

/// If this variable is set, missing readers fail the test instead of skipping it.
const REQUIRED: &str = "PERENSO_REQUIRE_READERS";
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/files/readback.py");

/// Returns a Python with these readers, or `None` to skip the test.
pub(crate) fn python(readers: &str) -> Option<String> {
    let python = std::env::var("PERENSO_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let found = Command::new(&python).args(["-c", &format!("import {readers}")]).output();
    if found.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    let missing = format!("`{python}` is no Python with {readers}: see `just readback`");
    assert!(std::env::var_os(REQUIRED).is_none(), "{REQUIRED} is set, and {missing}");
    // Bypasses the capture of the test harness to report a skipped test.
    std::io::stderr().write_all(format!("SKIPPED: {missing}\n").as_bytes()).unwrap();
    None
}

/// JSON lines with the extreme values of every type.
fn extremes() -> String {
    let columns: [(&str, &[&str]); 11] = [
        ("boolean", &["true", "false"]),
        ("integer", &["0", "-1", "-0", "9223372036854775807", "-9223372036854775808", "12.0", "1e3"]),
        ("small", &["0", "0.01", "-0.01", "9999999.99", "-9999999.99", "12.5000", "-0.00"]),
        ("money", &["0.0001", "99999999999999.9999", "-99999999999999.9999", "12", "1e2", "1.5E-3"]),
        (
            "huge",
            &[
                "99999999999999999999999999999999.999999",
                "-99999999999999999999999999999999.999999",
                "0.000001",
                "1e31",
            ],
        ),
        ("float", &["0.1", "-1.5e300", "5e-324", "9007199254740993", "0"]),
        ("date", &[r#""0001-01-01""#, r#""9999-12-31""#, r#""1969-12-31""#, r#""2024-02-29""#, r#""1582-10-10""#]),
        (
            "local",
            &[
                r#""2025-01-20T04:50:03.61""#,
                r#""1969-12-31T23:59:59.999999""#,
                r#""0001-01-01T00:00:00""#,
                r#""9999-12-31T23:59:59.999999""#,
                r#""1900-03-01 00:00:00.5000000""#,
            ],
        ),
        (
            "time",
            &[
                r#""2025-01-20T04:50:03.61Z""#,
                r#""1969-12-31T23:59:59.999999Z""#,
                r#""2025-01-20T04:50:03+13:45""#,
                r#""1970-01-01T00:00:00-05:30""#,
            ],
        ),
        (
            "text",
            &[
                r#""""#,
                r#""0940""#,
                r#""a,b""#,
                r#""say \"hi\"""#,
                r#""line\nbreak\r\nand\ttab""#,
                r#""\u00e9\ud83d\ude00 é😀""#,
                r#"" blanks ""#,
                r#""null""#,
                r#""\u0000""#,
                r#""'""#,
            ],
        ),
        ("json", &["[1, 2.50]", r#"{"a":"é","b":[null]}"#, r#""text""#, "1e400", "true", "[]", r#""\ud800""#]),
    ];
    let longest = columns.iter().map(|(_, values)| values.len()).max().unwrap();
    let mut lines = String::new();
    // Every value, a final null, and rows with missing or reordered fields.
    for row in 0..=longest {
        let field = |(name, values): &(&str, &[&str])| format!("\"{name}\":{}", values.get(row).unwrap_or(&"null"));
        let mut fields: Vec<_> = columns.iter().map(field).collect();
        fields.rotate_left(row % columns.len());
        fields.truncate(if row == longest { 3 } else { fields.len() });
        lines += &format!("{{{}}}\n", fields.join(","));
    }
    lines
}

#[tokio::test]
async fn files_are_read_by_other_libraries() {
    let Some(python) = python("duckdb, polars, pyarrow") else { return };
    let folder = Folder::new();
    let decimal = |precision, scale| ColumnType::Decimal { precision, scale };
    let schema = TableSchema::new([
        Column::nullable("boolean", ColumnType::Boolean),
        Column::nullable("integer", ColumnType::Integer),
        Column::nullable("small", decimal(9, 2)),
        Column::nullable("money", decimal(18, 4)),
        Column::nullable("huge", decimal(38, 6)),
        Column::nullable("float", ColumnType::Float),
        Column::nullable("date", ColumnType::Date),
        Column::nullable("local", ColumnType::LocalTimestamp),
        Column::nullable("time", ColumnType::Timestamp),
        Column::nullable("text", ColumnType::Text),
        Column::nullable("json", ColumnType::Json),
        Column::nullable("null", ColumnType::Null),
    ]);
    let schema = schema.unwrap();
    let lines = extremes();
    // Python's csv cannot read a null character.
    let for_csv = lines.replace("\\u0000", "");
    schema.save(folder.path("schema.json")).unwrap();
    std::fs::write(folder.path("source.jsonl"), &lines).unwrap();
    std::fs::write(folder.path("source-csv.jsonl"), &for_csv).unwrap();
    let parquet = ToFile::parquet(folder.path("rows.parquet")).row_group_rows(4).schema(schema.clone());
    parquet.write(json(&lines).await).await.unwrap();
    ToFile::csv(folder.path("rows.csv")).schema(schema.clone()).write(json(&for_csv).await).await.unwrap();
    ToFile::json_lines(folder.path("rows.jsonl")).schema(schema).write(json(&lines).await).await.unwrap();
    for (day, lines) in ["{\"id\":1,\"note\":null,\"price\":null}\n", "{\"id\":2,\"note\":\"a\",\"price\":12.505}\n"]
        .into_iter()
        .enumerate()
    {
        let to = ToFile::parquet(folder.path(&format!("day-{day}.parquet")));
        to.write(json(lines).await).await.unwrap();
    }
    let empty = ToFile::parquet(folder.path("empty.parquet"));
    empty.write(crate::table("code,name\r\n").await).await.unwrap();
    let empty = ToFile::csv(folder.path("empty.csv"));
    empty.write(crate::table("code,name\r\n").await).await.unwrap();
    let output = Command::new(python).arg(SCRIPT).arg(folder.path("")).output().unwrap();
    let text = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(output.status.success(), "{text}");
    assert_eq!(text.trim(), "11 rows, 12 columns");
}
