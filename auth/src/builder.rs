//! Building a client: every setter has a default but the credentials, and `build` names all that is wrong at once.

use std::sync::Arc;

use oauth2::TokenUrl;
use reqwest::Url;

#[cfg(feature = "redis")]
use crate::shared_budget::SharedBudget;
use crate::{
    budget::Budget,
    cache::Cache,
    client::{Client, Inner},
    clock::{Clock, SystemClock},
    credentials::{Credentials, CredentialsProvider, Source},
    error::BuildError,
    exchange::{Exchange, LOST_WITH_THE_PROCESS},
    grant::{BodyEncoding, ClientAuth, Grant},
    policy::{RetryPolicy, Timeouts, TokenPolicy},
    profile::{Profile, Rate},
    secret::Secret,
    store::{MemoryStore, TokenStore},
    supply::Supply,
    transport::{Pool, Transport, is_loopback, may_carry_secrets},
};

/// The largest body that is read as a whole.
const LARGEST_BODY: usize = 256 * 1024 * 1024;

/// Collects what a [`Client`] is made of.
#[must_use = "a client is made by `build`"]
pub struct ClientBuilder {
    profile: Profile,
    credentials: Option<Source>,
    store: Option<Arc<dyn TokenStore>>,
    memory_only: bool,
    #[cfg(feature = "redis")]
    shared_budget: Option<SharedBudget>,
    needs_a_person: bool,
    pool: Option<Pool>,
    scope: Option<String>,
    label: Option<String>,
    allow_http: Vec<String>,
    timeouts: Timeouts,
    retry: RetryPolicy,
    token_policy: TokenPolicy,
    largest_body: usize,
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
            pool: None,
            scope: None,
            label: None,
            allow_http: Vec::new(),
            timeouts: Timeouts::default(),
            retry: RetryPolicy::default(),
            token_policy: TokenPolicy::default(),
            largest_body: LARGEST_BODY,
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
    pub fn largest_body(mut self, bytes: usize) -> Self {
        self.largest_body = bytes;
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

    /// A reqwest builder to start from. What this crate sets is set after it: no redirects, TLS, the connect time-out.
    /// A total time-out on it would cut long answers.
    pub fn http_builder(mut self, builder: reqwest::ClientBuilder) -> Self {
        self.transport.http_builder = Some(builder);
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

    /// The client.
    ///
    /// # Errors
    /// [`BuildError`] with everything that is missing or contradictory, each with the setter to call.
    pub fn build(self) -> Result<Client, BuildError> {
        let mut problems = Vec::new();
        let tokens_may_need_a_person = self.tokens_may_need_a_person();
        let token_url = self.address("token", "token_url", self.profile.token_url.as_deref(), &mut problems);
        let api_url = self.address("API", "api_url", self.profile.api_url.as_deref(), &mut problems);
        if let Some(api_url) = api_url.as_ref().filter(|url| url.query().is_some() || url.fragment().is_some()) {
            problems.push(format!(
                "the API address `{}{}` must have no query and no fragment: call `api_url`",
                api_url.origin().ascii_serialization(),
                api_url.path()
            ));
        }
        problems.extend(self.profile.problems.iter().cloned());
        match &self.credentials {
            None => problems.push("no credentials: call `credentials` or `credentials_provider`".to_owned()),
            Some(Source::Fixed(credentials)) => {
                problems.extend(credentials.problems(&self.profile));
                problems.extend(self.scope_problem(credentials.grant()));
                if credentials.grant().needs_a_person() {
                    problems.extend(self.store_problem());
                }
            }
            // What it will give is not known yet, but what a profile can need is.
            Some(Source::Provider { .. }) => {
                let grants = &self.profile.grants;
                let all_need_one = !grants.is_empty() && grants.iter().all(|grant| grant.needs_a_person());
                if self.needs_a_person || all_need_one {
                    problems.extend(self.store_problem());
                }
                if grants.iter().all(|grant| self.scope_problem(*grant).is_some()) {
                    problems.extend(grants.first().and_then(|grant| self.scope_problem(*grant)));
                }
            }
        }
        problems.extend(self.transport.tls.problems(self.transport.http_builder.is_some()));
        let (Some(token_url), Some(api_url), Some(credentials), true) =
            (token_url, api_url, self.credentials, problems.is_empty())
        else {
            return Err(BuildError::new(problems));
        };
        let secure = [&token_url, &api_url].iter().any(|url| url.scheme() == "https");
        let local = [&token_url, &api_url].iter().any(|url| url.scheme() == "http" && is_loopback(url));
        let http = match self.pool.filter(|_| self.transport.is_plain()) {
            Some(pool) => self.transport.pooled(&pool, self.timeouts.connect, secure, local)?,
            None => self.transport.build(self.timeouts.connect, secure, local)?,
        };
        let label = self.label.unwrap_or_else(|| match &credentials {
            Source::Fixed(credentials) => credentials.client_id.clone(),
            Source::Provider { .. } => self.profile.name.clone().into_owned(),
        });
        let api_headers = self.profile.api_headers.clone();
        let rate = self.profile.rate;
        #[cfg(feature = "redis")]
        let budget = match self.shared_budget {
            Some(shared) => Budget::shared(rate, shared, Arc::clone(&self.clock)),
            None => Budget::new(rate, Arc::clone(&self.clock)),
        };
        #[cfg(not(feature = "redis"))]
        let budget = Budget::new(rate, Arc::clone(&self.clock));
        let authorization_header = self.profile.authorization_header.clone();
        let throttle = self.profile.throttle.clone();
        let causes_of_401 = self.profile.causes_of_401.clone();
        let profile = self.profile.name.clone();
        let exchange = Exchange {
            profile: self.profile,
            credentials,
            token_url: TokenUrl::from_url(token_url),
            scope: self.scope,
            http: http.clone(),
            clock: Arc::clone(&self.clock),
            policy: self.token_policy,
            tokens_may_need_a_person,
            memory_only: self.memory_only,
        };
        let supply = match self.store {
            Some(store) => Supply::shared(exchange, store),
            None => Supply::alone(exchange, Arc::new(MemoryStore::new())),
        };
        Ok(Client::new(Inner {
            label,
            profile,
            api_url,
            api_headers,
            http,
            authorization_header,
            throttle,
            causes_of_401,
            cache: Arc::new(Cache::new(supply)),
            budget,
            timeouts: self.timeouts,
            retry: self.retry,
            largest_body: self.largest_body,
            clock: self.clock,
        }))
    }

    /// A scope where none goes.
    fn scope_problem(&self, grant: Grant) -> Option<String> {
        let none_goes = self.profile.scope_of(grant, self.profile.client_auth) == Some(None);
        (self.scope.is_some() && none_goes).then(|| {
            format!("`{}` takes no scope with this grant and these credentials: leave out `scope`", self.profile.name)
        })
    }

    /// A grant that needs a person, and nothing that outlives the process.
    fn store_problem(&self) -> Option<String> {
        (!self.tokens_may_need_a_person()).then(|| LOST_WITH_THE_PROCESS.to_owned())
    }

    fn tokens_may_need_a_person(&self) -> bool {
        self.memory_only || self.store.as_ref().is_some_and(|store| store.is_durable())
    }

    fn address(&self, what: &str, setter: &str, text: Option<&str>, problems: &mut Vec<String>) -> Option<Url> {
        let Some(text) = text else {
            problems.push(format!("no {what} address is known for `{}`: call `{setter}`", self.profile.name));
            return None;
        };
        // What stands in an address that is none may be a secret that went astray: it is not shown.
        let Ok(url) = Url::parse(text) else {
            problems.push(format!("the {what} address is no URL: call `{setter}`"));
            return None;
        };
        if !url.username().is_empty() || url.password().is_some() {
            problems.push(format!("the {what} address holds a user or a password: call `{setter}` without them"));
            return None;
        }
        if !may_carry_secrets(&url, &self.allow_http) {
            let host = url.host_str().unwrap_or_default();
            problems.push(format!(
                "the {what} address is not https, and secrets would go to `{host}` in the open: call `{setter}` with https, \
                 or `allow_http(\"{host}\")` if that is meant"
            ));
            return None;
        }
        Some(url)
    }
}

impl std::fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientBuilder").field("profile", &self.profile.name).finish_non_exhaustive()
    }
}
