//! The error of the SDK.

pub(crate) mod name;

use std::{fmt, path::Path, time::Duration};

use http::StatusCode;
use perenso_auth::{BuildError, ProblemDetails};

use crate::records::InvalidId;

/// The operation name in errors of files.
pub(crate) const FILE: &str = "file";

/// The maximum number of problems in a message; `problems` returns all of them.
const LONGEST_LIST: usize = 10;

/// The kind of an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The client cannot be built: settings are missing or contradictory. Nothing was sent.
    Config,
    /// A value is invalid: an id, a key, a parameter of an export. Nothing was sent.
    Input,
    /// No export, or more than one, has that name or id; or the export differs from the one that a struct was generated from.
    Export,
    /// The pages of a list repeat or overlap.
    Paging,
    /// The response does not have the expected form, or is truncated.
    Response,
    /// A row of an export does not fit its type. The stream continues with the next row when polled again.
    Row,
    /// A row does not fit the schema of its file.
    Schema,
    /// A file cannot be read or written, or has unexpected content. Existing content is unchanged.
    File,
    /// A call failed or was refused.
    Call(perenso_auth::ErrorKind),
}

/// The error of every fallible function of the SDK.
///
/// `Display` and `Debug` never contain secrets, tokens, values of a body or data of a record. See the guide on
/// [retries](crate::guide::retries).
///
/// ```
/// # fn react(error: perenso::Error) {
/// use perenso::{CallErrorKind, ErrorKind};
///
/// match error.kind() {
///     ErrorKind::Call(CallErrorKind::Refused) => {
///         eprintln!("check client id and secret: {error}");
///     }
///     _ if error.is_not_found() => eprintln!("no such record: {error}"),
///     _ if error.may_have_written() => eprintln!("check before a retry: {error}"),
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
    /// Creates the error of a generated builder with an invalid or missing value.
    pub(crate) fn invalid_request(operation: &'static str, detail: impl fmt::Display) -> Self {
        Self::own(ErrorKind::Input, operation, detail.to_string())
    }

    pub(crate) fn own(kind: ErrorKind, operation: &'static str, detail: impl Into<String>) -> Self {
        Self::several(kind, operation, detail, Vec::new())
    }

    /// Creates an error with several problems.
    pub(crate) fn several(
        kind: ErrorKind,
        operation: &'static str,
        detail: impl Into<String>,
        problems: Vec<String>,
    ) -> Self {
        Self(Box::new(Repr::Own { kind, operation, row: None, detail: detail.into(), problems }))
    }

    /// Creates an error of one row with several problems. `detail` names the row.
    pub(crate) fn of_rows(
        kind: ErrorKind,
        operation: &'static str,
        row: u64,
        detail: impl Into<String>,
        problems: Vec<String>,
    ) -> Self {
        Self(Box::new(Repr::Own { kind, operation, row: Some(row), detail: detail.into(), problems }))
    }

    /// Creates an error of one row. `detail` names the row.
    pub(crate) fn of_row(operation: &'static str, row: u64, detail: impl Into<String>) -> Self {
        Self(Box::new(Repr::Row { operation, row, detail: detail.into() }))
    }

    /// Creates an error of a file and what is wrong with it.
    pub(crate) fn of_file(problem: &str, path: &Path, reason: impl fmt::Display) -> Self {
        Self::own(ErrorKind::File, FILE, format!("`{}` {problem}: {reason}", path.display()))
    }

    /// Turns the error of a row into one of the whole response.
    pub(crate) fn of_response(self) -> Self {
        match *self.0 {
            Repr::Row { operation, row, detail } => {
                Self::of_rows(ErrorKind::Response, operation, row, detail, Vec::new())
            }
            other => Self(Box::new(other)),
        }
    }

    /// Prefixes the message with a part of the input. The error of a call keeps the message of the token layer.
    pub(crate) fn within(mut self, part: &str) -> Self {
        match &mut *self.0 {
            Repr::Own { detail, .. } => detail.insert_str(0, &format!("{part}: ")),
            Repr::Row { detail, .. } => detail.insert_str(0, &format!("{part}, ")),
            Repr::Config(_) | Repr::Call(_) => {}
        }
        self
    }

    /// Returns the number of the row that does not fit, counted from 1.
    #[must_use]
    pub fn row(&self) -> Option<u64> {
        match &*self.0 {
            Repr::Row { row, .. } => Some(*row),
            Repr::Own { row, .. } => *row,
            _ => None,
        }
    }

    /// Returns the kind of the error.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match &*self.0 {
            Repr::Config(_) => ErrorKind::Config,
            Repr::Call(error) => ErrorKind::Call(error.kind()),
            Repr::Own { kind, .. } => *kind,
            Repr::Row { .. } => ErrorKind::Row,
        }
    }

    /// Returns the underlying error of the token layer, if a call failed.
    #[must_use]
    pub fn call(&self) -> Option<&perenso_auth::Error> {
        match &*self.0 {
            Repr::Call(error) => Some(error),
            _ => None,
        }
    }

    /// Returns all problems of an error that has several, such as those of the settings of a client or the parameters of an
    /// export. Each says what was expected.
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

    /// Returns the `operationId` of the document, or method and path; `client` if the client was not built, `file` for files.
    #[must_use]
    pub fn operation(&self) -> &str {
        match &*self.0 {
            Repr::Config(_) => "client",
            Repr::Call(error) => error.operation(),
            Repr::Own { operation, .. } | Repr::Row { operation, .. } => operation,
        }
    }

    /// Returns the status of the response, if there was one. For a token error, this is the status of the token endpoint.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.call()?.status()
    }

    /// Returns the request id of the server, for a support case.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.call()?.request_id()
    }

    /// Returns the number of attempts of the call.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.call().map_or(0, perenso_auth::Error::attempts)
    }

    /// Returns the delay that the server asked for in `Retry-After`.
    #[must_use]
    #[doc(alias("Retry-After", "429"))]
    pub fn retry_after(&self) -> Option<Duration> {
        self.call()?.retry_after()
    }

    /// Returns the body of the error response, at most 64 KiB. It may contain personal data, so `Display` and `Debug` omit it.
    #[must_use]
    pub fn body(&self) -> Option<&[u8]> {
        self.call()?.body()
    }

    /// Returns the body of the error response as a string, if it is UTF-8.
    #[must_use]
    pub fn body_text(&self) -> Option<&str> {
        std::str::from_utf8(self.body()?).ok()
    }

    /// Returns the body of the error response as [`ProblemDetails`](crate::ProblemDetails), if it is JSON with `title`, `detail`,
    /// `message`, `error` or `errors`.
    ///
    /// Its strings may contain personal data. `Display` and `Debug` show names only: those in `errors` that the request has
    /// too, and member names of letters and `_`.
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

    /// Returns true if a write may have been processed although the call failed: the response was lost, could not be read, or
    /// was a 5xx. Check before you send it again.
    #[must_use]
    pub fn may_have_written(&self) -> bool {
        self.call().is_some_and(perenso_auth::Error::may_have_written)
    }

    /// Returns true if the API reports that the record does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.call().is_some_and(perenso_auth::Error::is_not_found)
    }

    /// Returns true if a timeout or deadline elapsed.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.call().is_some_and(perenso_auth::Error::is_timeout)
    }

    /// Returns true if the credentials are the problem: the grant was refused, or a new token was.
    #[must_use]
    pub fn is_auth(&self) -> bool {
        self.call().is_some_and(perenso_auth::Error::is_auth)
    }

    /// Returns true if the same call may succeed later. Whether a retry is safe is a different question: see
    /// [`may_have_written`](Self::may_have_written).
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

