#![doc = include_str!("../README.md")]
#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]
// Links lead to items of all features, which the documentation is built with.
#![cfg_attr(not(docsrs), allow(rustdoc::broken_intra_doc_links))]

mod attendees;
mod booth_products;
mod bridge;
mod builder;
mod bulk;
mod client;
mod customers;
mod decimal;
mod environment;
mod error;
pub mod exports;
mod field;
pub mod generated;
pub mod guide;
mod id;
mod list;
mod messages;
#[cfg(feature = "mock")]
pub mod mock;
mod operation;
mod ordering_group;
mod orders;
mod page;
mod record;
mod request;
mod resource;
mod reveal;
#[cfg(feature = "registry")]
mod shows;
mod time;
mod vendors;

pub use attendees::Attendees;
pub use booth_products::BoothProducts;
pub use builder::Builder;
pub use bulk::{BulkReport, Counts, Fate, Reason};
pub use client::Perenso;
pub use customers::{CustomerBulk, Customers};
pub use decimal::{Decimal, InvalidDecimal};
pub use error::{Error, ErrorKind};
pub use exports::Exports;
pub use field::Field;
pub use generated::types;
pub use id::{Id, InvalidId};
pub use list::{Direction, List};
pub use messages::Messages;
pub use ordering_group::{OrderingGroupError, OrderingGroupReason};
pub use orders::Orders;
pub use page::{Page, Position, Records};
#[doc(inline)]
pub use perenso_auth::{
    self as auth, AccessToken, CallOptions, ClientAuth, ErrorKind as CallErrorKind, Rate, Repeat, RetryPolicy, Secret,
    Timeouts, TokenPolicy,
};
pub use request::{Answer, Request};
pub use resource::Resource;
pub use reveal::Reveal;
#[doc(no_inline)]
pub use rust_decimal;
#[doc(no_inline)]
pub use schemars;
#[cfg(feature = "registry")]
pub use shows::Shows;
pub use time::Time;
pub use vendors::{VendorBulk, Vendors};
