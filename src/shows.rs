//! Clients of several shows from one TOML file, with a shared connection pool and token store.

use std::{collections::BTreeMap, path::Path};

use perenso_auth::{BuildError, ClientBuilder, Registry, RegistryBuilder, RegistryError};

use crate::{builder::USER_AGENT, client::Perenso, error::Error};

/// The clients of the shows in a TOML file. See [`Registry`](crate::auth::Registry) for the format.
///
/// Entries of other systems than Perenso are available through the registry itself.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use perenso::Shows;
///
/// let shows = Shows::read("/etc/erp/shows.toml")?;
/// let customers = shows.get("spring")?.customers().list().page(1).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Shows {
    registry: Registry,
    shows: BTreeMap<String, Perenso>,
}

impl Shows {
    /// Reads the shows of a file.
    ///
    /// # Errors
    /// The file cannot be read, or is not a valid registry. Errors of a single show are returned by [`get`](Self::get).
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::read_with(path, |_, builder| builder)
    }

    /// Reads the shows of a file and applies `settings` to each, called with its name and builder.
    ///
    /// ```no_run
    /// # fn example() -> Result<(), perenso::Error> {
    /// use perenso::{RetryPolicy, Shows};
    ///
    /// let shows = Shows::read_with("/etc/erp/shows.toml", |name, builder| {
    ///     builder.label(format!("show {name}")).retry(RetryPolicy::default().attempts(6))
    /// })?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Fails as [`read`](Self::read) does.
    pub fn read_with(
        path: impl AsRef<Path>,
        settings: impl Fn(&str, ClientBuilder) -> ClientBuilder,
    ) -> Result<Self, Error> {
        Self::load(|registry| registry.settings(settings).read(path))
    }

    /// Reads shows with a [`RegistryBuilder`](crate::auth::RegistryBuilder): from a string, a table, or a file with other
    /// tables.
    ///
    /// ```
    /// use perenso::Shows;
    ///
    /// let config = r#"
    ///     [database]
    ///     host = "db.example"
    ///
    ///     [shows.spring]
    ///     profile = "perenso"
    ///     client_id = "SPRING26"
    ///     client_secret_file = "secrets/spring"
    /// "#;
    /// let shows = Shows::load(|registry| {
    ///     registry.directory("/etc/erp").allow_foreign_tables().parse(config)
    /// })?;
    /// assert_eq!(shows.names().collect::<Vec<_>>(), ["spring"]);
    /// # Ok::<(), perenso::Error>(())
    /// ```
    ///
    /// For a table that is already parsed, use `deserialize`: `registry.deserialize(config["perenso"].clone())`.
    ///
    /// # Errors
    /// Fails as [`read`](Self::read) does.
    pub fn load<'a>(load: impl FnOnce(RegistryBuilder<'a>) -> Result<Registry, RegistryError>) -> Result<Self, Error> {
        let registry = load(Registry::builder().settings(|_, builder| builder.user_agent(USER_AGENT)))
            .map_err(|error| BuildError::new([error.to_string()]))?;
        let shows = registry.iter().filter_map(|(name, client)| {
            let client = client.ok().filter(|client| client.profile() == "perenso")?;
            Some((name.to_owned(), Perenso::new(client.clone())))
        });
        let shows = shows.collect();
        Ok(Self { registry, shows })
    }

    /// Returns the names of all shows, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.registry.names()
    }

    /// Returns the client of a show.
    ///
    /// # Errors
    /// The file has no such show, its settings are invalid, or the entry is of another system than Perenso.
    pub fn get(&self, name: &str) -> Result<&Perenso, Error> {
        let client = self.registry.get(name)?;
        self.shows.get(name).ok_or_else(|| {
            let profile = client.profile();
            BuildError::new([format!("`{name}` belongs to `{profile}`: read it with `perenso::auth::Registry`")]).into()
        })
    }
}
