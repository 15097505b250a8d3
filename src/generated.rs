//! Typed builders for every known operation of the API, generated from `openapi/perenso.json`.
//!
//! [`Perenso::api`](crate::Perenso::api) returns this client. Unlike the hand-written methods, it returns the status and headers
//! of a response and has a setter for every parameter. Calls use the same tokens, rate budget and retries.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let sandbox = perenso_sandbox::Sandbox::start().await?;
//! # let show = perenso::Perenso::from_vars(sandbox.vars())?;
//! use perenso::generated::prelude::*;
//!
//! let list = show.api().customer_list().page(1).results_per_page(20);
//! let response = list.send().await?;
//! println!("{} {:?}", response.status(), response.headers());
//! for customer in response.into_inner() {
//!     println!("{customer:?}");
//! }
//! # Ok(()) }
//! ```
//!
//! The traits, one for each kind of record, list the calls; [`types`] contains the records, whose fields the guide to
//! [lists and bulk](crate::guide::lists_and_bulk#fields-of-a-record) explains. Each call names the hand-written method that does
//! the same. Calls that the vendor documents only in part say so; keys in brackets are pages listed in the document. To run an
//! export, use [`exports`](crate::exports), which checks the values of its parameters.

// The SDK does not use every generated call and constant.
#![allow(dead_code)]

include!(concat!(env!("OUT_DIR"), "/client.rs"));
