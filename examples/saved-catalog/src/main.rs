//! Runs exports through Rust types generated from a saved catalog: `cargo run -p saved-catalog`.
//!
//! 1. `exports.json` is the saved catalog. It is under version control.
//! 2. `build.rs` generates a struct for each export in it.
//! 3. The comparison below reports each export that the vendor has changed. `cargo run -p saved-catalog -- save` saves the
//!    catalog again. The next build then fails wherever the code does not fit it: a parameter was removed, was added, or has
//!    another type.
//!
//! A sandbox inside this process stands in for the show.
#![allow(clippy::print_stdout)]

use std::error::Error;

use futures_util::TryStreamExt;
use perenso::{Perenso, exports::SavedCatalog};
use perenso_sandbox::{DataType, Export, Sandbox};
use serde::Deserialize;

/// The structs that `build.rs` generates: `Vendors`, `GetApiCustomers`, `GetAvailableBoothsForLogin`.
mod exports {
    include!(concat!(env!("OUT_DIR"), "/exports.rs"));
}

use exports::GetApiCustomers;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/exports.json");
/// The saved catalog, included so that the program runs without the file.
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

    println!("\nThe first customers, with parameters that the compiler has checked:");
    // Does not compile without `limit`, or with "5".
    let page = GetApiCustomers { cursor: 1, limit: 5 };
    let mut customers = show.exports().run_export(&page).rows::<Customer>().await?;
    while let Some(Customer { customer_name, city }) = customers.try_next().await? {
        println!("  {customer_name}, {city}");
    }

    println!("\nThe vendor changes an export and adds another. The comparison lists the effects on this program:");
    sandbox.set_exports(|exports| {
        exports[1].parameters[1].data_type = DataType::Text;
        exports.push(Export::new("b4dg3s", "Badge Scans"));
    });
    println!("{}", drift(&show).await?);

    println!("\nUntil the program is built again, the changed export is refused before anything is sent:");
    match show.exports().run_export(&page).send().await {
        Ok(_) => println!("  it was sent"),
        Err(error) => println!("  {error}"),
    }
    Ok(())
}

fn client(sandbox: &Sandbox) -> Result<Perenso, perenso::Error> {
    Perenso::from_vars(sandbox.vars())
}

/// Returns the changes in the catalog of the show since it was saved. A nightly job could fail if one of them
/// [breaks](perenso::exports::Drift::breaks) the program.
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
