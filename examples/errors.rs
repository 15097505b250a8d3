//! Causes five errors and prints advice for each: `cargo run --example errors`.
//!
//! A sandbox inside this process stands in for the show, since a real show cannot be told to fail.
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
    explain("a create whose response is lost", show.customers().create(&Customer::default()).await);

    sandbox.fault(Fault::status(429).with_header("Retry-After", "30"));
    explain("too many requests", show.customers().list().send().await);

    sandbox.fault(Fault::page(200));
    explain("a login page in place of JSON", show.customers().list().send().await);
    Ok(())
}

fn explain<T>(what: &str, result: Result<T, Error>) {
    let Err(error) = result else { return println!("{what}: no error") };
    let advice = match error.kind() {
        ErrorKind::Call(CallErrorKind::Refused) => "correct the credentials",
        _ if error.is_not_found() => "there is no such record: continue without it",
        _ if error.may_have_written() => "check whether the record was written before you retry",
        _ if error.is_transient() => "try again later",
        _ => "investigate",
    };
    // The message of an error contains no secret, token or record. The body of the response is available separately.
    println!("{what}\n  error:  {error}\n  advice: {advice}");
    if let Some(wait) = error.retry_after() {
        println!("  the server asks to wait {} s", wait.as_secs());
    }
    if let Some(body) = error.body_text() {
        println!("  the server says: {}", body.trim());
    }
}
