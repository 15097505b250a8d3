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
//! # Where to start
//!
//! | task | start at | guide |
//! |---|---|---|
//! | connect with a client id and secret from Perenso Show Support | [`Perenso::builder`], [`Perenso::from_env`] | [authentication](guide::authentication) |
//! | serve several shows from one process | [`Shows`] | [authentication](guide::authentication#storing-the-secret) |
//! | read all customers, attendees or orders | [`List`], from [`Customers::list`], [`Attendees::list`], [`Orders::list`] | [lists and bulk](guide::lists_and_bulk) |
//! | write one customer | [`Customers::create`], [`update`](Customers::update), [`delete`](Customers::delete) | [lists and bulk](guide::lists_and_bulk#writing-one-record) |
//! | write thousands of customers, with an outcome for each | [`Customers::upsert`], [`Vendors::upsert`] | [lists and bulk](guide::lists_and_bulk#bulk-upserts) |
//! | associate products with booths | [`BoothProducts`] | |
//! | use resources without a type: warehouses, sales reps … | [`Perenso::resource`], [`Perenso::request`] | [lists and bulk](guide::lists_and_bulk#other-resources) |
//! | see the status and headers of a response | [`Perenso::api`], a builder for each [operation](generated) | |
//! | run a custom export and write it to a file | [`exports`] | [exports](guide::exports) |
//! | handle errors | [`Error`] | [retries](guide::retries#errors) |
//! | configure retries, timeouts and the rate limit | [`RetryPolicy`], [`Timeouts`], [`CallOptions`] | [retries](guide::retries) |
//! | use the bearer token elsewhere | [`Perenso::token`] | [authentication](guide::authentication#the-bearer-token) |
//! | test without a live show | `perenso-sandbox`, [`mock`] | [testing](guide::testing) |
//! | migrate from a client of your own on reqwest | | [migrating](guide::migrating) |
//!
//! The search of this page (press `S`) finds the vendor's names too: `Bulk create and update customers`, `POST /Customer`,
//! `zipCode`.
//!
//! # Features
//!
//! | feature | adds |
//! |---|---|
//! | `rustls` (default) | TLS by rustls, with ring and the platform's certificates |
//! | `native-tls` | TLS by the platform; needs `default-features = false` |
//! | `mock` | [typed expectations](mock) for `httpmock` |
//! | `files` (default) | [exports into CSV and JSON lines](exports::files), and [saving a catalog](exports::SavedCatalog::save) |
//! | `parquet` | [exports into Parquet files](exports::files) |
//! | `xlsx` | [exports into Excel workbooks](exports::files) |
//! | `registry` | [`Shows`]: several shows from one TOML file |
//! | `redis` | tokens and rate budgets shared through Redis: [`RedisStore`](auth::store::RedisStore), [`SharedBudget`](auth::SharedBudget) |
//! | `test-util` | [`ManualClock`](auth::clock::ManualClock), a clock that a test advances, for [`Builder::clock`] |
//!
//! # Related crates
//!
//! | crate | contents |
//! |---|---|
//! | [`perenso-auth`](auth) | the token layer, also for four other systems |
//! | [`perenso-sandbox`](https://docs.rs/perenso-sandbox) | a server that simulates a show, for tests in Rust and for any HTTP client |
//! | [`perenso-codegen`](https://docs.rs/perenso-codegen) | a generator of Rust types from a saved catalog of exports, for build scripts |

#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]
// What serves methods alone that a replaced document does not fit. See `openapi/README.md`.
#![cfg_attr(partial_facade, allow(dead_code, unreachable_pub, unused_imports, rustdoc::broken_intra_doc_links))]
// The documentation is built with all features, and links to items of each.
#![cfg_attr(not(docsrs), allow(rustdoc::broken_intra_doc_links))]

mod builder;
mod bulk;
mod client;
mod environment;
mod error;
#[cfg_attr(partial_facade, cfg(facade = "exports()"))]
pub mod exports;
pub mod generated;
pub mod guide;
mod lists;
#[cfg(feature = "mock")]
pub mod mock;
mod paging;
mod records;
mod resources;
pub mod runtime;
#[cfg(feature = "registry")]
mod shows;

pub use builder::Builder;
pub use bulk::{BulkProgress, BulkReport, BulkWrite, Counts, Reason, RecordOutcome, SucceededCount, UnmatchedFailure};
pub use client::Perenso;
pub use error::{Error, ErrorKind};
#[cfg_attr(partial_facade, cfg(facade = "exports()"))]
pub use exports::Exports;
pub use generated::types;
pub use lists::{ChangedRecords, Changes, Direction, List, Page, Position, Records, Watermark};
/// The token layer: authorised calls, profiles of vendors, token stores, rate budgets and clocks.
#[doc(inline)]
pub use perenso_auth as auth;
#[doc(inline)]
pub use perenso_auth::{
    AccessToken, CallOptions, ClientAuth, ErrorKind as CallErrorKind, FieldProblem, Idempotency, ProblemDetails, Rate,
    RequestBuilder, Response, RetryPolicy, Secret, Timeouts, TokenPolicy,
};
pub use records::{Decimal, Field, Id, InvalidDecimal, InvalidId, JsonRecord, Messages, Reveal, Timestamp};
#[cfg_attr(partial_facade, cfg(facade = "OrderingGroup::from_nested()"))]
pub use records::{OrderingGroupError, OrderingGroupReason};
pub use resources::{Attendees, BoothProducts, Customers, OrderHistory, Orders, Resource, Vendors};
#[doc(no_inline)]
pub use rust_decimal;
#[doc(no_inline)]
pub use schemars;
#[cfg(feature = "registry")]
pub use shows::Shows;

/// Runs the examples of the README as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
