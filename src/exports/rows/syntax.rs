//! The syntax of rows, by content type or first character.

use http::StatusCode;
use perenso_auth::Response;

use crate::error::name::{sanitize, shown};
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

/// The syntax of the rows in a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowSyntax {
    Array,
    Lines,
    Csv,
    /// An array that is a member of an object.
    Member,
}

impl RowSyntax {
    /// Returns the syntax of a content type; `None` if the first character decides.
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
            // RFC 4180: without a header, the first row would be lost.
            "text/csv" if is_headless(parameters) => Err(NO_HEADER.to_owned()),
            "text/csv" | "application/csv" => Ok(Some(Self::Csv)),
            "" | "application/octet-stream" | "text/plain" | "application/vnd.ms-excel" | "text/x-csv" => Ok(None),
            _ => Err(NO_ROWS.to_owned()),
        }
    }

    /// Rejects a charset other than UTF-8, which would garble the rows.
    pub(crate) fn refuse_charset(content_type: &str) -> Result<(), String> {
        let content_type = content_type.to_ascii_lowercase();
        let (_, parameters) = content_type.split_once(';').unwrap_or_default();
        match unsupported_charset(parameters) {
            Some(charset) => {
                Err(format!("it is in {}, and rows are read in UTF-8; read it with `bytes`", shown(charset)))
            }
            None => Ok(()),
        }
    }

    /// Returns the syntax that starts with this character.
    pub(crate) fn of_first_byte(first: u8) -> Result<Self, String> {
        match first {
            b'[' => Ok(Self::Array),
            b'{' => Ok(Self::Lines),
            _ => Err(format!("it does not look like JSON; {NO_ROWS}")),
        }
    }
}

/// Returns true for `header=absent`.
fn is_headless(parameters: &str) -> bool {
    parameter(parameters, "header") == Some("absent")
}

/// Returns a charset that is not compatible with UTF-8.
fn unsupported_charset(parameters: &str) -> Option<&str> {
    parameter(parameters, "charset").filter(|charset| !["utf-8", "utf8", "us-ascii", "ascii", ""].contains(charset))
}

/// Returns the value of a parameter, with or without quotes (RFC 9110, section 5.6.6). Some servers use single quotes.
fn parameter<'p>(parameters: &'p str, wanted: &str) -> Option<&'p str> {
    let mut parameters = parameters.split(';').filter_map(|parameter| parameter.split_once('='));
    parameters.find(|(name, _)| name.trim() == wanted).map(|(_, value)| value.trim().trim_matches(['"', '\'']).trim())
}

/// The metadata of a response, for errors of reading it.
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

    /// Creates the error of a response that cannot be read.
    pub(crate) fn error(&self, detail: &str) -> Error {
        Error::own(ErrorKind::Response, EXPORT_RUN.id, self.message(detail))
    }

    /// Creates the error of a row that cannot be read.
    pub(crate) fn row_error(&self, row: u64, detail: &str) -> Error {
        Error::of_row(EXPORT_RUN.id, row, self.message(detail))
    }

    fn message(&self, detail: &str) -> String {
        let of_type = match &self.content_type {
            Some(content_type) => format!("of content type `{}`", sanitize(content_type, 80)),
            None => "without a content type".to_owned(),
        };
        let status = self.status.map_or(String::new(), |status| format!("{}, ", status.as_u16()));
        format!("the response ({status}{of_type}) cannot be read: {detail}")
    }
}
