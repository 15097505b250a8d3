//! The client of one show.

use std::{borrow::Cow, collections::HashMap, ffi::OsString, fmt, sync::Arc, time::Duration};

use http::Method;
use perenso_auth::{AccessToken, CallOptions, RequestBuilder};

#[cfg_attr(partial_facade, cfg(facade = "exports()"))]
use crate::exports::CatalogCache;
use crate::{builder::Builder, environment, error::Error, generated};

#[cfg(all(partial_facade, not(facade = "exports()")))]
type CatalogCache = ();

/// The default prefix of the environment variables.
const PREFIX: &str = "PERENSO";

/// The client of one show.
///
/// Cheap to clone. Clones share tokens, the rate budget, connections and the catalog of exports. There are no background
/// tasks between calls.
///
/// ```no_run
/// # async fn example() -> Result<(), perenso::Error> {
/// use perenso::Perenso;
///
/// let show = Perenso::builder()
///     .client_id("SHOWID")
///     .client_secret_file("/run/secrets/show")
///     .build()?;
/// let customer = show.customers().get("4ddjf2").await?;
/// println!("{:?} lives in {:?}", customer.customer_name.get(), customer.city.get());
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Perenso {
    api: Arc<generated::Client>,
    catalog_cache: Arc<CatalogCache>,
}

impl Perenso {
    /// Returns a builder of a client.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// Creates a client from environment variables with the prefix `PERENSO`: see
    /// [`from_env_prefix`](Self::from_env_prefix).
    ///
    /// # Errors
    /// Variables are missing or contradictory. The error lists all problems at once.
    pub fn from_env() -> Result<Self, Error> {
        Self::from_env_prefix(PREFIX)
    }

    /// Creates a client from environment variables with this prefix. One process can serve several shows this way.
    ///
    /// | variable | meaning |
    /// |---|---|
    /// | `PERENSO_CLIENT_ID` | the show id; required |
    /// | `PERENSO_CLIENT_SECRET` | the API secret; this or the next is required, and not both |
    /// | `PERENSO_CLIENT_SECRET_FILE` | a file with the secret, surrounding whitespace ignored; read again when the secret is refused |
    /// | `PERENSO_API_URL` | the base address of the API |
    /// | `PERENSO_TOKEN_URL` | the token endpoint |
    /// | `PERENSO_CLIENT_AUTH` | `body` (the default) or `basic` |
    ///
    /// ```no_run
    /// # fn example() -> Result<(), perenso::Error> {
    /// use perenso::Perenso;
    ///
    /// // SPRING_SHOW_CLIENT_ID, SPRING_SHOW_CLIENT_SECRET …
    /// let spring = Perenso::from_env_prefix("SPRING_SHOW")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Variables are missing or contradictory. The error lists all problems at once.
    pub fn from_env_prefix(prefix: &str) -> Result<Self, Error> {
        Self::builder_from_env_prefix(prefix)?.build().map_err(|error| environment::in_variables(&error, prefix))
    }

    /// Returns a builder filled from environment variables with this prefix, for further settings.
    ///
    /// # Errors
    /// Fails as [`from_env_prefix`](Self::from_env_prefix) does.
    pub fn builder_from_env_prefix(prefix: &str) -> Result<Builder, Error> {
        environment::builder(prefix, |name| std::env::var_os(name))
    }

    /// Creates a client from pairs of a name and a value, with the names and rules of [`from_env`](Self::from_env). Ignores
    /// other names.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use perenso::Perenso;
    /// use perenso_sandbox::Sandbox;
    ///
    /// let sandbox = Sandbox::start().await?;
    /// let show = Perenso::from_vars(sandbox.vars())?;
    /// assert!(!show.customers().list().page(1).await?.items.is_empty());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Fails as [`from_env_prefix`](Self::from_env_prefix) does.
    pub fn from_vars<N: AsRef<str>, V: Into<OsString>>(vars: impl IntoIterator<Item = (N, V)>) -> Result<Self, Error> {
        Self::builder_from_vars(vars)?.build().map_err(|error| environment::in_variables(&error, PREFIX))
    }

    /// Returns a builder filled from pairs of a name and a value, for further settings.
    ///
    /// # Errors
    /// Fails as [`from_env_prefix`](Self::from_env_prefix) does.
    pub fn builder_from_vars<N: AsRef<str>, V: Into<OsString>>(
        vars: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Builder, Error> {
        let vars: HashMap<String, OsString> =
            vars.into_iter().map(|(name, value)| (name.as_ref().to_owned(), value.into())).collect();
        environment::builder(PREFIX, |name| vars.get(name).cloned())
    }

    pub(crate) fn new(auth: perenso_auth::Client) -> Self {
        Self { api: Arc::new(generated::Client::new(&auth)), catalog_cache: Arc::default() }
    }

    /// Returns a client whose calls use these options: a deadline, headers, other retries. Options that are not set here keep
    /// their values from this client.
    ///
    /// ```no_run
    /// # async fn example(show: perenso::Perenso) -> Result<(), perenso::Error> {
    /// use std::time::Duration;
    /// use perenso::CallOptions;
    ///
    /// let quick = show.with_options(CallOptions::new().deadline(Duration::from_secs(2)));
    /// let customer = quick.customers().get("4ddjf2").await?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn with_options(&self, options: CallOptions) -> Self {
        self.over(self.api.with_options(options))
    }

