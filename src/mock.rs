//! Typed expectations for [`httpmock`](https://docs.rs/httpmock), one for every operation, and a client of a mock server.
//!
//! A mock answers what a test tells it to, in the types of the SDK:
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
//!     then.ok(&Customer { customer_name: "Example Stores".into(), ..Customer::default() });
//! });
//!
//! let customer = server.show()?.customers().get("a1b2c3").await?;
//! assert_eq!(customer.customer_name.as_deref(), Some("Example Stores"));
//! mock.assert();
//! # Ok(()) }
//! ```
//!
//! [`MockShow::show`] is a client that has a token. Where tokens are the point, [`MockShow::token`] expects their
//! requests, and [`MockShow::builder`] is the client in the making:
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
//!     then.ok(&Token::new("t1").lifetime(Duration::from_secs(300)).refresh_token("r1"));
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
//! A list that is read as a stream asks for page after page. [`MockShow::pages`] answers them, and knows by the type of
//! the records which list is meant:
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
//! let attendees: Vec<_> = server.show()?.attendees().list().stream().try_collect().await?;
//! assert_eq!(attendees.len(), 3);
//! # Ok(()) }
//! ```
//!
//! What a mock does not do:
//! - It keeps no state: what was created is not found, what was deleted is. The first mock that fits answers, always the
//!   same; `then.into_inner().up_to_n_times(1)` makes room for the one behind it.
//! - It believes what it is told: an answer that the service would never give passes as well as any other.
//! - Paths are those of the document, from the root: a base path before them never matches.
//! - What the document does not describe needs `into_inner()`, which gives `httpmock`'s own `When` or `Then`: headers of
//!   an answer, statuses that are not listed, a body that is not JSON. What the vendor says in the body of a refusal is
//!   not known, so it is any JSON value here.
//! - The answer of an export is JSON here, and [`export_run`](MockServerExt::export_run) matches a run whatever its body:
//!   [`export_run_with`](MockServerExt::export_run_with) wants the values it is given. The SDK reads the catalog before
//!   it runs an export, so [`export_list`](MockServerExt::export_list) must be answered too.
//! - Nothing breaks on its way: no lost answer, no cut body, no reset.
//! - `MockServer::start_async` is not known to be `Send`: start the server outside of `tokio::spawn`.
//!
//! For all of these there is the sandbox (`perenso-sandbox`), which behaves like the service, keeps what it is sent, and
//! fails on order.

mod show;
mod token;

use std::time::Duration;

pub use self::{
    show::{Listed, MockShow},
    token::{Token, TokenThen, TokenWhen},
};

fn too_many_requests(then: httpmock::Then, retry_after: Duration) -> httpmock::Then {
    let seconds = retry_after.as_secs() + u64::from(retry_after.subsec_nanos() > 0);
    then.status(429).header("retry-after", seconds.to_string())
}

include!(concat!(env!("OUT_DIR"), "/mock.rs"));
