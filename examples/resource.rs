//! Calls endpoints that the SDK has no types for: `cargo run --example resource`.
//!
//! `PERENSO_CLIENT_ID` and `PERENSO_CLIENT_SECRET` make it talk to a real show, where it **writes** a warehouse `EXAMPLE`
//! and deletes it.
#![allow(clippy::print_stdout)]

use http::Method;
use perenso::generated::prelude::*;
use serde_json::{Value, json};

#[path = "show/environment.rs"]
mod environment;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (show, _sandbox) = environment::show().await?;

    // Every resource of the vendor has the same five calls: list, create, update, get, delete.
    let warehouses = show.resource::<Value>("/Warehouse")?;
    println!("{} warehouses.", warehouses.list().send().await?.len());
    let made = warehouses.create(&json!({ "warehouseID": "EXAMPLE" })).await?;
    let id = made["id"].as_str().ok_or("the response has no id")?;
    warehouses.update(id, &json!({ "warehouseID": "EXAMPLE", "description": "An example" })).await?;
    println!("Created and updated: {}", warehouses.get(id).await?);
    warehouses.delete(id).await?;

    // Sends a request to any path, with the same tokens, rate budget and retries.
    let page: Vec<Value> =
        show.request(Method::GET, "/attendee").query("page", 1).query("resultsPerPage", 1).send_json().await?;
    println!("A page of {}.", page.len());
    let response = show.request(Method::GET, "/Export").send().await?;
    println!("{} {:?} after {} attempt(s)", response.status(), response.content_type(), response.attempts());

    // The generated builders have every parameter of the document, and return status and headers.
    let response = show.api().customer_list().page(1).results_per_page(2).send().await?;
    println!("{} and {} customers", response.status(), response.into_inner().len());
    Ok(())
}
