//! Sets the rate budget, retries and deadlines, for all calls or for some: `cargo run --example rate`.
//!
//! A sandbox inside this process stands in for the show, and accepts ten calls in two seconds.
#![allow(clippy::print_stdout)]

use std::time::{Duration, Instant};

use perenso::{CallOptions, Perenso, Rate, RetryPolicy, Timeouts};
use perenso_sandbox::{Fault, Sandbox};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::builder().rate(10, Duration::from_secs(2)).start().await?;
    let show = Perenso::builder_from_vars(sandbox.vars())?
        // Two at once and six more in two seconds, which is below the limit of the server. The default is 250 a minute.
        .rate(Rate::new(6, Duration::from_secs(2), 2))
        .retry(RetryPolicy::default().attempts(3).backoff(Duration::from_millis(50), Duration::from_secs(1)))
        .timeouts(Timeouts::default().attempt(Duration::from_secs(10)))
        .build()?;

    let start = Instant::now();
    for _ in 0..8 {
        show.attendees().list().send().await?;
    }
    let refused = sandbox.journal().iter().filter(|request| request.status == Some(429)).count();
    println!("Eight calls took {:.1} s, and {refused} were refused.", start.elapsed().as_secs_f64());

    sandbox.fault(Fault::status(503));
    show.attendees().list().send().await?;
    println!("A call that failed was retried.");

    // The same client with a short deadline, for a user who waits: a response or an error must arrive soon.
    let hasty = show.with_options(CallOptions::new().deadline(Duration::from_millis(300)).retry(RetryPolicy::never()));
    sandbox.fault(Fault::Delay(Duration::from_secs(2)));
    match hasty.attendees().list().send().await {
        Ok(_) => println!("The response arrived in time."),
        Err(error) => println!("With a short deadline: {error} (a timeout: {})", error.is_timeout()),
    }
    Ok(())
}
