//! Generates the client and the mock, and writes the normalised document for the sandbox.

use std::{env, error::Error, fs, path::Path};

use perenso_openapi::Generator;

fn main() -> Result<(), Box<dyn Error>> {
    let generated = Generator::new("openapi/harbour.json").overlay("openapi/overlay.json").write_to_out_dir()?;
    let folder = env::var("OUT_DIR")?;
    fs::write(Path::new(&folder).join("document.json"), serde_json::to_string(&generated.document)?)?;
    Ok(())
}
