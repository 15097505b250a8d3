//! Building a client: every setter has a default but the credentials, and `build` names all that is wrong at once.

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

/// The largest body that is read as a whole.
const LARGEST_BODY: usize = 256 * 1024 * 1024;

/// Collects what a [`Client`](crate::Client) is made of.
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
#[must_use = "a client is made by `build`"]
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
            max_body_bytes: LARGEST_BODY,
            transport: Transport::default(),
            clock: Arc::new(SystemClock),
        }
    }

    /// The client id and its secret, and what the grant takes. Required, unless there is a provider.
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Some(Source::Fixed(Arc::new(credentials)));
        self
    }

    /// Where credentials come from, in place of fixed ones: asked when a token is first needed, and again once after a
    /// refusal, so that a rotated secret needs no restart.
    pub fn credentials_provider(mut self, provider: impl CredentialsProvider) -> Self {
        self.credentials = Some(Source::provider(Arc::new(provider)));
        self
    }

    /// Where tokens are kept, and shared with whoever uses the same store (a clone, or an `Arc` of it) for the same identity.
    /// Without it, in the memory of this client and its clones.
    pub fn store(mut self, store: impl TokenStore) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// Tokens of a grant that needs a person may be lost with the process: a person then has to come again. Without this,
    /// such a grant is not built without a store that outlives the process, and nothing is sent while that store is away: a
    /// refresh token that two processes send, or one that is exchanged and not stored, would be lost.
    ///
    /// ```
    /// use perenso_auth::{AuthorizationCode, Client, Credentials, Profile, TenantRegion};
    ///
    /// let code = AuthorizationCode::new("copied-by-hand", "https://erp.example/callback");
    /// let credentials = || Credentials::new("client-1", "s3cr3t").code(code.clone());
    /// let client = || Client::builder(Profile::priava(TenantRegion::Eu)).credentials(credentials());
    /// assert!(client().build().is_err());
    /// assert!(client().memory_only().build().is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn memory_only(mut self) -> Self {
        self.memory_only = true;
        self
    }

    /// The provider is known to give a grant that needs a person.
    #[cfg(feature = "registry")]
    pub(crate) fn needs_a_person(mut self) -> Self {
        self.needs_a_person = true;
        self
    }

    /// Reads the headers of API calls again when the API refuses them.
    #[cfg(feature = "registry")]
    pub(crate) fn api_header_source(mut self, source: HeaderSource) -> Self {
        self.api_header_source = Some(source);
        self
    }

    /// Connections to share, unless the transport is set.
    #[cfg(feature = "registry")]
    pub(crate) fn pool(mut self, pool: Pool) -> Self {
        self.pool = Some(pool);
        self
    }

    /// Where tokens are asked for, in place of the profile's address.
    pub fn token_url(mut self, url: impl Into<String>) -> Self {
        self.profile = self.profile.token_url(url);
        self
    }

    /// The base address of the API, in place of the profile's.
    pub fn api_url(mut self, url: impl Into<String>) -> Self {
        self.profile = self.profile.api_url(url);
        self
    }

    /// Where the credentials go when a token is first asked for, in place of the profile's way.
    pub fn client_auth(mut self, place: ClientAuth) -> Self {
        self.profile = self.profile.client_auth(place);
        self
    }

    /// Where the credentials go when a token is refreshed, in place of the profile's way.
    pub fn refresh_client_auth(mut self, place: ClientAuth) -> Self {
        self.profile = self.profile.refresh_client_auth(place);
        self
    }

    /// How the body of a token request is written, in place of the profile's way.
    pub fn body_encoding(mut self, encoding: BodyEncoding) -> Self {
        self.profile = self.profile.body_encoding(encoding);
        self
    }

    /// The scope of the original grant, in place of the profile's.
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = Some(scope.into());
        self
    }

    /// What spans call this client; without it, the client id, or with a provider the profile's name.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// The rate budget, in place of the profile's.
    pub fn rate(mut self, rate: Rate) -> Self {
        self.profile = self.profile.rate(rate);
        self
    }

    /// The rate budget, shared over Redis with all who draw on it: the [`rate`](Self::rate) is then theirs together.
    #[cfg(feature = "redis")]
    pub fn shared_budget(mut self, budget: SharedBudget) -> Self {
        self.shared_budget = Some(budget);
        self
    }

    /// No rate budget.
    pub fn unlimited(mut self) -> Self {
        self.profile.rate = None;
        self
    }

    /// Lets secrets go to this host over plain http. Loopback needs no leave.
    pub fn allow_http(mut self, host: impl Into<String>) -> Self {
        self.allow_http.push(host.into());
        self
    }

    /// The deadlines.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// How often calls are tried.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// How tokens are asked for.
    pub fn token_policy(mut self, policy: TokenPolicy) -> Self {
        self.token_policy = policy;
        self
    }

    /// The largest body that is read as a whole, in bytes after decompression; 256 MiB without it.
    pub fn max_body_bytes(mut self, bytes: usize) -> Self {
        self.max_body_bytes = bytes;
        self
    }

    /// A proxy for all requests, in place of those that the environment names.
    pub fn proxy(mut self, proxy: reqwest::Proxy) -> Self {
        self.transport.proxy = Some(proxy);
        self
    }

    /// Root certificates in PEM that are trusted besides those of the machine.
    pub fn root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.transport.tls.root_certificates.push(pem.into());
        self
    }

    /// A client certificate: its chain and its private key in one PEM text.
    pub fn client_certificate(mut self, pem: impl Into<Secret>) -> Self {
        self.transport.tls.client_certificate = Some(pem.into());
        self
    }

    /// The `User-Agent`.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.transport.user_agent = Some(user_agent.into());
        self
    }

    /// Makes the reqwest builder to start from. It is called once for each tokio runtime that makes calls, since connections
    /// belong to a runtime. What this crate sets is set after it: no redirects, no decompression (bodies are decoded by this
    /// crate), TLS, the connect timeout. Its proxies are kept; those of the environment are never asked for an address on this
    /// machine. A total timeout on it would cut long answers.
    pub fn http_builder(mut self, builder: impl Fn() -> reqwest::ClientBuilder + Send + Sync + 'static) -> Self {
        self.transport.http_builder = Some(HttpBuilder(Arc::new(builder)));
        self
    }

    /// A rustls configuration of your own, with the crypto provider, the roots and the certificates that it has.
    #[cfg(feature = "rustls")]
    pub fn rustls_config(mut self, config: rustls::ClientConfig) -> Self {
        self.transport.tls.config = Some(config);
        self
    }

    /// Leaves TLS as the reqwest builder has it. With rustls, a crypto provider must be installed for the process.
    pub fn keep_tls(mut self) -> Self {
        self.transport.tls.keep = true;
        self
    }

    /// Where time comes from.
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
