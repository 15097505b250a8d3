//! Lists, page by page, and changed records.

mod changes;
mod list;
mod pager;
mod position;

pub(crate) use self::pager::PAGE_SIZE;
pub use self::{
    changes::{ChangedRecords, Changes, Watermark},
    list::{Direction, List},
    pager::{Page, Records},
    position::Position,
};
