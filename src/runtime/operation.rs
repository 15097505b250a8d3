//! What the document says about one operation: its name and whether it may be sent again.

use perenso_auth::Idempotency;

/// One operation of the vendored document, as the build script writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    /// The `operationId`, as errors and logs call it.
    pub(crate) id: &'static str,
    #[allow(dead_code)]
    pub(crate) method: &'static str,
    /// The path with its parameters in braces: what a span may show, since ids are data.
    #[allow(dead_code)]
    pub(crate) path: &'static str,
    /// Its `x-idempotency`.
    pub(crate) idempotency: Idempotency,
}
