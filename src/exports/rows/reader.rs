//! Incremental reading of rows from chunks of bytes.

mod array;
mod dialect;
mod lines;
mod member;
mod quotes;
mod table;

use std::{collections::VecDeque, fmt};

use bytes::{Buf, Bytes};
use http::StatusCode;
use perenso_auth::decode::Mismatch;
use serde::de::IgnoredAny;

use self::{array::Array, lines::Lines, member::Member, table::CsvTable};
use super::{
    format::{CsvDialect, RowFormat},
    header,
    raw::FromRow,
    syntax::{EMPTY, ResponseMeta, RowSyntax},
};
use crate::error::Error;

/// The default maximum size of a row: 16 MiB.
pub(crate) const DEFAULT_MAX_ROW_BYTES: usize = 16 << 20;

pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Reads rows from chunks of bytes that may end anywhere, for example from a saved response. It does no I/O, and holds one
/// row and the unread chunks.
///
/// [`Rows`](crate::exports::Rows) documents its errors and uses this reader.
///
/// ```
/// use perenso::exports::RowReader;
///
/// let mut reader = RowReader::new(Some("application/json"))?;
/// let mut zones: Vec<u32> = Vec::new();
/// for chunk in [&b"[70"[..], b"1,70", b"2", b"]"] {
///     reader.push(chunk);
///     while let Some(zone) = reader.next_row() {
///         zones.push(zone?);
///     }
/// }
/// // Reports a truncated body.
/// reader.finish();
/// while let Some(zone) = reader.next_row() {
///     zones.push(zone?);
/// }
/// assert_eq!(zones, [701, 702]);
/// # Ok::<(), perenso::Error>(())
/// ```
///
/// `Debug` shows only the content type and the number of rows.
pub struct RowReader {
    meta: ResponseMeta,
    format: Option<RowFormat>,
    max_row_bytes: usize,
    state: State,
    /// The current chunk, followed by those in `waiting`.
    chunk: Bytes,
    waiting: VecDeque<Bytes>,
    is_finished: bool,
    received: u64,
}

enum State {
    /// Before the first byte of a row. `seen` counts the bytes of a byte order mark.
    Start {
        syntax: Option<RowSyntax>,
        seen: usize,
    },
    Array(Array),
    Lines(Lines),
    Table(Box<CsvTable>),
    Member(Box<Member>),
    Over,
}

/// The outcome of one read step.
enum Step<T> {
    Row(T),
    /// A complete row that does not deserialise.
    Mismatch(Mismatch),
    /// The chunk is consumed and more are expected.
    More,
    End,
    /// An error that ends the rows.
    Broken(String),
}

/// The context of a read step.
#[derive(Clone, Copy)]
struct RowContext {
    /// The number of the current row, from 1.
    row: u64,
    max_row_bytes: usize,
    /// True if the current chunk is the last.
    is_last: bool,
}

impl RowContext {
    fn truncated<T>(self) -> Step<T> {
        Step::Broken(format!("it ends within row {}: it was cut", self.row))
    }

    fn too_large<T>(self) -> Step<T> {
        Step::Broken(format!("row {} is larger than the limit of {} bytes for a row", self.row, self.max_row_bytes))
    }

    /// Deserialises a complete row.
    fn whole<T: FromRow>(self, row: &[u8]) -> Step<T> {
        match T::from_json(row) {
            Ok(row) => Step::Row(row),
            Err(mismatch) => self.syntax_error(row).map_or(Step::Mismatch(mismatch), Step::Broken),
        }
    }

    /// Describes the syntax error of a row; `None` for valid JSON.
    fn syntax_error(self, row: &[u8]) -> Option<String> {
        let error = serde_json::from_slice::<IgnoredAny>(row).err()?;
        Some(format!("row {}: invalid JSON (line {}, column {} of the row)", self.row, error.line(), error.column()))
    }
}

impl RowReader {
    /// Creates a reader for the syntax of a content type: a JSON array, JSON lines, or CSV with a header.
    ///
    /// If the content type is missing, `application/octet-stream` or `text/plain`, the first character decides: `[` starts
    /// an array and `{` at least two JSON lines.
    ///
    /// # Errors
    /// [`ErrorKind::Response`](crate::ErrorKind::Response) if the content type names no syntax of rows, such as HTML or
    /// CSV without a header.
    pub fn new(content_type: Option<&str>) -> Result<Self, Error> {
        Self::with_meta(ResponseMeta { status: None, content_type: content_type.map(str::to_owned) }, None)
    }