perenso_auth::__readable_debug!(Error, InvalidId);

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // `Display` already shows the message of the call, so the source is its cause.
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

/// Never called: converting an [`Id`](crate::Id) into itself cannot fail.
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
    use crate::{OrderingGroupError, OrderingGroupReason, Perenso};

    #[test]
    fn the_debug_form_of_every_error_is_a_string_for_people() {
        let problem = || OrderingGroupError { index: 2, reason: OrderingGroupReason::NoKey };
        let errors: Vec<(Box<dyn StdError>, &str)> = vec![
            (Box::new(Perenso::builder().build().unwrap_err()), "the client cannot be built: no client id"),
            (Box::new(Error::of_row("export_run", 3, "row 3: no")), "export_run: row 3: no"),
            (
                Box::new(Error::several(ErrorKind::Input, "run", "no", vec!["a".to_owned(), "b".to_owned()])),
                "run: no: a; b",
            ),
            (Box::new("".parse::<crate::Id>().unwrap_err()), "an id is expected, but it is empty"),
            (Box::new("x".parse::<crate::Decimal>().unwrap_err()), "a decimal number of at most 28 digits"),
            #[cfg(feature = "files")]
            (Box::new("x".parse::<crate::exports::files::ColumnType>().unwrap_err()), "expected a column type"),
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
