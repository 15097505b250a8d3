//! The code that the generated client uses.

mod bridge;
mod field_names;
mod operation;

pub(crate) use self::{
    bridge::{Bridge, send_empty, send_json, send_raw},
    field_names::{FieldName, FieldNames},
    operation::Operation,
};