    /// Creates a reader for a syntax set by the caller. The content type is used for its charset and in errors.
    ///
    /// # Errors
    /// [`ErrorKind::Response`](crate::ErrorKind::Response) if the charset is not UTF-8 or the delimiter is invalid.
    pub fn with_format(content_type: Option<&str>, format: RowFormat) -> Result<Self, Error> {
        Self::with_meta(ResponseMeta { status: None, content_type: content_type.map(str::to_owned) }, Some(format))
    }

    pub(crate) fn with_meta(meta: ResponseMeta, format: Option<RowFormat>) -> Result<Self, Error> {
        let content_type = meta.content_type.as_deref().unwrap_or_default();
        // RFC 9110, section 15.3.5: 204 has no body, so no rows.
        let is_empty = meta.status == Some(StatusCode::NO_CONTENT);
        let syntax = match &format {
            _ if is_empty => Ok(None),
            None => RowSyntax::of_type(content_type),
            Some(format) => {
                RowSyntax::refuse_charset(content_type).and_then(|()| format.validate()).map(|()| Some(format.syntax))
            }
        };
        let syntax = syntax.map_err(|detail| meta.error(&detail))?;
        Ok(Self {
            meta,
            format,
            max_row_bytes: DEFAULT_MAX_ROW_BYTES,
            state: if is_empty { State::Over } else { State::Start { syntax, seen: 0 } },
            chunk: Bytes::new(),
            waiting: VecDeque::new(),
            is_finished: false,
            received: 0,
        })
    }

    /// Sets the maximum size of a row in bytes, 16 MiB by default. A larger row is an error that ends the rows, so that an
    /// endless response cannot exhaust the memory. In CSV, each field counts for eight bytes more.
    #[must_use]
    pub fn row_limit(mut self, bytes: usize) -> Self {
        self.max_row_bytes = bytes;
        self
    }

    /// Appends a chunk. A `Vec` or [`Bytes`] is not copied.
    pub fn push(&mut self, bytes: impl Into<Bytes>) {
        if !self.is_over() {
            self.waiting.push_back(bytes.into());
        }
    }

    /// Marks the end of the chunks. An incomplete row is an error from now on.
    pub fn finish(&mut self) {
        self.is_finished = true;
    }

    /// Returns the number of rows read so far, including those that did not fit.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Returns the line on which the last record of CSV begins, from 1, the header included; `None` for JSON, before a record and
    /// after an error that ends the rows.
    ///
    /// ```
    /// use perenso::exports::{RawRow, RowFormat, RowReader};
    ///
    /// let mut reader = RowReader::with_format(None, RowFormat::csv())?;
    /// reader.push("id,note\n1,\"two\nlines\"\n2,one\n");
    /// reader.finish();
    /// assert!(reader.next_row::<RawRow>().is_some());
    /// assert_eq!(reader.line(), Some(2));
    /// assert!(reader.next_row::<RawRow>().is_some());
    /// assert_eq!(reader.line(), Some(4));
    /// # Ok::<(), perenso::Error>(())
    /// ```
    #[must_use]
    pub fn line(&self) -> Option<u64> {
        match &self.state {
            State::Table(table) => Some(table.line()).filter(|line| *line > 0),
            _ => None,
        }
    }

