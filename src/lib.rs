//! A typed SDK for the Perenso Trade Show REST API. It is not made by Perenso.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let sandbox = perenso_sandbox::Sandbox::start().await?;
//! use futures_util::TryStreamExt;
//! use perenso::Perenso;
//!
//! # let vars = sandbox.vars();
//! let show = Perenso::from_vars(vars)?; // or `from_env`, or `builder`
//! let mut customers = show.customers().list().stream();
//! while let Some(customer) = customers.try_next().await? {
//!     println!("{}", customer.customer_name.as_deref().unwrap_or("no name"));
//! }
//! # Ok(()) }
//! ```
//!
//! # What do you want to do?
//!
//! | you want to | start at | guide |
//! |---|---|---|
//! | connect, with id and secret from Perenso Show Support | [`Perenso::builder`], [`Perenso::from_env`] | [authentication](guide::authentication) |
//! | serve a dozen shows from one process | [`Shows`] | [authentication](guide::authentication#where-do-i-keep-the-secret) |
//! | read customers, attendees, orders to the end | [`List`], from [`Customers::list`], [`Attendees::list`], [`Orders::list`] | [lists and bulk](guide::lists_and_bulk) |
//! | write one customer | [`Customers::create`], [`update`](Customers::update), [`delete`](Customers::delete) | [lists and bulk](guide::lists_and_bulk#how-do-i-write-one-record) |
//! | write forty thousand, and know what became of each | [`Customers::upsert`], [`Vendors::upsert`] | [lists and bulk](guide::lists_and_bulk#how-do-i-write-forty-thousand) |
//! | put products at booths | [`BoothProducts`] | |
//! | reach what has no type here: warehouses, sales reps … | [`Perenso::resource`], [`Perenso::request`] | [lists and bulk](guide::lists_and_bulk#a-resource-that-is-not-here) |
//! | see status and headers of an answer | [`Perenso::api`], a builder for each [operation](generated) | |
//! | run a custom export, page by page, into a file | [`exports`] | [exports](guide::exports) |
//! | know what failed, and whether to repeat it | [`Error`] | [retries](guide::retries#what-does-an-error-tell-me) |
//! | set retries, deadlines, the rate | [`RetryPolicy`], [`Timeouts`], [`CallOptions`] | [retries](guide::retries) |
//! | use the bearer elsewhere | [`Perenso::token`] | [authentication](guide::authentication#i-need-the-bearer-itself) |
//! | test without a live show | `perenso-sandbox`, [`mock`] | [testing](guide::testing) |
//! | come from a client of your own on reqwest | | [migrating](guide::migrating) |
//!
//! The search of this page (press `S`) knows the vendor's names as well: try `Bulk create and update customers`,
//! `POST /Customer`, `zipCode`.
//!
//! # Features
//!
//! | feature | what it brings |
//! |---|---|
//! | `rustls` (default) | TLS by rustls, with ring and the certificates of the platform |
//! | `native-tls` | TLS by the platform, with `default-features = false` |
//! | `mock` | [typed expectations](mock) for `httpmock` |
//! | `parquet` | [exports into Parquet files](exports::files) |
//! | `registry` | [`Shows`]: several shows from one TOML file |
//! | `redis` | tokens and rate budgets shared over Redis: [`RedisStore`](auth::store::RedisStore), [`SharedBudget`](auth::SharedBudget) |
//! | `test-util` | [`ManualClock`](auth::clock::ManualClock), which moves when told, for [`Builder::clock`] |
//!
//! # Its neighbours
//!
//! | crate | what it is |
//! |---|---|
//! | [`perenso-auth`](auth) | the token layer, for four other systems of the trade as well |
//! | [`perenso-sandbox`](https://docs.rs/perenso-sandbox) | a server that stands in for a show: in a test, or for anything that speaks HTTP |
//! | [`perenso-codegen`](https://docs.rs/perenso-codegen) | Rust types of a saved catalog of exports, for a build script |

#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]
// Links lead to items of all features, which the documentation is built with.
#![cfg_attr(not(docsrs), allow(rustdoc::broken_intra_doc_links))]

mod builder;
mod bulk;
mod client;
mod environment;
mod error;
pub mod exports;
pub mod generated;
pub mod guide;
mod lists;
#[cfg(feature = "mock")]
pub mod mock;
mod records;
mod resources;
mod runtime;
#[cfg(feature = "registry")]
mod shows;

pub use builder::Builder;
pub use bulk::{BulkProgress, BulkReport, BulkUpsert, Counts, Reason, RecordOutcome};
pub use client::Perenso;
pub use error::{Error, ErrorKind};
pub use exports::Exports;
pub use generated::types;
pub use lists::{ChangedRecords, Changes, Direction, List, Page, Position, Records, Watermark};
/// The token layer, a crate of its own: authorised calls to any system that has a profile, stores, budgets, clocks.
#[doc(inline)]
pub use perenso_auth as auth;
#[doc(inline)]
pub use perenso_auth::{
    AccessToken, CallOptions, ClientAuth, ErrorKind as CallErrorKind, FieldProblem, Idempotency, ProblemDetails, Rate,
    RequestBuilder, Response, RetryPolicy, Secret, Timeouts, TokenPolicy,
};
pub use records::{
    Decimal, Field, Id, InvalidDecimal, InvalidId, Messages, OrderingGroupError, OrderingGroupReason, Reveal, Timestamp,
};
pub use resources::{Attendees, BoothProducts, Customers, Orders, Resource, Vendors};
#[doc(no_inline)]
pub use rust_decimal;
#[doc(no_inline)]
pub use schemars;
#[cfg(feature = "registry")]
pub use shows::Shows;

/// The examples of the README are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
