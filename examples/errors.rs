//! Makes five things go wrong, and says of each what to do: `cargo run --example errors`.
//!
//! A sandbox inside this process stands in for the show, since nobody would order faults of a real one.
#![allow(clippy::print_stdout)]

use perenso::{CallErrorKind, Error, ErrorKind, Perenso, RetryPolicy, types::Customer};
use perenso_sandbox::{Fault, Sandbox};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start().await?;
    let builder = || Perenso::builder_from_vars(sandbox.vars());
    let show = builder()?.retry(RetryPolicy::never()).build()?;

    explain("a wrong secret", builder()?.client_secret("wrong").build()?.customers().get("a1").await);
    explain("a record that is not there", show.customers().get("a1").await);

    sandbox.fault(Fault::DropResponse);
    explain("a create whose answer is lost", show.customers().create(&Customer::default()).await);

    sandbox.fault(Fault::status(429).with_header("Retry-After", "30"));
    explain("too many requests", show.customers().list().send().await);

    sandbox.fault(Fault::page(200));
    explain("a login page in place of JSON", show.customers().list().send().await);
    Ok(())
}

fn explain<T>(what: &str, result: Result<T, Error>) {
    let Err(error) = result else { return println!("{what}: it went well") };
    let advice = match error.kind() {
        ErrorKind::Call(CallErrorKind::Refused) => "put the credentials right",
        _ if error.is_not_found() => "there is no such record: go on without it",
        _ if error.may_have_written() => "look whether it was written before it is repeated",
        _ if error.is_transient() => "try again later",
        _ => "somebody must look at it",
    };
    // No text of an error holds a secret, a token or a record. What the server said is there for whoever asks.
    println!("{what}\n  error:  {error}\n  advice: {advice}");
    if let Some(wait) = error.retry_after() {
        println!("  the server asks to wait {} s", wait.as_secs());
    }
    if let Some(body) = error.body_text() {
        println!("  the server says: {}", body.trim());
    }
}
