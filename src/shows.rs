//! Several shows from one TOML file: each a client of its own, over one pool of connections and one store of tokens.

use std::{collections::BTreeMap, path::Path};

use perenso_auth::{BuildError, ClientBuilder, Registry, RegistryBuilder, RegistryError};

use crate::{builder::USER_AGENT, client::Perenso, error::Error};

/// The shows of a file; [`Registry`](crate::auth::Registry) says what it may hold. Entries of other systems than Perenso
/// are left to the registry itself.
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
    /// The shows of this file.
    ///
    /// # Errors
    /// When the file cannot be read or is no registry. What is wrong with one show is said by [`get`](Self::get).
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::read_with(path, |_, builder| builder)
    }

    /// The same, with what a file cannot say: `settings` is called for every show with its name.
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
    /// As [`read`](Self::read).
    pub fn read_with(
        path: impl AsRef<Path>,
        settings: impl Fn(&str, ClientBuilder) -> ClientBuilder,
    ) -> Result<Self, Error> {
        Self::load(|registry| registry.settings(settings).read(path))
    }

    /// The shows of a string or of a table, or of a file that holds other tables: whatever `load` reads with the
    /// [`RegistryBuilder`](crate::auth::RegistryBuilder).
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
    /// let shows = Shows::load(|registry| registry.directory("/etc/erp").allow_foreign_tables().parse(config))?;
    /// assert_eq!(shows.names().collect::<Vec<_>>(), ["spring"]);
    /// # Ok::<(), perenso::Error>(())
    /// ```
    ///
    /// A table that is parsed already goes in by `deserialize`: `registry.deserialize(config["perenso"].clone())`.
    ///
    /// # Errors
    /// As [`read`](Self::read).
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

    /// The names of all shows, in the order of the alphabet.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.registry.names()
    }

    /// The client of a show.
    ///
    /// # Errors
    /// When the file has no such show, when what it says of it makes no client, or when it is none of Perenso's.
    pub fn get(&self, name: &str) -> Result<&Perenso, Error> {
        let client = self.registry.get(name)?;
        self.shows.get(name).ok_or_else(|| {
            let profile = client.profile();
            BuildError::new([format!("`{name}` belongs to `{profile}`: read it with `perenso::auth::Registry`")]).into()
        })
    }
}
