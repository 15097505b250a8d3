//! The exit codes.

use std::process::ExitCode;

/// The exit code of the command. `README.md` has the same table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    Done,
    Failed,
    Usage,
    Partly,
    Refused,
    NotFound,
    Unavailable,
    Interrupted,
    Unknown,
    Different,
}

impl Code {
    pub(crate) const ALL: [Self; 10] = [
        Self::Done,
        Self::Failed,
        Self::Usage,
        Self::Partly,
        Self::Refused,
        Self::NotFound,
        Self::Unavailable,
        Self::Interrupted,
        Self::Unknown,
        Self::Different,
    ];

    pub(crate) fn number(self) -> u8 {
        self as u8
    }

    /// Returns the name in a JSON error.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::Partly => "partly_done",
            Self::Refused => "refused",
            Self::NotFound => "not_found",
            Self::Unavailable => "unavailable",
            Self::Interrupted => "interrupted",
            Self::Unknown => "unknown",
            Self::Different => "different",
        }
    }

    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Self::Done => "Done",
            Self::Failed => "Failed for another reason than those below",
            Self::Usage => "The command line, a settings file or a value is wrong; nothing was sent",
            Self::Partly => "Partly done: some records or checks failed, and the output says which",
            Self::Refused => "The show refused the login",
            Self::NotFound => "No such record, export or show",
            Self::Unavailable => "The show cannot be reached or is busy; the same command may succeed later",
            Self::Interrupted => "Interrupted by Ctrl-C or SIGTERM",
            Self::Unknown => {
                "The response to a write was lost; look at the record before you send it again, or run the same load again"
            }
            Self::Different => "A comparison found differences",
        }
    }
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        Self::from(code.number())
    }
}
