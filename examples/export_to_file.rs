//! Writes an export into a CSV file and one of JSON lines:
//! `cargo run --example export_to_file [folder [export [parameter=value …]]]`.
//!
//! It only reads. `PERENSO_CLIENT_ID` and `PERENSO_CLIENT_SECRET` make it talk to a real show; the export is
//! "Get API Customers" of the vendor's guide unless another one is named. A file is complete or absent.
#![allow(clippy::print_stdout)]

use std::path::PathBuf;

use perenso::{
    Error, Perenso,
    exports::{Pages, Paging, RawRow, files::ToFile},
};

#[path = "show/environment.rs"]
mod environment;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (show, _sandbox) = environment::show().await?;
    let scratch = tempfile::tempdir()?;
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().map_or_else(|| scratch.path().to_owned(), PathBuf::from);
    let export = arguments.next().unwrap_or_else(|| "Get API Customers".to_owned());
    let values: Vec<String> = arguments.collect();

    let written = ToFile::json_lines(folder.join("export.jsonl")).write(rows(&show, &export, &values).await?).await?;
    println!("{} rows, {} bytes in {}", written.rows, written.bytes, written.path.display());

    // The first run infers the columns and saves the schema beside the file. Later runs fail if a row does not fit it, and
    // leave the file of the last run in place.
    let to = ToFile::csv(folder.join("export.csv")).schema_file(folder.join("export.schema.json"));
    let written = to.write(rows(&show, &export, &values).await?).await?;
    println!("{} rows, {} bytes in {}", written.rows, written.bytes, written.path.display());
    for column in written.schema.iter().flat_map(|schema| schema.columns()).take(5) {
        println!("  {:16} {}", column.name(), column.kind());
    }
    Ok(())
}

/// Returns the rows unparsed, page by page if the export has parameters for that.
async fn rows(show: &Perenso, export: &str, values: &[String]) -> Result<Pages<RawRow>, Error> {
    let values = values.iter().filter_map(|value| value.split_once('='));
    // Parses each string as the data type of its parameter.
    let run = values.fold(show.exports().run(export), |run, (name, text)| run.text(name, text));
    run.all_rows(Paging::by_page().limit(500)).await
}
