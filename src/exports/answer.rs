//! The answer of a run: rows, a value, text, or the bytes as they came.

use std::{collections::BTreeSet, fmt};

use bytes::Bytes;
use csv::{ErrorKind as CsvError, ReaderBuilder, StringRecord};
use http::StatusCode;
use perenso_auth::{Response, decode::decode};
use serde::de::DeserializeOwned;

use super::{
    name::{clean, shown},
    raw::FromRow,
};
use crate::{
    error::{Error, ErrorKind},
    generated::operations::EXPORT_RUN,
};

/// The whole answer of a run. Which form an export has is documented nowhere: its content type says.
///
/// `Debug` shows the content type and the length only.
#[derive(Clone)]
pub struct ExportAnswer {
    status: StatusCode,
    content_type: Option<String>,
    bytes: Bytes,
}

/// How rows stand in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Array,
    Lines,
    Csv,
}

impl ExportAnswer {
    pub(crate) async fn read(response: Response) -> Result<Self, Error> {
        let (status, content_type) = (response.status(), response.content_type().map(str::to_owned));
        Ok(Self { status, content_type, bytes: response.bytes().await? })
    }

    /// The status, always a success.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The `Content-Type` as it came.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }

    /// The rows of the answer, in the form that its content type names: a JSON array, JSON lines, or CSV with a header.
    ///
    /// Where the type says nothing (none, `application/octet-stream`, `text/plain`), the first character decides: `[`
    /// is an array, `{` are lines.
    ///
    /// In CSV text stays text: `0940` keeps its zero, in a `serde_json::Value` too. Numbers and booleans are read where
    /// the type asks for them; an empty field is `None` of an `Option` and `""` of a `String`. (Below
    /// `#[serde(flatten)]` serde does not say what a field is, so all fields there are text.)
    ///
    /// # Errors
    /// [`ErrorKind::Answer`] when a row does not fit, with its number from 1 and the path, never the value; when the
    /// answer has no rows, such as a page of HTML or a single object; and when it is empty, except in JSON lines and CSV,
    /// where nothing means no rows.
    pub fn rows<T: FromRow>(&self) -> Result<Vec<T>, Error> {
        let body = self.body();
        let rows = match self.form()? {
            Form::Array => array(body),
            Form::Lines => lines(body),
            Form::Csv => table(body),
        };
        rows.map_err(|detail| self.refusal(detail))
    }

    /// The answer as one JSON value.
    ///
    /// # Errors
    /// [`ErrorKind::Answer`] when it does not fit, with the path, the expected and the found kind, never the value.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        decode(self.body()).map_err(|misfit| self.refusal(misfit.to_string()))
    }

    /// The answer as text.
    ///
    /// # Errors
    /// [`ErrorKind::Answer`] when it is not UTF-8: nothing is replaced in silence.
    pub fn text(&self) -> Result<&str, Error> {
        std::str::from_utf8(&self.bytes).map_err(|_| self.refusal("it is not UTF-8; read it as bytes".to_owned()))
    }

    /// The answer as it came.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The answer as it came, to be taken.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }

    /// The bytes without the mark that some systems put before UTF-8.
    fn body(&self) -> &[u8] {
        self.bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&self.bytes)
    }

    fn form(&self) -> Result<Form, Error> {
        let content_type = self.content_type().unwrap_or_default().to_ascii_lowercase();
        let (media_type, parameters) = content_type.split_once(';').unwrap_or((&content_type, ""));
        match media_type.trim() {
            "application/json" | "text/json" => Ok(Form::Array),
            json if json.starts_with("application/") && json.ends_with("+json") => Ok(Form::Array),
            "application/x-ndjson"
            | "application/ndjson"
            | "application/jsonl"
            | "application/x-jsonlines"
            | "application/jsonlines"
            | "application/json-lines" => Ok(Form::Lines),
            // RFC 4180: the first row would be taken for the header, and lost.
            "text/csv" if parameters.contains("header=absent") => {
                Err(self.refusal("it is CSV without a header; read it with `text` or `bytes`".to_owned()))
            }
            "text/csv" | "application/csv" => Ok(Form::Csv),
            "" | "application/octet-stream" | "text/plain" => {
                match self.body().iter().find(|byte| !byte.is_ascii_whitespace()) {
                    None => Err(self.refusal(EMPTY.to_owned())),
                    Some(b'[') => Ok(Form::Array),
                    Some(b'{') => Ok(Form::Lines),
                    Some(_) => Err(self.refusal(format!("it does not look like JSON; {NO_ROWS}"))),
                }
            }
            _ => Err(self.refusal(NO_ROWS.to_owned())),
        }
    }

    fn refusal(&self, detail: String) -> Error {
        let of_type = match self.content_type() {
            Some(content_type) => format!("of content type `{}`", clean(content_type, 80)),
            None => "without a content type".to_owned(),
        };
        let detail = format!("the answer ({}, {of_type}) cannot be read: {detail}", self.status.as_u16());
        Error::own(ErrorKind::Answer, EXPORT_RUN.id, detail)
    }
}

