//! The builder of a client: credentials and settings.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use perenso_auth::{
    BuildError, ClientAuth, ClientBuilder, Credentials, CredentialsProvider, Profile, Rate, RetryPolicy, Secret,
    Timeouts, TokenPolicy, clock::Clock, pasted_value, store::TokenStore,
};

use crate::{client::Perenso, error::Error};

pub(crate) const USER_AGENT: &str = concat!("perenso/", env!("CARGO_PKG_VERSION"));

/// A builder of a [`Perenso`].
///
/// Requires [`client_id`](Self::client_id), and either [`client_secret`](Self::client_secret) or
/// [`client_secret_file`](Self::client_secret_file). See the guide to [authentication](crate::guide::authentication).
///
/// ```
/// use std::time::Duration;
/// use perenso::{Perenso, RetryPolicy, Timeouts};
///
/// let show = Perenso::builder()
///     .client_id("SHOWID")
///     .client_secret("API_SECRET")
///     .label("spring show")
///     .timeouts(Timeouts::default().attempt(Duration::from_secs(20)))
///     .retry(RetryPolicy::default().attempts(6))
///     .build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a client is made by `build`"]
pub struct Builder {
    auth: ClientBuilder,
    client_id: Option<String>,
    client_secret: Option<Secret>,
    client_secret_file: Option<PathBuf>,
    provided: bool,
    labelled: bool,
}

impl Builder {
    pub(crate) fn new() -> Self {
        let auth = perenso_auth::Client::builder(Profile::perenso()).user_agent(USER_AGENT);
        Self { auth, client_id: None, client_secret: None, client_secret_file: None, provided: false, labelled: false }
    }

    fn map(mut self, change: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Self {
        self.auth = change(self.auth);
        self
    }

    /// Sets the client id: the id of the show, from Perenso Show Support. [`build`](Self::build) rejects ids with control
    /// characters or invisible characters.
    #[doc(alias("SHOWID", "show id"))]
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.client_id = Some(id.into());
        self
    }

    /// Sets the client secret: the API secret of the show, from Perenso Show Support. [`build`](Self::build) rejects secrets
    /// with control characters or invisible characters.
    #[doc(alias("API_SECRET", "client secret"))]
    pub fn client_secret(mut self, secret: impl Into<Secret>) -> Self {
        self.client_secret = Some(secret.into());
        self
    }

