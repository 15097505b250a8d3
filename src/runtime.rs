//! The code that the generated client stands on.

mod bridge;
mod field_names;
mod operation;

pub(crate) use self::{
    bridge::{Bridge, empty, raw, typed},
    field_names::{Key, Keys},
    operation::{Operation, Retry},
};
