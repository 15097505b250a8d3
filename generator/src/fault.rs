//! The error of the build, with its place in the document.

use std::{fmt, path::Path};

/// The error of a document from which no client can be generated. `Display` names the document and the place in it.
pub struct Error(String);

impl Error {
    pub(crate) fn new(document: &Path, fault: Fault) -> Self {
        Self(format!("{}: {fault}", document.display()))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The same text as `Display`: a build script that returns the error from `main` prints its `Debug` form.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

/// A message with its place: a JSON pointer into the document, or line and column.
#[derive(Debug)]
pub(crate) struct Fault {
    place: String,
    what: String,
}

impl Fault {
    pub(crate) fn new(place: impl fmt::Display, what: impl fmt::Display) -> Self {
        Self { place: place.to_string(), what: what.to_string() }
    }

    /// Creates the error of a rewrite that did not find the expected code, most likely because of a newer generator.
    pub(crate) fn missed(place: impl fmt::Display, step: &str, expected: usize, found: usize) -> Self {
        Self::new(place, format_args!("{step}: expected {expected} in the generated code, found {found}"))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Cargo reads further lines of a message as directives.
        let text = format!("at {}: {}", self.place, self.what);
        f.write_str(&text.replace(['\n', '\r'], " "))
    }
}

/// Fails unless a step made exactly as many rewrites as the document requires.
pub(crate) fn count(place: &str, step: &str, expected: usize, found: usize) -> Result<(), Fault> {
    if expected == found { Ok(()) } else { Err(Fault::missed(place, step, expected, found)) }
}

/// Returns a segment of a JSON pointer, escaped.
pub(crate) fn segment(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
