//! The rows of a JSON array.

use bytes::{Buf, Bytes};

use super::{Place, Step, skip_blanks};
use crate::exports::{
    rows::raw::FromRow,
    rows::syntax::{EMPTY, ONE_OBJECT},
};

/// What is expected next.
#[derive(Default)]
enum Expected {
    #[default]
    Opening,
    RowOrClosing,
    Row,
    CommaOrClosing,
    Nothing,
}

/// The rows of a JSON array, read where they lie. Only a row that is cut by the end of a piece is copied.
#[derive(Default)]
pub(super) struct Array {
    expected: Expected,
    /// A row of which the end is still to come, and the search for it.
    part: Vec<u8>,
    search: Option<Search>,
    /// Whether more follows after the closing bracket, read by others.
    is_member: bool,
}

impl Array {
    /// An array of which the opening bracket has been read.
    pub(super) fn opened() -> Self {
        Self { expected: Expected::RowOrClosing, is_member: true, ..Self::default() }
    }

    /// Returns true after the closing bracket.
    pub(super) fn is_closed(&self) -> bool {
        matches!(self.expected, Expected::Nothing)
    }

    pub(super) fn next<T: FromRow>(&mut self, chunk: &mut Bytes, place: Place) -> Step<T> {
        loop {
            if self.search.is_none() {
                skip_blanks(chunk);
            }
            let Some(&first) = chunk.first() else {
                return if place.is_last { self.end(place) } else { Step::More };
            };
            match (&self.expected, first) {
                (Expected::Opening, b'[') => self.pass(chunk, Expected::RowOrClosing),
                (Expected::Opening, b'{') => return Step::Broken(ONE_OBJECT.to_owned()),
                (Expected::Opening, _) => return Step::Broken("it is no JSON array".to_owned()),
                (Expected::CommaOrClosing, b',') => self.pass(chunk, Expected::Row),
                (Expected::CommaOrClosing | Expected::RowOrClosing, b']') if self.search.is_none() => {
                    self.pass(chunk, Expected::Nothing);
                    if self.is_member {
                        return Step::More;
                    }
                }
                (Expected::CommaOrClosing, _) => {
                    let detail = format!("row {} is followed by neither `,` nor `]`", place.row - 1);
                    return Step::Broken(detail);
                }
                (Expected::Row | Expected::RowOrClosing, b',' | b']') if self.search.is_none() => {
                    return Step::Broken(format!("row {} is missing: there is a `,` too many", place.row));
                }
                (Expected::Row | Expected::RowOrClosing, _) => return self.row(chunk, place),
                (Expected::Nothing, _) => return Step::Broken("more follows after the closing `]`".to_owned()),
            }
        }
    }

    fn pass(&mut self, chunk: &mut Bytes, expected: Expected) {
        chunk.advance(1);
        self.expected = expected;
    }

    fn end<T>(&self, place: Place) -> Step<T> {
        match self.expected {
            Expected::Opening => Step::Broken(EMPTY.to_owned()),
            Expected::Nothing => Step::End,
            _ if self.search.is_some() => self.unended(place, place.cut()),
            _ => Step::Broken(format!("the closing `]` is missing after {} rows: it was cut", place.row - 1)),
        }
    }

    #[inline]
    fn row<T: FromRow>(&mut self, chunk: &mut Bytes, place: Place) -> Step<T> {
        // Up to the very end of the piece, a number may have more digits.
        let step = match self.search {
            None => match T::first(chunk) {
                Some((_, length)) if length > place.largest_row => return place.too_large(),
                Some((row, length)) if length < chunk.len() => {
                    chunk.advance(length);
                    Step::Row(row)
                }
                _ => self.searched(chunk, place),
            },
            Some(_) => self.searched(chunk, place),
        };
        if matches!(step, Step::Row(_) | Step::Mismatch(_)) {
            self.expected = Expected::CommaOrClosing;
        }
        step
    }

    /// Reads a row whose end must be looked for: it does not fit, or is cut by the end of the piece.
    #[cold]
    fn searched<T: FromRow>(&mut self, chunk: &mut Bytes, place: Place) -> Step<T> {
        let end = self.search.get_or_insert_default().end(chunk);
        let length = end.unwrap_or(chunk.len());
        if self.part.len() + length > place.largest_row {
            return self.unended(place, place.too_large());
        }
        let rest = chunk.split_to(length);
        if end.is_some() && self.part.is_empty() {
            self.search = None;
            return place.whole(&rest);
        }
        self.part.extend_from_slice(&rest);
        if end.is_none() {
            return if place.is_last { self.end(place) } else { Step::More };
        }
        self.search = None;
        let step = place.whole(&self.part);
        self.part.clear();
        step
    }

    /// No end of a row was found: most likely since there is an error in the part that came.
    fn unended<T>(&self, place: Place, otherwise: Step<T>) -> Step<T> {
        match serde_json::from_slice::<serde::de::IgnoredAny>(&self.part) {
            Err(error) if !error.is_eof() => place.no_json(&self.part).map_or(otherwise, Step::Broken),
            _ => otherwise,
        }
    }
}

/// The search for the end of a JSON value, over pieces. It knows brackets and texts; whether what it finds is JSON is for
/// others to say.
#[derive(Default)]
struct Search {
    has_begun: bool,
    depth: usize,
    is_in_text: bool,
    is_escaped: bool,
}

impl Search {
    /// Where in this piece the value ends, if it does.
    fn end(&mut self, piece: &[u8]) -> Option<usize> {
        for (at, &byte) in piece.iter().enumerate() {
            if self.is_in_text {
                match byte {
                    _ if self.is_escaped => self.is_escaped = false,
                    b'\\' => self.is_escaped = true,
                    b'"' => {
                        self.is_in_text = false;
                        if self.depth == 0 {
                            return Some(at + 1);
                        }
                    }
                    _ => {}
                }
                continue;
            }
            let has_begun = std::mem::replace(&mut self.has_begun, true);
            match byte {
                // Behind a number or a word, whatever is no part of it.
                b'"' | b'{' | b'[' if self.depth == 0 && has_begun => return Some(at),
                b',' | b':' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r' if self.depth == 0 => return Some(at),
                b'"' => self.is_in_text = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Some(at + 1);
                    }
                }
                _ => {}
            }
        }
        None
    }
}
