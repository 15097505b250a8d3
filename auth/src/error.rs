//! Why a client cannot be built.

use std::fmt;

/// What stands in the way of a client: everything at once, each with the setter to call.
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
    /// An error of one or more problems.
    pub fn new(problems: impl IntoIterator<Item = String>) -> Self {
        Self { problems: problems.into_iter().collect() }
    }

    /// Each problem as a sentence that says what to do.
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
