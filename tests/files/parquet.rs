//! Parquet: types by the specification, row groups of bounded size.

use std::{fs::File, path::Path};

use parquet::{
    basic::Compression,
    file::{metadata::ParquetMetaData, reader::FileReader, serialized_reader::SerializedFileReader},
    record::{Field, Row},
    schema::printer::print_schema,
};
use perenso::{
    ErrorKind,
    exports::files::{Column, ColumnType, TableSchema, ToFile},
};

use crate::{Folder, json, table};

fn metadata(path: &Path) -> ParquetMetaData {
    SerializedFileReader::new(File::open(path).unwrap()).unwrap().metadata().clone()
}

fn shape(path: &Path) -> String {
    let mut text = Vec::new();
    print_schema(&mut text, metadata(path).file_metadata().schema());
    String::from_utf8(text).unwrap()
}

fn rows(path: &Path) -> Vec<Row> {
    let reader = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
    reader.get_row_iter(None).unwrap().collect::<Result<_, _>>().unwrap()
}

fn rows_of_groups(path: &Path) -> Vec<i64> {
    metadata(path).row_groups().iter().map(|group| group.num_rows()).collect()
}

#[tokio::test]
async fn every_type_is_that_of_the_specification() {
    let folder = Folder::new();
    let decimal = |precision, scale| ColumnType::Decimal { precision, scale };
    let schema = TableSchema::new([
        Column::nullable("null", ColumnType::Null),
        Column::nullable("boolean", ColumnType::Boolean),
        Column::required("integer", ColumnType::Integer),
        Column::nullable("small", decimal(9, 2)),
        Column::required("money", decimal(18, 4)),
        Column::nullable("huge", decimal(38, 0)),
        Column::nullable("float", ColumnType::Float),
        Column::nullable("date", ColumnType::Date),
        Column::nullable("local", ColumnType::LocalTimestamp),
        Column::nullable("time", ColumnType::Timestamp),
        Column::required("text", ColumnType::Text),
        Column::nullable("json", ColumnType::Json),
    ]);
    let to = ToFile::parquet(folder.path("rows.parquet")).schema(schema.unwrap());
    let written = to.write(json("{\"integer\":1,\"money\":1.5,\"text\":\"\"}\n").await).await.unwrap();
    let shape = shape(&folder.path("rows.parquet"));
    let lines: Vec<_> = shape.lines().map(str::trim).collect();
    let expected = [
        "message rows {",
        "OPTIONAL BYTE_ARRAY null (STRING);",
        "OPTIONAL BOOLEAN boolean;",
        "REQUIRED INT64 integer;",
        "OPTIONAL INT32 small (DECIMAL(9,2));",
        "REQUIRED INT64 money (DECIMAL(18,4));",
        "OPTIONAL FIXED_LEN_BYTE_ARRAY (16) huge (DECIMAL(38,0));",
        "OPTIONAL DOUBLE float;",
        "OPTIONAL INT32 date (DATE);",
        "OPTIONAL INT64 local (TIMESTAMP(MICROS,false));",
        "OPTIONAL INT64 time (TIMESTAMP(MICROS,true));",
        "REQUIRED BYTE_ARRAY text (STRING);",
        "OPTIONAL BYTE_ARRAY json (JSON);",
        "}",
    ];
    assert_eq!(lines, expected);
    assert_eq!(written.bytes, folder.path("rows.parquet").metadata().unwrap().len());
    let metadata = metadata(&folder.path("rows.parquet"));
    assert!(metadata.row_group(0).columns().iter().all(|column| column.compression() == Compression::SNAPPY));
}

#[tokio::test]
async fn decimals_of_every_precision_are_read_back() {
    let folder = Folder::new();
    let precisions = 1..=38_u8;
    let name = |precision: u8| format!("p{precision}");
    let columns = precisions
        .clone()
        .map(|precision| Column::nullable(name(precision), ColumnType::Decimal { precision, scale: precision / 2 }));
    let schema = TableSchema::new(columns).unwrap();
    let row = |sign: &str| {
        let fields = precisions.clone().map(|precision| {
            let (integers, scale) = (usize::from(precision - precision / 2), usize::from(precision / 2));
            let point = if scale > 0 { "." } else { "" };
            format!("\"{}\":{sign}{}{point}{}", name(precision), "9".repeat(integers), "9".repeat(scale))
        });
        format!("{{{}}}\n", fields.collect::<Vec<_>>().join(","))
    };
    let to = ToFile::parquet(folder.path("rows.parquet")).schema(schema);
    to.write(json(row("") + &row("-")).await).await.unwrap();
    // Big-endian in two's complement.
    let units = |bytes: &[u8]| {
        bytes.iter().fold(if bytes[0] >> 7 == 1 { -1 } else { 0 }, |units, byte| units << 8 | i128::from(*byte))
    };
    let rows = rows(&folder.path("rows.parquet"));
    assert_eq!(rows.len(), 2);
    for (row, sign) in rows.iter().zip([1, -1]) {
        for (precision, (_, field)) in precisions.clone().zip(row.get_column_iter()) {
            let Field::Decimal(value) = field else { panic!("{field:?}") };
            assert_eq!((value.precision(), value.scale()), (precision.into(), (precision / 2).into()));
            assert_eq!(units(value.data()), sign * (10_i128.pow(precision.into()) - 1));
        }
    }
}

