//! The one error of the SDK.

use std::{fmt, time::Duration};

use http::StatusCode;
use perenso_auth::{BuildError, ProblemDetails};

use crate::records::InvalidId;

/// How many problems a text names; `problems` has them all.
const LONGEST_LIST: usize = 10;

/// What kind of thing went wrong. Kinds may be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The client cannot be built: something is missing or contradictory. Nothing left the machine.
    Config,
    /// A value cannot be sent as it is: an id, a key, a parameter of an export. Nothing left the machine.
    Input,
    /// There is no export of that name or id, or more than one, or it is no longer what a struct was generated from.
    Export,
    /// The pages of a list do not follow upon each other.
    Paging,
    /// The answer came, and does not fit what was asked of it, or ends too early by its form.
    Response,
    /// One row of an export does not fit; the stream of rows goes on with the next one when it is asked.
    Row,
    /// A row does not fit the schema of the file that it is for.
    Schema,
    /// A file cannot be read or written, or does not hold what it should. What was there before is still there.
    File,
    /// A call failed on its way or was refused; the kind says how.
    Call(perenso_auth::ErrorKind),
}

/// Why the SDK could not do what was asked.
///
/// The text and the `Debug` form hold no secret, no token, no value of a body and nothing of a record. What is repeated before
/// an error comes out, and what to make of it, says the guide to [retries](crate::guide::retries).
///
/// ```
/// # fn react(error: perenso::Error) {
/// use perenso::{CallErrorKind, ErrorKind};
///
/// match error.kind() {
///     ErrorKind::Call(CallErrorKind::Refused) => eprintln!("check client id and secret: {error}"),
///     _ if error.is_not_found() => eprintln!("gone: {error}"),
///     _ if error.may_have_written() => eprintln!("look before you repeat it: {error}"),
///     _ => eprintln!("{error}"),
/// }
/// # }
/// ```
#[derive(Clone)]
pub struct Error(Box<Repr>);

#[derive(Clone)]
enum Repr {
    Config(BuildError),
    Call(perenso_auth::Error),
    Own { kind: ErrorKind, operation: &'static str, row: Option<u64>, detail: String, problems: Vec<String> },
    Row { operation: &'static str, row: u64, detail: String },
}

impl Error {
    /// A generated builder was given a value it cannot use, or lacks one.
    pub(crate) fn invalid_request(operation: &'static str, detail: impl fmt::Display) -> Self {
        Self::own(ErrorKind::Input, operation, detail.to_string())
    }

    pub(crate) fn own(kind: ErrorKind, operation: &'static str, detail: impl Into<String>) -> Self {
        Self::several(kind, operation, detail, Vec::new())
    }

    /// An error of several parts, each of which is worth a line.
    pub(crate) fn several(
        kind: ErrorKind,
        operation: &'static str,
        detail: impl Into<String>,
        problems: Vec<String>,
    ) -> Self {
        Self(Box::new(Repr::Own { kind, operation, row: None, detail: detail.into(), problems }))
    }

    /// Several things are wrong with one row. The detail names the row.
    pub(crate) fn of_rows(
        kind: ErrorKind,
        operation: &'static str,
        row: u64,
        detail: impl Into<String>,
        problems: Vec<String>,
    ) -> Self {
        Self(Box::new(Repr::Own { kind, operation, row: Some(row), detail: detail.into(), problems }))
    }

    /// One row does not fit. The detail names the row.
    pub(crate) fn of_row(operation: &'static str, row: u64, detail: impl Into<String>) -> Self {
        Self(Box::new(Repr::Row { operation, row, detail: detail.into() }))
    }

    /// The same for a whole answer, of which one row is a part like any other.
    pub(crate) fn of_answer(self) -> Self {
        match *self.0 {
            Repr::Row { operation, row, detail } => {
                Self::of_rows(ErrorKind::Response, operation, row, detail, Vec::new())
            }
            other => Self(Box::new(other)),
        }
    }

    /// The same error, said of a part of the whole. That of a call keeps its text, which is the token layer's.
    pub(crate) fn within(mut self, part: &str) -> Self {
        match &mut *self.0 {
            Repr::Own { detail, .. } => detail.insert_str(0, &format!("{part}: ")),
            Repr::Row { detail, .. } => detail.insert_str(0, &format!("{part}, ")),
            Repr::Config(_) | Repr::Call(_) => {}
        }
        self
    }

    /// The number, from 1, of the row that does not fit, where one is the problem.
    #[must_use]
    pub fn row(&self) -> Option<u64> {
        match &*self.0 {
            Repr::Row { row, .. } => Some(*row),
            Repr::Own { row, .. } => *row,
            _ => None,
        }
    }

    /// What kind of thing went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match &*self.0 {
            Repr::Config(_) => ErrorKind::Config,
            Repr::Call(error) => ErrorKind::Call(error.kind()),
            Repr::Own { kind, .. } => *kind,
            Repr::Row { .. } => ErrorKind::Row,
        }
    }

