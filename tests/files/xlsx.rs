//! Excel workbooks, read by calamine.

use std::path::Path;

use calamine::{Data, DataType, Reader, Xlsx, open_workbook};
use perenso::{
    ErrorKind,
    exports::{
        RawRow,
        files::{Column, ColumnType, TableSchema, ToFile},
    },
};

use crate::{Folder, json, table};

fn cells(path: &Path) -> Vec<Vec<Data>> {
    let mut book: Xlsx<_> = open_workbook(path).unwrap();
    let sheet = book.worksheet_range("Rows").unwrap();
    sheet.rows().map(<[Data]>::to_vec).collect()
}

fn texts(values: &[&str]) -> Vec<Data> {
    values.iter().map(|text| Data::String((*text).to_owned())).collect()
}

#[tokio::test]
async fn text_stays_text_and_everything_else_has_its_type() {
    let folder = Folder::new();
    let path = folder.path("rows.xlsx");
    let rows = concat!(
        r#"{"code":"0940","price":12.50,"count":3,"on":true,"day":"2025-01-31","at":"2025-01-20T04:50:03.61","long":1}"#,
        "\n",
        r#"{"code":"1e5","price":0.1,"count":-7,"on":false,"day":"2024-02-29","at":null,"long":123456789012345678}"#,
        "\n",
        r#"{"code":"=1+1","price":null,"count":null,"on":null,"day":"1900-02-28","at":"1999-12-31T23:59:59","long":10}"#,
        "\n",
    );
    let written = ToFile::xlsx(&path).write(json(rows).await).await.unwrap();
    assert_eq!(written.rows, 3);
    assert_eq!(folder.names(), ["rows.xlsx"]);
    let cells = cells(&path);
    assert_eq!(cells[0], texts(&["code", "price", "count", "on", "day", "at", "long"]));
    assert_eq!(cells.iter().skip(1).map(|row| row[0].clone()).collect::<Vec<_>>(), texts(&["0940", "1e5", "=1+1"]));
    assert_eq!((cells[1][1].get_float(), cells[2][1].get_float()), (Some(12.5), Some(0.1)));
    assert_eq!((cells[1][2].get_float(), cells[2][2].get_float()), (Some(3.0), Some(-7.0)));
    assert_eq!((cells[1][3].get_bool(), cells[2][3].get_bool()), (Some(true), Some(false)));
    // Null is an empty cell.
    assert!(cells[3][1..4].iter().all(Data::is_empty), "{:?}", cells[3]);
    // Days since 1899-12-30.
    let day = |cell: &Data| cell.get_datetime().unwrap().as_f64();
    assert_eq!((day(&cells[1][4]), day(&cells[2][4])), (45_688.0, 45_351.0));
    assert!((day(&cells[1][5]) - 45_677.201_430_671_3).abs() < 1e-9, "{:?}", cells[1][5]);
    // Excel has another day before this one, and keeps 15 digits of a number.
    assert_eq!((&cells[3][4], &cells[2][6]), (&texts(&["1900-02-28"])[0], &texts(&["123456789012345678"])[0]));
    assert_eq!(cells[1][6].get_float(), Some(1.0));
}

#[tokio::test]
async fn every_character_is_read_back() {
    let folder = Folder::new();
    let path = folder.path("rows.xlsx");
    let texts = ["a & b < c > \"d\"", " spaces ", "two\nlines", "Crème brûlée 🛒", "]]>", "tab\tand & <b>"];
    let rows: String =
        texts.iter().map(|text| serde_json::json!({ "a<&\"": text, "b": "" }).to_string() + "\n").collect();
    ToFile::xlsx(&path).write(json(rows).await).await.unwrap();
    let cells = cells(&path);
    assert_eq!(cells[0][0], Data::String("a<&\"".to_owned()));
    let read: Vec<_> = cells[1..].iter().map(|row| row[0].to_string()).collect();
    assert_eq!(read, texts);
}

