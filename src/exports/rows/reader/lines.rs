//! The rows of JSON lines.

use bytes::{Buf, Bytes};
use memchr::memchr;
use serde::de::IgnoredAny;

use super::{Place, Step, skip_blanks};
use crate::exports::{rows::raw::FromRow, rows::syntax::ONE_OBJECT};

/// The rows of JSON lines, read where they lie. Only a line that is cut by the end of a piece is copied.
#[derive(Default)]
pub(super) struct Lines {
    /// A line of which the end is still to come.
    part: Vec<u8>,
    /// Whether only the first character says that it is lines: a single object is no row then.
    is_guessed: bool,
}

impl Lines {
    pub(super) fn guessed() -> Self {
        Self { is_guessed: true, ..Self::default() }
    }

    pub(super) fn next<T: FromRow>(&mut self, chunk: &mut Bytes, place: Place) -> Step<T> {
        if self.is_guessed {
            return self.first(chunk, place);
        }
        if self.part.is_empty() {
            // Empty lines too.
            skip_blanks(chunk);
        }
        let end = memchr(b'\n', chunk);
        let length = end.unwrap_or(chunk.len());
        if self.part.len() + length > place.largest_row {
            return place.too_large();
        }
        if end.is_some() && self.part.is_empty() {
            let step = row(&chunk[..length], place);
            chunk.advance(length);
            return step;
        }
        self.part.extend_from_slice(&chunk[..length]);
        chunk.advance(length);
        if end.is_none() {
            return match place.is_last {
                true => self.end(place),
                false => Step::More,
            };
        }
        let step = row(&self.part, place);
        self.part.clear();
        step
    }

    /// Reads the first line, once something stands in a line after it.
    fn first<T: FromRow>(&mut self, chunk: &mut Bytes, place: Place) -> Step<T> {
        let has_ended = self.part.contains(&b'\n');
        let end = if has_ended { Some(0) } else { memchr(b'\n', chunk) };
        let behind =
            end.map(|end| &chunk[end..]).and_then(|rest| rest.iter().position(|byte| !byte.is_ascii_whitespace()));
        let length = match (end, behind) {
            (Some(end), Some(behind)) => end + behind,
            _ => chunk.len(),
        };
        self.part.extend_from_slice(&chunk[..length]);
        chunk.advance(length);
        if self.part.trim_ascii().len() > place.largest_row {
            return place.too_large();
        }
        if behind.is_some() {
            self.is_guessed = false;
            let line = std::mem::take(&mut self.part);
            return row(line.trim_ascii(), place);
        }
        if !place.is_last {
            return Step::More;
        }
        match serde_json::from_slice::<IgnoredAny>(&self.part) {
            Ok(_) => Step::Broken(ONE_OBJECT.to_owned()),
            Err(_) => self.end(place),
        }
    }

    /// The last line needs no line break, so only its form tells whether it is whole.
    fn end<T: FromRow>(&mut self, place: Place) -> Step<T> {
        let line = std::mem::take(&mut self.part);
        match serde_json::from_slice::<IgnoredAny>(&line) {
            _ if line.is_empty() => Step::End,
            Err(error) if error.is_eof() => place.cut(),
            _ => place.whole(&line),
        }
    }
}

fn row<T: FromRow>(line: &[u8], place: Place) -> Step<T> {
    match place.whole(line) {
        Step::Broken(_) if serde_json::from_slice::<IgnoredAny>(line).is_err_and(|error| error.is_eof()) => {
            Step::Broken(format!(
                "row {} goes on in the next line, and JSON lines have a row in each; one JSON object is read with `json`",
                place.row
            ))
        }
        step => step,
    }
}
