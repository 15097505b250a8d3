//! Generates the client of a made-up document, as a user's build script does.

fn main() -> Result<(), perenso_openapi::Error> {
    perenso_openapi::Generator::new("../tests/storage.json").plain().write_to_out_dir()?;
    Ok(())
}
