//! Clients of several shows from one TOML file, over one connection pool and one store.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use crate::{
    error::BuildError,
    pipeline::{builder::ClientBuilder, client::Client},
};

mod builder;
mod entry;
mod file;
mod shared;

pub use builder::RegistryBuilder;

/// Named clients of several shows or systems, configured in one file.
///
/// ```toml
/// [store]                                   # without it, tokens are kept in memory
/// directory = "tokens"                      # or `redis_url_file = "secrets/redis"`
///
/// [shows.spring]
/// profile = "perenso"
/// client_id = "SPRING26"
/// client_secret_file = "secrets/spring"
///
/// [shows.venue]
/// profile = "priava"
/// region = "EU"
/// client_id = "c0ffee"
/// client_secret_file = "secrets/venue"
/// code_file = "secrets/venue-code"
/// redirect_uri = "https://erp.example/oauth2callback"
/// ```
///
/// Paths are relative to the file. Secrets are in files of their own, which are read again when the token endpoint refuses
/// their content, so that a rotated secret needs no restart. `tid_file` and `subscription_key_file` are read again when the API
/// responds 401; the tokens remain those of the tenant at the time the registry was read. `redis_url_file` (feature `redis`)
/// is read again when no connection can be made with its content. `sealing_secret_file` is read once: all processes need the
/// same.
///
/// A show that cannot be built or is refused does not affect the others. A show whose secret file is missing or empty when the
/// registry is read cannot be used until it is read again.
///
/// | profile | keys besides `client_id` and `client_secret_file` |
/// |---|---|
/// | `perenso` | |
/// | `priava` | `region`, `code_file`, `redirect_uri` |
/// | `perspio` | `tid_file`, `subscription_key_file`; for an authorization code `code_file` and `redirect_uri` |
/// | `event-bookings` | `api_url`; `body_encoding = "form"` |
/// | `tourpaq` | `username`, `password_file` |
///
/// With Redis, `[store]` also takes `replicas = 6`, which shares the rate budget of each show among that many processes;
/// `sealing_secret_file`, which seals the tokens in place of each client secret, so that a refresh token outlives a rotated
/// client secret; `prefix`; and `allow_plain = ["host"]`, which allows a connection without TLS.
///
/// Every show takes `api_url`, `token_url`, `scope`, `client_auth` and `refresh_client_auth` (`body`, `basic-plain`,
/// `basic-encoded`), `rate = { calls = 250, seconds = 60, burst = 50 }`, `refresh_token_file`, `memory_only = true`,
/// `allow_http = ["host"]`.
#[derive(Clone, Debug)]
pub struct Registry {
    shows: BTreeMap<String, Result<Client, BuildError>>,
}

impl Registry {
    /// Reads the registry in a TOML file.
    ///
    /// ```no_run
    /// # fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// use perenso_auth::Registry;
    ///
    /// let registry = Registry::read("/etc/erp/shows.toml")?;
    /// for name in registry.names() {
    ///     match registry.get(name) {
    ///         Ok(client) => println!("{name}: {}", client.profile()),
    ///         Err(error) => eprintln!("{name} is not usable: {error}"),
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`RegistryError`] if the file cannot be read or is not a registry. Problems of one show are returned by
    /// [`get`](Self::get).
    pub fn read(path: impl AsRef<Path>) -> Result<Self, RegistryError> {
        Self::read_with(path, |_, builder| builder)
    }

    /// Reads the registry in a TOML file and calls `settings` with the name and builder of every show. A show whose transport is
    /// set (proxy, certificates, user agent) has its own connections.
    ///
    /// # Errors
    /// Fails as [`read`](Self::read) does.
    pub fn read_with(
        path: impl AsRef<Path>,
        settings: impl Fn(&str, ClientBuilder) -> ClientBuilder,
    ) -> Result<Self, RegistryError> {
        Self::builder().settings(settings).read(path)
    }

    /// Returns a builder, which also reads strings, tables and files that hold other tables.
    pub fn builder<'a>() -> RegistryBuilder<'a> {
        RegistryBuilder::new()
    }

    /// The names of all shows, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.shows.keys().map(String::as_str)
    }

    /// The client of a show.
    ///
    /// # Errors
    /// [`BuildError`] if the file has no such show, or if no client can be built from its configuration.
    pub fn get(&self, name: &str) -> Result<&Client, BuildError> {
        match self.shows.get(name) {
            Some(client) => client.as_ref().map_err(Clone::clone),
            None => {
                let known: Vec<_> = self.names().map(|name| format!("`{name}`")).collect();
                Err(BuildError::new([format!("there is no show `{name}`; the file has {}", known.join(", "))]))
            }
        }
    }

    /// All shows, including those that cannot be built.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Result<&Client, &BuildError>)> {
        self.shows.iter().map(|(name, client)| (name.as_str(), client.as_ref()))
    }
}

/// The error of a registry that cannot be read.
#[derive(Clone, PartialEq, Eq)]
pub struct RegistryError {
    path: Option<PathBuf>,
    detail: String,
}

impl fmt::Display for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => write!(f, "the registry {} cannot be used: {}", path.display(), self.detail),
            None => write!(f, "the registry cannot be used: {}", self.detail),
        }
    }
}

impl std::error::Error for RegistryError {}
