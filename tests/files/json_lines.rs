//! JSON lines: unchanged rows.

use perenso::{
    ErrorKind,
    exports::files::{Column, ColumnType, TableSchema, ToFile},
};

use crate::{Folder, json, table};

#[tokio::test]
async fn rows_are_written_unchanged() {
    let folder = Folder::new();
    // Digits, order, white space, a duplicate field, and a row that is not an object.
    let lines = "{\"b\": 1.10000000000000000000000001, \"a\":1e400, \"a\" : \"\\u00e9\"}\n[1, 2]\n{}\n\"né\"\n";
    let written = ToFile::json_lines(folder.path("rows.jsonl")).write(json(lines).await).await.unwrap();
    assert_eq!(folder.text("rows.jsonl"), lines);
    assert_eq!((written.rows, written.bytes, written.schema), (4, lines.len() as u64, None));
    assert_eq!(written.path, folder.path("rows.jsonl"));
    assert_eq!(folder.names(), ["rows.jsonl"]);
}

#[tokio::test]
async fn a_csv_record_becomes_an_object_of_strings() {
    let folder = Folder::new();
    let csv = "code,\"the \"\"name\"\"\"\n0940,\"a,\nb\"\n,\n";
    ToFile::json_lines(folder.path("rows.jsonl")).write(table(csv).await).await.unwrap();
    let lines = "{\"code\":\"0940\",\"the \\\"name\\\"\":\"a,\\nb\"}\n{\"code\":\"\",\"the \\\"name\\\"\":\"\"}\n";
    assert_eq!(folder.text("rows.jsonl"), lines);
}

#[tokio::test]
async fn a_given_schema_is_checked() {
    let folder = Folder::new();
    let schema = TableSchema::new([Column::required("a", ColumnType::Integer)]).unwrap();
    let to = || ToFile::json_lines(folder.path("rows.jsonl")).schema(schema.clone());
    let written = to().write(json("{\"a\": 1}\n").await).await.unwrap();
    assert_eq!((folder.text("rows.jsonl").as_str(), written.schema.as_ref()), ("{\"a\": 1}\n", Some(&schema)));
    let error = to().write(json("{\"a\":1}\n{\"a\":\"s3cr3t\"}\n").await).await.unwrap_err();
    assert_eq!((error.kind(), error.row()), (ErrorKind::Schema, Some(2)));
    assert_eq!(error.to_string(), "file: row 2 does not fit: column `a`: expected integer, found a string");
    assert_eq!((folder.text("rows.jsonl").as_str(), folder.names()), ("{\"a\": 1}\n", vec!["rows.jsonl".to_owned()]));
}

#[tokio::test]
async fn a_schema_is_inferred_while_lines_are_written() {
    let folder = Folder::new();
    let to = || ToFile::json_lines(folder.path("rows.jsonl")).schema_file(folder.path("rows.schema.json"));
    to().write(json("{\"a\":1}\n{\"b\":null}\n").await).await.unwrap();
    assert_eq!(folder.text("rows.jsonl"), "{\"a\":1}\n{\"b\":null}\n");
    let schema = TableSchema::load(folder.path("rows.schema.json")).unwrap();
    let columns = [Column::nullable("a", ColumnType::Integer), Column::nullable("b", ColumnType::Null)];
    assert_eq!(schema.columns(), columns);
    let error = to().write(json("{\"a\":true}\n").await).await.unwrap_err();
    assert_eq!(error.problems(), ["column `a`: expected integer, found a boolean"]);
}
