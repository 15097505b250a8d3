//! The support of generated clients: everything that the code of
//! [`perenso-openapi`](https://docs.rs/perenso-openapi) uses.
//!
//! A program rarely names this module. Its own `build.rs` generates a client from an OpenAPI document, and the client runs over any
//! [`Client`](auth::Client) of the token layer. Over [`Perenso::auth_client`](crate::Perenso::auth_client) it shares tokens, rate
//! budget and connections with the SDK:
//!
//! ```ignore
//! mod vendor {
//!     include!(concat!(env!("OUT_DIR"), "/client.rs"));
//! }
//! use vendor::prelude::*;
//!
//! let vendor = vendor::Client::new(show.auth_client());
//! let pallets = vendor.pallet_list().send().await?.into_inner();
//! ```
//!
//! The functions and types that are not re-exported from the root of this crate change with the generator: use the same version of
//! both.

mod alternatives;
mod bridge;
mod field_names;
#[cfg(feature = "mock")]
pub mod mock;
mod multipart;
mod numeric;
mod operation;
mod parameters;
mod record;
mod setters;
mod success;
mod values;

pub use self::{
    alternatives::{alternative, write_tagged, write_tagged_map},
    bridge::{Bridge, send_empty, send_json, send_json_object, send_raw},
    multipart::{File, Multipart, PartWriter, multipart},
    numeric::{Numbers, read_field_of_numbers, read_list_of_numbers, read_required_of_numbers},
    operation::Operation,
    parameters::{append_cookie, append_list, list_segment, with_list, with_map},
    record::{Record, RecordWriter, build, read_field, read_list, read_record, read_required, write_record},
    setters::{accepted, body, optional, set, set_required, value},
    success::{OtherBody, Success, send_success},
    values::{append_header, checked_path, checked_segment, form},
};
pub use crate::{
    error::Error,
    records::{Decimal, Field, Id, Messages, Reveal, Timestamp, segment},
};
#[cfg(feature = "mock")]
#[doc(no_inline)]
pub use httpmock;
#[doc(no_inline)]
pub use perenso_auth as auth;
#[doc(no_inline)]
pub use progenitor_client::{self, ResponseValue};
#[doc(no_inline)]
pub use {reqwest, serde, serde_json};
