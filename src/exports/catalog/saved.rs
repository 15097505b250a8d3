//! A catalog in a file, for code generation and comparison.

use std::{fs, path::Path};

use perenso_auth::decode::decode_body;

use super::{Catalog, compare::compare, drift::Drift};
use crate::error::{Error, ErrorKind, FILE};
#[cfg(feature = "files")]
use crate::exports::atomic_file::AtomicFile;

const NOT_A_CATALOG: &str = "is not the JSON response of `GET /Export`";

/// A saved catalog that a program was built for.
///
/// The file holds the JSON response of `GET /Export`, which `perenso-codegen` reads too. It is written over many lines so
/// that version control shows changes well. Compare it with the live catalog when the program starts, or every night.
///
/// ```no_run
/// # async fn example(show: perenso::Perenso) -> Result<(), perenso::Error> {
/// use perenso::exports::SavedCatalog;
///
/// let live = show.exports().refresh().await?;
/// let drift = SavedCatalog::read("exports.json")?.compare(&live);
/// if drift.breaks() {
///     eprintln!("{drift}");
/// }
/// SavedCatalog::save(&live, "exports.json")?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SavedCatalog(Catalog);

impl SavedCatalog {
    /// Reads a file. The file is small, so this blocks.
    ///
    /// # Errors
    /// [`ErrorKind::File`] if the file cannot be read or does not hold a catalog. The error names the path, the position
    /// in the file, and what was expected there.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let json = fs::read(path).map_err(|error| Error::of_file("cannot be read", path, error))?;
        parse(&json).map_err(|problem| Error::of_file(NOT_A_CATALOG, path, problem))
    }

    /// Reads the JSON response of `GET /Export` from a string.
    ///
    /// # Errors
    /// [`ErrorKind::File`] if the string does not hold a catalog. The error names the position and what was expected.
    pub fn from_json(json: &str) -> Result<Self, Error> {
        parse(json.as_bytes())
            .map_err(|problem| Error::own(ErrorKind::File, FILE, format!("the string {NOT_A_CATALOG}: {problem}")))
    }

    /// Saves a catalog. The file is replaced atomically: written to a temporary file and renamed.
    ///
    /// # Errors
    /// [`ErrorKind::File`] if the file cannot be written. An existing file is then unchanged.
    #[cfg(feature = "files")]
    #[cfg_attr(docsrs, doc(cfg(feature = "files")))]
    pub fn save(catalog: &Catalog, path: impl AsRef<Path>) -> Result<(), Error> {
        let file = AtomicFile::new(path.as_ref())?;
        let mut json = serde_json::to_vec_pretty(catalog).map_err(|error| file.failed(error))?;
        json.push(b'\n');
        file.write_bytes(&json)?;
        file.persist()
    }

    /// Returns the saved catalog.
    #[must_use]
    pub fn catalog(&self) -> &Catalog {
        &self.0
    }

    /// Returns the changes from the saved catalog to the live one.
    ///
    /// ```
    /// use perenso::exports::{Catalog, SavedCatalog};
    ///
    /// let saved = SavedCatalog::from_json(r#"[
    ///     {"id": "79aag9", "name": "Get API Customers", "parameters": [
    ///         {"name": "Cursor", "dataType": "Integer"},
    ///         {"name": "Limit", "dataType": "Integer"}]}]"#)?;
    /// let live: Catalog = serde_json::from_str(r#"[
    ///     {"id": "79aag9", "name": "Get API Customers", "parameters": [
    ///         {"name": "Cursor", "dataType": "Integer"},
    ///         {"name": "Limit", "dataType": "Text"}]},
    ///     {"id": "739da9", "name": "Vendors", "parameters": []}]"#)?;
    /// let drift = saved.compare(&live);
    /// assert!(drift.breaks());
    /// assert_eq!(drift.to_string(), "\
    /// breaks  Get API Customers (79aag9): parameter `Limit`: expected Integer, found Text
    ///         Vendors (739da9): new");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn compare(&self, live: &Catalog) -> Drift {
        compare(&self.0, live)
    }
}

impl From<Catalog> for SavedCatalog {
    fn from(catalog: Catalog) -> Self {
        Self(catalog)
    }
}

fn parse(json: &[u8]) -> Result<SavedCatalog, String> {
    decode_body(json).map(SavedCatalog).map_err(|mismatch| format!("{mismatch}; save the catalog again"))
}
