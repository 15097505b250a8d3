//! Omitted columns: their values are not written, and new columns are still detected.

use perenso::{
    ErrorKind,
    exports::files::{SchemaChanges, TableSchema, ToFile},
};

use crate::{Folder, json, table};

fn schema(columns: &[(&str, &str)]) -> TableSchema {
    let columns = columns.iter().map(|(name, kind)| serde_json::json!({"name": name, "type": kind, "nullable": true}));
    serde_json::from_value(serde_json::json!({"columns": columns.collect::<Vec<_>>()})).unwrap()
}

const ROWS: &str = "{\"id\":1,\"e\\u006dail\":\"s3cr3t@example.com\",\"phone\":{\"home\":\"s3cr3t\"},\"city\":\"A\"}\n\
                    {\"city\":\"B\",\"phone\":null,\"id\":2}\n";
const TABLE: &str = "id,email,phone,city\r\n1,s3cr3t@example.com,s3cr3t,A\r\n2,,,B\r\n";
const COLUMNS: [(&str, &str); 4] = [("email", "omitted"), ("id", "integer"), ("phone", "omitted"), ("city", "text")];

#[tokio::test]
async fn an_omitted_column_is_not_written() {
    let folder = Folder::new();
    // One pass, two passes because of a column of nulls, and a schema that may be widened.
    for (columns, changes) in [
        (COLUMNS.to_vec(), SchemaChanges::Refuse),
        ([&COLUMNS[..], &[("late", "null")]].concat(), SchemaChanges::Refuse),
        (COLUMNS.to_vec(), SchemaChanges::Accept),
    ] {
        let late = if columns.len() == 5 { ",late" } else { "" };
        let schema = schema(&columns);
        for is_table in [false, true] {
            let rows = async || if is_table { table(TABLE).await } else { json(ROWS).await };
            let to = |to: ToFile| to.schema(schema.clone()).changes(changes);
            let written = to(ToFile::csv(folder.path("rows.csv"))).write(rows().await).await.unwrap();
            assert_eq!(written.schema.as_ref(), Some(&schema), "the schema keeps what is omitted");
            let blank = if late.is_empty() { "" } else { "," };
            assert_eq!(folder.text("rows.csv"), format!("id,city{late}\r\n1,A{blank}\r\n2,B{blank}\r\n"));
            to(ToFile::json_lines(folder.path("rows.jsonl"))).write(rows().await).await.unwrap();
            let lines = if is_table {
                "{\"id\":\"1\",\"city\":\"A\"}\n{\"id\":\"2\",\"city\":\"B\"}\n"
            } else {
                "{\"id\":1,\"city\":\"A\"}\n{\"city\":\"B\",\"id\":2}\n"
            };
            assert_eq!(folder.text("rows.jsonl"), lines);
            #[cfg(feature = "parquet")]
            {
                use parquet::file::reader::{FileReader, SerializedFileReader};
                to(ToFile::parquet(folder.path("rows.parquet"))).write(rows().await).await.unwrap();
                let bytes = std::fs::read(folder.path("rows.parquet")).unwrap();
                assert!(!bytes.windows(6).any(|bytes| bytes == b"s3cr3t"));
                let file = std::fs::File::open(folder.path("rows.parquet")).unwrap();
                let file = SerializedFileReader::new(file).unwrap();
                let columns = file.metadata().file_metadata().schema_descr().columns().to_vec();
                let columns: Vec<_> = columns.iter().map(|column| column.name().to_owned()).collect();
                assert_eq!(columns.join(","), format!("id,city{late}"));
                assert_eq!(file.metadata().file_metadata().num_rows(), 2);
            }
        }
    }
}

#[tokio::test]
async fn a_new_column_beside_an_omitted_one_is_detected() {
    let folder = Folder::new();
    schema(&COLUMNS).save(folder.path("rows.json")).unwrap();
    for to in [ToFile::csv(folder.path("rows")), ToFile::json_lines(folder.path("rows"))] {
        let to = to.schema_file(folder.path("rows.json"));
        let error = to.write(json("{\"id\":1,\"email\":\"x\",\"mobile\":\"s3cr3t\"}\n").await).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.problems()),
            (ErrorKind::Schema, &["column `mobile`: not in the schema, found a string".to_owned()][..])
        );
        let to = ToFile::csv(folder.path("rows")).schema_file(folder.path("rows.json"));
        let error = to.write(json("{\"email\":1,\"email\":2}\n").await).await.unwrap_err();
        assert_eq!(error.problems(), ["field `email` occurs twice"]);
    }
    // An accepted column is written; an omitted one remains omitted.
    let to = ToFile::csv(folder.path("rows")).schema_file(folder.path("rows.json")).changes(SchemaChanges::Accept);
    let written = to.write(json("{\"id\":1,\"email\":[1],\"mobile\":\"x\"}\n").await).await.unwrap();
    assert_eq!(folder.text("rows"), "id,city,mobile\r\n1,,x\r\n");
    assert_eq!(written.schema, Some(TableSchema::load(folder.path("rows.json")).unwrap()));
    assert_eq!(written.schema.unwrap().column("email").unwrap().kind().to_string(), "omitted");
}

#[test]
fn a_schema_must_have_written_columns_and_omitted_ones_are_nullable() {
    let load = |columns| serde_json::from_value::<TableSchema>(serde_json::json!({"columns": columns}));
    let all = load(serde_json::json!([{"name": "a", "type": "omitted", "nullable": true}])).unwrap_err();
    assert!(all.to_string().contains("every column is omitted"), "{all}");
    let required = load(serde_json::json!([
        {"name": "a", "type": "omitted", "nullable": false}, {"name": "b", "type": "text", "nullable": true}]));
    let required = required.unwrap_err();
    assert!(required.to_string().contains("column `a`: omitted is never required"), "{required}");
}
