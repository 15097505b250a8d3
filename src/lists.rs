//! Lists, page by page, and changed records.

mod changes;
mod list;
mod pager;
mod position;

pub use self::{
    changes::{ChangedRecords, Changes, Watermark},
    list::{Direction, List},
    pager::{Page, Records},
    position::Position,
};
