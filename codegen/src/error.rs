//! Why there is no code.

use std::fmt;

/// Why there is no code: what was expected, what was found, and what to do.
///
/// `Debug` is the same text, since that is what cargo shows of a build script whose `main` returns it.
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

    /// What is wrong with the catalog, all at once; each names the export that it is about.
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
