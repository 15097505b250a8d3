//! The rows of JSON lines.

use bytes::{Buf, Bytes};
use memchr::memchr;
use serde::de::IgnoredAny;

use super::{Place, Step, skip_blanks};
use crate::exports::raw::FromRow;

/// The rows of JSON lines, read where they lie. Only a line that is cut by the end of a piece is copied.
#[derive(Default)]
pub(super) struct Lines {
    /// A line of which the end is still to come.
    part: Vec<u8>,
}

impl Lines {
    pub(super) fn next<T: FromRow>(&mut self, chunk: &mut Bytes, place: Place) -> Step<T> {
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
