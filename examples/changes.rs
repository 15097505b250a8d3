//! Reads the customers that changed since the last run: `cargo run --example changes`.
//!
//! It only reads. `PERENSO_CLIENT_ID` and `PERENSO_CLIENT_SECRET` make it talk to a real show. The first argument is the
//! watermark that the previous run printed, or a date. The default is `2025-01-05`.
#![allow(clippy::print_stdout)]

use perenso::Watermark;

#[path = "show/environment.rs"]
mod environment;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (show, _sandbox) = environment::show().await?;
    let since = match std::env::args().nth(1) {
        Some(stored) if stored.starts_with('{') => serde_json::from_str(&stored)?,
        Some(date) => Watermark::from(date),
        None => Watermark::from("2025-01-05"),
    };

    let changed = show.customers().changes(&since).send().await?;
    for customer in &changed.records {
        println!("{}", customer.customer_id.as_deref().unwrap_or("no customerID"));
    }
    println!("{} customers changed since {}.", changed.records.len(), since.modified_date());

    // There is a watermark only if the read is complete. Store it once the records are processed.
    println!("Watermark of the next run: {}", serde_json::to_string(&changed.watermark)?);
    Ok(())
}
