//! Schemas: inferred from all rows, saved, and checked in later runs.

use std::fs;

use perenso::{
    ErrorKind,
    exports::files::{Column, ColumnType, SchemaChanges, TableSchema, ToFile, Written},
};

use crate::{Folder, json, table};

/// Returns the inferred columns of these rows, as `name type`.
async fn found(lines: &str) -> Vec<String> {
    let folder = Folder::new();
    shown(&ToFile::csv(folder.path("rows.csv")).write(json(lines).await).await.unwrap())
}

fn shown(written: &Written) -> Vec<String> {
    let columns = written.schema.as_ref().unwrap().columns().iter();
    let nullable = |column: &Column| if column.is_nullable() { "" } else { " required" };
    columns.map(|column| format!("{} {}{}", column.name(), column.kind(), nullable(column))).collect()
}

#[tokio::test]
async fn every_kind_of_value_is_inferred() {
    let lines = concat!(
        r#"{"null":null,"boolean":true,"integer":-1,"decimal":1.50,"date":"2025-07-28","local":"2025-01-20T04:50:03.61","#,
        r#""time":"2025-01-20T04:50:03Z","text":"0940","list":[1],"object":{"a":1},"#,
        r#""offset":"2025-01-20T04:50:03+01:00","nanos":"2025-01-20T04:50:03.123456789","half":"\ud800"}"#,
    );
    let columns = [
        "null null",
        "boolean boolean",
        "integer integer",
        "decimal decimal(18, 4)",
        "date date",
        "local local_time",
        "time time",
        "text text",
        "list json",
        "object json",
        "offset text",
        "nanos text",
        "half json",
    ];
    assert_eq!(found(lines).await, columns);
}

#[tokio::test]
async fn types_do_not_depend_on_a_sample() {
    let mut lines = "{\"a\":1,\"b\":\"2025-07-28\"}\n".repeat(5000);
    lines.push_str("{\"a\":1.25,\"b\":\"n/a\",\"c\":true}\n");
    assert_eq!(found(&lines).await, ["a decimal(18, 4)", "b text", "c boolean"]);
}

#[tokio::test]
async fn columns_with_two_kinds_of_values_lose_nothing() {
    for (one, other, kind) in [
        ("null", "1", "integer"),
        ("1", "1.5", "decimal(18, 4)"),
        ("1.5", "0.125", "decimal(18, 5)"),
        ("9223372036854775808", "1", "decimal(38, 4)"),
        ("12345678901234567.25", "1", "decimal(38, 4)"),
        ("1e2", "1", "decimal(18, 4)"),
        ("1e400", "1", "json"),
        ("1e30", "1e-30", "json"),
        ("1", "\"1\"", "json"),
        ("true", "1", "json"),
        ("true", "\"true\"", "json"),
        ("[1]", "\"x\"", "json"),
        ("\"2025-07-28\"", "\"2025-07-28T00:00:00\"", "text"),
        ("\"2025-07-28T00:00:00\"", "\"2025-07-28T00:00:00Z\"", "text"),
        ("\"2025-07-28\"", "\"\"", "text"),
        ("\"2025-07-28\"", "1", "json"),
    ] {
        for (one, other) in [(one, other), (other, one)] {
            assert_eq!(
                found(&format!("{{\"a\":{one}}}\n{{\"a\":{other}}}\n")).await,
                [format!("a {kind}")],
                "{one} {other}"
            );
        }
    }
}

