//! Compares two documents, and a new one with what hand-written methods need. Prints Markdown.
//!
//! `cargo run -p perenso-openapi --features yaml --example compare -- old.json new.json [facade.json]`
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::{error::Error, process::ExitCode};

use perenso_openapi::{Document, Facade, compare};

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
    const USAGE: &str = "usage: compare <old document> <new document> [<facade>]";
    let mut old = Document::read(arguments.next().ok_or(USAGE)?)?;
    let new = Document::read(arguments.next().ok_or(USAGE)?)?;
    if let Some(facade) = arguments.next() {
        let facade = Facade::read(facade)?;
        let unmet = facade.check(&new);
        if !unmet.is_empty() {
            println!("## Hand-written methods\n");
            unmet.iter().for_each(|unmet| println!("- {unmet}"));
            println!();
        }
        // Differences name the method that uses the operation.
        old = facade.apply(&old)?;
    }
    print!("{}", compare(&old, &new));
    Ok(())
}