    /// The error of the call underneath, where one was made.
    #[must_use]
    pub fn call(&self) -> Option<&perenso_auth::Error> {
        match &*self.0 {
            Repr::Call(error) => Some(error),
            _ => None,
        }
    }

    /// The parts of an error that has several, such as the parameters of an export or the settings of a client: all at
    /// once, each with what was expected.
    ///
    /// ```
    /// # use perenso::Perenso;
    /// let error = Perenso::builder().build().unwrap_err();
    /// for problem in error.problems() {
    ///     println!("- {problem}");
    /// }
    /// # assert!(error.problems().len() > 1);
    /// ```
    #[must_use]
    pub fn problems(&self) -> &[String] {
        match &*self.0 {
            Repr::Config(error) => error.problems(),
            Repr::Own { problems, .. } => problems,
            Repr::Call(_) | Repr::Row { .. } => &[],
        }
    }

    /// The `operationId` of the document, or method and path; `client` when there is none yet,
    /// `file` for those of files.
    #[must_use]
    pub fn operation(&self) -> &str {
        match &*self.0 {
            Repr::Config(_) => "client",
            Repr::Call(error) => error.operation(),
            Repr::Own { operation, .. } | Repr::Row { operation, .. } => operation,
        }
    }

    /// The status of the answer, where there was one. For a token error, that of the token endpoint.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.call()?.status()
    }

    /// The id that the server gave to the request, for its support.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.call()?.request_id()
    }

    /// How many requests went out for this call.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.call().map_or(0, perenso_auth::Error::attempts)
    }

    /// How long the server asked to wait.
    #[must_use]
    #[doc(alias("Retry-After", "429"))]
    pub fn retry_after(&self) -> Option<Duration> {
        self.call()?.retry_after()
    }

    /// The body of the error answer, at most 64 KiB of it. It may hold personal data, so it is in no text of the error.
    #[must_use]
    pub fn body(&self) -> Option<&[u8]> {
        self.call()?.body()
    }

    /// The body of the error answer as text, where it is UTF-8: what the server says about it.
    #[must_use]
    pub fn body_text(&self) -> Option<&str> {
        std::str::from_utf8(self.body()?).ok()
    }

    /// The body of the error answer as [`ProblemDetails`](crate::ProblemDetails), where it is JSON with `title`, `detail`, `message`, `error` or
    /// `errors`. Its texts may hold personal data, so none is in any text of the error, which shows only names: of `errors`, those
    /// that the request has too, and member names of letters and `_`.
    ///
    /// ```no_run
    /// # fn react(error: perenso::Error) {
    /// if let Some(problem) = error.problem_details() {
    ///     for problem in &problem.errors {
    ///         println!("{:?}: {}", problem.name, problem.messages.join("; "));
    ///     }
    /// }
    /// # }
    /// ```
    #[must_use]
    #[doc(alias("RFC 9457", "RFC 7807", "validation errors"))]
    pub fn problem_details(&self) -> Option<ProblemDetails> {
        self.call()?.problem_details()
    }

    /// Whether a write may have been carried out although the call failed: its answer was lost, could not be read, or
    /// was a 5xx. Look before you repeat it.
    #[must_use]
    pub fn may_have_written(&self) -> bool {
        self.call().is_some_and(perenso_auth::Error::may_have_written)
    }

    /// Whether the API says that there is no such record.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.call().is_some_and(perenso_auth::Error::is_not_found)
    }

    /// Whether a deadline passed.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.call().is_some_and(perenso_auth::Error::is_timeout)
    }

    /// Whether the credentials are the problem: the grant was refused, or fresh tokens are.
    #[must_use]
    pub fn is_auth(&self) -> bool {
        self.call().is_some_and(perenso_auth::Error::is_auth)
    }

    /// Whether the same call may go through later. It says nothing about whether a repeat is safe;
    /// [`may_have_written`](Self::may_have_written) does.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.call().is_some_and(perenso_auth::Error::is_transient)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Repr::Config(error) => error.fmt(f),
            Repr::Call(error) => error.fmt(f),
            Repr::Row { operation, detail, .. } => write!(f, "{operation}: {detail}"),
            Repr::Own { operation, detail, problems, .. } => {
                write!(f, "{operation}: {detail}")?;
                let shown = &problems[..problems.len().min(LONGEST_LIST)];
                if !shown.is_empty() {
                    write!(f, ": {}", shown.join("; "))?;
                }
                match problems.len() - shown.len() {
                    0 => Ok(()),
                    more => write!(f, "; and {more} more"),
                }
            }
        }
    }
}

