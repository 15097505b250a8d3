//! The types of record fields.

mod decimal;
mod field;
mod id;
mod json_record;
mod messages;
mod ordering_group;
mod reveal;
mod timestamp;

pub use self::{
    decimal::{Decimal, InvalidDecimal},
    field::Field,
    id::{Id, InvalidId, segment},
    json_record::JsonRecord,
    messages::Messages,
    ordering_group::{OrderingGroupError, OrderingGroupReason},
    reveal::Reveal,
    timestamp::Timestamp,
};