    /// Returns the next row; `None` if more chunks are needed or, after [`finish`](Self::finish), at the end.
    ///
    /// # Errors
    /// [`ErrorKind::Row`](crate::ErrorKind::Row) if a row does not deserialise; the next call returns the next row. Any
    /// other error is the last item.
    #[inline]
    pub fn next_row<T: FromRow>(&mut self) -> Option<Result<T, Error>> {
        loop {
            let context = RowContext {
                row: self.received + 1,
                max_row_bytes: self.max_row_bytes,
                is_last: self.is_finished && self.waiting.is_empty(),
            };
            let step = match &mut self.state {
                State::Array(array) => array.next(&mut self.chunk, context),
                State::Lines(lines) => lines.next(&mut self.chunk, context),
                State::Table(table) => table.next(&mut self.chunk, context),
                State::Member(member) => member.next(&mut self.chunk, context),
                State::Start { .. } => self.start(context.is_last),
                State::Over => return None,
            };
            match step {
                Step::Row(row) => {
                    self.received += 1;
                    return Some(Ok(row));
                }
                Step::Mismatch(mismatch) => {
                    self.received += 1;
                    return Some(Err(self.meta.row_error(self.received, &in_row(self.received, &mismatch))));
                }
                Step::More => self.chunk = self.waiting.pop_front()?,
                Step::End => {
                    if let (State::Table(table), 0) = (&self.state, self.received) {
                        header::record(table.header());
                    }
                    self.stop();
                }
                Step::Broken(detail) => {
                    self.stop();
                    return Some(Err(self.meta.error(&detail)));
                }
            }
        }
    }

    /// Returns true after the last row or a fatal error.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// Ends the rows and drops all chunks.
    pub(crate) fn stop(&mut self) {
        self.state = State::Over;
        (self.chunk, self.waiting) = (Bytes::new(), VecDeque::new());
    }

    /// Skips a byte order mark and white space, and determines the syntax.
    fn start<T>(&mut self, is_last: bool) -> Step<T> {
        let State::Start { syntax, seen } = &mut self.state else { return Step::More };
        while self.chunk.first().is_some_and(|byte| BYTE_ORDER_MARK.get(*seen) == Some(byte)) {
            *seen += 1;
            self.chunk.advance(1);
        }
        if self.chunk.is_empty() && !is_last {
            return Step::More;
        }
        if (1..BYTE_ORDER_MARK.len()).contains(seen) {
            // The bytes were only the beginning of a mark, so they are put back.
            self.waiting.push_front(std::mem::take(&mut self.chunk));
            self.chunk = Bytes::from_static(&BYTE_ORDER_MARK[..*seen]);
        }
        *seen = BYTE_ORDER_MARK.len();
        let is_guessed = syntax.is_none();
        let syntax = match syntax {
            Some(syntax) => *syntax,
            None => {
                skip_whitespace(&mut self.chunk);
                match self.chunk.first().map(|first| RowSyntax::of_first_byte(*first)) {
                    Some(Ok(syntax)) => syntax,
                    Some(Err(detail)) => return Step::Broken(detail),
                    None if is_last => return Step::Broken(EMPTY.to_owned()),
                    None => return Step::More,
                }
            }
        };
        self.state = match syntax {
            RowSyntax::Array => State::Array(Array::default()),
            RowSyntax::Lines if is_guessed => State::Lines(Lines::guessed()),
            RowSyntax::Lines => State::Lines(Lines::default()),
            RowSyntax::Csv => {
                let dialect = self.format.take().map_or_else(CsvDialect::default, |format| format.dialect);
                State::Table(Box::new(CsvTable::new(dialect)))
            }
            RowSyntax::Member => {
                let path = self.format.take().map(|format| format.member).unwrap_or_default();
                State::Member(Box::new(Member::new(path)))
            }
        };
        // The rest of the chunk belongs to the rows.
        self.waiting.push_front(std::mem::take(&mut self.chunk));
        Step::More
    }
}

impl fmt::Debug for RowReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowReader")
            .field("content_type", &self.meta.content_type)
            .field("received", &self.received)
            .finish_non_exhaustive()
    }
}

pub(crate) fn in_row(number: u64, mismatch: &Mismatch) -> String {
    match mismatch.path.as_str() {
        "" | "." => format!("row {number}: {}", mismatch.detail),
        path => format!("row {number}, at `{path}`: {}", mismatch.detail),
    }
}

/// Returns true for white space of JSON. That of ASCII has the form feed too.
fn is_whitespace(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Removes JSON white space at both ends.
fn trim_whitespace(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|byte| !is_whitespace(*byte)).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|byte| !is_whitespace(*byte)).map_or(start, |last| last + 1);
    &bytes[start..end]
}

/// Skips JSON white space.
fn skip_whitespace(chunk: &mut Bytes) {
    let blanks = chunk.iter().take_while(|byte| is_whitespace(**byte)).count();
    if blanks > 0 {
        chunk.advance(blanks);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
