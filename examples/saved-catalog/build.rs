//! Writes a struct for each export of `exports.json` into `OUT_DIR`. Cargo runs it again when that file changes.

fn main() -> Result<(), perenso_codegen::Error> {
    // `pub(crate)` since the module is private, and this workspace denies `unreachable_pub`.
    perenso_codegen::Builder::new().catalog("exports.json").visibility("pub(crate)").compile()
}
