//! Writes the typed client and the typed mock from the vendored document into `OUT_DIR`.

use std::process::ExitCode;

use perenso_openapi::Generator;

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build.rs");
    let generator = Generator::new("openapi/perenso.json")
        .overlay("openapi/overlay.json")
        .plain()
        .strict(true)
        .runtime_path("crate::runtime")
        .client_path("crate::generated");
    match generator.write_to_out_dir() {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            error.problems().for_each(|problem| println!("cargo::error={problem}"));
            ExitCode::FAILURE
        }
    }
}
