//! The paging engine under lists and exports. It decides which page is next and detects repeated pages, without I/O.

mod cursor;
mod fingerprint;
mod history;
mod key;
mod pager;
mod plan;
mod repetition;
mod report;

use std::num::NonZeroU32;

pub use self::{cursor::Cursor, key::Key, plan::PageEnd, report::PageReport};
pub(crate) use self::{
    cursor::{FirstPage, Place},
    fingerprint::Fingerprint,
    pager::Pager,
    plan::{Meaning, Plan},
    repetition::RowIdentity,
};

/// The default page size.
pub(crate) const PAGE_SIZE: NonZeroU32 = NonZeroU32::new(100).unwrap();
