//! The rows of a JSON array.

use bytes::{Buf, Bytes};

use super::{RowContext, Step, skip_whitespace};
use crate::exports::{
    rows::raw::FromRow,
    rows::syntax::{EMPTY, ONE_OBJECT},
};

/// The next expected token.
#[derive(Default)]
enum Expected {
    #[default]
    Opening,
    RowOrClosing,
    Row,
    CommaOrClosing,
    Nothing,
}

/// Reads the rows of a JSON array in place. Only a row that spans chunks is copied.
#[derive(Default)]
pub(super) struct Array {
    expected: Expected,
    /// An incomplete row and the search for its end.
    part: Vec<u8>,
    search: Option<Search>,
    /// True if the array is a member of an object, whose rest is read elsewhere.
    is_member: bool,
}

impl Array {
    /// Creates a reader for an array after its opening bracket.
    pub(super) fn opened() -> Self {
        Self { expected: Expected::RowOrClosing, is_member: true, ..Self::default() }
    }

    /// Returns true after the closing bracket.
    pub(super) fn is_closed(&self) -> bool {
        matches!(self.expected, Expected::Nothing)
    }

    pub(super) fn next<T: FromRow>(&mut self, chunk: &mut Bytes, context: RowContext) -> Step<T> {
        loop {
            if self.search.is_none() {
                skip_whitespace(chunk);
            }
            let Some(&first) = chunk.first() else {
                return if context.is_last { self.end(context) } else { Step::More };
            };
            match (&self.expected, first) {
                (Expected::Opening, b'[') => self.skip(chunk, Expected::RowOrClosing),
                (Expected::Opening, b'{') => return Step::Broken(ONE_OBJECT.to_owned()),
                (Expected::Opening, _) => return Step::Broken("it is not a JSON array".to_owned()),
                (Expected::CommaOrClosing, b',') => self.skip(chunk, Expected::Row),
                (Expected::CommaOrClosing | Expected::RowOrClosing, b']') if self.search.is_none() => {
                    self.skip(chunk, Expected::Nothing);
                    if self.is_member {
                        return Step::More;
                    }
                }
                (Expected::CommaOrClosing, _) => {
                    let detail = format!("row {} is followed by neither `,` nor `]`", context.row - 1);
                    return Step::Broken(detail);
                }
                (Expected::Row | Expected::RowOrClosing, b',' | b']') if self.search.is_none() => {
                    return Step::Broken(format!("row {} is missing: there is an extra `,`", context.row));
                }
                (Expected::Row | Expected::RowOrClosing, _) => return self.row(chunk, context),
                (Expected::Nothing, _) => return Step::Broken("more follows after the closing `]`".to_owned()),
            }
        }
    }

    fn skip(&mut self, chunk: &mut Bytes, expected: Expected) {
        chunk.advance(1);
        self.expected = expected;
    }

    fn end<T>(&self, context: RowContext) -> Step<T> {
        match self.expected {
            Expected::Opening => Step::Broken(EMPTY.to_owned()),
            Expected::Nothing => Step::End,
            _ if self.search.is_some() => self.incomplete_row(context, context.truncated()),
            _ => Step::Broken(format!("the closing `]` is missing after {} rows: it was cut", context.row - 1)),
        }
    }

    #[inline]
    fn row<T: FromRow>(&mut self, chunk: &mut Bytes, context: RowContext) -> Step<T> {
        // A number at the end of the chunk may have more digits in the next one.
        let step = match self.search {
            None => match T::first(chunk) {
                Some((_, length)) if length > context.max_row_bytes => return context.too_large(),
                Some((row, length)) if length < chunk.len() => {
                    chunk.advance(length);
                    Step::Row(row)
                }
                _ => self.row_by_search(chunk, context),
            },
            Some(_) => self.row_by_search(chunk, context),
        };
        if matches!(step, Step::Row(_) | Step::Mismatch(_)) {
            self.expected = Expected::CommaOrClosing;
        }
        step
    }

    /// Reads a row by searching for its end: it does not deserialise or spans chunks.
    #[cold]
    fn row_by_search<T: FromRow>(&mut self, chunk: &mut Bytes, context: RowContext) -> Step<T> {
        let end = self.search.get_or_insert_default().end(chunk);
        let length = end.unwrap_or(chunk.len());
        if self.part.len() + length > context.max_row_bytes {
            return self.incomplete_row(context, context.too_large());
        }
        let rest = chunk.split_to(length);
        if end.is_some() && self.part.is_empty() {
            self.search = None;
            return context.whole(&rest);
        }
        self.part.extend_from_slice(&rest);
        if end.is_none() {
            return if context.is_last { self.end(context) } else { Step::More };
        }
        self.search = None;
        let step = context.whole(&self.part);
        self.part.clear();
        step
    }

    /// Prefers a syntax error in the incomplete row to the given outcome.
    fn incomplete_row<T>(&self, context: RowContext, otherwise: Step<T>) -> Step<T> {
        match serde_json::from_slice::<serde::de::IgnoredAny>(&self.part) {
            Err(error) if !error.is_eof() => context.syntax_error(&self.part).map_or(otherwise, Step::Broken),
            _ => otherwise,
        }
    }
}

/// Searches for the end of a JSON value across chunks. It tracks brackets and strings and does not validate.
#[derive(Default)]
struct Search {
    has_begun: bool,
    depth: usize,
    is_in_string: bool,
    is_escaped: bool,
}

impl Search {
    /// Returns the offset of the end of the value in this chunk.
    fn end(&mut self, chunk: &[u8]) -> Option<usize> {
        for (at, &byte) in chunk.iter().enumerate() {
            if self.is_in_string {
                match byte {
                    _ if self.is_escaped => self.is_escaped = false,
                    b'\\' => self.is_escaped = true,
                    b'"' => {
                        self.is_in_string = false;
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
                // The end of a number or a literal.
                b'"' | b'{' | b'[' if self.depth == 0 && has_begun => return Some(at),
                b',' | b':' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r' if self.depth == 0 => return Some(at),
                b'"' => self.is_in_string = true,
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
