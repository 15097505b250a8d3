//! Tests against a sandbox what happens when a show fails: `cargo run --example faults`.
//!
//! In a project of your own this is a `#[tokio::test]`; the guide "Testing your integration" has it as one.
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
        ("a connection that breaks before anything happened", Fault::DropConnection),
        ("an answer that is lost, and all is written", Fault::DropResponse),
        ("an answer that breaks off", Fault::CutBody),
    ];
    for ((what, fault), number) in faults.into_iter().zip(1..) {
        sandbox.clear_journal();
        sandbox.fault(fault);
        let customer = |id: &str| CustomerV2 { customer_id: format!("E{number}{id}").into(), ..CustomerV2::default() };
        let report = show.customers().upsert([customer("A"), customer("B")]).send().await?;

        // What the client says, what the show holds, and what went over the wire.
        assert!(report.all_succeeded(), "{what}");
        assert_eq!(sandbox.customers().len(), 2 * number, "{what}: nothing lost, nothing doubled");
        let calls = sandbox.journal().iter().filter(|request| request.path == "/v2/customers/bulk").count();
        println!("{what}: {calls} calls, and two customers more");
    }
    Ok(())
}
