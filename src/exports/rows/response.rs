//! The response of an export run.

use std::fmt;

use bytes::Bytes;
use http::StatusCode;
use perenso_auth::{Response, decode::decode_body};
use serde::de::DeserializeOwned;

use super::{
    format::RowFormat,
    raw::FromRow,
    reader::{BYTE_ORDER_MARK, RowReader},
    syntax::ResponseMeta,
};
use crate::error::Error;

/// The whole response of an export run. The vendor does not document the syntax of exports; the content type names it.
///
/// `Debug` shows only the content type and the length.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let sandbox = perenso_sandbox::Sandbox::start().await?;
/// # let show = perenso::Perenso::from_vars(sandbox.vars())?;
/// let run = show.exports().run("Get API Customers");
/// let response = run.value("Cursor", 1).value("Limit", 15).send().await?;
/// println!("{:?}, {} bytes", response.content_type(), response.bytes().len());
/// let rows: Vec<serde_json::Value> = response.rows()?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct ExportResponse {
    status: StatusCode,
    meta: ResponseMeta,
    bytes: Bytes,
    format: Option<RowFormat>,
}

impl ExportResponse {
    pub(crate) async fn read(response: Response) -> Result<Self, Error> {
        let (status, meta) = (response.status(), ResponseMeta::of(&response));
        Ok(Self { status, meta, bytes: response.bytes().await?, format: None })
    }

    pub(crate) fn formatted(self, format: Option<RowFormat>) -> Self {
        Self { format, ..self }
    }

    /// Sets the syntax of the rows and overrides the content type.
    #[must_use]
    pub fn format(self, format: RowFormat) -> Self {
        self.formatted(Some(format))
    }

    /// Returns the status, which is always a success.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the `Content-Type` header.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.meta.content_type.as_deref()
    }

    /// Deserialises the rows, in the syntax of the content type: a JSON array, JSON lines, or CSV with a header.
    ///
    /// If the content type is missing, `application/octet-stream` or `text/plain`, the first character decides: `[` starts
    /// an array and `{` at least two JSON lines. [`format`](Self::format) overrides this.
    ///
    /// CSV fields are strings: `0940` keeps its zero, in a `serde_json::Value` too. Numbers and booleans are parsed if the
    /// type asks for them. An empty field is `None` for an `Option` and `""` for a `String`.
    ///
    /// Under `#[serde(flatten)]`, serde does not pass the type of a field on. CSV fields there are strings, and a JSON
    /// number beyond the range of an `f32` becomes infinity instead of an error.
    ///
    /// # Errors
    /// [`ErrorKind::Response`](crate::ErrorKind::Response) in these cases:
    ///
    /// - A row does not deserialise. The error names its number, from 1, and the path, never the value.
    /// - The response holds no rows, such as HTML or a single object.
    /// - The body is empty, except for JSON lines, CSV and status 204, which then have no rows.
    pub fn rows<T: FromRow>(&self) -> Result<Vec<T>, Error> {
        let mut reader = RowReader::with_meta(self.meta.clone(), self.format.clone())?.row_limit(usize::MAX);
        reader.push(self.bytes.clone());
        reader.finish();
        std::iter::from_fn(|| reader.next_row()).collect::<Result<_, _>>().map_err(Error::of_response)
    }

    /// Deserialises the body as one JSON value.
    ///
    /// # Errors
    /// [`ErrorKind::Response`](crate::ErrorKind::Response) if the body does not deserialise. The error names the path, the
    /// expected type and the kind found, never the value.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        decode_body(self.body()).map_err(|mismatch| self.error(&mismatch.to_string()))
    }

    /// Returns the body as a string.
    ///
    /// # Errors
    /// [`ErrorKind::Response`](crate::ErrorKind::Response) if the body is not UTF-8. Invalid bytes are not replaced.
    pub fn text(&self) -> Result<&str, Error> {
        std::str::from_utf8(&self.bytes).map_err(|_| self.error("it is not UTF-8; read it as bytes"))
    }

    /// Returns the body.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the body by value.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }

    /// Returns the body without a byte order mark.
    fn body(&self) -> &[u8] {
        self.bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&self.bytes)
    }

    fn error(&self, detail: &str) -> Error {
        self.meta.error(detail)
    }
}

