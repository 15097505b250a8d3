//! The types of record fields.

mod decimal;
mod field;
mod id;
mod json_record;
mod messages;
#[cfg_attr(partial_facade, cfg(facade = "OrderingGroup::from_nested()"))]
mod ordering_group;
mod reveal;
mod timestamp;

#[cfg_attr(partial_facade, cfg(facade = "OrderingGroup::from_nested()"))]
pub use self::ordering_group::{OrderingGroupError, OrderingGroupReason};
pub use self::{
    decimal::{Decimal, InvalidDecimal},
    field::Field,
    id::{Id, InvalidId, segment},
    json_record::JsonRecord,
    messages::Messages,
    reveal::Reveal,
    timestamp::Timestamp,
};
