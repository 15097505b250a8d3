//! A typed SDK for the Perenso Trade Show REST API.

mod bridge;
mod decimal;
mod error;
mod field;
pub mod generated;
mod id;
mod messages;
#[cfg(feature = "mock")]
pub mod mock;
mod operation;
mod ordering_group;
mod record;
mod reveal;
mod time;

pub use decimal::{Decimal, InvalidDecimal};
pub use error::Error;
pub use field::Field;
pub use generated::types;
pub use id::{Id, InvalidId};
pub use messages::Messages;
pub use ordering_group::{OrderingGroupError, OrderingGroupReason};
pub use reveal::Reveal;
pub use time::Time;
