//! A typed builder for every operation that is known of the API, written by the build script from `openapi/perenso.json`.
//!
//! [`Perenso::api`](crate::Perenso::api) leads here, for what the methods by hand do not show: the status and the headers of an
//! answer, and every parameter by its own setter. Calls go through the same tokens, budget and retries as all others.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let sandbox = perenso_sandbox::Sandbox::start().await?;
//! # let show = perenso::Perenso::from_vars(sandbox.vars())?;
//! use perenso::generated::prelude::*;
//!
//! let answer = show.api().customer_list().page(1).results_per_page(20).send().await?;
//! println!("{} {:?}", answer.status(), answer.headers());
//! for customer in answer.into_inner() {
//!     println!("{customer:?}");
//! }
//! # Ok(()) }
//! ```
//!
//! Its traits, one for each kind of record, list the calls; [`types`] has the records. A call that the vendor's pages do not show
//! in full says so (the keys in brackets are pages, which the document lists), and each names the method by hand that does the same with less typing. Runs of exports are not here: they
//! leave through [`exports`](crate::exports), which checks their values.

// Calls and constants that the SDK does not use yet are no fault of the generated code.
#![allow(dead_code)]

include!(concat!(env!("OUT_DIR"), "/client.rs"));
