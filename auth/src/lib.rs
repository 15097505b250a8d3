#![doc = include_str!("../README.md")]

mod answer;
mod body;
mod budget;
mod builder;
mod cache;
mod call;
mod client;
pub mod clock;
#[doc(hidden)]
pub mod decode;
mod error;
mod exchange;
mod fault;
mod grant;
mod identity;
mod outcome;
mod policy;
mod profile;
mod renewal;
mod request;
mod response;
mod retry_after;
mod secret;
pub mod store;
mod tls;
mod token;
mod transport;

pub use builder::ClientBuilder;
pub use call::Call;
pub use client::Client;
pub use error::{BuildError, Error, ErrorKind};
pub use grant::{ClientAuth, Credentials, Grant};
pub use identity::Identity;
pub use policy::{CallOptions, Repeat, RetryPolicy, Timeouts, TokenPolicy};
pub use profile::{Profile, Rate};
pub use request::RequestBuilder;
pub use response::Response;
pub use secret::Secret;
pub use token::AccessToken;
