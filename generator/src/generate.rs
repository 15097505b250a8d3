//! Runs progenitor over a prepared document, and turns its panics into faults.

mod culprits;
pub(crate) mod prepare;
pub(crate) mod settings;
pub(crate) mod summary;

use std::{
    cell::{Cell, RefCell},
    panic::{self, AssertUnwindSafe},
    sync::Once,
};

use proc_macro2::TokenStream;
use progenitor::{GenerationSettings, Generator, HooksMode, InterfaceStyle, TagStyle, TypeImpl};
use quote::quote;
use serde_json::Value;

use settings::Settings;

use crate::{
    error::Fault,
    model::{Model, schema},
};

/// Generates the client. The errors are the operations that progenitor cannot take.
pub(crate) fn client(document: &Value, model: &Model, settings: &Settings) -> Result<syn::File, Vec<Fault>> {
    let made = generation(model, settings);
    run(document, &|document| Generator::new(&made).generate_tokens(document))
}

/// Generates the typed mock. The errors are the operations that progenitor cannot take.
pub(crate) fn mock(document: &Value, model: &Model, settings: &Settings) -> Result<syn::File, Vec<Fault>> {
    let made = generation(model, settings);
    run(document, &|document| Generator::new(&made).httpmock(document, &settings.client_path))
}

type Step<'a> = &'a dyn Fn(&openapiv3::OpenAPI) -> Result<TokenStream, progenitor::Error>;

fn run(document: &Value, step: Step<'_>) -> Result<syn::File, Vec<Fault>> {
    let tokens = attempt(document, step).map_err(|what| culprits::find(document, step, &what))?;
    syn::parse2(tokens)
        .map_err(|error| vec![Fault::new("/", format_args!("the generated code cannot be read: {error}"))])
}

fn attempt(document: &Value, step: Step<'_>) -> Result<TokenStream, String> {
    let document: openapiv3::OpenAPI =
        serde_json::from_value(document.clone()).map_err(|error| format!("not OpenAPI 3.0: {error}"))?;
    quietly(|| step(&document))
        .map_err(|panic| format!("progenitor gave up: {panic}"))?
        .map_err(|error| format!("progenitor refuses it: {error}"))
}

fn generation(model: &Model, settings: &Settings) -> GenerationSettings {
    let runtime = &settings.runtime;
    let mut made = GenerationSettings::new();
    made.with_interface(InterfaceStyle::Builder)
        .with_tag(TagStyle::Separate)
        .with_hooks(HooksMode::Expected)
        .with_inner_type(quote!(#runtime::Bridge))
        .with_derive("PartialEq");
    for (schema, by_hand) in schema::hand_written(model) {
        let path = settings.of_runtime(by_hand);
        made.with_replacement(schema, path, [TypeImpl::Display].into_iter());
    }
    made
}

/// Runs a function and turns a panic into its message and location.
fn quietly<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    thread_local! {
        static QUIET: Cell<bool> = const { Cell::new(false) };
        static LAST: RefCell<String> = const { RefCell::new(String::new()) };
    }
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if QUIET.get() {
                LAST.set(info.to_string());
            } else {
                before(info);
            }
        }));
    });
    QUIET.set(true);
    let outcome = panic::catch_unwind(AssertUnwindSafe(run));
    QUIET.set(false);
    outcome.map_err(|_| LAST.take())
}
