//! Authorised HTTP calls: OAuth 2.0 tokens that renew themselves, a rate budget, retries and deadlines, in one pipeline.
//!
//! It is the token layer of the SDK `perenso`, and knows nothing of its resources.
//!
//! ```no_run
//! use std::time::Duration;
//! use perenso_auth::{Client, Credentials, Profile};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::builder(Profile::perenso())
//!     .credentials(Credentials::new("SHOWID", std::fs::read_to_string("/run/secrets/perenso")?.trim()))
//!     .build()?;
//!
//! let customers: serde_json::Value = client.get("/Customer").query("page", 1).send_json().await?;
//! let bearer = client.token(Duration::from_secs(60)).await?;
//! # Ok(()) }
//! ```
//!
//! # What do you want to do?
//!
//! | you want to | start at |
//! |---|---|
//! | make calls | [`Client::get`] and its kin, [`RequestBuilder`], [`Response`] |
//! | send requests that something else has built | [`Client::execute`], with a [`Call`] that says what may be repeated |
//! | use the bearer elsewhere | [`Client::token`], [`Client::token_in_hand`] |
//! | know what failed | [`Error`], [`ErrorKind`] |
//! | take secrets from a vault | [`CredentialsProvider`] |
//! | send a person to where a code is given | [`AuthorizationRequest`] |
//! | share tokens between processes and machines | [`store`] |
//! | share one rate between machines | [`SharedBudget`] |
//! | read several shows from one file | [`Registry`] |
//! | set deadlines, retries, the rate | [`Timeouts`], [`RetryPolicy`], [`TokenPolicy`], [`Rate`], [`CallOptions`] |
//! | have time in hand in tests | [`clock::ManualClock`] |
//! | add a system of your own | [`Profile::new`]: data, no code |
//!
//! # Five systems
//!
//! A [`Profile`] says how a system wants it. What the credentials hold decides the [`Grant`].
//!
//! | profile | grants | where id and secret go |
//! |---|---|---|
//! | [`Profile::perenso`] | client credentials | in the body, or a Basic header |
//! | [`Profile::priava`] | a code that is copied by hand | in the body |
//! | [`Profile::perspio`] | client credentials; a code, with a person | in the body |
//! | [`Profile::event_bookings`] | client credentials | in a JSON body |
//! | [`Profile::tourpaq`] | password | in a Basic header |
//!
//! A refresh token that comes along is used from then on. A grant that needs a person wants a [`store`] that outlives the
//! process, or [`ClientBuilder::memory_only`]: without either, its client is not built.
//!
//! # What it promises
//!
//! - One token exchange in flight, and one success per renewal period, whatever the number of callers.
//! - Nothing runs while nobody calls: renewal happens on use, ahead of the token's end, while everybody goes on with the token
//!   in hand. A hit takes no lock and no allocation.
//! - No request leaves with an expired token. A token that is still good is served while its renewal fails.
//! - After a 401 one renewal per token and one replay per request.
//! - A refresh token is never lost. A refused one leads to the original grant.
//! - The refusal of a grant is an answer, remembered for ten seconds and not retried. Faults are retried, within a budget.
//! - No secret, token or body stands in a `Debug`, a `Display`, a log line or an error. Secrets go to https, to this machine,
//!   or to a host that was named; no redirect is followed.
//!
//! # Logs
//!
//! `RUST_LOG=perenso_auth=info` shows retries, token requests and faults of a store. Targets: `perenso_auth::call` (and the span
//! `api_call`, with the field names of OpenTelemetry's HTTP conventions), `perenso_auth::token` (and the span `token_renewal`),
//! `perenso_auth::store` and `perenso_auth::rate`.
//!
//! # Features
//!
//! | feature | what it brings |
//! |---|---|
//! | `rustls` (default) | TLS by rustls, with ring |
//! | `native-tls` | TLS by the platform |
//! | `redis` | [`store::RedisStore`], [`SharedBudget`] |
//! | `registry` | [`Registry`] |
//! | `test-util` | [`clock::ManualClock`], which moves when told |

#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]
// Links lead to items of all features, which the documentation is built with.
#![cfg_attr(not(docsrs), allow(rustdoc::broken_intra_doc_links))]

pub mod clock;
#[doc(hidden)]
pub mod copied;
#[doc(hidden)]
pub mod debug;
mod error;
mod oauth;
mod per_runtime;
mod pipeline;
mod policy;
mod profile;
#[cfg(feature = "registry")]
mod registry;
#[cfg(feature = "redis")]
mod seal;
mod secret;
pub mod store;
mod wire;

pub use error::BuildError;
pub use oauth::{
    authorization::{AuthorizationRequest, CallbackError},
    credentials::{AuthorizationCode, Credentials, CredentialsProvider},
    token::AccessToken,
};
#[cfg(feature = "redis")]
pub use pipeline::shared_budget::{BudgetKey, SharedBudget};
pub use pipeline::{
    CallOptions, Idempotency, Timeouts,
    builder::ClientBuilder,
    client::Client,
    context::Call,
    error::{Error, ErrorKind, TokenError},
    problem_details::{FieldProblem, ProblemDetails},
    request::RequestBuilder,
    response::Response,
};
pub use policy::{RetryPolicy, TokenPolicy};
pub use profile::{
    Occasion, Profile, Rate, TenantRegion, UnknownRegion,
    grant::{BodyEncoding, ClientAuth, Grant},
};
#[cfg(feature = "registry")]
pub use registry::{Registry, RegistryBuilder, RegistryError};
pub use secret::Secret;
pub use store::identity::Identity;
#[doc(hidden)]
pub use wire::decode;

/// The examples of the README are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
