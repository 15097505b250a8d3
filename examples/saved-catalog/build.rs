//! Writes a struct for each export of `exports.json` into `OUT_DIR`. Cargo comes back when that file has changed.

fn main() -> Result<(), perenso_codegen::Error> {
    // `pub(crate)` since the module is private, and this workspace denies `unreachable_pub`.
    perenso_codegen::Builder::new().catalog("exports.json").visibility("pub(crate)").compile()
}
