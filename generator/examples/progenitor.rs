//! Generates a client by progenitor alone, as a rival: `progenitor <document> [--normalized] > client.rs`.
//!
//! Error responses are left out, since progenitor takes one type of them only.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::{error::Error, process::ExitCode};

use perenso_openapi::{Document, Options, normalize};
use progenitor::{GenerationSettings, Generator, InterfaceStyle, TagStyle};

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
    let document = Document::read(arguments.next().ok_or("usage: progenitor <document> [--normalized]")?)?;
    let mut root = match arguments.next() {
        Some(_) => normalize(&document, &Options::default()).root,
        None => document.root().clone(),
    };
    let items = root["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut());
    for operation in items.flat_map(|item| item.as_object_mut().into_iter().flat_map(|item| item.values_mut())) {
        if let Some(responses) = operation.get_mut("responses").and_then(|responses| responses.as_object_mut()) {
            responses.retain(|status, _| status.starts_with('2') || status == "default");
        }
    }
    let mut settings = GenerationSettings::new();
    settings.with_interface(InterfaceStyle::Builder).with_tag(TagStyle::Separate).with_derive("PartialEq");
    let tokens = Generator::new(&settings).generate_tokens(&serde_json::from_value(root)?)?;
    println!("{}", prettyplease::unparse(&syn::parse2(tokens)?));
    Ok(())
}
