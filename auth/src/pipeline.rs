//! The pipeline that every call goes through: token, permit, request, response, retry.

pub(crate) mod api_headers;
pub(crate) mod budget;
pub(crate) mod builder;
pub(crate) mod client;
pub(crate) mod context;
pub(crate) mod error;
mod options;
mod outcome;
pub(crate) mod problem_details;
pub(crate) mod request;
pub(crate) mod response;
mod retry_loop;
#[cfg(feature = "redis")]
pub(crate) mod shared_budget;
mod spans;
mod stop;
mod unauthorized;

pub use self::options::{CallOptions, Idempotency, Timeouts};
