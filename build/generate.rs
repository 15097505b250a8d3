//! Runs the generator over a prepared document; its panics become faults.

use std::{
    cell::RefCell,
    panic::{self, AssertUnwindSafe},
};

use proc_macro2::TokenStream;
use progenitor::{GenerationSettings, Generator, HooksMode, InterfaceStyle, TagStyle, TypeImpl};
use quote::quote;
use serde_json::Value;

use crate::steps::fault::Fault;

/// Schemas that are written by hand, and by which type.
const BY_HAND: [(&str, &str); 4] = [
    ("Id", "crate::id::Id"),
    ("Time", "crate::time::Time"),
    ("Decimal", "crate::decimal::Decimal"),
    ("Messages", "crate::messages::Messages"),
];

/// Whether a schema is written by hand.
pub(crate) fn by_hand(schema: &str) -> bool {
    BY_HAND.iter().any(|(name, _)| *name == schema)
}

/// The client as the generator writes it.
pub(crate) fn client(document: &Value) -> Result<syn::File, Fault> {
    run(document, |generator, document| generator.generate_tokens(document))
}

/// The typed mock as the generator writes it.
pub(crate) fn mock(document: &Value) -> Result<syn::File, Fault> {
    run(document, |generator, document| generator.httpmock(document, "crate::generated"))
}

fn run(
    document: &Value,
    step: impl FnOnce(&mut Generator, &openapiv3::OpenAPI) -> Result<TokenStream, progenitor::Error>,
) -> Result<syn::File, Fault> {
    let document: openapiv3::OpenAPI = serde_json::from_value(document.clone())
        .map_err(|error| Fault::new("/", format_args!("not OpenAPI 3.0: {error}")))?;
    let tokens = quietly(|| step(&mut Generator::new(&settings()), &document))
        .map_err(|panic| Fault::new("/", format_args!("the generator gave up: {panic}")))?
        .map_err(|error| Fault::new("/", format_args!("the generator refuses it: {error}")))?;
    syn::parse2(tokens).map_err(|error| Fault::new("/", format_args!("the generated code cannot be read: {error}")))
}

fn settings() -> GenerationSettings {
    let mut settings = GenerationSettings::new();
    settings
        .with_interface(InterfaceStyle::Builder)
        .with_tag(TagStyle::Separate)
        .with_hooks(HooksMode::Expected)
        .with_inner_type(quote!(crate::bridge::Bridge))
        .with_derive("PartialEq");
    for (schema, by_hand) in BY_HAND {
        settings.with_replacement(schema, by_hand, [TypeImpl::Display].into_iter());
    }
    settings
}

/// Runs what may panic, and gives the panic's message and place instead of a trace.
fn quietly<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    thread_local!(static LAST: RefCell<String> = const { RefCell::new(String::new()) });
    let before = panic::take_hook();
    panic::set_hook(Box::new(|info| LAST.set(info.to_string())));
    let outcome = panic::catch_unwind(AssertUnwindSafe(run));
    panic::set_hook(before);
    outcome.map_err(|_| LAST.take())
}
