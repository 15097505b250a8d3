//! The builder of a client. Only the credentials have no default, and `build` reports all problems at once.

use std::sync::Arc;

#[cfg(feature = "redis")]
use crate::pipeline::shared_budget::SharedBudget;
use crate::{
    clock::{Clock, SystemClock},
    oauth::credentials::{Credentials, CredentialsProvider, Source},
    pipeline::{api_headers::HeaderSource, options::Timeouts},
    policy::{RetryPolicy, TokenPolicy},
    profile::{
        Profile, Rate,
        grant::{BodyEncoding, ClientAuth},
    },
    secret::Secret,
    store::TokenStore,
    wire::transport::{HttpBuilder, Pool, Transport},
};

mod assembly;

/// The default limit of bodies that are read as a whole.
const DEFAULT_MAX_BODY_BYTES: usize = 256 * 1024 * 1024;

/// Builds a [`Client`](crate::Client).
///
/// ```
/// use std::time::Duration;
/// use perenso_auth::{Client, Credentials, Profile, RetryPolicy, Timeouts};
///
/// let client = Client::builder(Profile::perenso())
///     .credentials(Credentials::new("SHOWID", "API_SECRET"))
///     .label("spring show")
///     .timeouts(Timeouts::default().attempt(Duration::from_secs(20)))
///     .retry(RetryPolicy::default().attempts(6))
///     .build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "`build` returns the client"]
pub struct ClientBuilder {
    profile: Profile,
    credentials: Option<Source>,
    store: Option<Arc<dyn TokenStore>>,
    memory_only: bool,
    #[cfg(feature = "redis")]
    shared_budget: Option<SharedBudget>,
    needs_a_person: bool,
    api_header_source: Option<HeaderSource>,
    pool: Option<Pool>,
    scope: Option<String>,
    label: Option<String>,
    allow_http: Vec<String>,
    timeouts: Timeouts,
    retry: RetryPolicy,
    token_policy: TokenPolicy,
    max_body_bytes: usize,
    transport: Transport,
    clock: Arc<dyn Clock>,
}

impl ClientBuilder {
    pub(crate) fn new(profile: Profile) -> Self {
        Self {
            profile,
            credentials: None,
            store: None,
            memory_only: false,
            #[cfg(feature = "redis")]
            shared_budget: None,
            needs_a_person: false,
            api_header_source: None,
            pool: None,
            scope: None,
            label: None,
            allow_http: Vec::new(),
            timeouts: Timeouts::default(),
            retry: RetryPolicy::default(),
            token_policy: TokenPolicy::default(),
            max_body_bytes: DEFAULT_MAX_BODY_BYTES,
            transport: Transport::default(),
            clock: Arc::new(SystemClock),
        }
    }

