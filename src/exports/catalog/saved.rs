//! A catalog in a file, for a build and for comparison.

use std::{fs, io::Write as _, path::Path};

use perenso_auth::decode::decode_body;

use super::{Catalog, compare::compare, drift::Drift};
use crate::error::{Error, ErrorKind};
use crate::exports::atomic_file::{AtomicFile, OPERATION, failed};

const NONE: &str = "is not the JSON answer of `GET /Export`";

/// A catalog that was saved: what a program was built upon.
///
/// Its file is the JSON answer of `GET /Export`, as `perenso-codegen` reads it, written so that version control shows line
/// by line what changed. Save it once, build upon it, and compare it with the live one now and then: at the start of the
/// program, or every night.
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
    /// Reads a file. It is small, so this waits for the disk.
    ///
    /// # Errors
    /// [`ErrorKind::File`] when the file cannot be read, or does not hold a catalog: with its path, the place in it, and
    /// what was expected there.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let json = fs::read(path).map_err(|error| failed("cannot be read", path, error))?;
        parse(&json).map_err(|problem| failed(NONE, path, problem))
    }

    /// Reads the JSON answer of `GET /Export`.
    ///
    /// # Errors
    /// [`ErrorKind::File`] when it is none, with the place and what was expected there.
    pub fn from_json(json: &str) -> Result<Self, Error> {
        parse(json.as_bytes())
            .map_err(|problem| Error::own(ErrorKind::File, OPERATION, format!("the text {NONE}: {problem}")))
    }

    /// Saves a catalog. The file is written beside its place and renamed when it is whole.
    ///
    /// # Errors
    /// [`ErrorKind::File`] when it cannot be written; what was there before stays.
    pub fn save(catalog: &Catalog, path: impl AsRef<Path>) -> Result<(), Error> {
        let file = AtomicFile::new(path.as_ref())?;
        let mut json = serde_json::to_vec_pretty(catalog).map_err(|error| file.failed(error))?;
        json.push(b'\n');
        file.file().write_all(&json).map_err(|error| file.failed(error))?;
        file.sync()?;
        file.place()
    }

    /// The catalog as it was.
    #[must_use]
    pub fn catalog(&self) -> &Catalog {
        &self.0
    }

    /// What came, went or changed since, and what of it breaks.
    ///
    /// ```
    /// use perenso::exports::{Catalog, SavedCatalog};
    ///
    /// let saved = SavedCatalog::from_json(r#"[{"id": "79aag9", "name": "Get API Customers", "parameters": [
    ///     {"name": "Cursor", "dataType": "Integer"}, {"name": "Limit", "dataType": "Integer"}]}]"#)?;
    /// let live: Catalog = serde_json::from_str(r#"[{"id": "79aag9", "name": "Get API Customers", "parameters": [
    ///     {"name": "Cursor", "dataType": "Integer"}, {"name": "Limit", "dataType": "Text"}]},
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
    decode_body(json).map(SavedCatalog).map_err(|misfit| format!("{misfit}; save the catalog again"))
}
