//! Custom exports: what there is, and running it with checked parameters.

use crate::client::Perenso;

/// The catalog that a client keeps.
#[derive(Debug, Default)]
pub(crate) struct Shelf {}

/// The custom exports of a show.
#[derive(Clone, Copy, Debug)]
pub struct Exports<'a> {
    #[allow(dead_code)]
    show: &'a Perenso,
}

impl<'a> Exports<'a> {
    pub(crate) fn new(show: &'a Perenso) -> Self {
        Self { show }
    }
}
