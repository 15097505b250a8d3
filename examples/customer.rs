//! Creates, updates, reads and deletes one customer: `cargo run --example customer`.
//!
//! `PERENSO_CLIENT_ID` and `PERENSO_CLIENT_SECRET` make it talk to a real show, where it **writes** a customer
//! `EXAMPLE-1` and deletes it.
#![allow(clippy::print_stdout)]

use perenso::{Field, Reveal, types::Customer};

#[path = "show/environment.rs"]
mod environment;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (show, _sandbox) = environment::show().await?;
    let customers = show.customers();

    let record = Customer {
        customer_id: "EXAMPLE-1".into(),
        customer_name: "Example Stores".into(),
        fax: "(555) 555-0123".into(),
        ..Customer::default()
    };
    // A create is not idempotent, so it is not retried when its response is lost. The error then says that the write may
    // have happened.
    let created = customers.create(&record).await?;
    // `id` identifies the record at the show; `customerID` identifies it in the ERP.
    let id = created.id.into_option().ok_or("the response has no id")?;
    println!("Created {id}.");

    // An update sets `city`, clears `fax` and leaves all other fields unchanged.
    let change = Customer { city: "Fargo".into(), fax: Field::Null, ..Customer::default() };
    customers.update(id.as_str(), &change).await?;

    let customer = customers.get(id.as_str()).await?;
    println!("Read it: {customer:?}");
    println!("Revealed: {}", Reveal(&customer));

    customers.delete(id.as_str()).await?;
    let gone = customers.get(id.as_str()).await;
    println!("Deleted it, and it is gone: {}", gone.is_err_and(|error| error.is_not_found()));
    Ok(())
}
