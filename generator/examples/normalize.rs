//! Normalises a document, and prints what was changed, lost and left out.
//!
//! `cargo run -p perenso-openapi --features yaml --example normalize -- vendor.yaml [--overlay overlay.json] > normalized.json`
//!
//! The result is what `perenso-sandbox --document` takes. With `--row`, a line of a table is printed instead: operations,
//! those in the generated code, lines of code, and parts lost.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::{error::Error, process::ExitCode};

use perenso_openapi::{Document, Generator, Options, Overlay, normalize};

fn main() -> ExitCode {
    match run(std::env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut arguments: impl Iterator<Item = String>) -> Result<(), Box<dyn Error>> {
    const USAGE: &str = "usage: normalize <document> [--overlay <file>] [--row]";
    let path = arguments.next().ok_or(USAGE)?;
    let mut document = Document::read(&path)?;
    let mut is_row = false;
    while let Some(option) = arguments.next() {
        match option.as_str() {
            "--overlay" => document = Overlay::read(arguments.next().ok_or(USAGE)?)?.apply(&document)?,
            "--row" => is_row = true,
            _ => return Err(USAGE.into()),
        }
    }
    if is_row {
        return row(&path, &document);
    }
    let normalized = normalize(&document, &Options::default());
    println!("{}", serde_json::to_string_pretty(&normalized.root)?);
    eprint!("{}", normalized.report.to_markdown());
    Ok(())
}

fn row(path: &str, document: &Document) -> Result<(), Box<dyn Error>> {
    let count = |root: &serde_json::Value| {
        let items = root["paths"].as_object().into_iter().flatten();
        let methods = items.flat_map(|(_, item)| item.as_object().into_iter().flatten());
        methods.filter(|(_, node)| node.get("responses").is_some()).count()
    };
    let generated = Generator::new(path).generate_from(document)?;
    let (all, kept) = (count(document.root()), count(&generated.document));
    let (lines, lost) = (generated.client.lines().count(), generated.report.lost().count());
    println!("{all} | {kept} | {lines} | {lost}");
    for problem in generated.report.left_out() {
        eprintln!("  {problem}");
    }
    Ok(())
}