    /// Sets the file that holds the client secret. Surrounding whitespace, line ends, a byte order mark and other invisible
    /// characters are removed.
    ///
    /// The file is read by [`build`](Self::build), and again when the token endpoint refuses the secret. A rotated secret needs
    /// no restart.
    pub fn client_secret_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.client_secret_file = Some(path.into());
        self
    }

    /// Sets an async function that returns [`Credentials`], in place of a fixed id and secret. It is called when a token is
    /// first needed, and once more after a refusal.
    ///
    /// ```
    /// use perenso::{Perenso, auth::Credentials};
    ///
    /// let show = Perenso::builder()
    ///     .credentials_provider(async || {
    ///         let secret = std::fs::read_to_string("/run/secrets/perenso")?;
    ///         Ok::<_, std::io::Error>(Credentials::new("SHOWID", secret.trim()))
    ///     })
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn credentials_provider(mut self, provider: impl CredentialsProvider) -> Self {
        self.provided = true;
        self.map(|auth| auth.credentials_provider(provider))
    }

    /// Sets the token store. Clients that use the same store for the same show share their tokens; see
    /// [`store`](crate::auth::store). Defaults to memory.
    ///
    /// ```
    /// use perenso::{Perenso, auth::store::FileStore};
    ///
    /// let show = Perenso::builder().client_id("SHOWID").client_secret("API_SECRET");
    /// let show = show.store(FileStore::new("/var/lib/sync/tokens")).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn store(self, store: impl TokenStore) -> Self {
        self.map(|auth| auth.store(store))
    }

    /// Sets a rate budget that all replicas of this show share through Redis.
    ///
    /// ```no_run
    /// use perenso::{Perenso, auth::{SharedBudget, store::RedisStore}};
    ///
    /// # fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let redis = RedisStore::new("rediss://cache.example:6379")?;
    /// let show = Perenso::builder().client_id("SHOWID").client_secret("API_SECRET");
    /// let budget = SharedBudget::over(&redis, 6);
    /// let show = show.store(redis).shared_budget(budget).build()?;
    /// # Ok(()) }
    /// ```
    #[cfg(feature = "redis")]
    pub fn shared_budget(self, budget: perenso_auth::SharedBudget) -> Self {
        self.map(|auth| auth.shared_budget(budget))
    }

    /// Sets the base address of the API. Defaults to `https://tsapi.perenso.net`.
    pub fn api_url(self, url: impl Into<String>) -> Self {
        self.map(|auth| auth.api_url(url))
    }

    /// Sets the token endpoint. Defaults to `https://tradeshow.perenso.net/auth/oauth/token`.
    pub fn token_url(self, url: impl Into<String>) -> Self {
        self.map(|auth| auth.token_url(url))
    }

    /// Sets the place of id and secret in a token request: [`ClientAuth::Body`] (the default) or [`ClientAuth::BasicPlain`].
    /// The vendor documents both. A refresh request always carries them in the body.
    ///
    /// ```
    /// use perenso::{ClientAuth, Perenso};
    ///
    /// let show = Perenso::builder()
    ///     .client_id("SHOWID")
    ///     .client_secret("API_SECRET")
    ///     .client_auth(ClientAuth::BasicPlain)
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn client_auth(self, place: ClientAuth) -> Self {
        self.map(|auth| auth.client_auth(place))
    }

    /// Sets the scope of a token request. Defaults to `100214` with credentials in the body, and to none with Basic.
    pub fn scope(self, scope: impl Into<String>) -> Self {
        self.map(|auth| auth.scope(scope))
    }

    /// Sets the name of this client in spans. Defaults to the client id, or to `perenso` with a credentials provider.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.labelled = true;
        self.map(|auth| auth.label(label))
    }

    /// Sets the rate limit. Defaults to 250 calls a minute, with bursts of 50. The vendor's pages say 300 requests "per m…".
    ///
    /// ```
    /// use perenso::{Perenso, Rate};
    ///
    /// let show = Perenso::builder()
    ///     .client_id("SHOWID")
    ///     .client_secret("API_SECRET")
    ///     .rate(Rate::per_minute(120))
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn rate(self, rate: Rate) -> Self {
        self.map(|auth| auth.rate(rate))
    }

    /// Removes the rate limit.
    pub fn unlimited(self) -> Self {
        self.map(ClientBuilder::unlimited)
    }

    /// Sets the timeouts.
    pub fn timeouts(self, timeouts: Timeouts) -> Self {
        self.map(|auth| auth.timeouts(timeouts))
    }

    /// Sets the retry policy of calls.
    pub fn retry(self, policy: RetryPolicy) -> Self {
        self.map(|auth| auth.retry(policy))
    }

    /// Sets the policy of token requests.
    pub fn token_policy(self, policy: TokenPolicy) -> Self {
        self.map(|auth| auth.token_policy(policy))
    }

    /// Sets the maximum size of a body that is read as a whole, in bytes after decompression. Defaults to 256 MiB.
    pub fn max_body_bytes(self, bytes: usize) -> Self {
        self.map(|auth| auth.max_body_bytes(bytes))
    }

    /// Allows id, secret and tokens to be sent to this host over plain HTTP. Loopback is always allowed.
    pub fn allow_http(self, host: impl Into<String>) -> Self {
        self.map(|auth| auth.allow_http(host))
    }

    /// Sets a proxy for all requests, in place of those from the environment.
    pub fn proxy(self, proxy: reqwest::Proxy) -> Self {
        self.map(|auth| auth.proxy(proxy))
    }

    /// Adds trusted root certificates in PEM format to those of the platform.
    pub fn root_certificate(self, pem: impl Into<Vec<u8>>) -> Self {
        self.map(|auth| auth.root_certificate(pem))
    }

    /// Sets a client certificate: the chain and the private key in one PEM string.
    pub fn client_certificate(self, pem: impl Into<Secret>) -> Self {
        self.map(|auth| auth.client_certificate(pem))
    }

    /// Sets a function that returns the reqwest builder to start from. It is called once for each tokio runtime. The SDK then
    /// sets redirects (none), HTTPS, TLS and timeouts.
    pub fn http_builder(self, builder: impl Fn() -> reqwest::ClientBuilder + Send + Sync + 'static) -> Self {
        self.map(|auth| auth.http_builder(builder))
    }

    /// Sets a rustls configuration, including its crypto provider, roots and certificates.
    #[cfg(feature = "rustls")]
    pub fn rustls_config(self, config: rustls::ClientConfig) -> Self {
        self.map(|auth| auth.rustls_config(config))
    }

    /// Keeps the TLS settings of the reqwest builder: see [`ClientBuilder::keep_tls`].
    pub fn keep_tls(self) -> Self {
        self.map(ClientBuilder::keep_tls)
    }

    /// Sets the clock.
    pub fn clock(self, clock: impl Clock) -> Self {
        self.map(|auth| auth.clock(clock))
    }

    /// Builds the client.
    ///
    /// # Errors
    /// Settings are missing or contradictory. The error lists all problems at once, each with the setter to call.
    pub fn build(self) -> Result<Perenso, Error> {
        if self.provided {
            if self.client_id.is_some() || self.client_secret.is_some() || self.client_secret_file.is_some() {
                let problem =
                    "credentials from two places: call `credentials_provider`, or `client_id` and a secret, not both";
                return Err(BuildError::new([problem.to_owned()]).into());
            }
            return Ok(Perenso::new(self.auth.build()?));
        }
        let mut problems = Vec::new();
        let client_id = self.client_id.filter(|id| !pasted_value::trimmed(id).is_empty());
        let client_id = match client_id {
            Some(id) => usable("client id", id, "call `client_id`", &mut problems),
            None => {
                problems.push("no client id, which is the id of the show: call `client_id`".to_owned());
                None
            }
        };
        let secret = match (self.client_secret, &self.client_secret_file) {
            (Some(_), Some(_)) => {
                problems.push("two client secrets: call `client_secret` or `client_secret_file`, not both".to_owned());
                None
            }
            (Some(secret), None) => Some((secret, "call `client_secret`")),
            (None, Some(path)) => match read_secret(path) {
                Ok(secret) => Some((secret, "write the file of `client_secret_file`")),
                Err(error) => {
                    problems.push(format!("the client secret cannot be read from {}: {error}", path.display()));
                    None
                }
            },
            (None, None) => {
                problems.push("no client secret: call `client_secret` or `client_secret_file`".to_owned());
                None
            }
        };
        let secret = secret.and_then(|(secret, remedy)| {
            if pasted_value::trimmed(secret.expose()).is_empty() {
                problems.push("the client secret is empty: call `client_secret` or `client_secret_file`".to_owned());
                return None;
            }
            usable("client secret", secret, remedy, &mut problems)
        });
        // Placeholders for missing credentials let `auth.build` report its problems in the same error.
        let credentials = Credentials::new(
            client_id.unwrap_or_else(|| "missing".to_owned()),
            secret.unwrap_or_else(|| Secret::from("missing")),
        );
        let auth = match self.client_secret_file {
            Some(path) => {
                let client_id = credentials.client_id().to_owned();
                let auth = if self.labelled { self.auth } else { self.auth.label(&client_id) };
                let first = Mutex::new(Some(credentials));
                auth.credentials_provider(move || {
                    let first = first.lock().unwrap_or_else(PoisonError::into_inner).take();
                    let (path, client_id) = (path.clone(), client_id.clone());
                    async move {
                        if let Some(first) = first {
                            return Ok(first);
                        }
                        // The file may be on a network mount, or a pipe.
                        let secret = tokio::task::spawn_blocking(move || read_secret(&path)).await??;
                        Ok::<_, std::io::Error>(Credentials::new(client_id, secret))
                    }
                })
            }
            None => self.auth.credentials(credentials),
        };
        match auth.build() {
            Ok(auth) if problems.is_empty() => Ok(Perenso::new(auth)),
            Ok(_) => Err(BuildError::new(problems).into()),
            Err(error) => {
                problems.extend(error.problems().iter().cloned());
                Err(BuildError::new(problems).into())
            }
        }
    }
}

/// Returns the secret in a file, without surrounding whitespace and invisible characters.
pub(crate) fn read_secret(path: &Path) -> std::io::Result<Secret> {
    std::fs::read_to_string(path).map(|text| Secret::from(pasted_value::trimmed(&text)))
}

/// Returns the value if it has no control or invisible characters, and adds a problem otherwise.
fn usable<T: Clone + Into<Secret>>(what: &str, value: T, remedy: &str, problems: &mut Vec<String>) -> Option<T> {
    let problem = pasted_value::problem(what, value.clone().into().expose(), remedy);
    let is_usable = problem.is_none();
    problems.extend(problem);
    is_usable.then_some(value)
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}
