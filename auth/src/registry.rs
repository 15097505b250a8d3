//! Several shows from one TOML file: each with its own token, budget and label, all over one pool and one store.

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

/// The clients of several shows, or of several systems, by the names that a file gives them.
///
/// ```toml
/// [store]                                   # without it, tokens are kept in memory
/// directory = "tokens"                      # or `redis_url_file = "secrets/redis"` with the feature `redis`
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
/// Paths are relative to the file. Secrets stand in files of their own, which are read again when the token endpoint
/// refuses what they held: a rotated secret needs no restart. `tid_file` and `subscription_key_file` are read again when the API
/// answers 401; the tokens remain those of the tenant that the registry was read with. `redis_url_file` is read again when no
/// connection can be made with what it held. `sealing_secret_file` is read once: all processes need the same.
///
/// A show that cannot be built or is refused stops no other; one whose file is missing or empty when the registry is read stays
/// unusable until it is read again.
///
/// | profile | keys besides `client_id` and `client_secret_file` |
/// |---|---|
/// | `perenso` | |
/// | `priava` | `region`, `code_file`, `redirect_uri` |
/// | `perspio` | `tid_file`, `subscription_key_file`; with a person `code_file` and `redirect_uri` |
/// | `event-bookings` | `api_url`; `body_encoding = "form"` |
/// | `tourpaq` | `username`, `password_file` |
///
/// With Redis, `[store]` takes besides: `replicas = 6`, which shares the rate budget of each show among so many processes;
/// `sealing_secret_file`, which seals the tokens in place of each client secret, so that a refresh token outlives a rotated
/// one; `prefix`; and `allow_plain = ["host"]`, which lets the connection go without TLS.
///
/// Of every show: `api_url`, `token_url`, `scope`, `client_auth` and `refresh_client_auth` (`body`, `basic-plain`,
/// `basic-encoded`), `rate = { calls = 250, seconds = 60, burst = 50 }`, `refresh_token_file`, `memory_only = true`,
/// `allow_http = ["host"]`.
#[derive(Clone, Debug)]
pub struct Registry {
    shows: BTreeMap<String, Result<Client, BuildError>>,
}

impl Registry {
    /// The registry in a file.
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
    /// [`RegistryError`] when the file cannot be read or is no registry. What is wrong with one show is said by
    /// [`get`](Self::get).
    pub fn read(path: impl AsRef<Path>) -> Result<Self, RegistryError> {
        Self::read_with(path, |_, builder| builder)
    }

    /// The same, with what a file cannot say: `settings` is called for every show with its name. A show whose transport is
    /// set (proxy, certificates, user agent) has connections of its own.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_with(
        path: impl AsRef<Path>,
        settings: impl Fn(&str, ClientBuilder) -> ClientBuilder,
    ) -> Result<Self, RegistryError> {
        Self::builder().settings(settings).read(path)
    }

    /// Reads a registry from a string or a table too, or from a file that holds other tables.
    pub fn builder<'a>() -> RegistryBuilder<'a> {
        RegistryBuilder::new()
    }

    /// The names of all shows, in the order of the alphabet.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.shows.keys().map(String::as_str)
    }

    /// The client of a show.
    ///
    /// # Errors
    /// [`BuildError`] when the file has no such show, or when what it says of it makes no client.
    pub fn get(&self, name: &str) -> Result<&Client, BuildError> {
        match self.shows.get(name) {
            Some(client) => client.as_ref().map_err(Clone::clone),
            None => {
                let known: Vec<_> = self.names().map(|name| format!("`{name}`")).collect();
                Err(BuildError::new([format!("there is no show `{name}`; the file has {}", known.join(", "))]))
            }
        }
    }

    /// All shows, those that cannot be built among them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Result<&Client, &BuildError>)> {
        self.shows.iter().map(|(name, client)| (name.as_str(), client.as_ref()))
    }
}

/// Why a file is no registry.
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
