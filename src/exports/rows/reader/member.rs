//! The rows of a JSON array that is a member of an object.

use bytes::{Buf, Bytes};
use serde::de::IgnoredAny;

use super::{Place, Step, array::Array};
use crate::exports::{rows::raw::FromRow, values::name::shown};

/// The rows of a JSON array that is a member of an object, read by [`Array`]. The object without its rows is kept, and
/// must be JSON.
pub(super) struct Member {
    path: Vec<String>,
    scan: Scan,
    /// The object without its rows.
    rest: Vec<u8>,
    rows: Rows,
}

enum Rows {
    Before,
    Reading(Box<Array>),
    Behind,
}

/// The place in the object.
#[derive(Default)]
struct Scan {
    depth: usize,
    /// How many members of the path are open, one within the other.
    matched: usize,
    text: Text,
    /// The string that was read last, with its quotes, where it may be a name of the path.
    name: Vec<u8>,
    /// Whether a value follows that belongs to the next member of the path.
    is_value: bool,
    /// The kind of each open bracket: whether it is an object.
    objects: Vec<bool>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Text {
    #[default]
    Outside,
    Inside,
    Escaped,
}

/// The event of one byte.
enum Found {
    Nothing,
    Rows,
    NoArray,
    NoObject,
}

impl Member {
    pub(super) fn new(path: Vec<String>) -> Self {
        Self { path, scan: Scan::default(), rest: Vec::new(), rows: Rows::Before }
    }

    pub(super) fn next<T: FromRow>(&mut self, chunk: &mut Bytes, place: Place) -> Step<T> {
        loop {
            if let Rows::Reading(array) = &mut self.rows {
                let step = array.next(chunk, place);
                if !array.is_closed() {
                    return step;
                }
                self.rows = Rows::Behind;
                self.rest.push(b']');
                if !matches!(step, Step::More | Step::End) {
                    return step;
                }
            }
            let Some(&byte) = chunk.first() else {
                return if place.is_last { self.end(place) } else { Step::More };
            };
            if self.rest.len() >= place.largest_row {
                let limit = place.largest_row;
                return Step::Broken(format!("the object around its rows is larger than the limit of {limit} bytes"));
            }
            let found = self.scan.byte(byte, &self.path);
            chunk.advance(1);
            self.rest.push(byte);
            match found {
                Found::Nothing => {}
                Found::Rows if matches!(self.rows, Rows::Before) => {
                    self.rows = Rows::Reading(Box::new(Array::opened()));
                    self.scan.close();
                }
                Found::Rows => return Step::Broken(format!("it has the member {} twice", self.name())),
                Found::NoArray => return Step::Broken(format!("its member {} is not an array of rows", self.name())),
                Found::NoObject => {
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

    fn end<T>(&self, place: Place) -> Step<T> {
        match (serde_json::from_slice::<IgnoredAny>(&self.rest), &self.rows) {
            (Err(error), _) if error.is_eof() && self.rest.trim_ascii().is_empty() => {
                Step::Broken(crate::exports::rows::syntax::EMPTY.to_owned())
            }
            (Err(error), _) if error.is_eof() => {
                Step::Broken(format!("the object around its rows ends after {} rows: it was cut", place.row - 1))
            }
            (Err(_), _) => Step::Broken("the object around its rows is not JSON".to_owned()),
            (Ok(_), Rows::Behind) => Step::End,
            (Ok(_), _) => Step::Broken(format!(
                "it has no member {}; name the one with the rows by `RowFormat::json_member`",
                self.name()
            )),
        }
    }
}

impl Scan {
    /// Counts the closing bracket of the rows, which is read elsewhere.
    fn close(&mut self) {
        self.depth -= 1;
        self.objects.pop();
    }

    fn byte(&mut self, byte: u8, path: &[String]) -> Found {
        match (self.text, byte) {
            (Text::Escaped, _) => {
                self.name.push(byte);
                self.text = Text::Inside;
                return Found::Nothing;
            }
            (Text::Inside, _) => {
                self.name.push(byte);
                match byte {
                    b'\\' => self.text = Text::Escaped,
                    b'"' => self.text = Text::Outside,
                    _ => {}
                }
                return Found::Nothing;
            }
            (Text::Outside, b' ' | b'\t' | b'\n' | b'\r') => return Found::Nothing,
            _ => {}
        }
        if self.depth == 0 && byte != b'{' {
            // Behind the object, the check of the whole names the fault.
            return if self.objects.is_empty() && self.name.is_empty() { Found::NoObject } else { Found::Nothing };
        }
        let is_value = std::mem::take(&mut self.is_value);
        let is_last = self.matched + 1 == path.len();
        match byte {
            b'"' => {
                self.name.clear();
                self.name.push(byte);
                self.text = Text::Inside;
            }
            b':' => {
                let is_here = self.depth == self.matched + 1 && self.objects.last() == Some(&true);
                self.is_value = is_here
                    && path.get(self.matched).is_some_and(|wanted| {
                        serde_json::from_slice::<String>(&self.name).is_ok_and(|name| name == *wanted)
                    });
                return Found::Nothing;
            }
            b'{' | b'[' => {
                self.depth += 1;
                self.objects.push(byte == b'{');
                match (is_value, byte) {
                    (true, b'[') if is_last => return Found::Rows,
                    (true, b'{') if !is_last => {
                        self.matched += 1;
                        return Found::Nothing;
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
        if is_value { Found::NoArray } else { Found::Nothing }
    }
}
