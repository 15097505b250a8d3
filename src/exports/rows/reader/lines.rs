//! The rows of JSON lines.

use bytes::{Buf, Bytes};
use memchr::memchr;
use serde::de::IgnoredAny;

use super::{RowContext, Step, is_whitespace, skip_whitespace, trim_whitespace};
use crate::exports::{rows::raw::FromRow, rows::syntax::ONE_OBJECT};

/// Reads the rows of JSON lines in place. Only a line that spans chunks is copied.
#[derive(Default)]
pub(super) struct Lines {
    /// An incomplete line.
    part: Vec<u8>,
    /// True if the syntax was inferred from the first character. A single object is then an error.
    is_guessed: bool,
}

impl Lines {
    pub(super) fn guessed() -> Self {
        Self { is_guessed: true, ..Self::default() }
    }

    pub(super) fn next<T: FromRow>(&mut self, chunk: &mut Bytes, context: RowContext) -> Step<T> {
        if self.is_guessed {
            return self.first(chunk, context);
        }
        if self.part.is_empty() {
            // This skips empty lines too.
            skip_whitespace(chunk);
        }
        let end = memchr(b'\n', chunk);
        let length = end.unwrap_or(chunk.len());
        if self.part.len() + length > context.max_row_bytes {
            return context.too_large();
        }
        if end.is_some() && self.part.is_empty() {
            let step = row(&chunk[..length], context);
            chunk.advance(length);
            return step;
        }
        self.part.extend_from_slice(&chunk[..length]);
        chunk.advance(length);
        if end.is_none() {
            return match context.is_last {
                true => self.end(context),
                false => Step::More,
            };
        }
        let step = row(&self.part, context);
        self.part.clear();
        step
    }

    /// Reads the first line, once a second one has begun.
    fn first<T: FromRow>(&mut self, chunk: &mut Bytes, context: RowContext) -> Step<T> {
        let has_ended = self.part.contains(&b'\n');
        let end = if has_ended { Some(0) } else { memchr(b'\n', chunk) };
        let behind = end.map(|end| &chunk[end..]).and_then(|rest| rest.iter().position(|byte| !is_whitespace(*byte)));
        let length = match (end, behind) {
            (Some(end), Some(behind)) => end + behind,
            _ => chunk.len(),
        };
        self.part.extend_from_slice(&chunk[..length]);
        chunk.advance(length);
        if trim_whitespace(&self.part).len() > context.max_row_bytes {
            return context.too_large();
        }
        if behind.is_some() {
            self.is_guessed = false;
            let line = std::mem::take(&mut self.part);
            return row(trim_whitespace(&line), context);
        }
        if !context.is_last {
            return Step::More;
        }
        match serde_json::from_slice::<IgnoredAny>(&self.part) {
            Ok(_) => Step::Broken(ONE_OBJECT.to_owned()),
            Err(_) => self.end(context),
        }
    }

    /// Reads the last line. It needs no line break, so its syntax tells whether it is complete.
    fn end<T: FromRow>(&mut self, context: RowContext) -> Step<T> {
        let line = std::mem::take(&mut self.part);
        match serde_json::from_slice::<IgnoredAny>(&line) {
            _ if line.is_empty() => Step::End,
            Err(error) if error.is_eof() => context.truncated(),
            _ => context.whole(&line),
        }
    }
}

fn row<T: FromRow>(line: &[u8], context: RowContext) -> Step<T> {
    match context.whole(line) {
        Step::Broken(_) if serde_json::from_slice::<IgnoredAny>(line).is_err_and(|error| error.is_eof()) => {
            Step::Broken(format!(
                "row {} continues on the next line; expected one row on each line; read a single JSON object with `json`",
                context.row
            ))
        }
        step => step,
    }
}