#[tokio::test]
async fn the_first_run_saves_the_schema_of_later_runs() {
    let folder = Folder::new();
    let to = || ToFile::csv(folder.path("rows.csv")).schema_file(folder.path("rows.json"));
    let first = to().write(json("{\"a\":1,\"b\":\"x\"}\n").await).await.unwrap();
    let saved = "{\n  \"columns\": [\n    {\"name\":\"a\",\"type\":\"integer\",\"nullable\":true},\n    \
                 {\"name\":\"b\",\"type\":\"text\",\"nullable\":true}\n  ]\n}\n";
    assert_eq!(folder.text("rows.json"), saved);
    assert_eq!(first.schema, Some(TableSchema::load(folder.path("rows.json")).unwrap()));
    // A column that no longer occurs remains, with nulls.
    let second = to().write(json("{\"a\":2}\n").await).await.unwrap();
    assert_eq!((folder.text("rows.csv").as_str(), second.schema), ("a,b\r\n2,\r\n", first.schema));
    assert_eq!((folder.text("rows.json").as_str(), folder.names().len()), (saved, 2));
}

#[tokio::test]
async fn all_problems_of_a_row_are_listed_and_nothing_is_written() {
    let folder = Folder::new();
    let to = || ToFile::csv(folder.path("rows.csv")).schema_file(folder.path("rows.json"));
    let schema = TableSchema::new([
        Column::nullable("a", ColumnType::Integer),
        Column::required("b", ColumnType::Text),
        Column::required("c", ColumnType::Text),
        Column::nullable("d", ColumnType::Decimal { precision: 4, scale: 2 }),
        Column::nullable("e", ColumnType::Null),
    ]);
    let mut columns = schema.unwrap().columns().to_vec();
    let contract = |columns: &[Column]| TableSchema::new(columns.to_vec()).unwrap();
    let row = r#"{"a":"s3cr3t","b":null,"d":1.005,"new":[4711],"a":2}"#;
    let problems = [
        "column `a`: expected integer, found a string",
        "column `b`: expected text, found null",
        "column `d`: expected decimal(4, 2), found a number with more digits",
        "column `new`: not in the schema, found a list",
        "field `a` occurs twice",
        "column `c`: expected text, found no such field",
    ];
    // In two passes because of the column of nulls, and in one.
    for passes in [2, 1] {
        columns.truncate(passes + 3);
        contract(&columns).save(folder.path("rows.json")).unwrap();
        let before = folder.text("rows.json");
        let lines = format!("{{\"a\":1,\"b\":\"\",\"c\":\"\"}}\n{row}\n");
        let error = to().write(json(lines).await).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.row(), error.problems()),
            (ErrorKind::Schema, Some(2), &problems.map(str::to_owned)[..])
        );
        assert!(!format!("{error} {error:?}").contains("s3cr3t"));
        assert_eq!((folder.text("rows.json"), folder.names()), (before, vec!["rows.json".to_owned()]));
    }
}

#[tokio::test]
async fn accepted_changes_widen_the_schema_and_drop_nothing() {
    let folder = Folder::new();
    let to = || ToFile::csv(folder.path("rows.csv")).schema_file(folder.path("rows.json"));
    let schema = TableSchema::new([
        Column::required("id", ColumnType::Integer),
        Column::required("gone", ColumnType::Text),
        Column::nullable("price", ColumnType::Decimal { precision: 6, scale: 2 }),
        Column::nullable("kept", ColumnType::Decimal { precision: 6, scale: 2 }),
        Column::nullable("day", ColumnType::Date),
        Column::nullable("weight", ColumnType::Float),
        Column::nullable("flag", ColumnType::Boolean),
        Column::nullable("count", ColumnType::Integer),
    ]);
    schema.unwrap().save(folder.path("rows.json")).unwrap();
    let lines = concat!(
        r#"{"id":1,"price":12345.5,"kept":1,"day":"soon","weight":0.1,"flag":"yes","count":0.5,"new":true}"#,
        "\n",
        r#"{"id":2,"gone":"x","price":1.125,"kept":2.5,"day":"2025-07-28","flag":true,"count":1}"#,
        "\n",
    );
    let columns = [
        "id integer required",
        "gone text",
        "price decimal(18, 3)",
        "kept decimal(6, 2)",
        "day text",
        "weight float",
        "flag json",
        "count decimal(20, 1)",
        "new boolean",
    ];
    let written = to().changes(SchemaChanges::Accept).write(json(lines).await).await.unwrap();
    assert_eq!(shown(&written), columns);
    assert_eq!(written.schema, Some(TableSchema::load(folder.path("rows.json")).unwrap()));
    let text = concat!(
        "id,gone,price,kept,day,weight,flag,count,new\r\n",
        "1,,12345.5,1,soon,0.1,\"\"\"yes\"\"\",0.5,true\r\n",
        "2,x,1.125,2.5,2025-07-28,,true,1,\r\n",
    );
    assert_eq!(folder.text("rows.csv"), text);
    // The next run is checked against the accepted schema.
    to().write(json(lines).await).await.unwrap();
}

