//! Tests a function against a typed mock: `cargo run --features mock --example mock`.
//!
//! In a project of your own this is a `#[tokio::test]`; the guide "Testing your integration" contains it as such.
#![allow(clippy::print_stdout)]

use std::time::Duration;

use httpmock::MockServer;
use perenso::{
    Error, Perenso,
    mock::{MockServerExt, MockShow},
    types::Customer,
};

/// Returns the name for a badge, or `None` if the customer is unknown. This is the function under test.
async fn badge(show: &Perenso, id: &str) -> Result<Option<String>, Error> {
    match show.customers().get(id).await {
        Ok(customer) => Ok(customer.customer_name.get().map(|name| name.to_uppercase())),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let server = MockServer::start_async().await;
    let known = server.customer_get(|when, then| {
        when.id("a1");
        then.ok(&Customer { customer_name: "Example Stores".into(), ..Customer::default() });
    });
    server.customer_get(|when, then| {
        when.id("gone");
        then.not_found(&serde_json::json!({}));
    });
    server.customer_get(|when, then| {
        when.id("late");
        then.too_many_requests(Duration::from_secs(30));
    });
    let show = server.show()?;

    assert_eq!(badge(&show, "a1").await?.as_deref(), Some("EXAMPLE STORES"));
    known.assert();
    assert_eq!(badge(&show, "gone").await?, None);
    let error = badge(&show, "late").await.err();
    assert!(error.is_some_and(|error| error.is_transient() && error.retry_after() == Some(Duration::from_secs(30))));
    println!("An existing customer, a missing one and a 429: as expected.");
    Ok(())
}
