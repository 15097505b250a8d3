//! Runs a custom export with parameters, and pages through a large one: `cargo run --example export`.
//!
//! It only reads. `PERENSO_CLIENT_ID` and `PERENSO_CLIENT_SECRET` make it talk to a real show, which must have the export
//! "Get API Customers" of the vendor's guide.
#![allow(clippy::print_stdout)]

use futures_util::TryStreamExt;
use perenso::exports::Paging;
use serde::Deserialize;

#[path = "show/environment.rs"]
mod environment;

/// A row. Fields that are not named here are ignored.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    customer_name: Option<String>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (show, _sandbox) = environment::show().await?;
    println!("The exports of the show:\n{}", show.exports().catalog().await?);

    // Values are checked against the catalog before anything is sent.
    let run = show.exports().run("Get API Customers").value("Cursor", 1).value("Limit", 3);
    for row in run.send().await?.rows::<Row>()? {
        println!("  {}", row.customer_name.as_deref().unwrap_or("-"));
    }
    let wrong = show.exports().run("Get API Customers").value("Cursor", 1).value("Limit", "3").send().await;
    println!("A mistake: {}", wrong.err().map_or("none".to_owned(), |error| error.to_string()));

    // Streams all pages and holds one row at a time. The next page is fetched while this one is read.
    let run = show.exports().run("Get API Customers");
    let mut rows = run.pages::<Row>(Paging::by_page().limit(20)).await?;
    let mut count = 0;
    while rows.try_next().await?.is_some() {
        count += 1;
    }
    println!("{count} rows in all. A job that failed would resume at {:?}.", rows.cursor());
    Ok(())
}
