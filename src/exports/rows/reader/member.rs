//! The rows of an array in a member of a JSON object.

use bytes::{Buf, Bytes};
use serde::de::IgnoredAny;

use super::{RowContext, Step, array::Array};
use crate::{error::name::shown, exports::rows::raw::FromRow};

/// Reads the rows of an array in a member of a JSON object, by [`Array`]. Keeps the object without its rows and validates
/// it at the end.
pub(super) struct Member {
    path: Vec<String>,
    scan: Scan,
    /// The object without its rows.
    rest: Vec<u8>,
    rows: RowsState,
}

enum RowsState {
    Before,
    Reading(Box<Array>),
    Behind,
}

/// The position in the object.
#[derive(Default)]
struct Scan {
    depth: usize,
    /// The number of path members that are open.
    matched: usize,
    string: StringState,
    /// The last string, with its quotes.
    name: Vec<u8>,
    /// True before the value of the next path member.
    is_value: bool,
    /// For each open bracket, true if it is an object.
    objects: Vec<bool>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum StringState {
    #[default]
    Outside,
    Inside,
    Escaped,
}

/// The event of one byte.
enum ScanEvent {
    Nothing,
    Rows,
    NotArray,
    NotObject,
}

impl Member {
    pub(super) fn new(path: Vec<String>) -> Self {
        Self { path, scan: Scan::default(), rest: Vec::new(), rows: RowsState::Before }
    }

    pub(super) fn next<T: FromRow>(&mut self, chunk: &mut Bytes, context: RowContext) -> Step<T> {
        loop {
            if let RowsState::Reading(array) = &mut self.rows {
                let step = array.next(chunk, context);
                if !array.is_closed() {
                    return step;
                }
                self.rows = RowsState::Behind;
                self.rest.push(b']');
                if !matches!(step, Step::More | Step::End) {
                    return step;
                }
            }
            let Some(&byte) = chunk.first() else {
                return if context.is_last { self.end(context) } else { Step::More };
            };
            if self.rest.len() >= context.max_row_bytes {
                let limit = context.max_row_bytes;
                return Step::Broken(format!("the object around its rows is larger than the limit of {limit} bytes"));
            }
            let found = self.scan.byte(byte, &self.path);
            chunk.advance(1);
            self.rest.push(byte);
            match found {
                ScanEvent::Nothing => {}
                ScanEvent::Rows if matches!(self.rows, RowsState::Before) => {
                    self.rows = RowsState::Reading(Box::new(Array::opened()));
                    self.scan.close();
                }
                ScanEvent::Rows => return Step::Broken(format!("it has the member {} twice", self.name())),
                ScanEvent::NotArray => {
                    return Step::Broken(format!("its member {} is not an array of rows", self.name()));
                }
                ScanEvent::NotObject => {
                    return Step::Broken(format!(
                        "it is not a JSON object with the member {} that `RowFormat::json_member` names",
                        self.name()
                    ));
                }
            }
        }
    }

    fn name(&self) -> String {
        shown(&self.path.join("."))
    }

    fn end<T>(&self, context: RowContext) -> Step<T> {
        match (serde_json::from_slice::<IgnoredAny>(&self.rest), &self.rows) {
            (Err(error), _) if error.is_eof() && self.rest.trim_ascii().is_empty() => {
                Step::Broken(crate::exports::rows::syntax::EMPTY.to_owned())
            }
            (Err(error), _) if error.is_eof() => {
                Step::Broken(format!("the object around its rows ends after {} rows: it was cut", context.row - 1))
            }
            (Err(_), _) => Step::Broken("the object around its rows is not JSON".to_owned()),
            (Ok(_), RowsState::Behind) => Step::End,
            (Ok(_), _) => Step::Broken(format!(
                "it has no member {}; name the one with the rows by `RowFormat::json_member`",
                self.name()
            )),
        }
    }
}

impl Scan {
    /// Closes the array of rows, whose bracket `Array` reads.
    fn close(&mut self) {
        self.depth -= 1;
        self.objects.pop();
    }

    fn byte(&mut self, byte: u8, path: &[String]) -> ScanEvent {
        match (self.string, byte) {
            (StringState::Escaped, _) => {
                self.name.push(byte);
                self.string = StringState::Inside;
                return ScanEvent::Nothing;
            }
            (StringState::Inside, _) => {
                self.name.push(byte);
                match byte {
                    b'\\' => self.string = StringState::Escaped,
                    b'"' => self.string = StringState::Outside,
                    _ => {}
                }
                return ScanEvent::Nothing;
            }
            (StringState::Outside, b' ' | b'\t' | b'\n' | b'\r') => return ScanEvent::Nothing,
            _ => {}
        }
        if self.depth == 0 && byte != b'{' {
            // The final validation reports anything after the object.
            return if self.objects.is_empty() && self.name.is_empty() {
                ScanEvent::NotObject
            } else {
                ScanEvent::Nothing
            };
        }
        let is_value = std::mem::take(&mut self.is_value);
        let is_last = self.matched + 1 == path.len();
        match byte {
            b'"' => {
                self.name.clear();
                self.name.push(byte);
                self.string = StringState::Inside;
            }
            b':' => {
                let is_here = self.depth == self.matched + 1 && self.objects.last() == Some(&true);
                self.is_value = is_here
                    && path.get(self.matched).is_some_and(|wanted| {
                        serde_json::from_slice::<String>(&self.name).is_ok_and(|name| name == *wanted)
                    });
                return ScanEvent::Nothing;
            }
            b'{' | b'[' => {
                self.depth += 1;
                self.objects.push(byte == b'{');
                match (is_value, byte) {
                    (true, b'[') if is_last => return ScanEvent::Rows,
                    (true, b'{') if !is_last => {
                        self.matched += 1;
                        return ScanEvent::Nothing;
                    }
                    _ => {}
                }
            }
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                self.objects.pop();
                self.matched = self.matched.min(self.depth.saturating_sub(1));
            }
            _ => {}
        }
        if is_value { ScanEvent::NotArray } else { ScanEvent::Nothing }
    }
}
