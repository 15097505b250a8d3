//! Generates the client of the document that the environment names, and a call of each of its operations.

#[path = "build/calls.rs"]
mod calls;

use std::{env, error::Error, fs, path::Path};

use perenso_openapi::{Document, Generator};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-env-changed=DOCUMENT");
    let document = env::var("DOCUMENT").unwrap_or_else(|_| "../../../generator/tests/storage.json".to_owned());
    let generated = Generator::new(&document).without_mock().write_to_out_dir()?;
    let folder = env::var("OUT_DIR")?;
    let write = |name: &str, text: String| fs::write(Path::new(&folder).join(name), text);
    write("calls.rs", calls::of(&generated.client)?)?;
    write("original.json", Document::read(&document)?.root().to_string())?;
    write("normalized.json", generated.document.to_string())?;
    Ok(())
}
