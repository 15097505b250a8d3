//! What the document says about one operation: its name and whether it may be sent again.

/// One operation of the vendored document, as the build script writes it.
#[derive(Clone, Copy, Debug)]
#[allow(dead_code)]
pub(crate) struct Operation {
    pub(crate) id: &'static str,
    pub(crate) retry: Retry,
}

/// The `x-retry` of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code)]
pub(crate) enum Retry {
    Safe,
    Keyed,
    Once,
}
