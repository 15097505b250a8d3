//! Rows from bytes that come in pieces, cut anywhere.

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

use self::{array::Array, lines::Lines, member::Member, table::Table};
use super::{
    format::{RowFormat, TableFormat},
    header,
    raw::FromRow,
    syntax::{EMPTY, ResponseMeta, RowSyntax},
};
use crate::error::Error;

/// How large a row may be where nothing else was said: 16 MiB.
pub(crate) const LARGEST_ROW: usize = 16 << 20;

pub(crate) const MARK: &[u8] = b"\xEF\xBB\xBF";

/// Reads rows from bytes that come in pieces, cut anywhere: for an answer from elsewhere, such as a saved one. It does no
/// I/O, and holds one row and what was pushed and not yet read.
///
/// What is a row, and what an error, is the same as in [`Rows`](crate::exports::Rows), which reads by it.
///
/// ```
/// use perenso::exports::RowReader;
///
/// let mut reader = RowReader::new(Some("application/json"))?;
/// let mut zones: Vec<u32> = Vec::new();
/// for piece in [&b"[70"[..], b"1,70", b"2", b"]"] {
///     reader.push(piece);
///     while let Some(zone) = reader.next_row() {
///         zones.push(zone?);
///     }
/// }
/// // Only the end tells that nothing is missing.
/// reader.finish();
/// while let Some(zone) = reader.next_row() {
///     zones.push(zone?);
/// }
/// assert_eq!(zones, [701, 702]);
/// # Ok::<(), perenso::Error>(())
/// ```
///
/// `Debug` shows the content type and the number of rows only.
pub struct RowReader {
    label: ResponseMeta,
    format: Option<RowFormat>,
    largest_row: usize,
    state: State,
    /// What is being read, and what comes after it.
    chunk: Bytes,
    waiting: VecDeque<Bytes>,
    is_finished: bool,
    received: u64,
}

enum State {
    /// Before the first byte that belongs to a row: so much of the mark that some systems put before UTF-8 was seen.
    Start {
        form: Option<RowSyntax>,
        seen: usize,
    },
    Array(Array),
    Lines(Lines),
    Table(Box<Table>),
    Member(Box<Member>),
    Over,
}

/// What a step of reading gave.
enum Step<T> {
    Row(T),
    /// A row that is whole and does not fit.
    Mismatch(Mismatch),
    /// The piece is used up, and more are to come.
    More,
    End,
    /// Nothing can be read from here on.
    Broken(String),
}

/// What a step of reading needs to know.
#[derive(Clone, Copy)]
struct Place {
    /// The number of the row that is being read.
    row: u64,
    largest_row: usize,
    /// Whether the piece at hand is the last.
    is_last: bool,
}

impl Place {
    fn cut<T>(self) -> Step<T> {
        Step::Broken(format!("it ends within row {}: it was cut", self.row))
    }

    fn too_large<T>(self) -> Step<T> {
        Step::Broken(format!("row {} is larger than the limit of {} bytes for a row", self.row, self.largest_row))
    }

    /// Reads a row that is whole, or says what is wrong with it.
    fn whole<T: FromRow>(self, row: &[u8]) -> Step<T> {
        match T::from_json(row) {
            Ok(row) => Step::Row(row),
            Err(misfit) => self.no_json(row).map_or(Step::Mismatch(misfit), Step::Broken),
        }
    }

    /// What is wrong with a row that is no JSON.
    fn no_json(self, row: &[u8]) -> Option<String> {
        let error = serde_json::from_slice::<IgnoredAny>(row).err()?;
        Some(format!("row {}: no JSON (line {}, column {} of the row)", self.row, error.line(), error.column()))
    }
}

impl RowReader {
    /// Returns a reader of rows in the syntax that the content type names: a JSON array, JSON lines, or CSV with a
    /// header. Where it says nothing (none, `application/octet-stream`, `text/plain`), the first character decides: `[`
    /// is an array, `{` are lines, of which there must be two.
    ///
    /// # Errors
    /// [`ErrorKind::Response`](crate::ErrorKind::Response) when the type is none of rows, such as HTML or CSV without a
    /// header.
    pub fn new(content_type: Option<&str>) -> Result<Self, Error> {
        Self::labelled(ResponseMeta { status: None, content_type: content_type.map(str::to_owned) }, None)
    }

    /// Returns a reader of rows in this syntax, whatever the content type says.
    ///
    /// # Errors
    /// [`ErrorKind::Response`](crate::ErrorKind::Response) when the type names a charset other than UTF-8, or the delimiter
    /// cannot be one.
    pub fn with_format(content_type: Option<&str>, format: RowFormat) -> Result<Self, Error> {
        Self::labelled(ResponseMeta { status: None, content_type: content_type.map(str::to_owned) }, Some(format))
    }

    pub(crate) fn labelled(label: ResponseMeta, format: Option<RowFormat>) -> Result<Self, Error> {
        let content_type = label.content_type.as_deref().unwrap_or_default();
        // RFC 9110, section 15.3.5: there is no body, so there are no rows.
        let is_empty = label.status == Some(StatusCode::NO_CONTENT);
        let form = match &format {
            _ if is_empty => Ok(None),
            None => RowSyntax::of_type(content_type),
            Some(format) => {
                RowSyntax::refuse_charset(content_type).and_then(|()| format.refuse()).map(|()| Some(format.form))
            }
        };
        let form = form.map_err(|detail| label.refusal(&detail))?;
        Ok(Self {
            label,
            format,
            largest_row: LARGEST_ROW,
            state: if is_empty { State::Over } else { State::Start { form, seen: 0 } },
            chunk: Bytes::new(),
            waiting: VecDeque::new(),
            is_finished: false,
            received: 0,
        })
    }

