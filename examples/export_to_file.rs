//! Writes an export into a CSV file and one of JSON lines: `cargo run --example export_to_file [folder]`.
//!
//! It only reads. `PERENSO_CLIENT_ID` and `PERENSO_CLIENT_SECRET` make it talk to a real show, which must have the export
//! "Get API Customers" of the vendor's guide. The files are whole or not there.
#![allow(clippy::print_stdout)]

use std::path::PathBuf;

use perenso::{
    Error, Perenso,
    exports::{Pages, Paging, RawRow, file::ToFile},
};

#[path = "show/environment.rs"]
mod environment;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (show, _sandbox) = environment::show().await?;
    let scratch = tempfile::tempdir()?;
    let folder = std::env::args().nth(1).map_or_else(|| scratch.path().to_owned(), PathBuf::from);

    let written = ToFile::json_lines(folder.join("customers.jsonl")).write(rows(&show).await?).await?;
    println!("{} rows, {} bytes in {}", written.rows, written.bytes, written.path.display());

    // The first run finds out what the columns are and saves that beside the file. From then on it is a contract: rows
    // that do not fit are an error, and the file of the last run stays.
    let to = ToFile::csv(folder.join("customers.csv")).schema_file(folder.join("customers.schema.json"));
    let written = to.write(rows(&show).await?).await?;
    println!("{} rows, {} bytes in {}", written.rows, written.bytes, written.path.display());
    for column in written.schema.iter().flat_map(|schema| schema.columns()).take(5) {
        println!("  {:16} {}", column.name(), column.kind());
    }
    Ok(())
}

/// Rows as they come, without being parsed.
async fn rows(show: &Perenso) -> Result<Pages<RawRow>, Error> {
    show.exports().run("Get API Customers").pages(Paging::by_page().limit(500)).await
}
