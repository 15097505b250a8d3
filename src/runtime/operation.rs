//! The name, path and idempotency of an operation of a document.

use perenso_auth::Idempotency;

/// An operation of an OpenAPI document, written by the generator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Operation {
    /// The `operationId`, the name in errors and logs.
    pub id: &'static str,
    /// The method, in upper case.
    pub method: &'static str,
    /// The path with its parameters in braces. Spans show it, because ids are data.
    pub path: &'static str,
    /// The idempotency of the operation.
    pub idempotency: Idempotency,
}

impl Operation {
    /// Creates an operation.
    pub const fn new(id: &'static str, method: &'static str, path: &'static str, idempotency: Idempotency) -> Self {
        Self { id, method, path, idempotency }
    }
}