impl fmt::Debug for ExportAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExportAnswer")
            .field("content_type", &self.content_type)
            .field("length", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

const EMPTY: &str = "it is empty; an export without rows would be `[]`";
const NO_ROWS: &str = "rows come as a JSON array, JSON lines or CSV; read it with `text` or `bytes`";
const ONE_OBJECT: &str = "it is one JSON object and not a list of rows; read it with `json`";

fn array<T: FromRow>(body: &[u8]) -> Result<Vec<T>, String> {
    match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None => return Err(EMPTY.to_owned()),
        Some(b'{') => return Err(ONE_OBJECT.to_owned()),
        Some(_) => {}
    }
    let rows: Vec<serde_json::Value> = decode(body).map_err(|misfit| misfit.to_string())?;
    let row = |(index, row): (usize, &serde_json::Value)| {
        T::from_json(row.to_string().as_bytes()).map_err(|misfit| in_row(index + 1, &misfit.path, &misfit.detail))
    };
    rows.iter().enumerate().map(row).collect()
}

fn lines<T: FromRow>(body: &[u8]) -> Result<Vec<T>, String> {
    let rows = body.split(|byte| *byte == b'\n').filter(|line| !line.iter().all(u8::is_ascii_whitespace));
    let read: Result<Vec<T>, String> = rows
        .enumerate()
        .map(|(index, line)| T::from_json(line).map_err(|misfit| in_row(index + 1, &misfit.path, &misfit.detail)))
        .collect();
    // An object over several lines has no line that is whole.
    read.map_err(|error| if is_one_object(body) { ONE_OBJECT.to_owned() } else { error })
}

fn is_one_object(body: &[u8]) -> bool {
    body.trim_ascii().contains(&b'\n') && decode::<serde_json::Map<String, serde_json::Value>>(body).is_ok()
}

fn table<T: FromRow>(body: &[u8]) -> Result<Vec<T>, String> {
    let mut reader = ReaderBuilder::new().from_reader(body);
    let header = reader.headers().map_err(|error| broken("the header", &error))?.clone();
    let header = std::sync::Arc::new(header);
    let mut names = BTreeSet::new();
    if let Some(twice) = header.iter().find(|name| !names.insert(*name)) {
        return Err(format!("its header has the column {} twice", shown(twice)));
    }
    let mut rows = Vec::new();
    let mut fields = StringRecord::new();
    loop {
        let number = rows.len() + 1;
        match reader.read_record(&mut fields) {
            Ok(true) => {}
            Ok(false) => return Ok(rows),
            Err(error) => return Err(broken(&format!("row {number}"), &error)),
        }
        let row = T::from_fields(&header, &fields);
        rows.push(row.map_err(|misfit| in_row(number, &misfit.path, &misfit.detail))?);
    }
}

fn in_row(number: usize, path: &str, detail: &str) -> String {
    match path {
        "" | "." => format!("row {number}: {detail}"),
        path => format!("row {number}, at `{path}`: {detail}"),
    }
}