#[tokio::test]
async fn what_excel_has_no_room_for_is_an_error_and_no_file() {
    let folder = Folder::new();
    let to = || ToFile::xlsx(folder.path("rows.xlsx"));
    let fits = format!("{{\"note\":\"{}\"}}\n", "é".repeat(32_767));
    to().write(json(&fits).await).await.unwrap();
    std::fs::remove_file(folder.path("rows.xlsx")).unwrap();
    let long = format!("{{\"note\":\"short\"}}\n{{\"note\":\"{}\"}}\n", "é".repeat(32_768));
    let error = to().write(json(long).await).await.unwrap_err();
    assert_eq!((error.kind(), error.row()), (ErrorKind::Schema, Some(2)));
    assert_eq!(error.problems(), ["column `note`: expected at most 32767 characters in a cell of Excel, found more"]);

    let row = RawRow::from_value(&serde_json::json!({"n": 1})).unwrap();
    let rows = |count: usize| futures_util::stream::iter(std::iter::repeat_n(row.clone(), count).map(Ok));
    let schema = TableSchema::new([Column::nullable("n", ColumnType::Integer)]).unwrap();
    for to in [to(), to().schema(schema.clone())] {
        let error = to.write(rows(1_048_576)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::File);
        assert!(error.to_string().contains("1,048,576 rows with its header, found more: write CSV"), "{error}");
    }
    let columns = (0..16_385).map(|number| Column::nullable(format!("c{number}"), ColumnType::Text));
    let wide = TableSchema::new(columns).unwrap();
    let error = to().schema(wide).write(rows(0)).await.unwrap_err();
    assert!(error.to_string().contains("at most 16,384 columns"), "{error}");
    assert!(folder.names().is_empty(), "{:?}", folder.names());
}

#[tokio::test]
async fn csv_rows_are_text_and_no_rows_are_a_header() {
    let folder = Folder::new();
    let path = folder.path("rows.xlsx");
    ToFile::xlsx(&path).write(table("code,city\n0940,Fargo\n,\n").await).await.unwrap();
    assert_eq!(cells(&path)[..2], [texts(&["code", "city"]), texts(&["0940", "Fargo"])]);
    ToFile::xlsx(&path).write(table("code,city\n").await).await.unwrap();
    assert_eq!(cells(&path), [texts(&["code", "city"])]);
    ToFile::xlsx(&path).write(json("").await).await.unwrap();
    assert!(cells(&path).is_empty());
}

/// Prints each cell below the header with the type that openpyxl gives it, or the first problem of the archive.
#[cfg(feature = "parquet")]
const OPENPYXL: &str = "
import openpyxl, sys, zipfile
assert zipfile.ZipFile(sys.argv[1]).testzip() is None
for row in openpyxl.load_workbook(sys.argv[1])['Rows'].iter_rows(min_row=2):
    print(*(f'{cell.data_type}:{cell.value}' for cell in row), sep='|')
";

#[cfg(feature = "parquet")]
#[tokio::test]
async fn readback_by_openpyxl() {
    let Some(python) = crate::readback::python("openpyxl") else { return };
    let folder = Folder::new();
    let path = folder.path("rows.xlsx");
    let row = r#"{"code":"0940","sum":"=1+1","price":12.50,"long":1234567890123456,"on":true,"day":"2025-01-31","at":"2025-01-20T04:50:03.5","none":null}"#;
    ToFile::xlsx(&path).write(json(row).await).await.unwrap();
    let output = std::process::Command::new(python).args(["-c", OPENPYXL]).arg(path).output().unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    let cells =
        "s:0940|s:=1+1|n:12.5|s:1234567890123456|b:True|d:2025-01-31 00:00:00|d:2025-01-20 04:50:03.500000|n:None";
    assert_eq!((out.trim(), err.as_str()), (cells, ""));
}
