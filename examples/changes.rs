//! Reads the customers that changed since the last time: `cargo run --example changes`.
//!
//! It only reads. `PERENSO_CLIENT_ID` and `PERENSO_CLIENT_SECRET` make it talk to a real show; the first argument is the
//! time since when, `2025-01-05` without it.
#![allow(clippy::print_stdout)]

use futures_util::TryStreamExt;
use perenso::Time;

#[path = "show/environment.rs"]
mod environment;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (show, _sandbox) = environment::show().await?;
    let since = std::env::args().nth(1).unwrap_or_else(|| "2025-01-05".to_owned());

    // For the next run, the newest time that came is kept, and not that of this machine: the show has a clock and a zone
    // of its own. Whether that very moment is counted in is not documented, so a record may come twice.
    let mut newest: Option<Time> = None;
    let mut customers = show.customers().list().modified_after(since.as_str()).stream();
    let mut count = 0;
    while let Some(customer) = customers.try_next().await? {
        count += 1;
        let Some(changed) = customer.modified_date.get() else { continue };
        if newest.as_ref().and_then(Time::local) < changed.local() {
            newest = Some(changed.clone());
        }
    }
    println!("{count} customers changed since {since}.");
    if let Some(newest) = newest {
        println!("The next run asks for those since {}.", newest.as_str());
    }
    Ok(())
}
