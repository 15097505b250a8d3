//! Shows the main features of the SDK, against a sandbox inside this process: `cargo run --example quickstart`.
#![allow(clippy::print_stdout)]

use std::time::Duration;

use perenso::{Direction, Perenso, Reveal, types::Customer};
use perenso_sandbox::Sandbox;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::builder().token_lifetime(Duration::from_secs(2)).start().await?;
    let show = Perenso::from_vars(sandbox.vars())?;
    println!("A sandbox stands in for the show, at {}.", sandbox.url());

    let record = Customer { customer_id: "QS-1".into(), customer_name: "Quick Start".into(), ..Customer::default() };
    let created = show.customers().create(&record).await?;
    let id = created.id.as_deref().ok_or("the response has no id")?;
    println!("\nCreated {id}. `Debug` hides personal data: {created:?}");
    let change = Customer { city: "Example City".into(), ..Customer::default() };
    show.customers().update(id, &change).await?;
    println!("Updated, read and revealed: {}", Reveal(&show.customers().get(id).await?));
    show.customers().delete(id).await?;
    let gone = show.customers().get(id).await;
    println!("Deleted: {}", gone.is_err_and(|error| error.is_not_found()));

    println!("\nTokens live two seconds here. Sleeping three ...");
    tokio::time::sleep(Duration::from_secs(3)).await;
    let customers = show.customers().list().sort("customerID", Direction::Ascending).page_size(3).page(1).await?;
    for customer in &customers.items {
        let name = customer.customer_name.as_deref().unwrap_or("-");
        println!("  {:8} {name}", customer.customer_id.as_deref().unwrap_or("-"));
    }
    println!("Token requests so far: {}.", sandbox.token_requests().total());

    println!("\nThe exports of the show:\n{}", show.exports().catalog().await?);
    println!("Get API Customers, page by page:");
    for page in 1.. {
        let run = show.exports().run("Get API Customers").value("Cursor", page).value("Limit", 15);
        let rows = run.send().await?.rows::<serde_json::Value>()?;
        println!("  page {page}: {} rows", rows.len());
        if rows.is_empty() {
            break;
        }
    }

    println!("\nAn invalid value is found before the request is sent:");
    let wrong = show.exports().run("Get API Customers").value("Cursor", 1).value("Limit", "15").send().await;
    println!("  {}", wrong.err().ok_or("the invalid value was accepted")?);
    Ok(())
}