#[tokio::test]
async fn row_groups_are_bounded_by_rows_and_by_bytes() {
    let folder = Folder::new();
    let path = folder.path("rows.parquet");
    ToFile::parquet(&path).row_group_rows(1000).write(json("{\"a\":1}\n".repeat(2500)).await).await.unwrap();
    assert_eq!(rows_of_groups(&path), [1000, 1000, 500]);
    // Strings that neither a dictionary nor compression shrinks.
    let lines: String = (0..20_000_u64)
        .map(|n| {
            format!(
                "{{\"a\":\"{:x}{:x}\"}}\n",
                n.wrapping_mul(0x9E37_79B9_7F4A_7C15),
                n.wrapping_mul(0xBF58_476D_1CE4_E5B9)
            )
        })
        .collect();
    ToFile::parquet(&path).row_group_bytes(100_000).write(json(lines).await).await.unwrap();
    let groups = rows_of_groups(&path);
    assert!(groups.len() >= 3 && groups.iter().all(|rows| *rows <= 8192), "{groups:?}");
    assert_eq!(groups.iter().sum::<i64>(), 20_000);
}

#[tokio::test]
async fn a_schema_is_inferred_saved_and_then_checked() {
    let folder = Folder::new();
    let to = || ToFile::parquet(folder.path("rows.parquet")).schema_file(folder.path("rows.json"));
    let lines = "{\"price\":12.50,\"code\":\"0940\",\"at\":\"2025-01-20T04:50:03.61\"}\n";
    let written = to().write(json(lines).await).await.unwrap();
    let kinds: Vec<_> = written.schema.unwrap().columns().iter().map(|column| column.kind().to_string()).collect();
    assert_eq!(kinds, ["decimal(18, 4)", "text", "local_time"]);
    let before = std::fs::read(folder.path("rows.parquet")).unwrap();
    let error = to().write(json(format!("{lines}{{\"price\":12.50505,\"tax\":1}}\n")).await).await.unwrap_err();
    assert_eq!((error.kind(), error.row()), (ErrorKind::Schema, Some(2)));
    let problems = [
        "column `price`: expected decimal(18, 4), found a number with more digits",
        "column `tax`: not in the schema, found an integer",
    ];
    assert_eq!(error.problems(), problems);
    assert_eq!(std::fs::read(folder.path("rows.parquet")).unwrap(), before);
    assert_eq!(folder.names(), ["rows.json", "rows.parquet"]);
}

#[tokio::test]
async fn csv_records_are_parsed_by_the_schema() {
    let folder = Folder::new();
    let schema =
        TableSchema::new([Column::nullable("n", ColumnType::Integer), Column::nullable("code", ColumnType::Text)]);
    let to = ToFile::parquet(folder.path("rows.parquet")).schema(schema.unwrap());
    to.write(table("code,n\n0940,7\n,\n").await).await.unwrap();
    let rows: Vec<Vec<_>> = rows(&folder.path("rows.parquet"))
        .iter()
        .map(|row| row.get_column_iter().map(|(_, field)| field.clone()).collect())
        .collect();
    let text = |text: &str| Field::Str(text.to_owned());
    assert_eq!(rows, [[Field::Long(7), text("0940")], [Field::Null, text("")]]);
}

#[tokio::test]
async fn a_run_without_rows_writes_a_file() {
    let folder = Folder::new();
    let path = folder.path("rows.parquet");
    // Not every reader accepts a Parquet file without columns.
    let error = ToFile::parquet(&path).write(json("").await).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Schema);
    assert!(error.to_string().contains("give `schema`") && folder.names().is_empty(), "{error}");
    let schema = TableSchema::new([Column::required("a", ColumnType::Integer)]).unwrap();
    ToFile::parquet(&path).schema(schema).write(json("").await).await.unwrap();
    assert_eq!(metadata(&path).file_metadata().num_rows(), 0);
    assert!(shape(&path).contains("REQUIRED INT64 a"));
}