#[tokio::test]
async fn money_remains_a_decimal_after_many_accepted_changes() {
    let folder = Folder::new();
    let to =
        || ToFile::csv(folder.path("rows.csv")).schema_file(folder.path("rows.json")).changes(SchemaChanges::Accept);
    for (price, kind) in [
        ("5", "integer"),
        ("12.5", "decimal(20, 1)"),
        ("12.25", "decimal(21, 2)"),
        ("9223372036854775807", "decimal(21, 2)"),
        ("0.125", "decimal(22, 3)"),
        ("12345678901234567890", "decimal(23, 3)"),
        ("1e30", "decimal(34, 3)"),
        ("1e-10", "json"),
    ] {
        let written = to().write(json(format!("{{\"price\":{price}}}\n")).await).await.unwrap();
        assert_eq!(shown(&written), [format!("price {kind}")], "{price}");
    }
}

#[tokio::test]
async fn accepted_csv_strings_are_text() {
    let folder = Folder::new();
    let to = || ToFile::csv(folder.path("rows.csv")).schema_file(folder.path("rows.json"));
    let schema = TableSchema::new([Column::nullable("zip", ColumnType::Integer)]).unwrap();
    schema.save(folder.path("rows.json")).unwrap();
    let written = to().changes(SchemaChanges::Accept).write(table("zip\n1234\n0940\n").await).await.unwrap();
    assert_eq!(
        (shown(&written), folder.text("rows.csv").as_str()),
        (vec!["zip text".to_owned()], "zip\r\n1234\r\n0940\r\n")
    );
}

#[tokio::test]
async fn accepted_csv_numbers_remain_numbers() {
    let folder = Folder::new();
    let to = || ToFile::csv(folder.path("rows.csv")).schema_file(folder.path("rows.json"));
    let schema = TableSchema::new([
        Column::nullable("price", ColumnType::Decimal { precision: 18, scale: 2 }),
        Column::nullable("count", ColumnType::Integer),
    ]);
    schema.unwrap().save(folder.path("rows.json")).unwrap();
    let written = to().changes(SchemaChanges::Accept).write(table("price,count\n12.505,0.5\n").await).await.unwrap();
    assert_eq!(shown(&written), ["price decimal(19, 3)", "count decimal(20, 1)"]);
    assert_eq!(folder.text("rows.csv"), "price,count\r\n12.505,0.5\r\n");
}

