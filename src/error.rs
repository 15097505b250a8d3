//! The one error of the SDK.

/// What went wrong with a call.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
#[non_exhaustive]
pub struct Error {
    text: String,
}

impl Error {
    /// A generated builder was given a value it cannot use, or lacks one.
    #[allow(dead_code)]
    pub(crate) fn invalid_request(operation: &'static str, detail: impl std::fmt::Display) -> Self {
        Self {
            text: format!("{operation}: {detail}"),
        }
    }
}
