//! The error of a client that cannot be built.

use std::fmt;

/// The error of a client that cannot be built. It lists all problems, each with the setter to call.
///
/// ```
/// use perenso_auth::{Client, Profile};
///
/// let error = Client::builder(Profile::new("parcels")).build().unwrap_err();
/// for problem in error.problems() {
///     println!("- {problem}");
/// }
/// assert!(error.problems().len() > 1);
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BuildError {
    problems: Vec<String>,
}

impl BuildError {
    /// Creates an error of one or more problems.
    pub fn new(problems: impl IntoIterator<Item = String>) -> Self {
        Self { problems: problems.into_iter().collect() }
    }

    /// The problems, each with what to do about it.
    #[must_use]
    pub fn problems(&self) -> &[String] {
        &self.problems
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the client cannot be built: {}", self.problems.join("; "))
    }
}

impl std::error::Error for BuildError {}
