//! What stops the build, and where in the document.

use std::fmt;

/// A message that names its place: a JSON pointer into the document, or a line and a column.
#[derive(Debug)]
pub(crate) struct Fault {
    place: String,
    what: String,
}

impl Fault {
    pub(crate) fn new(place: impl fmt::Display, what: impl fmt::Display) -> Self {
        Self { place: place.to_string(), what: what.to_string() }
    }

    /// A rewrite of the generated code that did not find what it expects: a newer generator, most likely.
    pub(crate) fn missed(place: impl fmt::Display, step: &str, expected: usize, found: usize) -> Self {
        Self::new(place, format_args!("{step}: expected {expected} in the generated code, found {found}"))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // One line: cargo takes the rest of a message for another directive.
        let text = format!("at {}: {}", self.place, self.what);
        f.write_str(&text.replace(['\n', '\r'], " "))
    }
}

/// Fails unless a step has made exactly as many rewrites as the document calls for.
pub(crate) fn count(place: &str, step: &str, expected: usize, found: usize) -> Result<(), Fault> {
    if expected == found { Ok(()) } else { Err(Fault::missed(place, step, expected, found)) }
}

/// One step of a JSON pointer, escaped.
pub(crate) fn segment(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