/// What is wrong with a CSV file, without its content.
fn broken(place: &str, error: &csv::Error) -> String {
    match error.kind() {
        CsvError::UnequalLengths { expected_len, len, .. } => {
            format!("{place} has {len} fields, and the header has {expected_len}")
        }
        CsvError::Utf8 { .. } => format!("{place} is not UTF-8"),
        _ => format!("{place} is no CSV"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;
    use serde_json::{Value, json};

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "camelCase")]
    struct Customer {
        code: String,
        zone: Option<i64>,
        #[serde(default)]
        open: Option<bool>,
    }

    fn answer(content_type: &str, body: impl Into<Bytes>) -> ExportAnswer {
        let content_type = Some(content_type).filter(|text| !text.is_empty()).map(str::to_owned);
        ExportAnswer { status: StatusCode::OK, content_type, bytes: body.into() }
    }

    fn customers() -> Vec<Customer> {
        vec![
            Customer { code: "0940".into(), zone: Some(-7), open: Some(true) },
            Customer { code: String::new(), zone: None, open: None },
        ]
    }

    const ARRAY: &str = r#" [{"code":"0940","zone":-7,"open":true},{"code":"","zone":null}]"#;
    const LINES: &str = "{\"code\":\"0940\",\"zone\":-7,\"open\":true}\r\n\n{\"code\":\"\",\"zone\":null}\n";
    const CSV: &str = "code,zone,open\r\n0940,-7,TRUE\r\n\"\",,\r\n";

    #[test]
    fn the_content_type_decides_and_the_look_where_it_says_nothing() {
        for (content_type, body) in [
            ("application/json", ARRAY),
            ("Application/JSON; charset=utf-8", ARRAY),
            ("application/vnd.api+json", ARRAY),
            ("", ARRAY),
            ("text/plain", ARRAY),
            ("application/x-ndjson", LINES),
            ("application/jsonl", LINES),
            ("application/x-jsonlines", LINES),
            ("", LINES),
            ("application/octet-stream", LINES),
            ("text/csv", CSV),
            ("text/csv; header=present", CSV),
        ] {
            assert_eq!(answer(content_type, body).rows::<Customer>().unwrap(), customers(), "{content_type} {body}");
            let marked = [b"\xEF\xBB\xBF", body.as_bytes()].concat();
            assert_eq!(answer(content_type, marked).rows::<Customer>().unwrap(), customers(), "{content_type} {body}");
        }
    }

    #[test]
    fn an_error_names_row_and_path_and_never_the_value() {
        for (content_type, body, expected) in [
            (
                "application/json",
                r#"[{"code":"a"},{"code":"b","zone":"s3cr3t"}]"#,
                "row 2, at `zone`: expected i64, found text",
            ),
            ("application/json", r#"[{"code":"s3cr3t"},{}]"#, "row 2: field `code` is missing"),
            (
                "application/json",
                r#"[{"code":"s3cr3t""#,
                "at the top: JSON that ends too early: the body was cut (line 1, column 17)",
            ),
            ("application/json", r#"[{"code":"s3cr3t"}]]"#, "at the top: no JSON (line 1, column 20)"),
            ("application/json", r#"{"code":"s3cr3t"}"#, ONE_OBJECT),
            ("application/json", " ", EMPTY),
            ("text/plain", "\n", EMPTY),
            (
                "text/plain",
                "s3cr3t",
                "it does not look like JSON; rows come as a JSON array, JSON lines or CSV; read it with `text` or `bytes`",
            ),
            ("text/html", "<html>s3cr3t</html>", NO_ROWS),
            (
                "application/jsonl",
                "{\"code\":\"a\"}\n{\"code\":[\"s3cr3t\"]}",
                "row 2, at `code`: expected a string, found list",
            ),
            (
                "application/jsonl",
                "{\"code\":\"a\"}\n{\"code\":\"s3cr3t",
                "row 2: JSON that ends too early: the body was cut (line 1, column 15)",
            ),
            ("text/plain", "{\n\"code\": \"s3cr3t\"\n}", ONE_OBJECT),
            ("text/csv", "code,zone\na,1\nb,s3cr3t\n", "row 2, at `zone`: expected i64, found text"),
            ("text/csv", "code,open\ns3cr3t,no\n", "row 1, at `open`: expected a boolean, found text"),
            ("text/csv", "zone\n1\n", "row 1: field `code` is missing"),
            ("text/csv", "code,zone\na,1\ns3cr3t\n", "row 2 has 1 fields, and the header has 2"),
            ("text/csv", "code,zone,code\na,1,b\n", "its header has the column `code` twice"),
            ("text/csv;header=absent", "s3cr3t,1\n", "it is CSV without a header; read it with `text` or `bytes`"),
        ] {
            let error = answer(content_type, body).rows::<Customer>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Answer);
            let text = error.to_string();
            assert_eq!(
                text,
                format!("export_run: the answer (200, of content type `{content_type}`) cannot be read: {expected}")
            );
            assert!(!format!("{text} {error:?}").contains("s3cr3t"));
        }
        let broken = answer("text/csv", &b"code\na\n\xFF\n"[..]).rows::<Customer>().unwrap_err();
        assert!(broken.to_string().ends_with("row 2 is not UTF-8"), "{broken}");
    }

    #[test]
    fn nothing_is_no_rows_where_rows_stand_one_by_one() {
        for (content_type, body) in
            [("text/csv", ""), ("text/csv", "code,zone\n"), ("application/jsonl", ""), ("application/json", "[]")]
        {
            assert_eq!(answer(content_type, body).rows::<Customer>().unwrap(), [], "{content_type} {body}");
        }
    }

    #[test]
    fn text_of_csv_stays_text() {
        let rows = answer("text/csv", "code,amount,open\n0940,1.50,true\n").rows::<Value>().unwrap();
        assert_eq!(rows, [json!({"code": "0940", "amount": "1.50", "open": "true"})]);
    }

    #[test]
    fn a_value_a_text_and_bytes() {
        let object = answer("application/json", r#"{"rows": 15}"#);
        assert_eq!(object.json::<Value>().unwrap(), json!({"rows": 15}));
        assert_eq!(object.text().unwrap(), r#"{"rows": 15}"#);
        assert_eq!(object.clone().into_bytes(), object.bytes());
        assert_eq!(format!("{object:?}"), r#"ExportAnswer { content_type: Some("application/json"), length: 12, .. }"#);
        let error = object.json::<Vec<u8>>().unwrap_err();
        assert!(error.to_string().ends_with("at the top: expected a sequence, found object"), "{error}");
        answer("text/plain", &b"\xFF"[..]).text().unwrap_err();
    }

    proptest! {
        #[test]
        fn csv_gives_back_what_was_written(rows in prop::collection::vec(("\\PC{0,6}[\",\n]?x", any::<Option<i64>>()), 0..8)) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(["code", "zone"]).unwrap();
            for (code, zone) in &rows {
                writer.write_record([code, &zone.map_or(String::new(), |zone| zone.to_string())]).unwrap();
            }
            let read = answer("text/csv", writer.into_inner().unwrap()).rows::<Customer>().unwrap();
            let read: Vec<_> = read.into_iter().map(|customer| (customer.code, customer.zone)).collect();
            prop_assert_eq!(read, rows);
        }

        #[test]
        fn every_form_gives_the_same_rows(zones in prop::collection::vec(any::<Option<i64>>(), 1..8)) {
            let rows: Vec<Value> = zones.iter().map(|zone| json!({"code": "0940", "zone": zone})).collect();
            let lines: String = rows.iter().map(|row| format!("{row}\n")).collect();
            let csv: String = zones.iter().fold("code,zone\n".to_owned(), |csv, zone| {
                format!("{csv}0940,{}\n", zone.map_or(String::new(), |zone| zone.to_string()))
            });
            let array = answer("", Value::from(rows).to_string()).rows::<Customer>().unwrap();
            prop_assert_eq!(&array, &answer("", lines).rows::<Customer>().unwrap());
            prop_assert_eq!(&array, &answer("text/csv", csv).rows::<Customer>().unwrap());
        }
    }
}