impl fmt::Debug for ExportResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExportResponse")
            .field("content_type", &self.meta.content_type)
            .field("length", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        error::ErrorKind,
        exports::rows::syntax::{EMPTY, NO_ROWS, ONE_OBJECT},
    };

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "camelCase")]
    struct Customer {
        code: String,
        zone: Option<i64>,
        #[serde(default)]
        open: Option<bool>,
    }

    fn response(content_type: &str, body: impl Into<Bytes>) -> ExportResponse {
        let content_type = Some(content_type).filter(|text| !text.is_empty()).map(str::to_owned);
        let meta = ResponseMeta { status: Some(StatusCode::OK), content_type };
        ExportResponse { status: StatusCode::OK, meta, bytes: body.into(), format: None }
    }

    fn customers() -> Vec<Customer> {
        vec![
            Customer { code: "0940".into(), zone: Some(-7), open: Some(true) },
            Customer { code: String::new(), zone: None, open: None },
        ]
    }

    const OVER_LINES: &str =
        "row 1 continues on the next line; expected one row on each line; read a single JSON object with `json`";
    const ARRAY: &str = r#" [{"code":"0940","zone":-7,"open":true},{"code":"","zone":null}]"#;
    const LINES: &str = "{\"code\":\"0940\",\"zone\":-7,\"open\":true}\r\n\n{\"code\":\"\",\"zone\":null}\n";
    const CSV: &str = "code,zone,open\r\n0940,-7,TRUE\r\n\"\",,\r\n";

    #[test]
    fn the_content_type_decides_and_otherwise_the_first_character() {
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
            assert_eq!(response(content_type, body).rows::<Customer>().unwrap(), customers(), "{content_type} {body}");
            let marked = [b"\xEF\xBB\xBF", body.as_bytes()].concat();
            assert_eq!(
                response(content_type, marked).rows::<Customer>().unwrap(),
                customers(),
                "{content_type} {body}"
            );
        }
    }

    #[test]
    fn an_error_names_row_and_path_and_never_the_value() {
        for (content_type, body, expected) in [
            (
                "application/json",
                r#"[{"code":"a"},{"code":"b","zone":"s3cr3t"}]"#,
                "row 2, at `zone`: expected i64, found string",
            ),
            ("application/json", r#"[{"code":"s3cr3t"},{}]"#, "row 2: field `code` is missing"),
            ("application/json", r#"[{"code":"s3cr3t""#, "it ends within row 1: it was cut"),
            ("application/json", r#"[{"code":"s3cr3t"}]]"#, "more follows after the closing `]`"),
            ("application/json", r#"{"code":"s3cr3t"}"#, ONE_OBJECT),
            ("application/json", " ", EMPTY),
            ("text/plain", "\n", EMPTY),
            (
                "text/plain",
                "s3cr3t",
                "it does not look like JSON; rows are a JSON array, JSON lines or CSV; set the right `RowFormat` if it is one of them, or read it with `text` or `bytes`",
            ),
            ("text/html", "<html>s3cr3t</html>", NO_ROWS),
            (
                "application/jsonl",
                "{\"code\":\"a\"}\n{\"code\":[\"s3cr3t\"]}",
                "row 2, at `code`: expected a string, found array",
            ),
            ("application/jsonl", "{\"code\":\"a\"}\n{\"code\":\"s3cr3t", "it ends within row 2: it was cut"),
            ("text/plain", "{\n\"code\": \"s3cr3t\"\n}", OVER_LINES),
            ("text/csv", "code,zone\na,1\nb,s3cr3t\n", "row 2, at `zone`: expected i64, found string"),
            ("text/csv", "code,open\ns3cr3t,no\n", "row 1, at `open`: expected a boolean, found string"),
            ("text/csv", "zone\n1\n", "row 1: field `code` is missing"),
            ("text/csv", "code,zone\na,1\ns3cr3t\n", "row 2: expected 2 fields, found 1"),
            (
                "text/csv",
                "code,zone,code\na,1,b\n",
                "its header has the column `code` twice; set `RowFormat::csv().unique_names()`",
            ),
            (
                "text/csv;header=absent",
                "s3cr3t,1\n",
                "it is CSV without a header; set `RowFormat::csv().columns(…)` or `RowFormat::csv().positions()`",
            ),
        ] {
            let error = response(content_type, body).rows::<Customer>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Response);
            let text = error.to_string();
            assert_eq!(
                text,
                format!("export_run: the response (200, of content type `{content_type}`) cannot be read: {expected}")
            );
            assert!(!format!("{text} {error:?}").contains("s3cr3t"));
        }
        let broken = response("text/csv", &b"code\na\n\xFF\n"[..]).rows::<Customer>().unwrap_err();
        assert!(broken.to_string().ends_with("row 2: it is not UTF-8"), "{broken}");
    }

    #[test]
    fn an_empty_body_has_no_rows_in_lines_and_csv() {
        for (content_type, body) in
            [("text/csv", ""), ("text/csv", "code,zone\n"), ("application/jsonl", ""), ("application/json", "[]")]
        {
            assert_eq!(response(content_type, body).rows::<Customer>().unwrap(), [], "{content_type} {body}");
        }
    }

    #[test]
    fn csv_fields_are_strings() {
        let rows = response("text/csv", "code,amount,open\n0940,1.50,true\n").rows::<Value>().unwrap();
        assert_eq!(rows, [json!({"code": "0940", "amount": "1.50", "open": "true"})]);
    }

    #[test]
    fn the_body_is_read_as_json_string_and_bytes() {
        let object = response("application/json", r#"{"rows": 15}"#);
        assert_eq!(object.json::<Value>().unwrap(), json!({"rows": 15}));
        assert_eq!(object.text().unwrap(), r#"{"rows": 15}"#);
        assert_eq!(object.clone().into_bytes(), object.bytes());
        assert_eq!(
            format!("{object:?}"),
            r#"ExportResponse { content_type: Some("application/json"), length: 12, .. }"#
        );
        let error = object.json::<Vec<u8>>().unwrap_err();
        assert!(error.to_string().ends_with("at the top: expected a sequence, found object"), "{error}");
        response("text/plain", &b"\xFF"[..]).text().unwrap_err();
    }

    proptest! {
        #[test]
        fn csv_rows_are_those_written(rows in prop::collection::vec(("\\PC{0,6}[\",\n]?x", any::<Option<i64>>()), 0..8)) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(["code", "zone"]).unwrap();
            for (code, zone) in &rows {
                writer.write_record([code, &zone.map_or(String::new(), |zone| zone.to_string())]).unwrap();
            }
            let read = response("text/csv", writer.into_inner().unwrap()).rows::<Customer>().unwrap();
            let read: Vec<_> = read.into_iter().map(|customer| (customer.code, customer.zone)).collect();
            prop_assert_eq!(read, rows);
        }

        #[test]
        fn every_syntax_gives_the_same_rows(zones in prop::collection::vec(any::<Option<i64>>(), 2..8)) {
            let rows: Vec<Value> = zones.iter().map(|zone| json!({"code": "0940", "zone": zone})).collect();
            let lines: String = rows.iter().map(|row| format!("{row}\n")).collect();
            let csv: String = zones.iter().fold("code,zone\n".to_owned(), |csv, zone| {
                format!("{csv}0940,{}\n", zone.map_or(String::new(), |zone| zone.to_string()))
            });
            let array = response("", Value::from(rows).to_string()).rows::<Customer>().unwrap();
            prop_assert_eq!(&array, &response("", lines).rows::<Customer>().unwrap());
            prop_assert_eq!(&array, &response("text/csv", csv).rows::<Customer>().unwrap());
        }
    }
}
