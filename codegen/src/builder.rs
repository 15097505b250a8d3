//! The builder for build scripts, which reads a catalog and writes the code.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use crate::{catalog, error::Error, module};

/// Generates the code of a saved catalog: one documented struct for each export.
///
/// It reads and writes no files. The same catalog always gives the same code.
///
/// ```
/// let catalog = r#"[{
///     "id": "79aag9",
///     "name": "Get API Customers",
///     "parameters": [
///         {"name": "Cursor", "dataType": "Integer", "description": "Page index"}
///     ]
/// }]"#;
/// let code = perenso_codegen::generate(catalog)?;
/// assert!(code.contains("pub struct GetApiCustomers {"));
/// assert!(code.contains("pub cursor: i64,"));
/// # Ok::<(), perenso_codegen::Error>(())
/// ```
///
/// # Errors
/// Fails if the string is not a response of `GET /Export`, if an id or a parameter occurs twice, or if two names are equal.
/// The error lists all problems, each with its export.
pub fn generate(json: &str) -> Result<String, Error> {
    Builder::new().generate(json)
}

/// Generates code in a build script.
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
    /// Creates a builder that reads `exports.json` beside the manifest and writes `exports.rs` to `OUT_DIR`.
    pub fn new() -> Self {
        Self {
            catalog: "exports.json".into(),
            out_dir: None,
            file_name: "exports.rs".into(),
            crate_path: "::perenso".to_owned(),
            visibility: "pub".to_owned(),
        }
    }

    /// Sets the file of the saved catalog, relative to the manifest.
    pub fn catalog(mut self, path: impl Into<PathBuf>) -> Self {
        self.catalog = path.into();
        self
    }

    /// Sets the output directory. Defaults to cargo's `OUT_DIR`.
    pub fn out_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.out_dir = Some(path.into());
        self
    }

    /// Sets the name of the output file, for a package with several catalogs.
    pub fn file_name(mut self, name: impl Into<PathBuf>) -> Self {
        self.file_name = name.into();
        self
    }

    /// Sets the path of the SDK in the code, for a package that renames the dependency: `::my_perenso`.
    pub fn crate_path(mut self, path: impl Into<String>) -> Self {
        self.crate_path = path.into();
        self
    }

    /// Sets the visibility of the structs and their fields: `pub` (the default), `pub(crate)` or `pub(super)`.
    ///
    /// The code allows only Clippy's groups `pedantic` and `nursery`, so it compiles under `#![forbid(unused)]` and the like. A crate
    /// with `unreachable_pub` that includes it in a private module needs `pub(crate)`.
    pub fn visibility(mut self, visibility: impl Into<String>) -> Self {
        self.visibility = visibility.into();
        self
    }

    /// Generates the code of this catalog with the settings of the builder, as [`generate()`] does.
    ///
    /// # Errors
    /// Fails as [`generate()`] does.
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

    /// Reads the catalog and writes the code. Cargo runs the build script again when the catalog changes.
    ///
    /// # Errors
    /// Fails as [`generate()`] does, and if a file cannot be read or written. The error names the file.
    // Cargo reads directives from the standard output.
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
    let advice = "save the JSON response of `GET /Export` there, as UTF-8";
    fs::read_to_string(catalog)
        .map_err(|error| Error::new(format!("the catalog cannot be read: {error}; {advice}")).of_file(catalog))
}
