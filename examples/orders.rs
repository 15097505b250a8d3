//! Lists orders by customer, type and date of delivery: `cargo run --example orders`.
//!
//! It only reads. `PERENSO_CLIENT_ID` and `PERENSO_CLIENT_SECRET` make it talk to a real show; the first argument is a
//! `customerID`. The default is that of the first order.
#![allow(clippy::print_stdout)]

use futures_util::TryStreamExt;
use perenso::Perenso;

#[path = "show/environment.rs"]
mod environment;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (show, _sandbox) = environment::show().await?;
    let orders = show.orders().list().send().await?;
    println!("{} orders at the show.", orders.len());

    let lines = orders.first().map(|order| order.items.as_slice()).unwrap_or_default();
    let first = lines.first().and_then(|line| line.customer.get()?.id.get().cloned());
    let Some(customer) = std::env::args().nth(1).or(first) else { return Ok(()) };
    print_lines(&show, &customer).await?;

    // The vendor's sample has the type `REGULAR`. Other values are not documented.
    let regular = show.orders().list().order_type("REGULAR").delivery_date("2025-01-01").delivery_until("2026-12-31");
    println!("{} of them are regular ones to be delivered in 2025 or 2026.", regular.send().await?.len());
    Ok(())
}

/// Prints the lines of all orders of a customer.
async fn print_lines(show: &Perenso, customer: &str) -> Result<(), perenso::Error> {
    let mut orders = show.orders().list().customer(customer).stream();
    let mut count = 0;
    while let Some(order) = orders.try_next().await? {
        count += 1;
        for line in order.items.as_slice() {
            let product = line.product.get().and_then(|product| product.id.as_deref()).unwrap_or("-");
            // Amounts are decimal, exact to the cent.
            let price = line.base_price.get().map_or("-".to_owned(), ToString::to_string);
            println!(
                "  {product:12} {:>5} at {price}",
                line.quantity.get().map_or("-".to_owned(), ToString::to_string)
            );
        }
    }
    println!("{count} of them are of customer {customer}.");
    Ok(())
}
