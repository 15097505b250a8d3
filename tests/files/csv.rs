//! CSV by RFC 4180: null is distinct from an empty string, and nothing is rounded.

use perenso::{
    ErrorKind,
    exports::{
        RawRow,
        files::{Column, ColumnType, TableSchema, ToFile},
    },
};

use crate::{Folder, json, table};

#[tokio::test]
async fn values_are_unchanged_and_null_is_distinct_from_empty() {
    let folder = Folder::new();
    let lines = concat!(
        r#"{"n":1.10,"big":1e400,"text":"a","when":"2025-01-20T04:50:03.61","yes":true,"list":[1, "x"],"code":"0940"}"#,
        "\n",
        r#"{"n":-0.0,"big":1,"text":"","when":null,"yes":false,"list":null,"code":"1,5"}"#,
        "\n",
        r#"{"n":null,"big":null,"text":null,"when":"2025-01-20T04:50:03","yes":null,"list":{"a":"b"},"code":"say \"é\"\r\n"}"#,
        "\n",
    );
    let written = ToFile::csv(folder.path("rows.csv")).write(json(lines).await).await.unwrap();
    let text = concat!(
        "n,big,text,when,yes,list,code\r\n",
        "1.10,1e400,a,2025-01-20T04:50:03.61,true,\"[1, \"\"x\"\"]\",0940\r\n",
        "-0.0,1,\"\",,false,,\"1,5\"\r\n",
        ",,,2025-01-20T04:50:03,,\"{\"\"a\"\":\"\"b\"\"}\",\"say \"\"é\"\"\r\n\"\r\n",
    );
    assert_eq!(folder.text("rows.csv"), text);
    assert_eq!((written.rows, written.bytes), (3, text.len() as u64));
    assert_eq!(folder.names(), ["rows.csv"]);
}

#[tokio::test]
async fn a_table_with_one_column_has_no_empty_lines() {
    let folder = Folder::new();
    let lines = "{\"a\":null}\n{\"a\":\"\"}\n{\"a\":\"x\\ry\"}\n";
    ToFile::csv(folder.path("rows.csv")).write(json(lines).await).await.unwrap();
    assert_eq!(folder.text("rows.csv"), "a\r\n\"\"\r\n\"\"\r\n\"x\ry\"\r\n");
}

#[tokio::test]
async fn columns_are_in_the_order_of_the_schema() {
    let folder = Folder::new();
    let columns = ["a", "b", "c"].map(|name| Column::nullable(name, ColumnType::Integer));
    let to = ToFile::csv(folder.path("rows.csv")).schema(TableSchema::new(columns).unwrap());
    to.write(json("{\"c\":3,\"a\":1}\n{\"b\":2}\n").await).await.unwrap();
    assert_eq!(folder.text("rows.csv"), "a,b,c\r\n1,,3\r\n,2,\r\n");
}

#[tokio::test]
async fn csv_fields_are_strings_unless_a_schema_parses_them() {
    let folder = Folder::new();
    let csv = "code,n,price,open,day,json\n0940,7,1.50,TRUE,2025-07-28,[1]\n,,,,,\n";
    let written = ToFile::csv(folder.path("rows.csv")).write(table(csv).await).await.unwrap();
    assert!(written.schema.unwrap().columns().iter().all(|column| column.kind() == ColumnType::Text));
    let text = "code,n,price,open,day,json\r\n0940,7,1.50,TRUE,2025-07-28,[1]\r\n\"\",\"\",\"\",\"\",\"\",\"\"\r\n";
    assert_eq!(folder.text("rows.csv"), text);

    let schema = TableSchema::new([
        Column::required("code", ColumnType::Text),
        Column::nullable("n", ColumnType::Integer),
        Column::nullable("price", ColumnType::Decimal { precision: 4, scale: 2 }),
        Column::nullable("open", ColumnType::Boolean),
        Column::nullable("day", ColumnType::Date),
        Column::nullable("json", ColumnType::Json),
    ]);
    let schema = schema.unwrap();
    let to = || ToFile::csv(folder.path("rows.csv")).schema(schema.clone());
    to().write(table(csv).await).await.unwrap();
    let text = "code,n,price,open,day,json\r\n0940,7,1.50,TRUE,2025-07-28,[1]\r\n\"\",,,,,\r\n";
    assert_eq!(folder.text("rows.csv"), text);

    let wrong = "code,n,price,open,day,json\nx,0940,1.505,yes,28.07.2025,[\n";
    let error = to().write(table(wrong).await).await.unwrap_err();
    assert_eq!((error.kind(), error.row()), (ErrorKind::Schema, Some(1)));
    let problems = [
        "column `n`: expected integer, found a string in another format",
        "column `price`: expected decimal(4, 2), found a string in another format",
        "column `open`: expected boolean, found a string in another format",
        "column `day`: expected date, found a string in another format",
        "column `json`: expected json, found a string in another format",
    ];
    assert_eq!(error.problems(), problems);
}

#[tokio::test]
async fn a_file_for_excel_has_a_byte_order_mark_a_delimiter_and_no_directive() {
    let folder = Folder::new();
    let to = || ToFile::csv(folder.path("rows.csv"));
    let lines = "{\"sep=|\":\"a;b\",\"n\":\"1,5\"}\n";
    to().delimiter(';').byte_order_mark().write(json(lines).await).await.unwrap();
    assert_eq!(folder.text("rows.csv"), "\u{feff}\"sep=|\";n\r\n\"a;b\";1,5\r\n");
    to().delimiter('\t').write(json("{\"a\":\"x\\ty\",\"b\":1}\n").await).await.unwrap();
    assert_eq!(folder.text("rows.csv"), "a\tb\r\n\"x\ty\"\t1\r\n");
    for delimiter in ['"', '\n', '1', 'a', '.', '-', 'é'] {
        let error = to().delimiter(delimiter).write(json(lines).await).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Input, "{delimiter:?}");
    }
}

#[tokio::test]
async fn a_lone_surrogate_is_replaced_in_json() {
    let folder = Folder::new();
    let lines = concat!(
        r#"{"a":"cut \ud83d","b":["\ude00\ud83d\ude00\\ud83d\ud83dx"],"c":1}"#,
        "\n",
        r#"{"a":1,"b":{"\ud83d":"\u00e9"},"c":2}"#,
        "\n"
    );
    ToFile::csv(folder.path("rows.csv")).write(json(lines).await).await.unwrap();
    let text = concat!(
        "a,b,c\r\n",
        r#""""cut \ufffd""","[""\ufffd\ud83d\ude00\\ud83d\ufffdx""]",1"#,
        "\r\n",
        r#"1,"{""\ufffd"":""\u00e9""}",2"#,
        "\r\n"
    );
    assert_eq!(folder.text("rows.csv"), text);
}

#[tokio::test]
async fn a_row_created_from_a_value_is_written() {
    let folder = Folder::new();
    let row = RawRow::from_value(&serde_json::json!({"code": "0940", "n": 1})).unwrap();
    ToFile::csv(folder.path("rows.csv")).write(futures_util::stream::iter([Ok(row)])).await.unwrap();
    assert_eq!(folder.text("rows.csv"), "code,n\r\n0940,1\r\n");
    let no_json = std::collections::BTreeMap::from([(vec!["s3cr3t"], 1)]);
    let error = RawRow::from_value(&no_json).unwrap_err();
    assert!(error.kind() == ErrorKind::Input && !error.to_string().contains("s3cr3t"), "{error}");
}
