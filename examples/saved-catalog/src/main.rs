//! Exports as Rust types, from a saved catalog: `cargo run -p saved-catalog`.
//!
//! 1. `exports.json` is the catalog that this program is built upon. It is under version control.
//! 2. `build.rs` makes a struct of each export in it.
//! 3. When the vendor changes an export, the comparison below says so. `cargo run -p saved-catalog -- save` saves the
//!    catalog again, and the next build fails wherever the code does not fit the new one: a parameter that is gone, that is
//!    new, or that has another type.
//!
//! A sandbox inside this process stands in for the show.
#![allow(clippy::print_stdout)]

use std::error::Error;

use futures_util::TryStreamExt;
use perenso::{Perenso, exports::SavedCatalog};
use perenso_sandbox::{DataType, Export, Sandbox};
use serde::Deserialize;

/// What `build.rs` has written: `Vendors`, `GetApiCustomers`, `GetAvailableBoothsForLogin`.
mod exports {
    include!(concat!(env!("OUT_DIR"), "/exports.rs"));
}

use exports::GetApiCustomers;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/exports.json");
/// In the program itself, so that it runs without the file.
const SAVED: &str = include_str!("../exports.json");

/// A row. The catalog says nothing about rows, so this struct is written by hand.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Customer {
    customer_name: String,
    city: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::start().await?;
    let show = client(&sandbox)?;
    if std::env::args().nth(1).as_deref() == Some("save") {
        let live = show.exports().refresh().await?;
        SavedCatalog::save(&live, FILE)?;
        println!("Saved: {FILE}");
        return Ok(());
    }
    println!("The catalog of the show against the saved one: {}", drift(&show).await?);

    println!("\nThe first customers, by a struct that the compiler has checked:");
    // Leave out `limit`, or write "5": it does not compile.
    let page = GetApiCustomers { cursor: 1, limit: 5 };
    let mut customers = show.exports().run_export(&page).rows::<Customer>().await?;
    while let Some(Customer { customer_name, city }) = customers.try_next().await? {
        println!("  {customer_name}, {city}");
    }

    println!("\nThe vendor changes an export and adds another. The comparison says what it means for this program:");
    sandbox.set_exports(|exports| {
        exports[1].parameters[1].data_type = DataType::Text;
        exports.push(Export::new("b4dg3s", "Badge Scans"));
    });
    println!("{}", drift(&show).await?);

    println!("\nUntil it is built again, nothing wrong is sent:");
    match show.exports().run_export(&page).send().await {
        Ok(_) => println!("  it was"),
        Err(error) => println!("  {error}"),
    }
    Ok(())
}

fn client(sandbox: &Sandbox) -> Result<Perenso, perenso::Error> {
    Perenso::from_vars(sandbox.vars())
}

/// What changed in the catalog of the show since it was saved. A nightly job could end with an error where it
/// [breaks](perenso::exports::Drift::breaks).
async fn drift(show: &Perenso) -> Result<perenso::exports::Drift, perenso::Error> {
    let live = show.exports().refresh().await?;
    Ok(SavedCatalog::from_json(SAVED)?.compare(&live))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_saved_catalog_is_that_of_the_sandbox_to_the_letter() {
        let sandbox = Sandbox::start().await.unwrap();
        let show = client(&sandbox).unwrap();
        assert!(drift(&show).await.unwrap().is_empty());
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("exports.json");
        let live = show.exports().refresh().await.unwrap();
        SavedCatalog::save(&live, &file).unwrap();
        assert_eq!(std::fs::read_to_string(file).unwrap(), SAVED);
    }
}
