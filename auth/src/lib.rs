#![doc = include_str!("../README.md")]
#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]
// Links lead to items of all features, which the documentation is built with.
#![cfg_attr(not(docsrs), allow(rustdoc::broken_intra_doc_links))]

mod answer;
mod authorization;
mod body;
mod budget;
mod builder;
mod cache;
mod call;
mod client;
pub mod clock;
mod credentials;
#[doc(hidden)]
pub mod decode;
mod error;
mod exchange;
mod fault;
mod grant;
mod identity;
mod memory;
mod outcome;
mod policy;
mod profile;
#[cfg(feature = "registry")]
mod registry;
mod renewal;
mod request;
mod response;
mod retry_after;
#[cfg(test)]
mod schedules;
#[cfg(feature = "redis")]
mod seal;
mod secret;
#[cfg(feature = "redis")]
mod shared_budget;
pub mod store;
mod supply;
mod sync;
mod tls;
mod token;
mod transport;

pub use authorization::{AuthorizationRequest, CallbackError};
pub use builder::ClientBuilder;
pub use call::Call;
pub use client::Client;
pub use credentials::{AuthorizationCode, Credentials, CredentialsProvider};
pub use error::{BuildError, Error, ErrorKind, TokenError};
pub use grant::{BodyEncoding, ClientAuth, Grant};
pub use identity::Identity;
pub use policy::{CallOptions, Repeat, RetryPolicy, Timeouts, TokenPolicy};
pub use profile::{Occasion, Profile, Rate, TenantRegion, UnknownRegion};
#[cfg(feature = "registry")]
pub use registry::{Registry, RegistryError};
pub use request::RequestBuilder;
pub use response::Response;
pub use secret::Secret;
#[cfg(feature = "redis")]
pub use shared_budget::{BudgetKey, SharedBudget};
pub use token::AccessToken;
