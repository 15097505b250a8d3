//! Writes the typed client and the typed mock from the vendored document into `OUT_DIR`. If hand-written methods do not fit the
//! document and are left out, sets the `cfg` `partial_facade`, and one for each that fits: `facade = "customers().list()"`.

use std::{collections::BTreeSet, env, error::Error, path::Path, process::ExitCode};

use perenso_openapi::{Document, Facade, Generator};

/// The document that this project wrote.
const OURS: &str = "openapi/perenso.json";
/// The vendor's document, in the checkout of whoever has it.
const THEIRS: &str = "openapi/vendor.json";
/// An overlay of theirs.
const CORRECTIONS: &str = "openapi/corrections.json";
/// Builds the SDK without the hand-written methods that do not fit.
const SWITCH: &str = "PERENSO_PARTIAL_FACADE";

fn main() -> ExitCode {
    // The folder, since files may be added.
    println!("cargo::rerun-if-changed=build.rs\ncargo::rerun-if-changed=openapi\ncargo::rerun-if-env-changed={SWITCH}");
    match generate() {
        Ok(code) => code,
        Err(error) => {
            println!("cargo::error={error}");
            ExitCode::FAILURE
        }
    }
}

fn generate() -> Result<ExitCode, Box<dyn Error>> {
    let facade = Facade::read("openapi/facade.json")?;
    let document = if Path::new(THEIRS).exists() { THEIRS } else { OURS };
    let mut generator =
        Generator::new(document).facade(facade.clone()).runtime_path("crate::runtime").client_path("crate::generated");
    // Only ours names its sources, also when it was changed or replaced. It is plain, and its overlay knows its records.
    if Document::read(document)?.root().get("x-pages").is_some() {
        generator = generator.overlay("openapi/overlay.json").plain().strict(true);
    }
    if Path::new(CORRECTIONS).exists() {
        generator = generator.overlay(CORRECTIONS);
    }
    let generated = match generator.write_to_out_dir() {
        Ok(generated) => generated,
        Err(error) => {
            error.problems().for_each(|problem| println!("cargo::error={problem}"));
            return Ok(ExitCode::FAILURE);
        }
    };
    let (optional, errors): (Vec<_>, Vec<_>) = generated.unmet.iter().partition(|unmet| unmet.optional);
    optional.iter().for_each(|unmet| println!("cargo::warning={unmet}"));
    let unmet: BTreeSet<&str> = errors.iter().map(|unmet| unmet.method.as_str()).collect();
    let is_partial = env::var_os(SWITCH).is_some_and(|value| !value.is_empty() && value != "0");
    if !unmet.is_empty() && !is_partial {
        errors.iter().for_each(|unmet| println!("cargo::error={unmet}"));
        println!(
            "cargo::error={document} does not fit these methods: correct it by an overlay, {CORRECTIONS}, or build without \
             them by {SWITCH}=1 (see openapi/README.md)"
        );
        return Ok(ExitCode::FAILURE);
    }
    let names: Vec<String> = facade.methods().map(|method| format!("\"{method}\"")).collect();
    println!(
        "cargo::rustc-check-cfg=cfg(partial_facade)\ncargo::rustc-check-cfg=cfg(facade, values({}))",
        names.join(", ")
    );
    if !unmet.is_empty() {
        let names = unmet.iter().copied().collect::<Vec<_>>().join(", ");
        println!("cargo::warning=built without the methods that {document} does not fit: {names}");
        println!("cargo::rustc-cfg=partial_facade");
        for method in facade.methods().filter(|method| !unmet.contains(method)) {
            println!("cargo::rustc-cfg=facade=\"{method}\"");
        }
    }
    Ok(ExitCode::SUCCESS)
}
