//! Writes a million rows into a Parquet file: `cargo run --release --features parquet --example parquet [rows] [file]`.
//!
//! A sandbox inside this process stands in for the show, and returns the order lines page by page. The first run infers the
//! columns and saves the schema beside the file. Later runs fail if a row does not fit it.
#![allow(clippy::print_stdout)]

use std::{
    io::{IsTerminal, Write, stdout},
    path::{Path, PathBuf},
};

use perenso::{
    Perenso,
    exports::{
        Paging, RawRow,
        files::{Progress, Stage, ToFile},
    },
};
use perenso_sandbox::{Export, Sandbox};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let rows = args.next().map_or(Ok(1_000_000), |rows| rows.parse())?;
    let path = args.next().map_or_else(default_path, PathBuf::from);
    let sandbox = Sandbox::builder().export(Export::order_lines(rows)).start().await?;
    let show = Perenso::from_vars(sandbox.vars())?;

    println!("{rows} order lines, in pages of 20000, into {}:", path.display());
    let lines = show.exports().run("Order Lines").pages::<RawRow>(Paging::by_page().limit(20_000)).await?;
    let written =
        ToFile::parquet(&path).schema_file(path.with_extension("schema.json")).progress(show_line).write(lines).await?;

    println!("{} rows, {:.1} MB in the file. Its columns:", written.rows, written.bytes as f64 / 1e6);
    for column in written.schema.iter().flat_map(|schema| schema.columns()) {
        println!("  {:12} {}", column.name(), column.kind());
    }
    Ok(())
}

/// Prints the progress: on one line that is overwritten if this is a terminal, otherwise on a new line each time.
fn show_line(progress: &Progress) {
    let stage = match progress.stage {
        Stage::Writing => "into the file",
        _ => "received",
    };
    let is_terminal = stdout().is_terminal();
    let (start, end) = if is_terminal { ("\r  ", "        ") } else { ("  ", "\n") };
    print!("{start}{progress}, {stage}{end}");
    if progress.is_done && is_terminal {
        println!();
    }
    let _ = stdout().flush();
}

fn default_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target").join("order-lines.parquet")
}
