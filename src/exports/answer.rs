//! The answer of a run: rows, a value, text, or the bytes as they came.

use std::{collections::BTreeSet, fmt};

use bytes::Bytes;
use csv::{ErrorKind as CsvError, ReaderBuilder, StringRecord};
use http::StatusCode;
use perenso_auth::{
    Response,
    decode::{Misfit, decode},
};
use serde::de::DeserializeOwned;

use super::{
    name::{clean, shown},
    row::Row,
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
    pub fn rows<T: DeserializeOwned>(&self) -> Result<Vec<T>, Error> {
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
        let media_type = self.content_type().unwrap_or_default().split(';').next().unwrap_or_default();
        match media_type.trim().to_ascii_lowercase().as_str() {
            "application/json" | "text/json" => Ok(Form::Array),
            json if json.starts_with("application/") && json.ends_with("+json") => Ok(Form::Array),
            "application/x-ndjson"
            | "application/ndjson"
            | "application/jsonl"
            | "application/x-jsonlines"
            | "application/jsonlines"
            | "application/json-lines" => Ok(Form::Lines),
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

fn array<T: DeserializeOwned>(body: &[u8]) -> Result<Vec<T>, String> {
    match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None => return Err(EMPTY.to_owned()),
        Some(b'{') => return Err(ONE_OBJECT.to_owned()),
        Some(_) => {}
    }
    decode(body).map_err(|misfit| {
        let row = misfit.path.strip_prefix('[').and_then(|path| path.split_once(']'));
        match row.and_then(|(index, path)| Some((index.parse::<usize>().ok()?, path))) {
            Some((index, path)) => {
                in_row(index + 1, &Misfit { path: path.trim_start_matches('.').to_owned(), ..misfit.clone() })
            }
            None => misfit.to_string(),
        }
    })
}

fn lines<T: DeserializeOwned>(body: &[u8]) -> Result<Vec<T>, String> {
    let rows = body.split(|byte| *byte == b'\n').filter(|line| !line.iter().all(u8::is_ascii_whitespace));
    let read: Result<Vec<T>, String> =
        rows.enumerate().map(|(index, line)| decode(line).map_err(|misfit| in_row(index + 1, &misfit))).collect();
    // An object over several lines has no line that is whole.
    read.map_err(|error| if is_one_object(body) { ONE_OBJECT.to_owned() } else { error })
}

fn is_one_object(body: &[u8]) -> bool {
    body.trim_ascii().contains(&b'\n') && decode::<serde_json::Map<String, serde_json::Value>>(body).is_ok()
}

fn table<T: DeserializeOwned>(body: &[u8]) -> Result<Vec<T>, String> {
    let mut reader = ReaderBuilder::new().from_reader(body);
    let header = reader.headers().map_err(|error| broken("the header", &error))?.clone();
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
        let row = Row { header: &header, fields: &fields };
        rows.push(read(row).map_err(|misfit| in_row(number, &misfit))?);
    }
}

fn read<T: DeserializeOwned>(row: Row<'_>) -> Result<T, Misfit> {
    // The way that remembers the path is slow, so only those go it who need the path.
    T::deserialize(row).or_else(|_| serde_path_to_error::deserialize(row)).map_err(|error| {
        let path = error.path().to_string();
        Misfit { path, detail: error.into_inner().to_string() }
    })
}

fn in_row(number: usize, misfit: &Misfit) -> String {
    match misfit.path.as_str() {
        "" | "." => format!("row {number}: {}", misfit.detail),
        path => format!("row {number}, at `{path}`: {}", misfit.detail),
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