#[tokio::test]
async fn an_inferred_decimal_has_a_larger_scale_than_its_rows() {
    for (number, kind) in [
        ("12.5", "decimal(18, 4)"),
        ("12.50", "decimal(18, 4)"),
        ("0.125", "decimal(18, 5)"),
        ("1e2", "decimal(18, 4)"),
        ("123456789012345.5", "decimal(38, 4)"),
        ("9223372036854775808", "decimal(38, 4)"),
        ("123456789012345678901234567890123456.5", "decimal(38, 2)"),
        ("12345678901234567890123456789012345678", "decimal(38, 0)"),
        ("0.12345678901234567890123456789012345678", "decimal(38, 38)"),
    ] {
        assert_eq!(found(&format!("{{\"a\":{number}}}\n")).await, [format!("a {kind}")], "{number}");
    }
    let folder = Folder::new();
    let to = || ToFile::csv(folder.path("rows.csv")).schema_file(folder.path("rows.json"));
    for price in ["12.50", "12.505", "0.0001", "99999999999999.9999"] {
        let written = to().write(json(format!("{{\"price\":{price}}}\n")).await).await.unwrap();
        assert_eq!(shown(&written), ["price decimal(18, 4)"], "{price}");
        assert_eq!(folder.text("rows.csv"), format!("price\r\n{price}\r\n"));
    }
    let error = to().write(json("{\"price\":0.00001}\n").await).await.unwrap_err();
    assert_eq!(error.problems(), ["column `price`: expected decimal(18, 4), found a number with more digits"]);
    // The accepted value is exact and not a string.
    let written = to().changes(SchemaChanges::Accept).write(json("{\"price\":0.00001}\n").await).await.unwrap();
    assert_eq!(shown(&written), ["price decimal(19, 5)"]);
}

#[tokio::test]
async fn a_column_of_nulls_takes_the_type_of_its_first_values() {
    let folder = Folder::new();
    let to = || ToFile::csv(folder.path("rows.csv")).schema_file(folder.path("rows.json"));
    to().write(json("{\"a\":null,\"b\":1}\n").await).await.unwrap();
    let second = to().write(json("{\"a\":null,\"b\":1}\n{\"a\":2.5,\"b\":1}\n").await).await.unwrap();
    assert_eq!(shown(&second), ["a decimal(18, 4)", "b integer"]);
    assert_eq!(second.schema, Some(TableSchema::load(folder.path("rows.json")).unwrap()));
    let error = to().write(json("{\"a\":\"x\",\"b\":1}\n").await).await.unwrap_err();
    assert_eq!(error.problems(), ["column `a`: expected decimal(18, 4), found a string"]);
}

#[tokio::test]
async fn a_run_without_rows_saves_no_schema() {
    let folder = Folder::new();
    let to = || ToFile::csv(folder.path("rows.csv")).schema_file(folder.path("rows.json"));
    let written = to().write(json("").await).await.unwrap();
    assert_eq!((written.rows, folder.text("rows.csv").as_str(), folder.names()), (0, "", vec!["rows.csv".to_owned()]));
    to().write(json("{\"a\":1}\n").await).await.unwrap();
    to().write(json("").await).await.unwrap();
    assert_eq!(folder.text("rows.csv"), "a\r\n");
}

#[tokio::test]
async fn the_number_of_columns_is_limited() {
    let folder = Folder::new();
    let lines: String = (0..5000).map(|row| format!("{{\"id{row}\": 1}}\n")).collect();
    let error = ToFile::csv(folder.path("rows.csv")).write(json(lines).await).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Schema);
    let text = error.to_string();
    assert_eq!(error.row(), Some(4097));
    assert!(text.contains("`id4096`: expected at most 4096 columns"), "{text}");
}

#[tokio::test]
async fn rows_that_are_not_objects_are_rejected() {
    let folder = Folder::new();
    for (lines, row, problem) in [
        ("{\"a\":1}\n[1]\n", 2, "expected an object, found a list"),
        ("{\"a\":1}\n{\"a\":1,\"b\":2,\"a\":3}\n", 2, "field `a` occurs twice"),
        ("{}\n{}\n", 1, "expected a field, found an object without any"),
        ("{\"\\ud800\":1}\n", 1, "expected an object, found an object with a name that is not valid Unicode"),
    ] {
        let error = ToFile::csv(folder.path("rows.csv")).write(json(lines).await).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.row(), error.problems()),
            (ErrorKind::Schema, Some(row), &[problem.to_owned()][..])
        );
        assert!(folder.names().is_empty());
    }
}