perenso_auth::__readable_debug!(
    Error,
    InvalidId,
    crate::InvalidDecimal,
    crate::OrderingGroupError,
    crate::OrderingGroupReason,
    crate::exports::files::InvalidColumnType,
);

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // The call's own text is this error's text: its cause comes next.
        self.call().and_then(|error| std::error::Error::source(error))
    }
}

impl From<perenso_auth::Error> for Error {
    fn from(error: perenso_auth::Error) -> Self {
        Self(Box::new(Repr::Call(error)))
    }
}

impl From<BuildError> for Error {
    fn from(error: BuildError) -> Self {
        Self(Box::new(Repr::Config(error)))
    }
}

impl From<InvalidId> for Error {
    fn from(error: InvalidId) -> Self {
        Self::own(ErrorKind::Input, "id", error.to_string())
    }
}

/// An [`Id`](crate::Id) is one already.
impl From<std::convert::Infallible> for Error {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::error::Error as StdError;

    use super::*;
    use crate::{OrderingGroupError, OrderingGroupReason, Perenso, exports::files::ColumnType};

    #[test]
    fn the_debug_form_of_every_error_is_a_text_for_people() {
        let problem = || OrderingGroupError { index: 2, reason: OrderingGroupReason::NoKey };
        let errors: [(Box<dyn StdError>, &str); 8] = [
            (Box::new(Perenso::builder().build().unwrap_err()), "the client cannot be built: no client id"),
            (Box::new(Error::of_row("export_run", 3, "row 3: no")), "export_run: row 3: no"),
            (
                Box::new(Error::several(ErrorKind::Input, "run", "no", vec!["a".to_owned(), "b".to_owned()])),
                "run: no: a; b",
            ),
            (Box::new("".parse::<crate::Id>().unwrap_err()), "an id is expected, but it is empty"),
            (Box::new("x".parse::<crate::Decimal>().unwrap_err()), "a decimal number of at most 28 digits"),
            (Box::new("x".parse::<ColumnType>().unwrap_err()), "a type of a column is expected"),
            (Box::new(problem()), "ordering group 2: "),
            (Box::new(problem().reason), "`orderingGroupID` is missing"),
        ];
        for (error, text) in errors {
            let shown = format!("{error:?}");
            assert!(shown.starts_with(text), "{shown}");
            assert!(shown.starts_with(&error.to_string()) && !shown.contains(['{', '"', '[']), "{shown}");
        }
    }
}