    /// Sets the client id, its secret, and what else the grant takes. Required, unless there is a provider.
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Some(Source::Fixed(Arc::new(credentials)));
        self
    }

    /// Sets a provider of credentials, in place of fixed ones. It is asked when a token is first needed, and once more after a
    /// refusal, so that a rotated secret needs no restart.
    pub fn credentials_provider(mut self, provider: impl CredentialsProvider) -> Self {
        self.credentials = Some(Source::provider(Arc::new(provider)));
        self
    }

    /// Sets the store that keeps tokens and shares them with all clients of the same store (a clone, or an `Arc` of it) and
    /// the same identity. Defaults to the memory of this client and its clones.
    pub fn store(mut self, store: impl TokenStore) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// Accepts that tokens of a grant that needs a person are lost with the process, so that a person has to act again.
    ///
    /// Without it, [`build`](Self::build) fails for such a grant unless the store outlives the process, and no token request
    /// is sent while that store is unavailable: a refresh token would be lost if two processes sent it, or if its successor
    /// could not be stored.
    ///
    /// ```
    /// use perenso_auth::{AuthorizationCode, Client, Credentials, Profile, TenantRegion};
    ///
    /// let code = AuthorizationCode::new("copied-by-hand", "https://erp.example/callback");
    /// let credentials = || Credentials::new("client-1", "s3cr3t").code(code.clone());
    /// let profile = || Profile::priava(TenantRegion::Eu);
    /// let builder = || Client::builder(profile()).credentials(credentials());
    /// assert!(builder().build().is_err());
    /// assert!(builder().memory_only().build().is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn memory_only(mut self) -> Self {
        self.memory_only = true;
        self
    }

    /// Declares that the credentials of the provider have a grant that needs a person.
    #[cfg(feature = "registry")]
    pub(crate) fn needs_a_person(mut self) -> Self {
        self.needs_a_person = true;
        self
    }

    /// Sets the source from which the headers of API calls are read again after a 401.
    #[cfg(feature = "registry")]
    pub(crate) fn api_header_source(mut self, source: HeaderSource) -> Self {
        self.api_header_source = Some(source);
        self
    }

    /// Shares the connections of this pool, unless the transport is set.
    #[cfg(feature = "registry")]
    pub(crate) fn pool(mut self, pool: Pool) -> Self {
        self.pool = Some(pool);
        self
    }

    /// Sets the token URL, in place of the profile's.
    pub fn token_url(mut self, url: impl Into<String>) -> Self {
        self.profile = self.profile.token_url(url);
        self
    }

    /// Sets the base address of the API, in place of the profile's.
    pub fn api_url(mut self, url: impl Into<String>) -> Self {
        self.profile = self.profile.api_url(url);
        self
    }

    /// Sets the client authentication of the original grant, in place of the profile's.
    pub fn client_auth(mut self, place: ClientAuth) -> Self {
        self.profile = self.profile.client_auth(place);
        self
    }

    /// Sets the client authentication of refresh requests, in place of the profile's.
    pub fn refresh_client_auth(mut self, place: ClientAuth) -> Self {
        self.profile = self.profile.refresh_client_auth(place);
        self
    }

    /// Sets the body encoding of token requests, in place of the profile's.
    pub fn body_encoding(mut self, encoding: BodyEncoding) -> Self {
        self.profile = self.profile.body_encoding(encoding);
        self
    }

    /// Sets the scope of the original grant, in place of the profile's.
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = Some(scope.into());
        self
    }

    /// Sets the name of this client in spans. Defaults to the client id, or with a provider to the name of the profile.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Sets the rate limit, in place of the profile's.
    pub fn rate(mut self, rate: Rate) -> Self {
        self.profile = self.profile.rate(rate);
        self
    }

    /// Shares the rate limit over Redis: the [`rate`](Self::rate) then holds for all clients of this budget together.
    #[cfg(feature = "redis")]
    pub fn shared_budget(mut self, budget: SharedBudget) -> Self {
        self.shared_budget = Some(budget);
        self
    }

    /// Removes the rate limit.
    pub fn unlimited(mut self) -> Self {
        self.profile.rate = None;
        self
    }

    /// Allows secrets to be sent to this host over plain HTTP. Loopback is always allowed.
    pub fn allow_http(mut self, host: impl Into<String>) -> Self {
        self.allow_http.push(host.into());
        self
    }

    /// Sets the timeouts of calls.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Sets the retry policy of calls.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Sets the policy of token requests.
    pub fn token_policy(mut self, policy: TokenPolicy) -> Self {
        self.token_policy = policy;
        self
    }

    /// Sets the limit of bodies that are read as a whole, in bytes after decompression. Defaults to 256 MiB.
    pub fn max_body_bytes(mut self, bytes: usize) -> Self {
        self.max_body_bytes = bytes;
        self
    }

    /// Sets a proxy for all requests, in place of those of the environment.
    pub fn proxy(mut self, proxy: reqwest::Proxy) -> Self {
        self.transport.proxy = Some(proxy);
        self
    }

    /// Adds trusted root certificates in PEM, besides those of the machine.
    pub fn root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.transport.tls.root_certificates.push(pem.into());
        self
    }

    /// Sets the client certificate: its chain and its private key in one PEM string.
    pub fn client_certificate(mut self, pem: impl Into<Secret>) -> Self {
        self.transport.tls.client_certificate = Some(pem.into());
        self
    }

    /// Sets the `User-Agent`.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.transport.user_agent = Some(user_agent.into());
        self
    }

    /// Sets the function that creates the reqwest builder. It is called once for each tokio runtime that makes calls, since
    /// connections belong to a runtime.
    ///
    /// Settings of this crate are applied afterwards: no redirects, no decompression (bodies are decoded by this crate), TLS,
    /// the connect timeout. Proxies of the builder are kept; those of the environment are never used for an address on this
    /// machine. A total timeout of the builder cuts long responses.
    pub fn http_builder(mut self, builder: impl Fn() -> reqwest::ClientBuilder + Send + Sync + 'static) -> Self {
        self.transport.http_builder = Some(HttpBuilder(Arc::new(builder)));
        self
    }

    /// Sets the rustls configuration, with its crypto provider, roots and certificates.
    #[cfg(feature = "rustls")]
    pub fn rustls_config(mut self, config: rustls::ClientConfig) -> Self {
        self.transport.tls.config = Some(config);
        self
    }

    /// Keeps the TLS settings of the reqwest builder. With rustls, a crypto provider must be installed for the process.
    pub fn keep_tls(mut self) -> Self {
        self.transport.tls.keep = true;
        self
    }

    /// Sets the clock.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }
}

impl std::fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientBuilder").field("profile", &self.profile.name).finish_non_exhaustive()
    }
}
