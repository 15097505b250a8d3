//! Tests the behavior of the client when a show fails, against a sandbox: `cargo run --example faults`.
//!
//! In a project of your own this is a `#[tokio::test]`; the guide "Testing your integration" contains it as such.
#![allow(clippy::print_stdout)]

use std::time::Duration;

use perenso::{Perenso, RetryPolicy, types::CustomerV2};
use perenso_sandbox::{Fault, Sandbox};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::builder().customers(0).start().await?;
    let show = Perenso::builder_from_vars(sandbox.vars())?
        .retry(RetryPolicy::default().backoff(Duration::from_millis(1), Duration::from_millis(10)))
        .build()?;

    let faults = [
        ("a server that is overloaded", Fault::status(503)),
        ("a limit that is reached", Fault::status(429).with_header("Retry-After", "0")),
        ("a token that is refused", Fault::status(401)),
        ("a connection that breaks before the request arrives", Fault::DropConnection),
        ("a response that is lost after the write", Fault::DropResponse),
        ("a response that is cut off", Fault::CutBody),
    ];
    for ((what, fault), number) in faults.into_iter().zip(1..) {
        sandbox.clear_journal();
        sandbox.fault(fault);
        let customer = |id: &str| CustomerV2 { customer_id: format!("E{number}{id}").into(), ..CustomerV2::default() };
        let report = show.customers().upsert([customer("A"), customer("B")]).send().await?;

        // Checks the report, the records of the show and the number of requests.
        assert!(report.all_succeeded(), "{what}");
        assert_eq!(sandbox.customers().len(), 2 * number, "{what}: nothing lost, nothing doubled");
        let calls = sandbox.journal().iter().filter(|request| request.path == "/v2/customers/bulk").count();
        println!("{what}: {calls} calls, two more customers");
    }
    Ok(())
}
