//! The name, path and idempotency of an operation of the document.

use perenso_auth::Idempotency;

/// An operation of the vendored document, written by the build script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    /// The `operationId`, the name in errors and logs.
    pub(crate) id: &'static str,
    #[allow(dead_code)]
    pub(crate) method: &'static str,
    /// The path with its parameters in braces. Spans show it, because ids are data.
    #[allow(dead_code)]
    pub(crate) path: &'static str,
    /// The `x-idempotency` of the operation.
    pub(crate) idempotency: Idempotency,
}