    /// Returns a client whose calls end with the headers of their responses.
    pub(crate) fn streaming(&self) -> Self {
        self.over(generated::Client::over(self.api.inner.streaming()))
    }

    fn over(&self, api: generated::Client) -> Self {
        Self { api: Arc::new(api), catalog_cache: Arc::clone(&self.catalog_cache) }
    }

    /// Returns a request to any path below the base address, sent through the same pipeline.
    ///
    /// Its errors are those of the token layer; `?` converts them into an [`Error`](crate::Error).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = perenso_sandbox::Sandbox::start().await?;
    /// # let show = perenso::Perenso::from_vars(sandbox.vars())?;
    /// use http::Method;
    /// use serde_json::{Value, json};
    ///
    /// let made: Value = show
    ///     .request(Method::POST, "/Warehouse")
    ///     .operation("warehouse_create")
    ///     .json(&json!({"warehouseID": "WH7"}))
    ///     .send_json()
    ///     .await?;
    /// assert_eq!(made["warehouseID"], "WH7");
    ///
    /// let request = show.request(Method::GET, "/Customer").query("page", 1);
    /// let response = request.send().await?;
    /// println!("{} after {} attempts", response.status(), response.attempts());
    /// # Ok(()) }
    /// ```
    pub fn request(&self, method: Method, path: impl Into<Cow<'static, str>>) -> RequestBuilder {
        self.auth().request(method, path).options(self.api.inner.shared_options())
    }

    /// Returns a bearer token that is valid for at least `min_validity`, for use elsewhere.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = perenso_sandbox::Sandbox::start().await?;
    /// # let show = perenso::Perenso::from_vars(sandbox.vars())?;
    /// use std::time::Duration;
    ///
    /// let bearer = show.token(Duration::from_secs(60)).await?;
    /// assert!(bearer.expires_in() >= Duration::from_secs(60));
    /// assert!(bearer.header().is_sensitive());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// No token can be obtained, or the tokens of this server are never valid for that long.
    #[inline]
    pub async fn token(&self, min_validity: Duration) -> Result<AccessToken, Error> {
        Ok(self.auth().token(min_validity).await?)
    }

    /// Returns the current bearer token without waiting, for synchronous interceptors. Returns `None` if there is no token or
    /// it is due for renewal; [`token`](Self::token) then obtains one.
    #[must_use]
    pub fn token_in_hand(&self) -> Option<AccessToken> {
        self.auth().token_in_hand()
    }

    /// Waits until a token renewal in progress has ended and its tokens are stored. The client can be used afterwards.
    ///
    /// A program that returns from `main` does not need it. Call it before `std::process::exit`, which does not wait: see
    /// [`auth::Client::close`](perenso_auth::Client::close).
    pub async fn close(&self) {
        self.auth().close().await;
    }

    /// Returns the generated client, with a builder for every operation of the document through the traits of
    /// [`generated`](crate::generated).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = perenso_sandbox::Sandbox::start().await?;
    /// # let show = perenso::Perenso::from_vars(sandbox.vars())?;
    /// use perenso::generated::prelude::*;
    ///
    /// let list = show.api().customer_list().page(1).results_per_page(20);
    /// let customers = list.send().await?;
    /// println!("{} {:?}", customers.status(), customers.headers());
    /// assert_eq!(customers.into_inner().len(), 20);
    /// # Ok(()) }
    /// ```
    pub fn api(&self) -> &generated::Client {
        &self.api
    }

    /// Returns the client of the token layer, for other clients over the same tokens, rate budget and connections: those that
    /// [`runtime`](crate::runtime) supports, or your own requests.
    ///
    /// Its calls do not use the options of [`with_options`](Self::with_options).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = perenso_sandbox::Sandbox::start().await?;
    /// # let show = perenso::Perenso::from_vars(sandbox.vars())?;
    /// // Any generated client is made in this way.
    /// let client = perenso::generated::Client::new(show.auth_client());
    /// # use perenso::generated::prelude::*;
    /// assert!(!client.customer_list().send().await?.into_inner().is_empty());
    /// # Ok(()) }
    /// ```
    pub fn auth_client(&self) -> &perenso_auth::Client {
        self.api.auth_client()
    }

    pub(crate) fn auth(&self) -> &perenso_auth::Client {
        self.api.auth_client()
    }

    pub(crate) fn options(&self) -> &CallOptions {
        self.api.inner.options()
    }

    pub(crate) fn catalog_cache(&self) -> &CatalogCache {
        &self.catalog_cache
    }
}

impl fmt::Debug for Perenso {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Perenso").field("auth", self.auth()).finish_non_exhaustive()
    }
}
