//! Runs the generator over a prepared document, and turns its panics into faults.

use std::{
    cell::{Cell, RefCell},
    panic::{self, AssertUnwindSafe},
    sync::Once,
};

use proc_macro2::TokenStream;
use progenitor::{GenerationSettings, Generator, HooksMode, InterfaceStyle, TagStyle, TypeImpl};
use quote::quote;
use serde_json::{Value, json};

use crate::fault::{Fault, segment};

/// The schemas with hand-written types.
const BY_HAND: [(&str, &str); 5] = [
    ("Id", "crate::records::Id"),
    ("Time", "crate::records::Timestamp"),
    ("TimeFilter", "crate::records::Timestamp"),
    ("Decimal", "crate::records::Decimal"),
    ("Messages", "crate::records::Messages"),
];

/// Returns true if a schema has a hand-written type.
pub(crate) fn by_hand(schema: &str) -> bool {
    BY_HAND.iter().any(|(name, _)| *name == schema)
}

/// Generates the client.
pub(crate) fn client(document: &Value) -> Result<syn::File, Fault> {
    run(document, |generator, document| generator.generate_tokens(document))
}

/// Generates the typed mock.
pub(crate) fn mock(document: &Value) -> Result<syn::File, Fault> {
    run(document, |generator, document| generator.httpmock(document, "crate::generated"))
}

type Step = fn(&mut Generator, &openapiv3::OpenAPI) -> Result<TokenStream, progenitor::Error>;

fn run(document: &Value, step: Step) -> Result<syn::File, Fault> {
    let tokens = attempt(document, step).map_err(|what| Fault::new(culprit(document, step), what))?;
    syn::parse2(tokens).map_err(|error| Fault::new("/", format_args!("the generated code cannot be read: {error}")))
}

fn attempt(document: &Value, step: Step) -> Result<TokenStream, String> {
    let document: openapiv3::OpenAPI =
        serde_json::from_value(document.clone()).map_err(|error| format!("not OpenAPI 3.0: {error}"))?;
    quietly(|| step(&mut Generator::new(&settings()), &document))
        .map_err(|panic| format!("the generator gave up: {panic}"))?
        .map_err(|error| format!("the generator refuses it: {error}"))
}

/// Returns the place in the document at which the generator fails. It does not report one, so each part is tried alone.
fn culprit(document: &Value, step: Step) -> String {
    let fails = |document: &Value| attempt(document, step).is_err();
    let mut bare = document.clone();
    bare["paths"] = json!({});
    if fails(&bare) {
        let schemas = document["components"]["schemas"].as_object();
        bare["components"] = json!({});
        return match schemas {
            Some(schemas) if !fails(&bare) => schemas
                .iter()
                .find(|(_, schema)| serde_json::from_value::<openapiv3::Schema>((*schema).clone()).is_err())
                .map_or("/components/schemas".to_string(), |(name, _)| {
                    format!("/components/schemas/{}", segment(name))
                }),
            _ => "/".to_string(),
        };
    }
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            bare["paths"] = json!({ path: { method: operation } });
            if fails(&bare) {
                return format!("/paths/{}/{method}", segment(path));
            }
        }
    }
    "/paths".to_string()
}

fn settings() -> GenerationSettings {
    let mut settings = GenerationSettings::new();
    settings
        .with_interface(InterfaceStyle::Builder)
        .with_tag(TagStyle::Separate)
        .with_hooks(HooksMode::Expected)
        .with_inner_type(quote!(crate::runtime::Bridge))
        .with_derive("PartialEq");
    for (schema, by_hand) in BY_HAND {
        settings.with_replacement(schema, by_hand, [TypeImpl::Display].into_iter());
    }
    settings
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
