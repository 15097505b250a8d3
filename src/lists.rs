//! Lists, page by page, and changed records.

mod changes;
mod fingerprint;
mod list;
mod pager;
mod position;

pub use self::{
    changes::{ChangedRecords, Changes, Watermark},
    list::{Direction, List},
    pager::{Page, Records},
    position::Position,
};
pub(crate) use self::{fingerprint::Fingerprint, pager::PAGE_SIZE};
