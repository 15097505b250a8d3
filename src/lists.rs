//! Lists page by page, and the records that changed.

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
