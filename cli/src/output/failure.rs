//! The error of a command: one sentence and an exit code.

use std::{fmt, io, path::Path};

use perenso::{CallErrorKind, ErrorKind};
use serde_json::{Map, Value, json};

use super::Code;

/// The error of a command.
#[derive(Debug)]
pub(crate) struct Failure {
    code: Code,
    message: String,
    /// The call that failed.
    call: Option<Box<perenso::Error>>,
}

impl Failure {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), call: None }
    }

    /// An error without an exit code of its own.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(Code::Failed, message)
    }

    /// A wrong argument, file or value. Nothing was sent.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Code::Usage, message)
    }

    pub(crate) fn interrupted() -> Self {
        Self::new(Code::Interrupted, "interrupted")
    }

    /// A file that cannot be read or written.
    pub(crate) fn file(verb: &str, path: &Path, error: &io::Error) -> Self {
        Self::failed(format!("`{}` cannot be {verb}: {error}", path.display()))
    }

    /// A write to stdout that failed. A reader that has closed the pipe has read all that it wanted.
    pub(crate) fn stdout(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::new(Code::Done, ""),
            _ => Self::failed(format!("the output cannot be written: {error}")),
        }
    }

    /// Says it in other words.
    pub(crate) fn explained(self, message: String) -> Self {
        Self { message, ..self }
    }

    pub(crate) fn code(&self) -> Code {
        self.code
    }

    /// Returns the body of the error response. It may contain personal data.
    pub(crate) fn body(&self) -> Option<&str> {
        self.call.as_ref()?.body_text()
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut error = Map::new();
        error.insert("code".to_owned(), self.code.name().into());
        error.insert("exit".to_owned(), self.code.number().into());
        error.insert("message".to_owned(), self.message.clone().into());
        if let Some(call) = &self.call {
            error.insert("operation".to_owned(), call.operation().into());
            error.insert("attempts".to_owned(), call.attempts().into());
            error.insert("may_have_written".to_owned(), call.may_have_written().into());
            if let Some(status) = call.status() {
                error.insert("status".to_owned(), status.as_u16().into());
            }
            if let Some(id) = call.request_id() {
                error.insert("request_id".to_owned(), id.into());
            }
            if let Some(delay) = call.retry_after() {
                error.insert("retry_after".to_owned(), delay.as_secs().into());
            }
            if !call.problems().is_empty() {
                error.insert("problems".to_owned(), call.problems().into());
            }
        }
        json!({ "error": error })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<perenso::Error> for Failure {
    fn from(error: perenso::Error) -> Self {
        let code = match error.kind() {
            _ if error.may_have_written() => Code::Unknown,
            _ if error.is_auth() => Code::Refused,
            _ if error.is_not_found() => Code::NotFound,
            ErrorKind::Config | ErrorKind::Input | ErrorKind::Call(CallErrorKind::Request) => Code::Usage,
            ErrorKind::Export => Code::NotFound,
            ErrorKind::Call(CallErrorKind::Stopped) => Code::Interrupted,
            ErrorKind::Call(CallErrorKind::Connect | CallErrorKind::TokenUnavailable) => Code::Unavailable,
            _ if error.is_transient() => Code::Unavailable,
            _ => Code::Failed,
        };
        let message = error.to_string();
        // The sentence names the file; that the error is one of a file is no news.
        let message = message.strip_prefix("file: ").map(str::to_owned).unwrap_or(message);
        Self { code, message, call: Some(Box::new(error)) }
    }
}

/// The SDK's requests by path fail with errors of the token layer.
impl From<perenso::auth::Error> for Failure {
    fn from(error: perenso::auth::Error) -> Self {
        perenso::Error::from(error).into()
    }
}
