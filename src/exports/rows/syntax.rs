//! How rows stand in an answer: what its content type says, or how it looks.

use http::StatusCode;
use perenso_auth::Response;

use crate::exports::values::name::{clean, shown};
use crate::{
    error::{Error, ErrorKind},
    generated::operations::EXPORT_RUN,
};

pub(crate) const EMPTY: &str = "it is empty; an export without rows would be `[]`";
pub(crate) const ONE_OBJECT: &str = "it is a JSON object and not an array of rows; set `RowFormat::json_member` if one of its \
                                     members holds the rows, `RowFormat::json_lines` if each line is a row, or read it \
                                     with `json`";
pub(crate) const NO_ROWS: &str = "rows are a JSON array, JSON lines or CSV; set the right `RowFormat` if it is one of them, or \
                                  read it with `text` or `bytes`";
const NO_HEADER: &str =
    "it is CSV without a header; set `RowFormat::csv().columns(…)` or `RowFormat::csv().positions()`";

/// How rows stand in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowSyntax {
    Array,
    Lines,
    Csv,
    /// An array that is a member of an object.
    Member,
}

impl RowSyntax {
    /// The form that the content type names; `None` where the first character decides.
    pub(crate) fn of_type(content_type: &str) -> Result<Option<Self>, String> {
        let content_type = content_type.to_ascii_lowercase();
        let (media_type, parameters) = content_type.split_once(';').unwrap_or((&content_type, ""));
        Self::refuse_charset(&content_type)?;
        match media_type.trim() {
            "application/json" | "text/json" => Ok(Some(Self::Array)),
            json if json.starts_with("application/") && json.ends_with("+json") => Ok(Some(Self::Array)),
            "application/x-ndjson"
            | "application/ndjson"
            | "application/jsonl"
            | "application/x-jsonlines"
            | "application/jsonlines"
            | "application/json-lines" => Ok(Some(Self::Lines)),
            // RFC 4180: the first row would be taken for the header, and lost.
            "text/csv" if is_headless(parameters) => Err(NO_HEADER.to_owned()),
            "text/csv" | "application/csv" => Ok(Some(Self::Csv)),
            "" | "application/octet-stream" | "text/plain" | "application/vnd.ms-excel" | "text/x-csv" => Ok(None),
            _ => Err(NO_ROWS.to_owned()),
        }
    }

    /// Refuses a charset that is named and not read: its letters would become others.
    pub(crate) fn refuse_charset(content_type: &str) -> Result<(), String> {
        let content_type = content_type.to_ascii_lowercase();
        let (_, parameters) = content_type.split_once(';').unwrap_or_default();
        match foreign_charset(parameters) {
            Some(charset) => {
                Err(format!("it is in {}, and rows are read in UTF-8; read it with `bytes`", shown(charset)))
            }
            None => Ok(()),
        }
    }

    /// The form that starts with this character.
    pub(crate) fn of_look(first: u8) -> Result<Self, String> {
        match first {
            b'[' => Ok(Self::Array),
            b'{' => Ok(Self::Lines),
            _ => Err(format!("it does not look like JSON; {NO_ROWS}")),
        }
    }
}

/// Whether the parameters of CSV say that it has no header.
fn is_headless(parameters: &str) -> bool {
    parameter(parameters, "header") == Some("absent")
}

/// A charset that is named and not read: its letters would come out as others.
fn foreign_charset(parameters: &str) -> Option<&str> {
    parameter(parameters, "charset").filter(|charset| !["utf-8", "utf8", "us-ascii", "ascii", ""].contains(charset))
}

/// The value of a parameter, with or without quotes (RFC 9110, section 5.6.6; some servers write single ones).
fn parameter<'p>(parameters: &'p str, wanted: &str) -> Option<&'p str> {
    let mut parameters = parameters.split(';').filter_map(|parameter| parameter.split_once('='));
    parameters.find(|(name, _)| name.trim() == wanted).map(|(_, value)| value.trim().trim_matches(['"', '\'']).trim())
}

/// What an answer says of itself, for the errors of reading it.
#[derive(Clone, Debug)]
pub(crate) struct ResponseMeta {
    pub(crate) status: Option<StatusCode>,
    pub(crate) content_type: Option<String>,
}

impl ResponseMeta {
    pub(crate) fn of(response: &Response) -> Self {
        Self {
            status: Some(response.status()),
            content_type: response.content_type().map(|text| response.redact(text)),
        }
    }

    /// The answer cannot be read, and why.
    pub(crate) fn refusal(&self, detail: &str) -> Error {
        Error::own(ErrorKind::Response, EXPORT_RUN.id, self.text(detail))
    }

    /// One row of the answer cannot be read, and why.
    pub(crate) fn misfit(&self, row: u64, detail: &str) -> Error {
        Error::of_row(EXPORT_RUN.id, row, self.text(detail))
    }

    fn text(&self, detail: &str) -> String {
        let of_type = match &self.content_type {
            Some(content_type) => format!("of content type `{}`", clean(content_type, 80)),
            None => "without a content type".to_owned(),
        };
        let status = self.status.map_or(String::new(), |status| format!("{}, ", status.as_u16()));
        format!("the answer ({status}{of_type}) cannot be read: {detail}")
    }
}