    /// How many bytes a row may have; 16 MiB where nothing is said. A larger one is an error that ends the rows, so that
    /// an answer without end cannot fill the memory. (For CSV, eight bytes are counted for every field.)
    #[must_use]
    pub fn row_limit(mut self, bytes: usize) -> Self {
        self.largest_row = bytes;
        self
    }

    /// Takes the next piece. A `Vec` or [`Bytes`] is not copied.
    pub fn push(&mut self, bytes: impl Into<Bytes>) {
        if !self.is_over() {
            self.waiting.push_back(bytes.into());
        }
    }

    /// Says that there are no more pieces: what is not whole now was cut.
    pub fn finish(&mut self) {
        self.is_finished = true;
    }

    /// How many rows came so far, those that did not fit included.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received
    }

    /// The next row; `None` when it takes more pieces to make one or, after [`finish`](Self::finish), at the end.
    ///
    /// # Errors
    /// [`ErrorKind::Row`](crate::ErrorKind::Row) when a row does not fit: the next call gives the next row. Every other
    /// error is the last item.
    #[inline]
    pub fn next_row<T: FromRow>(&mut self) -> Option<Result<T, Error>> {
        loop {
            let place = Place {
                row: self.received + 1,
                largest_row: self.largest_row,
                is_last: self.is_finished && self.waiting.is_empty(),
            };
            let step = match &mut self.state {
                State::Array(array) => array.next(&mut self.chunk, place),
                State::Lines(lines) => lines.next(&mut self.chunk, place),
                State::Table(table) => table.next(&mut self.chunk, place),
                State::Member(member) => member.next(&mut self.chunk, place),
                State::Start { .. } => self.start(place.is_last),
                State::Over => return None,
            };
            match step {
                Step::Row(row) => {
                    self.received += 1;
                    return Some(Ok(row));
                }
                Step::Mismatch(misfit) => {
                    self.received += 1;
                    return Some(Err(self.label.misfit(self.received, &in_row(self.received, &misfit))));
                }
                Step::More => self.chunk = self.waiting.pop_front()?,
                Step::End => {
                    if let (State::Table(table), 0) = (&self.state, self.received) {
                        header::note(table.header());
                    }
                    self.stop();
                }
                Step::Broken(detail) => {
                    self.stop();
                    return Some(Err(self.label.refusal(&detail)));
                }
            }
        }
    }

    /// Whether there are no more rows, whatever is pushed.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// Gives no more rows.
    pub(crate) fn stop(&mut self) {
        self.state = State::Over;
        (self.chunk, self.waiting) = (Bytes::new(), VecDeque::new());
    }

    /// Passes over what stands before the first row.
    fn start<T>(&mut self, is_last: bool) -> Step<T> {
        let State::Start { form, seen } = &mut self.state else { return Step::More };
        while self.chunk.first().is_some_and(|byte| MARK.get(*seen) == Some(byte)) {
            *seen += 1;
            self.chunk.advance(1);
        }
        if self.chunk.is_empty() && !is_last {
            return Step::More;
        }
        if (1..MARK.len()).contains(seen) {
            // It only looked like the mark.
            self.waiting.push_front(std::mem::take(&mut self.chunk));
            self.chunk = Bytes::from_static(&MARK[..*seen]);
        }
        *seen = MARK.len();
        let is_guessed = form.is_none();
        let form = match form {
            Some(form) => *form,
            None => {
                skip_blanks(&mut self.chunk);
                match self.chunk.first().map(|first| RowSyntax::of_look(*first)) {
                    Some(Ok(form)) => form,
                    Some(Err(detail)) => return Step::Broken(detail),
                    None if is_last => return Step::Broken(EMPTY.to_owned()),
                    None => return Step::More,
                }
            }
        };
        self.state = match form {
            RowSyntax::Array => State::Array(Array::default()),
            RowSyntax::Lines if is_guessed => State::Lines(Lines::guessed()),
            RowSyntax::Lines => State::Lines(Lines::default()),
            RowSyntax::Csv => {
                let table = self.format.take().map_or_else(TableFormat::default, |format| format.table);
                State::Table(Box::new(Table::new(table)))
            }
            RowSyntax::Member => {
                let path = self.format.take().map(|format| format.member).unwrap_or_default();
                State::Member(Box::new(Member::new(path)))
            }
        };
        // On with what there is.
        self.waiting.push_front(std::mem::take(&mut self.chunk));
        Step::More
    }
}

impl fmt::Debug for RowReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowReader")
            .field("content_type", &self.label.content_type)
            .field("received", &self.received)
            .finish_non_exhaustive()
    }
}

pub(crate) fn in_row(number: u64, misfit: &Mismatch) -> String {
    match misfit.path.as_str() {
        "" | "." => format!("row {number}: {}", misfit.detail),
        path => format!("row {number}, at `{path}`: {}", misfit.detail),
    }
}

/// Passes over what JSON calls white space.
fn skip_blanks(chunk: &mut Bytes) {
    let blanks = chunk.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
    if blanks > 0 {
        chunk.advance(blanks);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