#[tokio::test]
async fn a_schema_file_without_a_schema_is_not_overwritten() {
    let folder = Folder::new();
    for text in [
        "",
        "{}",
        "{\"columns\":[{\"name\":\"a\",\"type\":\"int\",\"nullable\":true}]}",
        "{\"columns\":[{\"name\":\"a\",\"type\":\"decimal(39, 0)\",\"nullable\":true}]}",
        "{\"columns\":[{\"name\":\"a\",\"type\":\"text\"}]}",
        "{\"columns\":[],\"colums\":[]}",
    ] {
        fs::write(folder.path("rows.json"), text).unwrap();
        let to = ToFile::csv(folder.path("rows.csv")).schema_file(folder.path("rows.json"));
        let error = to.write(json("{\"a\":1}\n").await).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::File, "{text}");
        assert!(error.to_string().contains("rows.json` holds no schema of a table: "), "{error}");
        assert_eq!((folder.text("rows.json").as_str(), folder.names().len()), (text, 1));
    }
}

#[tokio::test]
async fn the_error_of_an_invalid_schema_contains_no_values() {
    let folder = Folder::new();
    for (text, told) in [
        (r#"["s3cr3t"]"#, "expected a sequence, found string"),
        (r#"{"columns":"s3cr3t"}"#, "at `columns`: expected a sequence, found string"),
        (
            r#"{"columns":[{"name":"a","type":"text","nullable":"s3cr3t"}]}"#,
            "at `columns[0].nullable`: expected a boolean, found string",
        ),
        (
            r#"{"columns":[{"name":"a","type":"s3cr3t","nullable":true}]}"#,
            "at `columns[0].type`: expected a column type (null, boolean, integer, decimal(18, 2), float, date, \
             local_time, time, text, json or omitted), found another string",
        ),
    ] {
        fs::write(folder.path("rows.json"), text).unwrap();
        let error = TableSchema::load(folder.path("rows.json")).unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(text.contains(told) && !text.contains("s3cr3t"), "{text}");
    }
    // Some editors write a byte order mark.
    fs::write(folder.path("rows.json"), "\u{feff}{\"columns\":[]}").unwrap();
    TableSchema::load(folder.path("rows.json")).unwrap();
}

#[test]
fn an_invalid_schema_is_rejected_with_all_problems() {
    let decimal = |precision, scale| ColumnType::Decimal { precision, scale };
    let error = TableSchema::new([
        Column::nullable("a", decimal(38, 38)),
        Column::nullable("a", decimal(1, 0)),
        Column::nullable("b", decimal(0, 0)),
        Column::nullable("c", decimal(39, 2)),
        Column::nullable("d", decimal(4, 5)),
        Column::required("e", ColumnType::Null),
    ]);
    let decimals = "a decimal has from 1 to 38 digits, and at most all of them behind the point";
    let problems = [
        "column `a` occurs twice".to_owned(),
        format!("column `b`: {decimals}"),
        format!("column `c`: {decimals}"),
        format!("column `d`: {decimals}"),
        "column `e`: null is never required".to_owned(),
    ];
    let error = error.unwrap_err();
    assert_eq!((error.kind(), error.problems()), (ErrorKind::Input, &problems[..]));
}

#[test]
fn column_types_are_parsed_as_they_are_written() {
    for text in [
        "null",
        "boolean",
        "integer",
        "decimal(18, 2)",
        "float",
        "date",
        "local_time",
        "time",
        "text",
        "json",
        "omitted",
    ] {
        assert_eq!(text.parse::<ColumnType>().unwrap().to_string(), text);
    }
    assert_eq!("decimal(18,2)".parse(), Ok(ColumnType::Decimal { precision: 18, scale: 2 }));
    for text in ["", "Text", "decimal", "decimal(18)", "decimal(18, -2)", "decimal(18, 2", "int"] {
        text.parse::<ColumnType>().unwrap_err();
    }
}
