//! The error of the build, with the places in the document.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use crate::{DocumentError, OverlayError};

/// The reasons why no client was generated. `Display` names the document, and each place in it, in one line.
#[derive(Clone, PartialEq, Eq)]
pub struct Error {
    document: PathBuf,
    faults: Vec<Fault>,
}

/// A message with its place: a JSON pointer into the document, or line and column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) place: String,
    pub(crate) what: String,
}

impl Error {
    pub(crate) fn new(document: &Path, faults: Vec<Fault>) -> Self {
        Self { document: document.to_owned(), faults }
    }

    /// Returns the problems, each with its place in the document.
    pub fn problems(&self) -> impl Iterator<Item = String> {
        self.faults.iter().map(ToString::to_string)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.document.display())?;
        if self.faults.len() > 1 {
            write!(f, "{} problems: ", self.faults.len())?;
        }
        f.write_str(&self.problems().collect::<Vec<_>>().join("; "))
    }
}

/// The text of `Display`: a build script that returns the error from `main` prints its `Debug` form.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {}

/// Lets a build script that reads a document itself return one type of error.
impl From<DocumentError> for Error {
    fn from(error: DocumentError) -> Self {
        Self::new(Path::new("document"), vec![Fault::new("/", error)])
    }
}

/// Lets a build script that applies an overlay itself return one type of error.
impl From<OverlayError> for Error {
    fn from(error: OverlayError) -> Self {
        Self::new(Path::new("overlay"), error.problems.iter().map(|problem| Fault::new("/", problem)).collect())
    }
}

impl Fault {
    pub(crate) fn new(place: impl fmt::Display, what: impl fmt::Display) -> Self {
        Self { place: place.to_string(), what: what.to_string() }
    }

    /// Creates the error of a rewrite that did not find the expected code, most likely because of a newer progenitor.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Document, Overlay};

    #[test]
    fn every_error_of_a_build_script_becomes_one() {
        let read = || -> Result<(), Error> {
            Document::from_json("[]")?;
            Ok(())
        };
        let error = read().err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.starts_with("document: at /: expected an OpenAPI 3.0.x"), "{error}");
        let overlay = || -> Result<(), Error> {
            Overlay::from_json("{}")?;
            Ok(())
        };
        let error = overlay().err().map(|error| error.to_string()).unwrap_or_default();
        assert_eq!(error, "overlay: at /: /overlay: expected a version 1.0.x, found none");
    }
}
