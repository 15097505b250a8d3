//! Writes the typed client and the typed mock from the vendored document into `OUT_DIR`.

use std::process::ExitCode;

use perenso_openapi::Generator;

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build.rs");
    match Generator::new("openapi/perenso.json").write_to_out_dir() {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            println!("cargo::error={error}");
            ExitCode::FAILURE
        }
    }
}
