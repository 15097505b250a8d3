//! Typed expectations for [`httpmock`](https://docs.rs/httpmock), one for every operation, and clients of mock servers.
//!
//! A mock returns the responses that a test sets, in the types of the SDK:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), perenso::Error> {
//! use httpmock::MockServer;
//! use perenso::{
//!     mock::{MockServerExt, MockShow},
//!     types::Customer,
//! };
//!
//! let server = MockServer::start_async().await;
//! let mock = server.customer_get(|when, then| {
//!     when.id("a1b2c3");
//!     let customer_name = "Example Stores".into();
//!     then.ok(&Customer { customer_name, ..Customer::default() });
//! });
//!
//! let customer = server.show()?.customers().get("a1b2c3").await?;
//! assert_eq!(customer.customer_name.as_deref(), Some("Example Stores"));
//! mock.assert();
//! # Ok(()) }
//! ```
//!
//! [`MockShow::show`] returns a client with a token. To test tokens, [`MockShow::token`] expects token requests, and
//! [`MockShow::builder`] returns a builder of the client:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), perenso::Error> {
//! use std::time::Duration;
//!
//! use httpmock::MockServer;
//! use perenso::mock::{MockServerExt, MockShow, Token};
//!
//! let server = MockServer::start_async().await;
//! server.token(|when, then| {
//!     when.client_credentials().client_id("SPRING26");
//!     let token = Token::new("t1").lifetime(Duration::from_secs(300));
//!     then.ok(&token.refresh_token("r1"));
//! });
//! server.customer_list(|_, then| {
//!     then.too_many_requests(Duration::from_secs(30));
//! });
//!
//! let show = server.builder().client_id("SPRING26").build()?;
//! let error = show.customers().list().send().await.unwrap_err();
//! assert!(error.is_transient());
//! assert_eq!(error.retry_after(), Some(Duration::from_secs(30)));
//! # Ok(()) }
//! ```
//!
//! A stream of a list requests page after page. [`MockShow::pages`] responds to them; the type of the records selects the
//! list:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), perenso::Error> {
//! use futures_util::TryStreamExt;
//! use httpmock::MockServer;
//! use perenso::{mock::MockShow, types::Attendee};
//!
//! let server = MockServer::start_async().await;
//! let attendee = |id: &str| Attendee { id: id.into(), ..Attendee::default() };
//! server.pages([vec![attendee("a1"), attendee("a2")], vec![attendee("a3")]]);
//!
//! let show = server.show()?;
//! let attendees: Vec<_> = show.attendees().list().stream().try_collect().await?;
//! assert_eq!(attendees.len(), 3);
//! # Ok(()) }
//! ```
//!
//! Limits of mocks:
//! - There is no state: a created record is not found, and a deleted one is. The first matching mock responds, always in the
//!   same way. `then.into_inner().up_to_n_times(1)` lets the next mock respond afterwards.
//! - Responses are not validated: a mock may return one that the service would never send.
//! - Paths are those of the document, from the root. A base path never matches.
//! - Anything that the document does not describe needs `into_inner()`, which returns the `When` or `Then` of `httpmock`: response
//!   headers, undocumented statuses, bodies other than JSON. The vendor does not document the bodies of errors, so they are
//!   any JSON value here.
//! - The response of an export is JSON. [`export_run`](MockServerExt::export_run) matches a run with any body, and
//!   [`export_run_with`](MockServerExt::export_run_with) only one with the given values. The SDK reads the catalog before it runs
//!   an export, so [`export_list`](MockServerExt::export_list) needs a response too.
//! - There are no faults of the connection: no lost response, truncated body or reset.
//! - `MockServer::start_async` is not known to be `Send`: start the server outside of `tokio::spawn`.
//!
//! The sandbox (`perenso-sandbox`) has none of these limits: it behaves like the service, keeps state, and injects faults.

mod show;
mod token;

pub use self::{
    show::{Listed, MockShow},
    token::{Token, TokenThen, TokenWhen},
};

include!(concat!(env!("OUT_DIR"), "/mock.rs"));
