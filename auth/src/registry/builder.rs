//! The builder of a registry.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use serde::Deserializer;

use super::{Registry, RegistryError, entry, file::File, shared::Shared};
use crate::{pipeline::builder::ClientBuilder, wire::transport::Pool};

type Settings<'a> = Box<dyn Fn(&str, ClientBuilder) -> ClientBuilder + 'a>;

/// Reads a [`Registry`] from a file, a string or a table.
///
/// ```
/// use perenso_auth::Registry;
///
/// let toml = r#"
///     [database]
///     host = "db.example"
///
///     [shows.spring]
///     profile = "perenso"
///     client_id = "SPRING26"
///     client_secret_file = "secrets/spring"
/// "#;
/// let registry = Registry::builder()
///     .directory("/etc/erp")
///     .allow_foreign_tables()
///     .parse(toml)?;
/// assert_eq!(registry.names().collect::<Vec<_>>(), ["spring"]);
/// # Ok::<(), perenso_auth::RegistryError>(())
/// ```
#[must_use = "a registry is made by `read`, `parse` or `deserialize`"]
pub struct RegistryBuilder<'a> {
    directory: Option<PathBuf>,
    foreign_tables: bool,
    settings: Settings<'a>,
}

impl<'a> RegistryBuilder<'a> {
    pub(super) fn new() -> Self {
        Self { directory: None, foreign_tables: false, settings: Box::new(|_, builder| builder) }
    }

    /// Sets the directory that paths are relative to. Defaults to that of the file, or the current one.
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Ignores everything besides `[store]` and `[shows]`, for a file that holds other tables. An unknown key in these two is
    /// still an error.
    pub fn allow_foreign_tables(mut self) -> Self {
        self.foreign_tables = true;
        self
    }

    /// Calls `settings` with the name and builder of every show. A show whose transport is set (proxy, certificates, user agent)
    /// has its own connections. Later settings are applied after earlier ones.
    pub fn settings(mut self, settings: impl Fn(&str, ClientBuilder) -> ClientBuilder + 'a) -> Self {
        let earlier = self.settings;
        self.settings = Box::new(move |name, builder| settings(name, earlier(name, builder)));
        self
    }

    /// Reads the registry in a TOML file.
    ///
    /// # Errors
    /// [`RegistryError`] if the file cannot be read or is not a registry. Problems of one show are returned by
    /// [`Registry::get`].
    pub fn read(mut self, path: impl AsRef<Path>) -> Result<Registry, RegistryError> {
        let path = path.as_ref();
        self.directory.get_or_insert_with(|| path.parent().unwrap_or_else(|| Path::new("")).to_owned());
        let content = std::fs::read_to_string(path).map_err(|source| format!("it cannot be read ({source})"));
        content
            .and_then(|content| File::parse(&content, self.foreign_tables))
            .and_then(|file| self.open(file))
            .map_err(|detail| RegistryError { path: Some(path.to_owned()), detail })
    }

    /// Reads the registry in a TOML string.
    ///
    /// # Errors
    /// [`RegistryError`] if the string is not a registry.
    pub fn parse(self, toml: &str) -> Result<Registry, RegistryError> {
        File::parse(toml, self.foreign_tables)
            .and_then(|file| self.open(file))
            .map_err(|detail| RegistryError { path: None, detail })
    }

    /// Reads the registry from a serde deserializer, such as a `toml::Table` or a `serde_json::Value`. The error names keys, and
    /// no values.
    ///
    /// # Errors
    /// [`RegistryError`] if it holds no registry.
    pub fn deserialize<'de, D: Deserializer<'de>>(self, table: D) -> Result<Registry, RegistryError> {
        File::deserialize(table, self.foreign_tables)
            .and_then(|file| self.open(file))
            .map_err(|detail| RegistryError { path: None, detail })
    }

    fn open(self, file: File) -> Result<Registry, String> {
        let directory = self.directory.unwrap_or_default();
        let shared = match file.store {
            None => Shared::memory(),
            Some(store) => Shared::open(store, &directory)?,
        };
        let pool = Pool::default();
        let shows = file.shows.into_iter().map(|(name, show)| {
            let client = entry::builder(&name, show, &directory)
                .and_then(|builder| (self.settings)(&name, shared.apply_to(builder.pool(pool.clone()))).build());
            (name, client)
        });
        Ok(Registry { shows: shows.collect() })
    }
}

impl fmt::Debug for RegistryBuilder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegistryBuilder")
            .field("directory", &self.directory)
            .field("foreign_tables", &self.foreign_tables)
            .finish_non_exhaustive()
    }
}
