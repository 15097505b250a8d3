//! Writes the typed client and the typed mock from the vendored document into `OUT_DIR`.

#[path = "build/steps.rs"]
mod steps;

use std::{env, fs, path::Path, process::ExitCode};

use steps::fault::Fault;

const DOCUMENT: &str = "openapi/perenso.json";

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed={DOCUMENT}");
    println!("cargo::rerun-if-changed=build");
    match write() {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            println!("cargo::error={DOCUMENT}: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn write() -> Result<(), Fault> {
    let text = fs::read_to_string(DOCUMENT).map_err(|error| Fault::new("/", error))?;
    let generated = steps::run(&text)?;
    let folder = env::var_os("OUT_DIR").ok_or_else(|| Fault::new("/", "OUT_DIR is not set"))?;
    for (name, code) in [("client.rs", generated.client), ("mock.rs", generated.mock)] {
        fs::write(Path::new(&folder).join(name), code)
            .map_err(|error| Fault::new("/", format_args!("{name} cannot be written: {error}")))?;
    }
    Ok(())
}
