//! Runs without rows: the file has the known columns.

use perenso::exports::{
    RowFormat,
    files::{SchemaChanges, TableSchema, ToFile},
};

use crate::{Folder, json, rows, table};

#[tokio::test]
async fn a_csv_response_without_rows_writes_its_header() {
    let folder = Folder::new();
    for (text, expected) in [("code,\"a;b\"\r\n", "code,a;b\r\n"), ("code", "code\r\n"), ("", "")] {
        let to = ToFile::csv(folder.path("rows.csv")).schema_file(folder.path("rows.json"));
        let written = to.write(table(text).await).await.unwrap();
        assert_eq!((written.rows, folder.text("rows.csv").as_str()), (0, expected));
        assert_eq!(folder.names(), ["rows.csv"], "no schema is saved before there are rows");
    }
    // Through stream combinators too.
    use futures_util::TryStreamExt;
    let rows_of = table("code,name\r\n").await.inspect_ok(|_| {}).map_ok(|row| row);
    ToFile::csv(folder.path("rows.csv")).write(rows_of).await.unwrap();
    assert_eq!(folder.text("rows.csv"), "code,name\r\n");
    // The header is that of this response, not of an earlier one.
    ToFile::csv(folder.path("rows.csv")).write(json("").await).await.unwrap();
    assert_eq!(folder.text("rows.csv"), "");
}

#[tokio::test]
async fn a_header_set_by_the_caller_is_written() {
    let folder = Folder::new();
    let mut reader =
        perenso::exports::RowReader::with_format(None, RowFormat::csv().columns(["code", "name"])).unwrap();
    reader.finish();
    let rows = futures_util::stream::iter(std::iter::from_fn(move || reader.next_row()));
    ToFile::csv(folder.path("rows.csv")).write(rows).await.unwrap();
    assert_eq!(folder.text("rows.csv"), "code,name\r\n");
}

#[tokio::test]
async fn a_schema_overrides_a_header_and_rows_override_both() {
    let folder = Folder::new();
    let schema = |kind: &str| -> TableSchema {
        serde_json::from_str(&format!(r#"{{"columns":[{{"name":"a","type":"{kind}","nullable":true}}]}}"#)).unwrap()
    };
    for changes in [SchemaChanges::Refuse, SchemaChanges::Accept] {
        for kind in ["text", "null"] {
            for rows in [json("").await, table("b,c\r\n").await, rows("application/json", "[]").await] {
                let to = ToFile::csv(folder.path("rows.csv")).schema(schema(kind)).changes(changes);
                to.write(rows).await.unwrap();
                assert_eq!(folder.text("rows.csv"), "a\r\n");
            }
        }
    }
    let written = ToFile::csv(folder.path("rows.csv")).write(table("b,c\r\n1,2\r\n").await).await.unwrap();
    assert_eq!((written.rows, folder.text("rows.csv").as_str()), (1, "b,c\r\n1,2\r\n"));
}

#[cfg(feature = "parquet")]
#[tokio::test]
async fn a_parquet_file_without_rows_has_the_columns_of_the_header_or_the_schema() {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    let folder = Folder::new();
    let columns = || {
        let file = SerializedFileReader::new(std::fs::File::open(folder.path("rows.parquet")).unwrap()).unwrap();
        let file = file.metadata().file_metadata();
        assert_eq!(file.num_rows(), 0);
        let columns = file.schema_descr().columns().iter();
        columns.map(|column| format!("{} {:?}", column.name(), column.physical_type())).collect::<Vec<_>>()
    };
    ToFile::parquet(folder.path("rows.parquet")).write(table("code,name\r\n").await).await.unwrap();
    assert_eq!(columns(), ["code BYTE_ARRAY", "name BYTE_ARRAY"]);
    for kind in ["integer", "null"] {
        let schema = format!(r#"{{"columns":[{{"name":"a","type":"{kind}","nullable":true}}]}}"#);
        let to = ToFile::parquet(folder.path("rows.parquet")).schema(serde_json::from_str(&schema).unwrap());
        to.write(rows("application/json", "[]").await).await.unwrap();
        assert_eq!(columns(), [if kind == "integer" { "a INT64" } else { "a BYTE_ARRAY" }]);
    }
    let nothing = ToFile::parquet(folder.path("rows.parquet")).write(json("").await).await.unwrap_err();
    assert!(nothing.to_string().contains("expected at least one column"), "{nothing}");
}
