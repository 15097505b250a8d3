//! The pages that were read, under lists and exports: a page that repeats any of them is recognised.

mod fingerprint;
mod history;

pub(crate) use self::{
    fingerprint::Fingerprint,
    history::{PageHistory, PreviousPage, Repeats},
};
