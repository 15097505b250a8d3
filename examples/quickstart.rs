//! What the SDK does, in one go: `cargo run --example quickstart`.
//!
//! Without `PERENSO_CLIENT_ID` it starts a sandbox inside itself. With one it talks to the service that the environment
//! names (see `Perenso::from_env`), and then it only reads.
#![allow(clippy::print_stdout)]

use std::time::Duration;

use perenso::{Direction, Error, Perenso, Reveal, types::Customer};
use perenso_sandbox::Sandbox;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    if std::env::var_os("PERENSO_CLIENT_ID").is_some() {
        println!("Talking to the service that the environment names. Nothing is written.");
        return read(&Perenso::from_env()?, 3).await;
    }
    let sandbox = Sandbox::builder().token_lifetime(Duration::from_secs(2)).start().await?;
    println!("No PERENSO_CLIENT_ID: a sandbox inside this process stands in for the show, at {}.", sandbox.url());
    let show = Perenso::builder().client_id(sandbox.client_id()).client_secret(sandbox.client_secret());
    let show = show.api_url(sandbox.url()).token_url(sandbox.token_url()).build()?;
    write(&show).await?;
    println!("\nTokens live two seconds here. Sleeping three ...");
    tokio::time::sleep(Duration::from_secs(3)).await;
    read(&show, i32::MAX).await?;
    println!("\nTokens asked for on the way: {}.", sandbox.token_requests().total());
    Ok(())
}

/// Lists customers and exports, runs one export page by page, and makes a mistake.
async fn read(show: &Perenso, pages: i32) -> Result<(), Box<dyn std::error::Error>> {
    let customers = show.customers().list().sort("customerID", Direction::Ascending).page_size(5).page(1).await?;
    println!("\nThe first customers:");
    for customer in &customers.items {
        println!(
            "  {:8} {}",
            customer.customer_id.as_deref().unwrap_or("-"),
            customer.customer_name.as_deref().unwrap_or("-")
        );
    }

    println!("\nThe exports of the show:\n{}", show.exports().catalog().await?);
    println!("Get API Customers, page by page:");
    for page in 1..=pages {
        let run = show.exports().run("Get API Customers").value("Cursor", page).value("Limit", 15);
        let rows = run.send().await?.rows::<serde_json::Value>()?;
        println!("  page {page}: {} rows", rows.len());
        if rows.is_empty() {
            break;
        }
    }

    println!("\nA mistake is caught before it is sent:");
    let wrong = show.exports().run("Get API Customers").value("Cursor", 1).value("Limit", "15").send().await;
    println!("  {}", wrong.err().map_or("it was not".to_owned(), |error| error.to_string()));
    Ok(())
}

/// Creates, updates, reads and deletes a customer.
async fn write(show: &Perenso) -> Result<(), Error> {
    let record = Customer { customer_id: "QS-1".into(), customer_name: "Quick Start".into(), ..Customer::default() };
    let created = show.customers().create(&record).await?;
    let id = created.id.as_deref().unwrap_or_default();
    println!("\nCreated {id}. Records hide what is personal: {created:?}");
    let change = Customer { city: "Example City".into(), ..Customer::default() };
    show.customers().update(id, &change).await?;
    println!("Updated, read and revealed: {}", Reveal(&show.customers().get(id).await?));
    show.customers().delete(id).await?;
    let gone = show.customers().get(id).await;
    println!("Deleted: {}", gone.is_err_and(|error| error.is_not_found()));
    Ok(())
}
