//! Lists all customers one by one, across all pages: `cargo run --example customers`.
//!
//! It only reads. `PERENSO_CLIENT_ID` and `PERENSO_CLIENT_SECRET` make it talk to a real show.
#![allow(clippy::print_stdout)]

use futures_util::TryStreamExt;
use perenso::{Direction, Perenso, Position};

#[path = "show/environment.rs"]
mod environment;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (show, _sandbox) = environment::show().await?;

    // The stream fetches a page once the records of the previous one are read. A page can be shorter than requested.
    let mut customers = show.customers().list().sort("customerID", Direction::Ascending).page_size(20).stream();
    let (mut count, mut kept) = (0, Position::default());
    while let Some(customer) = customers.try_next().await? {
        count += 1;
        if count <= 3 {
            let (id, name) = (customer.customer_id.as_deref(), customer.customer_name.as_deref());
            println!("  {:8} {}", id.unwrap_or("-"), name.unwrap_or("-"));
        }
        if count == 30 {
            kept = customers.position();
        }
    }
    println!("{count} customers.");

    println!("A job that failed after record 30 resumes with the next: {} are left.", rest(&show, kept).await?);
    Ok(())
}

async fn rest(show: &Perenso, from: Position) -> Result<usize, perenso::Error> {
    let list = show.customers().list().sort("customerID", Direction::Ascending).start_at(from);
    list.stream().try_fold(0, |count, _| async move { Ok(count + 1) }).await
}
