//! What the document says about one operation: its name and whether it may be sent again.

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
    #[allow(dead_code)]
    pub(crate) retry: Retry,
}

/// The `x-retry` of an operation: whether it may be sent again when nobody knows what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retry {
    /// It reads.
    Safe,
    /// It writes by key: twice is once.
    Keyed,
    /// It creates: twice is two.
    Once,
}

impl From<Retry> for perenso_auth::Repeat {
    fn from(retry: Retry) -> Self {
        match retry {
            Retry::Safe => Self::Safe,
            Retry::Keyed => Self::Keyed,
            Retry::Once => Self::Once,
        }
    }
}
