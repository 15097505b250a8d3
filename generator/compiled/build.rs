//! Generates the clients of made-up documents, as a user's build script does.

fn main() -> Result<(), perenso_openapi::Error> {
    perenso_openapi::Generator::new("../tests/storage.json").plain().write_to_out_dir()?;
    // Several documents have files of their own names.
    let photos = perenso_openapi::Generator::new("../tests/storage.json").only_tags(["Photo"]).without_mock();
    photos.file_prefix("photo_").write_to_out_dir()?;
    // As a vendor writes it.
    perenso_openapi::Generator::new("../tests/harbour.json").file_prefix("harbour_").write_to_out_dir()?;
    Ok(())
}
