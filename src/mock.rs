//! Typed expectations for [`httpmock`], one for every operation.
//!
//! A mock answers what a test tells it to, in the types of the SDK:
//!
//! ```
//! use httpmock::MockServer;
//! use perenso::{mock::MockServerExt, types::Customer};
//!
//! let server = MockServer::start();
//! let mock = server.customer_get(|when, then| {
//!     when.id("a1b2c3");
//!     then.ok(&Customer { customer_name: "Example Stores".into(), ..Customer::default() });
//! });
//! # let _ = mock;
//! // Point the SDK at `server.base_url()`, call, and then: `mock.assert()`.
//! ```
//!
//! What it does not do:
//! - It keeps no state: an answer is the same whatever came before. Tokens, budgets, paging and errors in between want
//!   the sandbox (`perenso-sandbox`), which behaves like the service.
//! - Paths are those of the document, from the root: a base path before them never matches.
//! - What the document does not describe needs `into_inner()`, which gives `httpmock`'s own `When` or `Then`: headers of
//!   an answer, statuses that are not listed, a body that is not JSON.
//! - The answer of an export is JSON here.
//! - `export_run` matches a run whatever its body; `export_run_with` wants the values it is given.
//! - `MockServer::start_async` is not known to be `Send`: start the server outside of `tokio::spawn`.

include!(concat!(env!("OUT_DIR"), "/mock.rs"));
