//! Authorised HTTP calls: renewed OAuth 2.0 tokens, a rate budget, retries and deadlines in one pipeline.
//!
//! The token layer of the SDK `perenso`. It knows nothing of the SDK's resources.
//!
//! ```no_run
//! use std::time::Duration;
//! use perenso_auth::{Client, Credentials, Profile};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let secret = std::fs::read_to_string("/run/secrets/perenso")?;
//! let client = Client::builder(Profile::perenso())
//!     .credentials(Credentials::new("SHOWID", secret.trim()))
//!     .build()?;
//!
//! let customers: serde_json::Value =
//!     client.get("/Customer").query("page", 1).send_json().await?;
//! let bearer = client.token(Duration::from_secs(60)).await?;
//! # Ok(()) }
//! ```
//!
//! # Where to start
//!
//! | you want to | start at |
//! |---|---|
//! | make calls | [`Client::get`] and the other methods, [`RequestBuilder`], [`Response`] |
//! | send a request built elsewhere | [`Client::execute`], with a [`Call`] that names its [`Idempotency`] |
//! | use the bearer token elsewhere | [`Client::token`], [`Client::token_in_hand`] |
//! | handle errors | [`Error`], [`ErrorKind`] |
//! | read secrets from a vault | [`CredentialsProvider`] |
//! | ask a person for an authorization code | [`AuthorizationRequest`] |
//! | share tokens between processes and machines | [`store`] |
//! | share one rate limit between machines | [`SharedBudget`] |
//! | configure several clients in one file | [`Registry`] |
//! | set timeouts, retries and the rate limit | [`Timeouts`], [`RetryPolicy`], [`TokenPolicy`], [`Rate`], [`CallOptions`] |
//! | control the clock in tests | [`clock::ManualClock`] |
//! | add another system | [`Profile::new`]: data, no code |
//!
//! # Five systems
//!
//! A [`Profile`] describes one system. The [`Credentials`] decide the [`Grant`].
//!
//! | profile | grants | client id and secret |
//! |---|---|---|
//! | [`Profile::perenso`] | client credentials | in the body, or a Basic header |
//! | [`Profile::priava`] | authorization code, copied by hand | in the body |
//! | [`Profile::perspio`] | client credentials; authorization code | in the body |
//! | [`Profile::event_bookings`] | client credentials | in a JSON body |
//! | [`Profile::tourpaq`] | password | in a Basic header |
//!
//! A refresh token in a token response is used for later renewals. A grant that needs a person requires a [`store`] that
//! outlives the process, or [`ClientBuilder::memory_only`]: without either, [`ClientBuilder::build`] fails.
//!
//! # Guarantees
//!
//! - One token exchange in flight, and one success per renewal period, whatever the number of callers.
//! - Nothing runs in the background. A call renews the token before it expires, while other calls use the current one. A
//!   cache hit takes no lock and allocates nothing.
//! - No request is sent with an expired token. A valid token is used while its renewal fails.
//! - A 401 causes at most one renewal per token and one replay per request.
//! - A refresh token is never lost. A refused one leads to the original grant.
//! - A refused grant is not retried, and is remembered for ten seconds. Other failures are retried within the policy.
//! - No `Debug`, `Display`, log line or error shows a secret, a token or a body. Secrets are sent over https, to this
//!   machine, or to a host that was allowed by name. No redirect is followed.
//!
//! # Logs
//!
//! `RUST_LOG=perenso_auth=info` shows retries, token requests and failures of a store. Targets: `perenso_auth::call` (and the span
//! `api_call`, with the field names of OpenTelemetry's HTTP conventions), `perenso_auth::token` (and the span `token_renewal`),
//! `perenso_auth::store` and `perenso_auth::rate`.
//!
//! # Features
//!
//! | feature | adds |
//! |---|---|
//! | `rustls` (default) | TLS by rustls, with ring |
//! | `native-tls` | TLS by the platform |
//! | `redis` | [`store::RedisStore`], [`SharedBudget`] |
//! | `registry` | [`Registry`] |
//! | `test-util` | [`clock::ManualClock`], which a test advances |

#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]
// Links point to items of all features; the documentation is built with all of them.
#![cfg_attr(not(docsrs), allow(rustdoc::broken_intra_doc_links))]

#[cfg(feature = "redis")]
mod cipher;
pub mod clock;
#[doc(hidden)]
pub mod debug;
mod error;
mod oauth;
#[doc(hidden)]
pub mod pasted_value;
mod per_runtime;
mod pipeline;
mod policy;
mod profile;
#[cfg(feature = "registry")]
mod registry;
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

/// Runs the examples of the README as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
