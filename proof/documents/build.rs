//! Generates the client of the document that the environment names.

fn main() -> Result<(), perenso_openapi::Error> {
    println!("cargo::rerun-if-env-changed=DOCUMENT");
    let document = std::env::var("DOCUMENT").unwrap_or_else(|_| "../../generator/tests/storage.json".to_owned());
    perenso_openapi::Generator::new(document).write_to_out_dir()?;
    Ok(())
}
