//! The error of the generator.

use std::fmt;

/// The error of a catalog from which no code can be generated.
///
/// `Debug` shows the same message as `Display`, since cargo shows it if `main` of a build script returns this error.
#[derive(Clone)]
pub struct Error {
    what: String,
    problems: Vec<String>,
}

impl Error {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), problems: Vec::new() }
    }

    pub(crate) fn several(what: impl Into<String>, problems: Vec<String>) -> Self {
        Self { what: what.into(), problems }
    }

    pub(crate) fn of_file(mut self, file: &std::path::Path) -> Self {
        self.what = format!("{}: {}", file.display(), self.what);
        self
    }

    /// All problems of the catalog, each with its export.
    #[must_use]
    pub fn problems(&self) -> &[String] {
        &self.problems
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        self.problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {}
