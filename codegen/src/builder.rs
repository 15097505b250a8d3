//! From a file to a file, as a build script has it.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use crate::{catalog, error::Error, module};

/// The code of a saved catalog: one documented struct per export.
///
/// Nothing is read or written, and the same catalog gives the same code.
///
/// ```
/// let code = perenso_codegen::generate(r#"[{"id": "79aag9", "name": "Get API Customers", "parameters": [
///     {"name": "Cursor", "dataType": "Integer", "description": "Index of the current set of paged customers"}]}]"#)?;
/// assert!(code.contains("pub struct GetApiCustomers {"));
/// assert!(code.contains("pub cursor: i64,"));
/// # Ok::<(), perenso_codegen::Error>(())
/// ```
///
/// # Errors
/// What is not the answer of `GET /Export`, an id or a parameter that occurs twice, and names that cannot be told apart:
/// all of them at once, with the export that each is about.
pub fn generate(json: &str) -> Result<String, Error> {
    Builder::new().generate(json)
}

/// What to read and where to write it.
///
/// ```no_run
/// // build.rs
/// fn main() -> Result<(), perenso_codegen::Error> {
///     perenso_codegen::Builder::new().catalog("exports.json").compile()
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use = "code is written by `compile`"]
pub struct Builder {
    catalog: PathBuf,
    out_dir: Option<PathBuf>,
    file_name: PathBuf,
    crate_path: String,
    visibility: String,
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl Builder {
    /// Reads `exports.json` beside the manifest, and writes `exports.rs` into `OUT_DIR`.
    pub fn new() -> Self {
        Self {
            catalog: "exports.json".into(),
            out_dir: None,
            file_name: "exports.rs".into(),
            crate_path: "::perenso".to_owned(),
            visibility: "pub".to_owned(),
        }
    }

    /// The file of the saved catalog, as seen from the manifest.
    pub fn catalog(mut self, path: impl Into<PathBuf>) -> Self {
        self.catalog = path.into();
        self
    }

    /// The directory of the code; without, cargo's `OUT_DIR`.
    pub fn out_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.out_dir = Some(path.into());
        self
    }

    /// The name of the code's file, for a package that has several catalogs.
    pub fn file_name(mut self, name: impl Into<PathBuf>) -> Self {
        self.file_name = name.into();
        self
    }

    /// Where the code finds the SDK, for a package that has it under another name: `::my_perenso`.
    pub fn crate_path(mut self, path: impl Into<String>) -> Self {
        self.crate_path = path.into();
        self
    }

    /// The visibility of the structs and their fields: `pub` (the default), `pub(crate)` or `pub(super)`.
    ///
    /// The code allows no lint but Clippy's groups `pedantic` and `nursery`, so that `#![forbid(unused)]` and the like do not break it. A
    /// crate with `unreachable_pub` that includes it in a private module needs `pub(crate)`.
    pub fn visibility(mut self, visibility: impl Into<String>) -> Self {
        self.visibility = visibility.into();
        self
    }

    /// The code of this catalog, with the settings of the builder: see [`generate()`].
    ///
    /// # Errors
    /// As [`generate()`].
    pub fn generate(&self, json: &str) -> Result<String, Error> {
        let is_name = |name: &str| {
            let is_word = name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric());
            is_word && name.starts_with(|c: char| !c.is_ascii_digit())
        };
        if !self.crate_path.strip_prefix("::").unwrap_or(&self.crate_path).split("::").all(is_name) {
            let found = catalog::shown(&self.crate_path);
            return Err(Error::new(format!("crate_path: expected a path such as `::my_perenso`; found {found}")));
        }
        if !matches!(&*self.visibility, "pub" | "pub(crate)" | "pub(super)") {
            let found = catalog::shown(&self.visibility);
            return Err(Error::new(format!("visibility: expected `pub`, `pub(crate)` or `pub(super)`; found {found}")));
        }
        module::code(&catalog::read(json)?, &self.crate_path, &self.visibility)
    }

    /// Reads the catalog and writes the code. Tells cargo to come back when the catalog has changed.
    ///
    /// # Errors
    /// As [`generate()`], and files that cannot be read or written; all name the file.
    // Cargo reads what a build script prints.
    #[allow(clippy::print_stdout)]
    pub fn compile(&self) -> Result<(), Error> {
        println!("cargo:rerun-if-changed={}", self.catalog.display());
        let json = read(&self.catalog)?;
        let code = self.generate(&json).map_err(|error| error.of_file(&self.catalog))?;
        let directory = match &self.out_dir {
            Some(directory) => directory.clone(),
            None => env::var_os("OUT_DIR")
                .map(PathBuf::from)
                .ok_or_else(|| Error::new("OUT_DIR is not set: call this from a build script, or set `out_dir`"))?,
        };
        let file = directory.join(&self.file_name);
        fs::write(&file, code)
            .map_err(|error| Error::new(format!("the code cannot be written: {error}")).of_file(&file))
    }
}

fn read(catalog: &Path) -> Result<String, Error> {
    let advice = "save the JSON answer of `GET /Export` there, as UTF-8";
    fs::read_to_string(catalog)
        .map_err(|error| Error::new(format!("the catalog cannot be read: {error}; {advice}")).of_file(catalog))
}
